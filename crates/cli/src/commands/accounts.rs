//! `keymux accounts`: which are configured, and whether their credentials work.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use keymux::Keymux;

use crate::args::{AccountsAction, AccountsArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::{AccountRow, Check, Outcome, Summary};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: AccountsArgs,
    console: &Console,
) -> Result<Exit, Failure> {
    let checks = args.action == Some(AccountsAction::Check);
    let shown: &[&str] = if checks { &["account", "provider_name", "check"] } else { &["account", "provider_name"] };
    let plan = Plan::read::<AccountRow>(&args.listing, console, shown)?;
    let keymux = keymux()?;
    let mut output = Output::new(console, plan);
    if !checks {
        for (name, account) in keymux.accounts() {
            output.row(AccountRow::new(name.clone(), account.info(), None))?;
        }
        output.finish(Some(Summary::local()))?;
        return Ok(Exit::Success);
    }
    let mut running: FuturesUnordered<_> = super::all_accounts(&keymux)?
        .into_iter()
        .map(|name| async {
            let result = keymux.check(&name).await;
            (name, result)
        })
        .collect();
    let (mut outcomes, mut tally, mut interrupted) = (Vec::new(), Tally::default(), false);
    let mut interrupt = Interrupt::listen();
    loop {
        let Some(next) = interrupt.or(running.next()).await else {
            interrupted = true;
            break;
        };
        let Some((name, result)) = next else { break };
        match &result {
            Ok(()) => {
                tally.success();
                outcomes.push(Outcome::complete(name.clone(), None, 1));
            }
            Err(error) => {
                console.error(None, error);
                tally.failure(error);
                outcomes.push(Outcome::failed(name.clone(), None, 1, error));
            }
        }
        let account = keymux.account(&name)?;
        output.row(AccountRow::new(name, account.info(), Some(Check::new(&result))))?;
        output.flush()?;
    }
    output.finish(Some(Summary::new(outcomes, interrupted)))?;
    Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
}
