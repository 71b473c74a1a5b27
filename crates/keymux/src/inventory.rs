//! Everything there is: the keys of all scopes of all accounts, and what is known of their completeness.

mod checkpoint;
mod completeness;
mod progress;
mod stream;
mod table;
mod unit;
mod walk;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

pub use checkpoint::Checkpoint;
pub use completeness::{AccountOutcome, AccountState, Completeness, Failure, PartResult, UnitOutcome, UnitStatus};
use keymux_core::{AccountName, ApiKeyProvider, Error, ErrorKind};
pub use progress::AccountProgress;
pub use stream::{Incomplete, Inventory, InventoryStream};
pub use unit::WorkUnit;
use walk::Walk;

use crate::accounts::Accounts;

/// How many scopes of one account are walked at once unless it is told otherwise. Each holds a page of keys at most.
const SCOPES_AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).unwrap(); // the compiler sees that 4 is not 0

/// How many scopes are walked at once in all unless it is told otherwise.
const IN_ALL: NonZeroUsize = NonZeroUsize::new(32).unwrap(); // the compiler sees that 32 is not 0

/// Says of what an inventory is to be made: [`Keymux::inventory`](crate::Keymux::inventory) begins with everything.
#[derive(Debug, Clone)]
#[must_use = "nothing is listed before the stream is polled"]
pub struct InventoryBuilder {
    all: Arc<Accounts>,
    accounts: Option<BTreeSet<AccountName>>,
    skipped: BTreeSet<AccountName>,
    only: Option<BTreeSet<WorkUnit>>,
    except: BTreeSet<WorkUnit>,
    resumed: Option<Checkpoint>,
    at_once: NonZeroUsize,
    in_all: NonZeroUsize,
}

/// The units that an inventory is made of, and which accounts they are known of.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Plan {
    /// The scopes of the accounts, in their order.
    pub units: Vec<WorkUnit>,
    /// What is known before a key was listed: which accounts have told their scopes, and that no scope was walked. Merge
    /// the completeness of each part into it to see whether all of them together are everything.
    pub completeness: Completeness,
}

impl InventoryBuilder {
    pub(crate) fn new(all: Arc<Accounts>) -> Self {
        Self {
            all,
            accounts: None,
            skipped: BTreeSet::new(),
            only: None,
            except: BTreeSet::new(),
            resumed: None,
            at_once: SCOPES_AT_ONCE,
            in_all: IN_ALL,
        }
    }

    /// Walks these accounts alone; the others are skipped.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = AccountName>) -> Self {
        self.accounts.get_or_insert_default().extend(accounts);
        self
    }

    /// Leaves an account out. It stays in the completeness, as skipped.
    pub fn skip(mut self, account: AccountName) -> Self {
        self.skipped.insert(account);
        self
    }

    /// Walks these units alone, and looks for no others. The other accounts are skipped.
    pub fn only(mut self, units: impl IntoIterator<Item = WorkUnit>) -> Self {
        self.only.get_or_insert_default().extend(units);
        self
    }

    /// Leaves these units out. They stay in the completeness, as skipped.
    pub fn except(mut self, units: impl IntoIterator<Item = WorkUnit>) -> Self {
        self.except.extend(units);
        self
    }

    /// Goes on where another inventory stood, with its choice of accounts and units. What failed is tried again, from
    /// where it failed.
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.resumed = Some(checkpoint);
        self
    }

    /// How many scopes of one account are walked at once, each with one call under way or one page in hand. Default 4.
    pub fn with_concurrency(mut self, scopes: NonZeroUsize) -> Self {
        self.at_once = scopes;
        self
    }

    /// How many scopes are walked at once in all. Every account may walk one, whatever the others do. Default 32.
    pub fn with_total_concurrency(mut self, scopes: NonZeroUsize) -> Self {
        self.in_all = scopes;
        self
    }

    /// Begins the inventory; nothing is sent before the stream is polled.
    ///
    /// Errors are [`ErrorKind::Config`]: no account at all, an account that does not exist, a checkpoint of other
    /// accounts or beside a choice of one's own.
    pub fn stream(self) -> Result<InventoryStream, Error> {
        let (at_once, in_all) = (self.at_once.get(), self.in_all.get());
        let except = self.resumed.as_ref().map_or_else(|| self.except.clone(), |checkpoint| checkpoint.except.clone());
        Ok(InventoryStream::new(self.walks()?, except, at_once, in_all))
    }

    /// Lists the units and no key: the scopes of each account. Errors are those of [`stream`](Self::stream); an account
    /// whose scopes cannot be listed is told in the plan's completeness.
    pub async fn units(self) -> Result<Plan, Error> {
        let completeness = self.stream()?.find_scopes().await;
        let units = completeness.accounts().flat_map(|(name, account)| {
            let left = account.units().filter(|(_, unit)| matches!(unit.standing, UnitStatus::Unfinished));
            left.map(|(scope, _)| WorkUnit::new(name.clone(), scope.clone()))
        });
        Ok(Plan { units: units.collect(), completeness })
    }

    fn walks(self) -> Result<Vec<Walk>, Error> {
        let config = |message: &str| Err(Error::new(ErrorKind::Config).with_message(message));
        if self.all.by_name.is_empty() {
            return config("there are no accounts to make an inventory of; add one, or set a credential");
        }
        let units = self.only.iter().flatten().chain(&self.except).map(WorkUnit::account);
        for name in self.accounts.iter().flatten().chain(&self.skipped).chain(units) {
            self.all.get(name)?;
        }
        if let Some(checkpoint) = &self.resumed {
            if self.accounts.is_some() || self.only.is_some() || !(self.skipped.is_empty() && self.except.is_empty()) {
                return config("a checkpoint has its own choice of accounts and units; resume it without another");
            }
            checkpoint.check(&self.all)?;
        }
        let walk = |(name, provider): (&AccountName, &Arc<dyn ApiKeyProvider>)| {
            let walk = Walk::new(name.clone(), Arc::clone(provider), self.all.broken.get(name));
            if let Some(checkpoint) = &self.resumed {
                return walk.resumed(checkpoint);
            }
            let chosen = self.accounts.as_ref().is_none_or(|accounts| accounts.contains(name));
            if self.skipped.contains(name) || !chosen {
                return walk.skipped();
            }
            let of_this = |units: &BTreeSet<WorkUnit>| {
                let units = units.iter().filter(|unit| unit.account() == name);
                units.map(|unit| unit.scope().clone()).collect::<BTreeSet<_>>()
            };
            let except = of_this(&self.except);
            match self.only.as_ref().map(of_this) {
                None => walk.whole(except),
                Some(only) if only.is_empty() => walk.skipped(),
                Some(only) => walk.only(only, except),
            }
        };
        Ok(self.all.by_name.iter().map(walk).collect())
    }
}
