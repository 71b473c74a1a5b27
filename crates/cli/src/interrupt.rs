//! Ctrl-C and SIGTERM: the first Ctrl-C ends a listing with what came, and a second one or SIGTERM ends at once.

use std::future::{Future, pending};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::exit::Exit;

/// How many wait for the end at once, and see to it themselves.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// One Ctrl-C.
    Once,
    /// The end, with this status.
    End(Exit),
}

/// Hears Ctrl-C from the first one's making on.
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
                if exit == Exit::Interrupted {
                    tell.send_replace(Heard::Once);
                    exit = signals.next().await;
                }
                // Told to those alone who have taken it: a listing would end as after one Ctrl-C, with another status.
                if TAKEN.load(Ordering::SeqCst) == 0 {
                    std::process::exit(exit as i32);
                }
                tell.send_replace(Heard::End(exit));
                // Whoever takes the end has its last word; one more Ctrl-C is for where that word hangs.
                signals.next().await;
                std::process::exit(exit as i32);
            });
            heard
        });
        Self { heard: heard.clone() }
    }

    /// What `future` gives, or `None` if Ctrl-C came first or before.
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

    /// Ctrl-C, or the end.
    pub(crate) async fn once(&mut self) {
        if self.heard.wait_for(|heard| *heard != Heard::Nothing).await.is_err() {
            pending::<()>().await;
        }
    }

    /// The end at once, with its status. It comes only while it is [taken](Taken).
    pub(crate) async fn end(&mut self) -> Exit {
        let heard = self.heard.wait_for(|heard| matches!(heard, Heard::End(_))).await.map(|heard| *heard);
        match heard {
            Ok(Heard::End(exit)) => exit,
            _ => pending().await,
        }
    }
}

/// While it lives, the end at once is left to its owner, who has something to tidy up before.
#[derive(Debug)]
pub(crate) struct Taken(());

impl Taken {
    pub(crate) fn new() -> Self {
        TAKEN.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the platform has of signals; where it has none, its default stays.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        Self { interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
    }

    /// The status with which the next signal ends the program.
    async fn next(&mut self) -> Exit {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
            match signal {
                Some(signal) => signal.recv().await,
                None => pending().await,
            }
        }
        tokio::select! {
            Some(()) = one(&mut self.interrupt) => Exit::Interrupted,
            Some(()) = one(&mut self.terminate) => Exit::Terminated,
            else => pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => pending().await,
        }
    }
}
