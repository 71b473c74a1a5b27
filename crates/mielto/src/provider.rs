//! Mielto as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    About, ApiKeyProvider, Basis, Capabilities, Change, Cursor, Decoded, DriftKind, Error, ErrorKind, Fact, Field,
    GateState, Grade, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyState, NewKey, Notes, Operation, Page,
    Parameter, Permission, ProviderInfo, Revoked, Scope, Status, Takes, TimeForm, resolve_time,
};

use crate::client::{Client, ID, without_plaintext};
use crate::wire::{ApiKey, ApiKeyId, ApiKeyUpdate, KeyStatus, ListApiKeys, NewApiKey, PageInfo};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Mielto", ["api_key_id"])
        .with_fields([
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
        .with_capabilities(capabilities())
});

/// How many keys a page is asked for: the documented default.
const PAGE_SIZE: u32 = 100;

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    use Takes::{Optional, Required, SetOnly};
    let limits =
        [(Parameter::ExpiresAt, Optional), (Parameter::Permissions, Optional), (Parameter::IpAllowlist, Optional)];
    Capabilities::default()
        .with_native([Get, ListPage, Create])
        .with_native_from(Grade::ClientCode, [Update, Revoke])
        .with_not_listed(
            "the keys of other workspaces, where the credential reaches several; give each an account of its own with \
             `workspace_id`",
        )
        .with_see(About::NotListed, "keymux_mielto::Config::with_workspace_id")
        .with_unsupported(
            ScopesPage,
            "the workspace is the credential's, or that of the account's `workspace_id`; list its keys",
        )
        .with_see(About::Operation(ScopesPage), "keymux_mielto::Config::with_workspace_id")
        .with_unsupported(Register, "Mielto makes every plaintext itself; create a key")
        .with_unsupported(Rotate, "create a key with the same settings, then revoke this one")
        .with_unsupported(Verify, "look the key up by its id: the record's status tells whether it is switched on")
        .with_parameters(Create, [(Parameter::Name, Required), (Parameter::Enabled, Optional)])
        .with_parameters(Create, limits)
        .with_parameters(Update, [(Parameter::Name, SetOnly), (Parameter::Enabled, SetOnly)])
        .with_parameters(Update, limits)
}

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

    /// The cursor is how many keys come before the page. An empty page that says there is more is
    /// [`ErrorKind::Decode`], so that no list is shorter than it says. A key that is deleted while the list is read moves those
    /// behind it up, so that one may be passed over.
    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        scope.none(&INFO)?;
        let skip = cursor.map_or(Ok(0), |cursor| cursor.as_str().parse::<u64>());
        let skip = skip.map_err(|_| invalid("list_page", "the cursor is not one of Mielto's: a number of keys"))?;
        let (answer, page) = self.fetch_api_keys(ListApiKeys { skip: Some(skip), limit: Some(PAGE_SIZE) }).await?;
        if page.rows.is_empty() && says_more(skip, &page.rest) {
            return Err(answer.undecodable("the page says that there is more, and has no rows"));
        }
        let mut notes = Notes::of(page.drift);
        notes.required("total_count", &page.rest.total_count);
        let next = next_skip(skip, page.rows.len(), &page.rest).map(|skip| Cursor::new(skip.to_string()));
        let mut records = Vec::with_capacity(page.rows.len());
        for (index, row) in page.rows.into_iter().enumerate() {
            let Fact::Known(id) = row.value.id.clone() else {
                let reason = format!("row {index} of `data` has no `id`, by which the key is found again");
                return Err(answer.undecodable(&reason));
            };
            records.push(record(KeyAddress::new([id.as_str()])?, &id, row, self.now()));
        }
        Ok(Page::new(records, next, notes.into_drift()))
    }

    /// The issued plaintext is Mielto's `secret` if it gives one, else its `key`.
    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let new = NewApiKey {
            label: key.name.clone().unwrap_or_default(),
            status: key.enabled.map(switched),
            expires_at: key.expires_at,
            permissions: key.permissions.as_deref().map(|names| permissions("create", names)).transpose()?,
            ip_whitelist: key.ip_allowlist.clone(),
            collections: None,
        };
        let (answer, decoded) = self.issue_api_key(&new).await?;
        let mut model = decoded.value.clone();
        let plaintext = model.take_plaintext().ok_or_else(|| without_plaintext(&answer))?;
        let Fact::Known(id) = model.id.clone() else {
            return Err(answer.undecodable("the answer lacks the key's `id`, by which it is found again"));
        };
        // Made of the whole answer: a plaintext that was taken out would be noted as absent.
        let record = record(KeyAddress::new([id.as_str()])?, &id, decoded, self.now());
        Ok(IssuedKey::new(record.with_native(model), plaintext))
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        patch.check(&INFO)?;
        let id: ApiKeyId = address.one(&ID)?;
        let update = ApiKeyUpdate {
            label: patch.name.clone(),
            status: patch.enabled.map(switched),
            expires_at: patch.expires_at,
            permissions: match &patch.permissions {
                Change::Leave => Change::Leave,
                Change::Clear => Change::Clear,
                Change::Set(names) => Change::Set(permissions("update", names)?),
            },
            ip_whitelist: patch.ip_allowlist.clone(),
            collections: Change::Leave,
        };
        let decoded = self.put_api_key(&id, &update).await?;
        Ok(record(address.clone(), &id, decoded, self.now()))
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let id: ApiKeyId = address.one(&ID)?;
        let by_this_attempt = self.remove_api_key(&id).await?;
        Ok(if by_this_attempt { Revoked::new(None) } else { Revoked::by_lost_attempt() })
    }

    fn gate_state(&self, operation: Operation) -> GateState {
        self.pipeline.gate_state(match operation {
            Operation::Get => "get_api_key",
            Operation::ListPage => "list_api_keys",
            Operation::Create => "create_api_key",
            Operation::Update => "update_api_key",
            Operation::Revoke => "delete_api_key",
            other => other.as_str(),
        })
    }
}

/// Where a list goes on behind `received` keys. Mielto promises `total_count` alone, and its own client knows no more.
fn next_skip(skip: u64, received: usize, info: &PageInfo) -> Option<u64> {
    let next = skip.saturating_add(u64::try_from(received).ok()?);
    let ends = received == 0
        || info.has_more == Fact::Known(false)
        || info.total_count.known().is_some_and(|total| next >= *total);
    (!ends).then_some(next)
}

/// Whether a page behind `skip` keys says that keys are there.
fn says_more(skip: u64, info: &PageInfo) -> bool {
    info.has_more.known().copied().unwrap_or_else(|| info.total_count.known().is_some_and(|total| *total > skip))
}

fn invalid(operation: &'static str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest).with_provider(ID).with_operation(operation).with_message(reason)
}

fn switched(on: bool) -> KeyStatus {
    if on { KeyStatus::Active } else { KeyStatus::Inactive }
}

/// Permissions as Mielto takes them: names alone.
fn permissions(operation: &'static str, permissions: &[Permission]) -> Result<Vec<String>, Error> {
    if permissions.iter().any(|permission| permission.actions.is_some()) {
        return Err(invalid(operation, "one of `permissions` has actions; Mielto's are names alone")
            .with_parameter(Parameter::Permissions));
    }
    Ok(permissions.iter().map(|permission| permission.name.clone()).collect())
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
    let unknown = Status { state: KeyState::Unknown, basis: Basis::None };
    match stated {
        // It was there, and was no text: the default does not stand in for it.
        Fact::Missing if notes.was_dropped("status") => unknown,
        Fact::Known(KeyStatus::Inactive) => Status::stated(KeyState::Disabled, "status"),
        Fact::Known(KeyStatus::Other(text)) => {
            notes.unknown_value("status", text);
            Status::stated(KeyState::Unknown, "status")
        }
        Fact::Known(KeyStatus::Active) | Fact::Missing if expired => Status::derived(
            KeyState::Expired,
            &["status", "expires_at"],
            "the key is not switched off, and its time is over",
        ),
        Fact::Known(KeyStatus::Active) => Status::stated(KeyState::Active, "status"),
        Fact::Missing => {
            Status::derived(KeyState::Active, &["status"], "an absent status has the documented default, `active`")
        }
        Fact::Empty | Fact::Unsupported => unknown,
    }
}
