//! One typed way to look up, list, make, change and revoke API keys at many vendors.
//!
//! [`Keymux`] holds accounts, each one credential at one vendor, and gives back the same [`KeyRecord`] whatever the
//! vendor. A record never lies: what a vendor cannot say is told apart from what it did not say and from what it says
//! is none ([`Fact`]).
//!
//! ```no_run
//! use keymux::{Fact, Keymux};
//!
//! # async fn run() -> Result<(), keymux::Error> {
//! // An account for each vendor whose credential is in the environment: BASETEN_API_KEY and so on.
//! let keymux = Keymux::from_env()?;
//! let key = keymux.get(&"baseten:abc123hash/aBcDeFg".parse()?).await?;
//! match &key.last_used_at {
//!     Fact::Known(at) => println!("{} was last used at {at}", key.key_ref()),
//!     Fact::Empty => println!("never used"),
//!     Fact::Missing => println!("{} did not say", key.provider),
//!     Fact::Unsupported => println!("{} cannot say", key.provider),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Vendors
//!
//! Each is a feature, on by default, and a module with the vendor's own typed client and model:
#![cfg_attr(feature = "baseten", doc = "- [`baseten`]: an address is `group_id/api_key_prefix`")]
#![cfg_attr(feature = "braintrust", doc = "- [`braintrust`]: an address is `api_key_id`, a UUID")]
#![cfg_attr(feature = "mielto", doc = "- [`mielto`]: an address is `api_key_id`")]
#![cfg_attr(feature = "datkey", doc = "- [`datkey`]: an address is `id`")]
#![cfg_attr(feature = "oneloop", doc = "- [`oneloop`]: an address is `workspace_id/key_id`")]
//!
//! Any other vendor plugs in as an [`ApiKeyProvider`] of one's own, with [`Builder::with_account`].
//!
//! # Runtime
//!
//! Calls run on Tokio, with its time and I/O drivers enabled (as `#[tokio::main]` does).
//!
//! # Features
//!
//! Beside the vendors: `rustls` (default: the operating system's trust store), `native-tls`, and `rustls-no-provider`,
//! where the application installs the cryptography. `signing` (default) registers keys of one's own at Baseten, with the
//! cryptography of `rustls`. `config`, off by default, brings accounts from a configuration file.

mod account;
mod accounts;
mod builder;
#[cfg(feature = "config")]
pub mod config;
mod env;
mod facade;
mod inventory;
mod outcomes;
pub mod rotation;
mod unavailable;
mod vendors;

pub use builder::Builder;
pub use env::empty_variables;
pub use facade::{FoundScopes, Keymux};
pub use inventory::{
    AccountOutcome, AccountProgress, AccountState, Checkpoint, Completeness, Failure, Incomplete, Inventory,
    InventoryBuilder, InventoryStream, PartResult, Plan, UnitOutcome, UnitStatus, WorkUnit,
};
#[cfg(feature = "baseten")]
#[doc(inline)]
pub use keymux_baseten as baseten;
#[cfg(feature = "braintrust")]
#[doc(inline)]
pub use keymux_braintrust as braintrust;
pub use keymux_core::{
    About, AccountName, Action, Admission, ApiKeyProvider, AttemptEvent, Basis, Capabilities, Change, ClientOptions,
    Clock, Cursor, Drift, DriftKind, Error, ErrorKind, ErrorReport, Exchange, ExposeSecret, Fact, FactState, Feedback,
    Field, FieldValue, GiveUpEvent, IssuedKey, KeyAddress, KeyKind, KeyPatch, KeyRecord, KeyRef, KeyState, KeyStream,
    Likeness, Limits, ListPosition, Metadata, MetadataValue, NewKey, Observer, Operation, Owner, Page, Parameter,
    ParameterSupport, Permission, Permit, PermitFuture, PermitRequest, PermitWait, ProviderId, ProviderInfo,
    Randomness, RateLimit, RateLimiter, RateLimiterError, RateLimiterState, Refusal, Request, Response, RetryEvent,
    RetryPolicy, Revoked, Scope, ScopeInfo, SecretFlaw, SecretString, Sleep, Status, StopReason, Support, TimeUnit,
    Timestamp, Transport, TransportError, TransportErrorKind, Untold, Variables, Verdict, VerifyRequest, WaitEvent,
    WaitReason, compare_numbers, read_secret, scrub_text, trim_secret,
};
#[cfg(feature = "datkey")]
#[doc(inline)]
pub use keymux_datkey as datkey;
#[cfg(feature = "mielto")]
#[doc(inline)]
pub use keymux_mielto as mielto;
#[cfg(feature = "oneloop")]
#[doc(inline)]
pub use keymux_oneloop as oneloop;
pub use outcomes::{Outcome, Outcomes};
pub use rotation::{OldKey, Rotated, Rotation, RotationCause, RotationError, RotationPlan, Rotator};
pub use vendors::providers;
