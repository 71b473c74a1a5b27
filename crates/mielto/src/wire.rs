//! What Mielto sends, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, SecretString, Shape, VendorTime};
use serde::{Deserialize, Deserializer};

/// What an [`ApiKeyId`] is.
#[derive(Debug)]
pub enum ApiKeyIdKind {}

impl IdKind for ApiKeyIdKind {
    const NAME: &'static str = "api_key_id";
}

/// The id of a key.
pub type ApiKeyId = Id<ApiKeyIdKind>;

/// A key, as Mielto tells of it. Only `key`, `label` and `workspace_id` are documented as always present.
///
/// Printing it shows none of its three secrets.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key's id. The documents need it in every path and do not promise it in an answer.
    #[serde(default)]
    pub id: Fact<ApiKeyId>,
    /// When the key was made.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When the key's data last changed.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
    /// Documented as an identifier, and accepted as a credential by Mielto's own software: a secret.
    #[serde(default)]
    pub key: Fact<SecretString>,
    /// A hash of the secret: a secret.
    #[serde(default)]
    pub hashed_secret: Fact<SecretString>,
    /// The key's name.
    #[serde(default)]
    pub label: Fact<String>,
    /// Whether the key is switched on; absent means the documented default, `active`.
    #[serde(default)]
    pub status: Fact<KeyStatus>,
    /// When the key was last used.
    #[serde(default)]
    pub last_used_at: Fact<VendorTime>,
    /// When the key ends.
    #[serde(default)]
    pub expires_at: Fact<VendorTime>,
    /// What the key may do.
    #[serde(default)]
    pub permissions: Fact<Vec<String>>,
    /// From which addresses the key may be used.
    #[serde(default)]
    pub ip_whitelist: Fact<Vec<String>>,
    /// The ids of the collections that the key may use.
    #[serde(default)]
    pub collections: Fact<Vec<String>>,
    /// The id of the workspace.
    #[serde(default)]
    pub workspace_id: Fact<String>,
    /// The id of the user who made the key.
    #[serde(default)]
    pub created_by: Fact<String>,
    /// The other half of the key: a secret, expected only when a key is made.
    #[serde(default)]
    pub secret: Fact<SecretString>,
}

/// Whether a key is switched on. Mielto documents it as open text and names two values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyStatus {
    /// `active`
    Active,
    /// `inactive`
    Inactive,
    /// Any other text.
    Other(String),
}

impl<'de> Deserialize<'de> for KeyStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            _ => Self::Other(text),
        })
    }
}

/// The body is the key.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["key", "secret", "hashed_secret"] };
