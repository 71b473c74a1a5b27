//! `keymux scopes`: groups and workspaces.

use std::collections::BTreeSet;

use keymux::Operation;

use crate::args::ScopesArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::{Interrupt, Taken};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rows::{Problem, ScopeRow, Summary};

const SHOWN: &[&str] = &["ref", "name", "provider"];

pub(super) async fn run(loader: &Loader<'_>, args: ScopesArgs, console: &Console) -> Result<Exit, Failure> {
    let plan = Plan::read::<ScopeRow>(&args.listing, console, SHOWN)?;
    let mut accounts = args.accounts;
    let keymux = if accounts.is_empty() { loader.all().await? } else { loader.any_of(&accounts).await? };
    if accounts.is_empty() {
        super::any_account(&keymux)?;
        let scoped =
            keymux.accounts().filter(|(_, account)| account.info().capabilities().is_native(Operation::ScopesPage));
        // One that could not be set up is told, whatever its vendor has.
        let broken = keymux.unavailable_accounts().map(|(name, _)| name);
        accounts = scoped.map(|(name, _)| name).chain(broken).cloned().collect::<BTreeSet<_>>().into_iter().collect();
    }
    let mut output = Output::new(console, plan);
    let (mut tally, mut complete, mut interrupted) = (Tally::default(), true, false);
    let (mut interrupt, _taken) = (Interrupt::listen(), Taken::for_output());
    for name in accounts {
        let provider = keymux.account(&name)?.info().id();
        let Some(scopes) = interrupt.or(keymux.find_scopes(&name)).await else {
            interrupted = true;
            break;
        };
        let errors = match scopes {
            Ok(found) => {
                tally.success();
                for info in found.scopes {
                    output.row(ScopeRow::new(name.clone(), provider.clone(), info))?;
                }
                output.flush()?;
                found.errors
            }
            Err(error) => vec![error],
        };
        for error in errors {
            complete = false;
            console.error(None, &error);
            tally.failure(&error);
            output.problem(&Problem::new(&error))?;
        }
    }
    output.finish(Some(Summary::new(complete, interrupted)))?;
    let lacks = args.require_complete && !complete;
    Ok(if interrupted { interrupt.exit() } else { tally.exit().or_partial(lacks) })
}
