//! Oneloop.
