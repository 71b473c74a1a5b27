//! What is said of a plan or a limit that cannot be.

use std::error::Error;
use std::fmt;

/// A plan of faults or a limit that a vendor cannot carry out, in a sentence that names what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSetting(String);

impl InvalidSetting {
    pub(crate) fn new(vendor: &str, wrong: &str) -> Self {
        Self(format!("{vendor}: {wrong}"))
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidSetting {}
