//! Compiles every Rust snippet of the README.
#![doc = include_str!("../README.md")]
