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
//! | vendor | operation | method and path |
//! |---|---|---|
//! | Baseten | `list_groups` | GET `/v1/gateway/groups`, a page |
//! | | `create_group` | POST `/v1/gateway/groups` |
//! | | `get_group` | GET `/v1/gateway/groups/{group_id}` |
//! | | `update_group` | PATCH `/v1/gateway/groups/{group_id}` |
//! | | `delete_group` | DELETE `/v1/gateway/groups/{group_id}`, with all keys and descendants |
//! | | `get_group_usage` | GET `/v1/gateway/groups/{group_id}/usage`, always zero |
//! | | `list_api_keys` | GET `/v1/gateway/groups/{group_id}/api_keys`, a page |
//! | | `create_api_key` | POST `/v1/gateway/groups/{group_id}/api_keys` |
//! | | `register_api_key` | POST `/v1/gateway/groups/{group_id}/api_keys/register`, with `X-Baseten-Signature` |
//! | | `get_api_key` | GET `/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` |
//! | | `revoke_api_key` | DELETE `/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` |
//! | | `list_workspace_api_keys` | GET `/v1/api_keys`, all |
//! | | `create_workspace_api_key` | POST `/v1/api_keys` |
//! | | `delete_workspace_api_key` | DELETE `/v1/api_keys/{api_key_prefix}` |
//! | | `create_team_api_key` | POST `/v1/teams/{team_id}/api_keys` |
//! | Braintrust | `list_api_keys` | GET `/v1/api_key`, a page |
//! | | `create_api_key` | POST `/v1/api_key`, always refused |
//! | | `get_api_key` | GET `/v1/api_key/{api_key_id}` |
//! | | `delete_api_key` | DELETE `/v1/api_key/{api_key_id}` |
//! | | `list_service_tokens` | GET `/v1/service_token`, a page |
//! | | `create_service_token` | POST `/v1/service_token` |
//! | | `create_or_replace_service_token` | PUT `/v1/service_token` |
//! | | `delete_service_token_by_body` | DELETE `/v1/service_token` |
//! | | `get_service_token` | GET `/v1/service_token/{service_token_id}` |
//! | | `delete_service_token` | DELETE `/v1/service_token/{service_token_id}` |
//! | Mielto | `list_api_keys` | GET `/api/v1/api-keys`, a page |
//! | | `create_api_key` | POST `/api/v1/api-keys` |
//! | | `get_api_key` | GET `/api/v1/api-keys/{api_key_id}` |
//! | | `update_api_key` | PUT `/api/v1/api-keys/{api_key_id}` |
//! | | `delete_api_key` | DELETE `/api/v1/api-keys/{api_key_id}` |
//! | Datkey | `create_key` | POST `/keys` |
//! | | `verify_key` | POST `/keys/verify`, counts a use |
//! | | `get_key` | GET `/keys/{id}` |
//! | | `update_key` | PUT `/keys/{id}` |
//! | | `revoke_key` | DELETE `/keys/{id}` |
//! | | `get_workspace` | GET `/workspace` |
//! | Oneloop | `list_workspaces` | GET `/api/v1/workspace`, all |
//! | | `create_workspace` | POST `/api/v1/workspace` |
//! | | `get_workspace` | GET `/api/v1/workspace/{id}` |
//! | | `update_workspace` | PATCH `/api/v1/workspace/{id}` |
//! | | `list_scopes` | GET `/api/v1/workspace/{id}/scopes`, all |
//! | | `create_scope` | POST `/api/v1/workspace/{id}/scope` |
//! | | `list_api_keys` | GET `/api/v1/workspace/{id}/api-key`, all, deleted ones too |
//! | | `get_api_key` | GET `/api/v1/workspace/{id}/api-key/{akid}` |
//! | | `edit_api_key` | PATCH `/api/v1/workspace/{id}/api-key/{akid}` |
//! | | `delete_api_key` | DELETE `/api/v1/workspace/{id}/api-key/{akid}`, marks as deleted |
//! | | `rotate_api_key` | POST `/api/v1/workspace/{id}/api-key/{akid}/rotate` |
//! | | `create_api_key` | POST `/api/v1/api-key` |
//! | | `migrate_api_key` | POST `/api/v1/api-key/migrate` |
//! | | `verify_api_key` | POST `/api/v1/api-key/verify`, always 200 |
//! | | `record_usage` | POST `/api/v1/api-key/record-usage` |
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
//! # Faults and limits
//!
//! A vendor fails by a [`FaultPlan`]: rules of what goes wrong ([`Fault`]), at which operation, and for which of its
//! requests. It is plain data, and is read from JSON too. Whatever goes wrong does so on the socket: a reset is a reset,
//! and a wrong length is on the wire. A [`RateLimit`] refuses for real, with the vendor's own 429, and what was refused
//! is counted.
//!
//! ```
//! use std::time::Duration;
//!
//! use keymux_emulator::{DelayForm, Emulator, Fault, FaultAnswer, FaultPlan, FaultRule, RateLimit};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::start().await?;
//!
//! // The first key that is made is there, and its answer is lost.
//! let mielto = emulator.mielto();
//! mielto.faults(FaultRule::new(Fault::Reset { applied: true }).on("create_api_key").nth(1))?;
//!
//! // Every request takes 5 ms longer, every tenth look-up is refused, and about a fifth of the rest fails, thrice at most.
//! let maintenance = FaultAnswer::new(503).with_body("maintenance").with_header("Retry-After", "1");
//! let refusal = Fault::rate_limited(DelayForm::ImfFixdate, Duration::from_secs(2));
//! let plan = FaultPlan::new()
//!     .with_seed(7)
//!     .with_rule(Fault::latency(Duration::from_millis(5)))
//!     .with_rule(FaultRule::new(refusal).on("get_api_key").every(10))
//!     .with_rule(FaultRule::new(maintenance).share(0.2).times(3));
//! emulator.baseten().faults(plan)?;
//!
//! // A limit of 100 requests in a second, on a clock that only the test moves.
//! emulator.stop_clock();
//! emulator.baseten().limit(RateLimit::per_second(100))?;
//! emulator.advance(Duration::from_millis(10));
//!
//! // What came of it.
//! println!("{} refused, {} carried out", emulator.baseten().refusals(), emulator.baseten().served());
//! for request in emulator.baseten().requests() {
//!     println!("{:?}, limited: {}", request.operation(), request.was_limited());
//!     println!("{:?}", request.faults().collect::<Vec<_>>());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A request meets, in this order: the plan, whose latency holds it back and whose fault may answer it; the check of the
//! credential; the limit, which counts for each credential and operation; the operation; and last the faults that spoil
//! an answer. So a fault needs no credential, and a request that it keeps from the vendor counts for no limit.
//!
//! Limits and the dates in answers go by the emulator's clock, which [`Emulator::stop_clock`] and [`Emulator::advance`]
//! hold and move. Latencies are slept in real time.
//!
//! # A million keys
//!
//! [`Builder::with_keys`] generates up to a million keys for each vendor, which differ in names, states, expiries,
//! permissions, nulls and absent members as that vendor documents it. They are made when they are asked for, and take no
//! memory before they are changed; a look-up or a page costs as much as with a few. The same seed number gives the same
//! keys.
//!
//! Of the requests a vendor records the last 10,000 are kept, and all are counted ([`Vendor::request_count`]).
//!
//! # As a program
//!
//! `cargo run -p keymux-emulator` (the feature `program`, on by default) prints the environment variables that point
//! Keymux at the vendors, and serves until Ctrl-C or SIGTERM; `--help` lists the options, [`serve()`] is the same as a
//! function. Any HTTP client can ask it:
//!
//! ```sh
//! cargo run -p keymux-emulator > vendors.env &
//! . ./vendors.env
//! curl -H "Authorization: Api-Key $BASETEN_API_KEY" $BASETEN_BASE_URL/v1/gateway/groups/g7k2m9qx/api_keys/sky_Qm4tZp0Lw8Rk
//! curl -H "Authorization: Bearer $BRAINTRUST_API_KEY" "$BRAINTRUST_BASE_URL/v1/api_key?limit=2"
//! curl -H "Authorization: Bearer $MIELTO_API_KEY" $MIELTO_BASE_URL/api/v1/api-keys -d '{"label": "nightly"}'
//! curl -H "x-api-key: $DATKEY_API_KEY" $DATKEY_BASE_URL/keys/verify \
//!   -d '{"api_id": "api_example_1", "key": "demo_ab12EXAMPLEnoSec"}'
//! curl -H "Authorization: Bearer $ONELOOP_API_KEY" $ONELOOP_BASE_URL/api/v1/workspace
//! ```
//!
//! A registration at Baseten is signed with [`baseten_signing_key`], or with a key whose public half is
//! [put on file](Builder::with_baseten_public_key).
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
mod delay;
mod emulator;
mod entry;
mod error;
mod faults;
mod generated;
mod handler;
mod limit;
mod lock;
mod operations;
mod recorded;
mod request;
#[cfg(feature = "program")]
mod serve;
mod server;
mod settings;
mod store;
mod strike;
mod table;
mod vendor;
mod vendors;

pub use builder::Builder;
pub use delay::DelayForm;
pub use emulator::Emulator;
pub use error::InvalidSetting;
pub use faults::{Drift, Fault, FaultAnswer, FaultBody, FaultPlan, FaultRule, Pick};
pub use generated::MAX_KEYS;
pub use limit::RateLimit;
pub use recorded::RecordedRequest;
#[cfg(feature = "program")]
pub use serve::serve;
pub use vendor::Vendor;
pub use vendors::baseten::FOREIGN_GROUP as BASETEN_FOREIGN_GROUP;
pub use vendors::baseten::signing::baseten_signing_key;
