//! `keymux update`: changes one key, or many alike.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use jiff::Timestamp;
use keymux::{Change, KeyPatch, KeyRecord, KeyRef, Keymux};

use crate::args::{ChangeArgs, Clearable, UpdateArgs};
use crate::ask;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure, Tally};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rows::{RequestRow, UpdatedRow};
use crate::shutdown::{self, ShutdownGuard};
use crate::text::shown;

use super::many;
use super::new_key::some;

/// What is told of a mistake.
const NOTHING: &str = "nothing was changed";

/// What a table shows of many keys.
const SHOWN: &[&str] = &["ref", "outcome", "name"];

pub(super) async fn run(loader: &Loader<'_>, args: UpdateArgs, console: &Console) -> Result<Exit, Failure> {
    let patch = patch(args.change)?;
    if let [only] = &*args.refs {
        if only != "-" {
            let key = only.parse().map_err(|error| Failure::Usage(format!("{}: {error}", shown(only))))?;
            return one(loader, &key, &patch, args.dry_run.dry_run, console).await;
        }
    }
    let asks = !args.yes.yes && !args.dry_run.dry_run;
    if asks {
        ask::must_be_able(console)?;
    }
    let keys = many::keys(args.refs, NOTHING)?;
    if keys.is_empty() {
        Output::<UpdatedRow>::new(console, Plan::of_many::<UpdatedRow>(console, SHOWN)).finish(None)?;
        console.note("keymux: there is no reference on standard input; nothing was changed");
        return Ok(Exit::Success);
    }
    if args.dry_run.dry_run {
        return show_requests(loader, &keys, &patch, console).await;
    }
    let keymux = loader.of(keys.iter().map(KeyRef::account)).await?;
    many::accounts(&keymux, &keys, NOTHING)?;
    if asks && !super::consent(&keymux, &keys, "Update", console).await? {
        return Ok(Exit::Failure);
    }
    all(&keymux, keys, &patch, args.stop_after, console).await
}

async fn one(
    loader: &Loader<'_>,
    key: &KeyRef,
    patch: &KeyPatch,
    dry_run: bool,
    console: &Console,
) -> Result<Exit, Failure> {
    let account = key.account();
    if dry_run {
        let (mut dry_run, transport) = DryRun::new(None);
        let keymux = loader.through(transport).of([account]).await?;
        let provider = keymux.account(account)?;
        let request = dry_run.request((account, provider.info().id()), keymux.update(key, patch)).await;
        let request = request.map_err(|failure| super::told(failure, Some(key), console))?;
        return super::show_request(request, console);
    }
    let keymux = loader.of([account]).await?;
    let call = keymux.update(key, patch);
    let changed = super::see_through(&ShutdownGuard::begin(), call, "whether the key is changed", console).await;
    let record = shutdown::changed(changed, &super::look_at(key));
    let record = record.map_err(|failure| super::told(failure, Some(key), console))?;
    let mut output = Output::single(console, Plan::of_one::<KeyRecord>(console));
    output.row(record)?;
    output.finish(None)?;
    Ok(Exit::Success)
}

/// Changes each key, and stops once `stop_after` of them have failed; what is under way then has its answer.
async fn all(
    keymux: &Keymux,
    keys: Vec<KeyRef>,
    patch: &KeyPatch,
    stop_after: Option<u64>,
    console: &Console,
) -> Result<Exit, Failure> {
    let guard = ShutdownGuard::begin();
    let mut output = Output::new(console, Plan::of_many::<UpdatedRow>(console, SHOWN));
    let mut tally = Tally::default();
    let (mut undone, mut ended) = (Vec::new(), None);
    let (first, failures) = (Once::new(), AtomicU64::new(0));
    let stopped = || stop_after.is_some_and(|most| failures.load(Ordering::SeqCst) >= most);
    let mut outcomes = many::outcomes(keys, |key| {
        let (guard, first, failures, stopped) = (&guard, &first, &failures, &stopped);
        async move {
            if guard.was_heard() || stopped() {
                return (key, None);
            }
            let waits = || first.call_once(|| super::waits("which keys are changed", console));
            let seen = guard.see(keymux.update(&key, patch), waits).await;
            let result = shutdown::changed(seen, &super::look_at(&key));
            if result.is_err() {
                failures.fetch_add(1, Ordering::SeqCst);
            }
            (key, Some(result))
        }
    });
    while let Some((key, result)) = outcomes.next().await {
        match result {
            Some(Ok(record)) => {
                tally.success();
                output.row(UpdatedRow::new(&key, record))?;
            }
            Some(Err(Failure::Call(error))) => {
                many::problem(&key, &error, &mut output, console)?;
                tally.failure(&error);
            }
            Some(Err(Failure::Change(exit, error))) => {
                many::problem(&key, &error, &mut output, console)?;
                tally.failed(exit);
                if exit.is_signal() {
                    ended = Some(exit);
                }
            }
            None | Some(Err(Failure::Interrupted(_))) => undone.push(key),
            Some(Err(failure)) => return Err(failure),
        }
        output.flush()?;
    }
    output.finish(None)?;
    if !undone.is_empty() {
        let why = if guard.was_heard() {
            "interrupted".to_owned()
        } else {
            let failed = failures.load(Ordering::SeqCst);
            format!("stopped after {failed} failure{}", if failed == 1 { "" } else { "s" })
        };
        console.failed_for(&format!("{why}; these keys are not changed:"), undone.iter().map(KeyRef::to_string));
    }
    Ok(ended.or(guard.was_heard().then(|| guard.exit())).unwrap_or(tally.exit()))
}

async fn show_requests(
    loader: &Loader<'_>,
    keys: &[KeyRef],
    patch: &KeyPatch,
    console: &Console,
) -> Result<Exit, Failure> {
    let (mut dry_run, transport) = DryRun::new(None);
    let keymux = loader.through(transport).of(keys.iter().map(KeyRef::account)).await?;
    let mut output = Output::new(console, Plan::of_many::<RequestRow>(console, super::REQUEST));
    let mut tally = Tally::default();
    for key in keys {
        let provider = keymux.account(key.account())?;
        match dry_run.request((key.account(), provider.info().id()), keymux.update(key, patch)).await {
            Ok(request) => {
                tally.success();
                output.row(request)?;
            }
            Err(Failure::Call(error)) => {
                many::problem(key, &error, &mut output, console)?;
                tally.failure(&error);
            }
            Err(failure) => return Err(failure),
        }
    }
    output.finish(None)?;
    Ok(tally.exit())
}

fn patch(args: ChangeArgs) -> Result<KeyPatch, Failure> {
    let ahead = |when: crate::when::When| when.ahead_of(Timestamp::now());
    let expires = args.expires.map(ahead).transpose();
    let expires = expires.map_err(|error| Failure::Usage(format!("--expires: {error}")))?;
    let clear = args.clear;
    let mut patch = KeyPatch::new()
        .with_name(change("name", args.name, &clear, Clearable::Name)?)
        .with_expires_at(change("expires", expires, &clear, Clearable::ExpiresAt)?)
        .with_permissions(change("permission", some(args.permission), &clear, Clearable::Permissions)?)
        .with_ip_allowlist(change("ip", some(args.ip), &clear, Clearable::IpAllowlist)?)
        .with_max_uses(change("max-uses", args.max_uses, &clear, Clearable::MaxUses)?);
    if args.enable || args.disable {
        patch = patch.with_enabled(args.enable);
    }
    if patch == KeyPatch::new() {
        return Err(Failure::Usage("nothing is to be changed; say what, such as --name or --disable".to_owned()));
    }
    Ok(patch)
}

fn change<T>(argument: &str, value: Option<T>, clear: &[Clearable], field: Clearable) -> Result<Change<T>, Failure> {
    match (value, clear.contains(&field)) {
        (Some(_), true) => Err(Failure::Usage(format!("--{argument} sets what --clear clears; give one of them"))),
        (Some(value), false) => Ok(Change::Set(value)),
        (None, true) => Ok(Change::Clear),
        (None, false) => Ok(Change::Leave),
    }
}
