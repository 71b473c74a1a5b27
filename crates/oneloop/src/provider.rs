//! Oneloop as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    Action, ApiKeyProvider, Decoded, DriftKind, Error, Fact, Field, KeyAddress, KeyKind, KeyRecord, KeyState, Notes,
    Permission, ProviderId, ProviderInfo, Status, TimeForm, VendorTime, resolve_time,
};

use crate::client::Client;
use crate::wire::{ApiKey, ApiKeyId, ApiKeyScope, WorkspaceId};

pub(crate) const ID: ProviderId = ProviderId::new("oneloop");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Oneloop", ["workspace_id", "key_id"]).with_fields([
        Field::Name,
        Field::Display,
        Field::CreatedAt,
        Field::UpdatedAt,
        Field::LastUsedAt,
        Field::ExpiresAt,
        Field::OwnerWorkspace,
        Field::OwnerCustomer,
        Field::Permissions,
    ])
});

/// What Oneloop is and can say; no client is needed to ask.
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
        let (workspace, id): (WorkspaceId, ApiKeyId) = address.two(&ID)?;
        let decoded = self.fetch_api_key(&workspace, &id).await?;
        Ok(record(address.clone(), &workspace, &id, decoded, self.now()))
    }
}

fn record(
    address: KeyAddress,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
    decoded: Decoded<ApiKey>,
    now: Timestamp,
) -> KeyRecord {
    let Decoded { value: key, drift, raw, .. } = decoded;
    let mut notes = Notes::of(drift);
    if key.id != *id {
        notes.add("id", DriftKind::IdentityMismatch);
    }
    note_required(&key, &mut notes);
    let mut record = KeyRecord::new(&INFO, address, KeyKind::API_KEY);
    record.name = key.name.clone();
    record.display = key.masked_key.clone();
    record.created_at = resolve_time(&key.created_at, "createdAt", TimeForm::Text, &mut notes);
    record.updated_at = resolve_time(&key.updated_at, "updatedAt", TimeForm::Text, &mut notes);
    record.last_used_at = resolve_time(&key.last_used_at, "lastUsedAt", TimeForm::Text, &mut notes);
    record.expires_at = expiry(&key.expires_at, &mut notes);
    record.status = status(&key, &record.expires_at, now);
    record.owner.workspace = Fact::Known(workspace.as_str().to_owned());
    record.owner.customer = key.customer_id.clone();
    record.permissions = key.scopes.as_ref().map(|scopes| permissions(scopes, &mut notes));
    record.of_answer(notes, raw, key)
}

/// All members are documented as present, and five of them as never null.
fn note_required(key: &ApiKey, notes: &mut Notes) {
    notes.required("name", &key.name);
    notes.required("maskedKey", &key.masked_key);
    notes.required("scopes", &key.scopes);
    notes.required("enabled", &key.enabled);
    notes.required("deleted", &key.deleted);
    notes.required("createdAt", &key.created_at);
    notes.required("updatedAt", &key.updated_at);
    notes.present("prefix", &key.prefix);
    notes.present("expiresAt", &key.expires_at);
    notes.present("customerId", &key.customer_id);
    notes.present("lastUsedAt", &key.last_used_at);
    notes.present("billingId", &key.billing_id);
}

/// The documents allow numbers above 0 alone: what 0 would mean, nobody says.
fn expiry(expires_at: &Fact<VendorTime>, notes: &mut Notes) -> Fact<Timestamp> {
    if let Fact::Known(time) = expires_at {
        if time.read().instant.is_some_and(|at| at <= Timestamp::UNIX_EPOCH) {
            notes.unknown_value("expiresAt", &time.to_string());
            return Fact::Missing;
        }
    }
    resolve_time(expires_at, "expiresAt", TimeForm::UnitlessInteger, notes)
}

/// Which of the members goes before which is not documented; what is for good goes first here.
fn status(key: &ApiKey, expires_at: &Fact<Timestamp>, now: Timestamp) -> Status {
    const FROM: &[&str] = &["deleted", "enabled", "expiresAt"];
    match (&key.deleted, &key.enabled) {
        (Fact::Known(true), _) => Status::stated(KeyState::Revoked, "deleted"),
        (_, Fact::Known(false)) => Status::stated(KeyState::Disabled, "enabled"),
        _ if expires_at.known().is_some_and(|end| *end <= now) => {
            Status::derived(KeyState::Expired, &["expiresAt"], "the time of expiry is over")
        }
        (Fact::Known(false), Fact::Known(true)) if !expires_at.is_missing() => {
            Status::derived(KeyState::Active, FROM, "neither deleted nor switched off, and the time is not over")
        }
        _ => Status::derived(KeyState::Unknown, FROM, "the answer lacks what the status follows from"),
    }
}

/// A scope without its name cannot be told.
fn permissions(scopes: &[ApiKeyScope], notes: &mut Notes) -> Vec<Permission> {
    let mut permissions = Vec::with_capacity(scopes.len());
    for (place, scope) in notes.places("scopes").zip(scopes) {
        note_scope(place, scope, notes);
        let Fact::Known(name) = &scope.representation else { continue };
        let actions = [
            (&scope.create, Action::Create),
            (&scope.read, Action::Read),
            (&scope.update, Action::Update),
            (&scope.del, Action::Delete),
        ];
        let allowed = actions.into_iter().filter(|(allowed, _)| **allowed == Fact::Known(true));
        permissions.push(Permission { name: name.clone(), actions: Some(allowed.map(|(_, action)| action).collect()) });
    }
    permissions
}

/// All members of a scope but its id are documented as present, and none as null.
fn note_scope(place: usize, scope: &ApiKeyScope, notes: &mut Notes) {
    let path = |member: &str| format!("scopes.{place}.{member}");
    if matches!(scope.id, Fact::Empty) {
        notes.not_null(&path("id"), &scope.id);
    }
    if scope.representation.known().is_none() {
        notes.required(&path("representation"), &scope.representation);
    }
    for (member, fact) in
        [("create", &scope.create), ("read", &scope.read), ("update", &scope.update), ("del", &scope.del)]
    {
        if fact.known().is_none() {
            notes.required(&path(member), fact);
        }
    }
}
