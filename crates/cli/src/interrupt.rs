//! Ctrl-C: the first ends a listing with what came, the second ends at once.

use std::future::{Future, pending};

use tokio::sync::watch;

use crate::exit::Exit;

/// Hears Ctrl-C from its making on.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    heard: watch::Receiver<bool>,
}

impl Interrupt {
    pub(crate) fn listen() -> Self {
        let (tell, heard) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                // The platform has no such signal; the default stays.
                return pending().await;
            }
            tell.send_replace(true);
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        Self { heard }
    }

    /// What `future` gives, or `None` if Ctrl-C came first or before.
    pub(crate) async fn or<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.heard.wait_for(|heard| *heard) => None,
            value = future => Some(value),
        }
    }
}
