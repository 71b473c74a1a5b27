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
//! | [`Client::list_api_keys`] | `GET /api/v1/api-keys` | Mielto's documentation |
//! | [`Client::create_api_key`] | `POST /api/v1/api-keys` | Mielto's documentation |
//! | [`Client::update_api_key`] | `PUT /api/v1/api-keys/{api_key_id}` | only in Mielto's published client code |
//! | [`Client::delete_api_key`] | `DELETE /api/v1/api-keys/{api_key_id}` | only in Mielto's published client code |
//!
//! Nothing is left out. Mielto documents no rotation of its own (the facade makes a second key), no verification and no
//! listing of workspaces. An update is a `PUT` whose members are all optional, and nobody says whether one that is left out is kept or cleared.
//!
//! # The plaintext of a new key
//!
//! The documents contradict Mielto's own software: by the documents `secret` is what is shown once, and `key` an
//! identifier; the software authenticates with `key`. As far as is known both are credentials. The plaintext that
//! making a key gives is `secret` if the answer holds one, else `key`; the `key` of such an answer stays in the model,
//! as a secret.
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
pub use jiff::Timestamp;
pub use keymux_core::{
    ApiKeyProvider, Change, ClientOptions, ErrorKind, ExposeSecret, Fact, RetryPolicy, SecretString,
};
pub use provider::provider_info;
pub use wire::{ApiKey, ApiKeyId, ApiKeyIdKind, ApiKeyPage, ApiKeyUpdate, KeyStatus, ListApiKeys, NewApiKey, PageInfo};
