//! What is set of all vendors of an emulator.

use std::io;

use crate::faults::FaultPlan;
use crate::limit::RateLimit;

/// What the vendors of one emulator have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) keys: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) recorded_requests: usize,
    pub(crate) baseten_public_key: Option<String>,
    pub(crate) limit: Option<RateLimit>,
    pub(crate) faults: Vec<(String, FaultPlan)>,
}

pub(crate) fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
