//! What `--filter` takes: conditions on fields, with `and`, `or` and parentheses.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::filter::{Filter, OPERATORS};
use crate::rows::Row;
use crate::text::shown;

/// One `--filter`.
#[derive(Debug)]
pub(crate) enum Condition {
    One(Filter),
    /// `and`.
    All(Vec<Condition>),
    /// `or`, which binds less than `and`.
    Any(Vec<Condition>),
}

impl Condition {
    /// Reads `FIELD=VALUE`, and several of them with `and` and `or`. A value ends where one of these words is followed by another
    /// condition, so that `name=this or that` is one; a value in quotes ends with them.
    pub(crate) fn parse<R: Row>(given: &str, now: Timestamp) -> Result<Self, String> {
        let mut reader = Reader { given, rest: given, depth: 0, now };
        let condition = reader.any::<R>()?;
        if reader.rest.trim_start().is_empty() { Ok(condition) } else { Err(reader.wrong("has a `)` too many")) }
    }

    /// Whether the row is kept. `None`: that cannot be judged, since the vendor does not say what is asked for; `unsaid` gets the names of
    /// the fields.
    pub(crate) fn judge<R: Row>(&self, row: &R, unsaid: &mut BTreeSet<String>) -> Option<bool> {
        let mut of = |all: &[Self], decides: bool| {
            let mut judged = Some(!decides);
            for one in all {
                match one.judge(row, unsaid) {
                    Some(is) if is == decides => return Some(decides),
                    Some(_) => {}
                    None => judged = None,
                }
            }
            judged
        };
        match self {
            Self::One(filter) => {
                let judged = filter.judge(row);
                if judged.is_none() && !unsaid.contains(filter.column()) {
                    unsaid.insert(filter.column().to_owned());
                }
                judged
            }
            Self::All(all) => of(all, false),
            Self::Any(all) => of(all, true),
        }
    }
}

struct Reader<'a> {
    given: &'a str,
    rest: &'a str,
    /// How many parentheses are open.
    depth: usize,
    now: Timestamp,
}

impl Reader<'_> {
    fn any<R: Row>(&mut self) -> Result<Condition, String> {
        self.joined::<R>("or", Self::all::<R>, Condition::Any)
    }

    fn all<R: Row>(&mut self) -> Result<Condition, String> {
        self.joined::<R>("and", Self::one::<R>, Condition::All)
    }

    fn joined<R: Row>(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Condition, String>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, String> {
        let first = part(self)?;
        let mut all = vec![first];
        while let Some(rest) = after_word(self.rest.trim_start(), word) {
            self.rest = rest;
            all.push(part(self)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { join(all) })
    }

    fn one<R: Row>(&mut self) -> Result<Condition, String> {
        let start = self.rest.trim_start();
        let Some(inner) = start.strip_prefix('(') else {
            let (text, rest) = condition(start, self.depth > 0);
            self.rest = rest;
            return Filter::parse::<R>(&text, self.now).map(Condition::One);
        };
        (self.rest, self.depth) = (inner, self.depth + 1);
        let condition = self.any::<R>()?;
        self.rest = self.rest.trim_start().strip_prefix(')').ok_or_else(|| self.wrong("lacks a `)`"))?;
        self.depth -= 1;
        Ok(condition)
    }

    fn wrong(&self, what: &str) -> String {
        format!("`{}` {what}; put a value that holds parentheses in double quotes", shown(self.given))
    }
}

/// What follows `word`, if the text begins with it and a space or a parenthesis.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(word.len())?;
    (found.eq_ignore_ascii_case(word) && rest.starts_with([' ', '\t', '('])).then_some(rest)
}

/// The condition at the start of `text`, without the quotes of its value, and what is behind it.
fn condition(text: &str, inside: bool) -> (String, &str) {
    let Some((field, value)) = operator(text) else {
        // It is no condition, which its reader says.
        let end = if inside { text.find(')').unwrap_or(text.len()) } else { text.len() };
        return (text[..end].to_owned(), &text[end..]);
    };
    let trimmed = value.trim_start();
    if let Some((quoted, rest)) = trimmed.strip_prefix('"').and_then(|text| text.split_once('"')) {
        return (format!("{field}{quoted}"), rest);
    }
    let mut open = 0_usize;
    for (at, c) in value.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ')' if inside => return (format!("{field}{}", &value[..at]), &value[at..]),
            ' ' | '\t' if open == 0 || !inside => {
                let next = value[at..].trim_start();
                let rest = after_word(next, "or").or_else(|| after_word(next, "and"));
                if rest.is_some_and(begins_condition) {
                    return (format!("{field}{}", &value[..at]), next);
                }
            }
            _ => {}
        }
    }
    (text.to_owned(), "")
}

/// The field with its operator, and what is behind them.
fn operator(text: &str) -> Option<(&str, &str)> {
    let start = text.find(['!', '<', '>', '=', '~'])?;
    let operator = OPERATORS.into_iter().find(|operator| text[start..].starts_with(operator))?;
    Some(text.split_at(start + operator.len()))
}

/// Whether a condition begins here: a field and an operator.
fn begins_condition(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches(['(', ' ']);
    operator(text).is_some_and(|(field, _)| {
        let name = field.trim_end_matches(['!', '<', '>', '=', '~', ' ']);
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use keymux::Fact;
    use serde::Serialize;

    use super::*;
    use crate::rows::{Cell, Column, Kind};

    #[derive(Debug, Serialize)]
    struct Bean(#[serde(skip)] Fact<&'static str>, u64);

    impl Row for Bean {
        const TYPE: &'static str = "bean";
        const COLUMNS: &'static [Column] = &[Column::text("name"), Column::new("uses", Kind::Number)];

        fn cell(&self, column: &str) -> Fact<Cell> {
            match column {
                "name" => self.0.map(|name| Cell::Text(name.to_owned())),
                _ => Fact::Known(Cell::Number(self.1)),
            }
        }
    }

    fn kept(filter: &str, name: &'static str, uses: u64) -> bool {
        Condition::parse::<Bean>(filter, Timestamp::UNIX_EPOCH)
            .unwrap()
            .judge(&Bean(Fact::Known(name), uses), &mut BTreeSet::new())
            == Some(true)
    }

    #[test]
    fn conditions_are_joined_by_and_before_or_and_parentheses_before_both() {
        for (filter, name, uses, keeps) in [
            ("name=a or name=b", "b", 0, true),
            ("name=a or name=b", "c", 0, false),
            ("name=a OR uses>3", "c", 4, true),
            ("name=a and uses>3", "a", 3, false),
            ("name=a or name=b and uses>3", "a", 0, true),
            ("(name=a or name=b) and uses>3", "a", 0, false),
            ("(name=a or name=b) and uses>3", "b", 4, true),
            ("uses>3 and(name=a or(name=b))", "b", 4, true),
            // A value is more than one word where no condition follows.
            ("name=this or that", "this or that", 0, true),
            ("name=this or that or name=b", "this or that", 0, true),
            ("name=this or that or name=b", "b", 0, true),
            ("name=\"a or name=b\"", "a or name=b", 0, true),
            ("name=\"(a\" or uses>3", "(a", 0, true),
            // The parentheses of a pattern are its own.
            ("name~^(a|b)$", "b", 0, true),
            ("(name~^(a|b)$ or uses>3)", "b", 0, true),
            ("(name~^(a|b)$ or uses>3)", "c", 3, false),
            ("name=a)", "a)", 0, true),
            ("name = a=b", "a=b", 0, true),
        ] {
            assert_eq!(kept(filter, name, uses), keeps, "{filter} {name} {uses}");
        }
    }

    #[test]
    fn a_wrong_filter_says_what_is_wrong() {
        for (filter, says) in [
            ("(name=a", "lacks a `)`"),
            ("(name=a))", "`)` too many"),
            ("name=a or nme=b", "`name`"),
            ("name", "FIELD=VALUE"),
            ("", "FIELD=VALUE"),
            ("()", "FIELD=VALUE"),
        ] {
            let error = Condition::parse::<Bean>(filter, Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(error.contains(says), "{filter}: {error}");
        }
    }
}
