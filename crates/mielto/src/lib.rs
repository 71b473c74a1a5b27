//! Mielto.
