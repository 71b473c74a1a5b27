//! A credential that was refused is not tried again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::error::Error;

/// Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct CredentialBreaker {
    recheck: Duration,
    closed: AtomicBool,
    refusal: Mutex<Option<(Instant, Error)>>,
    /// Tells calls that wait at the rate limiter.
    closing: Notify,
}

impl CredentialBreaker {
    /// After `recheck` one call is let through to see whether the vendor has thought better of it.
    pub(crate) fn new(recheck: Duration) -> Self {
        Self { recheck, closed: AtomicBool::new(false), refusal: Mutex::default(), closing: Notify::new() }
    }

    /// The error of a call that is not sent.
    pub(crate) fn check(&self, now: impl Fn() -> Instant, operation: &'static str) -> Option<Error> {
        if !self.closed.load(Ordering::Acquire) {
            return None;
        }
        let mut refusal = self.refusal();
        let (at, error) = refusal.as_mut()?;
        let now = now();
        if now.saturating_duration_since(*at) >= self.recheck {
            *at = now;
            return None;
        }
        let told = error.message().map_or_else(String::new, |message| format!("{message}; "));
        let why =
            "not sent, since the vendor refused this client's credential before; a new credential takes a new client";
        Some(error.clone().with_operation(operation).with_attempts(0).with_message(format!("{told}{why}")))
    }

    pub(crate) fn close(&self, error: &Error, now: Instant) {
        *self.refusal() = Some((now, error.clone()));
        self.closed.store(true, Ordering::Release);
        self.closing.notify_waiters();
    }

    /// The vendor took the credential.
    pub(crate) fn open(&self) {
        if self.closed.swap(false, Ordering::AcqRel) {
            *self.refusal() = None;
        }
    }

    pub(crate) fn closing(&self) -> &Notify {
        &self.closing
    }

    fn refusal(&self) -> MutexGuard<'_, Option<(Instant, Error)>> {
        // Nothing panics while it is held.
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
