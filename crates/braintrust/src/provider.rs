//! Braintrust as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use keymux_core::{
    ApiKeyProvider, Decoded, DriftKind, Error, Fact, Field, KeyAddress, KeyKind, KeyRecord, Notes, ProviderId,
    ProviderInfo, TimeForm, resolve_time,
};

use crate::client::Client;
use crate::wire::{ApiKey, ApiKeyId};

pub(crate) const ID: ProviderId = ProviderId::new("braintrust");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Braintrust", ["api_key_id"]).with_fields([
        Field::Name,
        Field::Display,
        Field::CreatedAt,
        Field::OwnerUser,
        Field::OwnerUserName,
        Field::OwnerUserEmail,
        Field::OwnerOrganization,
    ])
});

/// What Braintrust is and can say; no client is needed to ask.
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
        Ok(record(address.clone(), &id, decoded))
    }
}

fn record(address: KeyAddress, id: &ApiKeyId, decoded: Decoded<ApiKey>) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = Notes::of(drift);
    if !key.id.as_str().eq_ignore_ascii_case(id.as_str()) {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    notes.required("name", &key.name);
    notes.required("preview_name", &key.preview_name);
    // No field says whether the key works, so that the status stays unknown.
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = key.preview_name.clone();
    record.created_at = resolve_time(&key.created, "created", TimeForm::Text, &mut notes);
    record.owner.user = key.user_id.clone();
    record.owner.user_name = full_name(&key.user_given_name, &key.user_family_name);
    record.owner.user_email = key.user_email.clone();
    record.owner.organization = key.org_id.clone();
    record.of_answer(notes, raw, key)
}

/// Both names, or the one that is known; "none" only if both are said to be none.
fn full_name(given: &Fact<String>, family: &Fact<String>) -> Fact<String> {
    match (given, family) {
        (Fact::Known(given), Fact::Known(family)) => Fact::Known(format!("{given} {family}")),
        (Fact::Known(only), _) | (_, Fact::Known(only)) => Fact::Known(only.clone()),
        (Fact::Empty, Fact::Empty) => Fact::Empty,
        _ => Fact::Missing,
    }
}
