//! The keys of an inventory as they come: every account at its own pace, one page in hand for each scope.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use keymux_core::{Cursor, Error, KeyRecord, Page, ScopeInfo};

use super::checkpoint::Checkpoint;
use super::completeness::{Completeness, UnitStatus};
use super::progress::AccountProgress;
use super::unit::WorkUnit;
use super::walk::{Unit, Walk};

/// The keys of an inventory, as they come.
///
/// Each item is a key; an inventory that is not complete ends with the error that says so, [`Incomplete`]. So a loop that
/// handles its items cannot take a part for the whole, and [`completeness`](Self::completeness) tells the outcome of each
/// account and scope, whatever the end.
///
/// - Nothing is sent before it is polled, and everything runs inside the poll: dropping the stream ends every request.
/// - Accounts do not wait for each other, and scopes of one account run side by side, as many as
///   [`with_concurrency`](crate::InventoryBuilder::with_concurrency) says. Keys come in no particular order.
/// - A page is fetched when the one before it is used up, so that memory holds one page for each scope that is walked,
///   however slowly the keys are taken. Requests that are under way make headway only while the stream is polled, and
///   their time limits go on.
/// - A key that comes twice on pages that follow each other, because the list moved, is given once. A key that two
///   accounts see is given for both.
#[must_use = "nothing is listed before the stream is polled"]
pub struct InventoryStream {
    walks: Vec<Walk>,
    except: BTreeSet<WorkUnit>,
    at_once: usize,
    in_all: usize,
    /// How many scopes are walked.
    walked: usize,
    /// What is under way.
    calls: FuturesUnordered<Pin<Box<dyn Future<Output = Came> + Send>>>,
    /// Scopes with a page in hand.
    hands: VecDeque<Box<Unit>>,
    /// Whether something may be begun.
    stale: bool,
    /// Whether scopes are walked, or only found.
    planning: bool,
    ended: bool,
}

/// What came of a call.
enum Came {
    Scopes { account: usize, cursor: Option<Cursor>, page: Result<Page<ScopeInfo>, Error> },
    Keys { unit: Box<Unit>, page: Option<Result<(), Error>> },
}

/// A whole inventory: the keys, and that they are all.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inventory {
    /// The keys, in no particular order.
    pub records: Vec<KeyRecord>,
    /// What became of each account and scope; it is complete.
    pub completeness: Completeness,
}

/// An inventory that is not complete: what there is of it, and what became of each account and scope.
#[derive(Debug)]
#[non_exhaustive]
pub struct Incomplete {
    /// The keys that were [collected](InventoryStream::collect). None where the stream has handed them out.
    pub records: Vec<KeyRecord>,
    /// What became of each account and scope; it is not complete.
    pub completeness: Completeness,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inventory is not complete: ")?;
        let odd = self.completeness.accounts().filter(|(_, account)| account.state().as_str() != "done");
        for (index, (name, account)) in odd.enumerate() {
            write!(f, "{}{name} is {}", if index > 0 { ", " } else { "" }, account.state())?;
        }
        if let Some((unit, failure)) = self.completeness.failures().next() {
            write!(f, "; {unit}: {failure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Incomplete {
    /// The first of the failures, if there is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let error = self.completeness.failures().find_map(|(_, failure)| failure.error())?;
        Some(error)
    }
}

impl InventoryStream {
    pub(crate) fn new(walks: Vec<Walk>, except: BTreeSet<WorkUnit>, at_once: usize, in_all: usize) -> Self {
        Self {
            walks,
            except,
            at_once,
            in_all,
            walked: 0,
            calls: FuturesUnordered::new(),
            hands: VecDeque::new(),
            stale: true,
            planning: false,
            ended: false,
        }
    }

    /// The next key, or, at the end, that it was not everything. `None`: the end.
    ///
    /// Dropping the future loses nothing: the next call goes on.
    pub async fn next(&mut self) -> Option<Result<KeyRecord, Incomplete>> {
        std::future::poll_fn(|context| self.poll_key(context)).await
    }

    /// All keys at once, with the completeness: in the one case it is complete, in the other an error that has both
    /// halves as well. A million keys are a million records in memory.
    pub async fn collect(mut self) -> Result<Inventory, Incomplete> {
        let mut records = Vec::new();
        while let Some(key) = self.next().await {
            match key {
                Ok(record) => records.push(record),
                Err(incomplete) => return Err(Incomplete { records, completeness: incomplete.completeness }),
            }
        }
        Ok(Inventory { records, completeness: self.completeness() })
    }

    /// What became of each account and scope until now. It is complete only at the end.
    pub fn completeness(&self) -> Completeness {
        let accounts = self.walks.iter().map(|walk| (walk.name.clone(), walk.outcome.clone()));
        let mut completeness = Completeness { accounts: accounts.collect() };
        for unit in &self.hands {
            if let Some(account) = completeness.accounts.get_mut(&self.walks[unit.account].name) {
                account.units.insert(unit.scope.clone(), unit.outcome(UnitStatus::Unfinished));
            }
        }
        completeness
    }

    /// Where the inventory stands: the keys that were given are behind it.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let mut checkpoint = Checkpoint::new(self.completeness(), self.except.clone());
        for walk in &self.walks {
            walk.tell(&mut checkpoint);
        }
        for unit in &self.hands {
            let name = self.walks[unit.account].name.clone();
            checkpoint.positions.insert(WorkUnit::new(name, unit.scope.clone()), unit.keys.position());
        }
        checkpoint
    }

    /// How far each account is, in the order of their names. Cheap: it copies a few numbers for each account.
    #[must_use]
    pub fn progress(&self) -> Vec<AccountProgress> {
        self.walks.iter().map(Walk::progress).collect()
    }

    /// Finds the scopes of all accounts, and walks none.
    pub(crate) async fn find_scopes(mut self) -> Completeness {
        self.planning = true;
        self.begin();
        while let Some(came) = self.calls.next().await {
            self.took(came);
            self.begin();
        }
        self.completeness()
    }

    /// Begins what may be begun.
    fn begin(&mut self) {
        self.stale = false;
        for (account, walk) in self.walks.iter_mut().enumerate() {
            let enough = if self.planning { usize::MAX } else { self.at_once };
            if walk.wants_scopes(enough) {
                let (provider, cursor) = (Arc::clone(&walk.provider), walk.next_scopes());
                self.calls.push(Box::pin(async move {
                    let page = provider.scopes_page(cursor.as_ref()).await;
                    Came::Scopes { account, cursor, page }
                }));
            }
            while !self.planning && (walk.walked == 0 || (walk.walked < self.at_once && self.walked < self.in_all)) {
                let Some(unit) = walk.next_unit(account) else { break };
                self.walked += 1;
                self.calls.push(turn(Box::new(unit)));
            }
        }
    }

    /// Takes in what came.
    fn took(&mut self, came: Came) {
        match came {
            Came::Scopes { account, cursor, page } => {
                self.walks[account].found(cursor.as_ref(), page);
                self.stale = true;
            }
            Came::Keys { unit, page: Some(Ok(())) } => {
                self.walks[unit.account].has_page();
                self.hands.push_back(unit);
            }
            Came::Keys { unit, page } => {
                self.walks[unit.account].ended(&unit, page.and_then(Result::err));
                self.walked -= 1;
                self.stale = true;
            }
        }
    }

    /// The next key of the first page in hand. Where that is used up, the next one is asked for.
    fn in_hand(&mut self, mut unit: Box<Unit>) -> Option<KeyRecord> {
        let walk = &mut self.walks[unit.account];
        let record = unit.keys.next_in_hand();
        if record.is_some() {
            unit.records += 1;
            walk.gave_record();
            self.hands.push_front(unit);
        } else {
            unit.take_unreadable();
            walk.used_page(&unit);
            self.calls.push(turn(unit));
        }
        record
    }

    fn poll_key(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<KeyRecord, Incomplete>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            if self.stale {
                self.begin();
            }
            if let Poll::Ready(Some(came)) = self.calls.poll_next_unpin(context) {
                self.took(came);
                continue;
            }
            if let Some(unit) = self.hands.pop_front() {
                match self.in_hand(unit) {
                    Some(record) => return Poll::Ready(Some(Ok(record))),
                    None => continue,
                }
            }
            if self.calls.is_empty() {
                self.ended = true;
                let completeness = self.completeness();
                if completeness.is_complete() {
                    return Poll::Ready(None);
                }
                return Poll::Ready(Some(Err(Incomplete { records: Vec::new(), completeness })));
            }
            return Poll::Pending;
        }
    }
}

/// Has the next page of a scope in hand.
fn turn(mut unit: Box<Unit>) -> Pin<Box<dyn Future<Output = Came> + Send>> {
    Box::pin(async move {
        let page = unit.keys.next_page().await;
        Came::Keys { unit, page }
    })
}

impl Stream for InventoryStream {
    type Item = Result<KeyRecord, Incomplete>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_key(context)
    }
}

impl fmt::Debug for InventoryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InventoryStream")
            .field("accounts", &self.walks.len())
            .field("walked", &self.walked)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
