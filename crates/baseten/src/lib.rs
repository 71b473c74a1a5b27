//! Baseten's API keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! *Federated* keys are what a lab mints for its downstream customers; each belongs to one group, and is addressed by
//! the group and its prefix. *Workspace* keys are those of the workspace's own people and automation.
//!
//! ```no_run
//! use keymux_baseten::{Config, Error, GroupId, KeyPrefix};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Config::from_env()?.build()?; // BASETEN_API_KEY, optionally BASETEN_BASE_URL
//! let (group, prefix) = (GroupId::new("abc123hash")?, KeyPrefix::new("aBcDeFg")?);
//! match client.get_api_key(&group, &prefix).await {
//!     Ok(key) => println!("{}: {:?}", key.prefix, key.name),
//!     Err(Error::NotFound(_)) => println!("unknown, revoked, or its group is deleted"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Operations
//!
//! Documented means: on Baseten's reference pages. Federated keys:
//!
//! | method | request | source |
//! |---|---|---|
//! | [`Client::get_api_key`] | `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` | documented |
//! | [`Client::list_api_keys`] | `GET /v1/gateway/groups/{group_id}/api_keys` | documented |
//! | [`Client::create_api_key`] | `POST /v1/gateway/groups/{group_id}/api_keys` | documented |
//! | [`Client::register_api_key`] | `POST /v1/gateway/groups/{group_id}/api_keys/register` | documented |
//! | [`Client::revoke_api_key`] | `DELETE /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` | documented; not in the specification |
//!
//! Groups:
//!
//! | method | request | source |
//! |---|---|---|
//! | [`Client::list_groups`] | `GET /v1/gateway/groups` | documented |
//! | [`Client::get_group`] | `GET /v1/gateway/groups/{group_id}` | documented |
//! | [`Client::create_group`] | `POST /v1/gateway/groups` | documented |
//! | [`Client::update_group`] | `PATCH /v1/gateway/groups/{group_id}` | documented |
//! | [`Client::delete_group`] | `DELETE /v1/gateway/groups/{group_id}` | documented; not in the specification |
//! | [`Client::get_group_usage`] | `GET /v1/gateway/groups/{group_id}/usage` | documented; not in the specification |
//!
//! Workspace keys:
//!
//! | method | request | source |
//! |---|---|---|
//! | [`Client::list_workspace_api_keys`] | `GET /v1/api_keys` | documented; its filter in the latest specification alone |
//! | [`Client::create_workspace_api_key`] | `POST /v1/api_keys` | documented |
//! | [`Client::create_team_api_key`] | `POST /v1/teams/{team_id}/api_keys` | the specification |
//! | [`Client::delete_workspace_api_key`] | `DELETE /v1/api_keys/{api_key_prefix}` | documented |
//!
//! Left out, and why:
//!
//! - `/v1/gateway/endpoints` in all its methods: routes from a model's name to a deployment, which carry no keys.
//! - The member `team_id` of `POST /v1/api_keys`: it is in the latest specification alone, and the path with the team
//!   does the same everywhere.
//! - `/v1/gateway/users/{user_id}/api_keys`: an earlier generation, absent from today's specification.
//! - Changing, rotating and verifying a key: Baseten documents no endpoint.
//!
//! The unified way in, [`ApiKeyProvider`], has federated keys alone: workspace keys have no group and no look-up.
//!
//! # Keys of one's own
//!
//! A registration is signed, which the Cargo feature `signing` brings, on by default: `SigningKey` reads an Ed25519 key
//! in PKCS#8 PEM, `SigningKey::public_key` tells what Baseten must be given beforehand, and `Config::with_signing_key`
//! hands it to the client. The bytes that are signed are the bytes that are sent. The key's prefix is its first 16
//! characters, and must be new in the workspace.
//!
//! # What Baseten can say
//!
//! A look-up answers with the prefix and the name, and nothing else: no times, no status, no permissions (those are
//! the group's). The group is the one that was asked. That a found key is live follows from a documented rule: a
//! revoked key answers 404.
//!
//! | field | Baseten |
//! |---|---|
//! | `name` | yes |
//! | `display` | yes |
//! | `created_at` | no |
//! | `updated_at` | no |
//! | `last_used_at` | no |
//! | `expires_at` | no |
//! | `owner.user` | no |
//! | `owner.user_name` | no |
//! | `owner.user_email` | no |
//! | `owner.organization` | no |
//! | `owner.workspace` | no |
//! | `owner.group` | yes |
//! | `owner.customer` | no |
//! | `owner.creator` | no |
//! | `permissions` | no |
//! | `ip_allowlist` | no |
//! | `limits.max_uses` | no |
//! | `limits.uses` | no |
//! | `metadata` | no |
//!
//! # Credential
//!
//! A *workspace* key with management scope, sent as `Authorization: Api-Key …`, the form that every version of the
//! documentation accepts. A federated key itself cannot look keys up.

mod client;
mod config;
mod error;
mod provider;
mod registration;
#[cfg(feature = "signing")]
mod signing;
mod wire;

pub use client::Client;
pub use config::{AuthScheme, Config, DEFAULT_BASE_URL};
pub use error::Error;
pub use keymux_core::{
    ApiKeyProvider, ClientOptions, Cursor, ErrorKind, ExposeSecret, Fact, Page, RetryPolicy, SecretString,
};
pub use provider::provider_info;
#[cfg(feature = "signing")]
pub use signing::SigningKey;
pub use wire::{
    ApiKey, DeletedGroup, Group, GroupEdit, GroupFilter, GroupId, GroupIdKind, GroupLimit, GroupMetadata, GroupModel,
    GroupUsage, Hierarchy, IssuedWorkspaceApiKey, KeyPrefix, KeyPrefixKind, LimitEnforcement, LimitType, LimitUnit,
    NewApiKey, NewGroup, NewGroupLimit, NewGroupMetadata, NewGroupModel, NewHierarchy, NewWorkspaceApiKey, PageRequest,
    RevokedApiKey, TeamId, TeamIdKind, UsageWindow, WorkspaceApiKey, WorkspaceApiKeyFilter, WorkspaceKeyOwner,
    WorkspaceKeyType,
};
