//! What Baseten sends, as documented.

use keymux_core::{Envelope, Fact, Id, IdKind, Shape};
use serde::Deserialize;

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

/// The body is the key.
pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &["api_key", "key"] };
