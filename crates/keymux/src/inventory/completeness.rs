//! What became of an inventory: every account and every scope, and whether that is all.

use std::collections::BTreeMap;
use std::fmt;

use keymux_core::{AccountName, Error, ErrorKind, ErrorReport, Operation, ProviderId, ProviderInfo, Scope, Support};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::unit::WorkUnit;

/// What became of an inventory, for each account and each of its scopes.
///
/// It is plain data: it can be stored and read again, those of several machines can be [merged](Self::merge), and it
/// holds no secret. It prints as a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[must_use = "a list of keys is only as good as what is known of its completeness"]
pub struct Completeness {
    pub(crate) accounts: BTreeMap<AccountName, AccountOutcome>,
}

/// What became of one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountOutcome {
    provider: ProviderId,
    pub(crate) scopes: PartResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    narrower: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_listed: Option<String>,
    /// Rows of the list of scopes that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<Failure>,
    #[serde(with = "units")]
    pub(crate) units: BTreeMap<Scope, UnitOutcome>,
}

/// Whether it is known which scopes an account has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartResult {
    /// All are known. At a vendor whose keys live in the account itself, that is the one scope.
    Done,
    /// The vendor cannot list keys.
    Unsupported {
        /// What to do in place of it.
        alternative: String,
    },
    /// The list of scopes broke off, and those before it were found; or the account could not be set up.
    Failed {
        /// Why.
        error: Failure,
    },
    /// The list of scopes is not at its end yet.
    Unfinished,
    /// Only given units were asked for.
    NotAsked,
    /// The account was left out by request.
    Skipped,
}

/// What became of one scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// How it ended, if it did.
    #[serde(flatten)]
    pub standing: UnitStatus,
    /// How many keys were given, in all runs.
    pub records: u64,
    /// How many pages were read, in all runs.
    pub pages: u64,
    /// The rows that could not be read, in all runs: each with its place and why, the first 1,000 of them. With one of
    /// these the scope was walked and is not complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Failure>,
}

/// How a scope ended, if it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnitStatus {
    /// All keys that the vendor lists were given.
    Done,
    /// The list broke off; the keys before that were given.
    Failed {
        /// Why.
        error: Failure,
    },
    /// It was not walked to its end, or not begun.
    Unfinished,
    /// It was left out by request.
    Skipped,
}

/// Why something failed. In JSON it is the error's [report](Error::report).
#[derive(Debug, Clone)]
pub struct Failure(Box<Cause>);

#[derive(Debug, Clone)]
struct Cause {
    report: ErrorReport,
    error: Option<Error>,
}

impl Failure {
    /// What the error tells.
    #[must_use]
    pub fn report(&self) -> &ErrorReport {
        &self.0.report
    }

    /// The error itself, with the vendor's own as its source. `None` once it was stored and read again.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.0.error.as_ref()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Box::new(Cause { report: error.report(), error: Some(error) }))
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        self.0.report == other.0.report
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.report.fmt(f)
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.report.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::new(Cause { report: ErrorReport::deserialize(deserializer)?, error: None })))
    }
}

/// What can be said of an account in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountState {
    /// Every key that the account has was given.
    Done,
    /// Every key that the vendor lists was given, and by the vendor's own rule those are not all.
    Narrower,
    /// The vendor cannot list keys.
    Unsupported,
    /// Something failed: the list of scopes, a scope, or a row of them that could not be read.
    Failed,
    /// Nothing failed, and something was not walked to its end.
    Unfinished,
    /// The account was left out by request.
    Skipped,
}

impl AccountState {
    /// The word: `done`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Narrower => "narrower",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl UnitOutcome {
    pub(crate) fn new(standing: UnitStatus) -> Self {
        Self { standing, records: 0, pages: 0, unreadable: Vec::new() }
    }
}

impl AccountOutcome {
    /// Before anything was sent: what the vendor cannot do is known already.
    pub(crate) fn new(info: &ProviderInfo) -> Self {
        let capabilities = info.capabilities();
        let scopes = match capabilities.support(Operation::ListPage) {
            Support::Unsupported { alternative } => PartResult::Unsupported { alternative: alternative.into_owned() },
            _ => PartResult::Unfinished,
        };
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            provider: info.id().clone(),
            scopes,
            narrower: text(capabilities.narrower_list()),
            not_listed: text(capabilities.not_listed()),
            unreadable: Vec::new(),
            units: BTreeMap::new(),
        }
    }

    /// The vendor.
    #[must_use]
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// The account in one word.
    #[must_use]
    pub fn state(&self) -> AccountState {
        let any = |wanted: fn(&UnitStatus) -> bool| self.units.values().any(|unit| wanted(&unit.standing));
        match &self.scopes {
            PartResult::Skipped => AccountState::Skipped,
            PartResult::Unsupported { .. } => AccountState::Unsupported,
            PartResult::Failed { .. } => AccountState::Failed,
            _ if any(|standing| matches!(standing, UnitStatus::Failed { .. })) => AccountState::Failed,
            _ if !self.unreadable.is_empty() => AccountState::Failed,
            _ if self.units.values().any(|unit| !unit.unreadable.is_empty()) => AccountState::Failed,
            PartResult::Unfinished | PartResult::NotAsked => AccountState::Unfinished,
            PartResult::Done if any(|standing| !matches!(standing, UnitStatus::Done)) => AccountState::Unfinished,
            PartResult::Done if self.narrower.is_some() => AccountState::Narrower,
            PartResult::Done => AccountState::Done,
        }
    }

    /// Whether it is known which scopes the account has.
    #[must_use]
    pub fn scopes(&self) -> &PartResult {
        &self.scopes
    }

    /// Why, by the vendor's own rule, a list is never the whole account, if it is not.
    #[must_use]
    pub fn narrower(&self) -> Option<&str> {
        self.narrower.as_deref()
    }

    /// What the vendor has beside the keys that can be listed: keys of another kind, or of another account.
    #[must_use]
    pub fn not_listed(&self) -> Option<&str> {
        self.not_listed.as_deref()
    }

    /// The scopes that were found, in their order.
    #[must_use]
    pub fn units(&self) -> impl ExactSizeIterator<Item = (&Scope, &UnitOutcome)> {
        self.units.iter()
    }

    /// How many keys were given, in all runs.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.units.values().map(|unit| unit.records).sum()
    }

    fn merge(&mut self, other: Self) {
        if finding_rank(&other.scopes) > finding_rank(&self.scopes) {
            self.scopes = other.scopes;
        }
        self.narrower = self.narrower.take().or(other.narrower);
        self.not_listed = self.not_listed.take().or(other.not_listed);
        if self.unreadable.is_empty() {
            self.unreadable = other.unreadable;
        }
        for (scope, theirs) in other.units {
            match self.units.get_mut(&scope) {
                Some(ours) if unit_rank(&theirs) <= unit_rank(ours) => {}
                Some(ours) => *ours = theirs,
                None => drop(self.units.insert(scope, theirs)),
            }
        }
    }
}

fn finding_rank(scopes: &PartResult) -> u8 {
    match scopes {
        PartResult::Done => 5,
        PartResult::Unsupported { .. } => 4,
        PartResult::Failed { .. } => 3,
        PartResult::Unfinished => 2,
        PartResult::NotAsked => 1,
        PartResult::Skipped => 0,
    }
}

/// Done before done with rows that could not be read, before failed before unfinished before skipped; of two alike the
/// one that gave more.
pub(crate) fn unit_rank(unit: &UnitOutcome) -> (u8, u64) {
    let standing = match unit.standing {
        UnitStatus::Done if unit.unreadable.is_empty() => 4,
        UnitStatus::Done => 3,
        UnitStatus::Failed { .. } => 2,
        UnitStatus::Unfinished => 1,
        UnitStatus::Skipped => 0,
    };
    (standing, unit.records)
}

impl Completeness {
    /// Whether every key of every account was given: all scopes are known and walked to their ends, nothing failed,
    /// nothing was left out, and every vendor lists all that the account has.
    ///
    /// So it is `false` with an account whose vendor cannot list ([`AccountState::Unsupported`]) or lists less than the
    /// account ([`AccountState::Narrower`]), however well the walk went; [`accounts`](Self::accounts) tells which. "Every
    /// key" is every key of the kind that the account's provider looks up: [`AccountOutcome::not_listed`] tells what
    /// there is beside.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.accounts.is_empty() && self.accounts.values().all(|account| account.state() == AccountState::Done)
    }

    /// The accounts, by name.
    #[must_use]
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &AccountOutcome)> {
        self.accounts.iter()
    }

    /// One account.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&AccountOutcome> {
        self.accounts.get(name)
    }

    /// What failed, and why: scopes, accounts (as the unit of the account itself) whose list of scopes broke off, and
    /// each row of either that could not be read.
    pub fn failures(&self) -> impl Iterator<Item = (WorkUnit, &Failure)> {
        self.accounts.iter().flat_map(|(name, account)| {
            let of = |scope: Scope| WorkUnit::new(name.clone(), scope);
            let mut failures: Vec<(WorkUnit, &Failure)> = Vec::new();
            if let PartResult::Failed { error } = &account.scopes {
                failures.push((of(Scope::account()), error));
            }
            failures.extend(account.unreadable.iter().map(|error| (of(Scope::account()), error)));
            for (scope, unit) in &account.units {
                failures.extend(unit.unreadable.iter().map(|error| (of(scope.clone()), error)));
                if let UnitStatus::Failed { error } = &unit.standing {
                    failures.push((of(scope.clone()), error));
                }
            }
            failures
        })
    }

    /// How many keys were given, in all runs.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.accounts.values().map(AccountOutcome::records).sum()
    }

    /// What became of both: of parts that were walked on several machines, or of a plan and its parts.
    ///
    /// Of a scope that is in both, the better outcome counts: done before failed before unfinished before skipped, and of
    /// two alike the one that gave more keys. Likewise for the list of an account's scopes. The order does not matter.
    ///
    /// Two accounts of the same name at different vendors are an error ([`ErrorKind::Config`]).
    pub fn merge(mut self, other: Self) -> Result<Self, Error> {
        for (name, theirs) in other.accounts {
            match self.accounts.get_mut(&name) {
                Some(ours) if ours.provider != theirs.provider => {
                    return Err(Error::new(ErrorKind::Config).with_account(name.clone()).with_message(format!(
                        "the account `{name}` is one of {} here and one of {} there; these are not parts of one inventory",
                        ours.provider, theirs.provider
                    )));
                }
                Some(ours) => ours.merge(theirs),
                None => drop(self.accounts.insert(name, theirs)),
            }
        }
        Ok(self)
    }
}

/// The scopes as a list of objects: JSON has no maps by scope.
mod units {
    use super::{BTreeMap, Deserialize, Deserializer, Scope, Serialize, Serializer, UnitOutcome};

    #[derive(Serialize)]
    struct Told<'a> {
        scope: &'a Scope,
        #[serde(flatten)]
        outcome: &'a UnitOutcome,
    }

    #[derive(Deserialize)]
    struct Read {
        scope: Scope,
        #[serde(flatten)]
        outcome: UnitOutcome,
    }

    pub(super) fn serialize<S: Serializer>(
        units: &BTreeMap<Scope, UnitOutcome>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(units.iter().map(|(scope, outcome)| Told { scope, outcome }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Scope, UnitOutcome>, D::Error> {
        let units = Vec::<Read>::deserialize(deserializer)?;
        Ok(units.into_iter().map(|unit| (unit.scope, unit.outcome)).collect())
    }
}
