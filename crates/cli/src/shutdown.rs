//! a guard for a call that changes something. One Ctrl-C lets the request under way have its answer, and sends nothing
//! after it; a second one, SIGTERM or SIGHUP ends at once. What is known then is told, with a command that tells the rest.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use keymux::{AttemptEvent, Error, ErrorKind, Observer, ProviderId, RetryEvent, WaitEvent};
use tokio::sync::Notify;

use crate::exit::{Exit, Failure};
use crate::interrupt::{Interrupt, Taken};

tokio::task_local! {
    /// What becomes of the attempts of the call that is polled.
    static CALL: Arc<Attempts>;
}

/// Hears signals for calls that change something. While it lives nothing but it ends the program.
#[derive(Debug)]
pub(crate) struct ShutdownGuard {
    interrupt: Interrupt,
    _taken: Taken,
}

impl ShutdownGuard {
    pub(crate) fn begin() -> Self {
        let taken = Taken::for_calls();
        Self { interrupt: Interrupt::listen(), _taken: taken }
    }

    /// Whether an end was asked for.
    pub(crate) fn was_heard(&self) -> bool {
        self.interrupt.was_heard()
    }

    /// The status of the end that was asked for.
    pub(crate) fn exit(&self) -> Exit {
        self.interrupt.exit()
    }

    /// What `call` gives, or how it was stopped. `first` is run at the first Ctrl-C.
    pub(crate) async fn see<T>(&self, call: impl Future<Output = T>, first: impl FnOnce()) -> Result<T, Stopped> {
        let attempts = Arc::<Attempts>::default();
        let mut call = std::pin::pin!(CALL.scope(Arc::clone(&attempts), call));
        let (mut once, mut end) = (self.interrupt.clone(), self.interrupt.clone());
        tokio::select! {
            biased;
            exit = end.end() => return Err(attempts.stopped_at_once(exit)),
            value = &mut call => return Ok(value),
            () = once.once() => {}
        }
        if attempts.may_stop() {
            return Err(attempts.stopped_idle());
        }
        first();
        tokio::select! {
            biased;
            exit = end.end() => Err(attempts.stopped_at_once(exit)),
            // Asked before the call, so that no wait of it is missed.
            () = attempts.idle() => Err(attempts.stopped_idle()),
            value = &mut call => Ok(value),
        }
    }
}

/// A call that was given up.
#[derive(Debug)]
pub(crate) struct Stopped {
    exit: Exit,
    /// The vendor may have carried it out.
    unknown: bool,
    /// What is known of its last attempt; `None`: nothing was sent.
    error: Option<Error>,
}

impl Stopped {
    /// The failure that it is. `look` is the command that finds out.
    pub(crate) fn failure(self, look: Option<&str>) -> Failure {
        match self.error {
            None => Failure::Interrupted(self.exit),
            Some(error) if self.unknown => Failure::Change(self.exit, hinted(error.with_message("interrupted"), look)),
            Some(error) => Failure::Change(self.exit, error.with_message("interrupted; nothing was changed")),
        }
    }
}

/// The failure of a call that changes a key.
pub(crate) fn failed(error: Error, look: &str) -> Failure {
    let unknown = is_unknown(&error);
    let error = if unknown { hinted(error, Some(look)) } else { error };
    Failure::Change(if unknown { Exit::OutcomeUnknown } else { Exit::of(&error) }, error)
}

/// Whether a change may have been made, though its call failed: an answer was lost, and no later one says otherwise.
pub(crate) fn is_unknown(error: &Error) -> bool {
    let says_nothing = matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Connect);
    error.may_have_executed() || (says_nothing && error.follows_lost_answer())
}

/// What a call gave that makes a key, of which the library knows what is unknown.
pub(crate) fn made<T>(seen: Result<Result<T, Error>, Stopped>, look: Option<&str>) -> Result<T, Failure> {
    seen.map_err(|stopped| stopped.failure(look))?.map_err(|error| {
        let unknown = error.kind() == ErrorKind::OutcomeUnknown;
        Failure::Call(if unknown { hinted(error, look) } else { error })
    })
}

/// What a call gave that changes a key.
pub(crate) fn changed<T>(seen: Result<Result<T, Error>, Stopped>, look: &str) -> Result<T, Failure> {
    seen.map_err(|stopped| stopped.failure(Some(look)))?.map_err(|error| failed(error, look))
}

/// The same error with the command that finds out.
pub(crate) fn hinted(error: Error, look: Option<&str>) -> Error {
    const MAY: &str = "it may have been done all the same";
    let mut message = error.message().map(str::to_owned).unwrap_or_default();
    if !message.contains(MAY) {
        message = if message.is_empty() { MAY.to_owned() } else { format!("{message}; {MAY}") };
    }
    if let Some(look) = look {
        message = format!("{message}; look with: {look}");
    }
    error.with_message(message)
}

/// The attempts of one call.
#[derive(Debug, Default)]
struct Attempts {
    state: Mutex<State>,
    waits: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Who was asked last, for what, and how often.
    last: Option<(ProviderId, &'static str, u32)>,
    /// The last attempt that failed.
    failed: Option<ErrorKind>,
    /// Of an attempt that changes something the answer was lost.
    lost: Option<ErrorKind>,
    /// Something was changed, and the rest of the call belongs to it: its answer may hold the only plaintext.
    changed: bool,
    /// Nothing is under way before then.
    waits_until: Option<Instant>,
}

impl Attempts {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait(&self, until: Option<Instant>) {
        self.with(|state| state.waits_until = until);
        self.waits.notify_waiters();
    }

    /// Whether nothing is under way, and nothing is lost with the call.
    fn may_stop(&self) -> bool {
        self.with(|state| !state.changed && state.waits_until.is_some_and(|until| Instant::now() < until))
    }

    /// From now on, the next wait before an attempt.
    async fn idle(&self) {
        loop {
            self.waits.notified().await;
            if !self.with(|state| state.changed) {
                return;
            }
        }
    }

    /// Between two attempts, all that there is to know is known.
    fn stopped_idle(&self) -> Stopped {
        let (unknown, kind) = self.with(|state| (state.lost.is_some(), state.lost.or(state.failed)));
        let exit = if unknown { Exit::OutcomeUnknown } else { Exit::Interrupted };
        Stopped { exit, unknown, error: kind.map(|kind| self.error(kind, 0)) }
    }

    /// What is under way has an outcome that nobody knows.
    fn stopped_at_once(&self, exit: Exit) -> Stopped {
        if self.may_stop() {
            return Stopped { exit, ..self.stopped_idle() };
        }
        Stopped { exit, unknown: true, error: Some(self.error(ErrorKind::OutcomeUnknown, 1)) }
    }

    fn error(&self, kind: ErrorKind, under_way: u32) -> Error {
        let error = Error::new(kind);
        match self.with(|state| state.last.clone()) {
            Some((provider, operation, attempts)) => {
                error.with_provider(provider).with_operation(operation).with_attempts(attempts + under_way)
            }
            None => error.with_attempts(under_way),
        }
    }
}

/// Tells the call that is run with guard, if one is, what becomes of its attempts.
#[derive(Debug)]
pub(crate) struct AttemptObserver;

/// The observer is called where the call is polled.
fn tell(what: impl FnOnce(&Attempts)) {
    // Other calls need no guard.
    let _ = CALL.try_with(|attempts| what(attempts));
}

impl Observer for AttemptObserver {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        tell(|attempts| {
            attempts.with(|state| {
                state.last = Some((event.provider.clone(), event.operation, event.attempt));
                state.failed = event.error;
                state.waits_until = None;
                if event.method != "GET" {
                    state.changed |= event.error.is_none();
                    state.lost = event.error.filter(|kind| kind.may_have_executed()).or(state.lost);
                }
            });
        });
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        tell(|attempts| attempts.wait(Instant::now().checked_add(event.delay)));
    }

    fn on_wait(&self, event: &WaitEvent<'_>) {
        tell(|attempts| attempts.wait(event.expected.and_then(|wait| Instant::now().checked_add(wait))));
    }
}
