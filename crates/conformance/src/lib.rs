//! How to test your provider: implement a small harness, and every promise of
//! [`ApiKeyProvider`] is a test by name.
//!
//! The suite tries a provider against a stand-in of its vendor: a server on loopback that speaks the vendor's wire, which
//! you have anyway or write for your tests. Between the two the suite puts a proxy of its own, on real sockets. So it sees
//! every request as it was sent, and can answer 429 in the vendor's place, lose an answer after the request was carried
//! out, redirect, or never answer; your stand-in needs to know nothing of that.
//!
//! # The harness
//!
//! Five methods, and a default for the rest: where the stand-in is, what it accepts, how your provider is made, how a key
//! is put into the stand-in, and an address that no key has.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use keymux_conformance::{Harness, Seeded, Subject, Wiring};
//! use keymux_core::{ApiKeyProvider, Error, KeyAddress, SecretString};
//! # use keymux_core::{KeyKind, KeyRecord, ClientOptions, ProviderId, ProviderInfo};
//! # static INFO: std::sync::LazyLock<ProviderInfo> =
//! #     std::sync::LazyLock::new(|| ProviderInfo::new(ProviderId::new("acme"), "Acme", ["token_id"]));
//! # #[derive(Debug)]
//! # struct Client;
//! # impl Client {
//! #     fn new(_: SecretString, _: &str, _: ClientOptions) -> Result<Self, Error> { Ok(Self) }
//! # }
//! # #[async_trait]
//! # impl ApiKeyProvider for Client {
//! #     fn info(&self) -> &ProviderInfo { &INFO }
//! #     async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
//! #         Ok(KeyRecord::new(&INFO, address.clone(), KeyKind::API_KEY))
//! #     }
//! # }
//! # struct StandIn;
//! # impl StandIn {
//! #     async fn start() -> Self { Self }
//! #     fn url(&self) -> String { "http://127.0.0.1:9".to_owned() }
//! #     fn put(&self, _: &str) {}
//! # }
//!
//! /// Your stand-in.
//! struct Acme(StandIn);
//!
//! #[async_trait]
//! impl Harness for Acme {
//!     fn base_url(&self) -> String {
//!         self.0.url()
//!     }
//!
//!     // The suite looks for it in everything that is printed.
//!     fn credential(&self) -> SecretString {
//!         "acme-CANARY-credential".into()
//!     }
//!
//!     // All three go into your provider: the options hold the suite's clock, by which nobody waits.
//!     fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
//!         Ok(Arc::new(Client::new(wiring.credential, &wiring.base_url, wiring.http)?))
//!     }
//!
//!     // Each number is another key. A plaintext is told where there is one.
//!     async fn seed(&self, number: usize) -> Seeded {
//!         let id = format!("t-{number}");
//!         self.0.put(&id);
//!         Seeded::new(KeyAddress::new([id]).expect("an id that is not empty"))
//!     }
//!
//!     fn unknown(&self) -> KeyAddress {
//!         KeyAddress::new(["t-unknown"]).expect("an id that is not empty")
//!     }
//! }
//!
//! // The whole of `tests/conformance.rs`, beside the harness. Each rule gets a stand-in of its own.
//! fn main() -> std::process::ExitCode {
//! #   if true { return std::process::ExitCode::SUCCESS; }
//!     keymux_conformance::main([Subject::new(&INFO, || async { Acme(StandIn::start().await) })])
//! }
//! ```
//!
//! In `Cargo.toml` the test has its own `main`:
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! `cargo test --test conformance` then runs one test for each rule that concerns what your provider says it can do
//! ([`ProviderInfo::capabilities`]), with the options that every test has: a part of a name, `--exact`, `--list`. A
//! provider that has `get` alone is tried on that. A failure names the rule and says what was expected and what was seen:
//!
//! ```text
//! ---- acme::an_unknown_key_is_not_found ----
//! an_unknown_key_is_not_found: A look-up, an update and a rotation of a key that the vendor does not know are `NotFound`.
//! expected: get of t-unknown is NotFound
//!     seen: the error Decode: acme get_token: unreadable answer (HTTP 200): ...
//! ```
//!
//! What else the suite can be told:
//!
//! - [`Harness::scope`], where keys live in a group or workspace.
//! - [`Harness::new_key`], with everything that your vendor takes, so that nothing is dropped in silence.
//! - [`Harness::own_plaintext`], if the vendor asks for a form of a key that is brought along.
//! - [`Harness::page_size`], so that a list has more than one page.
//!
//! # The rules
//!
//! [`Rule::ALL`] is the list, as data: a name that does not change, and a sentence. Each is a promise that the
//! documentation of [`ApiKeyProvider`] makes. [`run()`] tries them and gives a [`Report`], which is plain data and writes
//! itself as tables. The suite itself is tested: for each rule there is a provider with one bug, which breaks that rule
//! and no other.
//!
//! # What the suite cannot see
//!
//! A stand-in is not the vendor: that the wire is right, only its documentation can say. A vendor's own statuses and
//! codes, odd times and undocumented members are matters of your provider's own tests.
//!
//! [`ApiKeyProvider`]: keymux_core::ApiKeyProvider
//! [`ProviderInfo::capabilities`]: keymux_core::ProviderInfo::capabilities

mod clock;
mod harness;
mod log;
mod proxy;
mod report;
mod rule;
mod rules;
mod run;
mod stage;
mod table;
mod verdict;

pub use harness::{Harness, Seeded, Subject, Wiring};
pub use report::{ProviderReport, Report};
pub use rule::{Outcome, Rule};
pub use run::{main, run};
