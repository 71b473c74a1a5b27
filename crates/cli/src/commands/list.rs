//! `keymux list`: the keys of accounts or scopes, with how complete they are.

use futures_util::FutureExt;
use keymux::{ErrorKind, KeyRecord, Keymux};

use crate::args::{ListArgs, Place};
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::{Problem, Summary};

use super::listing::{self, Event};

/// The columns of a table where none are chosen.
pub(super) const SHOWN: &[&str] = &["ref", "name", "status", "expires_at", "last_used_at", "created_at"];

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: ListArgs,
    console: &Console,
) -> Result<Exit, Failure> {
    let plan = Plan::read::<KeyRecord>(&args.listing, console, SHOWN)?;
    let keymux = keymux()?;
    let whole = args.places.is_empty();
    let places = if whole {
        super::all_accounts(&keymux)?.into_iter().map(|account| Place { account, scope: None }).collect()
    } else {
        args.places
    };
    let mut output = Output::new(console, plan);
    let (mut outcomes, mut tally, mut interrupted) = (Vec::new(), Tally::default(), false);
    let mut interrupt = Interrupt::listen();
    let mut events = listing::keys(&keymux, places);
    loop {
        let event = match events.recv().now_or_never() {
            Some(event) => event,
            None => {
                output.flush()?;
                let Some(event) = interrupt.or(events.recv()).await else {
                    interrupted = true;
                    break;
                };
                event
            }
        };
        match event {
            None => break,
            Some(Event::Key(record)) => {
                tally.success();
                output.row(*record)?;
            }
            Some(Event::Ended(outcome, error)) => {
                if let Some(error) = error {
                    let about = outcome.scope.as_ref().map(|scope| format!("{}:{scope}", outcome.account));
                    console.error(about.as_deref(), &error);
                    // Of the whole inventory, a vendor without a list is a gap and no failure.
                    if !(whole && error.kind() == ErrorKind::Unsupported) {
                        tally.failure(&error);
                        output.problem(&Problem::of_scope(outcome.scope.clone(), &error))?;
                    }
                } else {
                    tally.success();
                }
                outcomes.push(outcome);
            }
        }
    }
    output.finish(Some(Summary::new(outcomes, interrupted)))?;
    Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
}
