//! Baseten's API keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! Covered are *federated* keys, which a lab mints for its downstream customers and which belong to one group. A key
//! is addressed by its group and its prefix.
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
//! | method | request | source |
//! |---|---|---|
//! | [`Client::get_api_key`] | `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` | Baseten's documentation |
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
mod wire;

pub use client::Client;
pub use config::{Config, DEFAULT_BASE_URL};
pub use error::Error;
pub use keymux_core::{ApiKeyProvider, Fact, HttpOptions, SecretString};
pub use provider::provider_info;
pub use wire::{ApiKey, GroupId, GroupIdKind, KeyPrefix, KeyPrefixKind};
