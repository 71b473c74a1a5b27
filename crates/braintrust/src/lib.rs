//! Braintrust's API keys: a typed [`Client`], and the Keymux provider on top of it.
//!
//! ```no_run
//! use keymux_braintrust::{ApiKeyId, Config, Error};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Config::from_env()?.build()?; // BRAINTRUST_API_KEY, optionally BRAINTRUST_BASE_URL
//! let id = ApiKeyId::new("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80")?;
//! match client.get_api_key(&id).await {
//!     Ok(key) => println!("{}: {:?}", key.id, key.name),
//!     Err(Error::MissingOrNoAccess(_)) => println!("unknown, deleted, or not yours to see"),
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
//! | [`Client::get_api_key`] | `GET /v1/api_key/{api_key_id}` | Braintrust's documentation |
//! | [`Client::list_api_keys`] | `GET /v1/api_key` | Braintrust's documentation |
//! | [`Client::delete_api_key`] | `DELETE /v1/api_key/{api_key_id}` | Braintrust's documentation |
//! | [`Client::list_service_tokens`] | `GET /v1/service_token` | Braintrust's documentation |
//! | [`Client::get_service_token`] | `GET /v1/service_token/{service_token_id}` | Braintrust's documentation |
//! | [`Client::create_service_token`] | `POST /v1/service_token` | Braintrust's documentation |
//! | [`Client::create_or_replace_service_token`] | `PUT /v1/service_token` | Braintrust's documentation |
//! | [`Client::delete_service_token`] | `DELETE /v1/service_token/{service_token_id}` | Braintrust's documentation |
//!
//! Left out, and why:
//!
//! - `POST /v1/api_key`, making a key: Braintrust took it out of its specification in May 2026, and answers 403 with
//!   "API keys cannot create API keys". Keys are made in Braintrust's settings, under API keys.
//! - `DELETE /v1/service_token` with the id in a body: the same effect as [`Client::delete_service_token`].
//! - `OPTIONS` on these paths: for browsers alone.
//! - Changing or rotating a key: Braintrust has neither.
//!
//! The unified way in ([`ApiKeyProvider`]) gets, lists and revokes the keys of users; service tokens are reached by the
//! typed client alone. It asks for pages of 100, and takes an empty page for the last one.
//!
//! # Whose keys are seen
//!
//! A list holds the keys of the caller alone, even if the caller owns the organization. An owner of all organizations
//! of a user reaches that user's keys with [`Config::with_impersonated_user`].
//!
//! # What Braintrust can say
//!
//! A key has a name, a masked form, an owner and a time of creation. Nothing tells whether it works: there is no
//! status, no expiry and no last use, so that the status of every record is unknown.
//!
//! | field | Braintrust |
//! |---|---|
//! | `name` | yes |
//! | `display` | yes |
//! | `created_at` | yes |
//! | `updated_at` | no |
//! | `last_used_at` | no |
//! | `expires_at` | no |
//! | `owner.user` | yes |
//! | `owner.user_name` | yes |
//! | `owner.user_email` | yes |
//! | `owner.organization` | yes |
//! | `owner.workspace` | no |
//! | `owner.group` | no |
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
//! An API key (`sk-…`), a service token (`bt-st-…`) or a JWT, sent as `Authorization: Bearer …`. An organization lives
//! in one [`Region`], or on a data plane of its own, whose URL may carry a path.

mod client;
mod config;
mod error;
mod provider;
mod wire;

pub use client::Client;
pub use config::{Config, DEFAULT_BASE_URL, Region};
pub use error::Error;
pub use keymux_core::{
    ApiKeyProvider, ClientOptions, ErrorKind, ExposeSecret, Fact, KeyKind, RetryPolicy, SecretString,
};
pub use provider::provider_info;
pub use wire::{
    ApiKey, ApiKeyId, ApiKeyIdKind, ListApiKeys, ListServiceTokens, NewServiceToken, PageStart, ServiceToken,
    ServiceTokenId, ServiceTokenIdKind,
};
