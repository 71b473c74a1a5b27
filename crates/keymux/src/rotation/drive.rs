//! The thin driver: all steps in their order, for a caller that hands in how the plaintext is stored.

use std::error::Error as StdError;
use std::future::Future;

use keymux_core::{Error, IssuedKey, KeyRecord, Parameter};

use super::state::{Rotation, Stage};
use super::steps::{OldKeyState, Rotator};
use super::stop::{ProofLimit, RotationCause, RotationError};

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
