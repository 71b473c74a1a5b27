//! What listings are made of: rows with named, typed columns, which are filtered, sorted and shown in one way.

mod account;
mod key;
mod problem;
mod provider;
mod request;
mod revoked;
mod scope;
mod summary;
mod verdict;

use std::borrow::Cow;

use jiff::Timestamp;
use keymux::Fact;
use serde::Serialize;

pub(crate) use account::{AccountRow, Check};
pub(crate) use problem::Problem;
pub(crate) use provider::{ProviderRow, word};
pub(crate) use request::RequestRow;
pub(crate) use revoked::RevokedRow;
pub(crate) use scope::ScopeRow;
pub(crate) use summary::Summary;
pub(crate) use verdict::VerdictRow;

/// One line of a listing. Its JSON is that of [`Typed`].
pub(crate) trait Row: Serialize {
    /// What stands in `type` in JSON.
    const TYPE: &'static str;
    /// Every column, in the order of CSV.
    const COLUMNS: &'static [Column];
    /// What stands before the free names of further columns of text: `metadata.`.
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
}

impl Column {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name: Cow::Borrowed(name), kind, none: "none", words: &[] }
    }

    pub(crate) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// A column of text whose name is not known before.
    pub(crate) fn free(name: String) -> Self {
        Self { name: Cow::Owned(name), kind: Kind::Text, none: "none", words: &[] }
    }

    pub(crate) const fn none(mut self, none: &'static str) -> Self {
        self.none = none;
        self
    }

    pub(crate) const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
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
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Text(String),
    Number(u64),
    Time(Timestamp),
    List(Vec<String>),
}

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
