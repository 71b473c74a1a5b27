//! One account of an inventory: which scopes are known, which wait, which are walked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use keymux_core::{
    AccountName, ApiKeyProvider, Cursor, Error, ErrorKind, KeyStream, ListGuard, ListPosition, Operation, Page, Scope,
    ScopeInfo, Support,
};

use super::checkpoint::Checkpoint;
use super::completeness::{AccountOutcome, Failure, PartResult, UnitOutcome, UnitStatus};
use super::progress::AccountProgress;
use super::unit::WorkUnit;

/// One account, walked.
pub(crate) struct Walk {
    pub(crate) name: AccountName,
    pub(crate) provider: Arc<dyn ApiKeyProvider>,
    /// What became of it until the pages that are in hand.
    pub(crate) outcome: AccountOutcome,
    except: BTreeSet<Scope>,
    /// The scopes that wait.
    queue: VecDeque<Scope>,
    /// How many scopes are walked.
    pub(crate) walked: usize,
    /// Whether a page of scopes is under way.
    listing: bool,
    /// Where the list of scopes goes on.
    next_scopes: Option<Cursor>,
    guard: ListGuard,
    /// Of the scopes that were begun and are not done: where the page in hand begins, or the one that is fetched.
    positions: BTreeMap<Scope, ListPosition>,
    progress: AccountProgress,
    /// How many scopes in a row ended in a vendor that does not answer, without a page from any between them.
    dead_ends: u32,
    /// Why no other scope is asked.
    dead: Option<Error>,
}

/// So many scopes in a row that end in a vendor that does not answer are taken for all that wait: each could take as
/// long as a call may.
const DEAD_ENDS: u32 = 3;

/// Whether the vendor was not there for the call, or wants to be left alone for long: the next scope would hear the same.
fn is_dead_end(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::RateLimited)
        || (error.kind() == ErrorKind::Server && error.retry_after().is_some())
}

/// A scope that is walked: its list, and what it has given.
pub(crate) struct Unit {
    /// Which of the accounts.
    pub(crate) account: usize,
    pub(crate) scope: Scope,
    pub(crate) keys: KeyStream,
    /// In all runs.
    pub(crate) records: u64,
    earlier_pages: u64,
    /// The rows that could not be read, in all runs.
    unreadable: Vec<Failure>,
}

impl Unit {
    /// What became of it until now.
    pub(crate) fn outcome(&self, standing: UnitStatus) -> UnitOutcome {
        let pages = self.earlier_pages + self.keys.pages();
        UnitOutcome { standing, records: self.records, pages, unreadable: self.unreadable.clone() }
    }

    /// Takes the rows of the page in hand that cannot be read.
    pub(crate) fn take_unreadable(&mut self) {
        while let Some(error) = self.keys.next_unreadable() {
            keep(&mut self.unreadable, error);
        }
    }
}

impl Walk {
    /// `broken`: why the account could not be set up, if so. Then it failed, even where its vendor has no list.
    pub(crate) fn new(name: AccountName, provider: Arc<dyn ApiKeyProvider>, broken: Option<&Error>) -> Self {
        let mut outcome = AccountOutcome::new(provider.info());
        if let (PartResult::Unsupported { .. }, Some(error)) = (&outcome.scopes, broken) {
            outcome.scopes = PartResult::Failed { error: error.clone().into() };
        }
        let provider_id = provider.info().id();
        let guard = ListGuard::new(Operation::ScopesPage, provider_id.clone()).with_account(name.clone());
        let progress = AccountProgress::new(name.clone(), provider_id.clone());
        Self {
            name,
            provider,
            outcome,
            except: BTreeSet::new(),
            queue: VecDeque::new(),
            walked: 0,
            listing: false,
            next_scopes: None,
            guard,
            positions: BTreeMap::new(),
            progress,
            dead_ends: 0,
            dead: None,
        }
    }

    pub(crate) fn skipped(mut self) -> Self {
        self.outcome.scopes = PartResult::Skipped;
        self
    }

    /// All scopes but these.
    pub(crate) fn whole(mut self, except: BTreeSet<Scope>) -> Self {
        self.except = except;
        self.begin();
        self
    }

    /// These scopes but those.
    pub(crate) fn only(mut self, only: BTreeSet<Scope>, except: BTreeSet<Scope>) -> Self {
        self.except = except;
        if matches!(self.outcome.scopes, PartResult::Unsupported { .. }) {
            return self;
        }
        self.outcome.scopes = PartResult::NotAsked;
        for scope in only {
            self.find(scope);
        }
        // Where the account is its one scope, that is all there is.
        if !self.has_scopes() && self.outcome.units.contains_key(&Scope::account()) {
            self.outcome.scopes = PartResult::Done;
        }
        self
    }

    pub(crate) fn resumed(mut self, checkpoint: &Checkpoint) -> Self {
        let has_no_list = |scopes: &PartResult| matches!(scopes, PartResult::Unsupported { .. });
        let anew = self.outcome.scopes.clone();
        if let Some(outcome) = checkpoint.completeness.accounts.get(&self.name) {
            self.outcome = outcome.clone();
        }
        // An account that was broken then may be set up now, or the other way round.
        let was_asked = !matches!(self.outcome.scopes, PartResult::Skipped);
        if was_asked && has_no_list(&anew) != has_no_list(&self.outcome.scopes) {
            self.outcome.scopes = anew;
            self.outcome.units.clear();
        }
        let of_this = |unit: &&WorkUnit| *unit.account() == self.name;
        self.except = checkpoint.except.iter().filter(of_this).map(|unit| unit.scope().clone()).collect();
        let positions = checkpoint.positions.iter().filter(|(unit, _)| of_this(unit));
        self.positions = positions.map(|(unit, position)| (unit.scope().clone(), position.clone())).collect();
        self.next_scopes = checkpoint.scopes.get(&self.name).cloned();
        let progress = &mut self.progress;
        for (scope, unit) in &mut self.outcome.units {
            progress.records += unit.records;
            progress.pages += unit.pages;
            progress.scopes_found += 1;
            match unit.standing {
                UnitStatus::Done => progress.scopes_done += 1,
                UnitStatus::Skipped => {}
                UnitStatus::Failed { .. } | UnitStatus::Unfinished => {
                    unit.standing = UnitStatus::Unfinished;
                    self.queue.push_back(scope.clone());
                }
            }
        }
        if matches!(self.outcome.scopes, PartResult::Failed { .. } | PartResult::Unfinished) {
            self.begin();
        }
        self
    }

    fn has_scopes(&self) -> bool {
        !matches!(self.provider.info().capabilities().support(Operation::ScopesPage), Support::Unsupported { .. })
    }

    /// Finds what can be found without asking.
    fn begin(&mut self) {
        if matches!(self.outcome.scopes, PartResult::Unsupported { .. }) {
            return;
        }
        if self.has_scopes() {
            self.outcome.scopes = PartResult::Unfinished;
        } else {
            self.outcome.scopes = PartResult::Done;
            self.find(Scope::account());
        }
    }

    /// A scope that there is. One that was found before is known.
    fn find(&mut self, scope: Scope) {
        if self.outcome.units.contains_key(&scope) {
            return;
        }
        self.progress.scopes_found += 1;
        let skipped = self.except.contains(&scope);
        let standing = if skipped { UnitStatus::Skipped } else { UnitStatus::Unfinished };
        self.outcome.units.insert(scope.clone(), UnitOutcome::new(standing));
        match (skipped, self.dead.clone()) {
            (true, _) => {}
            (false, None) => self.queue.push_back(scope),
            (false, Some(error)) => self.fail(scope, &error),
        }
    }

    /// Whether it is time for a page of scopes: fewer than `enough` scopes wait, and none is under way. Then one is.
    pub(crate) fn wants_scopes(&mut self, enough: usize) -> bool {
        let due = matches!(self.outcome.scopes, PartResult::Unfinished) && !self.listing && self.queue.len() < enough;
        self.listing |= due;
        due
    }

    /// Where the list of scopes goes on.
    pub(crate) fn next_scopes(&self) -> Option<Cursor> {
        self.next_scopes.clone()
    }

    /// A page of scopes that was fetched at `cursor`.
    pub(crate) fn found(&mut self, cursor: Option<&Cursor>, page: Result<Page<ScopeInfo>, Error>) {
        self.listing = false;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                self.outcome.scopes = PartResult::Failed { error: error.into() };
                return;
            }
        };
        let next = self.guard.turn(cursor, page.items.iter().map(|info| &info.scope), page.next);
        for info in page.items {
            self.find(info.scope);
        }
        page.unreadable.into_iter().for_each(|error| keep(&mut self.outcome.unreadable, error));
        match next {
            Ok(Some(next)) => {
                self.next_scopes = Some(next);
                if let Some(error) = &self.dead {
                    self.outcome.scopes = PartResult::Failed { error: error.clone().into() };
                }
            }
            Ok(None) => {
                self.next_scopes = None;
                self.outcome.scopes = match page.cut_short {
                    Some(error) => PartResult::Failed { error: error.into() },
                    None => PartResult::Done,
                };
            }
            Err(error) => self.outcome.scopes = PartResult::Failed { error: error.into() },
        }
    }

    /// The next scope that waits, to be walked from where it stood; `account` is this account's number.
    pub(crate) fn next_unit(&mut self, account: usize) -> Option<Unit> {
        let scope = self.queue.pop_front()?;
        let before = self.outcome.units.get(&scope);
        let (records, earlier_pages) = before.map_or((0, 0), |unit| (unit.records, unit.pages));
        let unreadable = before.map(|unit| unit.unreadable.clone()).unwrap_or_default();
        let position = self.positions.entry(scope.clone()).or_default().clone();
        let keys =
            KeyStream::new(Arc::clone(&self.provider), scope.clone(), Some(position)).with_account(self.name.clone());
        self.walked += 1;
        Some(Unit { account, scope, keys, records, earlier_pages, unreadable })
    }

    /// A key of this account was given.
    pub(crate) fn gave_record(&mut self) {
        self.progress.records += 1;
    }

    /// A page is in hand.
    pub(crate) fn has_page(&mut self) {
        self.dead_ends = 0;
        self.progress.pages += 1;
    }

    /// A page was used up.
    pub(crate) fn used_page(&mut self, unit: &Unit) {
        self.outcome.units.insert(unit.scope.clone(), unit.outcome(UnitStatus::Unfinished));
        self.positions.insert(unit.scope.clone(), unit.keys.position());
    }

    /// A scope came to its end.
    pub(crate) fn ended(&mut self, unit: &Unit, error: Option<Error>) {
        self.walked -= 1;
        self.dead_ends = if error.as_ref().is_some_and(is_dead_end) { self.dead_ends + 1 } else { 0 };
        if let Some(error) = error.as_ref().filter(|_| self.dead_ends >= DEAD_ENDS) {
            self.give_up(error);
        }
        let standing = match error {
            None => {
                self.positions.remove(&unit.scope);
                self.progress.scopes_done += 1;
                UnitStatus::Done
            }
            Some(error) => {
                self.positions.insert(unit.scope.clone(), unit.keys.position());
                self.progress.scopes_failed += 1;
                UnitStatus::Failed { error: error.into() }
            }
        };
        self.outcome.units.insert(unit.scope.clone(), unit.outcome(standing));
    }

    /// Fails what was not begun, with the error of what was.
    fn give_up(&mut self, error: &Error) {
        let said = error.message().map_or_else(String::new, |message| format!("{message}; "));
        let error = error.clone().with_attempts(0).with_message(format!(
            "{said}not asked, since {DEAD_ENDS} scopes of this account failed like this one after the other"
        ));
        while let Some(scope) = self.queue.pop_front() {
            self.fail(scope, &error);
        }
        if matches!(self.outcome.scopes, PartResult::Unfinished) && !self.listing {
            self.outcome.scopes = PartResult::Failed { error: error.clone().into() };
        }
        self.dead = Some(error);
    }

    fn fail(&mut self, scope: Scope, error: &Error) {
        self.progress.scopes_failed += 1;
        let before = self.outcome.units.get(&scope).cloned();
        let standing = UnitStatus::Failed { error: error.clone().into() };
        let outcome = before.map_or_else(
            || UnitOutcome::new(standing.clone()),
            |unit| UnitOutcome { standing: standing.clone(), ..unit },
        );
        self.outcome.units.insert(scope, outcome);
    }

    /// Adds to `checkpoint` where this account stands, but for the pages in hand.
    pub(crate) fn tell(&self, checkpoint: &mut Checkpoint) {
        let unit = |scope: &Scope| WorkUnit::new(self.name.clone(), scope.clone());
        let positions = self.positions.iter().filter(|(_, position)| **position != ListPosition::default());
        checkpoint.positions.extend(positions.map(|(scope, position)| (unit(scope), position.clone())));
        checkpoint.scopes.extend(self.next_scopes.clone().map(|cursor| (self.name.clone(), cursor)));
    }

    pub(crate) fn progress(&self) -> AccountProgress {
        let mut progress = self.progress.clone();
        progress.all_scopes_found = matches!(self.outcome.scopes, PartResult::Done);
        let busy = self.listing || self.walked > 0 || !self.queue.is_empty();
        let more = matches!(self.outcome.scopes, PartResult::Unfinished);
        progress.ended = (!busy && !more).then(|| self.outcome.state());
        if progress.ended.is_none() {
            let only_scopes = self.listing && self.walked == 0;
            let operation = if only_scopes { Operation::ScopesPage } else { Operation::ListPage };
            progress.limiter = self.provider.rate_limiter_state(operation);
        }
        progress
    }
}

/// How many rows that cannot be read are kept of one list.
const MAX_UNREADABLE: usize = 1000;

fn keep(unreadable: &mut Vec<Failure>, error: Error) {
    if unreadable.len() < MAX_UNREADABLE {
        unreadable.push(error.into());
    }
}
