//! Rotation: no key is lost, whatever fails, at whichever vendor, and wherever the process is when it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "rotation/answers.rs"]
mod answers;
#[path = "rotation/plans.rs"]
mod plans;
#[path = "rotation/steps.rs"]
mod steps;
#[path = "rotation/support.rs"]
mod support;
