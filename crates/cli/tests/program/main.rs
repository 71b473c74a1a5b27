//! The program itself, run as a user runs it, against the emulator and against servers that fail.

mod stage;

mod accounts;
mod canary;
mod formats;
mod listing;
mod schema;
mod statuses;
#[cfg(unix)]
mod terminal;
