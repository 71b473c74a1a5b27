//! Keymux.
