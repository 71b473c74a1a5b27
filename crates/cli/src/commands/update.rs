//! `keymux update`: changes a key.

use jiff::Timestamp;
use keymux::{Change, KeyPatch, KeyRecord};

use crate::args::{Clearable, UpdateArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::patience::{self, Patience};
use crate::rehearsal::Rehearsal;

use super::new_key::some;

pub(super) async fn run(loader: &Loader<'_>, args: UpdateArgs, console: &Console) -> Result<Exit, Failure> {
    let (key, dry_run) = (args.key.clone(), args.dry_run.dry_run);
    let patch = patch(args)?;
    let account = key.account();
    if dry_run {
        let (mut rehearsal, transport) = Rehearsal::new(None);
        let keymux = loader.through(transport).of([account]).await?;
        let provider = keymux.account(account)?;
        let request = rehearsal.request((account, provider.info().id()), keymux.update(&key, &patch)).await;
        let request = request.map_err(|failure| super::told(failure, Some(&key), console))?;
        return super::show_request(request, console);
    }
    let keymux = loader.of([account]).await?;
    let call = keymux.update(&key, &patch);
    let changed = super::see_through(&Patience::begin(), call, "whether the key is changed", console).await;
    let record = patience::changed(changed, &super::look_at(&key));
    let record = record.map_err(|failure| super::told(failure, Some(&key), console))?;
    let mut output = Output::single(console, Plan::of_one::<KeyRecord>(console));
    output.row(record)?;
    output.finish(None)?;
    Ok(Exit::Success)
}

fn patch(args: UpdateArgs) -> Result<KeyPatch, Failure> {
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
