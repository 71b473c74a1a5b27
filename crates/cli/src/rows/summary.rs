//! The end of a listing: how much came, and whether that is all.

use keymux::{AccountName, Error, Scope};
use serde::Serialize;

use super::Problem;

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Whether everything that was asked for was listed. Filters take nothing from that.
    pub(crate) complete: bool,
    /// Whether Ctrl-C ended the listing.
    pub(crate) interrupted: bool,
    /// How many rows were written.
    pub(crate) count: u64,
    /// What became of each account and scope.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Summary {
    pub(crate) const TYPE: &'static str = "summary";

    /// Of a listing that asks no vendor.
    pub(crate) fn local() -> Self {
        Self::new(Vec::new(), false)
    }

    pub(crate) fn new(outcomes: Vec<Outcome>, interrupted: bool) -> Self {
        let complete = !interrupted && outcomes.iter().all(|outcome| outcome.outcome == Ending::Complete);
        Self { complete, interrupted, count: 0, outcomes }
    }
}

/// What became of one account, or of one scope of it.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) account: AccountName,
    /// `null`: the account itself, or its list of scopes.
    pub(crate) scope: Option<Scope>,
    pub(crate) outcome: Ending,
    /// How many rows it gave, before filters.
    pub(crate) count: u64,
    pub(crate) error: Option<Problem>,
}

impl Outcome {
    pub(crate) fn complete(account: AccountName, scope: Option<Scope>, count: u64) -> Self {
        Self { account, scope, outcome: Ending::Complete, count, error: None }
    }

    pub(crate) fn failed(account: AccountName, scope: Option<Scope>, count: u64, error: &Error) -> Self {
        let outcome = match error.kind() {
            keymux::ErrorKind::Unsupported => Ending::Unsupported,
            _ => Ending::Failed,
        };
        Self { account, error: Some(Problem::of_scope(scope.clone(), error)), scope, outcome, count }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Complete,
    /// A call failed; what came before it was written.
    Failed,
    /// The vendor has no such list.
    Unsupported,
    /// Ctrl-C came first.
    Interrupted,
}
