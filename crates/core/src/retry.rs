//! When a call is sent again, and when not: the policy, the budget, and a pure decision.

mod budget;
mod decision;
mod delay;

use std::time::Duration;

pub(crate) use budget::Budget;
pub(crate) use decision::{Decision, RetryInput, decide};
pub use delay::{WaitForm, WaitHeader};
pub(crate) use delay::{decimal, server_delay};

/// How often and how fast a failed call is sent again.
///
/// A vendor that names a delay is obeyed to the millisecond or later, never sooner. Without one the wait before
/// attempt *n* + 1 is random between 0 and `base_delay` x 2^(*n* - 1), at most `max_delay`: waits that are spread
/// fully keep many clients from coming back in step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) base_delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) max_server_delay: Duration,
    pub(crate) budget_burst: u32,
    pub(crate) budget_ratio: f64,
}

impl RetryPolicy {
    /// One attempt, whatever happens.
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// How many attempts a call has at most, the first one included; 0 counts as 1. Default 4: with the default
    /// delays three repeats bridge an outage of a few seconds, and more would only bridge one that needs a person.
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The upper bound of the first wait where the vendor names none. Default 500 ms.
    pub fn with_base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The upper bound of every wait where the vendor names none. Default 8 s.
    pub fn with_max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest delay named by a vendor that is waited for. A longer one ends the call at once, with the delay in
    /// [`Error::retry_after`](crate::Error::retry_after). Default 60 s: most limits count by the minute.
    pub fn with_max_server_delay(mut self, delay: Duration) -> Self {
        self.max_server_delay = delay;
        self
    }

    /// How many retries an account may make beyond its allowance, and how many retries each call that succeeds at
    /// once adds to the allowance. Defaults 20 and 0.1: when a vendor is down, an account's clients together add at
    /// most 20 requests and then a tenth of its successes. Retries after a delay that the vendor named are free: the
    /// vendor invited them. So are those of a 429 without a delay while a [rate limiter](crate::RateLimiter) is on, which stops the
    /// account and lets them leave at its own pace.
    ///
    /// The allowance is shared by all clones of a client. A ratio below 0 counts as 0.
    pub fn with_budget(mut self, burst: u32, ratio: f64) -> Self {
        self.budget_burst = burst;
        self.budget_ratio = if ratio > 0.0 { ratio } else { 0.0 };
        self
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            max_server_delay: Duration::from_secs(60),
            budget_burst: 20,
            budget_ratio: 0.1,
        }
    }
}

/// What happens at the vendor when a call is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// The same as when it is sent once: reads, absolute updates, revocations.
    Idempotent,
    /// A second key is made, or a second one replaced: create, register, rotate. A lost answer is
    /// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown).
    MakesKey,
    /// A second use is counted: verify, record usage. Not even a 429 is retried, since no vendor says that it counts none.
    CountsUse,
    /// Something else that is not the same twice.
    NotIdempotent,
}
