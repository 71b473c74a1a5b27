//! Placeholder while the facade is built.
fn main() {}
