//! The suite's clock: it runs on, and a sleep is over at once and moves its time ahead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keymux_core::{Clock, Sleep};

/// A clock that shows the real time and what was slept.
///
/// So a wait costs no time whoever waits: a provider that sleeps by this clock moves it, and one that sleeps in earnest
/// is measured as well.
#[derive(Debug, Clone)]
pub(crate) struct SkippingClock {
    started: Instant,
    began: Timestamp,
    skipped: Arc<Mutex<Duration>>,
}

impl SkippingClock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), began: Timestamp::now(), skipped: Arc::default() }
    }

    /// The time since the clock was started, with all that was slept.
    pub(crate) fn elapsed(&self) -> Duration {
        let skipped = *self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        self.started.elapsed().saturating_add(skipped)
    }
}

impl Clock for SkippingClock {
    fn instant(&self) -> Instant {
        self.started + self.elapsed()
    }

    fn timestamp(&self) -> Timestamp {
        self.began.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let skipped = Arc::clone(&self.skipped);
        Box::pin(async move {
            // Others have their turn, as they have in a sleep in earnest.
            tokio::task::yield_now().await;
            let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner);
            *skipped = skipped.saturating_add(duration);
        })
    }

    /// In earnest, since the sockets are real.
    fn time_limit(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}
