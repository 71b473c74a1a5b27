//! A configured account as a row.

use keymux::{AccountName, Error, Fact, ProviderInfo};
use serde::Serialize;

use super::{Cell, Column, Problem, Row};

#[derive(Debug, Serialize)]
pub(crate) struct AccountRow {
    account: AccountName,
    provider: String,
    provider_name: String,
    /// `null`: the vendor was not asked.
    check: Option<Check>,
}

/// What a vendor said about a credential.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    works: bool,
    error: Option<Problem>,
}

impl Check {
    pub(crate) fn new(result: &Result<(), Error>) -> Self {
        Self { works: result.is_ok(), error: result.as_ref().err().map(Problem::new) }
    }
}

impl AccountRow {
    pub(crate) fn new(account: AccountName, info: &ProviderInfo, check: Option<Check>) -> Self {
        Self { account, provider: info.id().to_string(), provider_name: info.name().to_owned(), check }
    }
}

impl Row for AccountRow {
    const TYPE: &'static str = "account";
    const COLUMNS: &'static [Column] =
        &[Column::text("account"), Column::text("provider"), Column::text("provider_name"), Column::text("check")];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match (column, &self.check) {
            ("account", _) => Cell::text(self.account.as_str()),
            ("provider", _) => Cell::text(&self.provider),
            ("provider_name", _) => Cell::text(&self.provider_name),
            (_, None) => Fact::Missing,
            (_, Some(check)) => Cell::text(check.error.as_ref().map_or("works", Problem::kind)),
        }
    }
}
