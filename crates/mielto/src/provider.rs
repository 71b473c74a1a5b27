//! Mielto as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, Decoded, DriftKind, Error, Fact, Field, KeyAddress, KeyKind, KeyRecord, KeyState, Notes,
    Permission, ProviderId, ProviderInfo, Status, TimeForm, resolve_time,
};

use crate::client::Client;
use crate::wire::{ApiKey, ApiKeyId, KeyStatus};

pub(crate) const ID: ProviderId = ProviderId::new("mielto");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Mielto", ["api_key_id"]).with_fields([
        Field::Name,
        Field::CreatedAt,
        Field::UpdatedAt,
        Field::LastUsedAt,
        Field::ExpiresAt,
        Field::OwnerWorkspace,
        Field::OwnerCreator,
        Field::Permissions,
        Field::IpAllowlist,
    ])
});

/// What Mielto is and can say; no client is needed to ask.
#[must_use]
pub fn provider_info() -> &'static ProviderInfo {
    &INFO
}

#[async_trait]
impl ApiKeyProvider for Client {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let id: ApiKeyId = address.one(&ID)?;
        let decoded = self.fetch_api_key(&id).await?;
        Ok(record(address.clone(), &id, decoded, self.now()))
    }
}

fn record(address: KeyAddress, id: &ApiKeyId, decoded: Decoded<ApiKey>, now: Timestamp) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = Notes::of(drift);
    if key.id.known().is_some_and(|answered| answered != id) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    notes.not_null("id", &key.id);
    notes.required("key", &key.key);
    notes.required("label", &key.label);
    notes.required("workspace_id", &key.workspace_id);
    notes.not_null("status", &key.status);
    let mut time = |fact, path| resolve_time(fact, path, TimeForm::Text, &mut notes);
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.label.clone();
    record.created_at = time(&key.created_at, "created_at");
    record.updated_at = time(&key.updated_at, "updated_at");
    record.last_used_at = time(&key.last_used_at, "last_used_at");
    record.expires_at = time(&key.expires_at, "expires_at");
    record.status = status(&key.status, &record.expires_at, now, &mut notes);
    record.owner.workspace = key.workspace_id.clone();
    record.owner.creator = key.created_by.clone();
    let permission = |name: &String| Permission { name: name.clone(), actions: None };
    record.permissions = key.permissions.as_ref().map(|names| names.iter().map(permission).collect());
    record.ip_allowlist = key.ip_whitelist.clone();
    record.of_answer(notes, raw, key)
}

/// Mielto states whether a key is switched on; that it does not work beyond its expiry follows.
fn status(stated: &Fact<KeyStatus>, expires_at: &Fact<Timestamp>, now: Timestamp, notes: &mut Notes) -> Status {
    let expired = expires_at.known().is_some_and(|end| *end <= now);
    match stated {
        // It was there, and was no text: the default does not stand in for it.
        Fact::Missing if notes.mention("status") => Status::stated(KeyState::Unknown, "status"),
        Fact::Known(KeyStatus::Inactive) => Status::stated(KeyState::Disabled, "status"),
        Fact::Known(KeyStatus::Other(text)) => {
            notes.unknown_value("status", text);
            Status::stated(KeyState::Unknown, "status")
        }
        Fact::Known(KeyStatus::Active) | Fact::Missing if expired => Status::derived(
            KeyState::Expired,
            &["status", "expires_at"],
            "the key is switched on, and its time is over",
        ),
        Fact::Known(KeyStatus::Active) => Status::stated(KeyState::Active, "status"),
        Fact::Missing => {
            Status::derived(KeyState::Active, &["status"], "an absent status has the documented default, `active`")
        }
        Fact::Empty | Fact::Unsupported => Status::stated(KeyState::Unknown, "status"),
    }
}
