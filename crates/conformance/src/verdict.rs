//! What a check comes to, and what it says of a failure.

use keymux_core::Error;

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Miss {
    Failed { expected: String, seen: String },
    NotApplicable(String),
}

/// A failure.
pub(crate) fn fail<T>(expected: impl Into<String>, seen: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Failed { expected: expected.into(), seen: seen.into() })
}

/// A failure, unless it is as it should be.
pub(crate) fn expect(holds: bool, expected: impl Into<String>, seen: impl Into<String>) -> Result<(), Miss> {
    if holds { Ok(()) } else { fail(expected, seen) }
}

/// The value of a call that should succeed; `what` says which.
pub(crate) fn success<T>(what: &str, result: Result<T, Error>) -> Result<T, Miss> {
    result.or_else(|error| fail(format!("{what} succeeds"), told(&error)))
}

/// An error in one line, with its kind.
pub(crate) fn told(error: &Error) -> String {
    format!("the error {:?}: {error}", error.kind())
}

/// The outcome of a call in one line.
pub(crate) fn told_of<T>(result: &Result<T, Error>) -> String {
    result.as_ref().map_or_else(told, |_| "a success".to_owned())
}
