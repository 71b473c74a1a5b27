//! Braintrust.
