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
//! | [`Client::create_key`] | `POST /keys` | Datkey's documentation |
//! | [`Client::verify_key`] | `POST /keys/verify` | Datkey's documentation |
//! | [`Client::update_key`] | `PUT /keys/{id}` | Datkey's documentation |
//! | [`Client::revoke_key`] | `DELETE /keys/{id}` | Datkey's published client code alone |
//! | [`Client::get_workspace`] | `GET /workspace` | Datkey's published client code alone |
//!
//! Left out, and why: nothing that Datkey is known to have. No document tells of an operation that lists keys or APIs,
//! gives a key a new text, or switches it on and off.
//!
//! # In the unified way in
//!
//! - A scope is an API, by the id that Datkey's dashboard shows. Making and verifying a key need one.
//! - Expiry and limit can be set, not cleared: whether null takes them away is not documented. A fraction of a second
//!   of an expiry is cut off.
//! - What an unknown key is verified as is not documented. `valid: false` without a known status is a refusal for an
//!   unknown reason; a 404 that says "key not found" or "no such key" is one, too, because there is no such key; any other
//!   404 may come of a wrong base URL, and says nothing about the key.
//! - After a lost answer to making a key nothing but the dashboard can tell whether there is one.
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
pub use keymux_core::{
    ApiKeyProvider, ClientOptions, ErrorKind, ExposeSecret, Fact, Metadata, MetadataValue, RetryPolicy, SecretString,
};
pub use provider::provider_info;
pub use wire::{
    ApiId, ApiIdKind, CreateKey, Key, KeyId, KeyIdKind, KeyText, UpdateKey, Verification, VerificationStatus, Workspace,
};
