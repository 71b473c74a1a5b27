//! A key that nobody has acknowledged, as a row.

use jiff::Timestamp;
use keymux::{AccountName, Fact, KeyRecord, KeyRef, ProviderId, WorkUnit};
use serde::Serialize;

use crate::state::Lease;

use super::{Cell, Column, Cut, Kind, Row};

#[derive(Debug, Serialize)]
pub(crate) struct OrphanRow {
    /// `None`: nobody knows whether the key was made, or where it is.
    r#ref: Option<String>,
    account: AccountName,
    provider: ProviderId,
    /// Where it was made, as `keymux list` takes it.
    scope: String,
    name: Option<String>,
    made_at: Option<Timestamp>,
    /// `lease`: a file of this machine says so. `stamp`: the key says so itself.
    found_by: &'static str,
    /// The id of the lease, which the stamp has too.
    id: String,
    /// The commands that settle it.
    acknowledge: String,
    revoke: Option<String>,
}

impl OrphanRow {
    /// A lease of a run that is over; `key` is where its key is, if that is known.
    pub(crate) fn of_lease(lease: &Lease, key: Option<&KeyRef>) -> Self {
        Self {
            r#ref: key.map(KeyRef::to_string),
            account: lease.account.clone(),
            provider: lease.provider.clone(),
            scope: lease.unit().to_string(),
            name: lease.name.clone(),
            made_at: Some(lease.since),
            found_by: "lease",
            id: lease.id.clone(),
            acknowledge: acknowledge(&key.map_or_else(|| lease.id.clone(), KeyRef::to_string)),
            revoke: key.map(revoke),
        }
    }

    /// A key that bears a stamp which nobody here knows.
    pub(crate) fn of_stamp(record: &KeyRecord, unit: &WorkUnit, id: String) -> Self {
        let key = record.key_ref();
        Self {
            r#ref: Some(key.to_string()),
            account: record.account.clone(),
            provider: record.provider.clone(),
            scope: unit.to_string(),
            name: record.name.known().cloned(),
            made_at: record.created_at.known().copied(),
            found_by: "stamp",
            id,
            acknowledge: acknowledge(&key.to_string()),
            revoke: Some(revoke(&key)),
        }
    }
}

fn acknowledge(what: &str) -> String {
    format!("keymux orphans --acknowledge {what}")
}

fn revoke(key: &KeyRef) -> String {
    format!("keymux revoke {key}")
}

impl Row for OrphanRow {
    const TYPE: &'static str = "orphan";
    const COLUMNS: &'static [Column] = &[
        Column::text("ref").cut(Cut::Middle),
        Column::text("account"),
        Column::text("provider"),
        Column::text("scope"),
        Column::text("name"),
        Column::new("made_at", Kind::Past),
        Column::text("found_by").words(&["lease", "stamp"]),
        Column::text("id"),
        Column::text("acknowledge"),
        Column::text("revoke"),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        let text = |text: &Option<String>| text.clone().map_or(Fact::Missing, Cell::text);
        match column {
            "ref" => text(&self.r#ref),
            "account" => Cell::text(self.account.as_str()),
            "provider" => Cell::text(self.provider.as_str()),
            "scope" => Cell::text(&self.scope),
            "name" => text(&self.name),
            "made_at" => self.made_at.map_or(Fact::Missing, |at| Fact::Known(Cell::Time(at))),
            "found_by" => Cell::text(self.found_by),
            "id" => Cell::text(&self.id),
            "acknowledge" => Cell::text(&self.acknowledge),
            _ => text(&self.revoke),
        }
    }
}
