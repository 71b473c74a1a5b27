//! `keymux get`: one record for each reference.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use keymux::{KeyRecord, KeyRef};

use crate::args::GetArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::{Interrupt, Taken};
use crate::load::Loader;
use crate::output::{Output, Plan, shown_of_one};
use crate::rows::{Problem, SHOWN};

pub(super) async fn run(loader: &Loader<'_>, args: GetArgs, console: &Console) -> Result<Exit, Failure> {
    let single = matches!(&*args.refs, [only] if only != "-");
    let one = shown_of_one::<KeyRecord>();
    let plan = Plan::read::<KeyRecord>(&args.listing, console, if single { &one } else { SHOWN })?;
    let mut output = if single { Output::single(console, plan) } else { Output::new(console, plan) };
    let mut tally = Tally::default();

    let mut keys = Vec::new();
    for given in super::references::read(args.refs)? {
        match given {
            Ok(reference) => keys.push(reference),
            Err((text, error)) => {
                console.error(text.as_deref(), &error);
                tally.failure(&error);
                output.problem(&text.map_or_else(|| Problem::new(&error), |text| Problem::of_ref(text, &error)))?;
            }
        }
    }
    // Errors name a reference as it was written.
    let written: BTreeMap<KeyRef, String> = keys.iter().cloned().collect();
    let mut left: BTreeSet<KeyRef> = written.keys().cloned().collect();
    let keymux = loader.any_of(keys.iter().map(|(key, _)| key.account())).await?;
    let mut outcomes = keymux.get_many(keys.into_iter().map(|(key, _)| key));
    let (mut interrupt, _taken) = (Interrupt::listen(), Taken::for_output());
    loop {
        let next = if let Some(next) = outcomes.next().now_or_never() {
            next
        } else {
            output.flush()?;
            let Some(next) = interrupt.or(outcomes.next()).await else {
                output.finish(None)?;
                let left = written.iter().filter(|(key, _)| left.contains(key)).map(|(_, text)| text.clone());
                console.failed_for("interrupted; these keys were not looked up:", left);
                return Ok(interrupt.exit());
            };
            next
        };
        let Some(outcome) = next else { break };
        left.remove(&outcome.key);
        match outcome.result {
            Ok(record) => {
                tally.success();
                output.row(record)?;
            }
            Err(error) => {
                let text = written.get(&outcome.key).cloned().unwrap_or_else(|| outcome.key.to_string());
                console.error(Some(&text), &error);
                tally.failure(&error);
                output.problem(&Problem::of_ref(text, &error))?;
            }
        }
    }
    output.finish(None)?;
    Ok(tally.exit())
}
