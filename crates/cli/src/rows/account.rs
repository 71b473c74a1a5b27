//! A configured account as a row.

use keymux::{AccountName, Error, ErrorKind, Fact, ProviderId};
use serde::Serialize;

use super::{Cell, Column, Cut, Problem, Row};

#[derive(Debug, Serialize)]
pub(crate) struct AccountRow {
    account: AccountName,
    provider: ProviderId,
    /// Where the credential comes from.
    source: String,
    /// `null`: the vendor was not asked.
    check: Option<Check>,
}

/// What a vendor said about a credential.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// `null`: it could not be told. Only a refusal of the credential, and an account that cannot be set up, say no.
    works: Option<bool>,
    error: Option<Problem>,
}

impl Check {
    pub(crate) fn new(result: &Result<(), Error>) -> Self {
        let works = match result {
            Ok(()) => Some(true),
            Err(error) => match error.kind() {
                ErrorKind::Unauthenticated | ErrorKind::PermissionDenied | ErrorKind::Config => Some(false),
                _ => None,
            },
        };
        Self { works, error: result.as_ref().err().map(Problem::new) }
    }
}

impl AccountRow {
    /// Without a source the account is one of the environment, whose variable is named after the vendor.
    pub(crate) fn new(
        account: AccountName,
        provider: &ProviderId,
        source: Option<String>,
        check: Option<Check>,
    ) -> Self {
        let variable = || format!("the environment variable {}_API_KEY", provider.as_str().to_ascii_uppercase());
        Self { account, provider: provider.clone(), source: source.unwrap_or_else(variable), check }
    }
}

impl Row for AccountRow {
    const TYPE: &'static str = "account";
    const COLUMNS: &'static [Column] = &[
        Column::text("account"),
        Column::text("provider"),
        Column::text("source").cut(Cut::Middle),
        Column::text("check").cut(Cut::Never),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match (column, &self.check) {
            ("account", _) => Cell::text(self.account.as_str()),
            ("provider", _) => Cell::text(self.provider.as_str()),
            ("source", _) => Cell::text(&self.source),
            (_, None) => Fact::Missing,
            (_, Some(check)) => Cell::text(check.error.as_ref().map_or("works", Problem::kind)),
        }
    }
}
