//! How far an inventory is: a line for each account.

use std::fmt;

use keymux_core::{AccountName, ProviderId};

use super::completeness::AccountState;

/// How far one account of an inventory is. Prints as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            ended: None,
        }
    }
}

impl fmt::Display for AccountProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, records, pages, scopes_found, scopes_done, scopes_failed, .. } = self;
        let more = if self.all_scopes_found { "" } else { "+" };
        write!(f, "{account}: {records} keys on {pages} pages, {scopes_done} of {scopes_found}{more} scopes done")?;
        if *scopes_failed > 0 {
            write!(f, ", {scopes_failed} failed")?;
        }
        write!(f, ", {}", self.ended.map_or("walking", AccountState::as_str))
    }
}
