//! A key that was changed with others, as a row.

use keymux::{Fact, KeyRecord, KeyRef};
use serde::Serialize;

use super::{Cell, Column, Cut, Row, Typed};

#[derive(Debug, Serialize)]
pub(crate) struct UpdatedRow {
    r#ref: String,
    /// The key as the vendor tells of it afterwards.
    key: Typed<KeyRecord>,
}

impl UpdatedRow {
    pub(crate) fn new(key: &KeyRef, record: KeyRecord) -> Self {
        Self { r#ref: key.to_string(), key: Typed::new(KeyRecord::TYPE, record) }
    }
}

impl Row for UpdatedRow {
    const TYPE: &'static str = "updated";
    const COLUMNS: &'static [Column] =
        &[Column::text("ref").cut(Cut::Middle), Column::text("outcome"), Column::text("name")];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "ref" => Cell::text(&self.r#ref),
            "outcome" => Cell::text("updated"),
            _ => self.key.value.cell(column),
        }
    }
}
