//! The emulator over raw HTTP: what is sent to each vendor, and what stands on the wire in return.

#![allow(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod baseten;
mod braintrust;
mod datkey;
mod lifecycle;
mod mielto;
mod oneloop;
mod raw;
