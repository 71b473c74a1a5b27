//! `keymux scopes`: groups and workspaces.

use keymux::{Keymux, Operation};

use crate::args::ScopesArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::{Outcome, Problem, ScopeRow, Summary};

use super::listing;

const SHOWN: &[&str] = &["ref", "name", "provider"];

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: ScopesArgs,
    console: &Console,
) -> Result<Exit, Failure> {
    let plan = Plan::read::<ScopeRow>(&args.listing, console, SHOWN)?;
    let keymux = keymux()?;
    let accounts = if args.accounts.is_empty() {
        let mut all = super::all_accounts(&keymux)?;
        all.retain(|name| {
            let account = keymux.account(name);
            account.is_ok_and(|account| account.info().capabilities().is_native(Operation::ScopesPage))
        });
        all
    } else {
        args.accounts
    };
    let mut output = Output::new(console, plan);
    let (mut outcomes, mut tally, mut interrupted) = (Vec::new(), Tally::default(), false);
    let mut interrupt = Interrupt::listen();
    for account in accounts {
        let found = match keymux.account(&account) {
            Ok(provider) => match interrupt.or(listing::scopes(&**provider)).await {
                Some(found) => found.map(|scopes| (provider.info().id().clone(), scopes)),
                None => {
                    interrupted = true;
                    break;
                }
            },
            Err(error) => Err(error),
        };
        match found {
            Ok((provider, scopes)) => {
                tally.success();
                outcomes.push(Outcome::complete(account.clone(), None, scopes.len() as u64));
                for info in scopes {
                    output.row(ScopeRow::new(account.clone(), provider.clone(), info))?;
                }
                output.flush()?;
            }
            Err(error) => {
                console.error(None, &error);
                tally.failure(&error);
                output.problem(&Problem::of_scope(None, &error))?;
                outcomes.push(Outcome::failed(account, None, 0, &error));
            }
        }
    }
    output.finish(Some(Summary::new(outcomes, interrupted)))?;
    Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
}
