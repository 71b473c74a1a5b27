//! A key's record as a row.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymux::{Action, Basis, DriftKind, Fact, Field, KeyRecord, Permission};
use serde_json::Value;

use super::{Cell, Column, Kind, Row};

/// Every state of a key, by its name.
const STATES: &[&str] = &["active", "disabled", "expired", "exhausted", "revoked", "unknown"];

impl Row for KeyRecord {
    const TYPE: &'static str = "key";
    const COLUMNS: &'static [Column] = &[
        Column::text("ref"),
        Column::text("account"),
        Column::text("provider"),
        Column::new("address", Kind::List),
        Column::text("kind"),
        Column::text("name"),
        Column::text("display"),
        Column::text("status").words(STATES),
        Column::text("status.basis"),
        Column::new("created_at", Kind::Past),
        Column::new("updated_at", Kind::Past).none("never"),
        Column::new("last_used_at", Kind::Past).none("never"),
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
            "name" => text(&self.name),
            "display" => text(&self.display),
            "status" => Cell::text(self.status.state.as_str()),
            "status.basis" => Cell::text(match &self.status.basis {
                Basis::Stated { .. } => "stated",
                Basis::Derived { .. } => "derived",
                _ => "none",
            }),
            "created_at" => time(self.created_at),
            "updated_at" => time(self.updated_at),
            "last_used_at" => time(self.last_used_at),
            "expires_at" => time(self.expires_at),
            "owner.user" => text(&self.owner.user),
            "owner.user_name" => text(&self.owner.user_name),
            "owner.user_email" => text(&self.owner.user_email),
            "owner.organization" => text(&self.owner.organization),
            "owner.workspace" => text(&self.owner.workspace),
            "owner.group" => text(&self.owner.group),
            "owner.customer" => text(&self.owner.customer),
            "owner.creator" => text(&self.owner.creator),
            "permissions" => self.permissions.as_ref().map(|all| Cell::List(all.iter().map(permission).collect())),
            "ip_allowlist" => self.ip_allowlist.clone().map(Cell::List),
            "limits.max_uses" => self.limits.max_uses.map(Cell::Number),
            "limits.uses" => self.limits.uses.map(Cell::Number),
            "metadata" => self.metadata.as_ref().map(|map| Cell::Text(Value::Object(map.clone()).to_string())),
            "drift" if self.drift.is_empty() => Fact::Empty,
            "drift" => Fact::Known(Cell::List(self.drift.iter().map(ToString::to_string).collect())),
            "coverage" => {
                let states: BTreeMap<&str, &str> =
                    Field::ALL.iter().map(|&field| (field.as_str(), self.coverage(field).as_str())).collect();
                Cell::text(serde_json::json!(states).to_string())
            }
            free => {
                let name = free.strip_prefix("metadata.").unwrap_or(free);
                self.metadata.as_ref().and_then(|map| match map.get(name) {
                    Some(Value::String(value)) => Cell::text(value),
                    Some(Value::Null) | None => Fact::Empty,
                    Some(value) => Cell::text(value.to_string()),
                })
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

fn text(fact: &Fact<String>) -> Fact<Cell> {
    fact.clone().map(Cell::Text)
}

fn time(fact: Fact<Timestamp>) -> Fact<Cell> {
    fact.map(Cell::Time)
}

/// As it is given to `--permission`.
fn permission(permission: &Permission) -> String {
    let action = |action: &Action| match action {
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::Delete => "delete",
        _ => "other",
    };
    match &permission.actions {
        Some(actions) => {
            let words: Vec<&str> = actions.iter().map(action).collect();
            format!("{}={}", permission.name, words.join(","))
        }
        None => permission.name.clone(),
    }
}
