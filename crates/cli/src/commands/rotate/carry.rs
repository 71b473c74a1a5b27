//! One rotation, from the state that it is in to where its plan ends for now.

use std::cell::RefCell;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use keymux::rotation::{Method, OldKeyEnd, OldKeyState, ProofLimit, Rotation, Rotator, Stage};
use keymux::{Error, IssuedKey, Keymux, SecretString};

use crate::args::{SecretIn, SecretOut};
use crate::child;
use crate::console::Console;
use crate::exit::Failure;
use crate::interrupt::{Interrupt, Taken};
use crate::plaintext;
use crate::rotation_state::StateFile;
use crate::secret_out::{self, Kept, Place};
use crate::shutdown::{self, ShutdownGuard};

use super::options::Commands;
use super::unsaved;

/// How long a check waits for the next one, at most and at least.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Where the plaintext is stored. What there can be is there before anything is sent.
pub(super) enum Store<'a> {
    Place(Place<'a>),
    Command(Vec<OsString>, Duration),
}

impl<'a> Store<'a> {
    /// Makes room, and keeps in the state where it is.
    pub(super) fn ready(
        commands: &Commands,
        secret: SecretOut,
        state: &mut StateFile,
        console: &'a Console,
    ) -> Result<Self, Failure> {
        if let Some((command, limit)) = &commands.store {
            state.secret_file = None;
            return Ok(Self::Command(command.clone(), *limit));
        }
        let place = Place::ready(secret, console)?;
        state.secret_file = place.path().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        Ok(Self::Place(place))
    }
}

/// How far it came.
#[derive(Debug)]
pub(super) enum Came {
    Ended(OldKeyEnd),
    Kept(Option<Timestamp>),
    /// A pipe took the plaintext.
    Handed,
    /// The new key was not seen to work.
    NotProven(String),
    /// The new plaintext is stored, and the old key could not be ended; or that is not known.
    Unfinished(Error, bool),
}

/// What all rotations of a run share.
pub(super) struct Job<'a> {
    pub(super) keymux: &'a Keymux,
    pub(super) rotator: &'a Rotator,
    pub(super) console: &'a Console,
    pub(super) guard: &'a ShutdownGuard,
    /// The command that goes on.
    pub(super) next: &'a str,
    pub(super) commands: &'a Commands,
}

/// What [`Job::make`] gave.
struct Made {
    plaintext: SecretString,
    handed: bool,
}

impl Job<'_> {
    /// Does what is left. The state is written before each request, and what became of the rotation is in `rotation`
    /// whether or not that succeeds.
    pub(super) async fn carry(
        &self,
        rotation: &mut Rotation,
        state: &mut StateFile,
        store: Option<Store<'_>>,
    ) -> Result<Came, Failure> {
        let mut plaintext = None;
        if let Some(store) = store {
            let made = self.make(rotation, state, store).await?;
            if made.handed {
                return Ok(Came::Handed);
            }
            plaintext = Some(made.plaintext);
        }
        if self.guard.was_heard() && self.guard.exit() != crate::exit::Exit::Interrupted {
            return Err(Failure::Interrupted(self.guard.exit()));
        }
        if matches!(rotation.stage(), Stage::Stored { .. }) && rotation.plan().needs_proof() {
            if let Some(came) = self.prove(rotation, plaintext, state.secret_file.clone()).await? {
                return Ok(came);
            }
            state.save(rotation).map_err(|error| unsaved(state, error))?;
        }
        self.finish(rotation, state).await
    }

    /// Makes the key and stores its plaintext.
    async fn make(&self, rotation: &mut Rotation, state: &mut StateFile, store: Store<'_>) -> Result<Made, Failure> {
        let Some(prepared) = Interrupt::listen().or(self.rotator.prepare(rotation)).await else {
            return Err(Failure::Interrupted(self.guard.exit()));
        };
        prepared?;
        state.save(rotation).map_err(|error| unsaved(state, error))?;
        let native = rotation.plan().method() == Method::Native;
        let look = if native {
            Some(super::super::look_at(rotation.old_key()))
        } else {
            super::super::look_in(self.keymux, rotation.old_key().account(), &rotation.plan().new_key().scope)
        };
        let call = self.rotator.make(rotation);
        let seen = super::super::see_through(self.guard, call, "whether there is a new plaintext", self.console).await;
        let issued = match shutdown::made(seen, look.as_deref()) {
            Ok(issued) => issued,
            Err(failure) => {
                if let Store::Place(place) = store {
                    place.give_up(&failure);
                }
                // The failure says more than one of saving, and what stands there is true too.
                let _ = state.save(rotation);
                return Err(failure);
            }
        };
        // From here on nothing ends the program until the plaintext is stored, and the state says so.
        let _storing = Taken::for_storing();
        let saved = state.save(rotation);
        let plaintext = issued.plaintext.clone();
        let kept = self.store(rotation, issued, store).await?;
        // A pipe is all that there is to wait for where the old plaintext is replaced already.
        if kept == Kept::Handed && !native {
            saved.map_err(|error| unsaved(state, error))?;
            return Ok(Made { plaintext, handed: true });
        }
        rotation.stored()?;
        // A disk that was full a moment ago is tried once more, since nothing may follow a state that is not kept.
        state.save(rotation).map_err(|error| unsaved(state, error))?;
        Ok(Made { plaintext, handed: false })
    }

    async fn store(&self, rotation: &Rotation, issued: IssuedKey, store: Store<'_>) -> Result<Kept, Failure> {
        let (command, limit) = match store {
            Store::Place(place) => return place.keep(&issued),
            Store::Command(command, limit) => (command, limit),
        };
        secret_out::warn(&issued, self.console);
        if issued.record.is_none() {
            let find_out = issued.find_out.as_deref().unwrap_or_default();
            self.console.note(&format!("The vendor did not tell the key's address: {find_out}"));
        }
        child::feed(&command, &issued.plaintext, &variables(rotation), limit).await.map_err(|why| {
            let new = rotation.new_key().map_or_else(|| "the new key".to_owned(), |key| key.to_string());
            Failure::Lost(format!(
                "the plaintext of {new} was not stored: {why}. It is shown once, and is lost; the rotation goes on with \
                 another key, and revokes this one then"
            ))
        })?;
        Ok(Kept::Stored)
    }

    /// Sees that the new key works. `Some`: it was not seen to.
    async fn prove(
        &self,
        rotation: &mut Rotation,
        plaintext: Option<SecretString>,
        secret_file: Option<std::path::PathBuf>,
    ) -> Result<Option<Came>, Failure> {
        let Some((command, limit)) = &self.commands.prove else {
            return Ok(Some(Came::NotProven("the plan wants a proof, and there is no --prove".to_owned())));
        };
        let plaintext = match (plaintext, secret_file) {
            (Some(plaintext), _) => plaintext,
            (None, Some(path)) => plaintext::read(&SecretIn { key_file: Some(path) }, self.console).await?,
            (None, None) => {
                let why = "its plaintext is not in a file that this rotation wrote, and cannot be handed to --prove";
                return Ok(Some(Came::NotProven(why.to_owned())));
            }
        };
        let variables = variables(rotation);
        let last = RefCell::new("it was not tried".to_owned());
        let pause = (*limit / 20).clamp(PAUSES.0, PAUSES.1);
        let check = || async {
            let checked = child::feed(command, &plaintext, &variables, *limit).await;
            checked.inspect_err(|why| last.borrow_mut().clone_from(why))
        };
        let proof = self.rotator.prove(rotation, ProofLimit::new(NonZeroU32::MAX, pause), check);
        let proof = tokio::time::timeout(*limit, proof);
        match Interrupt::listen().or(proof).await {
            None => Err(Failure::Interrupted(self.guard.exit())),
            Some(Ok(Ok(()))) => Ok(None),
            Some(Ok(Err(_)) | Err(_)) => {
                Ok(Some(Came::NotProven(format!("{} in {} s", last.into_inner(), limit.as_secs()))))
            }
        }
    }

    /// Ends the old key, as the plan says.
    async fn finish(&self, rotation: &mut Rotation, state: &mut StateFile) -> Result<Came, Failure> {
        let was = rotation.clone();
        let key = rotation.old_key().clone();
        let call = self.rotator.finish(rotation);
        let seen = super::super::see_through(self.guard, call, "whether the old key is revoked", self.console).await;
        if *rotation != was {
            state.save(rotation).map_err(|error| unsaved(state, error))?;
        }
        let look = super::super::look_at(&key);
        match seen {
            Err(stopped) => {
                self.console.note(&format!("the new plaintext is stored; go on with: {}", self.next));
                Err(stopped.failure(Some(&look)))
            }
            Ok(Ok(OldKeyState::Ended(end))) => Ok(Came::Ended(end)),
            Ok(Ok(OldKeyState::Kept(until))) => Ok(Came::Kept(until)),
            Ok(Ok(_)) => Ok(Came::Kept(None)),
            Ok(Err(error)) => {
                let unknown = shutdown::is_unknown(&error);
                let error = if unknown { shutdown::hinted(error, Some(&look)) } else { error };
                Ok(Came::Unfinished(error, unknown))
            }
        }
    }
}

/// What the commands are told, none of it secret.
fn variables(rotation: &Rotation) -> child::Variables {
    vec![
        ("KEYMUX_REF", rotation.new_key().map(|key| key.to_string())),
        ("KEYMUX_OLD_REF", Some(rotation.old_key().to_string())),
        ("KEYMUX_ACCOUNT", Some(rotation.old_key().account().to_string())),
    ]
}
