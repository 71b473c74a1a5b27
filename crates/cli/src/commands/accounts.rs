//! `keymux accounts`: which are configured, and whether their credentials work.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use keymux::Keymux;

use crate::args::{AccountsAction, AccountsArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::Interrupt;
use crate::output::{Output, Plan};
use crate::rows::{AccountRow, Check, Summary};

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
        output.finish(Some(Summary::new(true, false)))?;
        return Ok(Exit::Success);
    }
    super::any_account(&keymux)?;
    let check = |(name, account)| {
        let check = keymux.check(name);
        async move { (name, account, check.await) }
    };
    let mut running: FuturesUnordered<_> = keymux.accounts().map(check).collect();
    let (mut tally, mut interrupted) = (Tally::default(), false);
    let mut interrupt = Interrupt::listen();
    loop {
        let Some(next) = interrupt.or(running.next()).await else {
            interrupted = true;
            break;
        };
        let Some((name, account, result)) = next else { break };
        match &result {
            Ok(()) => tally.success(),
            Err(error) => {
                console.error(None, error);
                tally.failure(error);
            }
        }
        output.row(AccountRow::new(name.clone(), account.info(), Some(Check::new(&result))))?;
        output.flush()?;
    }
    output.finish(Some(Summary::new(true, interrupted)))?;
    Ok(if interrupted { Exit::Interrupted } else { tally.exit() })
}
