//! What Oneloop sends and takes, as documented.

use std::collections::BTreeMap;

use keymux_core::{Envelope, ExposeSecret, Fact, Id, IdKind, SecretString, Shape, VendorTime};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// What a [`WorkspaceId`] is.
#[derive(Debug)]
pub enum WorkspaceIdKind {}

impl IdKind for WorkspaceIdKind {
    const NAME: &'static str = "workspace_id";
}

/// The id of a workspace; the documents' path calls it `id`.
pub type WorkspaceId = Id<WorkspaceIdKind>;

/// What an [`ApiKeyId`] is.
#[derive(Debug)]
pub enum ApiKeyIdKind {}

impl IdKind for ApiKeyIdKind {
    const NAME: &'static str = "key_id";
}

/// The id of a key; the documents' path calls it `akid`.
pub type ApiKeyId = Id<ApiKeyIdKind>;

/// A key, as Oneloop tells of it. Of the members up to `billing_id` all are documented as always present; older
/// servers lack some. The plaintext is no part of it.
///
/// `I` is how the id is there: a key that was just made may lack it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ApiKey<I = ApiKeyId> {
    /// The key's id.
    pub id: I,
    /// The key's name.
    #[serde(default)]
    pub name: Fact<String>,
    /// The key, masked; the form of the mask is not documented.
    #[serde(default)]
    pub masked_key: Fact<String>,
    /// What stands before the key's random part.
    #[serde(default)]
    pub prefix: Fact<String>,
    /// When the key ends: a whole number above 0, whose unit no document states.
    #[serde(default)]
    pub expires_at: Fact<VendorTime>,
    /// What the key may do.
    #[serde(default, deserialize_with = "keymux_core::objects")]
    pub scopes: Fact<Vec<ApiKeyScope>>,
    /// Whether the key is switched on.
    #[serde(default)]
    pub enabled: Fact<bool>,
    /// The id of the customer to whom the key was given, as the key's owner chose it.
    #[serde(default)]
    pub customer_id: Fact<String>,
    /// Whether the key was deleted.
    #[serde(default)]
    pub deleted: Fact<bool>,
    /// When the key was made.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When the key's data last changed.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
    /// When the key was last used.
    #[serde(default)]
    pub last_used_at: Fact<VendorTime>,
    /// An id for billing; how it relates to the meters of other operations is not documented.
    #[serde(default)]
    pub billing_id: Fact<String>,
    /// How many uses are left: servers before October 2024.
    #[serde(default)]
    pub total_usage_left: Fact<i64>,
    /// Whether uses are limited: servers before October 2024.
    #[serde(default)]
    pub limit_usage: Fact<bool>,
}

impl<I> ApiKey<I> {
    /// The same key with this id, and the id that it had.
    pub(crate) fn with_id<J>(self, id: J) -> (ApiKey<J>, I) {
        let key = ApiKey {
            id,
            name: self.name,
            masked_key: self.masked_key,
            prefix: self.prefix,
            expires_at: self.expires_at,
            scopes: self.scopes,
            enabled: self.enabled,
            customer_id: self.customer_id,
            deleted: self.deleted,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_used_at: self.last_used_at,
            billing_id: self.billing_id,
            total_usage_left: self.total_usage_left,
            limit_usage: self.limit_usage,
        };
        (key, self.id)
    }
}

/// What stands beside an [`ApiKey`] in the answers to making and rotating one.
#[derive(Deserialize)]
pub(crate) struct Plaintext {
    pub(crate) key: SecretString,
}

/// What a key may do with one sort of thing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ApiKeyScope {
    /// The scope's id; optional by the documentation.
    #[serde(default)]
    pub id: Fact<String>,
    /// The name of the sort of thing, defined on the workspace.
    #[serde(default)]
    pub representation: Fact<String>,
    /// Whether it may make them.
    #[serde(default)]
    pub create: Fact<bool>,
    /// Whether it may look at them.
    #[serde(default)]
    pub read: Fact<bool>,
    /// Whether it may change them.
    #[serde(default)]
    pub update: Fact<bool>,
    /// Whether it may remove them. The wire says `del`.
    #[serde(default)]
    pub del: Fact<bool>,
}

/// What a key is to be allowed, or is asked to be allowed, with one sort of thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has one for each action")]
pub struct ScopeGrant {
    /// The scope's id: taken by editing and verifying alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the sort of thing, defined on the workspace.
    pub representation: String,
    /// To make them.
    pub create: bool,
    /// To look at them.
    pub read: bool,
    /// To change them.
    pub update: bool,
    /// To remove them.
    pub del: bool,
}

/// A key to be made. The first five members are required by the documentation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewApiKey {
    /// The key's name.
    pub name: String,
    /// The workspace.
    #[serde(serialize_with = "id")]
    pub workspace_id: WorkspaceId,
    /// What the key may do.
    pub scopes: Vec<ScopeGrant>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The customer to whom it is given: any text.
    pub customer_id: String,
    /// What stands before its random part; else the workspace's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// When it ends: a whole number above 0, sent as it is. No document states its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// The billing meter that its use counts on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_meter_id: Option<String>,
    /// What verifying the key gives back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A key to be brought along: [`NewApiKey`] without the members that Oneloop does not take here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigratedApiKey {
    /// The key's name.
    pub name: String,
    /// The workspace.
    #[serde(serialize_with = "id")]
    pub workspace_id: WorkspaceId,
    /// What the key may do.
    pub scopes: Vec<ScopeGrant>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The customer to whom it is given: any text.
    pub customer_id: String,
    /// What verifying the key gives back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Changes of a key. Oneloop documents no null here: a field is set or left.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ApiKeyEdit {
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What it may do. The list goes out whole; that it replaces the one before is assumed, not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<ScopeGrant>>,
}

/// What to verify a key against.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyOptions {
    /// What the key should be allowed; may be empty.
    pub requested_scopes: Vec<ScopeGrant>,
    /// The route that the key is used on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What the use costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing: Option<Usage>,
    /// What the rate is counted against, in place of the workspace's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit_config: Option<RateLimitConfig>,
}

/// A use to be billed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// How much: digits, of any length. Default "0".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_name: Option<String>,
}

/// A rate for one verification. The length of the window is not documented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateLimitConfig {
    /// What is counted.
    pub id: String,
    /// How many in the window; above 0.
    pub limit: u64,
}

/// A plaintext beside the rest of a request.
#[derive(Serialize)]
pub(crate) struct WithKey<'a, T> {
    #[serde(serialize_with = "secret")]
    pub(crate) key: &'a SecretString,
    #[serde(flatten)]
    pub(crate) rest: &'a T,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the member")]
fn secret<S: Serializer>(key: &&SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.expose_secret())
}

fn id<S: Serializer>(id: &WorkspaceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

/// What verifying a key says. A key that is not valid is no error: see [`status`](VerifyResult::status).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerifyResult {
    /// The verdict.
    pub status: VerifyStatus,
    /// The key's id. Documented as always present, and there is none for a key that does not exist.
    #[serde(default)]
    pub api_key_id: Fact<String>,
    /// When the key ends, in the unit that no document states.
    #[serde(default)]
    pub expires_at: Fact<VendorTime>,
    /// What was asked for.
    #[serde(default, deserialize_with = "keymux_core::objects")]
    pub requested_scopes: Fact<Vec<ApiKeyScope>>,
    /// What the key may do.
    #[serde(default, deserialize_with = "keymux_core::objects")]
    pub scopes: Fact<Vec<ApiKeyScope>>,
    /// The customer to whom the key was given.
    #[serde(default)]
    pub customer_id: Fact<String>,
    /// The billing meter.
    #[serde(default)]
    pub external_meter_id: Fact<String>,
    /// How the meter stands, as Oneloop writes it.
    #[serde(default)]
    pub billing: Fact<serde_json::Map<String, Value>>,
    /// How the rate stands.
    #[serde(default)]
    pub rate_limit: Fact<RateLimit>,
    /// What the key's owner attached to it.
    #[serde(default)]
    pub metadata: Fact<BTreeMap<String, String>>,
}

/// How the rate of a key stands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RateLimit {
    /// How many uses are left in the window.
    #[serde(default)]
    pub remaining: Fact<i64>,
    /// When the window ends, in the unit that no document states.
    #[serde(default)]
    pub reset_at: Fact<VendorTime>,
}

/// The verdict on a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum VerifyStatus {
    /// It is valid.
    Valid,
    /// Its time is over.
    Expired,
    /// It is switched off.
    Disabled,
    /// It was deleted.
    Deleted,
    /// It is used too fast.
    RateLimited,
    /// Its allowance is used up.
    UsageLimited,
    /// It may not do what was asked.
    InvalidScopes,
    /// There is no such key.
    Invalid,
    /// A text that is not documented. It is not valid.
    #[serde(untagged)]
    Other(String),
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Workspace {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// Its name.
    #[serde(default)]
    pub name: Fact<String>,
    /// The id of the team that it belongs to.
    #[serde(default)]
    pub team_id: Fact<String>,
    /// What stands before a new key's random part unless the key says otherwise.
    #[serde(default)]
    pub default_key_prefix: Fact<String>,
    /// From which addresses keys may be used.
    #[serde(default, rename = "defaultAllowedIPs")]
    pub default_allowed_ips: Fact<Vec<String>>,
    /// How often a key may be used in a second.
    #[serde(default)]
    pub default_rate_limit_per_second: Fact<i64>,
    /// When or after how long a new key ends; no document says which.
    #[serde(default)]
    pub default_expiration: Fact<i64>,
    /// When the workspace was made.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When it last changed.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
}

/// A sort of thing that keys of a workspace can be allowed to use.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceScope {
    /// The scope's id.
    #[serde(default)]
    pub id: Fact<String>,
    /// Its name for people.
    #[serde(default)]
    pub name: Fact<String>,
    /// Its name in keys.
    pub representation: String,
    /// What it is.
    #[serde(default)]
    pub description: Fact<String>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When it last changed.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
}

/// What a list holds beside its rows: nothing.
#[derive(Deserialize)]
pub(crate) struct Empty {}

/// The key is in the body's member `apiKey`. `key` is the plaintext that making one returns.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Wrapped("apiKey"), secrets: &["key"] };

/// The body itself: lists and verdicts.
pub(crate) const BARE: Shape = Shape { envelope: Envelope::Bare, secrets: &["key"] };
