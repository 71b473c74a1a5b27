//! What Mielto sends and takes, as far as is known.

use jiff::Timestamp;
use keymux_core::{Change, Envelope, ExposeSecret, Fact, Id, IdKind, SecretString, Shape, VendorTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// The other half of the key: a secret, expected only when a key is made, and taken out of the model there.
    #[serde(default)]
    pub secret: Fact<SecretString>,
}

impl ApiKey {
    /// Takes the plaintext out of the answer to making a key: [`secret`](Self::secret), else [`key`](Self::key). The name
    /// of the member goes with it.
    pub(crate) fn take_plaintext(&mut self) -> Option<(SecretString, &'static str)> {
        let is_there = |half: &Fact<SecretString>| half.known().is_some_and(|text| !text.expose_secret().is_empty());
        let (half, member) = if is_there(&self.secret) { (&mut self.secret, "secret") } else { (&mut self.key, "key") };
        if is_there(half) { Some((std::mem::take(half).into_known()?, member)) } else { None }
    }
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

impl KeyStatus {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Other(text) => text,
        }
    }
}

impl Serialize for KeyStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
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

/// A key to be made. Only the label is required; what is `None` is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewApiKey {
    /// The key's name: 1 to 255 characters.
    pub label: String,
    /// Whether it is switched on. Default [`KeyStatus::Active`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<KeyStatus>,
    /// When it ends; else never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it may do. The documents show `read` and `write`, and no closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// From which addresses it may be used. Whether ranges are taken is not documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_whitelist: Option<Vec<String>>,
    /// The ids of the collections that it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<String>>,
}

/// Changes of a key, each with an absolute value.
///
/// Mielto documents nothing about them: its own published software has these six members, all of them optional. Whether
/// one that is left out keeps its value is not known; set all six where it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ApiKeyUpdate {
    /// The key's name: 1 to 255 characters. Cannot be cleared.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub label: Change<String>,
    /// Whether it is switched on. Cannot be cleared.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub status: Change<KeyStatus>,
    /// When it ends.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub expires_at: Change<Timestamp>,
    /// What it may do: all of it, not what is added.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub permissions: Change<Vec<String>>,
    /// From which addresses it may be used: all of them.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub ip_whitelist: Change<Vec<String>>,
    /// The ids of the collections that it may use: all of them.
    #[serde(skip_serializing_if = "Change::is_leave")]
    pub collections: Change<Vec<String>>,
}

/// Which part of a list to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListApiKeys {
    /// How many keys to pass over. Default 0.
    pub skip: Option<u64>,
    /// How many keys at most: 1 to 1000. Default 100.
    pub limit: Option<u32>,
}

/// A part of a list. Only `data` and `total_count` are documented as always present.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiKeyPage {
    /// The keys.
    pub data: Vec<ApiKey>,
    /// What Mielto says about the page.
    pub info: PageInfo,
    /// The rows that cannot be read, one error each, which names the row's place.
    pub unreadable: Vec<keymux_core::Error>,
}

/// What Mielto says about a part of a list. No request takes the numbers of pages or the cursor: lists go on by
/// [`ListApiKeys::skip`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PageInfo {
    /// How many keys there are in all.
    #[serde(default)]
    pub total_count: Fact<u64>,
    /// The number of this page.
    #[serde(default)]
    pub page: Fact<i64>,
    /// How many keys a page has at most.
    #[serde(default)]
    pub limit: Fact<i64>,
    /// The number of the next page.
    #[serde(default)]
    pub next_page: Fact<i64>,
    /// A cursor, which no documented parameter takes.
    #[serde(default)]
    pub next_cursor: Fact<String>,
    /// Whether there are more keys behind these.
    #[serde(default)]
    pub has_more: Fact<bool>,
}

/// The body is the key.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["key", "secret", "hashed_secret"] };
