// SPDX-License-Identifier: GPL-3.0-or-later
//! A list of names, one way to be rid of it and one to lose it.

pub struct Names(Vec<String>);

impl Names {
    pub fn new() -> Names {
        Names(vec!["one".to_string(), "two".to_string()])
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn into_raw(self) -> *mut Names {
        Box::into_raw(Box::new(self))
    }
}
