//! `keymux accounts`: which are configured, and whether their credentials work.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use keymux::AccountName;

use crate::args::{AccountsAction, AccountsArgs};
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::{Interrupt, Taken};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::rows::{AccountRow, Check, Summary};

pub(super) async fn run(loader: &Loader<'_>, args: AccountsArgs, console: &Console) -> Result<Exit, Failure> {
    let (checks, listing) = match args.action {
        Some(AccountsAction::Check { listing }) => (true, listing),
        _ => (false, args.listing),
    };
    let shown: &[&str] = if checks { &["account", "provider", "check"] } else { &["account", "provider", "source"] };
    let plan = Plan::read::<AccountRow>(&listing, console, shown)?;
    let file = loader.file()?;
    let source = |name: &AccountName| {
        let account = file.as_ref().and_then(|file| file.account(name));
        account.map(|account| account.credential_source().to_string())
    };
    let mut output = Output::new(console, plan);
    if let (false, Some(file)) = (checks, &file) {
        // No credential is fetched to tell where it is.
        for account in file.accounts() {
            output.row(AccountRow::new(account.name().clone(), &account.provider(), source(account.name()), None))?;
        }
        output.finish(Some(Summary::new(true, false)))?;
        return Ok(Exit::Success);
    }
    let keymux = loader.all_of(file.as_ref()).await?;
    if !checks {
        if keymux.accounts().len() == 0 {
            console.note(&format!("keymux: {}", super::no_account()));
        }
        for (name, account) in keymux.accounts() {
            output.row(AccountRow::new(name.clone(), account.info().id(), None, None))?;
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
    let (mut interrupt, _taken) = (Interrupt::listen(), Taken::for_output());
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
        output.row(AccountRow::new(name.clone(), account.info().id(), source(name), Some(Check::new(&result))))?;
        output.flush()?;
    }
    output.finish(Some(Summary::new(true, interrupted)))?;
    Ok(if interrupted { interrupt.exit() } else { tally.exit() })
}
