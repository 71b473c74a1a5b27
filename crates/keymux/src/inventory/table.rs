//! The completeness as people read it: a table of the accounts, what failed, and the sum.

use std::fmt;

use super::completeness::{AccountOutcome, Completeness, PartResult, UnitStatus};
use super::unit::WorkUnit;

/// A row for each account; below it a line for each failure and each limit of a vendor; at the end whether it is all.
impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = |text: fn((&str, &str)) -> usize| {
            let names = self.accounts().map(|(name, account)| (name.as_str(), account.provider().as_str()));
            names.map(text).max().unwrap_or(0)
        };
        let account = longest(|(name, _)| name.len()).max("account".len());
        let vendor = longest(|(_, provider)| provider.len()).max("vendor".len());
        writeln!(f, "{:account$}  {:vendor$}  {:>9}  {:>11}  outcome", "account", "vendor", "keys", "scopes")?;
        for (name, outcome) in self.accounts() {
            let (keys, scopes, state) = (outcome.records(), scopes(outcome), outcome.state());
            let provider = outcome.provider();
            writeln!(f, "{name:account$}  {provider:vendor$}  {keys:>9}  {scopes:>11}  {state}")?;
        }
        for (name, outcome) in self.accounts() {
            match outcome.scopes() {
                PartResult::Failed { error } => writeln!(f, "{name}: the list of scopes broke off: {error}")?,
                PartResult::Unsupported { alternative } => writeln!(f, "{name}: cannot list: {alternative}")?,
                _ => {}
            }
            if let [first, others @ ..] = &*outcome.unreadable {
                writeln!(f, "{name}: scopes that cannot be read: {}: {first}", 1 + others.len())?;
            }
            for (scope, unit) in outcome.units() {
                if let [first, others @ ..] = &*unit.unreadable {
                    let place = WorkUnit::new(name.clone(), scope.clone());
                    writeln!(f, "{place}: rows that cannot be read: {}: {first}", 1 + others.len())?;
                }
                if let UnitStatus::Failed { error } = &unit.standing {
                    let place = WorkUnit::new(name.clone(), scope.clone());
                    writeln!(f, "{place}: broke off after {} keys: {error}", unit.records)?;
                }
            }
            if let Some(reason) = outcome.narrower() {
                writeln!(f, "{name}: narrower: {reason}")?;
            }
            if let Some(what) = outcome.not_listed() {
                writeln!(f, "{name}: not listed: {what}")?;
            }
        }
        let sum = if self.is_complete() { "complete" } else { "not complete" };
        write!(f, "{} keys, {sum}", self.records())
    }
}

/// How many scopes are done, of how many; `+`: there may be more.
fn scopes(outcome: &AccountOutcome) -> String {
    let all = outcome.units().len();
    let done = outcome.units().filter(|(_, unit)| matches!(unit.standing, UnitStatus::Done)).count();
    match outcome.scopes() {
        PartResult::Skipped | PartResult::Unsupported { .. } => "-".to_owned(),
        PartResult::Done => format!("{done}/{all}"),
        _ => format!("{done}/{all}+"),
    }
}
