//! The way through the rate limiter: the application's own or the built-in one, past the breaker of a refused credential.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::options::ClientOptions;
use crate::clock::Clock;
use crate::rate_limit::{
    Admission, CredentialBreaker, Feedback, LimiterChoice, LocalLimiter, Permit, PermitRequest, PermitWait, RateLimit,
    RateLimiter, RateLimiterError, RateLimiterState, WaitReason,
};

/// What stands before the requests of an account.
#[derive(Debug)]
pub(crate) struct Limiters {
    choice: LimiterChoice,
    /// Stands in where `choice` fails.
    local: LocalLimiter,
    pub(crate) breaker: CredentialBreaker,
}

/// Why a request does not leave.
#[derive(Debug)]
pub(crate) enum Denied {
    /// Its permit would come after the time it has; in this long, if that is known.
    NotInTime(Option<Duration>),
    /// The credential was refused while it waited.
    Latched,
}

/// A request's leave, which tells the rate limiter how the request ended: that nothing is known, if it is dropped.
pub(crate) struct HeldPermit<'a> {
    limiter: Option<&'a dyn RateLimiter>,
    request: PermitRequest<'a>,
    permit: Permit,
    /// How long the request waited, if it did.
    pub(crate) waited: Option<Duration>,
}

impl HeldPermit<'_> {
    pub(crate) fn answered(mut self, answer: Feedback) {
        if let Some(limiter) = self.limiter.take() {
            limiter.answered(&self.request, self.permit, answer);
        }
    }
}

impl Drop for HeldPermit<'_> {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter.take() {
            limiter.answered(&self.request, self.permit, Feedback::Lost);
        }
    }
}

impl Limiters {
    /// `declared` by the vendor, unless the options say otherwise.
    pub(crate) fn new(options: &ClientOptions, declared: Option<RateLimit>) -> Self {
        let share = if let LimiterChoice::Own(own) = &options.limiter { own.fair_share() } else { 1.0 };
        let limit = options.rate_limit.or(declared);
        let local = LocalLimiter::new(limit, share, options.clock.clone(), options.randomness.clone());
        Self { choice: options.limiter.clone(), local, breaker: CredentialBreaker::new(options.credential_recheck) }
    }

    pub(crate) fn are_on(&self) -> bool {
        !matches!(self.choice, LimiterChoice::Off)
    }

    pub(crate) fn state(&self, operation: &'static str) -> RateLimiterState {
        match &self.choice {
            LimiterChoice::Local => self.local.state(operation),
            LimiterChoice::Own(own) => own.state(operation),
            LimiterChoice::Off => RateLimiterState::default(),
        }
    }

    /// Lets a request through when its permit has come; `on_wait` is told if that is not now.
    pub(crate) async fn enter<'a>(
        &'a self,
        request: PermitRequest<'a>,
        clock: &dyn Clock,
        on_wait: impl Fn(WaitReason, Option<Duration>),
    ) -> Result<HeldPermit<'a>, Denied> {
        let limiter: &dyn RateLimiter = match &self.choice {
            LimiterChoice::Off => {
                return Ok(HeldPermit { limiter: None, request, permit: Permit::default(), waited: None });
            }
            LimiterChoice::Local => &self.local,
            LimiterChoice::Own(own) => &**own,
        };
        match limiter.admit(&request) {
            Admission::Go(permit) => Ok(HeldPermit { limiter: Some(limiter), request, permit, waited: None }),
            Admission::NotInTime(wait) => Err(Denied::NotInTime(Some(wait))),
            // Behind a pointer, so that a request that need not wait has no room for it.
            Admission::Wait(wait) => Box::pin(self.wait(limiter, wait, request, clock, on_wait)).await,
        }
    }

    async fn wait<'a>(
        &'a self,
        mut limiter: &'a dyn RateLimiter,
        mut wait: PermitWait<'a>,
        mut request: PermitRequest<'a>,
        clock: &dyn Clock,
        on_wait: impl Fn(WaitReason, Option<Duration>),
    ) -> Result<HeldPermit<'a>, Denied> {
        let mut is_own = matches!(self.choice, LimiterChoice::Own(_));
        let whole = request.remaining;
        let mut waited = Duration::ZERO;
        loop {
            on_wait(wait.reason, wait.expected);
            let started = clock.instant();
            let limit = is_own.then(|| clock.time_limit(request.remaining));
            let permit = self.permit(wait, limit).await?;
            waited += clock.instant().saturating_duration_since(started);
            match permit {
                Ok(permit) => return Ok(HeldPermit { limiter: Some(limiter), request, permit, waited: Some(waited) }),
                Err(RateLimiterError::NotInTime(wait)) => return Err(Denied::NotInTime(Some(wait))),
                Err(RateLimiterError::Unavailable(error)) if is_own => tracing::warn!(
                    keymux.provider = request.provider.as_str(),
                    error = &*error as &dyn std::error::Error,
                    "the rate limiter does not work, the built-in one stands in"
                ),
                // The built-in rate limiter does not fail.
                Err(RateLimiterError::Unavailable(_)) => return Err(Denied::NotInTime(None)),
            }
            (limiter, is_own) = (&self.local, false);
            request.remaining = whole.saturating_sub(waited);
            wait = match limiter.admit(&request) {
                Admission::Go(permit) => {
                    return Ok(HeldPermit { limiter: Some(limiter), request, permit, waited: Some(waited) });
                }
                Admission::NotInTime(wait) => return Err(Denied::NotInTime(Some(wait))),
                Admission::Wait(wait) => wait,
            };
        }
    }

    /// Waits for a permit, unless the credential is refused or, at an application's own rate limiter, the time is over first.
    async fn permit(
        &self,
        mut wait: PermitWait<'_>,
        mut limit: Option<crate::clock::Sleep>,
    ) -> Result<Result<Permit, RateLimiterError>, Denied> {
        let mut closing = pin!(self.breaker.closing().notified());
        closing.as_mut().enable();
        poll_fn(|context| {
            if let Poll::Ready(permit) = wait.permit.as_mut().poll(context) {
                return Poll::Ready(Ok(permit));
            }
            if closing.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(Denied::Latched));
            }
            let over = limit.as_mut().is_some_and(|limit| limit.as_mut().poll(context).is_ready());
            if over { Poll::Ready(Err(Denied::NotInTime(None))) } else { Poll::Pending }
        })
        .await
    }
}
