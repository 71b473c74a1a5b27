//! `keymux revoke`: ends keys for good, after a question on a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Once;

use futures_util::{Stream, StreamExt, stream};
use keymux::{AccountName, Error, KeyRef, Keymux};

use crate::args::RevokeArgs;
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::patience::{self, Patience};
use crate::rehearsal::Rehearsal;
use crate::rows::{Problem, RequestRow, RevokedRow};
use crate::words;

/// How many keys of an account are revoked at once.
const AT_ONCE: usize = 8;

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
    known.map_err(|error| Failure::Usage(format!("{}; nothing was revoked", words::report(&error))))?;
    if asks && !super::consent(&keymux, &keys, "Revoke", console).await? {
        return Ok(Exit::Failure);
    }
    revoke(&keymux, keys, single, console).await
}

/// Every reference once. One that cannot be read is a mistake, and nothing is revoked on a mistake.
fn keys(refs: Vec<String>) -> Result<Vec<KeyRef>, Failure> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for given in super::references::read(refs)? {
        let (key, _) = given.map_err(|(text, error)| {
            let about = text.map(|text| format!("{text}: ")).unwrap_or_default();
            Failure::Usage(format!("{about}{}; nothing was revoked", words::report(&error)))
        })?;
        if seen.insert(key.clone()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

async fn revoke(keymux: &Keymux, keys: Vec<KeyRef>, single: bool, console: &Console) -> Result<Exit, Failure> {
    let patience = Patience::begin();
    let plan = Plan::of_many::<RevokedRow>(console, &["ref", "outcome"]);
    let mut output = if single { Output::single(console, plan) } else { Output::new(console, plan) };
    let mut tally = Tally::default();
    let (mut undone, mut ended) = (Vec::new(), None);
    let first = Once::new();
    let mut outcomes = outcomes(keys, |key| {
        let (patience, first) = (&patience, &first);
        async move {
            if patience.was_heard() {
                return (key, Err(Failure::Interrupted(patience.exit())));
            }
            let waits = || first.call_once(|| super::waits("which keys are revoked", console));
            let seen = patience.see(keymux.revoke(&key), waits).await;
            let result = patience::changed(seen, &super::look_at(&key));
            (key, result)
        }
    });
    while let Some((key, result)) = outcomes.next().await {
        match result {
            Ok(revoked) => {
                tally.success();
                if revoked.after_lost_answer {
                    console.note(&format!("{key}: the answer was lost, and the key is gone: it is taken for revoked"));
                }
                output.row(RevokedRow::new(&key, revoked))?;
            }
            Err(Failure::Call(error)) => {
                problem(&key, &error, &mut output, console)?;
                tally.failure(&error);
            }
            Err(Failure::Change(exit, error)) => {
                problem(&key, &error, &mut output, console)?;
                tally.failed(exit);
                if exit.is_signal() {
                    ended = Some(exit);
                }
            }
            Err(Failure::Interrupted(exit)) => {
                undone.push(key);
                ended = ended.or(Some(exit));
            }
            Err(failure) => return Err(failure),
        }
        output.flush()?;
    }
    output.finish(None)?;
    if !undone.is_empty() {
        console.failed_for("interrupted; these keys are not revoked:", undone.iter().map(KeyRef::to_string));
    }
    Ok(ended.unwrap_or(tally.exit()))
}

/// What `call` gives for each key, as it comes: a few at a time of each account.
fn outcomes<F: Future>(keys: Vec<KeyRef>, call: impl Fn(KeyRef) -> F + Copy) -> impl Stream<Item = F::Output> {
    let mut accounts: BTreeMap<AccountName, Vec<KeyRef>> = BTreeMap::new();
    for key in keys {
        accounts.entry(key.account().clone()).or_default().push(key);
    }
    let accounts = accounts.into_values();
    stream::select_all(accounts.map(|keys| stream::iter(keys).map(call).buffer_unordered(AT_ONCE)))
}

fn problem(key: &KeyRef, error: &Error, output: &mut Output<'_, RevokedRow>, console: &Console) -> Result<(), Failure> {
    let text = key.to_string();
    console.error(Some(&text), error);
    output.problem(&Problem::of_ref(text, error))
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
