//! What the commands that change keys have in common: the question before, patience during, and what a rehearsal shows.

use std::future::Future;
use std::io;

use keymux::{ErrorKind, KeyRecord, KeyRef, Keymux};

use crate::args::Format;
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::RequestRow;

/// What a table of several requests shows.
pub(super) const REQUEST: &[&str] = &["step", "method", "url", "body", "note"];

/// What is shown of a key before a question.
const ASKED: &[&str] = &["ref", "account", "name", "status", "last_used_at"];

/// Shows the keys and asks whether to go on. Where the answer is no, that nothing was done is told.
///
/// A key that cannot be looked up is told too. If there is none of them, that is the failure.
pub(super) async fn consent(keymux: &Keymux, keys: &[KeyRef], verb: &str, console: &Console) -> Result<bool, Failure> {
    let table = console.on_stderr().with_format(Format::Table);
    let output = Output::onto(Box::new(io::stderr()), &table, Plan::of_many::<KeyRecord>(&table, ASKED));
    let mut output = if keys.len() == 1 { output.alone() } else { output };
    let mut outcomes = keymux.get_many(keys.iter().cloned());
    let mut interrupt = Interrupt::listen();
    let (mut missing, mut last) = (0, None);
    while let Some(outcome) = interrupt.or(outcomes.next()).await.ok_or(Failure::Interrupted)? {
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
pub(super) async fn see_through<T>(call: impl Future<Output = T>, unknown: &str, console: &Console) -> T {
    let mut call = std::pin::pin!(call);
    if let Some(value) = Interrupt::listen().or(&mut call).await {
        return value;
    }
    console.note(&format!(
        "keymux: the request is under way, and its answer is waited for; Ctrl-C again ends at once, and leaves unknown {unknown}"
    ));
    call.await
}

/// The one request of a rehearsal.
pub(super) fn show_request(request: RequestRow, console: &Console) -> Result<Exit, Failure> {
    let mut output = Output::single(console, Plan::of_one::<RequestRow>(console));
    output.row(request)?;
    output.finish(None)?;
    Ok(Exit::Success)
}
