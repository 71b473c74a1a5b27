//! How far a listing is: a line on standard error for each account, drawn anew while it runs, on a terminal alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use keymux::{
    AccountName, AccountProgress, AccountState, AttemptEvent, Incomplete, InventoryStream, KeyRecord, Observer,
    RetryEvent, WaitEvent, WaitReason,
};

/// How often the lines are drawn.
const TICK: Duration = Duration::from_millis(100);

/// The lines, or nothing where nobody would see them. Dropping it takes them away.
#[derive(Debug)]
pub(crate) struct Progress {
    lines: Option<Lines>,
}

#[derive(Debug)]
struct Lines {
    all: MultiProgress,
    by_account: BTreeMap<AccountName, ProgressBar>,
    waits: Arc<Waits>,
    begun: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// Draws if `shown`; `waits` are those of the accounts.
    pub(crate) fn new(shown: bool, waits: &Arc<Waits>) -> Self {
        let lines = || Lines {
            all: MultiProgress::new(),
            by_account: BTreeMap::new(),
            waits: Arc::clone(waits),
            begun: Instant::now(),
            drawn: None,
        };
        Self { lines: shown.then(lines) }
    }

    /// The next key, with the lines kept up to date until it comes.
    pub(crate) async fn next(&mut self, keys: &mut InventoryStream) -> Option<Result<KeyRecord, Incomplete>> {
        let Some(lines) = &mut self.lines else { return keys.next().await };
        loop {
            if lines.drawn.is_none_or(|drawn| drawn.elapsed() >= TICK) {
                lines.draw(&keys.progress(), Instant::now());
            }
            if let Ok(next) = tokio::time::timeout(TICK, keys.next()).await {
                return next;
            }
        }
    }
}

impl Lines {
    fn draw(&mut self, accounts: &[AccountProgress], now: Instant) {
        self.drawn = Some(now);
        let walked = accounts.iter().filter(|account| account.ended != Some(AccountState::Skipped));
        for account in walked {
            let bar = self.by_account.entry(account.account.clone()).or_insert_with(|| {
                // The template is a constant, and right.
                let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
                self.all.add(ProgressBar::no_length().with_style(style))
            });
            let wait = self.waits.of(&account.account, now);
            bar.set_message(line(account, now.duration_since(self.begun), wait));
            bar.tick();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to take away.
        let _ = self.all.clear();
    }
}

/// One account, short enough for 80 columns: how far it is, and what it waits for, or else how fast it is.
fn line(account: &AccountProgress, elapsed: Duration, wait: Option<(Duration, Why)>) -> String {
    let AccountProgress { account: name, records, scopes_done, scopes_found, scopes_failed, .. } = account;
    let more = if account.all_scopes_found { "" } else { "+" };
    let failed = if *scopes_failed > 0 { format!(", {scopes_failed} failed") } else { String::new() };
    let now = match (account.ended, wait) {
        (Some(state), _) => state.as_str().to_owned(),
        (None, Some((left, why))) => {
            // Rounded up: never "in 0 s".
            let seconds = left.as_millis().div_ceil(1000);
            match why {
                Why::Throttled => format!("throttled, resumes in {seconds} s"),
                Why::Failed => format!("a call failed, again in {seconds} s"),
                Why::Paced => format!("keeps its pace, next in {seconds} s"),
            }
        }
        (None, None) => {
            let tenths = (elapsed.as_millis() / 100).max(1);
            format!("{} keys/s", u128::from(*records) * 10 / tenths)
        }
    };
    format!("{name}: {records} keys, {scopes_done} of {scopes_found}{more} scopes{failed}; {now}")
}

/// What each account waits for, as its calls tell.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<BTreeMap<String, (Instant, Why)>>);

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The vendor asked for it.
    Throttled,
    /// A call failed, and comes again.
    Failed,
    /// The account's own pace.
    Paced,
}

impl Waits {
    /// How long the account still waits, and why.
    fn of(&self, account: &AccountName, now: Instant) -> Option<(Duration, Why)> {
        let waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = waits.get(account.as_str())?;
        Some((until.checked_duration_since(now).filter(|left| !left.is_zero())?, *why))
    }

    fn set(&self, account: &str, wait: Option<(Duration, Why)>) {
        let until = wait.and_then(|(delay, why)| Some((Instant::now().checked_add(delay)?, why)));
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) => waits.insert(account.to_owned(), until),
            None => waits.remove(account),
        };
    }
}

/// Hears of the waits of one account.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) waits: Arc<Waits>,
    /// `None`: the account is named after its vendor.
    pub(crate) account: Option<AccountName>,
}

impl Watch {
    fn tell(&self, provider: &str, wait: Option<(Duration, Why)>) {
        self.waits.set(self.account.as_ref().map_or(provider, AccountName::as_str), wait);
    }
}

impl Observer for Watch {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        self.tell(event.provider.as_str(), None);
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        let why = if event.server_delay.is_some() { Why::Throttled } else { Why::Failed };
        self.tell(event.provider.as_str(), Some((event.delay, why)));
    }

    fn on_wait(&self, event: &WaitEvent<'_>) {
        self.tell(event.provider.as_str(), event.expected.map(|delay| (delay, why(event.reason))));
    }
}

fn why(reason: WaitReason) -> Why {
    match reason {
        WaitReason::Stopped => Why::Throttled,
        _ => Why::Paced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_waits_until_its_time_is_over_or_its_next_attempt_ends() {
        let waits = Waits::default();
        let account = AccountName::new("prod").unwrap();
        waits.set("prod", Some((Duration::from_secs(4), Why::Throttled)));
        let now = Instant::now();
        assert_eq!(waits.of(&account, now).unwrap().1, Why::Throttled);
        assert_eq!(waits.of(&account, now + Duration::from_secs(5)), None);
        assert_eq!(waits.of(&AccountName::new("dev").unwrap(), now), None);
        waits.set("prod", None);
        assert_eq!(waits.of(&account, now), None);
    }
}
