//! What a vendor says of a plaintext, as a row.

use keymux::{AccountName, Fact, KeyRecord, Refusal, Verdict};
use serde::Serialize;

use super::{Cell, Column, Problem, Row, Typed};

#[derive(Debug, Serialize)]
pub(crate) struct VerdictRow {
    account: AccountName,
    verdict: &'static str,
    /// Why the vendor refuses the key.
    reason: Option<Refusal>,
    /// Why it could not be told.
    error: Option<Typed<Problem>>,
    /// The key, as far as the vendor tells of it.
    key: Option<Typed<KeyRecord>>,
}

impl VerdictRow {
    pub(crate) fn new(account: AccountName, verdict: Verdict) -> Self {
        let row = |verdict, reason, error, key: Option<Box<KeyRecord>>| Self {
            account,
            verdict,
            reason,
            error,
            key: key.map(|key| Typed::new(KeyRecord::TYPE, *key)),
        };
        match verdict {
            Verdict::Valid { record } => row("valid", None, None, record),
            Verdict::Refused { reason, record } => row("refused", Some(reason), None, record),
            Verdict::Inconclusive(error) => {
                row("could_not_tell", None, Some(Typed::new(Problem::TYPE, Problem::new(&error))), None)
            }
            // A verdict that this program does not know lets nobody in.
            _ => row("could_not_tell", None, None, None),
        }
    }
}

impl Row for VerdictRow {
    const TYPE: &'static str = "verdict";
    const COLUMNS: &'static [Column] = &[
        Column::text("account"),
        Column::text("verdict"),
        Column::text("reason"),
        Column::text("ref"),
        Column::text("name"),
        Column::text("status"),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "account" => Cell::text(self.account.as_str()),
            "verdict" => Cell::text(self.verdict),
            "reason" => match (&self.reason, &self.error) {
                (Some(reason), _) => Cell::text(reason.as_str()),
                (None, Some(error)) => Cell::text(error.value.kind()),
                (None, None) => Fact::Empty,
            },
            of_key => self.key.as_ref().map_or(Fact::Missing, |key| key.value.cell(of_key)),
        }
    }
}
