//! What Datkey sends and takes, as far as is known.

use keymux_core::{Envelope, ExposeSecret, Fact, Id, IdKind, Metadata, SecretString, Shape, VendorTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a [`KeyId`] is.
#[derive(Debug)]
pub enum KeyIdKind {}

impl IdKind for KeyIdKind {
    const NAME: &'static str = "id";
}

/// The id of a key. It is no secret: a key cannot be verified with it.
pub type KeyId = Id<KeyIdKind>;

/// What an [`ApiId`] is.
#[derive(Debug)]
pub enum ApiIdKind {}

impl IdKind for ApiIdKind {
    const NAME: &'static str = "api_id";
}

/// The id of an API, which keys belong to. Datkey's dashboard shows it; no operation lists them.
pub type ApiId = Id<ApiIdKind>;

/// A key, as Datkey tells of it. Every member may be absent by the documentation.
#[derive(Debug, Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Key {
    /// The key's id; shown in the documents' examples, not in their schema.
    #[serde(default)]
    pub id: Fact<KeyId>,
    /// The id of the API that the key belongs to; in the schema, not in the examples.
    #[serde(default)]
    pub api_id: Fact<String>,
    /// The key's name.
    #[serde(default)]
    pub name: Fact<String>,
    /// The key, masked. Making a key takes the plaintext out of here.
    #[serde(default)]
    pub key: Fact<KeyText>,
    /// What stands before the key's random part.
    #[serde(default)]
    pub prefix: Fact<String>,
    /// The length that was asked for, 16 to 255.
    #[serde(default)]
    pub length: Fact<u64>,
    /// What the key's owner attached to it.
    #[serde(default)]
    pub meta: Fact<Metadata>,
    /// When the key ends, in Unix seconds.
    #[serde(default)]
    pub expires_at: Fact<VendorTime>,
    /// How often the key may be verified in all.
    #[serde(default)]
    pub verification_limit: Fact<u64>,
    /// How often the key was verified.
    #[serde(default)]
    pub verifications: Fact<u64>,
    /// When the key was made, as text.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When the key's data last changed, as text.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
}

impl Key {
    /// Whether no documented member is there, or `key` alone, as null.
    pub(crate) fn is_blank(&self) -> bool {
        self.id.is_missing()
            && self.api_id.is_missing()
            && self.name.is_missing()
            && self.key.known().is_none()
            && self.prefix.is_missing()
            && self.length.is_missing()
            && self.meta.is_missing()
            && self.expires_at.is_missing()
            && self.verification_limit.is_missing()
            && self.verifications.is_missing()
            && self.created_at.is_missing()
            && self.updated_at.is_missing()
    }
}

/// The text of a key: masked in every answer but that of making one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeyText {
    /// It ends in asterisks, and may be shown. Their number varies.
    Masked(String),
    /// It does not: taken for the key itself.
    Unmasked(SecretString),
}

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Documented masks have seven asterisks and nine; a random key does not end in three.
        Ok(if text.ends_with("***") { Self::Masked(text) } else { Self::Unmasked(text.into()) })
    }
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreateKey {
    /// The API that it is for.
    #[serde(serialize_with = "id")]
    pub api_id: ApiId,
    /// Its name.
    pub name: String,
    /// What stands before its random part, and an underscore behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Its length, 16 to 255; else 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// What its owner attaches to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Metadata>,
    /// When it ends, in Unix seconds; in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// How often it may be verified in all; at most `i64::MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_limit: Option<u64>,
}

impl CreateKey {
    /// A key with nothing but what is required.
    #[must_use]
    pub fn new(api_id: ApiId, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { api_id, name, prefix: None, length: None, meta: None, expires_at: None, verification_limit: None }
    }
}

/// Changes of a key: nothing else can be changed. What is `None` is not sent; whether null would take a limit away is
/// not documented.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UpdateKey {
    /// When it ends, in Unix seconds; in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// How often it may be verified in all; at most `i64::MAX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_limit: Option<u64>,
}

/// A key to be verified.
#[derive(Serialize)]
pub(crate) struct VerifyKey<'a> {
    #[serde(serialize_with = "id")]
    pub(crate) api_id: &'a ApiId,
    #[serde(serialize_with = "secret")]
    pub(crate) key: &'a SecretString,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the member")]
fn secret<S: Serializer>(key: &&SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.expose_secret())
}

fn id<S: Serializer>(id: &ApiId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

/// What verifying a key says. A key that is not valid is no error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// The verdict.
    pub valid: bool,
    /// Why it is not valid.
    pub status: Fact<VerificationStatus>,
    /// What the answer tells of the key: it may be all, or nothing.
    pub key: Key,
}

/// Why a key is not valid. There is no documented text for a key that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum VerificationStatus {
    /// Its time is over.
    Expired,
    /// Its verifications are used up.
    UsageExceeded,
    /// A text that is not documented.
    #[serde(untagged)]
    Other(String),
}

/// The part of a verification's answer that is not about the key itself.
#[derive(Deserialize)]
pub(crate) struct Outcome {
    pub(crate) valid: bool,
    #[serde(default)]
    pub(crate) status: Fact<VerificationStatus>,
}

/// A workspace, as far as Datkey's own software knows it. Printing it does not show its API key.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Workspace {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Fact<String>,
    /// The credential of all operations.
    #[serde(default)]
    pub api_key: Fact<SecretString>,
    /// When it was made, as text.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
    /// When it last changed, as text.
    #[serde(default)]
    pub updated_at: Fact<VendorTime>,
}

/// The answer to a revocation.
#[derive(Deserialize)]
pub(crate) struct Message {
    #[serde(default)]
    pub(crate) message: Fact<String>,
}

/// The key is the body, or the body's member `key`; inside it, `key` is text. The raw JSON shows neither form of it.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Either("key"), secrets: SECRETS };

/// The body itself: verdicts and messages.
pub(crate) const BARE: Shape = Shape { envelope: Envelope::Bare, secrets: SECRETS };

/// The workspace is in the body's member `workspace`.
pub(crate) const WORKSPACE: Shape = Shape { envelope: Envelope::Wrapped("workspace"), secrets: SECRETS };

const SECRETS: &[&str] = &["key", "api_key"];
