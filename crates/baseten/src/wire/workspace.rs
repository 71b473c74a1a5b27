//! Workspace keys: for the workspace's own people and automation. They have nothing in common with federated keys.

use keymux_core::{Fact, Id, IdKind, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::KeyPrefix;
use super::groups::open_enum;

/// What a [`TeamId`] is.
#[derive(Debug)]
pub enum TeamIdKind {}

impl IdKind for TeamIdKind {
    const NAME: &'static str = "team_id";
}

/// The id of a team.
pub type TeamId = Id<TeamIdKind>;

open_enum! {
    /// What a workspace key is for. The set has grown before.
    WorkspaceKeyType {
        Personal = "PERSONAL",
        WorkspaceManageAll = "WORKSPACE_MANAGE_ALL",
        WorkspaceExportMetrics = "WORKSPACE_EXPORT_METRICS",
        WorkspaceInvoke = "WORKSPACE_INVOKE",
        WorkspaceManageApiKeys = "WORKSPACE_MANAGE_API_KEYS",
    }
}

/// A workspace key, as the list tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceApiKey {
    /// The key's prefix.
    pub prefix: KeyPrefix,
    /// What it is for. The wire says `type`.
    #[serde(default, rename = "type")]
    pub key_type: Fact<WorkspaceKeyType>,
    /// The name it was given.
    #[serde(default)]
    pub name: Fact<String>,
    /// The models that it is for, if not for all.
    #[serde(default)]
    pub model_ids: Fact<Vec<String>>,
    /// The team that it belongs to.
    #[serde(default)]
    pub team_name: Fact<String>,
    /// Whose personal key it is; newer servers alone tell.
    #[serde(default)]
    pub owner: Fact<WorkspaceKeyOwner>,
}

/// Whose personal key it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceKeyOwner {
    /// The user's id.
    #[serde(default)]
    pub user_id: Fact<String>,
    /// The user's e-mail address.
    #[serde(default)]
    pub email: Fact<String>,
    /// The user's name.
    #[serde(default)]
    pub name: Fact<String>,
}

/// Which workspace keys to list. Both parameters are of the latest document, and an older server may ignore them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkspaceApiKeyFilter {
    /// Those of this category, in the server's words. The wire says `type`.
    pub key_type: Option<String>,
    /// Those that the caller made.
    pub created_by_me: Option<bool>,
}

/// A workspace key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewWorkspaceApiKey {
    /// What it is for. The wire says `type`.
    #[serde(rename = "type")]
    pub key_type: WorkspaceKeyType,
    /// Its name, which no other live key of the same team, organization or user may have, by Baseten's own published
    /// software; keys without a name are exempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The models that it is for: with [`WorkspaceExportMetrics`](WorkspaceKeyType::WorkspaceExportMetrics) and
    /// [`WorkspaceInvoke`](WorkspaceKeyType::WorkspaceInvoke) alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_ids: Option<Vec<String>>,
}

/// A workspace key that was just made. Printing it does not show the plaintext.
#[derive(Debug, Clone)]
#[must_use = "the plaintext is given once"]
#[non_exhaustive]
pub struct IssuedWorkspaceApiKey {
    /// The plaintext, which Baseten does not show again.
    pub api_key: SecretString,
    /// What stands before the plaintext's first dot. Baseten does not send a prefix here; its own Terraform provider
    /// cuts it like this, and says that nobody promises it. `None`: there is no dot.
    pub prefix: Option<KeyPrefix>,
}

/// The answer to making a workspace key.
#[derive(Deserialize)]
pub(crate) struct CreatedWorkspaceKey {
    #[serde(default)]
    pub(crate) api_key: Fact<SecretString>,
}
