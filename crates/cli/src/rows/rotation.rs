//! How far a rotation came, as a row.

use jiff::Timestamp;
use keymux::rotation::{OldKeyEnd, Rotation, Stage};
use keymux::{Fact, KeyRef};
use serde::Serialize;

use super::{Cell, Column, Cut, Row};

#[derive(Debug, Serialize)]
pub(crate) struct RotationRow {
    r#ref: String,
    stage: &'static str,
    /// The successor, once its address is known.
    new_ref: Option<String>,
    /// What became of the old key: `works`, `kept`, `revoked`, `already_gone`, `expires`, `replaced` or `unknown`.
    old_key: &'static str,
    /// When it ends, or until when it is kept.
    until: Option<Timestamp>,
    /// What was asked for of the new key, and the answer does not confirm.
    unconfirmed: Vec<String>,
    /// Keys that earlier tries made, and that are to be revoked yet.
    abandoned: Vec<String>,
    /// Keys that may have been made, and that could not be found, in words.
    orphans: Vec<String>,
}

impl RotationRow {
    pub(crate) fn new(rotation: &Rotation, unconfirmed: Vec<String>) -> Self {
        let native = rotation.plan().method() == keymux::rotation::Method::Native;
        let (old_key, until) = match rotation.stage() {
            Stage::Kept { until, .. } => ("kept", *until),
            Stage::Done { old: OldKeyEnd::Expires(end), .. } => ("expires", Some(*end)),
            Stage::Done { old: OldKeyEnd::AlreadyGone, .. } => ("already_gone", None),
            Stage::Done { old: OldKeyEnd::Replaced, .. } => ("replaced", None),
            Stage::Done { .. } => ("revoked", None),
            Stage::Planned => ("works", None),
            Stage::Making { .. } if native => ("unknown", None),
            _ if native => ("replaced", None),
            _ => ("works", None),
        };
        let account = rotation.old_key().account();
        let named = |abandoned: &keymux::rotation::Abandoned| {
            KeyRef::new(account.clone(), abandoned.address.clone()).to_string()
        };
        Self {
            r#ref: rotation.old_key().to_string(),
            stage: rotation.stage().as_str(),
            new_ref: rotation.new_key().map(|key| key.to_string()),
            old_key,
            until,
            unconfirmed,
            abandoned: rotation.abandoned().iter().map(named).collect(),
            orphans: rotation.orphans().iter().map(ToString::to_string).collect(),
        }
    }
}

impl Row for RotationRow {
    const TYPE: &'static str = "rotation";
    const COLUMNS: &'static [Column] = &[
        Column::text("ref").cut(Cut::Middle),
        Column::text("stage"),
        Column::text("new_ref").cut(Cut::Middle),
        Column::text("old_key"),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "ref" => Cell::text(&self.r#ref),
            "stage" => Cell::text(self.stage),
            "new_ref" => self.new_ref.as_ref().map_or(Fact::Missing, Cell::text),
            _ => Cell::text(self.old_key),
        }
    }
}
