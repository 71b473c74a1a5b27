//! Politeness: what paces all requests of an account, so that its vendor has to refuse few of them.
//!
//! The rate limiter and the retry budget are two things. The budget ([`RetryPolicy::with_budget`](crate::RetryPolicy::with_budget))
//! bounds *added* load: how often failed calls are sent again. The rate limiter paces *all* load, first attempts too: it is asked
//! before each attempt and told after each answer.

mod breaker;
mod local;
mod pace;
mod unknown;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::names::{AccountName, ProviderId};

pub(crate) use breaker::CredentialBreaker;
pub(crate) use local::LocalLimiter;
pub(crate) use unknown::UnknownKeys;

/// Is asked before each attempt, and told after each answer.
///
/// The built-in rate limiter works within one process, one for each client and its clones, and is on by default. It spaces
/// requests evenly under a declared limit. Where none is declared it lets few requests fly at first and more with each
/// success; the first refusal shows the pace, which then rises slowly until the next one. A refusal stops the whole
/// account until the time told, or for a second or more if none is; so does a 503 that tells a time. The pace is that of
/// one operation.
///
/// A rate limiter of one's own, handed in with [`ClientOptions::with_rate_limiter`](crate::ClientOptions::with_rate_limiter), can share a
/// limit among processes. One rate limiter may serve many accounts: it tells them apart by what [`PermitRequest`] says of them.
/// Clients without a name share by vendor and origin, so give each account a name, or a rate limiter of its own.
///
/// - Each [`Admission::Go`] and each permit that a wait ends in is followed by exactly one [`answered`](Self::answered).
/// - A wait that is dropped gives its place up.
/// - While the rate limiter fails, a built-in one stands in for it, at [`fair_share`](Self::fair_share) of what is declared. It
///   is told nothing while the rate limiter works: what passed then is the work of all processes, and teaches none its own pace.
///   Without a declared limit it begins anew, with few requests; a stop is obeyed from the first refusal that it meets.
pub trait RateLimiter: fmt::Debug + Send + Sync {
    /// Asks for one request. Is called on the task that makes the call, and must not block; what takes time belongs into
    /// the future of [`Admission::Wait`].
    fn admit<'a>(&'a self, request: &PermitRequest<'_>) -> Admission<'a>;

    /// Tells how an admitted request ended. Must not block.
    fn answered(&self, request: &PermitRequest<'_>, permit: Permit, answer: Feedback);

    /// Which part of the vendor's limit this process may use on its own while the rate limiter fails, above 0 and up to 1.
    /// Default 1; of four processes that share a limit each has 0.25.
    fn fair_share(&self) -> f64 {
        1.0
    }

    /// How things stand for `operation`, for progress lines. Default: nothing is known.
    fn state(&self, _operation: &'static str) -> RateLimiterState {
        RateLimiterState::default()
    }
}

/// The request that a [`RateLimiter`] is asked for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PermitRequest<'a> {
    /// The vendor.
    pub provider: &'a ProviderId,
    /// Scheme, host and port that are asked.
    pub origin: &'a str,
    /// The application's name for the account:
    /// [`ClientOptions::with_account_name`](crate::ClientOptions::with_account_name). Nothing here is derived from the
    /// credential, since a shared store should hold nothing to guess it by.
    pub account: Option<&'a AccountName>,
    /// The operation, in the words of the vendor's client: the endpoint class.
    pub operation: &'static str,
    /// Which attempt of its call it is, from 1.
    pub attempt: u32,
    /// What remains of the time allowed for the call.
    pub remaining: Duration,
    /// The longest stop that the call waits for:
    /// [`RetryPolicy::with_max_server_delay`](crate::RetryPolicy::with_max_server_delay).
    pub longest_stop: Duration,
}

/// What a [`RateLimiter`] says to a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Admission<'a> {
    /// It may leave now.
    Go(Permit),
    /// It waits.
    Wait(PermitWait<'a>),
    /// Its permit would come after the time it has, in this long. The call ends at once as
    /// [`RateLimited`](crate::ErrorKind::RateLimited).
    NotInTime(Duration),
}

/// A wait at a [`RateLimiter`].
pub struct PermitWait<'a> {
    /// Why.
    pub reason: WaitReason,
    /// How long, as far as can be foreseen.
    pub expected: Option<Duration>,
    /// Ends when the request may leave.
    pub permit: PermitFuture<'a>,
}

/// A future that ends in the permit of a request.
pub type PermitFuture<'a> = Pin<Box<dyn Future<Output = Result<Permit, RateLimiterError>> + Send + 'a>>;

impl fmt::Debug for PermitWait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitWait")
            .field("reason", &self.reason)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// A request's leave. The number is the rate limiter's own; it gets it back with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permit(pub u64);

/// Why a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The vendor asked to be left alone.
    Stopped,
    /// Requests are spaced, to stay under the vendor's limit.
    Paced,
    /// No limit is known yet, and as many requests as are thought safe wait for their answers.
    Opening,
}

impl WaitReason {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Paced => "paced",
            Self::Opening => "opening",
        }
    }
}

/// How an admitted request ended, as far as a limiter is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feedback {
    /// The vendor's limiter let it pass, whatever the answer is.
    Passed,
    /// The vendor's limiter refused it.
    Refused {
        /// How long the vendor wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// The vendor is out of service (503), and told how long it wants to be left alone. Its limiter said nothing.
    Unavailable {
        /// How long.
        retry_after: Duration,
    },
    /// Nothing is known: no answer came, the vendor failed, or the call was dropped.
    Lost,
}

/// Why a wait at a [`RateLimiter`] ended without a permit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimiterError {
    /// The permit would come after the time that the call has, in this long.
    #[error("the permit would come in {0:?}")]
    NotInTime(Duration),
    /// The rate limiter does not work: the built-in one stands in.
    #[error("the limiter does not work")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// How things stand at a [`RateLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct RateLimiterState {
    /// How many requests a second leave at most, if there is a limit.
    pub per_second: Option<f64>,
    /// How many requests are on their way.
    pub in_flight: u32,
    /// How many requests wait.
    pub waiting: u32,
    /// How long the account is stopped.
    pub stopped_for: Option<Duration>,
}

/// How many requests a vendor allows in which time, for each credential and endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct RateLimit {
    requests: u32,
    per: Duration,
}

impl RateLimit {
    /// `requests` in each `per`. 0 requests count as 1, and a time under a millisecond as one.
    pub const fn new(requests: u32, per: Duration) -> Self {
        let requests = if requests == 0 { 1 } else { requests };
        let per = if per.as_millis() == 0 { Duration::from_millis(1) } else { per };
        Self { requests, per }
    }

    /// `requests` in each second.
    pub const fn per_second(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    pub(crate) fn in_a_second(self) -> f64 {
        f64::from(self.requests) / self.per.as_secs_f64()
    }
}

/// Which rate limiter a client has.
#[derive(Debug, Clone)]
pub(crate) enum LimiterChoice {
    Local,
    Own(std::sync::Arc<dyn RateLimiter>),
    Off,
}
