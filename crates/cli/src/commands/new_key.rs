//! The key that arguments describe.

use jiff::Timestamp;
use keymux::{AccountName, Metadata, NewKey, WorkUnit};

use crate::args::{KeyArgs, NewKeyArgs};
use crate::exit::Failure;

/// The key that the arguments describe, and where it is made.
pub(super) fn new_key(args: NewKeyArgs) -> Result<(AccountName, NewKey), Failure> {
    key_in(&args.unit, args.key)
}

/// The same with the place apart.
pub(super) fn key_in(unit: &WorkUnit, args: KeyArgs) -> Result<(AccountName, NewKey), Failure> {
    let mut key = NewKey::new(unit.scope().clone());
    if let Some(when) = args.expires {
        let now = Timestamp::now();
        let at = when.ahead_of(now).map_err(|error| Failure::Usage(format!("--expires: {error}")))?;
        if at <= now {
            return Err(Failure::Usage(format!("--expires: {at} is past, and the key would never work")));
        }
        key.expires_at = Some(at);
    }
    let mut metadata = Metadata::new();
    for (name, value) in args.meta {
        if metadata.get(&name).is_some() {
            return Err(Failure::Usage(format!("--meta: `{name}` is given twice")));
        }
        metadata.insert(name, value);
    }
    key.name = args.name;
    key.permissions = some(args.permission);
    key.ip_allowlist = some(args.ip);
    key.max_uses = args.max_uses;
    key.metadata = Some(metadata).filter(|members| !members.is_empty());
    key.customer = args.customer;
    key.prefix = args.prefix;
    key.enabled = args.disabled.then_some(false);
    Ok((unit.account().clone(), key))
}

/// An argument that was not given is no empty list.
pub(super) fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    Some(all).filter(|all| !all.is_empty())
}
