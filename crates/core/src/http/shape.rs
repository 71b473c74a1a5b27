//! How an answer is laid out, and what is made of it.

use std::collections::HashSet;

use serde_json::Value;

use crate::drift::Drift;

/// Whether a vendor puts the key object into a member of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Envelope {
    /// The body is the object.
    Bare,
    /// The documents put the object into this member; a bare object is read too, and noted.
    Wrapped(&'static str),
    /// The documents show both: in this member if it is an object, else bare.
    Either(&'static str),
}

/// How a vendor's key object is laid out in the body of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Where the object is.
    pub envelope: Envelope,
    /// The members that hold secrets, wherever they stand: the raw JSON does not show them.
    pub secrets: &'static [&'static str],
}

/// A decoded answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decoded<T> {
    /// The model.
    pub value: T,
    /// What was odd about the answer.
    pub drift: Vec<Drift>,
    /// The scrubbed JSON of the object, if the options ask for it.
    pub raw: Option<Value>,
}

/// A decoded page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rows<R, T> {
    /// The rows that could be read, in their order, each with its own notes.
    pub rows: Vec<Decoded<R>>,
    /// Those that could not.
    pub unread: Vec<UnreadRow>,
    /// The body's other members.
    pub rest: T,
    /// What was odd about the page itself.
    pub drift: Vec<Drift>,
}

/// A row of a page that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadRow {
    /// Which row of the page it is, counted from 0.
    pub place: usize,
    /// Why it cannot be read. It holds no value.
    pub reason: String,
}

impl<R, T> Rows<R, T> {
    /// Where the rows that could be read stand on the page, counted from 0.
    pub fn places(&self) -> impl Iterator<Item = usize> + use<R, T> {
        let unread: HashSet<usize> = self.unread.iter().map(|row| row.place).collect();
        (0..).filter(move |place| !unread.contains(place))
    }

    /// The page with the rows for which `why` has a reason among those that could not be read.
    #[must_use]
    pub fn without(mut self, mut why: impl FnMut(&Decoded<R>) -> Option<String>) -> Self {
        let places = self.places();
        let rows = std::mem::take(&mut self.rows);
        for (place, row) in places.zip(rows) {
            match why(&row) {
                Some(reason) => self.unread.push(UnreadRow { place, reason }),
                None => self.rows.push(row),
            }
        }
        self.unread.sort_by_key(|row| row.place);
        self
    }
}
