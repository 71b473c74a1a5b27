//! What Braintrust sends, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, Shape, VendorTime, is_uuid};
use serde::Deserialize;

/// What an [`ApiKeyId`] is.
#[derive(Debug)]
pub enum ApiKeyIdKind {}

impl IdKind for ApiKeyIdKind {
    const NAME: &'static str = "api_key_id";

    fn check(text: &str) -> Result<(), &'static str> {
        if is_uuid(text) { Ok(()) } else { Err("is not a UUID (hexadecimal digits in groups of 8-4-4-4-12)") }
    }
}

/// The id of a key: a UUID, checked before anything is sent.
pub type ApiKeyId = Id<ApiKeyIdKind>;

/// A key, as Braintrust tells of it. Only `id`, `name` and `preview_name` are documented as always present.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The key's name; names need not be unique.
    #[serde(default)]
    pub name: Fact<String>,
    /// The key, masked; the form of the mask is not documented.
    #[serde(default)]
    pub preview_name: Fact<String>,
    /// When the key was made.
    #[serde(default)]
    pub created: Fact<VendorTime>,
    /// The id of the user to whom the key belongs.
    #[serde(default)]
    pub user_id: Fact<String>,
    /// The user's e-mail address.
    #[serde(default)]
    pub user_email: Fact<String>,
    /// The user's given name.
    #[serde(default)]
    pub user_given_name: Fact<String>,
    /// The user's family name.
    #[serde(default)]
    pub user_family_name: Fact<String>,
    /// The id of the organization.
    #[serde(default)]
    pub org_id: Fact<String>,
}

/// The body is the key. `key` is the plaintext that creating one returned.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["key"] };
