//! A key gets a successor: what a rotation by the facade needs of a provider.

use std::sync::Arc;

use keymux::{Keymux, Rotation, Rotator};
use keymux_core::{
    AccountName, ApiKeyProvider, ErrorKind, ExposeSecret, IssuedKey, KeyAddress, KeyRef, KeyState, Operation,
    SecretString,
};

use super::common::comparable;
use crate::harness::Seeded;
use crate::proxy::{Plan, answer_with};
use crate::stage::Stage;
use crate::verdict::{Miss, expect, fail, success, told, told_of};

/// A rotation of a seeded key at a provider of its own.
struct Desk {
    provider: Arc<dyn ApiKeyProvider>,
    rotator: Rotator,
    key: KeyRef,
}

impl Desk {
    fn of(stage: &Stage, seeded: &Seeded) -> Result<Self, Miss> {
        if !stage.has(Operation::Revoke) {
            return Err(Miss::NotApplicable("the vendor revokes no keys, so that none gets a successor".to_owned()));
        }
        let provider = stage.provider()?;
        let keymux = Keymux::builder().with_account("conformance", Arc::clone(&provider)).build();
        let account = success("naming the account", AccountName::new("conformance").map_err(Into::into))?;
        let rotator = success("adding the account", keymux)?.rotator().with_clock(Arc::new(stage.clock.clone()));
        Ok(Self { provider, rotator, key: KeyRef::new(account, seeded.address.clone()) })
    }

    /// The rotation of the key, with what its record does not tell said.
    async fn begin(&self, stage: &Stage) -> Result<Rotation, Miss> {
        let mut plan = success("planning a rotation", self.rotator.plan(&self.key).await)?;
        if plan.new_key().scope != stage.harness.scope() {
            let mut key = plan.new_key().clone();
            key.scope = stage.harness.scope();
            plan = success("saying the scope, which the record does not tell", plan.with_new_key(key))?;
        }
        let untold: Vec<String> = plan.untold().iter().map(|untold| untold.setting.clone().into_owned()).collect();
        let plan = untold.iter().fold(plan, |plan, setting| plan.accepting(setting));
        success("beginning a rotation", plan.begin())
    }

    async fn make(&self, rotation: &mut Rotation) -> Result<IssuedKey, Miss> {
        success("preparing", self.rotator.prepare(rotation).await)?;
        success("making the second key", self.rotator.make(rotation).await)
    }

    /// From `made` to the end.
    async fn end(&self, stage: &Stage, rotation: &mut Rotation) -> Result<(), Miss> {
        success("saying that the plaintext is stored", rotation.stored())?;
        success("ending the first key", self.rotator.finish(rotation).await)?;
        is_ended(stage, self.key.address(), "the first key").await?;
        match rotation.new_key() {
            Some(new) => success("get of the second key", self.provider.get(new.address()).await).map(drop),
            None => fail("the address of the second key", "none"),
        }
    }
}

/// Whether a provider that knows nothing of the key's end sees it.
async fn is_ended(stage: &Stage, address: &KeyAddress, what: &str) -> Result<(), Miss> {
    match stage.provider()?.get(address).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(record) if record.status.state != KeyState::Active => Ok(()),
        result => fail(format!("{what} is ended"), told_of(&result)),
    }
}

pub(super) async fn a_second_key_leaves_the_first(stage: &Stage) -> Result<(), Miss> {
    let desk = Desk::of(stage, &stage.seed(0).await)?;
    let before = success("get", desk.provider.get(desk.key.address()).await)?;
    let mut rotation = desk.begin(stage).await?;
    let _ = desk.make(&mut rotation).await?;
    let early = desk.rotator.finish(&mut rotation).await;
    let refused = early.as_ref().is_err_and(|error| error.kind() == ErrorKind::Conflict);
    expect(refused, "the first key is not ended before the second one's plaintext is stored", told_of(&early))?;
    let after = success("get of the first key, while both are there", desk.provider.get(desk.key.address()).await)?;
    let [before, after] = [&before, &after].map(comparable);
    expect(before == after, format!("the first key as it was: {before}"), after.to_string())?;
    desk.end(stage, &mut rotation).await
}

pub(super) async fn a_rotation_goes_on_from_every_state(stage: &Stage) -> Result<(), Miss> {
    for (number, state) in ["planned", "made", "stored"].into_iter().enumerate() {
        let seeded = stage.seed(number).await;
        let first = Desk::of(stage, &seeded)?;
        let mut rotation = first.begin(stage).await?;
        let mut lost = None;
        if state != "planned" {
            lost = first.make(&mut rotation).await?.address().cloned();
        }
        if state == "stored" {
            success("saying that the plaintext is stored", rotation.stored())?;
        }
        // Another process, with a provider of its own.
        let mut rotation = success("reading the state", Rotation::from_json(&rotation.to_json()))?;
        let second = Desk::of(stage, &seeded)?;
        if state != "stored" {
            let _ = second.make(&mut rotation).await?;
        }
        second.end(stage, &mut rotation).await?;
        if let Some(lost) = lost.filter(|_| state == "made") {
            is_ended(stage, &lost, "the key whose plaintext was lost").await?;
        }
    }
    Ok(())
}

pub(super) async fn a_lost_creation_is_found_or_named(stage: &Stage) -> Result<(), Miss> {
    let desk = Desk::of(stage, &stage.seed(0).await)?;
    let before = super::common::count(stage, &*desk.provider).await?;
    let mut rotation = desk.begin(stage).await?;
    success("preparing", desk.rotator.prepare(&mut rotation).await)?;
    stage.proxy.plan([Plan::LoseAnswer]);
    let made = desk.rotator.make(&mut rotation).await;
    if !made.as_ref().is_err_and(|error| error.kind() == ErrorKind::OutcomeUnknown) {
        return Err(Miss::NotApplicable(format!("a lost creation is {}: a rule of its own", told_of(&made))));
    }
    let mut rotation = success("reading the state", Rotation::from_json(&rotation.to_json()))?;
    if let Err(error) = desk.rotator.prepare(&mut rotation).await {
        return Err(Miss::NotApplicable(format!("the list cannot be read ({error}): a rule of its own")));
    }
    let _ = desk.make(&mut rotation).await?;
    desk.end(stage, &mut rotation).await?;
    if !stage.has(Operation::ListPage) {
        return expect(rotation.orphans().len() == 1, "the key that may be there is named", "it is not");
    }
    let left = rotation.orphans().len();
    expect(left == 0, "the key of the lost answer is found in the list", format!("{left} that may be there"))?;
    // What the vendor keeps of ended keys is no matter here.
    let after = super::common::count_working(stage, &*desk.provider).await?;
    expect(after <= before, format!("at most {before} keys, as before"), format!("{after} keys"))
}

pub(super) async fn a_plaintext_survives_an_odd_answer(stage: &Stage) -> Result<(), Miss> {
    let plaintext = "conformance0plaintext0that0nobody0knows";
    let Some(body) = stage.harness.bare_plaintext(plaintext) else {
        let why = "the harness tells no answer that holds a plaintext and nothing else";
        return Err(Miss::NotApplicable(why.to_owned()));
    };
    stage.proxy.plan([answer_with(200, &body)]);
    let issued = stage.provider()?.create(&stage.new_key(Operation::Create)).await;
    let given = |key: &SecretString| key.expose_secret().contains(plaintext);
    match &issued {
        Ok(issued) => {
            expect(given(&issued.plaintext), "the plaintext of the answer", "another text")?;
            let findable = issued.record.is_some() || issued.find_out.is_some();
            expect(findable, "the key's address, or how to find it", "neither")
        }
        Err(error) => fail("the plaintext, although the answer has nothing else", told(error)),
    }
}
