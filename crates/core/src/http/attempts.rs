//! The loop around the decision: attempt, sleep, attempt.

use std::future::Future;
use std::time::{Duration, Instant};

use super::options::ClientOptions;
use crate::error::{Error, ErrorKind};
use crate::names::ProviderId;
use crate::observe::{GiveUpEvent, RetryEvent, StopReason};
use crate::retry::{Budget, Decision, Idempotency, RetryInput, decide};
use crate::waiting::{Fraction, ServerDelay};

/// What the loop needs beside the attempt itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryContext<'a> {
    pub provider: &'a ProviderId,
    pub operation: &'static str,
    pub idempotency: Idempotency,
    /// Whether the call changes something at the vendor.
    pub changes: bool,
    pub options: &'a ClientOptions,
    pub budget: &'a Budget,
    /// Whether a rate limiter stops the account at a refusal of the vendor's limiter.
    pub limited: bool,
}

/// Why an attempt has no answer to give back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was made and failed.
    Sent(Error),
    /// It was not made, and the call ends.
    NotAdmitted(Error),
}

/// Runs `attempt` (given its number, from 1, and the time that remains) until it succeeds or is given up.
pub(crate) async fn run<T, F>(
    surroundings: &RetryContext<'_>,
    attempt: impl Fn(u32, Duration) -> F + Send,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Failure>> + Send,
{
    let &RetryContext { idempotency, changes, .. } = surroundings;
    let end =
        |error, attempts, lost| finish(error, attempts, idempotency, changes && lost).with_follows_lost_answer(lost);
    let started: Instant = surroundings.options.clock.instant();
    let mut number = 1;
    let mut lost_answer = false;
    let remaining_now = || {
        let elapsed = surroundings.options.clock.instant().saturating_duration_since(started);
        surroundings.options.total_timeout.saturating_sub(elapsed)
    };
    let mut remaining = surroundings.options.total_timeout;
    loop {
        let error = match attempt(number, remaining).await {
            Ok(value) => {
                if number == 1 {
                    surroundings.budget.add_success();
                }
                return Ok(value);
            }
            Err(Failure::Sent(error)) => error,
            Err(Failure::NotAdmitted(error)) => {
                tell_give_up(surroundings, &error, number - 1, StopReason::NotAdmitted);
                return Err(end(error, number - 1, lost_answer));
            }
        };
        // The rate limiter decides when a refused request leaves again. However many were in flight at the refusal, none adds load.
        let stopped = surroundings.limited && error.kind() == ErrorKind::RateLimited && error.retry_after().is_none();
        let decision = decide(RetryInput {
            error: &error,
            idempotency,
            attempt: number,
            remaining: remaining_now(),
            budget: stopped || surroundings.budget.allows_retry(),
            random: Fraction::draw(&*surroundings.options.randomness),
            policy: &surroundings.options.retry,
        });
        let wait = match decision {
            Decision::Wait(wait) => wait,
            Decision::Stop(reason) => {
                tell_give_up(surroundings, &error, number, reason);
                return Err(end(error, number, lost_answer));
            }
        };
        if !stopped && ServerDelay::invited(error.retry_after()).is_none() {
            surroundings.budget.take_retry();
        }
        lost_answer |= error.may_have_executed();
        tell_retry(surroundings, &error, number, wait);
        surroundings.options.clock.sleep(wait).await;
        remaining = remaining_now();
        // A sleep may take longer than asked for, and the deadline may have passed in it.
        if remaining.is_zero() {
            tell_give_up(surroundings, &error, number, StopReason::DeadlineTooNear);
            return Err(end(error, number, lost_answer));
        }
        number += 1;
    }
}

/// The error of a call that is given up: what makes a key and may have been carried out has an unknown outcome, and so
/// has a change that an earlier attempt, whose answer was lost, may have made.
fn finish(error: Error, attempts: u32, idempotency: Idempotency, changed: bool) -> Error {
    let lost = changed && !says_what_happened(&error)
        || idempotency == Idempotency::MakesKey
        // A redirect after a POST commonly means that it is done, and that its answer is elsewhere.
        && (matches!(
            error.kind(),
            ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::TooLarge | ErrorKind::Redirected
        )
            || (error.kind() == ErrorKind::Server && !matches!(error.status(), Some(501 | 505))));
    let error = if lost { error.with_kind(ErrorKind::OutcomeUnknown) } else { error };
    error.with_attempts(attempts).with_repeatable(idempotency == Idempotency::Idempotent)
}

/// Whether an error of a repeat leaves nothing to find out. That the thing is not there says enough, and only 404 and 410
/// say that: a vendor may refuse to say whether a thing is missing or may not be touched. A limiter and a vendor that
/// fails are asked again later, and their errors say that the change may have been made.
fn says_what_happened(error: &Error) -> bool {
    let gone = error.kind() == ErrorKind::NotFound && matches!(error.status(), Some(404 | 410));
    gone || matches!(error.kind(), ErrorKind::RateLimited) || error.kind().may_have_executed()
}

fn tell_retry(surroundings: &RetryContext<'_>, error: &Error, attempt: u32, delay: Duration) {
    let RetryContext { provider, operation, options, .. } = *surroundings;
    let event =
        RetryEvent { provider, operation, attempt, error: error.kind(), delay, server_delay: error.retry_after() };
    tracing::info!(
        keymux.provider = provider.as_str(),
        keymux.operation = operation,
        keymux.attempt = attempt,
        keymux.retry.delay_seconds = delay.as_secs_f64(),
        keymux.retry.server_asked = event.server_delay.is_some(),
        http.response.status_code = error.status(),
        error.type = error.kind().as_str(),
        "will retry",
    );
    if let Some(observer) = &options.observer {
        observer.on_retry(&event);
    }
}

fn tell_give_up(surroundings: &RetryContext<'_>, error: &Error, attempt: u32, reason: StopReason) {
    let RetryContext { provider, operation, options, .. } = *surroundings;
    tracing::debug!(
        keymux.provider = provider.as_str(),
        keymux.operation = operation,
        keymux.attempt = attempt,
        keymux.retry.stop_reason = reason.as_str(),
        http.response.status_code = error.status(),
        error.type = error.kind().as_str(),
        "gave up",
    );
    if let Some(observer) = &options.observer {
        observer.on_give_up(&GiveUpEvent { provider, operation, attempt, error: error.kind(), reason });
    }
}
