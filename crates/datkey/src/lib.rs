//! Datkey's keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! ```no_run
//! use keymux_datkey::{Config, Error, KeyId};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Config::from_env()?.build()?; // DATKEY_API_KEY, optionally DATKEY_BASE_URL
//! let id = KeyId::new("00000000-0000-4000-8000-000000000001")?;
//! match client.get_key(&id).await {
//!     Ok(key) => println!("{:?} was verified {:?} times", key.name, key.verifications),
//!     Err(Error::NotFound(_)) => println!("no such key"),
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
//! | [`Client::get_key`] | `GET /keys/{id}` | Datkey's documentation |
//!
//! # What Datkey can say
//!
//! The documentation draws the answer flat and shows it wrapped in `key`; both are read, and every member may be
//! absent. There is no status: it follows from `expires_at`, and from `verifications` against `verification_limit`.
//! The API that a key belongs to, its prefix and its length are in the native model alone.
//!
//! | field | Datkey |
//! |---|---|
//! | `name` | yes |
//! | `display` | yes |
//! | `created_at` | yes |
//! | `updated_at` | yes |
//! | `last_used_at` | no |
//! | `expires_at` | yes |
//! | `owner.user` | no |
//! | `owner.user_name` | no |
//! | `owner.user_email` | no |
//! | `owner.organization` | no |
//! | `owner.workspace` | no |
//! | `owner.group` | no |
//! | `owner.customer` | no |
//! | `owner.creator` | no |
//! | `permissions` | no |
//! | `ip_allowlist` | no |
//! | `limits.max_uses` | yes |
//! | `limits.uses` | yes |
//! | `metadata` | yes |
//!
//! # Credential
//!
//! The workspace's API key, sent as `x-api-key`.

mod client;
mod config;
mod error;
mod provider;
mod wire;

pub use client::Client;
pub use config::{Config, DEFAULT_BASE_URL};
pub use error::Error;
pub use keymux_core::{ApiKeyProvider, ExposeSecret, Fact, HttpOptions, SecretString};
pub use provider::provider_info;
pub use wire::{Key, KeyId, KeyIdKind, KeyText};
