//! A clock that nobody waits for, a transport that follows a script, and an observer that writes everything down.

use std::collections::VecDeque;
use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use keymux_core::{
    AttemptEvent, ClientOptions, Clock, Exchange, GiveUpEvent, Observer, Pipeline, Randomness, Request, Response,
    RetryEvent, Sleep, Transport, TransportError, TransportErrorKind,
};

/// The time of day at which every virtual clock starts.
pub(crate) const SUN_06_NOV_1994_08_49_37: i64 = 784_111_777;

/// A clock whose waits are over as soon as they are waited for, and move its time on.
#[derive(Debug, Clone)]
pub(crate) struct VirtualClock {
    started: Instant,
    state: Arc<Mutex<ClockState>>,
}

#[derive(Debug, Default)]
struct ClockState {
    elapsed: Duration,
    sleeps: Vec<Duration>,
    cuts: Vec<Duration>,
    frozen: bool,
    oversleep: Duration,
    real_limits: bool,
}

impl VirtualClock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), state: Arc::default() }
    }

    /// No wait ends, and no time limit is reached.
    pub(crate) fn frozen() -> Self {
        let clock = Self::new();
        clock.state().frozen = true;
        clock
    }

    /// Every sleep takes this much longer than asked for: a machine that was suspended.
    pub(crate) fn oversleeping(by: Duration) -> Self {
        let clock = Self::new();
        clock.state().oversleep = by;
        clock
    }

    /// Time limits are in earnest, for real sockets; sleeps are not.
    pub(crate) fn for_sockets() -> Self {
        let clock = Self::new();
        clock.state().real_limits = true;
        clock
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.state().elapsed += by;
    }

    /// The waits between attempts, as they were asked for.
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.state().sleeps.clone()
    }

    /// The time limits that were reached.
    pub(crate) fn cuts(&self) -> Vec<Duration> {
        self.state().cuts.clone()
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap()
    }

    fn wait(&self, then: impl Fn(&mut ClockState) + Send + 'static) -> Sleep {
        let clock = self.clone();
        Box::pin(poll_fn(move |_| {
            let mut state = clock.state();
            if state.frozen {
                return Poll::Pending;
            }
            then(&mut state);
            Poll::Ready(())
        }))
    }
}

impl Clock for VirtualClock {
    fn instant(&self) -> Instant {
        self.started + self.elapsed()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::from_second(SUN_06_NOV_1994_08_49_37).unwrap() + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let over = self.wait(move |state| {
            state.elapsed += duration + state.oversleep;
            state.sleeps.push(duration);
        });
        Box::pin(async {
            // Other calls have their turn, as they have in a sleep in earnest.
            tokio::task::yield_now().await;
            over.await;
        })
    }

    fn time_limit(&self, duration: Duration) -> Sleep {
        if self.state().real_limits {
            return Box::pin(tokio::time::sleep(duration));
        }
        self.wait(move |state| {
            state.elapsed += duration;
            state.cuts.push(duration);
        })
    }
}

/// The same jitter every time.
#[derive(Debug)]
pub(crate) struct Fraction(pub(crate) f64);

impl Randomness for Fraction {
    fn fraction(&self) -> f64 {
        self.0
    }
}

/// What the vendor does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// It answers.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// It answers after this long.
    Late(Duration, Box<Step>),
    /// It sends this answer's head, and then the connection breaks.
    BreakInBody(u16, Vec<(&'static str, String)>),
    /// It sends this answer's head, and then nothing more.
    HangInBody(u16, Vec<(&'static str, String)>),
    /// There is no answer, ever.
    Hang,
    /// The exchange fails.
    Fail(TransportErrorKind),
}

pub(crate) fn status(status: u16) -> Step {
    Step::Answer(status, Vec::new(), String::new())
}

/// The answer of a success.
pub(crate) fn ok() -> Step {
    Step::Answer(200, Vec::new(), r#"{"id":"a"}"#.to_owned())
}

/// A status with a header.
pub(crate) fn told(status: u16, name: &'static str, value: &str) -> Step {
    Step::Answer(status, vec![(name, value.to_owned())], String::new())
}

/// A transport that follows a script, and notes when each request was sent.
pub(crate) struct Scripted {
    clock: VirtualClock,
    script: Mutex<VecDeque<Step>>,
    /// What happens after the script. `None`: the test fails.
    then: Option<Step>,
    sent: Mutex<Vec<Duration>>,
    in_flight: Arc<AtomicUsize>,
    most_in_flight: AtomicUsize,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Scripted {
    pub(crate) fn new(clock: &VirtualClock, script: impl IntoIterator<Item = Step>, then: Option<Step>) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            script: Mutex::new(script.into_iter().collect()),
            then,
            sent: Mutex::default(),
            in_flight: Arc::default(),
            most_in_flight: AtomicUsize::new(0),
        })
    }

    /// When requests were sent, from the clock's start.
    pub(crate) fn sent(&self) -> Vec<Duration> {
        self.sent.lock().unwrap().clone()
    }

    /// How many requests were sent.
    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// How many requests are being made now, and how many were at once at most.
    pub(crate) fn in_flight(&self) -> (usize, usize) {
        (self.in_flight.load(Ordering::SeqCst), self.most_in_flight.load(Ordering::SeqCst))
    }
}

/// Counts a request until its future is dropped.
struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn execute(&self, _request: Request, exchange: &Exchange) -> Result<Response, TransportError> {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        let _in_flight = InFlight(Arc::clone(&self.in_flight));
        self.most_in_flight.fetch_max(now, Ordering::SeqCst);
        self.sent.lock().unwrap().push(self.clock.elapsed());
        let scripted = self.script.lock().unwrap().pop_front();
        let mut step = scripted.or_else(|| self.then.clone()).expect("one request more than the script has steps");
        loop {
            step = match step {
                Step::Late(after, step) => {
                    self.clock.advance(after);
                    *step
                }
                Step::Answer(status, headers, body) => return Ok(answer(exchange, status, &headers, body)),
                Step::BreakInBody(status, headers) => {
                    answer(exchange, status, &headers, String::new());
                    return Err(TransportError::new(TransportErrorKind::Body, None));
                }
                Step::HangInBody(status, headers) => {
                    answer(exchange, status, &headers, String::new());
                    Step::Hang
                }
                Step::Hang => pending().await,
                Step::Fail(kind) => return Err(TransportError::new(kind, None)),
            };
        }
    }
}

fn answer(exchange: &Exchange, status: u16, headers: &[(&'static str, String)], body: String) -> Response {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect::<HeaderMap>();
    exchange.head_received(response.status(), response.headers());
    response
}

/// A client, its clock and its transport.
pub(crate) struct Bench {
    pub(crate) clock: VirtualClock,
    pub(crate) transport: Arc<Scripted>,
    pub(crate) pipeline: Pipeline,
}

impl Bench {
    /// A vendor that does what `script` says, step by step, and is asked for no more. The jitter is `fraction`.
    pub(crate) fn new(script: impl IntoIterator<Item = Step>, fraction: f64) -> Self {
        Self::with(script, fraction, ClientOptions::new())
    }

    pub(crate) fn with(script: impl IntoIterator<Item = Step>, fraction: f64, options: ClientOptions) -> Self {
        Self::on(VirtualClock::new(), script, None, fraction, options)
    }

    /// A vendor that always does the same.
    pub(crate) fn always(step: Step, fraction: f64, options: ClientOptions) -> Self {
        Self::on(VirtualClock::new(), [], Some(step), fraction, options)
    }

    pub(crate) fn on(
        clock: VirtualClock,
        script: impl IntoIterator<Item = Step>,
        then: Option<Step>,
        fraction: f64,
        options: ClientOptions,
    ) -> Self {
        let transport = Scripted::new(&clock, script, then);
        let options = options
            .with_clock(Arc::new(clock.clone()))
            .with_randomness(Arc::new(Fraction(fraction)))
            .with_transport(Arc::clone(&transport) as Arc<dyn Transport>);
        Self { clock, transport, pipeline: super::pipeline("https://api.acme.example", options) }
    }
}

/// Writes every event down, in one line each.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<String>>);

impl Journal {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Journal {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        let AttemptEvent { provider, operation, method, path, attempt, status, error, duration, .. } = event;
        self.0.lock().unwrap().push(format!(
            "{provider} {operation} attempt {attempt}: {method} {path} status {status:?} error {error:?} took {duration:?}"
        ));
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        let RetryEvent { provider, operation, attempt, error, delay, server_delay, .. } = event;
        self.0.lock().unwrap().push(format!(
            "{provider} {operation} retry after attempt {attempt}: {error:?} delay {delay:?} told {server_delay:?}"
        ));
    }

    fn on_give_up(&self, event: &GiveUpEvent<'_>) {
        let GiveUpEvent { provider, operation, attempt, error, reason, .. } = event;
        self.0
            .lock()
            .unwrap()
            .push(format!("{provider} {operation} give up after attempt {attempt}: {error:?} {reason:?}"));
    }
}
