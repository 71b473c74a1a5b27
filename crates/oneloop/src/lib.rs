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
//! | [`Client::list_api_keys`] | `GET /api/v1/workspace/{id}/api-key` | Oneloop's documentation |
//! | [`Client::create_api_key`] | `POST /api/v1/api-key` | Oneloop's documentation |
//! | [`Client::edit_api_key`] | `PATCH /api/v1/workspace/{id}/api-key/{akid}` | Oneloop's documentation |
//! | [`Client::delete_api_key`] | `DELETE /api/v1/workspace/{id}/api-key/{akid}` | Oneloop's documentation |
//! | [`Client::rotate_api_key`] | `POST /api/v1/workspace/{id}/api-key/{akid}/rotate` | Oneloop's documentation |
//! | [`Client::verify_api_key`] | `POST /api/v1/api-key/verify` | Oneloop's documentation |
//! | [`Client::record_usage`] | `POST /api/v1/api-key/record-usage` | Oneloop's documentation |
//! | [`Client::migrate_api_key`] | `POST /api/v1/api-key/migrate` | Oneloop's documentation |
//! | [`Client::list_workspaces`] | `GET /api/v1/workspace` | Oneloop's documentation |
//! | [`Client::list_scopes`] | `GET /api/v1/workspace/{id}/scopes` | Oneloop's documentation |
//!
//! A key is switched on and off by editing it.
//!
//! Left out, and why:
//!
//! | request | reason |
//! |---|---|
//! | `POST /api/v1/workspace/{id}/api-key/{akid}/refill` | withdrawn in October 2024 |
//! | `POST /api/v1/workspace`, `PATCH /api/v1/workspace/{id}` | sets workspaces up |
//! | `GET /api/v1/workspace/{id}` | [`Client::list_workspaces`] tells the same of every workspace |
//! | `POST /api/v1/workspace/{id}/scope` | sets a workspace up |
//! | `POST /api/v1/link-token`, `GET /api/v1/link-token/{token}` | a session of the browser component, no API key |
//! | `GET /api/v1/usage/{bid}` | bills by billing id, whose relation to a key is not documented |
//! | `POST` and `GET /api/v1/customer-billing`, `POST /api/v1/customer-billing/refill` | a customer's meter |
//! | `POST /api/v1/jwt`, `POST /api/v1/jwt/verify` | JSON web tokens, no API keys |
//!
//! # In the unified way in
//!
//! - A key is made in a workspace, with a name, permissions and a customer; it is switched on unless `enabled` says
//!   otherwise. An expiry needs [`Config::with_expiry_unit`], since no document states the unit; what is finer
//!   than the unit is cut off.
//! - Verifying takes no scope: Oneloop does not tell which workspace a key is of. Any status but `VALID` is a refusal.
//! - `register` brings a key along by migrating it; one page calls that operation private.
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
pub use keymux_core::{
    ApiKeyProvider, ClientOptions, ErrorKind, ExposeSecret, Fact, RetryPolicy, SecretString, TimeUnit,
};
pub use provider::provider_info;
pub use wire::{
    ApiKey, ApiKeyEdit, ApiKeyId, ApiKeyIdKind, ApiKeyScope, MigratedApiKey, NewApiKey, RateLimit, RateLimitConfig,
    ScopeGrant, Usage, VerifyOptions, VerifyResult, VerifyStatus, Workspace, WorkspaceId, WorkspaceIdKind,
    WorkspaceScope,
};
