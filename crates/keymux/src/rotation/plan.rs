//! The plan: what a rotation will do, before it does anything.

use jiff::Timestamp;
use keymux_core::{
    Error, ErrorKind, KeyRecord, KeyRef, Likeness, NewKey, Operation, Parameter, Permission, ProviderId, ProviderInfo,
    Untold,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refused;
use super::stamp::{Stamp, StampPlace};
use super::version::Version;

/// How a key gets its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// A second key is made, and the first one ended once the second one's plaintext is stored. Both work in between.
    SecondKey,
    /// The vendor replaces the plaintext in one call; the address stays. The old plaintext ends with that call: **if its
    /// answer is lost, nobody has a plaintext that works**, and until the new one is stored whoever uses the key is
    /// refused.
    Native,
}

/// What becomes of the old key, once the new plaintext is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OldKey {
    /// It is revoked at once.
    Revoke,
    /// It goes on working; [`Rotator::finish`](super::Rotator::finish) revokes it at this time or later.
    KeepUntil(Timestamp),
    /// It goes on working until [`Rotation::release`](super::Rotation::release) is called.
    KeepUntilTold,
    /// Its expiry is set to this time, and the vendor ends it: nobody has to come back. Not where the vendor cannot
    /// change when a key ends.
    ExpireAt(Timestamp),
}

/// What a rotation will do.
///
/// Printed, it is readable at 80 columns. It is made of the key's record by [`Rotator::plan`](super::Rotator::plan),
/// can be changed and stored, and becomes a [`Rotation`](super::Rotation) by [`begin`](Self::begin).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[must_use = "nothing is done before the plan is begun"]
pub struct RotationPlan {
    version: Version,
    pub(super) key: KeyRef,
    pub(super) provider: ProviderId,
    pub(super) vendor: String,
    pub(super) method: Method,
    /// What the new key is to be, without the stamp.
    pub(super) new_key: NewKey,
    /// What the old key's record tells, which the new one must not exceed.
    limits: NewKey,
    /// What it does not tell.
    pub(super) untold: Vec<Untold>,
    pub(super) old_key: OldKey,
    pub(super) needs_proof: bool,
    pub(super) stamp: Stamp,
    takes_expiry: bool,
    /// Where the vendor has room for a stamp.
    rooms: Vec<StampPlace>,
}

impl RotationPlan {
    /// A second key like the one of `record`.
    pub(super) fn second_key(key: KeyRef, record: &KeyRecord, like: Likeness, info: &ProviderInfo, id: String) -> Self {
        let takes = |operation, parameter| info.capabilities().takes(operation, parameter).is_some();
        let rooms = [(StampPlace::Metadata, Parameter::Metadata), (StampPlace::Name, Parameter::Name)];
        let has_room = |(place, parameter)| takes(Operation::Create, parameter).then_some(place);
        let rooms: Vec<StampPlace> = rooms.into_iter().filter_map(has_room).collect();
        let place = if rooms.contains(&StampPlace::Metadata) { StampPlace::Metadata } else { StampPlace::Nowhere };
        let unmarked = Stamp { id: id.clone(), place: StampPlace::Nowhere };
        let new_key = unmarked.on(&like.key, key.address());
        Self {
            version: Version,
            provider: record.provider.clone(),
            vendor: info.name().to_owned(),
            method: Method::SecondKey,
            limits: new_key.clone(),
            new_key,
            untold: like.untold,
            old_key: OldKey::Revoke,
            needs_proof: false,
            stamp: Stamp { id, place },
            takes_expiry: takes(Operation::Update, Parameter::ExpiresAt),
            rooms,
            key,
        }
    }

    /// A new plaintext at the same address.
    pub(super) fn native(key: KeyRef, info: &ProviderInfo, id: String) -> Self {
        Self {
            version: Version,
            provider: info.id().clone(),
            vendor: info.name().to_owned(),
            method: Method::Native,
            new_key: NewKey::default(),
            limits: NewKey::default(),
            untold: Vec::new(),
            old_key: OldKey::Revoke,
            needs_proof: false,
            stamp: Stamp { id, place: StampPlace::Nowhere },
            takes_expiry: false,
            rooms: Vec::new(),
            key,
        }
    }

    /// The key that gets a successor.
    #[must_use]
    pub fn key(&self) -> &KeyRef {
        &self.key
    }

    /// How it gets one.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The key that will be made, without the stamp. Of no meaning for [`Method::Native`].
    pub fn new_key(&self) -> &NewKey {
        &self.new_key
    }

    /// The key that will be made, with its stamp.
    pub fn stamped_key(&self) -> NewKey {
        self.stamp.on(&self.new_key, self.key.address())
    }

    /// What the old key's record does not tell, and nobody said.
    #[must_use]
    pub fn untold(&self) -> &[Untold] {
        &self.untold
    }

    /// What becomes of the old key.
    #[must_use]
    pub fn old_key(&self) -> OldKey {
        self.old_key
    }

    /// The mark of the keys that this rotation makes.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Whether the new key must be [proven](super::Rotator::prove) before the old one is ended.
    #[must_use]
    pub fn needs_proof(&self) -> bool {
        self.needs_proof
    }

    /// Changes what the new key will be, and says what the record does not tell: take [`new_key`](Self::new_key) and
    /// change it.
    ///
    /// What the new key would be allowed beyond the old one is [`ErrorKind::InvalidRequest`] and named: a later expiry or
    /// none, more permissions, more addresses, more uses, another customer or scope, a longer list in one of the vendor's
    /// own settings. What the record does not tell is taken from the caller as it is.
    pub fn with_new_key(mut self, key: NewKey) -> Result<Self, Error> {
        self.must_be_second_key("the vendor keeps all settings")?;
        if let Some(setting) = self.widened(&key) {
            let reason =
                format!("`{setting}` would allow the new key more than the old one; a rotation widens nothing");
            return Err(self.refuse(ErrorKind::InvalidRequest, reason));
        }
        let was = std::mem::replace(&mut self.new_key, key);
        let (new, stays) = (&self.new_key, &was);
        self.untold.retain(|untold| !says(new, &untold.setting) || says(stays, &untold.setting));
        Ok(self)
    }

    /// Says that the new key is to be made without `setting`, which the record does not tell.
    pub fn accepting(mut self, setting: &str) -> Self {
        self.untold.retain(|untold| untold.setting != setting);
        self
    }

    /// Says what becomes of the old key. Default: [`OldKey::Revoke`].
    ///
    /// A time to expire at is [`ErrorKind::Unsupported`] where the vendor cannot change when a key ends, and
    /// [`ErrorKind::InvalidRequest`] if the key ends sooner anyway.
    pub fn with_old_key(mut self, old_key: OldKey) -> Result<Self, Error> {
        self.must_be_second_key("its old plaintext ends with the call")?;
        if let OldKey::ExpireAt(at) = old_key {
            if !self.takes_expiry {
                let reason = format!("{} cannot change when a key ends; keep it until a time", self.vendor);
                return Err(self.refuse(ErrorKind::Unsupported, reason));
            }
            if let Some(end) = self.limits.expires_at.filter(|end| *end < at) {
                let reason = format!("the old key ends at {end} already; a rotation widens nothing");
                return Err(self.refuse(ErrorKind::InvalidRequest, reason));
            }
            if self.untold.iter().any(|untold| untold.setting == Parameter::ExpiresAt.as_str()) {
                let reason = "the record does not tell when the old key ends, so that another time might be later";
                return Err(self.refuse(ErrorKind::InvalidRequest, reason));
            }
        }
        self.old_key = old_key;
        Ok(self)
    }

    /// Says where the stamp stands. Default: in the metadata where the vendor takes some, else nowhere.
    /// [`ErrorKind::Unsupported`] where the vendor has no room for it.
    pub fn with_stamp(mut self, place: StampPlace) -> Result<Self, Error> {
        if place != StampPlace::Nowhere && !self.rooms.contains(&place) {
            let reason = format!("{} has no room for a stamp there", self.vendor);
            return Err(self.refuse(ErrorKind::Unsupported, reason));
        }
        self.stamp.place = place;
        Ok(self)
    }

    /// Ends the old key only after a [proof](super::Rotator::prove) that the new one works.
    pub fn with_proof(mut self) -> Self {
        self.needs_proof = true;
        self
    }

    pub(super) fn refuse(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        refused(kind, &self.key, &self.provider, reason)
    }

    fn must_be_second_key(&self, why: &str) -> Result<(), Error> {
        if self.method == Method::SecondKey {
            return Ok(());
        }
        Err(self.refuse(ErrorKind::Unsupported, format!("not in a native rotation: {why}")))
    }

    /// The first setting in which `key` would be allowed more than the old key is known to be.
    fn widened(&self, key: &NewKey) -> Option<String> {
        let told = |parameter: &str| !self.untold.iter().any(|untold| untold.setting == parameter);
        let limits = &self.limits;
        let wider = [
            (Parameter::Scope, key.scope != limits.scope),
            (Parameter::ExpiresAt, exceeds(limits.expires_at.as_ref(), key.expires_at.as_ref())),
            (Parameter::Permissions, more_permissions(limits.permissions.as_deref(), key.permissions.as_deref())),
            (Parameter::IpAllowlist, more_of(limits.ip_allowlist.as_deref(), key.ip_allowlist.as_deref())),
            (Parameter::MaxUses, exceeds(limits.max_uses.as_ref(), key.max_uses.as_ref())),
            (Parameter::Customer, key.customer != limits.customer),
        ];
        let wider = wider.into_iter().find(|(parameter, wider)| *wider && told(parameter.as_str()));
        if let Some((parameter, _)) = wider {
            return Some(parameter.as_str().to_owned());
        }
        // A list of the vendor's own is taken for one of what the key may use.
        let longer = |(name, had): &(&String, &Value)| {
            let had = had.as_array().map(Vec::as_slice);
            let has = key.settings.get(name.as_str()).and_then(Value::as_array).map(Vec::as_slice);
            had.is_some() && more_of(had, has)
        };
        limits.settings.iter().find(longer).map(|(name, _)| name.clone())
    }
}

/// Whether a key says anything of `setting`.
fn says(key: &NewKey, setting: &str) -> bool {
    let parameter = Parameter::ALL.iter().find(|parameter| parameter.as_str() == setting);
    match parameter {
        Some(Parameter::Scope) => !key.scope.is_account(),
        Some(Parameter::Name) => key.name.is_some(),
        Some(Parameter::ExpiresAt) => key.expires_at.is_some(),
        Some(Parameter::Permissions) => key.permissions.is_some(),
        Some(Parameter::IpAllowlist) => key.ip_allowlist.is_some(),
        Some(Parameter::MaxUses) => key.max_uses.is_some(),
        Some(Parameter::Metadata) => key.metadata.is_some(),
        Some(Parameter::Customer) => key.customer.is_some(),
        Some(Parameter::Prefix) => key.prefix.is_some(),
        Some(Parameter::Enabled) => key.enabled.is_some(),
        _ => key.settings.contains_key(setting),
    }
}

/// Whether a limit is lifted or raised.
fn exceeds<T: PartialOrd>(limit: Option<&T>, now: Option<&T>) -> bool {
    match (limit, now) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(limit), Some(now)) => now > limit,
    }
}

/// Whether a list that limits has something that it had not, or is gone.
fn more_of<T: PartialEq>(limit: Option<&[T]>, now: Option<&[T]>) -> bool {
    match (limit, now) {
        (None, _) => false,
        (Some(_), None) => true,
        // An empty list that limits may be the same as none.
        (Some(limit), Some(now)) => now.iter().any(|one| !limit.contains(one)) || (now.is_empty() && !limit.is_empty()),
    }
}

/// Whether there is a permission that there was not. What no permissions at all mean is a vendor's own matter, so that
/// giving some in their place, or none in the place of some, counts as more.
fn more_permissions(limit: Option<&[Permission]>, now: Option<&[Permission]>) -> bool {
    let (limit, now) = match (limit, now) {
        (None, None) => return false,
        (Some(limit), Some(now)) if now.is_empty() == limit.is_empty() => (limit, now),
        _ => return true,
    };
    let covered = |new: &Permission| {
        limit.iter().filter(|old| old.name == new.name).any(|old| match (&old.actions, &new.actions) {
            (None, None) => true,
            (Some(old), Some(new)) => new.iter().all(|action| old.contains(action)),
            _ => false,
        })
    };
    !now.iter().all(covered)
}
