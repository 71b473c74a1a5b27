//! The program itself, run as a user runs it, against the emulator and against servers that fail.

#![allow(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod stage;

mod accounts;
mod canary;
mod counts;
mod dry_run;
#[cfg(unix)]
mod emulate;
#[cfg(unix)]
mod ends;
mod formats;
mod guidance;
#[cfg(unix)]
mod leases;
mod listing;
mod odd_answers;
#[cfg(unix)]
mod prompts;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod rotations;
mod schema;
#[cfg(unix)]
mod secret_files;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod signals;
mod statuses;
#[cfg(unix)]
mod sweep;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod trail;
mod updates;
#[cfg(unix)]
mod wire;
mod words;
mod writes;
