//! Keys counted by what they have in a field: what `--group-by` gives.

use std::cmp::Ordering;

use keymux::{Fact, FactState};
use serde::Serialize;

use super::{Cell, Column, Kind, Row};

#[derive(Debug, Serialize)]
pub(crate) struct GroupRow {
    field: String,
    /// `null`: there is none, and `state` says why.
    value: Option<String>,
    state: FactState,
    count: u64,
    /// The value as it was, with its type.
    #[serde(skip)]
    cell: Fact<Cell>,
}

impl Row for GroupRow {
    const TYPE: &'static str = "group";
    const COLUMNS: &'static [Column] = &[Column::text("value"), Column::new("count", Kind::Number)];

    /// The column of the value has the name of the field.
    fn cell(&self, column: &str) -> Fact<Cell> {
        if column == "count" { Fact::Known(Cell::Number(self.count)) } else { self.cell.clone() }
    }
}

/// The counts of the groups so far.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<(Fact<Cell>, u64)>);

impl Groups {
    /// Counts a row; of a list, once for each element.
    pub(crate) fn count(&mut self, fact: Fact<Cell>) {
        match fact {
            Fact::Known(Cell::List(all)) if all.is_empty() => self.add(Fact::Empty),
            Fact::Known(Cell::List(mut all)) => {
                all.sort_unstable();
                all.dedup();
                for one in all {
                    self.add(Cell::text(one));
                }
            }
            fact => self.add(fact),
        }
    }

    fn add(&mut self, fact: Fact<Cell>) {
        match self.0.binary_search_by(|(known, _)| order(known, &fact)) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => self.0.insert(at, (fact, 1)),
        }
    }

    /// A row for each group: the largest first, what is not known last.
    pub(crate) fn rows(self, field: &str, text: fn(Fact<Cell>) -> String) -> Vec<GroupRow> {
        let mut groups = self.0;
        groups.sort_by_key(|(fact, count)| (rank(fact), std::cmp::Reverse(*count)));
        let row = |(cell, count): (Fact<Cell>, u64)| GroupRow {
            field: field.to_owned(),
            value: cell.known().is_some().then(|| text(cell.clone())),
            state: cell.state(),
            count,
            cell,
        };
        groups.into_iter().map(row).collect()
    }
}

fn rank(fact: &Fact<Cell>) -> u8 {
    match fact.state() {
        FactState::Known => 0,
        FactState::Empty => 1,
        FactState::Missing => 2,
        FactState::Unsupported => 3,
    }
}

fn order(one: &Fact<Cell>, other: &Fact<Cell>) -> Ordering {
    rank(one).cmp(&rank(other)).then_with(|| one.known().cmp(&other.known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_the_largest_first_and_the_unknown_last() {
        let mut groups = Groups::default();
        let list = |all: &[&str]| Fact::Known(Cell::List(all.iter().map(ToString::to_string).collect()));
        for fact in [
            Fact::Unsupported,
            Cell::text("b"),
            Cell::text("a"),
            Fact::Missing,
            list(&["b", "c", "b"]),
            list(&[]),
            Fact::Unsupported,
        ] {
            groups.count(fact);
        }
        let rows = groups.rows("f", |cell| match cell {
            Fact::Known(Cell::Text(text)) => text,
            _ => String::new(),
        });
        let rows: Vec<_> = rows.iter().map(|row| (row.value.as_deref(), row.state.as_str(), row.count)).collect();
        assert_eq!(
            rows,
            [
                (Some("b"), "known", 2),
                (Some("a"), "known", 1),
                (Some("c"), "known", 1),
                (None, "empty", 1),
                (None, "missing", 1),
                (None, "unsupported", 2)
            ]
        );
    }
}
