//! What Baseten sends and takes, as documented: federated keys, and what all lists have in common.

mod groups;
mod workspace;

use keymux_core::{Cursor, Envelope, Fact, Id, IdKind, SecretString, Shape};
use serde::{Deserialize, Serialize};

pub use groups::*;
pub use workspace::*;

/// What a [`GroupId`] is.
#[derive(Debug)]
pub enum GroupIdKind {}

impl IdKind for GroupIdKind {
    const NAME: &'static str = "group_id";
}

/// Baseten's own id of a group: not the `external_entity_id` that the caller chose.
pub type GroupId = Id<GroupIdKind>;

/// What a [`KeyPrefix`] is.
#[derive(Debug)]
pub enum KeyPrefixKind {}

impl IdKind for KeyPrefixKind {
    const NAME: &'static str = "api_key_prefix";
}

/// The public part of a key: what stands before the dot, or the first 16 characters of a registered key. It may hold
/// any character.
pub type KeyPrefix = Id<KeyPrefixKind>;

/// A federated key, as a look-up tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The key's prefix.
    pub prefix: KeyPrefix,
    /// The name it was given; [`Fact::Empty`] or [`Fact::Missing`] if it was given none.
    #[serde(default)]
    pub name: Fact<String>,
}

impl ApiKey {
    pub(crate) fn new(prefix: KeyPrefix, name: Fact<String>) -> Self {
        Self { prefix, name }
    }
}

/// A federated key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewApiKey {
    /// The key's name. Baseten documents no limit of its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A key that was just made. All members are documented as always there; the plaintext must survive it if the prefix
/// is not.
#[derive(Deserialize)]
pub(crate) struct Created {
    #[serde(default)]
    pub(crate) api_key: Fact<SecretString>,
    #[serde(default)]
    pub(crate) prefix: Fact<KeyPrefix>,
    #[serde(default)]
    pub(crate) name: Fact<String>,
}

/// A key to be registered. The plaintext is in the caller's hands, and is borrowed for the one body that is sent.
#[derive(Serialize)]
pub(crate) struct Registration<'a> {
    pub(crate) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
}

/// What registering a key says.
#[derive(Deserialize)]
pub(crate) struct Registered {
    #[serde(default)]
    pub(crate) ok: Fact<bool>,
}

/// A key that was revoked or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct RevokedApiKey {
    /// The prefix of the key.
    #[serde(default)]
    pub prefix: Fact<String>,
}

/// Which part of a list to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageRequest {
    /// How many rows, 1 to 1000. Baseten's default is 100.
    pub limit: Option<u16>,
    /// Where to go on: [`Page::next`](keymux_core::Page::next) of the page before.
    pub cursor: Option<Cursor>,
}

/// What a list holds beside its rows.
#[derive(Deserialize)]
pub(crate) struct Paged {
    #[serde(default)]
    pub(crate) pagination: Fact<Pagination>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Pagination {
    #[serde(default)]
    pub(crate) has_more: Fact<bool>,
    #[serde(default)]
    pub(crate) cursor: Fact<String>,
}

/// What a list holds beside its rows, where it is not paged: nothing.
#[derive(Deserialize)]
pub(crate) struct Unpaged {}

/// The body is the object.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["api_key", "key"] };
