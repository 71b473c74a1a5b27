//! Where an inventory stands: to be stored, and resumed here or elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use keymux_core::{AccountName, Cursor, Error, ErrorKind, ListPosition, ProviderId};
use serde::{Deserialize, Serialize};

use super::completeness::{Completeness, UnitStatus, unit_rank};
use super::unit::WorkUnit;
use crate::accounts::Accounts;

/// The form of a checkpoint. One of another form is refused.
const VERSION: u32 = 1;

/// Where an inventory stands. It can be stored with serde, and [resumed](crate::InventoryBuilder::resume) by a `Keymux`
/// with accounts of the same names at the same vendors.
///
/// It holds the completeness so far and, for each scope that was begun, the vendor's cursor; so it grows with the number
/// of scopes, and not with that of keys. It holds no secret. Keys that were given when it was taken are not given again,
/// unless the vendor's list moved in between: then the keys of one page may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Checkpoint {
    version: u32,
    pub(crate) completeness: Completeness,
    /// Of the scopes that were begun and are not done.
    pub(crate) positions: BTreeMap<WorkUnit, ListPosition>,
    /// Where the lists of scopes go on.
    pub(crate) scopes: BTreeMap<AccountName, Cursor>,
    /// The scopes to be left out where they are found.
    pub(crate) except: BTreeSet<WorkUnit>,
}

#[derive(Deserialize)]
struct Stored {
    version: u32,
    completeness: Completeness,
    positions: BTreeMap<WorkUnit, ListPosition>,
    scopes: BTreeMap<AccountName, Cursor>,
    except: BTreeSet<WorkUnit>,
}

impl TryFrom<Stored> for Checkpoint {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { version, completeness, positions, scopes, except } = stored;
        if version != VERSION {
            return Err(format!(
                "the checkpoint is of version {version}, and this build reads version {VERSION}; begin a new inventory"
            ));
        }
        Ok(Self { version, completeness, positions, scopes, except })
    }
}

impl Checkpoint {
    pub(crate) fn new(completeness: Completeness, except: BTreeSet<WorkUnit>) -> Self {
        Self { version: VERSION, completeness, positions: BTreeMap::new(), scopes: BTreeMap::new(), except }
    }

    /// What became of the inventory until then.
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// Where both parts stand together: parts that were walked on several machines.
    ///
    /// The rules are those of [`Completeness::merge`]; a scope goes on where the part stood whose outcome counts.
    pub fn merge(mut self, other: Self) -> Result<Self, Error> {
        for (unit, position) in other.positions {
            let rank = |part: &Completeness| {
                let account = part.accounts.get(unit.account())?;
                account.units.get(unit.scope()).map(unit_rank)
            };
            if !self.positions.contains_key(&unit) || rank(&other.completeness) > rank(&self.completeness) {
                self.positions.insert(unit, position);
            }
        }
        for (account, cursor) in other.scopes {
            let found = |part: &Completeness| part.accounts.get(&account).map(|account| account.units.len());
            if !self.scopes.contains_key(&account) || found(&other.completeness) > found(&self.completeness) {
                self.scopes.insert(account, cursor);
            }
        }
        self.except.extend(other.except);
        self.completeness = self.completeness.merge(other.completeness)?;
        let done = |unit: &WorkUnit| {
            let account = self.completeness.accounts.get(unit.account());
            let outcome = account.and_then(|account| account.units.get(unit.scope()));
            outcome.is_some_and(|outcome| matches!(outcome.standing, UnitStatus::Done))
        };
        self.positions.retain(|unit, _| !done(unit));
        Ok(self)
    }

    /// Refuses accounts that are not those that the checkpoint is of.
    pub(crate) fn check(&self, accounts: &Accounts) -> Result<(), Error> {
        let of = |name: &AccountName, provider: &ProviderId| format!("{name} ({provider})");
        let theirs: Vec<String> =
            self.completeness.accounts().map(|(name, account)| of(name, account.provider())).collect();
        let ours: Vec<String> =
            accounts.by_name.iter().map(|(name, provider)| of(name, provider.info().id())).collect();
        if theirs == ours {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Config).with_message(format!(
            "the checkpoint is of the accounts {}, and here are {}; resume it with the accounts that it was taken of, or \
             begin a new inventory",
            theirs.join(", "),
            ours.join(", ")
        )))
    }
}
