//! The emulator over raw HTTP: what is sent to each vendor, and what stands on the wire in return.

#![allow(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod baseten;
mod baseten_operations;
mod braintrust;
mod braintrust_operations;
mod datkey;
mod datkey_operations;
mod faults;
mod generated;
mod lifecycle;
mod limits;
mod mielto;
mod mielto_operations;
mod oneloop;
mod oneloop_operations;
mod plans;
#[cfg(feature = "program")]
mod program;
mod raw;
