// SPDX-License-Identifier: GPL-3.0-or-later
use example::Names;

#[test]
fn is_dropped() {
    assert_eq!(Names::new().count(), 2);
}
