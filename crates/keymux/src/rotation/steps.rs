//! The steps: what is sent, and what the state is after it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keymux_core::{
    AccountName, ApiKeyProvider, Change, Clock, Cursor, Error, ErrorKind, Field, IssuedKey, KeyAddress, KeyKind,
    KeyPatch, KeyRecord, KeyRef, KeyState, Operation, Randomness, Scope, Support, SystemClock, SystemRandomness,
};

use super::plan::{Method, OldKey, RotationPlan};
use super::refused;
use super::stamp::{StampPlace, Stamped, is_named_like};
use super::state::{Abandoned, OldKeyEnd, Orphan, Rotation, Stage};
use super::stop::{ProofLimit, RotationCause, RotationError};
use crate::Keymux;

/// How many keys of one name are remembered before another of that name is made.
const MOST_BEFORE: usize = 50;
/// How many pages are looked through before a key is made. A longer list is not remembered.
const MOST_PAGES_BEFORE: usize = 20;
/// By how much a vendor's clock may be behind.
const SKEW: Duration = Duration::from_secs(300);

/// Takes rotations from step to step. See the [module's documentation](crate::rotation) for the order.
#[derive(Debug, Clone)]
#[must_use]
pub struct Rotator {
    keymux: Keymux,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl Rotator {
    pub(crate) fn new(keymux: Keymux) -> Self {
        Self { keymux, clock: Arc::new(SystemClock), randomness: Arc::new(SystemRandomness) }
    }

    /// Another clock, for tests.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of the stamps' ids, for tests.
    pub fn with_randomness(mut self, randomness: Arc<dyn Randomness>) -> Self {
        self.randomness = randomness;
        self
    }

    /// Plans a second key in place of `key`. Looks the key up, and changes nothing.
    ///
    /// [`ErrorKind::Unsupported`] where the vendor cannot make or revoke keys; [`ErrorKind::Conflict`] for a key that does
    /// not work any more.
    pub async fn plan(&self, key: &KeyRef) -> Result<RotationPlan, Error> {
        let account = self.working(key)?;
        let info = account.info();
        for operation in [Operation::Create, Operation::Revoke] {
            if !info.capabilities().is_native(operation) {
                return Err(cannot(&**account, key, operation));
            }
        }
        let record = account.get(key.address()).await?;
        self.plan_like(key, &record)
    }

    /// The plan of [`plan`](Self::plan), made of a record that is at hand. Nothing is sent.
    pub fn plan_like(&self, key: &KeyRef, record: &KeyRecord) -> Result<RotationPlan, Error> {
        let account = self.keymux.account(key.account())?;
        let like = account.new_key_like(record)?;
        Ok(RotationPlan::second_key(key.clone(), record, like, account.info(), self.id()))
    }

    /// Plans a new plaintext in one call of the vendor's, at the same address. Nothing is sent.
    ///
    /// **If the answer of that call is lost, no plaintext works** until the key is rotated again: see [`Method::Native`].
    /// [`ErrorKind::Unsupported`] where the vendor has no such call.
    pub fn plan_native(&self, key: &KeyRef) -> Result<RotationPlan, Error> {
        let account = self.working(key)?;
        if !account.info().capabilities().is_native(Operation::Rotate) {
            return Err(account.info().unsupported(Operation::Rotate).with_account(key.account().clone()));
        }
        Ok(RotationPlan::native(key.clone(), account.info(), self.id()))
    }

    /// Gets ready to make the key: the state is `making` afterwards, to be stored before [`make`](Self::make) is called.
    ///
    /// Where no stamp shows in the vendor's list it looks up which keys of the new one's name are there. From
    /// `making` (a crash, a dropped future or a lost answer) it settles first what became of the earlier request, and from
    /// `made` it abandons the key whose plaintext is lost. Changes nothing at the vendor.
    ///
    /// Once the plaintext is stored it is [`ErrorKind::Conflict`]. Other errors are those of the list that it reads; the
    /// state is then as it was.
    pub async fn prepare(&self, rotation: &mut Rotation) -> Result<(), Error> {
        let account = Arc::clone(self.keymux.account(rotation.plan.key.account())?);
        match rotation.stage.clone() {
            Stage::Planned => {}
            // Nothing was sent since it was prepared.
            Stage::Making { .. } if rotation.armed => {}
            Stage::Making { since, before } => self.settle(&account, rotation, since, before).await?,
            Stage::Made { new: Some(address), at } => {
                if !rotation.is_native() {
                    abandon(rotation, address, at);
                }
            }
            Stage::Made { new: None, at } => self.settle(&account, rotation, at, None).await?,
            _ => return Err(rotation.wrong_stage("its plaintext is stored, and no other key is to be made")),
        }
        let before = self.same_name(&account, rotation).await;
        rotation.stage = Stage::Making { since: self.clock.timestamp(), before };
        rotation.armed = true;
        Ok(())
    }

    /// Makes the key. The plaintext is in the caller's hands when this returns, and nothing is sent after it.
    ///
    /// The state must be `making`, by a [`prepare`](Self::prepare) of this process with nothing sent since; else it is
    /// [`ErrorKind::Conflict`], and nothing is sent. After an error of which [`Error::may_have_executed`] is false the
    /// state is `planned` again; otherwise it stays `making`, and so it does if the future is dropped:
    /// [`prepare`](Self::prepare) settles it.
    pub async fn make(&self, rotation: &mut Rotation) -> Result<IssuedKey, Error> {
        let account = Arc::clone(self.keymux.account(rotation.plan.key.account())?);
        if !matches!(rotation.stage, Stage::Making { .. }) || !rotation.armed {
            return Err(rotation.wrong_stage("prepare it first, and store its state; nothing was sent"));
        }
        rotation.armed = false;
        let old = rotation.plan.key.address().clone();
        let asked = rotation.plan.stamped_key();
        let made = match rotation.plan.method {
            Method::SecondKey => account.create(&asked).await,
            Method::Native => account.rotate(&old).await,
        };
        let issued = made.or_else(|error| match error.plaintext().cloned() {
            None => Err(error),
            Some(plaintext) if rotation.is_native() => {
                let mut record = KeyRecord::new(account.info(), old.clone(), KeyKind::API_KEY);
                record.account = rotation.plan.key.account().clone();
                Ok(IssuedKey::new(record, plaintext))
            }
            Some(plaintext) => {
                let find_out = "list the keys and look for the name, or for one more";
                let draft = |address| KeyRecord::new(account.info(), address, KeyKind::API_KEY);
                Ok(IssuedKey::without_address(plaintext, find_out, &asked, draft))
            }
        });
        match issued {
            Ok(issued) => {
                rotation.stage = Stage::Made { new: issued.address().cloned(), at: self.clock.timestamp() };
                Ok(issued)
            }
            Err(error) => {
                if !error.may_have_executed() {
                    rotation.stage = Stage::Planned;
                }
                Err(error)
            }
        }
    }

    /// Sees that the new key works before the old one is ended: calls `check`, which uses the new key, until it succeeds or
    /// the limit is reached. Vendors may take a while to know a new key everywhere.
    ///
    /// The error is [`RotationCause::NotProven`] with what the last check said; both keys are left as they are, and it may
    /// be tried again. The state must be `stored`.
    pub async fn prove<F, Fut, E>(
        &self,
        rotation: &mut Rotation,
        limit: ProofLimit,
        mut check: F,
    ) -> Result<(), RotationError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (new, at) = match &rotation.stage {
            Stage::Stored { new, at } => (new.clone(), *at),
            Stage::Proven { .. } | Stage::Kept { .. } | Stage::Done { .. } => return Ok(()),
            _ => {
                let cause = RotationCause::Vendor(rotation.wrong_stage("no plaintext is stored that could be checked"));
                return Err(RotationError::new(cause, rotation));
            }
        };
        let mut checks = 0;
        loop {
            checks += 1;
            let Err(error) = check().await else { break };
            if checks >= limit.checks.get() {
                let cause = RotationCause::NotProven { checks, last: error.into() };
                return Err(RotationError::new(cause, rotation));
            }
            self.clock.sleep(limit.pause).await;
        }
        rotation.stage = Stage::Proven { new, at };
        Ok(())
    }

    /// Ends the old key as the plan says, and revokes what earlier tries left: revokes it, sets its expiry, or leaves it
    /// until its time has come (the state is then `kept`, and this is called again).
    ///
    /// The state must be `stored`, or `proven` where the plan wants a proof; else it is [`ErrorKind::Conflict`], and nothing
    /// is sent. A key that the vendor answers 404 for is gone. After another error the state tells how far it came, and
    /// the same call goes on; so it does after a dropped future. Once it is `done`, nothing is sent.
    pub async fn finish(&self, rotation: &mut Rotation) -> Result<OldKeyState, Error> {
        let new = match &rotation.stage {
            Stage::Done { old, .. } => return Ok(OldKeyState::Ended(*old)),
            Stage::Stored { .. } if rotation.plan.needs_proof => {
                return Err(rotation.wrong_stage("the plan wants a proof that the new key works"));
            }
            Stage::Stored { new, .. } | Stage::Proven { new, .. } | Stage::Kept { new, .. } => new.clone(),
            _ => return Err(rotation.wrong_stage("its plaintext is not said to be stored, and the old key is left")),
        };
        let account = Arc::clone(self.keymux.account(rotation.plan.key.account())?);
        while let Some(abandoned) = rotation.abandoned.last() {
            // Never a key that is in use.
            if Some(&abandoned.address) != new.as_ref() && abandoned.address != *rotation.plan.key.address() {
                revoke(&*account, &abandoned.address).await?;
            }
            rotation.abandoned.pop();
        }
        let old = if rotation.is_native() {
            OldKeyEnd::Replaced
        } else {
            if new.as_ref() == Some(rotation.plan.key.address()) {
                let reason = "the vendor gave the new key the address of the old one, which is therefore not ended";
                return Err(rotation.plan.refuse(ErrorKind::Conflict, reason));
            }
            match rotation.plan.old_key {
                OldKey::KeepUntil(until) if self.clock.timestamp() < until => {
                    rotation.stage = Stage::Kept { new, until: Some(until) };
                    return Ok(OldKeyState::Kept(Some(until)));
                }
                OldKey::KeepUntilTold => {
                    rotation.stage = Stage::Kept { new, until: None };
                    return Ok(OldKeyState::Kept(None));
                }
                OldKey::ExpireAt(end) if self.clock.timestamp() < end => {
                    expire(&*account, rotation.plan.key.address(), end).await?
                }
                OldKey::Revoke | OldKey::KeepUntil(_) | OldKey::ExpireAt(_) => {
                    revoke(&*account, rotation.plan.key.address()).await?
                }
            }
        };
        rotation.stage = Stage::Done { new, old, at: self.clock.timestamp() };
        Ok(OldKeyState::Ended(old))
    }

    /// The keys of a scope that bear a stamp of a rotation and that none of the given rotations knows: leftovers of
    /// rotations whose state is lost. Nothing is changed.
    ///
    /// A key whose rotation is finished and no longer kept is among them, too: hand in every state that there is, and look
    /// at each before ending it. The vendor must list keys, and its list must show where the stamps are.
    pub async fn orphans<'a>(
        &self,
        account: &AccountName,
        scope: Scope,
        known: impl IntoIterator<Item = &'a Rotation>,
    ) -> Result<Vec<(KeyRecord, Stamped)>, Error> {
        let rotations: Vec<&Rotation> = known.into_iter().collect();
        let is_of = |rotation: &&Rotation, record: &KeyRecord, stamped: &Stamped| {
            rotation.plan.stamp.id == stamped.id
                && (rotation.stage.new_address() == Some(&record.address)
                    || rotation.abandoned.iter().any(|abandoned| abandoned.address == record.address))
        };
        let mut keys = self.keymux.list(account, scope, None)?;
        let mut orphans = Vec::new();
        while let Some(record) = keys.next().await {
            let record = record?;
            let Some(stamped) = Stamped::of(&record).filter(|_| works(&record)) else { continue };
            if !rotations.iter().any(|rotation| is_of(rotation, &record, &stamped)) {
                orphans.push((record, stamped));
            }
        }
        Ok(orphans)
    }

    /// The account of a key. One that could not be set up fails with its reason, and not with what it cannot do.
    fn working(&self, key: &KeyRef) -> Result<&Arc<dyn ApiKeyProvider>, Error> {
        match self.keymux.accounts.broken.get(key.account()) {
            Some(error) => Err(error.clone()),
            None => self.keymux.account(key.account()),
        }
    }

    /// What became of a request whose answer is not known.
    async fn settle(
        &self,
        account: &Arc<dyn ApiKeyProvider>,
        rotation: &mut Rotation,
        since: Timestamp,
        before: Option<Vec<KeyAddress>>,
    ) -> Result<(), Error> {
        // A native rotation has no second key: another one replaces whatever the first one made.
        if rotation.is_native() {
            return Ok(());
        }
        let plan = &rotation.plan;
        let asked = plan.stamped_key();
        let lists = account.info().capabilities().is_native(Operation::ListPage);
        let mut candidates = Vec::new();
        let mut certain = false;
        if lists {
            let mut keys = self.keymux.list(plan.key.account(), asked.scope.clone(), None)?;
            while let Some(record) = keys.next().await {
                let record = record?;
                let address = &record.address;
                let known = rotation.abandoned.iter().any(|abandoned| abandoned.address == *address)
                    || rotation.orphans.iter().any(|orphan| orphan.candidates.contains(address));
                if address == plan.key.address() || known || !works(&record) {
                    continue;
                }
                let stamped = Stamped::of(&record);
                if stamped.as_ref().is_some_and(|stamped| stamped.id == plan.stamp.id) {
                    certain = true;
                    candidates.push((record.address, true));
                } else if stamped.is_none() && may_be(&record, &asked, since, before.as_deref()) {
                    candidates.push((record.address, false));
                }
            }
        }
        let shows = shows_stamp(&**account, plan.stamp.place);
        candidates.retain(|(_, stamped)| *stamped || !(certain || shows));
        let told_apart = shows || before.is_some();
        match candidates.as_slice() {
            // There is no such key, whoever made it.
            [] if lists => {}
            [..] if certain => {
                for (address, _) in candidates {
                    abandon(rotation, address, since);
                }
            }
            [_] if told_apart => {
                if let Some((address, _)) = candidates.pop() {
                    abandon(rotation, address, since);
                }
            }
            _ => {
                let stamp = (plan.stamp.place != StampPlace::Nowhere).then(|| plan.stamp.id.clone());
                let orphan = Orphan {
                    account: plan.key.account().clone(),
                    scope: asked.scope,
                    name: asked.name,
                    since,
                    stamp,
                    candidates: candidates.into_iter().map(|(address, _)| address).take(MOST_BEFORE).collect(),
                };
                rotation.orphans.push(orphan);
            }
        }
        Ok(())
    }

    /// The keys of the new one's name, where no stamp tells it from them: times do not, since somebody may have made one a
    /// moment ago. A list that cannot be read costs the look-up alone: a lost answer then names an orphan.
    async fn same_name(&self, account: &Arc<dyn ApiKeyProvider>, rotation: &Rotation) -> Option<Vec<KeyAddress>> {
        let plan = &rotation.plan;
        let info = account.info();
        let needed = plan.method == Method::SecondKey
            && info.capabilities().is_native(Operation::ListPage)
            && !shows_stamp(&**account, plan.stamp.place);
        if !needed {
            return None;
        }
        let asked = plan.stamped_key();
        let (mut before, mut cursor): (Vec<KeyAddress>, Option<Cursor>) = (Vec::new(), None);
        for _ in 0..MOST_PAGES_BEFORE {
            let page = account.list_page(&asked.scope, cursor.as_ref()).await.ok()?;
            let same = page.items.into_iter().filter(|record| is_named_like(record, &asked));
            before.extend(same.map(|record| record.address));
            if before.len() > MOST_BEFORE {
                return None;
            }
            if page.next.is_none() || page.next == cursor {
                return Some(before);
            }
            cursor = page.next;
        }
        None
    }

    fn id(&self) -> String {
        // 32 bits at a time: a fraction has no more than 53.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction is from 0 to below 1")]
        let half = || (self.randomness.fraction() * 4_294_967_296.0) as u32;
        format!("{:08x}{:08x}", half(), half())
    }
}

/// What [`Rotator::finish`] left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OldKeyState {
    /// The old key goes on working: until this time, or until told.
    Kept(Option<Timestamp>),
    /// The rotation is done.
    Ended(OldKeyEnd),
}

/// Why a vendor's keys have no second key in their place.
fn cannot(account: &dyn ApiKeyProvider, key: &KeyRef, lacking: Operation) -> Error {
    let info = account.info();
    if info.capabilities().is_native(Operation::Rotate) {
        let reason = format!(
            "no {lacking} at {}, so that there is no second key; it can replace the plaintext in one call: ask for a \
             native rotation",
            info.name()
        );
        return refused(ErrorKind::Unsupported, key, info.id(), reason);
    }
    // What to do in its place is told for the rotation, or else for what it lacks.
    let lacking = match info.capabilities().support(Operation::Rotate) {
        Support::Native => lacking,
        _ => Operation::Rotate,
    };
    info.unsupported(lacking).with_account(key.account().clone())
}

/// Whether the vendor's list shows a stamp.
fn shows_stamp(account: &dyn ApiKeyProvider, place: StampPlace) -> bool {
    match place {
        StampPlace::Name => account.info().supports_field(Field::Name),
        StampPlace::Metadata => account.info().supports_field(Field::Metadata),
        StampPlace::Nowhere => false,
    }
}

fn works(record: &KeyRecord) -> bool {
    record.status.state != KeyState::Revoked
}

/// Whether a key without a stamp may be the one that was asked for.
fn may_be(record: &KeyRecord, asked: &keymux_core::NewKey, since: Timestamp, before: Option<&[KeyAddress]>) -> bool {
    let earliest = since.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    is_named_like(record, asked)
        && !before.is_some_and(|before| before.contains(&record.address))
        && record.created_at.known().is_none_or(|at| *at >= earliest)
}

fn abandon(rotation: &mut Rotation, address: KeyAddress, at: Timestamp) {
    let known = rotation.abandoned.iter().any(|abandoned| abandoned.address == address);
    if !known && address != *rotation.plan.key.address() {
        rotation.abandoned.push(Abandoned { address, at });
    }
}

/// Revokes a key. One that the vendor answers 404 for is gone; a vendor's other ways to say so leave room for doubt.
async fn revoke(account: &dyn ApiKeyProvider, address: &KeyAddress) -> Result<OldKeyEnd, Error> {
    match account.revoke(address).await {
        Ok(_) => Ok(OldKeyEnd::Revoked),
        Err(error) if is_gone(&error) => Ok(OldKeyEnd::AlreadyGone),
        Err(error) => Err(error),
    }
}

async fn expire(account: &dyn ApiKeyProvider, address: &KeyAddress, end: Timestamp) -> Result<OldKeyEnd, Error> {
    let patch = KeyPatch::new().with_expires_at(Change::Set(end));
    match account.update(address, &patch).await {
        Ok(_) => Ok(OldKeyEnd::Expires(end)),
        Err(error) if is_gone(&error) => Ok(OldKeyEnd::AlreadyGone),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && matches!(error.status(), None | Some(404 | 410))
}
