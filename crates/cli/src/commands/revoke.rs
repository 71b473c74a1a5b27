//! `keymux revoke`: ends keys for good, after a question on a terminal.

use std::collections::BTreeSet;

use keymux::{KeyRef, Keymux};

use crate::args::RevokeArgs;
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::Interrupt;
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rehearsal::Rehearsal;
use crate::rows::{Problem, RequestRow, RevokedRow};

pub(super) async fn run(loader: &Loader<'_>, args: RevokeArgs, console: &Console) -> Result<Exit, Failure> {
    let single = matches!(&*args.refs, [only] if only != "-");
    let asks = !args.yes.yes && !args.dry_run.dry_run;
    if asks {
        ask::must_be_able(console)?;
    }
    let keys = keys(args.refs)?;
    if keys.is_empty() {
        let nothing = Output::<RevokedRow>::new(console, Plan::of_many::<RevokedRow>(console, &["ref", "outcome"]));
        nothing.finish(None)?;
        console.note("keymux: there is no reference on standard input; nothing was revoked");
        return Ok(Exit::Success);
    }
    if args.dry_run.dry_run {
        return rehearse(loader, &keys, single, console).await;
    }
    let keymux = loader.of(keys.iter().map(KeyRef::account)).await?;
    // An account that does not exist is a mistake in what was typed, and nothing is revoked on a mistake.
    let known = keys.iter().try_for_each(|key| keymux.account(key.account()).map(drop));
    known.map_err(|error| Failure::Usage(format!("{error}; nothing was revoked")))?;
    if asks && !super::consent(&keymux, &keys, "Revoke", console).await? {
        return Ok(Exit::Failure);
    }
    revoke(&keymux, keys, single, console).await
}

/// Every reference once. One that cannot be read is a mistake, and nothing is revoked on a mistake.
fn keys(refs: Vec<String>) -> Result<Vec<KeyRef>, Failure> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for given in super::get::read(refs)? {
        let (key, _) = given.map_err(|(text, error)| {
            let about = text.map(|text| format!("{text}: ")).unwrap_or_default();
            Failure::Usage(format!("{about}{error}; nothing was revoked"))
        })?;
        if seen.insert(key.clone()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

async fn revoke(keymux: &Keymux, keys: Vec<KeyRef>, single: bool, console: &Console) -> Result<Exit, Failure> {
    let mut left: BTreeSet<KeyRef> = keys.iter().cloned().collect();
    let plan = Plan::of_many::<RevokedRow>(console, &["ref", "outcome"]);
    let mut output = if single { Output::single(console, plan) } else { Output::new(console, plan) };
    let mut tally = Tally::default();
    let mut outcomes = keymux.revoke_many(keys);
    let mut interrupt = Interrupt::listen();
    loop {
        let Some(next) = interrupt.or(outcomes.next()).await else {
            output.finish(None)?;
            console.note("keymux: interrupted; these keys have no outcome, and some of them may be revoked:");
            for key in &left {
                console.note(&key.to_string());
            }
            return Ok(Exit::Interrupted);
        };
        let Some(outcome) = next else { break };
        left.remove(&outcome.key);
        match outcome.result {
            Ok(revoked) => {
                tally.success();
                if revoked.after_lost_answer {
                    let key = &outcome.key;
                    console.note(&format!("{key}: the answer was lost, and the key is gone: it is taken for revoked"));
                }
                output.row(RevokedRow::new(&outcome.key, revoked))?;
            }
            Err(error) => {
                let text = outcome.key.to_string();
                console.error(Some(&text), &error);
                tally.failure(&error);
                output.problem(&Problem::of_ref(text, &error))?;
            }
        }
        output.flush()?;
    }
    output.finish(None)?;
    Ok(tally.exit())
}

async fn rehearse(loader: &Loader<'_>, keys: &[KeyRef], single: bool, console: &Console) -> Result<Exit, Failure> {
    let (mut rehearsal, transport) = Rehearsal::new(None);
    let keymux = loader.through(transport).of(keys.iter().map(KeyRef::account)).await?;
    let output = Output::new(console, Plan::of_many::<RequestRow>(console, super::REQUEST));
    let mut output = if single { output.alone() } else { output };
    let mut tally = Tally::default();
    for key in keys {
        let provider = keymux.account(key.account())?;
        match rehearsal.request((key.account(), provider.info().id()), keymux.revoke(key)).await {
            Ok(request) => {
                tally.success();
                output.row(request)?;
            }
            Err(Failure::Call(error)) => {
                console.error(Some(&key.to_string()), &error);
                tally.failure(&error);
                output.problem(&Problem::of_ref(key.to_string(), &error))?;
            }
            Err(failure) => return Err(failure),
        }
    }
    output.finish(None)?;
    Ok(tally.exit())
}
