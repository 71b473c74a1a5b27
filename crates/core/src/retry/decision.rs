//! The decision: stop, or wait and send again. A pure function of what is known.

use std::time::Duration;

use super::{Idempotency, RetryPolicy};
use crate::error::{Error, ErrorKind, TOO_EARLY};
use crate::observe::StopReason;
use crate::waiting::{Fraction, SHORTEST_ATTEMPT, ServerDelay, leaves_time};

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryInput<'a> {
    /// How the attempt failed; its `retry_after` is the server's delay.
    pub error: &'a Error,
    pub idempotency: Idempotency,
    /// Which attempt failed, from 1.
    pub attempt: u32,
    /// What remains of the time allowed for the call.
    pub remaining: Duration,
    /// Whether the budget has a retry left.
    pub budget: bool,
    /// The jitter.
    pub random: Fraction,
    pub policy: &'a RetryPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Stop(StopReason),
    Wait(Duration),
}

pub(crate) fn decide(situation: RetryInput<'_>) -> Decision {
    let RetryInput { error, idempotency, attempt, remaining, budget, random, policy } = situation;
    let repeatable = match error.kind() {
        _ if error.is_permanent() => return Decision::Stop(StopReason::Permanent),
        // Nothing was sent.
        ErrorKind::Connect => true,
        // A limiter answers before execution. Of a use that is counted no vendor says so.
        ErrorKind::RateLimited => idempotency != Idempotency::CountsUse,
        ErrorKind::Timeout | ErrorKind::Transport => idempotency == Idempotency::Idempotent,
        // Gateways have statuses of their own beyond those of RFC 9110, and all of them mean an outage.
        ErrorKind::Server if !matches!(error.status(), Some(501 | 505)) => idempotency == Idempotency::Idempotent,
        _ if error.status() == Some(TOO_EARLY) => idempotency == Idempotency::Idempotent,
        _ => return Decision::Stop(StopReason::Permanent),
    };
    if !repeatable {
        return Decision::Stop(StopReason::NotRepeatable);
    }
    if attempt >= policy.max_attempts {
        return Decision::Stop(StopReason::AttemptsUsed);
    }
    let Some(told) = ServerDelay::invited(error.retry_after()) else {
        if !budget {
            return Decision::Stop(StopReason::BudgetEmpty);
        }
        let doubled = policy.base_delay.saturating_mul(2_u32.saturating_pow(attempt - 1));
        let longest = doubled.min(policy.max_delay);
        let wait = random.of(longest);
        return if leaves_time(wait, remaining) {
            Decision::Wait(wait)
        } else {
            Decision::Stop(StopReason::DeadlineTooNear)
        };
    };
    let delay = told.as_duration();
    if delay > policy.max_server_delay {
        return Decision::Stop(StopReason::DelayAboveCap);
    }
    if !leaves_time(delay, remaining) {
        return Decision::Stop(StopReason::DeadlineTooNear);
    }
    let room = remaining.saturating_sub(delay).saturating_sub(SHORTEST_ATTEMPT);
    Decision::Wait(delay + told.spread(random, room / 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Decision::{Stop, Wait};
    use Idempotency::{CountsUse, Idempotent, MakesKey};
    use StopReason::{AttemptsUsed, BudgetEmpty, DeadlineTooNear, DelayAboveCap, NotRepeatable, Permanent};

    const SECOND: Duration = Duration::from_secs(1);

    fn error(kind: ErrorKind, status: u16) -> Error {
        let error = Error::new(kind);
        if status == 0 { error } else { error.with_status(status) }
    }

    fn situation<'a>(error: &'a Error, policy: &'a RetryPolicy) -> RetryInput<'a> {
        RetryInput {
            error,
            idempotency: Idempotent,
            attempt: 1,
            remaining: 100 * SECOND,
            budget: true,
            random: Fraction::new(0.5),
            policy,
        }
    }

    #[test]
    fn what_is_sent_again_depends_on_what_may_have_happened() {
        let again = Wait(Duration::from_millis(250));
        let (stop, never) = (Stop(NotRepeatable), Stop(Permanent));
        let table = [
            // outcome                         idempotent  makes a key  counts a use
            (error(ErrorKind::Connect, 0), [again, again, again]),
            (error(ErrorKind::RateLimited, 429), [again, again, stop]),
            (error(ErrorKind::Timeout, 0), [again, stop, stop]),
            (error(ErrorKind::Timeout, 408), [again, stop, stop]),
            (error(ErrorKind::Transport, 0), [again, stop, stop]),
            (error(ErrorKind::Server, 500), [again, stop, stop]),
            (error(ErrorKind::Server, 502), [again, stop, stop]),
            (error(ErrorKind::Server, 503), [again, stop, stop]),
            (error(ErrorKind::Server, 504), [again, stop, stop]),
            (error(ErrorKind::Server, 501), [never; 3]),
            (error(ErrorKind::Server, 505), [never; 3]),
            (error(ErrorKind::Server, 599), [again, stop, stop]),
            (error(ErrorKind::Server, 506), [again, stop, stop]),
            (error(ErrorKind::Server, 520), [again, stop, stop]),
            (error(ErrorKind::Server, 522), [again, stop, stop]),
            (error(ErrorKind::Server, 524), [again, stop, stop]),
            (error(ErrorKind::Server, 529), [again, stop, stop]),
            (error(ErrorKind::Conflict, 425), [again, stop, stop]),
            (error(ErrorKind::Connect, 0).with_permanent(true), [never; 3]),
            (error(ErrorKind::QuotaExhausted, 429), [never; 3]),
            (error(ErrorKind::QuotaExhausted, 402), [never; 3]),
            (error(ErrorKind::InvalidRequest, 400), [never; 3]),
            (error(ErrorKind::Unauthenticated, 401), [never; 3]),
            (error(ErrorKind::PermissionDenied, 403), [never; 3]),
            (error(ErrorKind::NotFound, 404), [never; 3]),
            (error(ErrorKind::Conflict, 409), [never; 3]),
            (error(ErrorKind::Decode, 200), [never; 3]),
            (error(ErrorKind::TooLarge, 200), [never; 3]),
            (error(ErrorKind::Redirected, 302), [never; 3]),
            (error(ErrorKind::Config, 0), [never; 3]),
            (error(ErrorKind::Unsupported, 0), [never; 3]),
            (error(ErrorKind::OutcomeUnknown, 0), [never; 3]),
        ];
        let policy = RetryPolicy::default();
        for (error, decisions) in &table {
            for (idempotency, expected) in [Idempotent, MakesKey, CountsUse].into_iter().zip(decisions) {
                let decision = decide(RetryInput { idempotency, ..situation(error, &policy) });
                assert_eq!(decision, *expected, "{error} {idempotency:?}");
            }
            let other = decide(RetryInput { idempotency: Idempotency::NotIdempotent, ..situation(error, &policy) });
            assert_eq!(other, decisions[1], "{error}: as if it made a key");
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_cap_and_ends_with_the_attempts() {
        let policy = RetryPolicy::default().with_max_attempts(8);
        let error = error(ErrorKind::Server, 503);
        let waits = (1..=8)
            .map(|attempt| decide(RetryInput { attempt, random: Fraction::new(1.0), ..situation(&error, &policy) }));
        let milliseconds = [500, 1000, 2000, 4000, 8000, 8000, 8000].map(|ms| Wait(Duration::from_millis(ms)));
        assert!(waits.eq(milliseconds.into_iter().chain([Stop(AttemptsUsed)])));
        let huge = decide(RetryInput { attempt: 40, ..situation(&error, &policy.with_max_attempts(u32::MAX)) });
        assert_eq!(huge, Wait(4 * SECOND));
    }

    #[test]
    fn an_empty_budget_stops_retries_that_the_server_did_not_invite() {
        let policy = RetryPolicy::default();
        let silent = error(ErrorKind::Server, 503);
        assert_eq!(decide(RetryInput { budget: false, ..situation(&silent, &policy) }), Stop(BudgetEmpty));
        let told = silent.with_retry_after(Some(SECOND));
        assert!(matches!(decide(RetryInput { budget: false, ..situation(&told, &policy) }), Wait(_)));
    }

    #[test]
    fn a_delay_past_the_cap_or_the_deadline_is_returned_not_slept() {
        let policy = RetryPolicy::default();
        let told = |delay| error(ErrorKind::RateLimited, 429).with_retry_after(Some(delay));
        let decide = |delay, remaining| decide(RetryInput { remaining, ..situation(&told(delay), &policy) });
        assert_eq!(decide(3600 * SECOND, 9999 * SECOND), Stop(DelayAboveCap));
        assert_eq!(decide(Duration::MAX, Duration::MAX), Stop(DelayAboveCap));
        assert_eq!(decide(10 * SECOND, 10 * SECOND), Stop(DeadlineTooNear));
        assert_eq!(decide(10 * SECOND, 100 * SECOND), Wait(Duration::from_millis(10_500)));
        assert_eq!(decide(Duration::ZERO, SECOND), Wait(Duration::from_millis(250)), "the wait is our own");
        assert_eq!(decide(SECOND, SECOND + SHORTEST_ATTEMPT), Stop(DeadlineTooNear));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_told_and_always_ends_before_the_deadline(
            told in prop::option::of(0_u64..100_000), remaining in 0_u64..100_000, attempt in 1_u32..10, random in 0.0_f64..1.0,
        ) {
            let policy = RetryPolicy::default().with_max_attempts(10);
            let error = error(ErrorKind::RateLimited, 429).with_retry_after(told.map(Duration::from_millis));
            let remaining = Duration::from_millis(remaining);
            if let Wait(wait) = decide(RetryInput { attempt, remaining, random: Fraction::new(random), ..situation(&error, &policy) }) {
                prop_assert!(wait >= told.map(Duration::from_millis).unwrap_or_default());
                prop_assert!(wait < remaining);
            }
        }
    }
}
