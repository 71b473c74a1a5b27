//! The JSON form of a record: values or `null`, beside the coverage that tells the nulls apart.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Field, KeyKind, KeyRecord, Limits, Owner, Permission, Status};
use crate::address::KeyAddress;
use crate::drift::Drift;
use crate::fact::{Fact, FactState};
use crate::metadata::Metadata;
use crate::names::{AccountName, ProviderId};

/// Every part of a record but the native model: what is printed, compared and written.
#[derive(Debug, PartialEq)]
pub(super) struct Parts<'a> {
    account: &'a AccountName,
    provider: &'a ProviderId,
    address: &'a KeyAddress,
    kind: &'a KeyKind,
    name: &'a Fact<String>,
    display: &'a Fact<String>,
    status: &'a Status,
    created_at: &'a Fact<Timestamp>,
    updated_at: &'a Fact<Timestamp>,
    last_used_at: &'a Fact<Timestamp>,
    expires_at: &'a Fact<Timestamp>,
    owner: &'a Owner,
    permissions: &'a Fact<Vec<Permission>>,
    ip_allowlist: &'a Fact<Vec<String>>,
    limits: &'a Limits,
    metadata: &'a Fact<Metadata>,
    drift: &'a [Drift],
    raw: &'a Option<Value>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(record: &'a KeyRecord) -> Self {
        Self {
            account: &record.account,
            provider: &record.provider,
            address: &record.address,
            kind: &record.kind,
            name: &record.name,
            display: &record.display,
            status: &record.status,
            created_at: &record.created_at,
            updated_at: &record.updated_at,
            last_used_at: &record.last_used_at,
            expires_at: &record.expires_at,
            owner: &record.owner,
            permissions: &record.permissions,
            ip_allowlist: &record.ip_allowlist,
            limits: &record.limits,
            metadata: &record.metadata,
            drift: &record.drift,
            raw: &record.raw,
        }
    }
}

/// The members of the JSON object, each with its value or `None`.
#[derive(Serialize, Deserialize)]
struct RecordJson {
    account: AccountName,
    provider: ProviderId,
    r#ref: String,
    address: KeyAddress,
    kind: KeyKind,
    name: Option<String>,
    display: Option<String>,
    status: Status,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    owner: OwnerJson,
    permissions: Option<Vec<Permission>>,
    ip_allowlist: Option<Vec<String>>,
    limits: LimitsJson,
    metadata: Option<Metadata>,
    drift: Vec<Drift>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<Value>,
    coverage: BTreeMap<String, FactState>,
}

#[derive(Serialize, Deserialize)]
struct OwnerJson {
    user: Option<String>,
    user_name: Option<String>,
    user_email: Option<String>,
    organization: Option<String>,
    workspace: Option<String>,
    group: Option<String>,
    customer: Option<String>,
    creator: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct LimitsJson {
    max_uses: Option<u64>,
    uses: Option<u64>,
}

impl Serialize for KeyRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn value<T: Clone>(fact: &Fact<T>) -> Option<T> {
            fact.known().cloned()
        }
        let record = self.clone();
        RecordJson {
            r#ref: record.key_ref().to_string(),
            account: record.account,
            provider: record.provider,
            address: record.address,
            kind: record.kind,
            name: record.name.into_known(),
            display: record.display.into_known(),
            status: record.status,
            created_at: record.created_at.into_known(),
            updated_at: record.updated_at.into_known(),
            last_used_at: record.last_used_at.into_known(),
            expires_at: record.expires_at.into_known(),
            owner: OwnerJson {
                user: value(&record.owner.user),
                user_name: value(&record.owner.user_name),
                user_email: value(&record.owner.user_email),
                organization: value(&record.owner.organization),
                workspace: value(&record.owner.workspace),
                group: value(&record.owner.group),
                customer: value(&record.owner.customer),
                creator: value(&record.owner.creator),
            },
            permissions: record.permissions.into_known(),
            ip_allowlist: record.ip_allowlist.into_known(),
            limits: LimitsJson { max_uses: value(&record.limits.max_uses), uses: value(&record.limits.uses) },
            metadata: record.metadata.into_known(),
            drift: record.drift,
            raw: record.raw,
            coverage: coverage(self),
        }
        .serialize(serializer)
    }
}

/// The state of every field, and of `owner` and `limits` as the best state of their members.
fn coverage(record: &KeyRecord) -> BTreeMap<String, FactState> {
    fn better(one: FactState, other: FactState) -> FactState {
        let rank = |state| match state {
            FactState::Known => 3,
            FactState::Empty => 2,
            FactState::Missing => 1,
            FactState::Unsupported => 0,
        };
        if rank(other) > rank(one) { other } else { one }
    }
    let mut coverage = BTreeMap::new();
    for &field in Field::ALL {
        let state = record.coverage(field);
        coverage.insert(field.as_str().to_owned(), state);
        if let Some((parent, _)) = field.as_str().split_once('.') {
            let parent = coverage.entry(parent.to_owned()).or_insert(FactState::Unsupported);
            *parent = better(*parent, state);
        }
    }
    coverage
}

impl<'de> Deserialize<'de> for KeyRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = RecordJson::deserialize(deserializer)?;
        let mut facts = Facts { coverage: json.coverage, wrong: None };
        let record = Self {
            account: json.account,
            provider: json.provider,
            address: json.address,
            kind: json.kind,
            name: facts.join(Field::Name, json.name),
            display: facts.join(Field::Display, json.display),
            status: json.status,
            created_at: facts.join(Field::CreatedAt, json.created_at),
            updated_at: facts.join(Field::UpdatedAt, json.updated_at),
            last_used_at: facts.join(Field::LastUsedAt, json.last_used_at),
            expires_at: facts.join(Field::ExpiresAt, json.expires_at),
            owner: Owner {
                user: facts.join(Field::OwnerUser, json.owner.user),
                user_name: facts.join(Field::OwnerUserName, json.owner.user_name),
                user_email: facts.join(Field::OwnerUserEmail, json.owner.user_email),
                organization: facts.join(Field::OwnerOrganization, json.owner.organization),
                workspace: facts.join(Field::OwnerWorkspace, json.owner.workspace),
                group: facts.join(Field::OwnerGroup, json.owner.group),
                customer: facts.join(Field::OwnerCustomer, json.owner.customer),
                creator: facts.join(Field::OwnerCreator, json.owner.creator),
            },
            permissions: facts.join(Field::Permissions, json.permissions),
            ip_allowlist: facts.join(Field::IpAllowlist, json.ip_allowlist),
            limits: Limits {
                max_uses: facts.join(Field::LimitsMaxUses, json.limits.max_uses),
                uses: facts.join(Field::LimitsUses, json.limits.uses),
            },
            metadata: facts.join(Field::Metadata, json.metadata),
            drift: json.drift,
            raw: json.raw,
            native: None,
        };
        if let Some(field) = facts.wrong {
            return Err(D::Error::custom(format!("the value of `{field}` and its `coverage` contradict each other")));
        }
        if record.key_ref().to_string() != json.r#ref {
            return Err(D::Error::custom("`ref` is not made of `account` and `address`"));
        }
        Ok(record)
    }
}

/// Joins values with their coverage, and remembers the first contradiction.
struct Facts {
    coverage: BTreeMap<String, FactState>,
    wrong: Option<Field>,
}

impl Facts {
    fn join<T: DeserializeOwned>(&mut self, field: Field, value: Option<T>) -> Fact<T> {
        match (self.coverage.get(field.as_str()), value) {
            (Some(FactState::Known), Some(value)) => Fact::Known(value),
            (Some(FactState::Empty), None) => Fact::Empty,
            (Some(FactState::Missing), None) => Fact::Missing,
            (Some(FactState::Unsupported), None) => Fact::Unsupported,
            _ => {
                self.wrong.get_or_insert(field);
                Fact::Missing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::DriftKind;
    use crate::info::ProviderInfo;
    use crate::record::{Action, KeyState};

    fn record() -> KeyRecord {
        let info =
            ProviderInfo::new(crate::ProviderId::new("acme"), "Acme", ["id"]).with_fields(Field::ALL.iter().copied());
        KeyRecord::new(&info, KeyAddress::new(["a/b"]).unwrap(), KeyKind::API_KEY)
    }

    /// A record with every field in `state`, where `known` stands for a value.
    fn all(state: FactState) -> KeyRecord {
        fn fact<T>(state: FactState, value: T) -> Fact<T> {
            match state {
                FactState::Known => Fact::Known(value),
                FactState::Empty => Fact::Empty,
                FactState::Missing => Fact::Missing,
                FactState::Unsupported => Fact::Unsupported,
            }
        }
        let text = || fact(state, "text".to_owned());
        let time = || fact(state, "2024-12-03T14:45:53Z".parse().unwrap());
        let mut record = record();
        record.name = text();
        record.display = text();
        record.created_at = time();
        record.updated_at = time();
        record.last_used_at = time();
        record.expires_at = time();
        record.owner = Owner {
            user: text(),
            user_name: text(),
            user_email: text(),
            organization: text(),
            workspace: text(),
            group: text(),
            customer: text(),
            creator: text(),
        };
        let permission = Permission { name: "invoices".to_owned(), actions: Some(vec![Action::Read, Action::Delete]) };
        record.permissions = fact(state, vec![permission]);
        record.ip_allowlist = fact(state, vec!["10.0.0.0/8".to_owned()]);
        record.limits = Limits { max_uses: fact(state, u64::MAX), uses: fact(state, 0) };
        record.metadata = fact(state, Metadata::from_iter([("k", Value::Null), ("n", Value::from(u64::MAX))]));
        record
    }

    #[test]
    fn json_round_trips_every_field_in_every_state() {
        for state in [FactState::Known, FactState::Empty, FactState::Missing, FactState::Unsupported] {
            let mut record = all(state);
            record.status = Status::derived(KeyState::Exhausted, &["a", "b"], "because");
            record.drift = vec![
                Drift::new("x", DriftKind::UnknownField),
                Drift::unknown_value("status", "paused"),
                Drift::new("t", DriftKind::UnitAssumed(crate::TimeUnit::Seconds)),
            ];
            record.raw = Some(serde_json::json!({"a": null}));
            let text = serde_json::to_string(&record).unwrap();
            let back: KeyRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(back, record, "{text}");
            for &field in Field::ALL {
                assert_eq!(back.coverage(field), state, "{field}");
            }
        }
    }

    #[test]
    fn coverage_names_every_field_and_its_parents() {
        let mut record = all(FactState::Unsupported);
        record.owner.group = Fact::Known("g".to_owned());
        let json = serde_json::to_value(&record).unwrap();
        let coverage = json["coverage"].as_object().unwrap();
        assert_eq!(coverage["owner"], "known");
        assert_eq!(coverage["owner.group"], "known");
        assert_eq!(coverage["owner.user"], "unsupported");
        assert_eq!(coverage["limits"], "unsupported");
        for member in json.as_object().unwrap().keys() {
            let always = ["account", "provider", "ref", "address", "kind", "status", "drift", "coverage"];
            assert!(always.contains(&member.as_str()) || coverage.contains_key(member), "{member}");
        }
    }

    #[test]
    fn contradicting_json_is_refused_by_name() {
        for (member, value) in [("name", Value::Null), ("coverage", serde_json::json!({}))] {
            let mut json = serde_json::to_value(all(FactState::Known)).unwrap();
            json[member] = value;
            let error = serde_json::from_value::<KeyRecord>(json).unwrap_err();
            assert!(error.to_string().contains("`name`"), "{error}");
        }
    }
}
