//! What each failure means at Baseten.

use keymux_core::{Error as CoreError, ErrorKind};

/// The operation whose failures with 400 have causes of their own.
pub(crate) const REGISTER: &str = "register_api_key";

/// A cause that Baseten tells by a fixed text, beside the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Signature,
    NoPublicKey,
    AboveParent,
}

impl Cause {
    /// Looks for the texts, wherever they stand: the form of these answers is not documented.
    pub(crate) fn in_text(text: &str) -> Option<Self> {
        const TEXTS: [(&str, Cause); 3] = [
            ("Signature verification failed", Cause::Signature),
            ("Must configure a public key before registering API keys", Cause::NoPublicKey),
            ("Child group exceeds parent group limit", Cause::AboveParent),
        ];
        TEXTS.into_iter().find(|(fixed, _)| text.contains(fixed)).map(|(_, cause)| cause)
    }
}

/// Why a call to Baseten failed. Each variant carries the details: status, message, attempts.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the request is not acceptable. For a new group, its `external_entity_id` may be taken: Baseten has no 409.
    #[error("Baseten does not accept the request ({0})")]
    BadRequest(CoreError),
    /// 400 for a registration: the key is refused. Its length and its entropy were checked before sending, so that
    /// most likely another key of the workspace begins with the same 16 characters.
    #[error("Baseten refuses the key; its first 16 characters may be taken in the workspace ({0})")]
    KeyRefused(CoreError),
    /// 400 for a registration: the signature is not that of the public key that Baseten has.
    #[error("the signing key is not the one whose public half Baseten has ({0})")]
    SignatureRefused(CoreError),
    /// 400 for a registration: Baseten has no public key of the workspace. There is no operation that gives it one.
    #[error("Baseten has no public key of this workspace; give it one before registering keys ({0})")]
    NoPublicKey(CoreError),
    /// 400 for a group with cascading limits: it would be allowed more than its parent.
    #[error("the group would be allowed more than its parent ({0})")]
    AboveParent(CoreError),
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
    /// 429: more than 100 requests a second for this credential and endpoint. Without a status: no turn in time at the
    /// rate limiter that keeps them fewer.
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
            Self::BadRequest(details)
            | Self::KeyRefused(details)
            | Self::SignatureRefused(details)
            | Self::NoPublicKey(details)
            | Self::AboveParent(details)
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
            | Self::KeyRefused(details)
            | Self::SignatureRefused(details)
            | Self::NoPublicKey(details)
            | Self::AboveParent(details)
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
            Some(400) => of_bad_request(details),
            Some(401) => Self::Unauthenticated(details),
            Some(403) => Self::Forbidden(details),
            Some(404 | 410) => Self::NotFound(details),
            Some(429) => Self::RateLimited(details),
            None if details.kind() == ErrorKind::RateLimited => Self::RateLimited(details),
            _ => Self::Other(details),
        }
    }
}

/// A registration's answer may repeat the key, so that its text is not shown: words of our own take its place.
fn of_bad_request(details: CoreError) -> Error {
    let registers = details.operation() == Some(REGISTER);
    // The texts are fixed, and another operation's answer may hold them as part of a name.
    match details.detail::<Cause>().filter(|cause| registers != matches!(cause, Cause::AboveParent)) {
        Some(Cause::Signature) => Error::SignatureRefused(details.with_message("the signature is not accepted")),
        Some(Cause::NoPublicKey) => Error::NoPublicKey(details.with_message("no public key is on file")),
        Some(Cause::AboveParent) => Error::AboveParent(details),
        None if registers => {
            Error::KeyRefused(details.with_message("the key is not accepted; its first 16 characters may be taken"))
        }
        None => Error::BadRequest(details),
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
