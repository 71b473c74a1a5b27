//! The program itself, run as a user runs it, against the emulator and against servers that fail.

#![allow(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod stage;

mod accounts;
mod canary;
mod formats;
mod listing;
mod schema;
mod statuses;
#[cfg(unix)]
mod terminal;
