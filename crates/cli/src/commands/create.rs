//! `keymux create`: makes a key, whose plaintext goes to standard output or into a file of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymux::{AccountName, NewKey};
use serde_json::{Map, Value};

use crate::args::{CreateArgs, NewKeyArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::patience::{self, Patience};
use crate::rehearsal::Rehearsal;
use crate::secret_out::Place;

pub(super) async fn run(loader: &Loader<'_>, args: CreateArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let (account, key) = new_key(args.key)?;
    if args.dry_run.dry_run {
        let (mut rehearsal, transport) = Rehearsal::new(None);
        let keymux = loader.through(transport).of([&account]).await?;
        let provider = keymux.account(&account)?;
        let request = rehearsal.request((&account, provider.info().id()), keymux.create(&account, &key)).await?;
        return super::show_request(request, console);
    }
    let keymux = loader.of([&account]).await?;
    let patience = Patience::begin();
    let place = Place::ready(args.secret, console)?;
    let call = keymux.create(&account, &key);
    let made = super::see_through(&patience, call, "whether there is a new key", console).await;
    let look = super::look_in(&keymux, &account, &key.scope);
    match patience::made(made, look.as_deref()) {
        Ok(issued) => place.keep(&issued).map(|()| Exit::Success),
        Err(failure) => {
            place.give_up(&failure);
            Err(failure)
        }
    }
}

/// The key that the arguments describe, and where it is made.
pub(super) fn new_key(args: NewKeyArgs) -> Result<(AccountName, NewKey), Failure> {
    let mut key = NewKey::new(args.unit.scope().clone());
    if let Some(when) = args.expires {
        let now = Timestamp::now();
        let at = when.ahead_of(now).map_err(|error| Failure::Usage(format!("--expires: {error}")))?;
        if at <= now {
            return Err(Failure::Usage(format!("--expires: {at} is past, and the key would never work")));
        }
        key.expires_at = Some(at);
    }
    let mut metadata = BTreeMap::new();
    for (name, value) in args.meta {
        if metadata.contains_key(&name) {
            return Err(Failure::Usage(format!("--meta: `{name}` is given twice")));
        }
        metadata.insert(name, Value::String(value));
    }
    key.name = args.name;
    key.permissions = some(args.permission);
    key.ip_allowlist = some(args.ip);
    key.max_uses = args.max_uses;
    key.metadata = Some(metadata.into_iter().collect::<Map<_, _>>()).filter(|map| !map.is_empty());
    key.customer = args.customer;
    key.prefix = args.prefix;
    key.enabled = args.disabled.then_some(false);
    Ok((args.unit.account().clone(), key))
}

/// An argument that was not given is no empty list.
pub(super) fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    Some(all).filter(|all| !all.is_empty())
}
