//! Why a rotation stops, and how long a proof is waited for.

use std::error::Error as StdError;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use keymux_core::Error;

use super::state::Rotation;

/// How often and how long a [proof](super::Rotator::prove) is tried. Default: 10 checks, 2 s apart.
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
