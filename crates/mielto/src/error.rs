//! What each failure means at Mielto.

use std::fmt;

use keymux_core::{Error as CoreError, ErrorKind};

/// Why a call to Mielto failed. Each variant carries the details: status, message, attempts.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 422: the request does not validate. The one failure that the documentation lists.
    #[error("Mielto does not accept the request ({details})")]
    InvalidRequest {
        /// What does not validate, and where.
        violations: Vec<Violation>,
        /// The details.
        details: CoreError,
    },
    /// 401: the credential is missing or wrong.
    #[error("Mielto does not accept the credential ({0})")]
    Unauthenticated(CoreError),
    /// 402, or the code `CREDIT_LIMIT_EXCEEDED` or `OVERAGE_LIMIT_EXCEEDED` with any status: the account's credit is
    /// used up.
    #[error("the account's credit is used up ({0})")]
    CreditExhausted(CoreError),
    /// 403: the credential lacks a permission.
    #[error("the credential lacks a permission ({0})")]
    Forbidden(CoreError),
    /// 404: no such key.
    #[error("no such key ({0})")]
    NotFound(CoreError),
    /// 429: too many requests, or no turn in time at the rate limiter that keeps them few (without a status).
    #[error("Mielto's rate limit is reached ({0})")]
    RateLimited(CoreError),
    /// Everything else, at Mielto or on the way there; [`kind`](CoreError::kind) tells what.
    #[error(transparent)]
    Other(CoreError),
}

/// One complaint about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where: `path`, `query` or `body`, then names and indices.
    pub loc: Vec<String>,
    /// What is wrong, in words.
    pub msg: String,
    /// What is wrong, as a code: the member `type`.
    pub kind: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.loc.is_empty() {
            return f.write_str(&self.msg);
        }
        write!(f, "{}: {}", self.loc.join("."), self.msg)
    }
}

impl Error {
    /// The details.
    #[must_use]
    pub fn details(&self) -> &CoreError {
        match self {
            Self::InvalidRequest { details, .. }
            | Self::Unauthenticated(details)
            | Self::CreditExhausted(details)
            | Self::Forbidden(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }

    fn details_mut(&mut self) -> &mut CoreError {
        match self {
            Self::InvalidRequest { details, .. }
            | Self::Unauthenticated(details)
            | Self::CreditExhausted(details)
            | Self::Forbidden(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }
}

impl From<CoreError> for Error {
    fn from(details: CoreError) -> Self {
        match (details.status(), details.kind()) {
            (Some(_), ErrorKind::QuotaExhausted) => Self::CreditExhausted(details),
            (Some(401), _) => Self::Unauthenticated(details),
            (Some(403), _) => Self::Forbidden(details),
            (Some(404 | 410), _) => Self::NotFound(details),
            (Some(422), _) => {
                let violations = details.detail::<Vec<Violation>>().cloned().unwrap_or_default();
                Self::InvalidRequest { violations, details }
            }
            (Some(429), _) => Self::RateLimited(details),
            (None, _) if details.kind() == ErrorKind::RateLimited => Self::RateLimited(details),
            _ => Self::Other(details),
        }
    }
}

/// The unified error; this one is its source.
impl From<Error> for CoreError {
    fn from(mut error: Error) -> Self {
        let unified = error.details().clone();
        error.details_mut().print_kind_alone();
        unified.with_source(error)
    }
}
