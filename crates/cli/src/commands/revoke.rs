//! `keymux revoke`: ends keys for good, after a question on a terminal.

use std::sync::Once;

use futures_util::StreamExt;
use keymux::{KeyRef, Keymux};

use crate::args::RevokeArgs;
use crate::ask;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure, Tally};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rows::{Problem, RequestRow, RevokedRow};
use crate::shutdown::{self, ShutdownGuard};
use crate::state::State;

use super::many;

/// What is told of a mistake.
const NOTHING: &str = "nothing was revoked";

pub(super) async fn run(loader: &Loader<'_>, args: RevokeArgs, console: &Console) -> Result<Exit, Failure> {
    let single = matches!(&*args.refs, [only] if only != "-");
    let asks = !args.yes.yes && !args.dry_run.dry_run;
    if asks {
        ask::must_be_able(console)?;
    }
    let keys = many::keys(args.refs, NOTHING)?;
    if keys.is_empty() {
        let nothing = Output::<RevokedRow>::new(console, Plan::of_many::<RevokedRow>(console, &["ref", "outcome"]));
        nothing.finish(None)?;
        console.note("keymux: there is no reference on standard input; nothing was revoked");
        return Ok(Exit::Success);
    }
    if args.dry_run.dry_run {
        return show_requests(loader, &keys, single, console).await;
    }
    let keymux = loader.of(keys.iter().map(KeyRef::account)).await?;
    many::accounts(&keymux, &keys, NOTHING)?;
    if asks && !super::consent(&keymux, &keys, "Revoke", console).await? {
        return Ok(Exit::Failure);
    }
    revoke(&keymux, keys, single, console).await
}

async fn revoke(keymux: &Keymux, keys: Vec<KeyRef>, single: bool, console: &Console) -> Result<Exit, Failure> {
    let guard = ShutdownGuard::begin();
    let plan = Plan::of_many::<RevokedRow>(console, &["ref", "outcome"]);
    let mut output = if single { Output::single(console, plan) } else { Output::new(console, plan) };
    let mut tally = Tally::default();
    let (mut undone, mut ended) = (Vec::new(), None);
    let first = Once::new();
    let mut outcomes = many::outcomes(keys, |key| {
        let (guard, first) = (&guard, &first);
        async move {
            if guard.was_heard() {
                return (key, Err(Failure::Interrupted(guard.exit())));
            }
            let waits = || first.call_once(|| super::waits("which keys are revoked", console));
            let seen = guard.see(keymux.revoke(&key), waits).await;
            let result = shutdown::changed(seen, &super::look_at(&key));
            (key, result)
        }
    });
    while let Some((key, result)) = outcomes.next().await {
        match result {
            Ok(revoked) => {
                tally.success();
                // A lease that stays is found to be over by `keymux orphans`.
                let _ = State::locate().and_then(|state| state.settle(&key));
                if revoked.after_lost_answer {
                    console.note(&format!("{key}: the answer was lost, and the key is gone: it is taken for revoked"));
                }
                output.row(RevokedRow::new(&key, revoked))?;
            }
            Err(Failure::Call(error)) => {
                many::problem(&key, &error, &mut output, console)?;
                tally.failure(&error);
            }
            Err(Failure::Change(exit, error)) => {
                many::problem(&key, &error, &mut output, console)?;
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

async fn show_requests(loader: &Loader<'_>, keys: &[KeyRef], single: bool, console: &Console) -> Result<Exit, Failure> {
    let (mut dry_run, transport) = DryRun::new(None);
    let keymux = loader.through(transport).of(keys.iter().map(KeyRef::account)).await?;
    let output = Output::new(console, Plan::of_many::<RequestRow>(console, super::REQUEST));
    let mut output = if single { output.alone() } else { output };
    let mut tally = Tally::default();
    for key in keys {
        let provider = keymux.account(key.account())?;
        match dry_run.request((key.account(), provider.info().id()), keymux.revoke(key)).await {
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
