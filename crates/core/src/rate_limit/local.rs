//! The built-in rate limiter: the paces of an account's operations, and the queues before them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::pace::{self, Ask, Pace};
use super::{
    Admission, Feedback, Permit, PermitRequest, PermitWait, RateLimit, RateLimiter, RateLimiterError, RateLimiterState,
    WaitReason,
};
use crate::clock::{Clock, Randomness};
use crate::waiting::{Fraction, ServerDelay, leaves_time};

/// How long an account is stopped if the vendor does not say: limits count by the second or longer. It doubles up to
/// eight seconds while nothing passes.
const UNTOLD: Duration = Duration::from_secs(1);

/// Longer stops than a day are nonsense, and would never end.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// So many refusals in a row that tell a stop longer than calls wait for, none passing between them, stop the account for
/// as long as told. One alone may be about one part of it, and the others would fail without having been asked.
const LONG_IN_A_ROW: u32 = 3;

#[derive(Debug)]
pub(crate) struct LocalLimiter {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    started: Instant,
    /// Requests a second, for each operation.
    declared: Option<f64>,
    state: Mutex<State>,
    /// Tells waiting calls that the account is stopped for longer.
    stopped: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When requests may leave again, from the start of the rate limiter.
    stop: Duration,
    /// Whether the vendor has answered.
    proven: bool,
    /// How many refusals without a time came since one request passed.
    untold: u32,
    /// How many stops longer than calls wait for came since one request passed.
    long: u32,
    classes: Vec<Class>,
}

/// One operation.
#[derive(Debug)]
struct Class {
    operation: &'static str,
    pace: Pace,
    waiting: u32,
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Who holds it asks for its permit; the others wait for it, first come, first served.
    head: tokio::sync::Mutex<()>,
    answered: Notify,
}

impl State {
    /// The answer as far as it concerns the whole account.
    fn believed(&mut self, answer: Feedback, longest_stop: Duration) -> Feedback {
        let told = match answer {
            Feedback::Refused { retry_after: Some(told) } | Feedback::Unavailable { retry_after: told } => told,
            Feedback::Passed => {
                self.long = 0;
                return answer;
            }
            Feedback::Refused { retry_after: None } | Feedback::Lost => return answer,
        };
        if told <= longest_stop {
            return answer;
        }
        self.long = self.long.saturating_add(1);
        match answer {
            _ if self.long >= LONG_IN_A_ROW => answer,
            Feedback::Refused { .. } => Feedback::Refused { retry_after: None },
            _ => Feedback::Lost,
        }
    }

    fn class(&mut self, operation: &'static str, declared: Option<f64>) -> &mut Class {
        let found = self.classes.iter().position(|class| class.operation == operation);
        let index = found.unwrap_or_else(|| {
            let pace = Pace::new(declared, self.proven);
            self.classes.push(Class { operation, pace, waiting: 0, queue: Arc::default() });
            self.classes.len() - 1
        });
        &mut self.classes[index]
    }
}

impl LocalLimiter {
    pub(crate) fn new(
        limit: Option<RateLimit>,
        share: f64,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let share = if share > 0.0 && share <= 1.0 { share } else { 1.0 };
        let declared = limit.map(|limit| limit.in_a_second() * share);
        let started = clock.instant();
        Self { clock, randomness, started, declared, state: Mutex::default(), stopped: Notify::new() }
    }

    fn now(&self) -> Duration {
        self.clock.instant().saturating_duration_since(self.started)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; what it guards is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in the queue, then at its head.
    async fn wait(
        &self,
        place: Place<'_>,
        deadline: Duration,
        longest_stop: Duration,
    ) -> Result<Permit, RateLimiterError> {
        let _head = self.head(&place, deadline, longest_stop).await?;
        loop {
            let now = self.now();
            let (ask, stop) = {
                let mut state = self.state();
                let stop = state.stop;
                (state.class(place.operation, self.declared).pace.ask(now, stop), stop)
            };
            let (at, answer) = match ask {
                Ask::Go(permit) => return Ok(encode(permit)),
                Ask::At(at) => (at, false),
                Ask::AfterAnswer(at) => (at, true),
            };
            let wait = at.saturating_sub(now);
            in_time(wait, deadline.saturating_sub(now), stop.saturating_sub(now), longest_stop)?;
            let mut sleep = self.clock.sleep(wait);
            let mut answered = pin!(place.queue.answered.notified());
            poll_fn(|context| {
                if answer && answered.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                sleep.as_mut().poll(context)
            })
            .await;
        }
    }

    async fn head<'q>(
        &self,
        place: &'q Place<'_>,
        deadline: Duration,
        longest_stop: Duration,
    ) -> Result<tokio::sync::MutexGuard<'q, ()>, RateLimiterError> {
        if let Ok(head) = place.queue.head.try_lock() {
            return Ok(head);
        }
        let mut head = pin!(place.queue.head.lock());
        let mut limit = self.clock.time_limit(deadline.saturating_sub(self.now()));
        loop {
            let mut stopped = pin!(self.stopped.notified());
            stopped.as_mut().enable();
            let now = self.now();
            let stop = self.state().stop.saturating_sub(now);
            in_time(stop, deadline.saturating_sub(now), stop, longest_stop)?;
            let got = poll_fn(|context| {
                if let Poll::Ready(head) = head.as_mut().poll(context) {
                    return Poll::Ready(Some(Ok(head)));
                }
                if limit.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Some(Err(RateLimiterError::NotInTime(self.expected(place.operation)))));
                }
                stopped.as_mut().poll(context).map(|()| None)
            })
            .await;
            if let Some(got) = got {
                return got;
            }
        }
    }

    /// How long a request that comes now waits, as far as can be foreseen.
    fn expected(&self, operation: &'static str) -> Duration {
        let now = self.now();
        let mut state = self.state();
        let stop = state.stop.saturating_sub(now);
        let class = state.class(operation, self.declared);
        stop + queued(class)
    }
}

/// How long the requests take that wait in `class`.
fn queued(class: &Class) -> Duration {
    let seconds = class.pace.per_second().map_or(0.0, |pace| f64::from(class.waiting) / pace);
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
}

fn in_time(
    wait: Duration,
    remaining: Duration,
    stop: Duration,
    longest_stop: Duration,
) -> Result<(), RateLimiterError> {
    let late = !wait.is_zero() && !leaves_time(wait, remaining);
    if late || stop > longest_stop { Err(RateLimiterError::NotInTime(wait.max(stop))) } else { Ok(()) }
}

/// A place in a queue, given up when it is dropped.
struct Place<'a> {
    limiter: &'a LocalLimiter,
    operation: &'static str,
    queue: Arc<Queue>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        let class = state.class(self.operation, self.limiter.declared);
        class.waiting = class.waiting.saturating_sub(1);
    }
}

impl RateLimiter for LocalLimiter {
    fn admit<'a>(&'a self, request: &PermitRequest<'_>) -> Admission<'a> {
        let PermitRequest { operation, remaining, longest_stop, .. } = *request;
        let now = self.now();
        let mut guard = self.state();
        let stop = guard.stop;
        let class = guard.class(operation, self.declared);
        let ask = if class.waiting == 0 { class.pace.ask(now, stop) } else { Ask::At(now.max(stop)) };
        let (at, reason) = match ask {
            Ask::Go(permit) => return Admission::Go(encode(permit)),
            Ask::At(at) if now < stop => (Some(at), WaitReason::Stopped),
            Ask::At(at) if class.pace.per_second().is_some() => (Some(at), WaitReason::Paced),
            Ask::At(_) | Ask::AfterAnswer(_) => (None, WaitReason::Opening),
        };
        let expected = at.map(|at| at.saturating_sub(now) + queued(class));
        if let Err(RateLimiterError::NotInTime(wait)) =
            in_time(expected.unwrap_or_default(), remaining, stop.saturating_sub(now), longest_stop)
        {
            return Admission::NotInTime(wait);
        }
        class.waiting += 1;
        let place = Place { limiter: self, operation, queue: Arc::clone(&class.queue) };
        drop(guard);
        let permit = Box::pin(self.wait(place, now.saturating_add(remaining), longest_stop));
        Admission::Wait(PermitWait { reason, expected, permit })
    }

    fn answered(&self, request: &PermitRequest<'_>, permit: Permit, answer: Feedback) {
        let now = self.now();
        let permit = decode(permit);
        let mut guard = self.state();
        let state = &mut *guard;
        let before = state.stop;
        let answer = state.believed(answer, request.longest_stop);
        if let Feedback::Refused { retry_after } = answer {
            state.untold = if retry_after.is_some() { 0 } else { state.untold + 1 };
            let own = UNTOLD * 2_u32.pow((state.untold.saturating_sub(1)).min(3));
            // Of a volley without a time only the first refusal stops the account.
            let delay = match retry_after {
                Some(told) => told.min(LONGEST),
                None if before > now => Duration::ZERO,
                None => own,
            };
            state.stop = before.max(now.saturating_add(delay));
        }
        if let Feedback::Unavailable { retry_after } = answer {
            state.stop = before.max(now.saturating_add(retry_after.min(LONGEST)));
        }
        let stop = state.stop;
        state.proven |= answer != Feedback::Lost;
        if answer == Feedback::Passed {
            state.untold = 0;
        }
        let class = state.class(request.operation, self.declared);
        match answer {
            Feedback::Passed => class.pace.passed(permit, now),
            Feedback::Refused { .. } => {
                let stop_left = ServerDelay::of_stop(stop.saturating_sub(now));
                let spread = stop_left.spread(Fraction::draw(&*self.randomness), Duration::MAX);
                class.pace.refused(permit, now, stop, spread);
            }
            Feedback::Unavailable { .. } | Feedback::Lost => class.pace.lost(),
        }
        let queue = (class.waiting > 0).then(|| Arc::clone(&class.queue));
        drop(guard);
        if let Some(queue) = queue {
            queue.answered.notify_one();
        }
        if stop > before {
            self.stopped.notify_waiters();
        }
    }

    fn state(&self, operation: &'static str) -> RateLimiterState {
        let now = self.now();
        let state = self.state();
        let stopped_for = Some(state.stop.saturating_sub(now)).filter(|stop| !stop.is_zero());
        let class = state.classes.iter().find(|class| class.operation == operation);
        RateLimiterState {
            per_second: class.map_or(self.declared, |class| class.pace.per_second()),
            in_flight: class.map_or(0, |class| class.pace.in_flight()),
            waiting: class.map_or(0, |class| class.waiting),
            stopped_for,
        }
    }
}

fn encode(permit: pace::Permit) -> Permit {
    Permit(u64::from(permit.refusals) << 1 | u64::from(permit.held))
}

fn decode(Permit(number): Permit) -> pace::Permit {
    // The number is one of `encode`'s: what is shifted out is `held` alone.
    pace::Permit { refusals: u32::try_from(number >> 1).unwrap_or_default(), held: number & 1 == 1 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

    use std::task::{Context, Waker};

    use super::*;
    use crate::clock::Sleep;
    use crate::names::ProviderId;

    #[derive(Debug, Clone)]
    struct HandClock(Instant, Arc<Mutex<Duration>>);

    impl Clock for HandClock {
        fn instant(&self) -> Instant {
            self.0 + *self.1.lock().unwrap()
        }

        fn timestamp(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn sleep(&self, duration: Duration) -> Sleep {
            let (clock, end) = (self.clone(), self.instant() + duration);
            Box::pin(poll_fn(move |_| if clock.instant() < end { Poll::Pending } else { Poll::Ready(()) }))
        }
    }

    #[derive(Debug)]
    struct Never;

    impl Randomness for Never {
        fn fraction(&self) -> f64 {
            0.0
        }
    }

    #[test]
    fn who_gives_up_in_the_queue_is_told_how_long_those_before_it_take() {
        let clock = HandClock(Instant::now(), Arc::default());
        let a_second = Some(RateLimit::new(125, Duration::from_secs(120)));
        let limiter = LocalLimiter::new(a_second, 1.0, Arc::new(clock.clone()), Arc::new(Never));
        let provider = ProviderId::new("acme");
        let request = |milliseconds| PermitRequest {
            provider: &provider,
            origin: "https://acme.example",
            account: None,
            operation: "get_key",
            attempt: 1,
            remaining: Duration::from_millis(milliseconds),
            longest_stop: Duration::from_secs(60),
        };
        let Admission::Go(permit) = limiter.admit(&request(9000)) else { panic!("the first one leaves") };
        let Admission::Wait(mut head) = limiter.admit(&request(9000)) else { panic!("the second one waits") };
        let Admission::Wait(mut behind) = limiter.admit(&request(1500)) else { panic!("the third one seems in time") };
        let mut context = Context::from_waker(Waker::noop());
        assert!(head.permit.as_mut().poll(&mut context).is_pending());
        assert!(behind.permit.as_mut().poll(&mut context).is_pending());
        // The vendor refuses, and the pace falls.
        limiter.answered(&request(9000), permit, Feedback::Refused { retry_after: Some(Duration::ZERO) });
        *clock.1.lock().unwrap() = Duration::from_millis(1500);
        let Poll::Ready(Err(RateLimiterError::NotInTime(wait))) = behind.permit.as_mut().poll(&mut context) else {
            panic!("it is too late")
        };
        let pace = RateLimiter::state(&limiter, "get_key").per_second.unwrap();
        assert_eq!(wait, Duration::from_secs_f64(2.0 / pace));
    }
}
