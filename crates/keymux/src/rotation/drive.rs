//! The thin driver: all steps in their order, for a caller that hands in how the plaintext is stored.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use keymux_core::{Error, IssuedKey, KeyRecord, Parameter};

use super::state::{Rotation, Stage};
use super::steps::{OldKeyState, Rotator};

/// How often and how long a [proof](Rotator::prove) is tried. Default: 10 checks, 2 s apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProofLimit {
    /// How many checks at most.
    pub checks: NonZeroU32,
    /// How long to wait after a check that failed.
    pub pause: Duration,
}

impl Default for ProofLimit {
    fn default() -> Self {
        // The compiler sees that 10 is not 0.
        Self { checks: const { NonZeroU32::new(10).unwrap() }, pause: Duration::from_secs(2) }
    }
}

impl ProofLimit {
    /// At most so many checks, with this pause between them.
    #[must_use]
    pub fn new(checks: NonZeroU32, pause: Duration) -> Self {
        Self { checks, pause }
    }
}

/// A rotation that came as far as its plan goes for now: the old key is ended, or kept.
#[derive(Debug, Clone)]
#[must_use = "the old key may be kept, and keys may be orphaned"]
#[non_exhaustive]
pub struct Rotated {
    /// The state, which tells what became of the old key.
    pub rotation: Rotation,
    /// What became of the old key.
    pub old: OldKeyState,
    /// What the vendor says about the new key. `None`: its answer did not tell the address, or the key was made by an
    /// earlier run.
    pub record: Option<KeyRecord>,
    /// What was asked for and the answer does not confirm: see [`IssuedKey::unconfirmed`].
    pub unconfirmed: Vec<Parameter>,
    /// The same of the vendor's own settings.
    pub unconfirmed_settings: Vec<String>,
}

/// Why a rotation stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotationCause {
    /// A call to the vendor failed, or the step is not one for this state.
    Vendor(Error),
    /// The state could not be saved. Nothing was sent after it.
    Save(Box<dyn StdError + Send + Sync>),
    /// The plaintext could not be stored. The old key is left as it is.
    Store(Box<dyn StdError + Send + Sync>),
    /// The new key did not work within the limit. Both keys are left as they are.
    NotProven {
        /// How many checks failed.
        checks: u32,
        /// What the last one said.
        last: Box<dyn StdError + Send + Sync>,
    },
}

/// A rotation that stopped, and the state from which it goes on.
#[derive(Debug)]
pub struct RotationError {
    rotation: Option<Box<Rotation>>,
    cause: Box<RotationCause>,
}

impl RotationError {
    pub(super) fn new(cause: RotationCause, rotation: &Rotation) -> Self {
        Self { rotation: Some(Box::new(rotation.clone())), cause: Box::new(cause) }
    }

    /// Why it stopped.
    #[must_use]
    pub fn cause(&self) -> &RotationCause {
        &self.cause
    }

    /// The vendor's error, if that is the cause.
    #[must_use]
    pub fn vendor(&self) -> Option<&Error> {
        match &*self.cause {
            RotationCause::Vendor(error) => Some(error),
            _ => None,
        }
    }

    /// The state from which it goes on; `None`: nothing was begun.
    #[must_use]
    pub fn rotation(&self) -> Option<&Rotation> {
        self.rotation.as_deref()
    }

    /// The cause and the state.
    #[must_use]
    pub fn into_parts(self) -> (RotationCause, Option<Rotation>) {
        (*self.cause, self.rotation.map(|rotation| *rotation))
    }
}

/// One that stopped before anything was begun.
impl From<Error> for RotationError {
    fn from(error: Error) -> Self {
        Self { rotation: None, cause: Box::new(RotationCause::Vendor(error)) }
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cause {
            RotationCause::Vendor(error) => error.fmt(f)?,
            RotationCause::Save(error) => write!(f, "the state of the rotation could not be saved: {error}")?,
            RotationCause::Store(error) => write!(f, "the new plaintext could not be stored: {error}")?,
            RotationCause::NotProven { checks, last } => {
                write!(f, "the new key did not work in {checks} checks; the last one: {last}")?;
            }
        }
        match &self.rotation {
            Some(rotation) => write!(f, "; {}", rotation.standing()),
            None => Ok(()),
        }
    }
}

impl StdError for RotationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.cause {
            RotationCause::Vendor(error) => Some(error),
            RotationCause::Save(error) | RotationCause::Store(error) => Some(&**error),
            RotationCause::NotProven { last, .. } => Some(&**last),
        }
    }
}

impl Rotator {
    /// Takes a rotation from whatever state it is in to its end, or to where its old key is kept.
    ///
    /// `save` keeps the state each time that it changes, before the next request: return once it is where it survives this
    /// process. `store` keeps the plaintext; the old key is ended only after it returned `Ok`. A plan that wants a proof
    /// stops with an error when it comes to it; hand one in with [`run_with_proof`](Self::run_with_proof).
    ///
    /// Once the key is made `store` is called whether or not its state could be saved, since the plaintext is nowhere else.
    /// Every error has the state from which the next run goes on. If the future is dropped, the state that was saved last
    /// is that.
    pub async fn run<S, SF, SE, K, KF, KE>(
        &self,
        rotation: Rotation,
        save: S,
        store: K,
    ) -> Result<Rotated, RotationError>
    where
        S: FnMut(Rotation) -> SF,
        SF: Future<Output = Result<(), SE>>,
        SE: Into<Box<dyn StdError + Send + Sync>>,
        K: FnOnce(IssuedKey) -> KF,
        KF: Future<Output = Result<(), KE>>,
        KE: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut run = Run { rotator: self, rotation, save, told: Told::default() };
        // On the heap: the future of a whole rotation would be tens of kilobytes.
        Box::pin(run.until_stored(store)).await?;
        Box::pin(run.end()).await
    }

    /// Like [`run`](Self::run), with a `check` that uses the new key, tried as often as `limit` allows before the old key is
    /// ended. The plaintext is where `store` put it.
    pub async fn run_with_proof<S, SF, SE, K, KF, KE, P, PF, PE>(
        &self,
        rotation: Rotation,
        save: S,
        store: K,
        (limit, check): (ProofLimit, P),
    ) -> Result<Rotated, RotationError>
    where
        S: FnMut(Rotation) -> SF,
        SF: Future<Output = Result<(), SE>>,
        SE: Into<Box<dyn StdError + Send + Sync>>,
        K: FnOnce(IssuedKey) -> KF,
        KF: Future<Output = Result<(), KE>>,
        KE: Into<Box<dyn StdError + Send + Sync>>,
        P: FnMut() -> PF,
        PF: Future<Output = Result<(), PE>>,
        PE: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut run = Run { rotator: self, rotation, save, told: Told::default() };
        Box::pin(run.until_stored(store)).await?;
        if matches!(run.rotation.stage(), Stage::Stored { .. }) {
            self.prove(&mut run.rotation, limit, check).await?;
            run.save().await?;
        }
        Box::pin(run.end()).await
    }
}

/// What the vendor told of the new key.
#[derive(Default)]
struct Told {
    record: Option<KeyRecord>,
    unconfirmed: Vec<Parameter>,
    unconfirmed_settings: Vec<String>,
}

struct Run<'a, S> {
    rotator: &'a Rotator,
    rotation: Rotation,
    save: S,
    told: Told,
}

impl<S, SF, SE> Run<'_, S>
where
    S: FnMut(Rotation) -> SF,
    SF: Future<Output = Result<(), SE>>,
    SE: Into<Box<dyn StdError + Send + Sync>>,
{
    async fn save(&mut self) -> Result<(), RotationError> {
        let saved = (self.save)(self.rotation.clone()).await;
        saved.map_err(|error| RotationError::new(RotationCause::Save(error.into()), &self.rotation))
    }

    fn vendor(&self, error: Error) -> RotationError {
        RotationError::new(RotationCause::Vendor(error), &self.rotation)
    }

    async fn until_stored<K, KF, KE>(&mut self, store: K) -> Result<(), RotationError>
    where
        K: FnOnce(IssuedKey) -> KF,
        KF: Future<Output = Result<(), KE>>,
        KE: Into<Box<dyn StdError + Send + Sync>>,
    {
        if self.rotation.stage().is_stored() {
            return Ok(());
        }
        if let Err(error) = self.rotator.prepare(&mut self.rotation).await {
            return Err(self.vendor(error));
        }
        self.save().await?;
        let issued = match self.rotator.make(&mut self.rotation).await {
            Ok(issued) => issued,
            Err(error) => {
                // The vendor's error says more than one of saving.
                let _ = self.save().await;
                return Err(self.vendor(error));
            }
        };
        self.told = Told {
            record: issued.record.clone(),
            unconfirmed: issued.unconfirmed.clone(),
            unconfirmed_settings: issued.unconfirmed_settings.clone(),
        };
        let saved = self.save().await;
        if let Err(error) = store(issued).await {
            return Err(RotationError::new(RotationCause::Store(error.into()), &self.rotation));
        }
        // It is made: the step before was this one's.
        if let Err(error) = self.rotation.stored() {
            return Err(self.vendor(error));
        }
        // A place that failed a moment ago is tried once more, since nothing may follow a state that is not kept.
        drop(saved);
        self.save().await
    }

    async fn end(mut self) -> Result<Rotated, RotationError> {
        let was = self.rotation.clone();
        let ended = self.rotator.finish(&mut self.rotation).await;
        if self.rotation != was {
            let saved = self.save().await;
            if ended.is_ok() {
                saved?;
            }
        }
        match ended {
            Ok(old) => {
                let Told { record, unconfirmed, unconfirmed_settings } = self.told;
                Ok(Rotated { rotation: self.rotation, old, record, unconfirmed, unconfirmed_settings })
            }
            Err(error) => Err(self.vendor(error)),
        }
    }
}
