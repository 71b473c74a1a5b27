//! Integration tests: each vendor against mocks on real sockets, and what holds for all of them.
#![cfg(test)]

mod canary;
mod config;
mod coverage;
mod facade;
mod fixtures;
mod hostile;
mod support;
mod tolerance;
mod vendors;
