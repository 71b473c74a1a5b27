//! Oneloop as one of many: its model turned into the record that all vendors share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    Action, ApiKeyProvider, Capabilities, Change, Cursor, Decoded, Drift, DriftKind, DriftNotes, Error, ErrorKind,
    Fact, Field, Grade, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyRows, KeyState, Likeness, Metadata,
    MetadataValue, NewKey, Operation, Page, Parameter, ParameterSupport, Permission, ProviderInfo, RateLimiterState,
    Refusal, Revoked, Scope, ScopeInfo, SecretString, Status, TimeForm, TimeUnit, Untold, Verdict, VerifyRequest,
    resolve_time,
};

use serde_json::Value;

use crate::client::{Client, FIND_OUT, ID, Issued, Made, Removed};
use crate::wire::{
    ApiKey, ApiKeyEdit, ApiKeyId, ApiKeyScope, MigratedApiKey, NewApiKey, ScopeGrant, VerifyOptions, VerifyStatus,
    Workspace, WorkspaceId,
};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Oneloop", ["workspace_id", "key_id"])
        .with_fields([
            Field::Name,
            Field::Display,
            Field::CreatedAt,
            Field::UpdatedAt,
            Field::LastUsedAt,
            Field::OwnerWorkspace,
            Field::OwnerCustomer,
            Field::Permissions,
        ])
        // The number is documented; which instant it is, no document says.
        .with_fields_from(Grade::Inferred, [Field::ExpiresAt])
        .with_capabilities(capabilities())
});

/// The setting that only Oneloop has: the meter that a key's use counts on.
const METER: &str = "externalMeterId";

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    use ParameterSupport::{Optional, Required, SetOnly};
    let common = [
        (Parameter::Scope, Required),
        (Parameter::Name, Required),
        (Parameter::Permissions, Required),
        (Parameter::Customer, Required),
        (Parameter::Enabled, Optional),
        (Parameter::Metadata, Optional),
    ];
    Capabilities::default()
        .with_native([Get, ListPage, ScopesPage, Create, Register, Update, Rotate, Verify, Revoke])
        .with_parameters(Create, common)
        .with_parameters(Create, [(Parameter::Prefix, Optional), (Parameter::ExpiresAt, Optional)])
        .with_settings(Create, [METER])
        .with_parameters(Register, common)
        .with_parameters(Verify, [(Parameter::Permissions, Optional)])
        .with_parameters(
            Update,
            [(Parameter::Name, SetOnly), (Parameter::Permissions, SetOnly), (Parameter::Enabled, SetOnly)],
        )
}

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
        Ok(record_of(address.clone(), &workspace, &id, decoded, self))
    }

    async fn list_page(&self, scope: &Scope, _cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let workspace: WorkspaceId = scope.one(&INFO)?;
        Ok(self.fetch_api_keys(&workspace).await?.try_map(|row| self.record(&workspace, row)))
    }

    /// A workspace has one page, which may hold tens of thousands of keys.
    async fn list_rows(&self, scope: &Scope, _cursor: Option<&Cursor>) -> Result<KeyRows, Error> {
        let workspace: WorkspaceId = scope.one(&INFO)?;
        let (page, later) = self.fetch_api_keys_later(&workspace).await?;
        let page = page.try_map(|row| self.record(&workspace, row));
        let client = self.clone();
        let later = later.map(move |row| client.record(&workspace, row?));
        Ok(KeyRows::new(page, later))
    }

    async fn scopes_page(&self, _cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        Ok(self.fetch_workspaces().await?.try_map(|row| {
            let workspace: Workspace = row.value;
            Ok(ScopeInfo::new(Scope::new([workspace.id.as_str()])?, workspace.name.into_known()))
        }))
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let workspace: WorkspaceId = key.scope.one(&INFO)?;
        let new = NewApiKey {
            name: key.name.clone().unwrap_or_default(),
            workspace_id: workspace.clone(),
            scopes: grants(key.permissions.as_deref().unwrap_or_default())?,
            enabled: key.enabled.unwrap_or(true),
            customer_id: key.customer.clone().unwrap_or_default(),
            prefix: key.prefix.clone(),
            expires_at: key.expires_at.map(|at| self.expiry(at)).transpose()?,
            external_meter_id: key.settings.get(METER).map(text).transpose()?,
            metadata: texts(key.metadata.as_ref())?,
        };
        let Issued { id, key: made, plaintext, .. } = self.issue_api_key(&new).await?;
        let Some(id) = id else {
            let draft = ApiKeyId::new("unknown")?;
            return Ok(IssuedKey::without_address(plaintext, FIND_OUT, key, |address| {
                made_record(address, &workspace, &draft, None, made, self)
            }));
        };
        let address = KeyAddress::new([workspace.as_str(), id.as_str()])?;
        Ok(IssuedKey::new(made_record(address, &workspace, &id, None, made, self), plaintext).asked(key))
    }

    /// The prefix is that of Oneloop's own model. Oneloop tells neither the metadata nor the meter of a key.
    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        let mut like = Likeness::of(record, &INFO)?;
        if let Some(key) = record.native::<ApiKey>() {
            if !key.prefix.is_missing() {
                like.key.prefix = key.prefix.known().filter(|prefix| !prefix.is_empty()).cloned();
                like = like.told(Parameter::Prefix.as_str());
            }
            if key.enabled == Fact::Known(true) {
                like = like.told(Parameter::Enabled.as_str());
            }
        }
        Ok(like.with_untold(Untold::lost(METER, "no answer tells on which meter the key's use counts")))
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        key.check(&INFO, Operation::Register)?;
        let workspace: WorkspaceId = key.scope.one(&INFO)?;
        let migrated = MigratedApiKey {
            name: key.name.clone().unwrap_or_default(),
            workspace_id: workspace.clone(),
            scopes: grants(key.permissions.as_deref().unwrap_or_default())?,
            enabled: key.enabled.unwrap_or(true),
            customer_id: key.customer.clone().unwrap_or_default(),
            metadata: texts(key.metadata.as_ref())?,
        };
        self.record(&workspace, self.import_api_key(&migrated, plaintext).await?)
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        patch.check(&INFO)?;
        let (workspace, id): (WorkspaceId, ApiKeyId) = address.two(&ID)?;
        let edit = ApiKeyEdit {
            name: set(&patch.name),
            enabled: set(&patch.enabled),
            scopes: set(&patch.permissions).map(|permissions| grants(&permissions)).transpose()?,
        };
        let decoded = self.patch_api_key(&workspace, &id, &edit).await?;
        Ok(record_of(address.clone(), &workspace, &id, decoded, self))
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        let (workspace, id): (WorkspaceId, ApiKeyId) = address.two(&ID)?;
        let Issued { id: told, key: made, plaintext, .. } = self.reissue_api_key(&workspace, &id).await?;
        let record = made_record(address.clone(), &workspace, &id, told, made, self);
        Ok(IssuedKey::new(record, plaintext))
    }

    /// Oneloop's verdict holds no workspace, so that there is no record with it, and none can be asked for.
    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        request.check(&INFO)?;
        let options = VerifyOptions { requested_scopes: grants(&request.permissions)?, ..VerifyOptions::default() };
        Verdict::of_call(self.verify_api_key(plaintext, &options).await.map_err(Error::from), |result| {
            match refusal(&result.status) {
                None => Verdict::Valid { record: None },
                Some(reason) => Verdict::Refused { reason, record: None },
            }
        })
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let (workspace, id): (WorkspaceId, ApiKeyId) = address.two(&ID)?;
        Ok(match self.remove_api_key(&workspace, &id).await? {
            Removed::Key(decoded) => Revoked::new(Some(record_of(address.clone(), &workspace, &id, *decoded, self))),
            Removed::Untold => Revoked::new(None),
            Removed::ByLostAttempt => Revoked::by_earlier_attempt(),
        })
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.pipeline.rate_limiter_state(match operation {
            Operation::Get => "get_api_key",
            Operation::ListPage => "list_api_keys",
            Operation::ScopesPage => "list_workspaces",
            Operation::Create => "create_api_key",
            Operation::Register => "migrate_api_key",
            Operation::Update => "edit_api_key",
            Operation::Rotate => "rotate_api_key",
            Operation::Verify => "verify_api_key",
            Operation::Revoke => "delete_api_key",
            other => other.as_str(),
        })
    }
}

impl Client {
    /// The record of a key whose id the answer tells.
    fn record(&self, workspace: &WorkspaceId, decoded: Decoded<ApiKey>) -> Result<KeyRecord, Error> {
        let id = decoded.value.id.clone();
        let address = KeyAddress::new([workspace.as_str(), id.as_str()])?;
        Ok(record_of(address, workspace, &id, decoded, self))
    }

    /// An expiry in the unit that the user chose; no document states one.
    fn expiry(&self, at: Timestamp) -> Result<u64, Error> {
        let number = match self.expiry_unit() {
            Some(TimeUnit::Seconds) => at.as_second(),
            Some(TimeUnit::Milliseconds) => at.as_millisecond(),
            None => {
                return Err(invalid(
                    "Oneloop documents no unit for `expires_at`; choose one for the account with `expiry_unit`",
                )
                .with_parameter(Parameter::ExpiresAt)
                .with_see(Cow::Borrowed("keymux_oneloop::Config::with_expiry_unit")));
            }
        };
        let number = u64::try_from(number).ok().filter(|number| *number > 0);
        number.ok_or_else(|| {
            invalid("`expires_at` is not after 1970, and Oneloop takes numbers above 0 alone")
                .with_parameter(Parameter::ExpiresAt)
        })
    }
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest).with_provider(ID).with_message(reason)
}

/// Permissions as Oneloop takes them: with actions, since its scopes say nothing without.
fn grants(permissions: &[Permission]) -> Result<Vec<ScopeGrant>, Error> {
    let grant = |permission: &Permission| {
        let Some(actions) = &permission.actions else {
            return Err(invalid(
                "one of `permissions` has no actions; Oneloop's say which of create, read, update, delete",
            )
            .with_parameter(Parameter::Permissions));
        };
        Ok(ScopeGrant {
            id: None,
            representation: permission.name.clone(),
            create: actions.contains(&Action::Create),
            read: actions.contains(&Action::Read),
            update: actions.contains(&Action::Update),
            del: actions.contains(&Action::Delete),
        })
    };
    permissions.iter().map(grant).collect()
}

/// A setting that is text.
fn text(setting: &Value) -> Result<String, Error> {
    setting.as_str().map(str::to_owned).ok_or_else(|| invalid("`externalMeterId` is not text"))
}

/// Metadata as Oneloop takes it: text by text.
fn texts(metadata: Option<&Metadata>) -> Result<Option<BTreeMap<String, String>>, Error> {
    let text =
        |(name, value): (&str, &MetadataValue)| match value.as_str() {
            Some(text) => Ok((name.to_owned(), text.into_owned())),
            None => Err(invalid("a value of `metadata` is not text; Oneloop takes text alone")
                .with_parameter(Parameter::Metadata)),
        };
    metadata.map(|members| members.iter().map(text).collect()).transpose()
}

fn set<T: Clone>(change: &Change<T>) -> Option<T> {
    match change {
        Change::Set(value) => Some(value.clone()),
        Change::Leave | Change::Clear => None,
    }
}

/// Why a verdict is not "valid".
fn refusal(status: &VerifyStatus) -> Option<Refusal> {
    Some(match status {
        VerifyStatus::Valid => return None,
        VerifyStatus::Expired => Refusal::Expired,
        VerifyStatus::Disabled => Refusal::Disabled,
        VerifyStatus::Deleted => Refusal::Deleted,
        VerifyStatus::RateLimited => Refusal::RateLimited,
        VerifyStatus::UsageLimited => Refusal::UsageExceeded,
        VerifyStatus::InvalidScopes => Refusal::InsufficientScope,
        VerifyStatus::Invalid => Refusal::NoSuchKey,
        VerifyStatus::Other(_) => Refusal::Unknown,
    })
}

/// The record of a key that was just made or rotated. `told` is the id in the answer to a rotation of `id`.
fn made_record(
    address: KeyAddress,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
    told: Option<ApiKeyId>,
    made: Made,
    client: &Client,
) -> KeyRecord {
    let (key, ()) = made.value.with_id(told.unwrap_or_else(|| id.clone()));
    record_with(address, workspace, id, (key, made.drift, made.raw), client)
}

fn record_of(
    address: KeyAddress,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
    decoded: Decoded<ApiKey>,
    client: &Client,
) -> KeyRecord {
    let Decoded { value, drift, raw, .. } = decoded;
    record_with(address, workspace, id, (value, drift, raw), client)
}

fn record_with(
    address: KeyAddress,
    workspace: &WorkspaceId,
    id: &ApiKeyId,
    (key, drift, raw): (ApiKey, Vec<Drift>, Option<Value>),
    client: &Client,
) -> KeyRecord {
    let mut notes = DriftNotes::of(drift);
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
    // The documents state no unit; what the user says of it is obeyed.
    let unit = client.expiry_unit().map_or(TimeForm::UnitlessInteger, TimeForm::ChosenUnit);
    record.expires_at = resolve_time(&key.expires_at, "expiresAt", unit, &mut notes);
    record.status = status(&key, &record.expires_at, client.now(), &notes);
    record.owner.workspace = Fact::Known(workspace.as_str().to_owned());
    record.owner.customer = key.customer_id.clone();
    record.permissions = key.scopes.as_ref().map(|scopes| permissions(scopes, &mut notes));
    record.of_answer(notes, raw, key)
}

/// All members are documented as present, and five of them as possibly null.
fn note_required(key: &ApiKey, notes: &mut DriftNotes) {
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

/// Which of the members goes before which is not documented; what is for good goes first here.
fn status(key: &ApiKey, expires_at: &Fact<Timestamp>, now: Timestamp, notes: &DriftNotes) -> Status {
    const FROM: &[&str] = &["deleted", "enabled", "expiresAt"];
    match (&key.deleted, &key.enabled) {
        // It was there and says nothing, so that what goes after it does not either.
        (Fact::Missing, _) if notes.was_dropped("deleted") => {
            Status::derived(KeyState::Unknown, FROM, "the answer lacks what the status follows from")
        }
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
fn permissions(scopes: &[ApiKeyScope], notes: &mut DriftNotes) -> Vec<Permission> {
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
fn note_scope(place: usize, scope: &ApiKeyScope, notes: &mut DriftNotes) {
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
