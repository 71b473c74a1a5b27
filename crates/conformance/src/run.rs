//! Trying the rules: as tests with `cargo test`'s options, or as a report.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::harness::Subject;
use crate::report::{ProviderReport, Report};
use crate::rule::{Outcome, Rule};
use crate::stage::{Sightings, Stage};
use crate::verdict::fail;

/// The longest that one rule may take. No rule takes more than a second or two; a provider that hangs is told so.
const LONGEST: Duration = Duration::from_secs(60);

/// Tries all rules on all subjects, as `cargo test` runs tests: the `main` of a test target with `harness = false`.
///
/// A test's name is that of the provider and that of the rule: `acme::an_unknown_key_is_not_found`. A rule about an
/// operation that the vendor does not have is not among the tests. The options are those of `cargo test`: a filter,
/// `--exact`, `--list`, `--test-threads`.
#[must_use]
pub fn main(subjects: impl IntoIterator<Item = Subject>) -> ExitCode {
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    let tried = subjects.iter().flat_map(|subject| {
        let rules = Rule::ALL.iter().filter(|rule| rule.applies_to(subject.info()));
        rules.map(move |rule| trial(subject, rule))
    });
    libtest_mimic::run(&Arguments::from_args(), tried.collect()).exit_code()
}

fn trial(subject: &Subject, rule: &'static Rule) -> Trial {
    let name = format!("{}::{}", subject.info().id(), rule.name());
    let subject = subject.clone();
    Trial::test(name, move || match try_rule(&subject, rule).0 {
        Outcome::Failed { expected, seen } => {
            Err(Failed::from(format!("{}: {}\nexpected: {expected}\n    seen: {seen}", rule.name(), rule.sentence())))
        }
        _ => Ok(()),
    })
}

/// Tries all rules on all subjects, and tells how each came out.
#[must_use]
pub fn run(subjects: impl IntoIterator<Item = Subject>) -> Report {
    Report { providers: subjects.into_iter().map(|subject| run_one(&subject)).collect() }
}

fn run_one(subject: &Subject) -> ProviderReport {
    let mut sightings = Sightings::default();
    let mut outcomes = Vec::with_capacity(Rule::ALL.len());
    for rule in Rule::ALL {
        let outcome = if rule.applies_to(subject.info()) {
            let (outcome, seen) = try_rule(subject, rule);
            sightings.fields.extend(seen.fields);
            sightings.status = sightings.status.or(seen.status);
            outcome
        } else {
            let operation = rule.operation().map_or("", |operation| operation.as_str());
            Outcome::NotApplicable { why: format!("the vendor has no `{operation}`") }
        };
        outcomes.push((rule.name().to_owned(), outcome));
    }
    ProviderReport {
        info: subject.info().clone(),
        outcomes: outcomes.into_iter().collect(),
        seen: sightings.fields.into_iter().collect(),
        status: sightings.status,
    }
}

/// Tries one rule, on a runtime and a harness of its own.
fn try_rule(subject: &Subject, rule: &Rule) -> (Outcome, Sightings) {
    let trial = async {
        match Stage::of(subject).await {
            Ok(stage) => ((rule.check)(&stage).await, stage.sightings.take()),
            Err(miss) => (Err(miss), Sightings::default()),
        }
    };
    let failed = |expected: String, seen| (fail(expected, seen), Sightings::default());
    let (result, sightings) = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            let limited = tokio::time::timeout(LONGEST, trial).await;
            limited.unwrap_or_else(|_| failed(format!("an end within {LONGEST:?}"), "none".to_owned()))
        }),
        Err(error) => failed("a runtime".to_owned(), error.to_string()),
    };
    (result.into(), sightings)
}
