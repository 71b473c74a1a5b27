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
//! application installs the cryptography. Without any of them only plain HTTP to loopback works. `socks` uses SOCKS
//! proxies of the environment.

mod address;
mod capability;
mod clock;
mod credential;
mod drift;
mod error;
mod fact;
mod field;
mod http;
mod info;
mod issued;
mod key_stream;
mod likeness;
mod list_guard;
mod metadata;
mod names;
mod observe;
mod page;
mod provider;
mod rate_limit;
mod record;
mod retry;
mod secret;
mod setup;
mod time;
mod verify;
mod waiting;
mod write;

pub use address::{Id, IdKind, KeyAddress, KeyRef, MAX_SEGMENT_BYTES};
pub use capability::{About, Capabilities, Grade, Operation, Parameter, ParameterSupport, Support};
pub use clock::{Clock, Randomness, Sleep, SystemClock, SystemRandomness};
pub use credential::{Credential, CredentialSource};
pub use drift::{Drift, DriftKind, DriftNotes, TimeUnit};
pub use error::{Error, ErrorKind, ErrorReport};
pub use fact::{Fact, FactState};
pub use field::Field;
pub use http::{
    Answer, BaseUrl, Call, ClientOptions, Decoded, Dialect, Distrust, Envelope, Exchange, LaterRows, Pipeline,
    Rejected, Rejection, Request, Response, Rows, Shape, Transport, TransportError, TransportErrorKind, UnreadRow,
    objects,
};
pub use info::ProviderInfo;
pub use issued::IssuedKey;
pub use jiff::Timestamp;
pub use key_stream::KeyStream;
pub use likeness::{Likeness, Untold};
pub use list_guard::ListGuard;
pub use metadata::{Metadata, MetadataValue, compare_numbers};
pub use names::{AccountName, InvalidName, ProviderId};
pub use observe::{AttemptEvent, GiveUpEvent, Observer, RetryEvent, StopReason, WaitEvent};
pub use page::{Cursor, KeyRows, ListPosition, MAX_CURSOR_BYTES, Page, Scope, ScopeInfo};
pub use provider::ApiKeyProvider;
pub use rate_limit::{
    Admission, Feedback, Permit, PermitFuture, PermitRequest, PermitWait, RateLimit, RateLimiter, RateLimiterError,
    RateLimiterState, WaitReason,
};
pub use record::{Action, Basis, FieldValue, KeyKind, KeyRecord, KeyState, Limits, Owner, Permission, Status};
pub use retry::{RetryPolicy, WaitForm, WaitHeader};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret::{SecretFlaw, is_uuid, read_secret, scrub_text, trim_secret};
pub use setup::{Setup, Variables};
pub use time::{Reading, TimeForm, VendorTime, resolve_time};
pub use verify::{Refusal, Verdict, VerifyRequest};
pub use write::{Change, KeyPatch, NewKey, Revoked};
