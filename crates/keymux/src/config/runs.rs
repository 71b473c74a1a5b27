//! Fetching credentials for several accounts: equal commands run once.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keymux_core::{AccountName, Credential, CredentialSource, Error};

use super::Place;
use super::credential::Source;

/// For how long what came of a run is good for other accounts that are set up.
const SHARED_FOR: Duration = Duration::from_secs(10);

/// The runs of the commands of one configuration file. Printed, it shows nothing of them.
#[derive(Default)]
pub(super) struct Runs(Mutex<HashMap<Source, Arc<tokio::sync::Mutex<Option<Run>>>>>);

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

/// What came of one.
struct Run {
    number: u64,
    ended: Instant,
    result: Result<Credential, String>,
}

impl Runs {
    /// The credential of `source`, for `account`, and the number of the run that gave it. A run that others made just now
    /// will do, if it came after the one with the number `after`.
    pub(super) async fn fetch(
        &self,
        source: &Source,
        account: &AccountName,
        after: u64,
    ) -> (u64, Result<Credential, String>) {
        if !matches!(source, Source::Command { .. }) {
            return (after + 1, source.fetch(account).await);
        }
        // Nothing panics while it is held.
        let slot = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(source.clone()).or_default());
        // Who holds it runs the command; the others wait for what comes.
        let mut last = slot.lock().await;
        if let Some(run) = last.as_ref().filter(|run| run.number > after && run.ended.elapsed() < SHARED_FOR) {
            return (run.number, run.result.clone());
        }
        let number = last.as_ref().map_or(0, |run| run.number).max(after) + 1;
        let result = source.fetch(account).await;
        *last = Some(Run { number, ended: Instant::now(), result: result.clone() });
        (number, result)
    }
}

/// The source of one account's credential, asked anew.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) runs: Arc<Runs>,
    pub(super) source: Source,
    pub(super) account: AccountName,
    pub(super) place: Place,
    /// The number of the run that the credential in use came from.
    pub(super) run: AtomicU64,
}

#[async_trait]
impl CredentialSource for Renewal {
    async fn fetch(&self) -> Result<Credential, Error> {
        let after = self.run.load(Ordering::Relaxed);
        let (number, result) = self.runs.fetch(&self.source, &self.account, after).await;
        self.run.store(number, Ordering::Relaxed);
        result.map_err(|message| self.place.error(&message))
    }
}
