//! Datkey as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, Decoded, DriftKind, Error, Fact, Field, KeyAddress, KeyKind, KeyRecord, KeyState, Limits, Notes,
    ProviderId, ProviderInfo, Status, TimeForm, resolve_time,
};

use crate::client::Client;
use crate::wire::{Key, KeyId, KeyText};

pub(crate) const ID: ProviderId = ProviderId::new("datkey");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Datkey", ["id"]).with_fields([
        Field::Name,
        Field::Display,
        Field::CreatedAt,
        Field::UpdatedAt,
        Field::ExpiresAt,
        Field::LimitsMaxUses,
        Field::LimitsUses,
        Field::Metadata,
    ])
});

/// What Datkey is and can say; no client is needed to ask.
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
        let id: KeyId = address.one(&ID)?;
        let decoded = self.fetch_key(&id).await?;
        Ok(record(address.clone(), &id, decoded, self.now()))
    }
}

fn record(address: KeyAddress, id: &KeyId, decoded: Decoded<Key>, now: Timestamp) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = Notes::of(drift);
    if key.id.known().is_some_and(|answered| answered != id) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    note_nulls(&key, &mut notes);
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = display(&key.key, &mut notes);
    record.created_at = resolve_time(&key.created_at, "created_at", TimeForm::Text, &mut notes);
    record.updated_at = resolve_time(&key.updated_at, "updated_at", TimeForm::Text, &mut notes);
    record.expires_at = resolve_time(&key.expires_at, "expires_at", TimeForm::UnixSeconds, &mut notes);
    record.limits.max_uses = key.verification_limit;
    record.limits.uses = key.verifications;
    record.status = status(&record.expires_at, &record.limits, now);
    record.metadata = key.meta.clone();
    record.of_answer(notes, raw, key)
}

/// The documents name a null, or show one, in four members alone: `prefix`, `meta`, `expires_at`,
/// `verification_limit`.
fn note_nulls(key: &Key, notes: &mut Notes) {
    notes.not_null("id", &key.id);
    notes.not_null("api_id", &key.api_id);
    notes.not_null("name", &key.name);
    notes.not_null("key", &key.key);
    notes.not_null("length", &key.length);
    notes.not_null("verifications", &key.verifications);
    notes.not_null("created_at", &key.created_at);
    notes.not_null("updated_at", &key.updated_at);
}

/// The masked text; what does not look masked is not shown.
fn display(text: &Fact<KeyText>, notes: &mut Notes) -> Fact<String> {
    text.as_ref().and_then(|text| match text {
        KeyText::Masked(masked) => Fact::Known(masked.clone()),
        KeyText::Unmasked(_) => {
            notes.add("key", DriftKind::NotMasked);
            Fact::Missing
        }
    })
}

/// Datkey has no status: a key works while its time is not over and its verifications are not used up. It is unknown
/// where either cannot be told.
fn status(expires_at: &Fact<Timestamp>, limits: &Limits, now: Timestamp) -> Status {
    const FROM: &[&str] = &["expires_at", "verification_limit", "verifications"];
    if expires_at.known().is_some_and(|end| *end <= now) {
        return Status::derived(KeyState::Expired, &["expires_at"], "the time of expiry is over");
    }
    let exhausted = match (&limits.max_uses, &limits.uses) {
        (Fact::Known(max), Fact::Known(uses)) => Some(uses >= max),
        (Fact::Empty, _) => Some(false),
        _ => None,
    };
    match exhausted {
        Some(true) => Status::derived(
            KeyState::Exhausted,
            &["verification_limit", "verifications"],
            "all verifications are used up",
        ),
        Some(false) if !expires_at.is_missing() => {
            Status::derived(KeyState::Active, FROM, "neither is the time over nor are the verifications used up")
        }
        _ => Status::derived(KeyState::Unknown, FROM, "the answer lacks what the status follows from"),
    }
}
