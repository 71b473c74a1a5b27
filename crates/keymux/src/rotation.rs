//! Rotation: a key gets a successor, and no key is lost on the way.
//!
//! A rotation is a plan and a state. The [`RotationPlan`] says what will be done; it can be printed, stored and changed
//! before anything is changed at the vendor. The [`Rotation`] says how far it is. The caller holds it, as JSON if it is
//! to outlive the process; it is about a kilobyte and holds no secret. A [`Rotator`] does the steps.
//!
//! ```text
//!             prepare            make              stored            prove (optional)
//!  planned ───────────► making ─────────► made ─────────────► stored ─────────────► proven
//!     ▲                  │  ▲               │                   │                     │
//!     │ not made:        │  │  prepare: the │                   └─────────┬───────────┘
//!     └─ refused,        │  │  plaintext is │                             │ finish
//!        not connected   │  └── lost, and ◄─┘                 ┌───────────┴──────────┐
//!                        │      the key is                    ▼                      ▼
//!                        │      abandoned                    kept ──── finish ────► done
//!                        ▼                              until a time,       the old key is revoked,
//!           the answer is lost: a look-up               or until told       gone already, expires, or
//!           settles it, or an orphan is named                               was replaced (native)
//! ```
//!
//! - **The old key is ended after the caller said `stored`, and never before.** Nothing is sent between the answer that
//!   holds the new plaintext and the return of [`Rotator::make`].
//! - **The state is written before the request.** [`Rotator::prepare`] makes it `making`; write it, then call
//!   [`Rotator::make`], which refuses a state that was not prepared by this process.
//! - **It goes on from every state, on every machine**: after an error, a future that was dropped, a crash. In `made` the
//!   plaintext is gone with the process that had it, unless the caller knows that it stored it and says so. Otherwise
//!   another key is made; the one before is *abandoned*, and revoked once the other one's plaintext is stored, not
//!   sooner, since somebody may be using it.
//! - **A lost answer is settled by looking**: the scope is listed, and a key that bears the rotation's [stamp](StampPlace)
//!   is the one; without a stamp, one key of the name that was not there before. Where the vendor lists nothing, or more
//!   than one key could be it, the rotation names an [`Orphan`] by account, scope, name and time, and nothing is revoked
//!   by guessing.
//! - **A revocation that is answered 404 is a success**: somebody else ended the key. A finished rotation that is run
//!   again sends nothing.
//! - **Nothing is widened.** The new key ends no later than the old one, may do no more, from no more places, no more
//!   often. What the record does not tell and could widen it stops the rotation until the caller says what it is.
//!
//! The one-shot [`Keymux::rotate`](crate::Keymux::rotate) is a driver over these steps for a caller that keeps no state.
//!
//! ```no_run
//! # use keymux::{KeyRef, Keymux, Rotation};
//! # async fn store(_: &keymux::SecretString) -> std::io::Result<()> { Ok(()) }
//! # async fn run(keymux: Keymux, key: KeyRef) -> Result<(), Box<dyn std::error::Error>> {
//! let rotator = keymux.rotator();
//! let mut rotation = match std::fs::read_to_string("rotation.json") {
//!     Ok(json) => Rotation::from_json(&json)?,
//!     Err(_) => rotator.plan(&key).await?.begin()?,
//! };
//! let save = |rotation: &Rotation| std::fs::write("rotation.json", rotation.to_json());
//!
//! if !rotation.stage().is_stored() {
//!     rotator.prepare(&mut rotation).await?;
//!     save(&rotation)?; // before the request
//!     let issued = rotator.make(&mut rotation).await?;
//!     save(&rotation)?;
//!     store(&issued.plaintext).await?;
//!     rotation.stored()?;
//!     save(&rotation)?;
//! }
//! rotator.finish(&mut rotation).await?; // revokes the old key
//! save(&rotation)?;
//! println!("{rotation}");
//! # Ok(()) }
//! ```

mod drive;
mod plan;
mod print;
mod stamp;
mod state;
mod steps;
mod stop;
mod version;

pub use drive::Rotated;
pub use plan::{Method, OldKey, RotationPlan};
pub use stamp::{Stamp, StampPlace, Stamped};
pub use state::{Abandoned, OldKeyEnd, Orphan, Rotation, Stage};
pub use steps::{OldKeyState, Rotator};
pub use stop::{ProofLimit, RotationCause, RotationError};

use keymux_core::{Error, ErrorKind, KeyRef, Operation, ProviderId};

/// An error of a rotation itself, before anything is sent.
fn refused(kind: ErrorKind, key: &KeyRef, provider: &ProviderId, reason: impl Into<String>) -> Error {
    Error::new(kind)
        .with_account(key.account().clone())
        .with_provider(provider.clone())
        .with_operation(Operation::Rotate.as_str())
        .with_message(reason)
}
