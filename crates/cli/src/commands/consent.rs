//! What the commands that change keys have in common: the question before, guard during, and what a dry run shows.

use std::future::Future;
use std::io;

use keymux::{AccountName, ErrorKind, KeyRecord, KeyRef, Keymux, Operation, Scope, WorkUnit};

use crate::args::Format;
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::{Problem, RequestRow};
use crate::shutdown::{ShutdownGuard, Stopped};

/// What a table of several requests shows.
pub(super) const REQUEST: &[&str] = &["step", "method", "url", "body", "note"];

/// What is shown of a key before a question.
const ASKED: &[&str] = &["ref", "name", "status", "expires_at", "last_used_at"];

/// Shows the keys and asks whether to go on. Where the answer is no, that nothing was done is told.
///
/// A key that cannot be looked up is told too. If there is none of them, that is the failure.
pub(super) async fn consent(keymux: &Keymux, keys: &[KeyRef], verb: &str, console: &Console) -> Result<bool, Failure> {
    let table = console.on_stderr().with_format(Format::Table);
    let output = Output::onto(Box::new(io::stderr()), &table, Plan::of_many::<KeyRecord>(&table, ASKED).whole());
    let mut output = if keys.len() == 1 { output.alone() } else { output };
    let mut outcomes = keymux.get_many(keys.iter().cloned());
    let mut interrupt = Interrupt::listen();
    let (mut missing, mut last) = (0, None);
    loop {
        let Some(next) = interrupt.or(outcomes.next()).await else {
            return Err(Failure::Interrupted(interrupt.exit()));
        };
        let Some(outcome) = next else { break };
        match outcome.result {
            Ok(record) => output.row(record)?,
            Err(error) => {
                missing += usize::from(error.kind() == ErrorKind::NotFound);
                if keys.len() > 1 || error.kind() != ErrorKind::NotFound {
                    console.error(Some(&outcome.key.to_string()), &error);
                }
                last = Some(error);
            }
        }
    }
    if let Some(error) = last.filter(|_| missing == keys.len()) {
        return Err(error.into());
    }
    output.finish(None)?;
    let question = match keys {
        [key] => format!("{verb} {key}?"),
        keys => format!("{verb} these {} keys?", keys.len()),
    };
    let yes = ask::confirm(&question).await?;
    if !yes {
        console.note("Nothing was done.");
    }
    Ok(yes)
}

/// Waits for a call whose answer matters whoever asks for an end: the first Ctrl-C tells what a second one leaves open.
pub(super) async fn see_through<T>(
    guard: &ShutdownGuard,
    call: impl Future<Output = T>,
    unknown: &str,
    console: &Console,
) -> Result<T, Stopped> {
    guard.see(call, || waits(unknown, console)).await
}

/// Tells that the first Ctrl-C was heard.
pub(super) fn waits(unknown: &str, console: &Console) {
    console.note(&format!(
        "keymux: the request is under way, and its answer is waited for; Ctrl-C again ends at once, and leaves unknown {unknown}"
    ));
}

/// The command that shows a key.
pub(super) fn look_at(key: &KeyRef) -> String {
    format!("keymux get {key}")
}

/// The command that lists the keys of a scope, where its vendor lists any.
pub(super) fn look_in(keymux: &Keymux, account: &AccountName, scope: &Scope) -> Option<String> {
    let lists = keymux.account(account).ok()?.info().capabilities().is_native(Operation::ListPage);
    let unit = WorkUnit::new(account.clone(), scope.clone());
    lists.then(|| format!("keymux list {unit}"))
}

/// Tells in JSON too that the one call of a command failed, whose standard output is for records.
pub(super) fn told(failure: Failure, key: Option<&KeyRef>, console: &Console) -> Failure {
    let (Failure::Call(error) | Failure::Change(_, error)) = &failure else { return failure };
    let problem = match key {
        Some(key) => Problem::of_ref(key.to_string(), error),
        None => Problem::new(error),
    };
    let mut output = Output::<KeyRecord>::single(console, Plan::of_one::<KeyRecord>(console));
    match output.problem(&problem).and_then(|()| output.flush()) {
        Ok(()) => failure,
        Err(unwritten) => {
            console.fail(&failure);
            unwritten
        }
    }
}

/// The one request of a dry run.
pub(super) fn show_request(request: RequestRow, console: &Console) -> Result<Exit, Failure> {
    let mut output = Output::single(console, Plan::of_one::<RequestRow>(console));
    output.row(request)?;
    output.finish(None)?;
    Ok(Exit::Success)
}
