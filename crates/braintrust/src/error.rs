//! What each failure means at Braintrust.

use keymux_core::{Error as CoreError, ErrorKind};

/// Why a call to Braintrust failed. Each variant carries the details: status, message, attempts.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400 or 403 with the words "missing access … or does not exist", or 404: the key or the service token does not
    /// exist, or was deleted, or may not be seen or deleted with this credential. Which of them, Braintrust does not
    /// say.
    #[error("the key, or what it was to belong to, does not exist, or this credential may not see it ({0})")]
    MissingOrNoAccess(CoreError),
    /// 400: the request is not acceptable.
    #[error("Braintrust does not accept the request ({0})")]
    InvalidRequest(CoreError),
    /// 401: no valid API key.
    #[error("Braintrust does not accept the credential ({0})")]
    Unauthenticated(CoreError),
    /// 403 without the words above: the credential lacks a permission. Making service tokens wants a service token with
    /// the permission of an owner. A wrong base URL answers so, too.
    #[error("the credential lacks a permission, or the base URL is not Braintrust's API ({0})")]
    Forbidden(CoreError),
    /// 429: too many requests, or no turn in time at the rate limiter that keeps them few (without a status). [`retry_after`](CoreError::retry_after) is what `Retry-After` said.
    #[error("Braintrust's rate limit is reached ({0})")]
    RateLimited(CoreError),
    /// Everything else, at Braintrust or on the way there; [`kind`](CoreError::kind) tells what.
    #[error(transparent)]
    Other(CoreError),
}

impl Error {
    /// The details.
    #[must_use]
    pub fn details(&self) -> &CoreError {
        match self {
            Self::MissingOrNoAccess(details)
            | Self::InvalidRequest(details)
            | Self::Unauthenticated(details)
            | Self::Forbidden(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }

    fn details_mut(&mut self) -> &mut CoreError {
        match self {
            Self::MissingOrNoAccess(details)
            | Self::InvalidRequest(details)
            | Self::Unauthenticated(details)
            | Self::Forbidden(details)
            | Self::RateLimited(details)
            | Self::Other(details) => details,
        }
    }
}

impl From<CoreError> for Error {
    fn from(details: CoreError) -> Self {
        match (details.status(), details.kind()) {
            (Some(_), ErrorKind::NotFound) => Self::MissingOrNoAccess(details),
            (Some(400), _) => Self::InvalidRequest(details),
            (Some(401), _) => Self::Unauthenticated(details),
            (Some(403), _) => Self::Forbidden(details),
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
