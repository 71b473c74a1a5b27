//! What Datkey sends, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, SecretString, Shape, VendorTime};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What a [`KeyId`] is.
#[derive(Debug)]
pub enum KeyIdKind {}

impl IdKind for KeyIdKind {
    const NAME: &'static str = "id";
}

/// The id of a key. It is no secret: a key cannot be verified with it.
pub type KeyId = Id<KeyIdKind>;

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
    /// The key, masked.
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
    pub meta: Fact<Map<String, Value>>,
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

/// The key is the body, or the body's member `key`; inside it, `key` is text. The raw JSON shows neither form of it.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Either("key"), secrets: &["key", "api_key"] };
