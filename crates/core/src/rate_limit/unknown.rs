//! Look-ups that found nothing, remembered for a short time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// No more are remembered at once: about a megabyte.
const MOST: usize = 4096;

/// Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct UnknownKeys {
    kept: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By URL.
    errors: HashMap<String, (Instant, Error)>,
    /// How often everything was forgotten: a look-up that began before remembers nothing.
    generation: u64,
}

impl UnknownKeys {
    pub(crate) fn new(kept: Duration) -> Self {
        Self { kept, state: Mutex::default() }
    }

    /// The answer to a look-up of `url`, if it is remembered; else what [`remember`](Self::remember) wants to know.
    pub(crate) fn find(&self, url: &str, now: Instant) -> Result<u64, Error> {
        let mut state = self.state();
        let fresh = |at: &Instant| now.saturating_duration_since(*at) < self.kept;
        let known = state.errors.get(url).map(|(at, error)| fresh(at).then(|| error.clone()));
        match known {
            Some(Some(error)) => {
                let told = error.message().map_or_else(String::new, |message| format!("{message}; "));
                let message = format!("{told}not sent, since the vendor said so a short time ago");
                Err(error.with_attempts(0).with_request_id(None).with_message(message))
            }
            Some(None) => {
                state.errors.remove(url);
                Ok(state.generation)
            }
            None => Ok(state.generation),
        }
    }

    pub(crate) fn remember(&self, url: &str, error: &Error, generation: u64, now: Instant) {
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        if state.errors.len() >= MOST {
            state.errors.retain(|_, (at, _)| now.saturating_duration_since(*at) < self.kept);
        }
        if state.errors.len() < MOST {
            state.errors.insert(url.to_owned(), (now, error.clone()));
        }
    }

    /// Something may have been made.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.errors.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
