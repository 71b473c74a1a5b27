//! Changes of many keys in one run: which, how many at once, and how a failure of one is told.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures_util::{Stream, StreamExt, stream};
use keymux::{AccountName, Error, KeyRef, Keymux};

use crate::console::Console;
use crate::exit::Failure;
use crate::output::Output;
use crate::rows::{Problem, Row};
use crate::words;

/// How many keys of an account are changed at once.
const AT_ONCE: usize = 8;

/// Every reference once. One that cannot be read is a mistake, and nothing is changed on a mistake, as `nothing` says.
pub(super) fn keys(refs: Vec<String>, nothing: &str) -> Result<Vec<KeyRef>, Failure> {
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for given in super::references::read(refs)? {
        let (key, _) = given.map_err(|(text, error)| {
            let about = text.map(|text| format!("{text}: ")).unwrap_or_default();
            Failure::Usage(format!("{about}{}; {nothing}", words::report(&error)))
        })?;
        if seen.insert(key.clone()) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// An account that does not exist is a mistake in what was typed, and nothing is changed on a mistake.
pub(super) fn accounts(keymux: &Keymux, keys: &[KeyRef], nothing: &str) -> Result<(), Failure> {
    let known = keys.iter().try_for_each(|key| keymux.account(key.account()).map(drop));
    known.map_err(|error| Failure::Usage(format!("{}; {nothing}", words::report(&error))))
}

/// What `call` gives for each key, as it comes: a few at a time of each account.
pub(super) fn outcomes<F: Future>(
    keys: Vec<KeyRef>,
    call: impl Fn(KeyRef) -> F + Copy,
) -> impl Stream<Item = F::Output> {
    let mut accounts: BTreeMap<AccountName, Vec<KeyRef>> = BTreeMap::new();
    for key in keys {
        accounts.entry(key.account().clone()).or_default().push(key);
    }
    let accounts = accounts.into_values();
    stream::select_all(accounts.map(|keys| stream::iter(keys).map(call).buffer_unordered(AT_ONCE)))
}

/// Tells a failure of a key on standard error and in JSON.
pub(super) fn problem<R: Row>(
    key: &KeyRef,
    error: &Error,
    output: &mut Output<'_, R>,
    console: &Console,
) -> Result<(), Failure> {
    let text = key.to_string();
    console.error(Some(&text), error);
    output.problem(&Problem::of_ref(text, error))
}
