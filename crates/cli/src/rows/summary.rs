//! The end of a listing: how much came, and whether that is all.

use std::collections::BTreeMap;

use keymux::{AccountName, AccountOutcome};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Whether everything that was asked for was given. Filters take nothing from that.
    pub(crate) complete: bool,
    /// Whether a signal ended the listing.
    pub(crate) interrupted: bool,
    /// How many rows were written.
    pub(crate) count: u64,
    /// How many rows more there are that a filter could not judge, since their vendors do not say what it asks for. `None`:
    /// there was no filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unjudged: Option<u64>,
    /// What became of each account and its scopes, where vendors were asked for keys.
    pub(crate) accounts: BTreeMap<AccountName, AccountOutcome>,
    /// The same for eyes.
    #[serde(skip)]
    pub(crate) text: Option<String>,
    /// Without that, for eyes: why accounts are not complete.
    #[serde(skip)]
    pub(crate) reasons: Vec<String>,
}

impl Summary {
    pub(crate) const TYPE: &'static str = "summary";

    pub(crate) fn new(complete: bool, interrupted: bool) -> Self {
        let complete = complete && !interrupted;
        Self {
            complete,
            interrupted,
            count: 0,
            unjudged: None,
            accounts: BTreeMap::new(),
            text: None,
            reasons: Vec::new(),
        }
    }
}
