//! Compiles every Rust snippet of the README.
