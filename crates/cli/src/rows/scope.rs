//! A group or a workspace as a row.

use keymux::{AccountName, Fact, ProviderId, Scope, ScopeInfo};
use serde::Serialize;

use super::{Cell, Column, Cut, Kind, Row};

#[derive(Debug, Serialize)]
pub(crate) struct ScopeRow {
    /// As `keymux list` takes it.
    r#ref: String,
    account: AccountName,
    provider: ProviderId,
    scope: Scope,
    name: Option<String>,
}

impl ScopeRow {
    pub(crate) fn new(account: AccountName, provider: ProviderId, info: ScopeInfo) -> Self {
        Self { r#ref: format!("{account}:{}", info.scope), account, provider, scope: info.scope, name: info.name }
    }
}

impl Row for ScopeRow {
    const TYPE: &'static str = "scope";
    const COLUMNS: &'static [Column] = &[
        Column::text("ref").cut(Cut::Middle),
        Column::text("account"),
        Column::text("provider"),
        Column::new("scope", Kind::List),
        Column::text("name"),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "ref" => Cell::text(&self.r#ref),
            "account" => Cell::text(self.account.as_str()),
            "provider" => Cell::text(self.provider.as_str()),
            "scope" => Fact::Known(Cell::List(self.scope.segments().map(str::to_owned).collect())),
            _ => self.name.clone().map_or(Fact::Missing, Cell::text),
        }
    }
}
