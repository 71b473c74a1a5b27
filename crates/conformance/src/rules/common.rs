//! What several rules have in common.

use keymux_core::{ApiKeyProvider, Error, ErrorKind, KeyRecord, KeyState, Operation};
use serde_json::Value;

use crate::proxy::{Plan, Seen, answer};
use crate::stage::Stage;
use crate::verdict::{Miss, expect, told_of};

/// A refusal by name, of one that nothing was sent for.
pub(super) fn refused_by_name<T>(
    what: &str,
    kind: ErrorKind,
    name: &str,
    (result, sent): (Result<T, Error>, Vec<Seen>),
) -> Result<(), Miss> {
    let holds = result.as_ref().is_err_and(|error| {
        error.kind() == kind && error.message().is_some_and(|message| message.contains(name)) && error.attempts() == 0
    });
    let expected = format!("{what} is {kind:?}, by the name `{name}`, and nothing is sent");
    expect(holds && sent.is_empty(), expected, format!("{}; {} requests", told_of(&result), sent.len()))
}

/// A call that should be told as unknown, and that its answer was lost to.
pub(super) async fn lost_is_outcome_unknown(stage: &Stage, operation: Operation) -> Result<(), Miss> {
    let plans = [
        ("its answer is lost", Plan::LoseAnswer, true),
        ("it is answered with a 502", answer(502, &[]), false),
        ("its answer cannot be read", crate::proxy::unreadable(), false),
    ];
    for (number, (what, plan, carried_out)) in plans.into_iter().enumerate() {
        let (provider, seeded) = (stage.provider()?, stage.seed(number).await);
        let before = count(stage, &*provider).await?;
        stage.proxy.plan([plan]);
        let (done, sent) = stage.watch(stage.call(&*provider, operation, &seeded)).await;
        let unknown = done.error.as_ref().is_some_and(|error| {
            error.kind() == ErrorKind::OutcomeUnknown && error.may_have_executed() && error.message().is_some()
        });
        expect(unknown, format!("{operation} is OutcomeUnknown, with how to find out, if {what}"), done.told())?;
        expect(sent.len() == 1, format!("one request, if {what}"), format!("{} requests", sent.len()))?;
        let after = count(stage, &*provider).await?;
        let more = usize::from(carried_out && operation != Operation::Rotate);
        let expected = format!("at most {more} key more in the list, if {what}");
        expect(after <= before + more, expected, format!("{before} keys before, {after} after"))?;
    }
    Ok(())
}

/// How many keys the scope has; 0 where the vendor has no list.
pub(super) async fn count(stage: &Stage, provider: &dyn ApiKeyProvider) -> Result<usize, Miss> {
    if !stage.has(Operation::ListPage) {
        return Ok(0);
    }
    Ok(stage.pages(provider, 100).await?.iter().map(|page| page.items.len()).sum())
}

/// A record without what may differ: what names it, what uses change, how its status is known, and notes on the answer.
pub(super) fn comparable(record: &KeyRecord) -> Value {
    let mut json = serde_json::to_value(record).unwrap_or_default();
    if let Value::Object(members) = &mut json {
        for name in ["ref", "address", "updated_at", "last_used_at", "status", "coverage", "drift", "raw"] {
            members.remove(name);
        }
    }
    json
}

/// How many of them are not revoked.
pub(super) async fn count_working(stage: &Stage, provider: &dyn ApiKeyProvider) -> Result<usize, Miss> {
    let pages = stage.pages(provider, 100).await?;
    let records = pages.iter().flat_map(|page| &page.items);
    Ok(records.filter(|record| record.status.state != KeyState::Revoked).count())
}
