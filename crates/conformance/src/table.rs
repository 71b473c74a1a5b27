//! The tables of a report, in Markdown.

use std::fmt::Write as _;

use keymux_core::{Basis, Field, Operation, Parameter, ParameterSupport, Support};

use crate::report::{ProviderReport, Report};
use crate::rule::{Outcome, Rule};

impl Report {
    /// Provider x operation: the grade of its source where the provider kept the rules, `facade` where only the facade
    /// has it, `no` where nobody has, and `FAILED` where a rule was broken.
    #[must_use]
    pub fn operations_table(&self) -> String {
        self.table("operation", Operation::ALL.iter().map(|operation| (operation.as_str(), *operation)), operation_cell)
    }

    /// Provider x field, with the grade of its source where records had a value in it; and how the status is known.
    #[must_use]
    pub fn fields_table(&self) -> String {
        let mut table = self.table("field", Field::ALL.iter().map(|field| (field.as_str(), *field)), field_cell);
        table.push_str(&self.row("status", status_cell));
        table
    }

    /// Provider x parameter of each operation that takes some: `required`, `optional`, or `set only`, which cannot be
    /// cleared.
    #[must_use]
    pub fn parameters_table(&self) -> String {
        let takes = |operation: Operation, parameter| {
            let taken = self.providers.iter().any(|of| of.info.capabilities().takes(operation, parameter).is_some());
            taken.then(|| (format!("{operation}`, `{parameter}"), (operation, parameter)))
        };
        let rows: Vec<_> = Operation::ALL
            .iter()
            .flat_map(|operation| Parameter::ALL.iter().filter_map(move |parameter| takes(*operation, *parameter)))
            .collect();
        let rows = rows.iter().map(|(name, row)| (name.as_str(), *row));
        self.table("operation, parameter", rows, parameter_cell)
    }

    /// Rule x provider: `passed`, `FAILED`, or `-` where the rule was not tried; with each rule's sentence.
    #[must_use]
    pub fn rules_table(&self) -> String {
        let mut table = format!("| rule | {} | what it says |\n", self.names());
        table.push_str(&self.ruler(1));
        for rule in Rule::ALL {
            let cells: Vec<&str> = self.providers.iter().map(|provider| rule_cell(provider, rule)).collect();
            // Writing to text does not fail, here and below.
            let _ = writeln!(table, "| `{}` | {} | {} |", rule.name(), cells.join(" | "), rule.sentence());
        }
        table
    }

    fn names(&self) -> String {
        self.providers.iter().map(|provider| provider.info.name()).collect::<Vec<_>>().join(" | ")
    }

    fn ruler(&self, more: usize) -> String {
        format!("|{}\n", "---|".repeat(1 + self.providers.len() + more))
    }

    fn table<'a, R: Copy>(
        &self,
        head: &str,
        rows: impl Iterator<Item = (&'a str, R)>,
        cell: fn(&ProviderReport, R) -> String,
    ) -> String {
        let mut table = format!("| {head} | {} |\n{}", self.names(), self.ruler(0));
        for (name, row) in rows {
            table.push_str(&self.row(name, |provider| cell(provider, row)));
        }
        table
    }

    fn row(&self, name: &str, cell: impl Fn(&ProviderReport) -> String) -> String {
        let cells: Vec<String> = self.providers.iter().map(cell).collect();
        format!("| `{name}` | {} |\n", cells.join(" | "))
    }
}

fn operation_cell(provider: &ProviderReport, operation: Operation) -> String {
    match (provider.info.capabilities().support(operation), provider.info.capabilities().grade(operation)) {
        (_, Some(_)) if !provider.proves(operation) => "FAILED".to_owned(),
        (_, Some(grade)) => grade.to_string(),
        (Support::Emulated { .. }, None) => "facade".to_owned(),
        (_, None) => "no".to_owned(),
    }
}

fn field_cell(provider: &ProviderReport, field: Field) -> String {
    match provider.info.grade(field) {
        Some(grade) if provider.proves_field(field) => grade.to_string(),
        Some(_) if !provider.seen.contains(&field) => "NOT SEEN".to_owned(),
        Some(_) => "FAILED".to_owned(),
        None => "no".to_owned(),
    }
}

fn status_cell(provider: &ProviderReport) -> String {
    match provider.status {
        Some(Basis::Stated { .. }) => "stated",
        Some(Basis::Derived { .. }) => "derived",
        _ => "unknown",
    }
    .to_owned()
}

fn parameter_cell(provider: &ProviderReport, (operation, parameter): (Operation, Parameter)) -> String {
    match provider.info.capabilities().takes(operation, parameter) {
        Some(ParameterSupport::Required) => "required",
        Some(ParameterSupport::Optional) => "optional",
        Some(ParameterSupport::SetOnly) => "set only",
        Some(_) => "yes",
        None => "no",
    }
    .to_owned()
}

fn rule_cell(provider: &ProviderReport, rule: &Rule) -> &'static str {
    match provider.outcome(rule) {
        Some(Outcome::Passed) => "passed",
        Some(Outcome::Failed { .. }) => "FAILED",
        _ => "-",
    }
}
