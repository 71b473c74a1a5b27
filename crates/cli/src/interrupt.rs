//! Signals. The first Ctrl-C ends a listing with what came; a second one, SIGTERM, SIGHUP and SIGQUIT end at once. Two
//! that come together are one: wrappers forward what the terminal has sent already, and some send a signal twice.

#[cfg(unix)]
use std::future::poll_fn;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
#[cfg(unix)]
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::tidy;

/// Signals that come within this time of the one before are the same.
pub(crate) const TOGETHER: Duration = Duration::from_millis(200);

/// How long whoever has taken the end may take over it: a reader that reads no more must not hold it up.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How many calls that change something see to the end at once themselves.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// How many outputs are closed before the end.
static OUTPUTS: AtomicUsize = AtomicUsize::new(0);

/// Who is handed every signal, and sees to all that comes of it.
static HANDED: Mutex<Option<UnboundedSender<Exit>>> = Mutex::new(None);

/// How many plaintexts are being stored.
static STORING: AtomicUsize = AtomicUsize::new(0);

/// How often it is seen whether they still are.
const LOOK: Duration = Duration::from_millis(20);

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// One Ctrl-C.
    Once,
    /// The end, with this status.
    End(Exit),
}

/// Hears signals from the first one's making on.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    heard: watch::Receiver<Heard>,
}

impl Interrupt {
    /// All hear the same, however many there are.
    pub(crate) fn listen() -> Self {
        static HEARD: OnceLock<watch::Receiver<Heard>> = OnceLock::new();
        let heard = HEARD.get_or_init(|| {
            let (tell, heard) = watch::channel(Heard::Nothing);
            // From now on, and not from when the task is run first.
            let mut signals = Signals::new();
            tokio::spawn(async move {
                let mut exit = signals.next().await;
                let closes = if exit == Exit::Interrupted {
                    tell.send_replace(Heard::Once);
                    exit = signals.next().await;
                    // An output has had its time to close since the first one.
                    0
                } else {
                    OUTPUTS.load(Ordering::SeqCst)
                };
                if closes + CALLS.load(Ordering::SeqCst) > 0 {
                    tell.send_replace(Heard::End(exit));
                    let _ = tokio::time::timeout(LAST_WORD, signals.next()).await;
                }
                // Whoever stores one has a limit.
                while STORING.load(Ordering::SeqCst) > 0 {
                    tokio::time::sleep(LOOK).await;
                }
                tidy::end(exit)
            });
            heard
        });
        Self { heard: heard.clone() }
    }

    /// What `future` gives, or `None` if a signal came first or before.
    pub(crate) async fn or<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.once() => None,
            value = future => Some(value),
        }
    }

    /// Whether Ctrl-C, or the end, has come.
    pub(crate) fn was_heard(&self) -> bool {
        *self.heard.borrow() != Heard::Nothing
    }

    /// The status of what was heard.
    pub(crate) fn exit(&self) -> Exit {
        match *self.heard.borrow() {
            Heard::End(exit) => exit,
            Heard::Nothing | Heard::Once => Exit::Interrupted,
        }
    }

    /// Ctrl-C, or the end.
    pub(crate) async fn once(&mut self) {
        if self.heard.wait_for(|heard| *heard != Heard::Nothing).await.is_err() {
            pending::<()>().await;
        }
    }

    /// The end at once, with its status. It comes only while it is [taken](Taken::for_calls).
    pub(crate) async fn end(&mut self) -> Exit {
        let heard = self.heard.wait_for(|heard| matches!(heard, Heard::End(_))).await.map(|heard| *heard);
        match heard {
            Ok(Heard::End(exit)) => exit,
            _ => pending().await,
        }
    }
}

/// While it lives, an end at once is left to its owner, who has something to do before.
#[derive(Debug)]
pub(crate) struct Taken(&'static AtomicUsize);

impl Taken {
    /// For calls that change something: every end is theirs.
    pub(crate) fn for_calls() -> Self {
        Self::of(&CALLS)
    }

    /// For a plaintext that came and is not stored yet: no signal ends the program while it lives. It must not live long.
    pub(crate) fn for_storing() -> Self {
        Self::of(&STORING)
    }

    /// For an output that is closed with what came. A second signal does not wait for that.
    pub(crate) fn for_output() -> Self {
        Self::of(&OUTPUTS)
    }

    fn of(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// While it lives, no signal ends the program: each is handed to its owner, who passes it on to another process.
#[derive(Debug)]
pub(crate) struct Handed(UnboundedReceiver<Exit>);

impl Handed {
    /// Signals are heard from now on, if they were not before.
    pub(crate) fn begin() -> Self {
        let (tell, told) = unbounded_channel();
        *HANDED.lock().unwrap_or_else(PoisonError::into_inner) = Some(tell);
        drop(Interrupt::listen());
        Self(told)
    }

    /// The next signal, by the status that it would have ended the program with.
    pub(crate) async fn next(&mut self) -> Exit {
        match self.0.recv().await {
            Some(exit) => exit,
            None => pending().await,
        }
    }

    /// Forgets what has come.
    pub(crate) fn drain(&mut self) {
        while self.0.try_recv().is_ok() {}
    }

    /// Whether somebody was handed the signal.
    fn over(exit: Exit) -> bool {
        let handed = HANDED.lock().unwrap_or_else(PoisonError::into_inner);
        handed.as_ref().is_some_and(|tell| tell.send(exit).is_ok())
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        *HANDED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What the platform has of signals; where it has none, its default stays.
struct Signals {
    #[cfg(unix)]
    heard: Vec<(Exit, tokio::signal::unix::Signal)>,
    last: Option<Instant>,
}

impl Signals {
    /// The status with which the next signal ends the program, if it is another one than the last.
    async fn next(&mut self) -> Exit {
        loop {
            let exit = self.any().await;
            if Handed::over(exit) {
                continue;
            }
            let now = Instant::now();
            if self.last.is_none_or(|last| now.duration_since(last) >= TOGETHER) {
                self.last = Some(now);
                return exit;
            }
        }
    }
}

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let all = [
            (Exit::Interrupted, SignalKind::interrupt()),
            (Exit::Terminated, SignalKind::terminate()),
            (Exit::HungUp, SignalKind::hangup()),
            (Exit::Quit, SignalKind::quit()),
        ];
        let heard = all.into_iter().filter(|(_, kind)| !is_ignored(kind.as_raw_value()));
        Self { heard: heard.filter_map(|(exit, kind)| Some((exit, signal(kind).ok()?))).collect(), last: None }
    }

    async fn any(&mut self) -> Exit {
        poll_fn(|context| {
            // Each is asked, so that each wakes the task.
            let heard = self
                .heard
                .iter_mut()
                .filter_map(|(exit, signal)| signal.poll_recv(context).is_ready().then_some(*exit));
            heard.reduce(|first, _| first).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Whether the program was started with this signal ignored, as `nohup` does it. Only Linux tells.
#[cfg(unix)]
pub(crate) fn is_ignored(number: i32) -> bool {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    let ignored = *IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        ignored_of(&status).unwrap_or(0)
    });
    number > 0 && ignored.checked_shr(number.unsigned_abs() - 1).is_some_and(|bits| bits & 1 == 1)
}

/// The mask of ignored signals in what Linux tells of a process.
#[cfg(unix)]
fn ignored_of(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self { last: None }
    }

    async fn any(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => pending().await,
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored_of("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t1\n"), Some(0x1001));
        assert_eq!(ignored_of("Name:\tx\n"), None);
    }
}
