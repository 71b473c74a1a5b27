//! Lists as data: scopes, pages, and where a list stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{Id, IdKind, KeyAddress};
use crate::capability::Parameter;
use crate::drift::Drift;
use crate::error::{Error, ErrorKind};
use crate::info::ProviderInfo;
use crate::record::KeyRecord;

/// Where keys live inside an account: a group, a workspace, an API; or the account itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope {
    path: Option<KeyAddress>,
}

impl Scope {
    /// The account itself, at vendors whose keys live nowhere else.
    #[must_use]
    pub fn account() -> Self {
        Self::default()
    }

    /// The scope of these segments, given as they are (not percent-encoded).
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        Ok(Self { path: Some(KeyAddress::new(segments)?) })
    }

    /// Whether it is the account itself.
    #[must_use]
    pub fn is_account(&self) -> bool {
        self.path.is_none()
    }

    /// The segments as they are; none for the account itself.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.iter().flat_map(KeyAddress::segments)
    }

    /// The id of a scope of one part. An error names the vendor of `info` and what it wants.
    pub fn one<K: IdKind>(&self, info: &ProviderInfo) -> Result<Id<K>, Error> {
        match &self.path {
            Some(path) => path.one(info.id()),
            None => Err(Error::new(ErrorKind::InvalidRequest)
                .with_provider(info.id().clone())
                .with_message(format!("{} needs a scope: its {}", info.name(), K::NAME))
                .with_parameter(Parameter::Scope)),
        }
    }

    /// Refuses a scope at a vendor that has none.
    pub fn none(&self, info: &ProviderInfo) -> Result<(), Error> {
        if self.is_account() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported)
            .with_provider(info.id().clone())
            .with_message(format!("{} takes no scope here; leave it out", info.name()))
            .with_parameter(Parameter::Scope))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => path.fmt(f),
            None => f.write_str("account"),
        }
    }
}

/// A scope that a vendor lists, with the name that people gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// The scope.
    pub scope: Scope,
    /// Its name, if the vendor tells one.
    pub name: Option<String>,
}

impl ScopeInfo {
    /// A scope and its name.
    #[must_use]
    pub fn new(scope: Scope, name: Option<String>) -> Self {
        Self { scope, name }
    }
}

/// The longest cursor that is sent, in bytes; no query parameter is longer. Servers refuse longer URLs in ways that do not name the reason.
pub const MAX_CURSOR_BYTES: usize = 4096;

/// Where a list goes on: the vendor's own text, opaque. It can be stored, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor from a vendor's answer, or from where it was stored.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on this page. It may be empty though there is more.
    pub items: Vec<T>,
    /// Where the list goes on; `None`: this was the last page.
    pub next: Option<Cursor>,
    /// What was odd about the page itself, beside what is noted on its items.
    pub drift: Vec<Drift>,
    /// Rows of this page that cannot be read, one error each, which names the row's place. They are not among the items:
    /// a list with such rows is not whole.
    pub unreadable: Vec<Error>,
    /// Why the list ends with this page though the vendor says that there is more, or contradicts itself. Such a list is
    /// not whole. Looked at where [`next`](Self::next) is `None`.
    pub cut_short: Option<Error>,
}

impl<T> Page<T> {
    /// A page all of whose rows were read.
    #[must_use]
    pub fn new(items: Vec<T>, next: Option<Cursor>, drift: Vec<Drift>) -> Self {
        Self { items, next, drift, unreadable: Vec::new(), cut_short: None }
    }

    /// With rows that cannot be read: [`Answer::unread_rows`](crate::Answer::unread_rows) makes the errors.
    #[must_use]
    pub fn with_unreadable(mut self, rows: Vec<Error>) -> Self {
        self.unreadable.extend(rows);
        self
    }

    /// With the reason why the list cannot go on though there is more.
    #[must_use]
    pub fn with_cut_short(self, reason: Option<Error>) -> Self {
        Self { cut_short: reason, ..self }
    }

    /// The page with other items.
    #[must_use]
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Page<U> {
        self.try_map(|item| Ok(change(item)))
    }

    /// The page with other items. What makes an error of an item makes it a row that cannot be read.
    #[must_use]
    pub fn try_map<U>(self, change: impl FnMut(T) -> Result<U, Error>) -> Page<U> {
        let (mut items, mut unreadable) = (Vec::with_capacity(self.items.len()), self.unreadable);
        for item in self.items.into_iter().map(change) {
            match item {
                Ok(item) => items.push(item),
                Err(error) => unreadable.push(error),
            }
        }
        Page { items, next: self.next, drift: self.drift, unreadable, cut_short: self.cut_short }
    }
}

/// The keys of a page that may be made when they are asked for, so that a page of tens of thousands takes no more memory
/// than its text.
#[non_exhaustive]
pub struct KeyRows {
    /// The page, with the keys that are made. They go before [`later`](Self::later).
    pub page: Page<KeyRecord>,
    /// The keys that are not made. An error is a row that cannot be read.
    pub later: Box<dyn Iterator<Item = Result<KeyRecord, Error>> + Send>,
}

impl KeyRows {
    /// A page whose other keys are made later. It has to be the only page of its list: where a list goes on is judged by
    /// the keys of whole pages.
    #[must_use]
    pub fn new(page: Page<KeyRecord>, later: impl Iterator<Item = Result<KeyRecord, Error>> + Send + 'static) -> Self {
        Self { page, later: Box::new(later) }
    }

    /// The same keys, with `page` and `row` applied to those that are made and to those that are not.
    #[must_use]
    pub fn map(
        self,
        mut page: impl FnMut(Page<KeyRecord>) -> Page<KeyRecord>,
        row: impl FnMut(Result<KeyRecord, Error>) -> Result<KeyRecord, Error> + Send + 'static,
    ) -> Self {
        Self { page: page(self.page), later: Box::new(self.later.map(row)) }
    }
}

/// A page all of whose keys are made.
impl From<Page<KeyRecord>> for KeyRows {
    fn from(page: Page<KeyRecord>) -> Self {
        Self { page, later: Box::new(std::iter::empty()) }
    }
}

impl fmt::Debug for KeyRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRows").field("page", &self.page).finish_non_exhaustive()
    }
}

/// Where a list stands, to the key: what [`KeyStream::position`](crate::KeyStream::position) tells and
/// [`KeyStream::new`](crate::KeyStream::new) takes. It can be stored, and holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// The page in hand; `None`: the first.
    pub(crate) cursor: Option<Cursor>,
    /// How many of its keys were passed, and which they were.
    pub(crate) passed: usize,
    pub(crate) passed_hash: u64,
}

/// The beginning of the page at this cursor.
impl From<Cursor> for ListPosition {
    fn from(cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), ..Self::default() }
    }
}
