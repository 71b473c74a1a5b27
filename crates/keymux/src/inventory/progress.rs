//! How far an inventory is: a line for each account.

use std::fmt;
use std::time::Duration;

use keymux_core::{AccountName, ProviderId, RateLimiterState};

use super::completeness::AccountState;

/// How far one account of an inventory is. Prints as one line.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AccountProgress {
    /// The account.
    pub account: AccountName,
    /// The vendor.
    pub provider: ProviderId,
    /// How many keys were given, in all runs.
    pub records: u64,
    /// How many pages of keys were read, in all runs.
    pub pages: u64,
    /// How many scopes are known.
    pub scopes_found: u64,
    /// How many of them are done.
    pub scopes_done: u64,
    /// How many of them failed in this run.
    pub scopes_failed: u64,
    /// Whether all scopes are known.
    pub all_scopes_found: bool,
    /// How the account's lists stand at its rate limiter now: the pace in requests a second, how many are on their way, how
    /// many wait. Nothing is known once the account ended, and of a provider that
    /// [does not tell](keymux_core::ApiKeyProvider::rate_limiter_state).
    pub limiter: RateLimiterState,
    /// What became of the account. `None`: it is being walked.
    pub ended: Option<AccountState>,
}

impl AccountProgress {
    pub(crate) fn new(account: AccountName, provider: ProviderId) -> Self {
        Self {
            account,
            provider,
            records: 0,
            pages: 0,
            scopes_found: 0,
            scopes_done: 0,
            scopes_failed: 0,
            all_scopes_found: false,
            limiter: RateLimiterState::default(),
            ended: None,
        }
    }

    /// For how long from now the vendor has stopped the account. `None`: it goes on, or has ended.
    #[must_use]
    pub fn throttled_for(&self) -> Option<Duration> {
        self.limiter.stopped_for
    }
}

impl fmt::Display for AccountProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, records, scopes_found, scopes_done, scopes_failed, ended, .. } = self;
        match (ended, self.throttled_for()) {
            (Some(state), _) => write!(f, "{account}: {state}")?,
            // Rounded up: it never resumes sooner.
            (None, Some(stop)) => write!(f, "{account}: throttled, resumes in {:.0} s", stop.as_secs_f64().ceil())?,
            (None, None) => write!(f, "{account}: walking")?,
        }
        if matches!(ended, Some(AccountState::Unsupported | AccountState::Skipped)) {
            return Ok(());
        }
        let more = if self.all_scopes_found { "" } else { "+" };
        write!(f, ", {records} keys, {scopes_done} of {scopes_found}{more} scopes done")?;
        if *scopes_failed > 0 {
            write!(f, ", {scopes_failed} failed")?;
        }
        if let Some(pace) = self.limiter.per_second {
            let digits = usize::from(pace < 10.0);
            write!(f, ", at most {pace:.digits$} requests/s")?;
        }
        Ok(())
    }
}
