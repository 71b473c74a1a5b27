//! Which rows are kept, and in which order: `--filter` and `--sort`.

use std::cmp::Ordering;

use jiff::Timestamp;
use keymux::{Fact, FactState, compare_numbers};
use regex_lite::Regex;

use crate::rows::{Cell, Column, Decimal, Kind, Row};
use crate::text::shown;
use crate::when::{Count, When};

/// The column that `text` means: by its name, without `_at`, or by a free name.
pub(crate) fn column<R: Row>(text: &str) -> Result<Column, String> {
    let name = if text == "status.state" { "status" } else { text };
    let named = |column: &&Column| column.name == name || column.name.strip_suffix("_at") == Some(name);
    if let Some(column) = R::COLUMNS.iter().find(named) {
        return Ok(column.clone());
    }
    if R::FREE.is_some_and(|free| name.len() > free.len() && name.starts_with(free)) {
        return Ok(Column::free(name.to_owned()));
    }
    let known: Vec<&str> = R::COLUMNS.iter().map(|column| &*column.name).collect();
    let likeness = |known: &&&str| strsim::jaro_winkler(known.strip_suffix("_at").unwrap_or(known), name);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    // What is like nothing was not meant to be anything.
    let meant = nearest.filter(|nearest| likeness(nearest) > 0.0);
    let meant = meant.map(|nearest| format!("did you mean `{nearest}`? ")).unwrap_or_default();
    Err(format!("there is no field `{}` here; {meant}There are: {}", shown(name), known.join(", ")))
}

/// One condition of a `--filter`.
#[derive(Debug)]
pub(crate) struct Filter {
    column: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// The state is this one, or is not.
    State(FactState, bool),
    /// The text, or an element of the list, is this one; or none is.
    Equal(String, bool),
    /// The text, or an element of the list, matches; or none does.
    Match(Regex, bool),
    Order(Relation, Cell),
    /// As the one above, and the time is not over at this instant.
    Ahead(Relation, Cell, Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Longer ones first, so that `<=` is not read as `<`.
pub(crate) const OPERATORS: [&str; 8] = ["!=", "!~", "<=", ">=", "=", "~", "<", ">"];

impl Filter {
    /// Reads `FIELD`, an operator and a value. Spans are counted from `now`.
    pub(crate) fn parse<R: Row>(given: &str, now: Timestamp) -> Result<Self, String> {
        let usage = || {
            format!(
                "`{}` is no filter; write FIELD=VALUE, or `!=`, `<`, `<=`, `>`, `>=`, `~`, `!~` for `=`",
                shown(given)
            )
        };
        let start = given.find(['!', '<', '>', '=', '~']).ok_or_else(usage)?;
        let (field, rest) = given.split_at(start);
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).ok_or_else(usage)?;
        let value = rest[operator.len()..].trim();
        let column = column::<R>(field.trim())?;
        let read = Test::read(&column, operator, value, now);
        let test = read.map_err(|reason| format!("`{}`: {reason}", shown(given)))?;
        Ok(Self { column: column.name.into_owned(), test })
    }

    /// Whether the row is kept. `None`: that cannot be judged, since the vendor does not say what is asked for.
    pub(crate) fn judge<R: Row>(&self, row: &R) -> Option<bool> {
        self.test.holds(&row.cell(&self.column))
    }

    /// The field that is looked at.
    pub(crate) fn column(&self) -> &str {
        &self.column
    }
}

impl Test {
    fn read(column: &Column, operator: &str, value: &str, now: Timestamp) -> Result<Self, String> {
        let name = &column.name;
        if matches!(operator, "=" | "!=") {
            let state = match value {
                "none" => Some(FactState::Empty),
                "known" => Some(FactState::Known),
                "missing" => Some(FactState::Missing),
                "unsupported" => Some(FactState::Unsupported),
                // What a table shows in its place.
                shown if shown == column.none => Some(FactState::Empty),
                _ => None,
            };
            if let Some(state) = state {
                return Ok(Self::State(state, operator == "="));
            }
        }
        let relation = match operator {
            "=" => Some(Relation::Equal),
            "!=" => Some(Relation::NotEqual),
            "<" => Some(Relation::Less),
            "<=" => Some(Relation::AtMost),
            ">" => Some(Relation::Greater),
            ">=" => Some(Relation::AtLeast),
            _ => None,
        };
        match (column.kind, relation) {
            (Kind::Text | Kind::List | Kind::Any, None) => {
                let pattern =
                    Regex::new(value).map_err(|error| format!("`{}` is no pattern: {error}", shown(value)))?;
                Ok(Self::Match(pattern, operator == "~"))
            }
            (Kind::Text | Kind::List | Kind::Any, Some(Relation::Equal | Relation::NotEqual)) => {
                let word = column.words.iter().find(|word| word.eq_ignore_ascii_case(value));
                if !column.words.is_empty() && word.is_none() {
                    return Err(format!("no `{name}` is `{}`; there are: {}", shown(value), column.words.join(", ")));
                }
                Ok(Self::Equal((*word.unwrap_or(&value)).to_owned(), operator == "="))
            }
            (Kind::Text | Kind::List, Some(_)) => Err(format!("`{name}` is text; compare with `=`, `!=`, `~` or `!~`")),
            (Kind::Any, Some(relation)) => match compare_numbers(value, "0") {
                Some(_) => Ok(Self::Order(relation, Cell::Decimal(Decimal(value.to_owned())))),
                None => Err(format!(
                    "`{}` is no number; `{name}` is compared with numbers alone by `<`, `<=`, `>` and `>=`",
                    shown(value)
                )),
            },
            (Kind::Number, Some(relation)) => {
                let number = value.parse().map_err(|_| format!("`{}` is no whole number", shown(value)))?;
                Ok(Self::Order(relation, Cell::Number(number)))
            }
            (Kind::Number, None) => {
                Err(format!("`{name}` is a number; compare with `=`, `!=`, `<`, `<=`, `>` or `>=`"))
            }
            (Kind::Past | Kind::Future, Some(Relation::Equal | Relation::NotEqual) | None) => Err(format!(
                "`{name}` is a time; compare with `<`, `<=`, `>` or `>=`, or with `=none`, `=missing`, `=unsupported`, `=known`"
            )),
            (kind @ (Kind::Past | Kind::Future), Some(relation)) => {
                let when = When::parse(value)?;
                // The longer ago, the earlier.
                let (relation, count) = match (kind, when) {
                    (Kind::Past, When::Span(_)) => (relation.reversed(), Count::Back),
                    _ => (relation, Count::Ahead),
                };
                // A day is before what follows on its last instant, and behind what precedes its first.
                let (first, last) = when.bounds(now, count)?;
                let at =
                    Cell::Time(if matches!(relation, Relation::AtMost | Relation::Greater) { last } else { first });
                let ends_soon = matches!(relation, Relation::Less | Relation::AtMost);
                Ok(match (kind, when) {
                    // "Ends within 30 days from now" is not said of what has ended.
                    (Kind::Future, When::Span(span)) if ends_soon && span.is_positive() => {
                        Self::Ahead(relation, at, now)
                    }
                    _ => Self::Order(relation, at),
                })
            }
        }
    }

    /// `None`: the vendor does not say what is asked for. "None" is an answer, and no value.
    fn holds(&self, fact: &Fact<Cell>) -> Option<bool> {
        if let Self::State(state, is) = self {
            return Some((fact.state() == *state) == *is);
        }
        let cell = match fact {
            Fact::Known(cell) => cell,
            Fact::Empty => return Some(false),
            Fact::Missing | Fact::Unsupported => return None,
        };
        let any = |test: &dyn Fn(&str) -> bool| match cell {
            Cell::Text(text) | Cell::Decimal(Decimal(text)) => Some(test(text)),
            Cell::List(all) => Some(all.iter().any(|one| test(one))),
            Cell::Number(_) | Cell::Time(_) => None,
        };
        Some(match self {
            Self::State(..) => false,
            Self::Equal(value, is) => match cell {
                Cell::Decimal(Decimal(digits)) => compare_numbers(digits, value).is_some_and(Ordering::is_eq) == *is,
                _ => any(&|text| text == value) == Some(*is),
            },
            Self::Match(pattern, is) => any(&|text| pattern.is_match(text)) == Some(*is),
            // Text beside a number has no order.
            Self::Order(relation, value) => {
                std::mem::discriminant(cell) == std::mem::discriminant(value) && relation.holds(cell.cmp(value))
            }
            Self::Ahead(relation, value, now) => *cell > Cell::Time(*now) && relation.holds(cell.cmp(value)),
        })
    }
}

impl Relation {
    fn reversed(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::Equal | Self::NotEqual => self,
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// One field of `--sort`.
#[derive(Debug, Clone)]
pub(crate) struct Sort {
    column: String,
    reverse: bool,
}

impl Sort {
    /// By the column that names a row.
    pub(crate) fn first<R: Row>() -> Self {
        Self { column: R::COLUMNS[0].name.to_string(), reverse: false }
    }

    pub(crate) fn parse<R: Row>(text: &str) -> Result<Self, String> {
        let (reverse, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        Ok(Self { column: column::<R>(name)?.name.into_owned(), reverse })
    }

    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    /// Whether the greatest comes first.
    pub(crate) fn is_reverse(&self) -> bool {
        self.reverse
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, Clone, Serialize)]
    struct Bean {
        name: &'static str,
        #[serde(skip)]
        cells: Vec<(String, Fact<Cell>)>,
    }

    impl Row for Bean {
        const TYPE: &'static str = "bean";
        const COLUMNS: &'static [Column] = &[
            Column::text("name"),
            Column::text("status").words(&["active", "revoked"]),
            Column::new("expires_at", Kind::Future).none("never"),
            Column::new("last_used_at", Kind::Past),
            Column::new("uses", Kind::Number),
            Column::new("permissions", Kind::List),
        ];
        const FREE: Option<&'static str> = Some("metadata.");

        fn cell(&self, column: &str) -> Fact<Cell> {
            let found = self.cells.iter().find(|(name, _)| *name == column);
            found.map_or(Fact::Missing, |(_, fact)| fact.clone())
        }
    }

    fn now() -> Timestamp {
        at("2026-01-31T12:00:00Z")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bean(cells: impl IntoIterator<Item = (String, Fact<Cell>)>) -> Bean {
        Bean { name: "", cells: cells.into_iter().collect() }
    }

    /// Whether a row is kept of which this field has this cell.
    fn kept(filter: &str, cell: &Fact<Cell>) -> bool {
        let filter = Filter::parse::<Bean>(filter, now()).unwrap();
        filter.judge(&bean([(filter.column.clone(), cell.clone())])) == Some(true)
    }

    #[test]
    fn a_filter_keeps_what_it_says() {
        let text = |text: &str| Cell::text(text);
        let time = |text: &str| Fact::Known(Cell::Time(at(text)));
        let number = |digits: &str| Fact::Known(Cell::Decimal(Decimal(digits.to_owned())));
        let list = |all: &[&str]| Fact::Known(Cell::List(all.iter().map(ToString::to_string).collect()));
        let table: &[(&str, Fact<Cell>, bool)] = &[
            ("name=ci", text("ci"), true),
            ("name=ci", text("ci-2"), false),
            ("name!=ci", text("ci-2"), true),
            ("name~^ci", text("ci-2"), true),
            ("name!~^ci", text("ci-2"), false),
            ("name = a=b", text("a=b"), true),
            ("uses>=3", Fact::Known(Cell::Number(3)), true),
            ("uses>3", Fact::Known(Cell::Number(3)), false),
            ("uses!=3", Fact::Known(Cell::Number(4)), true),
            ("expires<30d", time("2026-02-12T12:00:00Z"), true),
            ("expires<30d", time("2026-05-12T12:00:00Z"), false),
            // Ends within 30 days from now, which is not said of what has ended.
            ("expires<30d", time("2025-01-01T00:00:00Z"), false),
            ("expires<=30d", time("2026-01-31T12:00:00Z"), false),
            ("expires<=30d", time("2026-03-02T12:00:00Z"), true),
            ("expires<30d", time("2026-03-02T12:00:00Z"), false),
            ("expires>30d", time("2025-01-01T00:00:00Z"), false),
            ("expires<now", time("2025-01-01T00:00:00Z"), true),
            ("expires<now", time("2026-02-12T12:00:00Z"), false),
            ("expires>now", time("2026-02-12T12:00:00Z"), true),
            ("expires<-30d", time("2025-01-01T00:00:00Z"), true),
            ("expires<-30d", time("2026-01-30T00:00:00Z"), false),
            ("expires<2026-02-12", time("2025-01-01T00:00:00Z"), true),
            // A day is the whole of it.
            ("expires_at>=2026-02-12", time("2026-02-12T00:00:00Z"), true),
            ("expires_at<2026-02-12", time("2026-02-12T00:00:00Z"), false),
            ("expires_at<=2026-02-12", time("2026-02-12T23:59:59Z"), true),
            ("expires_at>2026-02-12", time("2026-02-12T23:59:59Z"), false),
            ("expires_at>2026-02-12", time("2026-02-13T00:00:00Z"), true),
            // A time without a zone is one in UTC.
            ("expires<2026-02-12T12:00", time("2026-02-12T06:30:00Z"), true),
            ("expires<2026-02-12T12:00Z", time("2026-02-12T06:30:00Z"), true),
            ("expires>20260212T060000", time("2026-02-12T06:30:00Z"), true),
            ("last_used<=2026-01-01", time("2026-01-01T08:00:00Z"), true),
            ("last_used>90d", time("2025-01-31T12:00:00Z"), true),
            ("last_used>90d", time("2026-01-30T12:00:00Z"), false),
            ("last_used<90d", time("2026-01-30T12:00:00Z"), true),
            ("last_used<2026-01-01", time("2025-01-31T12:00:00Z"), true),
            ("permissions=read", list(&["write", "read"]), true),
            ("permissions!=read", list(&["write", "read"]), false),
            ("permissions~^wr", list(&["write", "read"]), true),
            ("metadata.team=core", text("core"), true),
            ("metadata.n>5", number("18446744073709551616"), true),
            ("metadata.n>5", number("5.000000000000000000001"), true),
            ("metadata.n>5", number("5.0"), false),
            ("metadata.n>=5", number("5.0"), true),
            ("metadata.n<-1e400", number("-2e400"), true),
            ("metadata.n=5", number("5.0"), true),
            ("metadata.n!=5", number("5.0"), false),
            ("metadata.n=18446744073709551617", number("18446744073709551616"), false),
            ("metadata.n!=pro", number("5"), true),
            ("metadata.n~^12", number("123456789012345678901234"), true),
            ("metadata.n>5", text("7"), false),
            ("metadata.n<5", text("7"), false),
            ("metadata.n=7", text("7"), true),
            ("status=ACTIVE", text("active"), true),
            ("status!=Active", text("active"), false),
            ("name=CI", text("ci"), false),
            ("expires=never", Fact::Empty, true),
            ("expires=never", Fact::Missing, false),
            ("expires!=never", Fact::Empty, false),
        ];
        for (filter, cell, keeps) in table {
            assert_eq!(kept(filter, cell), *keeps, "{filter} {cell:?}");
        }
    }

    #[test]
    fn what_a_vendor_cannot_say_matches_no_value_and_is_asked_for_by_its_state() {
        for state in [Fact::Empty, Fact::Missing, Fact::Unsupported] {
            for filter in ["expires<30d", "expires>30d", "name=ci", "name!=ci", "name!~ci", "uses!=3", "uses<3"] {
                assert!(!kept(filter, &state), "{filter} {state:?}");
            }
        }
        let judged = |filter: &str, cell: Fact<Cell>| {
            let filter = Filter::parse::<Bean>(filter, now()).unwrap();
            filter.judge(&bean([(filter.column.clone(), cell)]))
        };
        for filter in ["expires<30d", "name=ci", "name!~ci", "uses!=3"] {
            assert_eq!(judged(filter, Fact::Empty), Some(false), "{filter}: none is an answer");
            for state in [Fact::Missing, Fact::Unsupported] {
                assert_eq!(judged(filter, state.clone()), None, "{filter} {state:?} cannot be judged");
            }
        }
        for (filter, state) in [
            ("expires=none", Fact::Empty),
            ("expires=missing", Fact::Missing),
            ("expires=unsupported", Fact::Unsupported),
        ] {
            assert!(kept(filter, &state));
            assert!(!kept(filter, &Cell::text("x")));
            assert!(kept("expires!=known", &state));
        }
    }

    #[test]
    fn a_wrong_filter_says_how_a_right_one_looks() {
        for (filter, says) in [
            ("expires", "FIELD=VALUE"),
            ("expires!30d", "FIELD=VALUE"),
            ("expire<30d", "`expires_at`"),
            ("expires<soon", "30d"),
            ("expires<6m", "6min or 6mo"),
            ("last_used>6m", "6min or 6mo"),
            ("expires=2026-01-01", "`<`"),
            ("name<x", "is text"),
            ("status=actve", "there are: active, revoked"),
            ("status!=Activ", "there are: active, revoked"),
            ("name~(", "pattern"),
            ("uses<x", "whole number"),
            ("uses~1", "is a number"),
            ("metadata.=x", "no field"),
            ("metadata.n>pro", "no number"),
        ] {
            let error = Filter::parse::<Bean>(filter, now()).unwrap_err();
            assert!(error.contains(says), "{filter}: {error}");
        }
    }
}
