//! Baseten as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use keymux_core::{
    ApiKeyProvider, Decoded, DriftKind, Error, Fact, Field, KeyAddress, KeyKind, KeyRecord, KeyState, Notes,
    ProviderId, ProviderInfo, Status,
};

use crate::client::Client;
use crate::wire::{ApiKey, GroupId, KeyPrefix};

pub(crate) const ID: ProviderId = ProviderId::new("baseten");

/// A key that its group's customer calls the gateway with.
const FEDERATED: KeyKind = KeyKind::new("federated");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Baseten", ["group_id", "api_key_prefix"]).with_fields([
        Field::Name,
        Field::Display,
        Field::OwnerGroup,
    ])
});

/// What Baseten is and can say; no client is needed to ask.
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
        let (group, prefix): (GroupId, KeyPrefix) = address.two(&ID)?;
        let decoded = self.fetch_api_key(&group, &prefix).await?;
        Ok(record(address.clone(), &group, &prefix, decoded))
    }
}

fn record(address: KeyAddress, group: &GroupId, prefix: &KeyPrefix, decoded: Decoded<ApiKey>) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = Notes::of(drift);
    if key.prefix != *prefix {
        notes.add("prefix", DriftKind::IdentityMismatch);
    }
    let mut record = KeyRecord::new(&INFO, address, FEDERATED);
    record.name = key.name.clone();
    record.display = Fact::Known(key.prefix.as_str().to_owned());
    record.status = Status::derived(KeyState::Active, &["prefix"], "a revoked key is not found, and this one is found");
    record.owner.group = Fact::Known(group.as_str().to_owned());
    record.of_answer(notes, raw, key)
}
