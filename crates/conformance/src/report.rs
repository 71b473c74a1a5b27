//! What came of a run, as plain data.

use std::collections::BTreeMap;

use keymux_core::{Basis, Field, Operation, ProviderInfo};
use serde::{Deserialize, Serialize};

use crate::rule::{Outcome, Rule};

/// What came of a run: one entry for each provider, in the order of the subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The providers.
    pub providers: Vec<ProviderReport>,
}

/// What came of a run for one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderReport {
    /// What the provider says of itself.
    pub info: ProviderInfo,
    /// How each of [`Rule::ALL`] came out, by its name.
    pub outcomes: BTreeMap<String, Outcome>,
    /// The fields that had a value in a record of the run.
    pub seen: Vec<Field>,
    /// How the status of a key was known; `None`: it was unknown in every record of the run.
    pub status: Option<Basis>,
}

impl Report {
    /// Whether no rule failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The rules that failed, each with its provider.
    pub fn failures(&self) -> impl Iterator<Item = (&ProviderReport, &'static Rule)> {
        self.providers.iter().flat_map(|provider| provider.failures().map(move |rule| (provider, rule)))
    }
}

impl ProviderReport {
    /// The rules that failed.
    pub fn failures(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        Rule::ALL.iter().filter(|rule| self.outcome(rule).is_some_and(Outcome::is_failure))
    }

    /// How a rule came out.
    #[must_use]
    pub fn outcome(&self, rule: &Rule) -> Option<&Outcome> {
        self.outcomes.get(rule.name())
    }

    /// Whether the vendor has `operation` and no rule that concerns it failed: neither one about it nor one of all
    /// operations.
    #[must_use]
    pub fn proves(&self, operation: Operation) -> bool {
        let concerns = |rule: &&Rule| rule.operation().is_none_or(|of| of == operation);
        self.info.capabilities().is_native(operation) && !self.failures().any(|rule| concerns(&rule))
    }

    /// Whether the provider lists `field`, the coverage of its records is as listed, and a record had a value in it.
    #[must_use]
    pub fn proves_field(&self, field: Field) -> bool {
        self.info.supports_field(field)
            && self.seen.contains(&field)
            && !self.failures().any(|rule| rule.operation().is_none())
    }
}
