//! What Oneloop sends, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, Shape, VendorTime};
use serde::Deserialize;

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

/// A key, as Oneloop tells of it. All members but the last two are documented as always present; older servers lack
/// some.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
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

/// The key is in the body's member `apiKey`. `key` is the plaintext that making one returns.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Wrapped("apiKey"), secrets: &["key"] };
