//! What each failure means at Baseten.

use keymux_core::Error as CoreError;

/// Why a call to Baseten failed. Each variant carries the details: status, message, attempts.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 401: the credential is not accepted. Baseten's gateway pages do not list this status.
    #[error("Baseten does not accept the credential; it takes a workspace key ({0})")]
    Unauthenticated(CoreError),
    /// 403: the group or key exists but belongs to another workspace, or the credential has no management scope, or
    /// the workspace is not onboarded to the gateway. Which of them, Baseten does not say.
    #[error(
        "the group or key is another workspace's, the credential has no management scope, or the workspace is not onboarded ({0})"
    )]
    Forbidden(CoreError),
    /// 404: no such group or key in this workspace, or the key is revoked, or its group is deleted. Which of them,
    /// Baseten does not say.
    #[error("no such group or key in this workspace, or the key is revoked ({0})")]
    NotFound(CoreError),
    /// 429: more than 100 requests a second for this credential and endpoint.
    /// [`retry_after`](CoreError::retry_after) is the time until the window resets.
    #[error("Baseten's rate limit is reached ({0})")]
    RateLimited(CoreError),
    /// Everything else, at Baseten or on the way there; [`kind`](CoreError::kind) tells what.
    #[error(transparent)]
    Other(CoreError),
}

impl Error {
    /// The details.
    #[must_use]
    pub fn details(&self) -> &CoreError {
        match self {
            Self::Unauthenticated(details)
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
            Some(401) => Self::Unauthenticated(details),
            Some(403) => Self::Forbidden(details),
            Some(404) => Self::NotFound(details),
            Some(429) => Self::RateLimited(details),
            _ => Self::Other(details),
        }
    }
}

/// The unified error; this one is its source.
impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        error.details().clone().with_source(error)
    }
}
