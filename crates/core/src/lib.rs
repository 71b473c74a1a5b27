//! The parts of Keymux that all vendors share.
//!
//! Applications depend on the facade, `keymux`, or on one vendor's crate; both re-export what they need from here.
//! The author of a provider crate works with this one:
//!
//! - [`ApiKeyProvider`] is the trait to implement, [`KeyRecord`] what it gives back, [`Fact`] what a field is made of.
//! - [`Pipeline`] sends a [`Call`] with time-outs, a body limit, retries and spans, and hands back an [`Answer`].
//! - [`Answer::decode`] reads JSON tolerantly and notes each oddity as [`Drift`].
//! - [`Capabilities`], [`NewKey`], [`KeyPatch`] and [`VerifyRequest`] say what a vendor can do and what is asked of it.
//! - [`KeyStream`] makes one stream of pages.
//! - [`Setup`] holds a credential and a base URL, from code or from the environment.
//! - [`Error`] is what everything ends in.
//!
//! # Secrets
//!
//! Credentials and plaintext keys are [`SecretString`]s: they have no printed form, are not serialised, and are wiped
//! on drop. The header that carries a credential shares one buffer, which is wiped as well. Copies that the HTTP stack
//! makes on the way to the socket are out of reach.
//!
//! # Features
//!
//! `rustls` (default: the operating system's trust store), `native-tls`, and `rustls-no-provider`, where the
//! application installs the cryptography. Without any of them only plain HTTP to loopback works.

mod address;
mod capability;
mod clock;
mod drift;
mod error;
mod fact;
mod gate;
mod http;
mod observe;
mod page;
mod provider;
mod record;
mod retry;
mod secret;
mod setup;
mod time;
mod write;

pub use address::{AccountName, Id, IdKind, KeyAddress, KeyRef, MAX_SEGMENT_BYTES};
pub use capability::{Capabilities, Grade, Operation, Parameter, Support, Takes};
pub use clock::{Clock, Randomness, Sleep, SystemClock, SystemRandomness};
pub use drift::{Drift, DriftKind, Notes, TimeUnit};
pub use error::{Error, ErrorKind, ErrorReport};
pub use fact::{Fact, FactState};
pub use gate::{
    Admission, GateAnswer, GateError, GateFuture, GateRequest, GateState, GateWait, RateGate, RateLimit, Turn,
    WaitReason,
};
pub use http::{
    Answer, BaseUrl, Call, Decoded, Dialect, Envelope, Exchange, HttpOptions, Pipeline, Rejected, Rejection, Request,
    Response, Rows, Shape, Transport, TransportError, TransportErrorKind, UnreadRow, objects,
};
pub use observe::{AttemptEvent, GiveUpEvent, Observer, RetryEvent, StopReason, WaitEvent};
pub use page::{Cursor, KeyStream, ListPosition, Page, Scope, ScopeInfo};
pub use provider::{ApiKeyProvider, ProviderId, ProviderInfo};
pub use record::{Action, Basis, Field, KeyKind, KeyRecord, KeyState, Limits, Owner, Permission, Status};
pub use retry::RetryPolicy;
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::{is_uuid, scrub_text};
pub use setup::{Setup, Variables};
pub use time::{Reading, TimeForm, VendorTime, resolve_time};
pub use write::{Change, IssuedKey, KeyPatch, NewKey, Refusal, Revoked, Verdict, VerifyRequest};
