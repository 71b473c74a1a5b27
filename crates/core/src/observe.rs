//! What happens to a call, told to the application: for metrics, progress and logs.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::names::{AccountName, ProviderId};
use crate::rate_limit::WaitReason;

/// Is told of every attempt and every retry. The methods are called on the task that makes the call, and must not
/// block. The same facts go to `tracing`, where a subscriber is installed.
pub trait Observer: Debug + Send + Sync {
    /// An attempt ended.
    fn on_attempt(&self, _event: &AttemptEvent<'_>) {}

    /// An attempt failed, and there will be another one after a wait.
    fn on_retry(&self, _event: &RetryEvent<'_>) {}

    /// An attempt waits at the rate limiter before it is sent.
    fn on_wait(&self, _event: &WaitEvent<'_>) {}

    /// An attempt failed, and there will be no other one.
    fn on_give_up(&self, _event: &GiveUpEvent<'_>) {}
}

/// An attempt that ended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The vendor.
    pub provider: &'a ProviderId,
    /// The application's name for the account, if it gave one:
    /// [`ClientOptions::with_account_name`](crate::ClientOptions::with_account_name).
    pub account: Option<&'a AccountName>,
    /// The operation, in the words of the vendor's client.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'a str,
    /// The path of the URL. It holds ids, and no secret.
    pub path: &'a str,
    /// Which attempt of the call, from 1.
    pub attempt: u32,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What went wrong, if something did.
    pub error: Option<ErrorKind>,
    /// How long it took.
    pub duration: Duration,
}

/// A wait before another attempt.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RetryEvent<'a> {
    /// The vendor.
    pub provider: &'a ProviderId,
    /// The operation, in the words of the vendor's client.
    pub operation: &'static str,
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// Why.
    pub error: ErrorKind,
    /// How long the wait is.
    pub delay: Duration,
    /// How long the vendor asked for, if it did. The wait is never shorter.
    pub server_delay: Option<Duration>,
}

/// A wait at the rate limiter. No event tells its end: the attempt's own does.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct WaitEvent<'a> {
    /// The vendor.
    pub provider: &'a ProviderId,
    /// The operation, in the words of the vendor's client.
    pub operation: &'static str,
    /// The attempt that waits, from 1.
    pub attempt: u32,
    /// Why.
    pub reason: WaitReason,
    /// How long the wait is, as far as can be foreseen.
    pub expected: Option<Duration>,
}

/// The end of a call that failed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct GiveUpEvent<'a> {
    /// The vendor.
    pub provider: &'a ProviderId,
    /// The operation, in the words of the vendor's client.
    pub operation: &'static str,
    /// The attempt that failed, from 1. 0: none was sent.
    pub attempt: u32,
    /// Why it failed.
    pub error: ErrorKind,
    /// Why there is no other attempt.
    pub reason: StopReason,
}

/// Why a failed call is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The same call would fail again.
    Permanent,
    /// The vendor may have carried the call out, and it must not happen twice.
    NotRepeatable,
    /// As many attempts as allowed were made.
    AttemptsUsed,
    /// The vendor asks for a longer wait than is allowed.
    DelayAboveCap,
    /// The wait would end after the time allowed for the call.
    DeadlineTooNear,
    /// Most calls of this account fail, and more attempts would only add load.
    BudgetEmpty,
    /// The attempt was not sent: its turn at the rate limiter would have come after the time allowed for the call, or the
    /// vendor refused the credential before, or none could be had.
    NotAdmitted,
}

impl StopReason {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::NotRepeatable => "not_repeatable",
            Self::AttemptsUsed => "attempts_used",
            Self::DelayAboveCap => "delay_above_cap",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::BudgetEmpty => "budget_empty",
            Self::NotAdmitted => "not_admitted",
        }
    }
}
