//! Baseten, Braintrust, Mielto, Datkey and Oneloop on loopback: real HTTP, no accounts, no network.
//!
//! An [`Emulator`] serves each vendor at an address of its own, with a few keys from the start. Keys can be created,
//! changed, verified, rotated and revoked as far as the vendor can do that, and every answer shows what was done
//! before. It speaks the vendors' wire as they document it, and shares no type with any client, so that a misreading
//! on either side shows.
//!
//! ```
//! use std::time::Duration;
//!
//! use keymux_emulator::Emulator;
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let emulator = Emulator::start().await?;
//!
//! // Point a client at a vendor.
//! let mielto = emulator.mielto();
//! println!("{} takes {}", mielto.base_url(), mielto.credential());
//! println!("look up {:?}", mielto.sample_address());
//!
//! // Give a vendor one more key: the ids of its path, and the key as the vendor tells of it.
//! emulator.baseten().seed(["g1acme", "aBcDeFg"], json!({"prefix": "aBcDeFg", "name": "nightly"}));
//!
//! // Let keys expire without waiting.
//! emulator.advance(Duration::from_secs(3600));
//!
//! // Ask for the plaintext of a key, to verify it.
//! let oneloop = emulator.oneloop();
//! assert!(oneloop.plaintext(oneloop.sample_address()).is_some());
//!
//! // See what arrived. Credentials are masked.
//! for request in mielto.requests() {
//!     println!("{} {}", request.method(), request.path());
//! }
//! # Ok(())
//! # } // Dropped: the ports are closed.
//! ```
//!
//! # What is served
//!
//! | vendor | credential | a key is sent | unknown key |
//! |---|---|---|---|
//! | [Baseten](Emulator::baseten) | `Authorization: Api-Key …` or `Bearer …` | bare | 404 |
//! | [Braintrust](Emulator::braintrust) | `Authorization: Bearer …` | bare | 400, plain text |
//! | [Mielto](Emulator::mielto) | `Authorization: Bearer …` or `X-API-Key: …` | bare | 404 |
//! | [Datkey](Emulator::datkey) | `x-api-key: …` | in `key` | 404 |
//! | [Oneloop](Emulator::oneloop) | `Authorization: Bearer …` | in `apiKey` | 404; 200 and `INVALID` when verified |
//!
//! | vendor | path | methods |
//! |---|---|---|
//! | Baseten | `/v1/gateway/groups/{group_id}/api_keys` | GET a page, POST creates |
//! | | `/v1/gateway/groups/{group_id}/api_keys/register` | POST, with `X-Baseten-Signature` |
//! | | `/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` | GET, DELETE revokes |
//! | | `/v1/gateway/groups` | GET a page, POST creates |
//! | | `/v1/gateway/groups/{group_id}` | GET, PATCH, DELETE with all keys and descendants |
//! | | `/v1/gateway/groups/{group_id}/usage` | GET, always zero |
//! | | `/v1/api_keys` | GET all, POST creates |
//! | | `/v1/api_keys/{api_key_prefix}` | DELETE |
//! | | `/v1/teams/{team_id}/api_keys` | POST creates |
//! | Braintrust | `/v1/api_key` | GET a page, POST is always refused |
//! | | `/v1/api_key/{api_key_id}` | GET, DELETE |
//! | | `/v1/service_token` | GET a page, POST creates, PUT replaces, DELETE by body |
//! | | `/v1/service_token/{service_token_id}` | GET, DELETE |
//! | Mielto | `/api/v1/api-keys` | GET a page, POST creates |
//! | | `/api/v1/api-keys/{api_key_id}` | GET, PUT updates, DELETE |
//! | Datkey | `/keys` | POST creates |
//! | | `/keys/verify` | POST, counts a use |
//! | | `/keys/{id}` | GET, PUT updates, DELETE |
//! | | `/workspace` | GET |
//! | Oneloop | `/api/v1/api-key` | POST creates |
//! | | `/api/v1/api-key/migrate` | POST |
//! | | `/api/v1/api-key/verify` | POST, always 200 |
//! | | `/api/v1/api-key/record-usage` | POST |
//! | | `/api/v1/workspace/{id}/api-key` | GET all, deleted ones too |
//! | | `/api/v1/workspace/{id}/api-key/{akid}` | GET, PATCH edits, DELETE marks as deleted |
//! | | `/api/v1/workspace/{id}/api-key/{akid}/rotate` | POST |
//! | | `/api/v1/workspace` | GET all, POST creates |
//! | | `/api/v1/workspace/{id}` | GET, PATCH |
//! | | `/api/v1/workspace/{id}/scopes`, `/api/v1/workspace/{id}/scope` | GET all, POST creates |
//!
//! Each id is one segment of the path and is percent-decoded once. Without the vendor's credential every one of these
//! answers 401. A path that is not listed gets what the vendor answers to paths it does not have; another method on a
//! listed path gets 405.
//!
//! Ids and plaintexts of new keys count up from 1 in each vendor, so that a test sees the same ones in every run. The
//! plaintexts say `EXAMPLE` and open nothing.
//!
//! Where a vendor documents no answer, the emulator gives the likeliest one; the source of that vendor's module says
//! so.
//!
//! # Isolation
//!
//! Each emulator has its own ports, keys, recorded requests, thread and runtime. It answers whatever the runtime of its
//! user is doing, and any number of emulators run side by side.

mod answer;
mod backend;
mod builder;
mod clock;
mod connection;
mod emulator;
mod error;
mod faults;
mod generated;
mod limit;
mod operations;
mod recorded;
mod request;
#[cfg(feature = "program")]
mod serve;
mod server;
mod store;
mod table;
mod vendor;
mod vendors;

pub use builder::Builder;
pub use emulator::Emulator;
pub use error::InvalidSetting;
pub use faults::{DelayForm, Drift, Fault, FaultAnswer, FaultBody, FaultPlan, FaultRule, Pick};
pub use generated::MAX_KEYS;
pub use limit::RateLimit;
pub use recorded::RecordedRequest;
#[cfg(feature = "program")]
pub use serve::serve;
pub use vendor::Vendor;
pub use vendors::baseten::FOREIGN_GROUP as BASETEN_FOREIGN_GROUP;
