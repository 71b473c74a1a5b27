//! Baseten as one of many: its model turned into the record that all vendors share.

use std::sync::LazyLock;

use async_trait::async_trait;
use keymux_core::{
    About, ApiKeyProvider, Capabilities, Cursor, Decoded, Drift, DriftKind, DriftNotes, Error, Fact, Field, IssuedKey,
    KeyAddress, KeyKind, KeyRecord, KeyState, NewKey, Operation, Page, Parameter, ParameterSupport, ProviderInfo,
    RateLimiterState, Revoked, Scope, ScopeInfo, SecretString, Status,
};
use serde_json::Value;

use crate::client::{Client, FIND_OUT, ID, Issued};
use crate::error::REGISTER;
use crate::wire::{ApiKey, Group, GroupFilter, GroupId, KeyPrefix, NewApiKey, PageRequest};

/// A key that its group's customer calls the gateway with.
const FEDERATED: KeyKind = KeyKind::new("federated");

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ID, "Baseten", ["group_id", "api_key_prefix"])
        .with_fields([Field::Name, Field::Display, Field::OwnerGroup])
        .with_capabilities(capabilities())
});

fn capabilities() -> Capabilities {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    let parameters = [(Parameter::Scope, ParameterSupport::Required), (Parameter::Name, ParameterSupport::Optional)];
    Capabilities::default()
        .with_native([Get, ListPage, ScopesPage, Create, Register, Revoke])
        .with_not_listed("the workspace's own keys")
        .with_see(About::NotListed, "keymux_baseten::Client::list_workspace_api_keys")
        .with_parameters(Create, parameters)
        .with_parameters(Register, parameters)
        .with_unsupported(Update, "a key cannot be changed; make a new one, and change models and limits at its group")
        .with_emulated(
            Rotate,
            "create a second key of the same name in the group, then revoke this one; both work in between",
        )
        .with_unsupported(Verify, "call the gateway with the key; it answers to keys that are valid")
}

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
        let Decoded { value: key, drift, raw, .. } = self.fetch_api_key(&group, &prefix).await?;
        let mut record = record_of(address.clone(), &group, &prefix, key, drift, raw);
        let rule = "a revoked key is not found, and this one is found";
        record.status = Status::derived(KeyState::Active, &["prefix"], rule);
        Ok(record)
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let group: GroupId = scope.one(&INFO)?;
        let page = self.fetch_api_keys(&group, &request(cursor)).await?;
        Ok(page.try_map(|row| record(&group, row.value, row.drift, row.raw)))
    }

    /// The groups. A group without a name goes by the id that its owner chose.
    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let filter = GroupFilter { page: request(cursor), ..GroupFilter::default() };
        Ok(self.fetch_groups(&filter).await?.try_map(|row| scope(row.value)))
    }

    /// Asks for one group.
    async fn check(&self) -> Result<(), Error> {
        let page = PageRequest { limit: Some(1), cursor: None };
        let filter = GroupFilter { page, ..GroupFilter::default() };
        self.fetch_groups(&filter).await?;
        Ok(())
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        key.check(&INFO, Operation::Create)?;
        let group: GroupId = key.scope.one(&INFO)?;
        let Issued { prefix, name, plaintext, drift, raw, .. } =
            self.issue_api_key(&group, &NewApiKey { name: key.name.clone() }).await?;
        let Some(prefix) = prefix else {
            return Ok(IssuedKey::without_address(plaintext, FIND_OUT, key, |address| {
                let mut draft = KeyRecord::new(&INFO, address, FEDERATED);
                draft.name = name;
                draft
            }));
        };
        let mut record = record(&group, ApiKey::new(prefix, name), drift, raw)?;
        record.status = Status::derived(KeyState::Active, &["api_key"], "Baseten has just made the key");
        Ok(IssuedKey::new(record, plaintext).asked(key))
    }

    /// Baseten confirms a registration and nothing else, so that the record does not tell the name.
    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        key.check(&INFO, Operation::Register)?;
        let group: GroupId = key.scope.one(&INFO)?;
        let (prefix, drift, raw) = self.bring_api_key(&group, plaintext, key.name.as_deref()).await?;
        let mut record = record(&group, ApiKey::new(prefix, Fact::Missing), drift, raw)?;
        record.status = Status::derived(KeyState::Active, &["ok"], "Baseten has just taken the key");
        Ok(record)
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let (group, prefix): (GroupId, KeyPrefix) = address.two(&ID)?;
        Ok(match self.revoke_api_key(&group, &prefix).await? {
            Some(_) => Revoked::new(None),
            None => Revoked::by_earlier_attempt(),
        })
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.pipeline.rate_limiter_state(match operation {
            Operation::Get => "get_api_key",
            Operation::ListPage => "list_api_keys",
            Operation::ScopesPage => "list_groups",
            Operation::Create => "create_api_key",
            Operation::Register => REGISTER,
            Operation::Revoke => "revoke_api_key",
            other => other.as_str(),
        })
    }
}

/// How many rows a page of a list is asked for: the documented maximum.
const PAGE_SIZE: u16 = 1000;

fn request(cursor: Option<&Cursor>) -> PageRequest {
    PageRequest { limit: Some(PAGE_SIZE), cursor: cursor.cloned() }
}

fn scope(group: Group) -> Result<ScopeInfo, Error> {
    let metadata = group.metadata.into_known();
    let name = metadata.and_then(|metadata| {
        let name = metadata.name.into_known().filter(|name| !name.is_empty());
        name.or_else(|| metadata.external_entity_id.into_known())
    });
    Ok(ScopeInfo::new(Scope::new([group.id.as_str()])?, name))
}

/// The record of a key whose prefix the answer tells.
fn record(group: &GroupId, key: ApiKey, drift: Vec<Drift>, raw: Option<Value>) -> Result<KeyRecord, Error> {
    let prefix = key.prefix.clone();
    let address = KeyAddress::new([group.as_str(), prefix.as_str()])?;
    Ok(record_of(address, group, &prefix, key, drift, raw))
}

fn record_of(
    address: KeyAddress,
    group: &GroupId,
    prefix: &KeyPrefix,
    key: ApiKey,
    drift: Vec<Drift>,
    raw: Option<Value>,
) -> KeyRecord {
    let mut notes = DriftNotes::of(drift);
    if key.prefix != *prefix {
        notes.add("prefix", DriftKind::IdentityMismatch);
    }
    let mut record = KeyRecord::new(&INFO, address, FEDERATED);
    record.name = key.name.clone();
    record.display = Fact::Known(key.prefix.as_str().to_owned());
    // What a look-up says of its key, a list is taken to say of its rows; no document says that it leaves revoked keys out.
    let rule = "a revoked key is not found by a look-up, and is taken not to be listed";
    record.status = Status::derived(KeyState::Active, &["prefix"], rule);
    record.owner.group = Fact::Known(group.as_str().to_owned());
    record.of_answer(notes, raw, key)
}
