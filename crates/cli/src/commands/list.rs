//! `keymux list`: the keys of accounts or scopes, with how complete they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt;
use keymux::{
    AccountName, AccountOutcome, AccountState, Completeness, InventoryBuilder, KeyRecord, Keymux, Operation,
    PartResult, UnitStatus, WorkUnit,
};

use crate::args::ListArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::{Interrupt, Taken};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::progress::{Progress, Waits};
use crate::rows::{Problem, SHOWN, Summary};

pub(super) async fn run(loader: &Loader<'_>, args: ListArgs, console: &Console) -> Result<Exit, Failure> {
    let plan = Plan::read::<KeyRecord>(&args.listing, console, SHOWN)?;
    let waits = Arc::<Waits>::default();
    let loader = loader.told(&waits);
    let keymux = match &*args.units {
        [] => loader.all().await?,
        units => loader.any_of(units.iter().map(WorkUnit::account)).await?,
    };
    super::any_account(&keymux)?;
    let asked = Asked::new(args.units);
    let mut output = Output::new(console, plan);
    let mut progress = Progress::new(console.draws(output.holds()), &waits);
    let mut tally = Tally::default();
    let (mut interrupt, _taken) = (Interrupt::listen(), Taken::for_output());
    let mut told = Completeness::default();
    let mut interrupted = false;
    for inventory in asked.inventories(&keymux) {
        let mut keys = inventory.stream()?;
        loop {
            let next = if let Some(next) = keys.next().now_or_never() {
                next
            } else {
                output.flush()?;
                let Some(next) = interrupt.or(progress.next(&mut keys)).await else {
                    interrupted = true;
                    break;
                };
                next
            };
            // What is lacking is told by the completeness.
            let Some(Ok(record)) = next else { break };
            tally.success();
            output.row(record)?;
        }
        told = told.merge(keys.completeness())?;
        if interrupted {
            break;
        }
    }
    drop(progress);
    for (unit, failure) in told.failures() {
        let report = failure.report().clone();
        if let Some(error) = failure.error() {
            console.error(Some(&unit.to_string()), error);
            tally.failure(error);
        }
        output.problem(&Problem::of_scope(unit.scope().clone(), report))?;
    }
    for (name, account) in told.accounts().filter(|(name, _)| asked.holds(name)) {
        match account.scopes() {
            // Of the whole inventory, a vendor without a list is a gap and no failure.
            PartResult::Unsupported { .. } if !asked.whole() => {
                let provider = keymux.account(name)?;
                let error = provider.info().unsupported(Operation::ListPage).with_account(name.clone());
                console.error(None, &error);
                tally.failure(&error);
                output.problem(&Problem::new(&error))?;
            }
            _ if account.units().any(|(_, unit)| matches!(unit.standing, UnitStatus::Done)) => tally.success(),
            _ => {}
        }
    }
    let mut summary = Summary::new(asked.complete(&told), interrupted);
    summary.text = asked.whole().then(|| told.to_string());
    summary.reasons = asked.reasons(&told);
    let accounts = told.accounts().filter(|(name, _)| asked.holds(name));
    summary.accounts = accounts.map(|(name, account)| (name.clone(), account.clone())).collect();
    let lacks = args.require_complete && !summary.complete;
    output.finish(Some(summary))?;
    Ok(if interrupted { interrupt.exit() } else { tally.exit().or_partial(lacks) })
}

/// What the arguments ask for.
struct Asked {
    accounts: BTreeSet<AccountName>,
    scopes: BTreeSet<WorkUnit>,
}

impl Asked {
    fn new(units: Vec<WorkUnit>) -> Self {
        let (accounts, scopes): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| unit.scope().is_account());
        let accounts: BTreeSet<_> = accounts.into_iter().map(|unit| unit.account().clone()).collect();
        // A scope of an account that is listed whole comes with it.
        let scopes = scopes.into_iter().filter(|unit| !accounts.contains(unit.account())).collect();
        Self { accounts, scopes }
    }

    fn whole(&self) -> bool {
        self.accounts.is_empty() && self.scopes.is_empty()
    }

    fn holds(&self, name: &AccountName) -> bool {
        self.whole() || self.accounts.contains(name) || self.scopes.iter().any(|unit| unit.account() == name)
    }

    /// One, or two where both accounts and scopes were named.
    fn inventories(&self, keymux: &Keymux) -> Vec<InventoryBuilder> {
        let accounts = || keymux.inventory().accounts(self.accounts.iter().cloned());
        let scopes = || keymux.inventory().only(self.scopes.iter().cloned());
        match (self.accounts.is_empty(), self.scopes.is_empty()) {
            (true, true) => vec![keymux.inventory()],
            (false, true) => vec![accounts()],
            (true, false) => vec![scopes()],
            (false, false) => vec![accounts(), scopes()],
        }
    }

    /// Why accounts that were named are not complete. What failed was told as it came.
    fn reasons(&self, told: &Completeness) -> Vec<String> {
        let accounts = self.accounts.iter().filter_map(|name| Some((name, told.account(name)?)));
        let lacking = accounts.filter(|(_, account)| account.state() != AccountState::Done);
        let of = |(name, account): (&AccountName, &AccountOutcome)| {
            let narrower = account.narrower().map(|reason| format!("{name}: narrower: {reason}"));
            let not_listed = account.not_listed().map(|what| format!("{name}: not listed: {what}"));
            [narrower, not_listed]
        };
        lacking.flat_map(of).flatten().collect()
    }

    /// Whether everything that was asked for was given.
    fn complete(&self, told: &Completeness) -> bool {
        let done = |account: &AccountOutcome| account.state() == AccountState::Done;
        let walked = |unit: &WorkUnit| {
            let account = told.account(unit.account());
            let mut units = account.into_iter().flat_map(AccountOutcome::units);
            units.any(|(scope, outcome)| {
                let whole = matches!(outcome.standing, UnitStatus::Done) && outcome.unreadable.is_empty();
                scope == unit.scope() && whole
            })
        };
        if self.whole() {
            return told.is_complete();
        }
        self.accounts.iter().all(|name| told.account(name).is_some_and(done)) && self.scopes.iter().all(walked)
    }
}
