//! Datkey.
