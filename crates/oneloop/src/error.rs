//! What each failure means at Oneloop.

use keymux_core::{Error as CoreError, ErrorKind};

/// Why a call to Oneloop failed. Each variant carries the details: status, message, attempts.
///
/// 400, 401 and 403 are documented, and concern the SDK key and the request; the others are what their statuses mean
/// everywhere.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the request is not acceptable.
    #[error("Oneloop does not accept the request ({0})")]
    BadRequest(CoreError),
    /// 401: the SDK key is not accepted.
    #[error("Oneloop does not accept the SDK key ({0})")]
    Unauthenticated(CoreError),
    /// 403: the SDK key's scopes do not allow this.
    #[error("the SDK key's scopes do not allow this ({0})")]
    Forbidden(CoreError),
    /// 404: no such workspace or key. Oneloop documents no status for that.
    #[error("no such workspace or key ({0})")]
    NotFound(CoreError),
    /// 429: too many requests, or no turn in time at the rate limiter that keeps them few (without a status).
    #[error("Oneloop's rate limit is reached ({0})")]
    RateLimited(CoreError),
    /// Everything else, at Oneloop or on the way there; [`kind`](CoreError::kind) tells what.
    #[error(transparent)]
    Other(CoreError),
}

impl Error {
    /// The details.
    #[must_use]
    pub fn details(&self) -> &CoreError {
        match self {
            Self::BadRequest(details)
            | Self::Unauthenticated(details)
            | Self::Forbidden(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }

    fn details_mut(&mut self) -> &mut CoreError {
        match self {
            Self::BadRequest(details)
            | Self::Unauthenticated(details)
            | Self::Forbidden(details)
            | Self::NotFound(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }
}

impl From<CoreError> for Error {
    fn from(details: CoreError) -> Self {
        match details.status() {
            Some(400) => Self::BadRequest(details),
            Some(401) => Self::Unauthenticated(details),
            Some(403) => Self::Forbidden(details),
            Some(404 | 410) => Self::NotFound(details),
            Some(429) => Self::RateLimited(details),
            None if details.kind() == ErrorKind::RateLimited => Self::RateLimited(details),
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
