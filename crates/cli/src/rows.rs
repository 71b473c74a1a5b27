//! What listings are made of: rows with named, typed columns, which are filtered, sorted and shown in one way.

mod account;
mod group;
mod key;
mod made;
mod orphan;
mod problem;
mod provider;
mod request;
mod revoked;
mod rotation;
mod scope;
mod summary;
mod updated;
mod verdict;

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use keymux::{Fact, compare_numbers};
use serde::Serialize;

pub(crate) use account::{AccountRow, Check};
pub(crate) use group::{GroupRow, Groups};
pub(crate) use key::SHOWN;
pub(crate) use made::MadeRow;
pub(crate) use orphan::OrphanRow;
pub(crate) use problem::Problem;
pub(crate) use provider::{ProviderRow, word};
pub(crate) use request::RequestRow;
pub(crate) use revoked::RevokedRow;
pub(crate) use rotation::RotationRow;
pub(crate) use scope::ScopeRow;
pub(crate) use summary::Summary;
pub(crate) use updated::UpdatedRow;
pub(crate) use verdict::VerdictRow;

/// One line of a listing. Its JSON is that of [`Typed`].
pub(crate) trait Row: Serialize {
    /// What stands in `type` in JSON.
    const TYPE: &'static str;
    /// Every column, in the order of CSV.
    const COLUMNS: &'static [Column];
    /// What stands before the free names of further columns: `metadata.`.
    const FREE: Option<&'static str> = None;

    /// What stands in a column of [`COLUMNS`](Row::COLUMNS), or in a free one.
    fn cell(&self, column: &str) -> Fact<Cell>;

    /// Whether something was sent for a column without a value, and could not be read or stands for none.
    fn is_odd(&self, _column: &str) -> bool {
        false
    }
}

/// A column by its name in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// What a table shows where there is none: `never`.
    pub(crate) none: &'static str,
    /// The only words that stand in it, or nothing where any text may.
    pub(crate) words: &'static [&'static str],
    /// What of it a table keeps where there is too little room.
    pub(crate) cut: Cut,
    /// Whether a table does without it where there is too little room.
    pub(crate) spare: bool,
}

impl Column {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        // A number without its end is another number.
        let cut = match kind {
            Kind::Text | Kind::List | Kind::Any => Cut::End,
            Kind::Number | Kind::Past | Kind::Future => Cut::Never,
        };
        Self { name: Cow::Borrowed(name), kind, none: "none", words: &[], cut, spare: false }
    }

    pub(crate) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// A column whose name is not known before, nor what is in it.
    pub(crate) fn free(name: String) -> Self {
        Self { name: Cow::Owned(name), ..Self::new("", Kind::Any) }
    }

    pub(crate) const fn none(mut self, none: &'static str) -> Self {
        self.none = none;
        self
    }

    pub(crate) const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self.cut(Cut::Never)
    }

    pub(crate) const fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    pub(crate) const fn spare(mut self) -> Self {
        self.spare = true;
        self
    }

    /// As it is given to `--columns`: `expires` of `expires_at`.
    pub(crate) fn short_name(&self) -> &str {
        self.name.strip_suffix("_at").unwrap_or(&self.name)
    }
}

/// What of a text is kept where it has to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing is cut from it.
    Never,
    /// The beginning is kept.
    End,
    /// The beginning and the end are kept: what begins alike is told apart by its end.
    Middle,
}

/// Of what type the known cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// A time that is mostly behind: a span before it is told from is one that has gone by.
    Past,
    /// A time that is mostly ahead: a span is one that is left.
    Future,
    List,
    /// Each cell is text or a number.
    Any,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// Before text, so that in a column of both the numbers come first.
    Decimal(Decimal),
    Text(String),
    Number(u64),
    Time(Timestamp),
    List(Vec<String>),
}

/// A JSON number as it was sent, compared by its value.
#[derive(Debug, Clone)]
pub(crate) struct Decimal(pub(crate) String);

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_numbers(&self.0, &other.0).unwrap_or_else(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Fact<Self> {
        Fact::Known(Self::Text(text.into()))
    }
}

/// A row as JSON: with its `type` first.
#[derive(Debug, Serialize)]
pub(crate) struct Typed<T> {
    r#type: &'static str,
    #[serde(flatten)]
    value: T,
}

impl<T> Typed<T> {
    pub(crate) fn new(r#type: &'static str, value: T) -> Self {
        Self { r#type, value }
    }
}
