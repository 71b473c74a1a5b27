//! A request that is not sent, as a row of `--dry-run`.

use std::collections::BTreeMap;

use keymux::{AccountName, Fact, ProviderId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Cell, Column, Cut, Kind, Row};

#[derive(Debug, Serialize)]
pub(crate) struct RequestRow {
    /// The place among the requests, from 1.
    pub(crate) step: u64,
    pub(crate) account: AccountName,
    pub(crate) provider: ProviderId,
    pub(crate) method: String,
    pub(crate) url: String,
    /// Credentials and signatures are masked.
    pub(crate) headers: BTreeMap<String, String>,
    /// As it would be sent, to the digit. `null`: there is none, or it is not known yet.
    pub(crate) body: Option<Box<RawValue>>,
    /// What is not known before the requests that come first are answered.
    pub(crate) note: Option<String>,
}

impl Row for RequestRow {
    const TYPE: &'static str = "request";
    const COLUMNS: &'static [Column] = &[
        Column::new("step", Kind::Number),
        Column::text("account"),
        Column::text("provider"),
        Column::text("method").cut(Cut::Never),
        Column::text("url").cut(Cut::Never),
        Column::new("headers", Kind::List),
        Column::text("body").cut(Cut::Never),
        Column::text("note").cut(Cut::Never),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "step" => Fact::Known(Cell::Number(self.step)),
            "account" => Cell::text(self.account.as_str()),
            "provider" => Cell::text(self.provider.as_str()),
            "method" => Cell::text(&self.method),
            "url" => Cell::text(&self.url),
            "headers" => {
                Fact::Known(Cell::List(self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()))
            }
            "body" => self.body.as_ref().map_or(Fact::Empty, |body| Cell::text(body.get())),
            _ => self.note.as_ref().map_or(Fact::Empty, Cell::text),
        }
    }
}
