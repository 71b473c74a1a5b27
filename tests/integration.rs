//! Integration tests: each vendor against mocks on real sockets, and what holds for all of them.
#![cfg(test)]
