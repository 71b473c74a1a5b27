//! Oneloop's API keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! ```no_run
//! use keymux_oneloop::{ApiKeyId, Config, Error, WorkspaceId};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Config::from_env()?.build()?; // ONELOOP_API_KEY, optionally ONELOOP_BASE_URL
//! let (workspace, key) = (WorkspaceId::new("ws_1")?, ApiKeyId::new("ak_1")?);
//! match client.get_api_key(&workspace, &key).await {
//!     Ok(key) => println!("{:?}, enabled: {:?}, deleted: {:?}", key.name, key.enabled, key.deleted),
//!     Err(Error::Forbidden(_)) => println!("the SDK key's scopes do not allow this"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Operations
//!
//! | method | request | source |
//! |---|---|---|
//! | [`Client::get_api_key`] | `GET /api/v1/workspace/{id}/api-key/{akid}` | Oneloop's documentation |
//!
//! # What Oneloop can say
//!
//! A key is addressed by its workspace and its id. Deleted keys may still be found: `deleted` and `enabled` tell the
//! state, and `expiresAt`, whose unit no document states, is read by its magnitude, with a note. The billing id and
//! the members of older servers are in the native model alone.
//!
//! | field | Oneloop |
//! |---|---|
//! | `name` | yes |
//! | `display` | yes |
//! | `created_at` | yes |
//! | `updated_at` | yes |
//! | `last_used_at` | yes |
//! | `expires_at` | yes |
//! | `owner.user` | no |
//! | `owner.user_name` | no |
//! | `owner.user_email` | no |
//! | `owner.organization` | no |
//! | `owner.workspace` | yes |
//! | `owner.group` | no |
//! | `owner.customer` | yes |
//! | `owner.creator` | no |
//! | `permissions` | yes |
//! | `ip_allowlist` | no |
//! | `limits.max_uses` | no |
//! | `limits.uses` | no |
//! | `metadata` | no |
//!
//! # Credential
//!
//! An SDK key, made in Oneloop's dashboard, sent as `Authorization: Bearer …`. It reaches all workspaces, as far as
//! its scopes allow.

mod client;
mod config;
mod error;
mod provider;
mod wire;

pub use client::Client;
pub use config::{Config, DEFAULT_BASE_URL};
pub use error::Error;
pub use keymux_core::{ApiKeyProvider, Fact, HttpOptions, SecretString};
pub use provider::provider_info;
pub use wire::{ApiKey, ApiKeyId, ApiKeyIdKind, ApiKeyScope, WorkspaceId, WorkspaceIdKind};
