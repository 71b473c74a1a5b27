//! Baseten, Braintrust, Mielto, Datkey and Oneloop on loopback: real HTTP, no accounts, no network.
//!
//! An [`Emulator`] serves each vendor at an address of its own, with a few keys to look up from the start and room for
//! more. It speaks the vendors' wire as they document it, and shares no type with any client, so that a misreading on
//! either side shows.
//!
//! ```
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
//! | vendor | request | credential | a key is sent | unknown key |
//! |---|---|---|---|---|
//! | [Baseten](Emulator::baseten) | `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` | `Authorization: Api-Key …` or `Bearer …` | bare | 404 |
//! | [Braintrust](Emulator::braintrust) | `GET /v1/api_key/{api_key_id}` | `Authorization: Bearer …` | bare | 400, plain text |
//! | [Mielto](Emulator::mielto) | `GET /api/v1/api-keys/{api_key_id}` | `Authorization: Bearer …` or `X-API-Key: …` | bare | 404 |
//! | [Datkey](Emulator::datkey) | `GET /keys/{id}` | `x-api-key: …` | in `key` | 404 |
//! | [Oneloop](Emulator::oneloop) | `GET /api/v1/workspace/{id}/api-key/{akid}` | `Authorization: Bearer …` | in `apiKey` | 404 |
//!
//! Each id is one segment of the path and is percent-decoded once. Without the vendor's credential every one of these
//! answers 401. A path that is not listed gets what the vendor answers to paths it does not have; another method on a
//! listed path gets 405.
//!
//! Where a vendor documents no answer, the emulator gives the likeliest one; the source of that vendor's module says so.
//!
//! # Isolation
//!
//! Each emulator has its own ports, keys, recorded requests, thread and runtime. It answers whatever the runtime of its
//! user is doing, and any number of emulators run side by side.

mod answer;
mod backend;
mod emulator;
mod recorded;
mod request;
mod server;
mod vendor;
mod vendors;

pub use emulator::Emulator;
pub use recorded::RecordedRequest;
pub use vendor::Vendor;
pub use vendors::baseten::FOREIGN_GROUP as BASETEN_FOREIGN_GROUP;
