//! A key's record as a row.

use std::collections::BTreeMap;

use keymux::{Basis, DriftKind, Fact, Field, FieldValue, KeyRecord, MetadataValue};

use super::{Cell, Column, Cut, Decimal, Kind, Row};

/// Every state of a key, by its name.
const STATES: &[&str] = &["active", "disabled", "expired", "exhausted", "revoked", "unknown"];

/// The columns of a table where none are chosen.
pub(crate) const SHOWN: &[&str] = &["ref", "name", "status", "expires_at", "last_used_at", "created_at"];

impl Row for KeyRecord {
    const TYPE: &'static str = "key";
    const COLUMNS: &'static [Column] = &[
        Column::text("ref").cut(Cut::Middle),
        Column::text("account"),
        Column::text("provider"),
        Column::new("address", Kind::List),
        Column::text("kind"),
        Column::text("name"),
        Column::text("display"),
        Column::text("status").words(STATES),
        Column::text("status.basis"),
        Column::new("created_at", Kind::Past).spare(),
        Column::new("updated_at", Kind::Past).none("never"),
        Column::new("last_used_at", Kind::Past).none("never").spare(),
        Column::new("expires_at", Kind::Future).none("never"),
        Column::text("owner.user"),
        Column::text("owner.user_name"),
        Column::text("owner.user_email"),
        Column::text("owner.organization"),
        Column::text("owner.workspace"),
        Column::text("owner.group"),
        Column::text("owner.customer"),
        Column::text("owner.creator"),
        Column::new("permissions", Kind::List),
        Column::new("ip_allowlist", Kind::List).none("from anywhere"),
        Column::new("limits.max_uses", Kind::Number).none("no limit"),
        Column::new("limits.uses", Kind::Number),
        Column::text("metadata"),
        Column::new("drift", Kind::List),
        Column::text("coverage"),
    ];
    const FREE: Option<&'static str> = Some("metadata.");

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "ref" => Cell::text(self.key_ref().to_string()),
            "account" => Cell::text(self.account.as_str()),
            "provider" => Cell::text(self.provider.as_str()),
            "address" => Fact::Known(Cell::List(self.address.segments().map(str::to_owned).collect())),
            "kind" => Cell::text(self.kind.as_str()),
            "status" => Cell::text(self.status.state.as_str()),
            "status.basis" => Cell::text(match &self.status.basis {
                Basis::Stated { .. } => "stated",
                Basis::Derived { .. } => "derived",
                _ => "none",
            }),
            "drift" if self.drift.is_empty() => Fact::Empty,
            "drift" => Fact::Known(Cell::List(self.drift.iter().map(ToString::to_string).collect())),
            "coverage" => {
                let states: BTreeMap<&str, &str> =
                    Field::ALL.iter().map(|&field| (field.as_str(), self.coverage(field).as_str())).collect();
                Cell::text(serde_json::json!(states).to_string())
            }
            column => {
                if let Some(&field) = Field::ALL.iter().find(|field| field.as_str() == column) {
                    return self.field(field).map(cell);
                }
                let name = column.strip_prefix("metadata.").unwrap_or(column);
                self.metadata.as_ref().and_then(|members| members.get(name).map_or(Fact::Empty, member))
            }
        }
    }

    fn is_odd(&self, column: &str) -> bool {
        let others = MEMBERS.iter().find(|(name, _)| *name == column).map_or(&[][..], |(_, others)| others);
        self.drift.iter().any(|note| {
            let odd = !matches!(note.kind, DriftKind::RequiredMissing | DriftKind::UnknownField);
            let member = plain(&note.path);
            odd && (member == plain(column) || others.contains(&member.as_str()))
        })
    }
}

/// What vendors call what stands in a column, where they call it otherwise: without case and `_`.
const MEMBERS: &[(&str, &[&str])] = &[
    ("name", &["label"]),
    ("display", &["maskedkey", "previewname", "key", "prefix"]),
    ("created_at", &["created"]),
    ("limits.max_uses", &["verificationlimit"]),
    ("limits.uses", &["verifications"]),
    ("permissions", &["scopes"]),
    ("ip_allowlist", &["ipwhitelist"]),
    ("metadata", &["meta"]),
    ("owner.user", &["userid"]),
    ("owner.user_email", &["useremail"]),
    ("owner.organization", &["orgid"]),
    ("owner.workspace", &["workspaceid"]),
    ("owner.customer", &["customerid"]),
    ("owner.creator", &["createdby"]),
];

fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

fn cell(value: FieldValue<'_>) -> Cell {
    match value {
        FieldValue::Time(at) => Cell::Time(at),
        FieldValue::Number(number) => Cell::Number(number),
        FieldValue::Texts(list) => Cell::List(list.to_vec()),
        // As it is given to `--permission`.
        FieldValue::Permissions(list) => Cell::List(list.iter().map(ToString::to_string).collect()),
        text => Cell::Text(text.to_string()),
    }
}

fn member(value: &MetadataValue) -> Fact<Cell> {
    match value.as_number() {
        Some(digits) => Fact::Known(Cell::Decimal(Decimal(digits.to_owned()))),
        None if value.is_null() => Fact::Empty,
        None => Cell::text(value.as_text()),
    }
}
