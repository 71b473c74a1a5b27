//! The suite is tested: for each rule a provider with one bug, which breaks that rule and no other.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod acme;
mod bugs;
mod stand_in;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use keymux_conformance::{Harness, Outcome, Rule, Seeded, Subject, Wiring, run};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, NewKey, ProviderInfo, Scope, SecretString};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::stand_in::{CREDENTIAL, PROJECT, Shared};

struct Planted {
    bug: &'static str,
    keys: Shared,
    base_url: String,
}

/// The plaintext of a seeded key.
pub(crate) fn plaintext(number: usize) -> String {
    format!("acme_sk_CANARY_seeded_{number:04}")
}

#[async_trait]
impl Harness for Planted {
    fn base_url(&self) -> String {
        self.base_url.clone()
    }

    fn credential(&self) -> SecretString {
        CREDENTIAL.into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        Ok(Arc::new(bugs::Planted::new(self.bug, wiring.credential, &wiring.base_url, wiring.http)?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let (id, plaintext) = (format!("k-{number:04}"), plaintext(number));
        self.keys.lock().unwrap().put(&id, &"seeded".into(), &5.into(), &plaintext);
        Seeded::new(KeyAddress::new([PROJECT, &id]).unwrap()).with_plaintext(plaintext)
    }

    fn unknown(&self) -> KeyAddress {
        bugs::unknown()
    }

    fn scope(&self) -> Scope {
        Scope::new([PROJECT]).unwrap()
    }

    fn bare_plaintext(&self, plaintext: &str) -> Option<serde_json::Value> {
        Some(serde_json::json!({"secret": plaintext}))
    }

    fn new_key(&self, _info: &ProviderInfo, scope: Scope) -> NewKey {
        NewKey::new(scope).with_name("conformance").with_max_uses(7)
    }
}

fn subject(bug: &'static str) -> Subject {
    Subject::new(&bugs::info(bug), move || async move {
        let keys = Shared::default();
        Planted { bug, base_url: stand_in::start(Arc::clone(&keys)).await, keys }
    })
}

fn the_honest_provider_keeps_every_rule_that_applies() -> Result<(), Failed> {
    let report = run([subject("")]);
    for rule in Rule::ALL {
        let outcome = report.providers[0].outcome(rule).unwrap();
        // The honest provider has every operation.
        if *outcome != Outcome::Passed && rule.name() != "an_unsupported_operation_sends_nothing" {
            return Err(format!("{}: {outcome:?}", rule.name()).into());
        }
    }
    Ok(())
}

fn every_rule_has_a_bug_of_its_own() -> Result<(), Failed> {
    let (rules, bugs): (Vec<&str>, Vec<&str>) =
        (Rule::ALL.iter().map(Rule::name).collect(), bugs::BUGS.iter().map(|(rule, _)| *rule).collect());
    if rules == bugs { Ok(()) } else { Err(format!("rules {rules:?}\nbugs {bugs:?}").into()) }
}

fn breaks_that_rule_alone(rule: &'static str, bug: &str) -> Result<(), Failed> {
    let report = run([subject(rule)]);
    let broken: Vec<&str> = report.providers[0].failures().map(Rule::name).collect();
    if broken == [rule] {
        return Ok(());
    }
    let told: Vec<String> =
        broken.iter().map(|name| format!("{name}: {:?}", report.providers[0].outcomes.get(*name))).collect();
    Err(format!("a provider that {bug} breaks {broken:?}\n{}", told.join("\n")).into())
}

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("every_rule_has_a_bug_of_its_own", every_rule_has_a_bug_of_its_own),
        Trial::test(
            "the_honest_provider_keeps_every_rule_that_applies",
            the_honest_provider_keeps_every_rule_that_applies,
        ),
    ];
    trials.extend(bugs::BUGS.iter().map(|(rule, bug)| {
        Trial::test(format!("{rule}::is_broken_by_one_that_{}", bug.replace(' ', "_")), || {
            breaks_that_rule_alone(rule, bug)
        })
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
