//! Mielto's API keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! ```no_run
//! use keymux_mielto::{ApiKeyId, Config, Error};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Config::from_env()?.build()?; // MIELTO_API_KEY, optionally MIELTO_BASE_URL
//! let id = ApiKeyId::new("key_000000001")?;
//! match client.get_api_key(&id).await {
//!     Ok(key) => println!("{:?} is {:?}", key.label, key.status),
//!     Err(Error::InvalidRequest { violations, .. }) => println!("refused: {violations:?}"),
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
//! | [`Client::get_api_key`] | `GET /api/v1/api-keys/{api_key_id}` | Mielto's documentation |
//!
//! # What Mielto can say
//!
//! Much, but no form of the key that could be shown: the member `key`, documented as an identifier, is accepted as a
//! credential by Mielto's own software, and is a secret here like `secret` and `hashed_secret`. The collections that a
//! key may use are in the native model alone.
//!
//! | field | Mielto |
//! |---|---|
//! | `name` | yes |
//! | `display` | no |
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
//! | `owner.customer` | no |
//! | `owner.creator` | yes |
//! | `permissions` | yes |
//! | `ip_allowlist` | yes |
//! | `limits.max_uses` | no |
//! | `limits.uses` | no |
//! | `metadata` | no |
//!
//! # Credential
//!
//! Sent as `Authorization: Bearer …`, or as `X-API-Key` ([`AuthHeader`]). A credential that reaches several workspaces
//! needs [`Config::with_workspace_id`].

mod client;
mod config;
mod error;
mod provider;
mod wire;

pub use client::Client;
pub use config::{AuthHeader, Config, DEFAULT_BASE_URL};
pub use error::{Error, Violation};
pub use keymux_core::{ApiKeyProvider, ExposeSecret, Fact, HttpOptions, SecretString};
pub use provider::provider_info;
pub use wire::{ApiKey, ApiKeyId, ApiKeyIdKind, KeyStatus};
