//! The one error of the unified way in: small, opaque, and readable in one line.

mod report;

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use report::ErrorReport;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::capability::Parameter;
use crate::names::{AccountName, InvalidName, ProviderId};

/// The server does not want to risk a request that may be a replay, and has not looked at it (RFC 8470).
pub(crate) const TOO_EARLY: u16 = 425;

/// What went wrong, to branch on.
///
/// What usually causes each kind stands beside it, and whether the vendor may have carried the call out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The vendor knows no such key: a wrong id, or at some vendors a revoked key or one that the credential may not
    /// see. A base URL that is wrong in its path answers so, too. Not carried out.
    NotFound,
    /// The credential is good and may not do this, or the thing belongs to somebody else. Not carried out.
    PermissionDenied,
    /// The credential is missing, wrong, revoked or expired. Not carried out.
    Unauthenticated,
    /// The call is malformed: an id that cannot exist, or a value that the vendor refuses. Not carried out.
    InvalidRequest,
    /// The vendor's state forbids the call. Not carried out.
    Conflict,
    /// Too many requests. [`Error::retry_after`] says how long the vendor wants to be left alone. Not carried out.
    RateLimited,
    /// An allowance or a credit is used up; waiting does not help. Not carried out.
    QuotaExhausted,
    /// This vendor has no such operation. Nothing was sent.
    Unsupported,
    /// A call that makes or replaces a key was sent, and its answer was lost: the key may exist. Or the answer to a change
    /// or a removal was lost, and the repeat was refused in a way that does not say what the first attempt did. Find out
    /// before sending again.
    OutcomeUnknown,
    /// No complete answer within the time allowed. May have been carried out.
    Timeout,
    /// No connection: the name does not resolve, the port is closed, TLS does not trust. Nothing was sent.
    Connect,
    /// The connection broke after the request may have left, or the answer was cut short. May have been carried out.
    Transport,
    /// The answer is not what the vendor documents, and not readable all the same. Was probably carried out.
    Decode,
    /// The answer is larger than [`ClientOptions::with_max_body_bytes`](crate::ClientOptions::with_max_body_bytes) allows, or
    /// a list than [`ClientOptions::with_max_list_body_bytes`](crate::ClientOptions::with_max_list_body_bytes). Was probably
    /// carried out.
    TooLarge,
    /// The vendor answered with a redirect, which is never followed: the base URL is probably wrong. A read is not
    /// carried out; a write may be. Where a key is made it is [`OutcomeUnknown`](Self::OutcomeUnknown) instead.
    Redirected,
    /// The vendor failed (5xx). May have been carried out.
    Server,
    /// The client is set up wrongly: a credential that no header can carry, a bad base URL, an unknown account.
    /// Nothing was sent.
    Config,
}

impl ErrorKind {
    /// The name in lower case, as it stands in `error.type` of spans: `not_found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::PermissionDenied => "permission_denied",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidRequest => "invalid_request",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unsupported => "unsupported",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Transport => "transport",
            Self::Decode => "decode",
            Self::TooLarge => "too_large",
            Self::Redirected => "redirected",
            Self::Server => "server",
            Self::Config => "config",
        }
    }

    /// Whether a call that ended like this may have been carried out by the vendor.
    #[must_use]
    pub fn may_have_executed(self) -> bool {
        matches!(
            self,
            Self::OutcomeUnknown | Self::Timeout | Self::Transport | Self::Decode | Self::TooLarge | Self::Server
        )
    }

    /// Whether the same call may well succeed later.
    fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Timeout | Self::Connect | Self::Transport | Self::Server)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotFound => "not found",
            Self::PermissionDenied => "permission denied",
            Self::Unauthenticated => "credential not accepted",
            Self::InvalidRequest => "invalid request",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate limited",
            Self::QuotaExhausted => "quota exhausted",
            Self::Unsupported => "not supported",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Timeout => "timed out",
            Self::Connect => "could not connect",
            Self::Transport => "connection broke",
            Self::Decode => "unreadable answer",
            Self::TooLarge => "answer too large",
            Self::Redirected => "redirected",
            Self::Server => "the vendor failed",
            Self::Config => "configuration",
        })
    }
}

/// Why a call failed, whatever the vendor.
///
/// One line of [`Display`](fmt::Display) names the account, the vendor, the operation, the status, the vendor's code
/// and message, and the number of attempts. No part of it holds a credential, a key or a person's e-mail address.
/// The vendor's own error, typed, is the [`source`](StdError::source):
///
/// ```
/// use keymux_core::{Error, ErrorKind};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::NotFound => "check the id",
///         ErrorKind::RateLimited => "wait as long as `retry_after()` says",
///         _ if error.is_retryable() => "try again later",
///         _ => "needs a person",
///     }
/// }
/// assert_eq!(advice(&Error::new(ErrorKind::NotFound)), "check the id");
/// ```
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
struct Inner {
    kind: ErrorKind,
    provider: Option<ProviderId>,
    account: Option<AccountName>,
    operation: Option<&'static str>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    parameter: Option<Parameter>,
    see: Option<Cow<'static, str>>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    repeatable: bool,
    follows_lost_answer: bool,
    permanent: bool,
    prints_kind_alone: bool,
    detail: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. The `with_*` methods add what is known.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                provider: None,
                account: None,
                operation: None,
                status: None,
                code: None,
                message: None,
                parameter: None,
                see: None,
                request_id: None,
                retry_after: None,
                attempts: 0,
                repeatable: true,
                follows_lost_answer: false,
                permanent: false,
                prints_kind_alone: false,
                detail: None,
                source: None,
            }),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_message(message)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config).with_message(message)
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner.kind = kind;
        self
    }

    /// Names the vendor.
    #[must_use]
    pub fn with_provider(mut self, provider: ProviderId) -> Self {
        self.inner.provider = Some(provider);
        self
    }

    /// Names the account.
    #[must_use]
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.inner.account = Some(account);
        self
    }

    /// Names the operation, in the words of the vendor's client: `get_api_key`.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner.status = Some(status);
        self
    }

    /// Adds the vendor's error code.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.inner.code = code;
        self
    }

    /// Adds a message. It must hold no secret.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner.message = Some(message.into());
        self
    }

    /// Names the parameter that is wrong. The message has it in backticks, as [`Parameter::as_str`] spells it.
    #[must_use]
    pub fn with_parameter(mut self, parameter: Parameter) -> Self {
        self.inner.parameter = Some(parameter);
        self
    }

    /// Names the item of code that mends this, such as `keymux_core::ClientOptions::with_root_certificates_pem`. The message is for
    /// everybody and names none.
    #[must_use]
    pub fn with_see(mut self, item: impl Into<Option<Cow<'static, str>>>) -> Self {
        self.inner.see = item.into();
        self
    }

    /// Adds the vendor's id of the request.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.inner.request_id = id;
        self
    }

    /// Adds how long the vendor wants to be left alone.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.inner.retry_after = delay;
        self
    }

    /// Adds how many requests were sent, or tried to be.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = attempts;
        self
    }

    /// Says whether sending the call twice has the effect of sending it once. It is assumed.
    #[must_use]
    pub fn with_repeatable(mut self, repeatable: bool) -> Self {
        self.inner.repeatable = repeatable;
        self
    }

    pub(crate) fn with_follows_lost_answer(mut self, follows: bool) -> Self {
        self.inner.follows_lost_answer = follows;
        self
    }

    /// Says that the same call would fail again, though calls that fail like this commonly succeed later.
    pub(crate) fn with_permanent(mut self, permanent: bool) -> Self {
        self.inner.permanent = permanent;
        self
    }

    pub(crate) fn is_permanent(&self) -> bool {
        self.inner.permanent
    }

    /// Adds what the vendor said in a structure of its own.
    #[must_use]
    pub fn with_detail(mut self, detail: Option<Arc<dyn Any + Send + Sync>>) -> Self {
        self.inner.detail = detail;
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// From now on [`Display`](fmt::Display) names the kind alone: for the details of a vendor's error that becomes the
    /// source of a unified one, which has told the rest. [`report`](Error::report) still tells everything.
    pub fn print_kind_alone(&mut self) {
        self.inner.prints_kind_alone = true;
    }

    /// What went wrong, to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The vendor, if the call got as far as one.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderId> {
        self.inner.provider.as_ref()
    }

    /// The account, if the call went through the facade.
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        self.inner.account.as_ref()
    }

    /// The operation, in the words of the vendor's client: `get_api_key`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// The HTTP status, if the vendor answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// The vendor's error code, if it sent one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// The vendor's message, scrubbed and cut, or what this library has to say.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.inner.message.as_deref()
    }

    /// The parameter of making or changing a key that is wrong, if it is one.
    #[must_use]
    pub fn parameter(&self) -> Option<Parameter> {
        self.inner.parameter
    }

    /// The item of code that mends this, by its path. It is printed at the end of the error, and not in its
    /// [`report`](Self::report), which is for readers who write no code.
    #[must_use]
    pub fn see(&self) -> Option<&str> {
        self.inner.see.as_deref()
    }

    /// The vendor's id of the request, to give to its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// How long the vendor wants to be left alone, if it said so with its last answer.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// How many requests were sent, or tried to be. 0: the call was refused before.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// Whether the same call may succeed later, and may safely be sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self.status(), Some(501 | 505))
            && !self.inner.permanent
            && (self.kind().is_transient() || self.status() == Some(TOO_EARLY))
            && (self.inner.repeatable || !self.may_have_executed())
    }

    /// Whether the vendor may have carried the call out, at any of its attempts.
    #[must_use]
    pub fn may_have_executed(&self) -> bool {
        self.kind().may_have_executed() || (self.follows_lost_answer() && self.kind() != ErrorKind::NotFound)
    }

    /// The plaintext of a key that was made by a call whose answer lacks what the vendor's model needs, such as the key's
    /// id. It is shown by nothing, and given again by no vendor: keep it.
    #[must_use]
    pub fn plaintext(&self) -> Option<&SecretString> {
        self.detail::<SecretString>()
    }

    /// Whether an earlier attempt of the same call was sent and its answer lost, so that this answer may be about what
    /// that attempt did: "not found" to the repeat of a revocation.
    #[must_use]
    pub fn follows_lost_answer(&self) -> bool {
        self.inner.follows_lost_answer
    }

    /// What the vendor said in a structure of its own, if it is a `T`.
    #[must_use]
    pub fn detail<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.inner.detail.as_deref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inner.prints_kind_alone {
            return self.kind().fmt(f);
        }
        self.report().fmt(f)?;
        self.see().map_or(Ok(()), |item| write!(f, "; see {item}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("provider", &inner.provider)
            .field("account", &inner.account)
            .field("operation", &inner.operation)
            .field("status", &inner.status)
            .field("code", &inner.code)
            .field("message", &inner.message)
            .field("request_id", &inner.request_id)
            .field("retry_after", &inner.retry_after)
            .field("attempts", &inner.attempts)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.inner.source.as_deref()?)
    }
}

/// [`ErrorKind::Config`], with the same message.
impl From<InvalidName> for Error {
    fn from(invalid: InvalidName) -> Self {
        Self::config(invalid.to_string())
    }
}

impl ProviderId {
    /// Refuses a call before anything is sent, if `when` is so: [`ErrorKind::InvalidRequest`]. The reason names the field
    /// and what the vendor takes, and shows no secret.
    pub fn refuse(&self, when: bool, operation: &'static str, reason: &str) -> Result<(), Error> {
        if !when {
            return Ok(());
        }
        let error = Error::new(ErrorKind::InvalidRequest).with_provider(self.clone());
        Err(error.with_operation(operation).with_message(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_everything_that_is_known() {
        let error = Error::new(ErrorKind::RateLimited)
            .with_account(AccountName::new("prod").unwrap())
            .with_provider(ProviderId::new("baseten"))
            .with_operation("get_api_key")
            .with_status(429)
            .with_code(Some("SLOW".to_owned()))
            .with_message("too fast")
            .with_retry_after(Some(Duration::from_millis(1500)))
            .with_request_id(Some("r-1".to_owned()))
            .with_attempts(3);
        assert_eq!(
            error.to_string(),
            "prod (baseten) get_api_key: rate limited (HTTP 429, SLOW): too fast; retry after 1.5 s; request r-1; 3 attempts"
        );
        assert_eq!(Error::new(ErrorKind::Config).with_message("no").to_string(), "configuration: no");
    }

    #[test]
    fn only_what_is_transient_and_safe_to_send_again_is_retryable() {
        let error = |kind, repeatable| Error::new(kind).with_repeatable(repeatable).is_retryable();
        assert!(error(ErrorKind::Timeout, true));
        assert!(!error(ErrorKind::Timeout, false));
        assert!(error(ErrorKind::RateLimited, false));
        assert!(error(ErrorKind::Connect, false));
        assert!(!error(ErrorKind::OutcomeUnknown, true));
        assert!(!error(ErrorKind::NotFound, true));
    }

    #[test]
    fn a_result_with_this_error_stays_small() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
