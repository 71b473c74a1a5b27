//! The record of a key that was just made, with what its answer leaves open.

use keymux::{Fact, IssuedKey, KeyRecord};
use serde::Serialize;

use super::{Cell, Column, Row};

#[derive(Debug, Serialize)]
pub(crate) struct MadeRow {
    #[serde(flatten)]
    record: KeyRecord,
    /// What was asked for, and the answer does not confirm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unconfirmed: Vec<String>,
    /// The member that the plaintext was taken from, where two could be it.
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext_member: Option<String>,
}

impl MadeRow {
    /// `None`: the answer does not tell where the key is.
    pub(crate) fn of(issued: &IssuedKey) -> Option<Self> {
        let record = issued.record.clone()?;
        let plaintext_member = issued.member.as_deref().map(str::to_owned);
        Some(Self { record, unconfirmed: unconfirmed(issued), plaintext_member })
    }
}

/// By name.
pub(crate) fn unconfirmed(issued: &IssuedKey) -> Vec<String> {
    let parameters = issued.unconfirmed.iter().map(|parameter| parameter.as_str().to_owned());
    parameters.chain(issued.unconfirmed_settings.iter().cloned()).collect()
}

impl Row for MadeRow {
    const TYPE: &'static str = KeyRecord::TYPE;
    const COLUMNS: &'static [Column] = KeyRecord::COLUMNS;
    const FREE: Option<&'static str> = KeyRecord::FREE;

    fn cell(&self, column: &str) -> Fact<Cell> {
        self.record.cell(column)
    }
}
