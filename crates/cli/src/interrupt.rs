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
            tokio::spawn(async move {
                let mut terminated = std::pin::pin!(terminated());
                let exit = tokio::select! {
                    () = &mut terminated => Exit::Terminated,
                    () = interrupted() => {
                        tell.send_replace(Heard::Once);
                        tokio::select! {
                            () = &mut terminated => Exit::Terminated,
                            () = interrupted() => Exit::Interrupted,
                        }
                    }
                };
                // Whoever has taken it may have tidied up as soon as it is told.
                let taken = TAKEN.load(Ordering::SeqCst) > 0;
                tell.send_replace(Heard::End(exit));
                if !taken {
                    std::process::exit(exit as i32);
                }
                // Whoever takes the end has its last word; one more Ctrl-C is for where that word hangs.
                interrupted().await;
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

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // The platform has no such signal; the default stays.
        pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}
