// SPDX-License-Identifier: GPL-3.0-or-later
use example::Names;

#[test]
fn is_lost() {
    let raw = Names::new().into_raw();
    assert!(!raw.is_null());
}
