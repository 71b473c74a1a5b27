//! A key that was revoked, as a row.

use keymux::{Fact, KeyRecord, KeyRef, Revoked};
use serde::Serialize;

use super::{Cell, Column, Cut, Row, Typed};

#[derive(Debug, Serialize)]
pub(crate) struct RevokedRow {
    r#ref: String,
    /// The first answer was lost, and a repeat found no key: it is taken for revoked.
    after_lost_answer: bool,
    /// The key as the vendor tells of it at the end, if it does.
    key: Option<Typed<KeyRecord>>,
}

impl RevokedRow {
    pub(crate) fn new(key: &KeyRef, revoked: Revoked) -> Self {
        let record = revoked.record.map(|record| Typed::new(KeyRecord::TYPE, record));
        Self { r#ref: key.to_string(), after_lost_answer: revoked.after_lost_answer, key: record }
    }
}

impl Row for RevokedRow {
    const TYPE: &'static str = "revoked";
    const COLUMNS: &'static [Column] =
        &[Column::text("ref").cut(Cut::Middle), Column::text("outcome"), Column::text("name")];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "ref" => Cell::text(&self.r#ref),
            "outcome" if self.after_lost_answer => Cell::text("revoked: the answer was lost, and the key is gone"),
            "outcome" => Cell::text("revoked"),
            _ => self.key.as_ref().map_or(Fact::Missing, |key| key.value.cell(column)),
        }
    }
}
