//! The state: how far a rotation is. The caller holds it.

use jiff::Timestamp;
use keymux_core::{AccountName, Error, ErrorKind, KeyAddress, KeyRef, Scope};
use serde::{Deserialize, Serialize};

use super::plan::{Method, OldKey, RotationPlan};
use super::version::Version;

/// How far a rotation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was done.
    Planned,
    /// The request that makes the key is about to be sent, or was sent and its answer is not known.
    Making {
        /// Since when.
        since: Timestamp,
        /// The keys of the same name that were there before, where they tell the new one from others. `None`: not looked
        /// up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Vec<KeyAddress>>,
    },
    /// The key is made, and its plaintext was handed out.
    Made {
        /// Where it is; `None`: the answer did not tell.
        new: Option<KeyAddress>,
        /// When.
        at: Timestamp,
    },
    /// The caller stored the plaintext.
    Stored {
        /// Where the new key is.
        new: Option<KeyAddress>,
        /// When it was made.
        at: Timestamp,
    },
    /// The new key was seen to work.
    Proven {
        /// Where the new key is.
        new: Option<KeyAddress>,
        /// When it was made.
        at: Timestamp,
    },
    /// The new key is in use, and the old one still works.
    Kept {
        /// Where the new key is.
        new: Option<KeyAddress>,
        /// Until when the old one is kept; `None`: until [`Rotation::release`].
        until: Option<Timestamp>,
    },
    /// There is nothing left to do.
    Done {
        /// Where the new key is.
        new: Option<KeyAddress>,
        /// What became of the old one.
        old: OldKeyEnd,
        /// When.
        at: Timestamp,
    },
}

/// What became of the old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OldKeyEnd {
    /// This rotation revoked it.
    Revoked,
    /// It was gone when this rotation came to revoke it: somebody else did, or an earlier request whose answer was lost.
    AlreadyGone,
    /// The vendor ends it at this time.
    Expires(Timestamp),
    /// The vendor replaced its plaintext.
    Replaced,
}

impl Stage {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Making { .. } => "making",
            Self::Made { .. } => "made",
            Self::Stored { .. } => "stored",
            Self::Proven { .. } => "proven",
            Self::Kept { .. } => "kept",
            Self::Done { .. } => "done",
        }
    }

    /// Whether the caller said that the new plaintext is stored.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. } | Self::Proven { .. } | Self::Kept { .. } | Self::Done { .. })
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// Where the new key is, once one is made and its address is known.
    #[must_use]
    pub fn new_address(&self) -> Option<&KeyAddress> {
        match self {
            Self::Planned | Self::Making { .. } => None,
            Self::Made { new, .. }
            | Self::Stored { new, .. }
            | Self::Proven { new, .. }
            | Self::Kept { new, .. }
            | Self::Done { new, .. } => new.as_ref(),
        }
    }
}

/// A key that a rotation made and whose plaintext nobody has. It is revoked once that of another one is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Abandoned {
    /// Where it is.
    pub address: KeyAddress,
    /// When it was made, by the clock of the rotation.
    pub at: Timestamp,
}

/// A key that a rotation may have made, and that could not be found: its answer was lost, and no look-up settled it.
/// It is for a person to look for, in the vendor's dashboard or list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Orphan {
    /// At which account.
    pub account: AccountName,
    /// In which scope.
    #[serde(default)]
    pub scope: Scope,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// When its request was about to be sent, by the clock of the rotation.
    pub since: Timestamp,
    /// The id of its stamp, if it bears one.
    pub stamp: Option<String>,
    /// The keys that could be it. Empty: the vendor lists none, or the list could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<KeyAddress>,
}

/// A rotation that was begun: its plan, and how far it is.
///
/// It serialises as JSON with a version, about a kilobyte long and without any secret. A [`Rotator`](super::Rotator)
/// takes it from step to step; printed, it says how things are and what is left to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    version: Version,
    pub(super) plan: Box<RotationPlan>,
    #[serde(flatten)]
    pub(super) stage: Stage,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) abandoned: Vec<Abandoned>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) orphans: Vec<Orphan>,
    /// Prepared by this process, and nothing was sent since.
    #[serde(skip)]
    pub(super) armed: bool,
}

impl RotationPlan {
    /// Begins the rotation. Nothing is sent.
    ///
    /// [`ErrorKind::Unsupported`], naming the setting, while the record does not tell something that
    /// [may widen](keymux_core::Untold::may_widen) what the new key is allowed and the caller did not say it either.
    pub fn begin(self) -> Result<Rotation, Error> {
        if let Some(untold) = self.untold.iter().find(|untold| untold.may_widen) {
            let reason = format!(
                "the record does not tell `{}`, so that the new key might be allowed more than the old one ({}); say \
                 what it is, or that it is to be left out",
                untold.setting, untold.reason
            );
            return Err(self.refuse(ErrorKind::Unsupported, reason));
        }
        Ok(Rotation::new(self))
    }
}

impl Rotation {
    pub(super) fn new(plan: RotationPlan) -> Self {
        let (abandoned, orphans) = (Vec::new(), Vec::new());
        Self { version: Version, plan: Box::new(plan), stage: Stage::Planned, abandoned, orphans, armed: false }
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Another version, or text that is no rotation, is
    /// [`ErrorKind::InvalidRequest`].
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest).with_message(format!("this is no stored rotation: {error}"))
        })
    }

    /// The JSON to store.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it has a form that JSON lacks: the keys of its maps are texts.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What it does.
    pub fn plan(&self) -> &RotationPlan {
        &self.plan
    }

    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The key that gets a successor.
    #[must_use]
    pub fn old_key(&self) -> &KeyRef {
        &self.plan.key
    }

    /// The successor, once it is made and its address is known.
    #[must_use]
    pub fn new_key(&self) -> Option<KeyRef> {
        let address = self.stage.new_address()?;
        Some(KeyRef::new(self.plan.key.account().clone(), address.clone()))
    }

    /// Keys that it made, whose plaintext is lost, and that are to be revoked yet.
    #[must_use]
    pub fn abandoned(&self) -> &[Abandoned] {
        &self.abandoned
    }

    /// Keys that it may have made, and that could not be found.
    #[must_use]
    pub fn orphans(&self) -> &[Orphan] {
        &self.orphans
    }

    /// Says that the caller stored the new plaintext, where it survives this process. From now on the old key may be ended.
    ///
    /// [`ErrorKind::Conflict`] if no key is made.
    pub fn stored(&mut self) -> Result<(), Error> {
        match &self.stage {
            Stage::Made { new, at } => self.stage = Stage::Stored { new: new.clone(), at: *at },
            stage if stage.is_stored() => {}
            _ => return Err(self.wrong_stage("no key is made whose plaintext could be stored")),
        }
        Ok(())
    }

    /// Says that a kept old key is to be ended: the next [`finish`](super::Rotator::finish) revokes it.
    pub fn release(&mut self) {
        self.plan.old_key = OldKey::Revoke;
    }

    /// Gives the rotation up before a key is made. The keys that earlier tries made are told.
    ///
    /// [`ErrorKind::Conflict`] if a key is made, or its request is under way: settle that first with
    /// [`prepare`](super::Rotator::prepare), or store the plaintext.
    pub fn give_up(self) -> Result<(Vec<Abandoned>, Vec<Orphan>), Error> {
        match self.stage {
            Stage::Planned => Ok((self.abandoned, self.orphans)),
            Stage::Making { .. } if self.armed => Ok((self.abandoned, self.orphans)),
            _ => Err(self.wrong_stage("a key is made, or may be")),
        }
    }

    pub(super) fn wrong_stage(&self, reason: &str) -> Error {
        self.plan.refuse(ErrorKind::Conflict, format!("the rotation is {}: {reason}", self.stage.as_str()))
    }

    pub(super) fn is_native(&self) -> bool {
        self.plan.method == Method::Native
    }
}
