//! How an answer is laid out, and what is made of it.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use serde_json::Value;

use super::answer::Answer;
use super::decode::Apart;
use crate::drift::Drift;
use crate::error::Error;

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

/// The rows of a page that are decoded when they are asked for, in their order.
///
/// It holds the body, and no row: a row has several times its size once it is decoded. A row that cannot be read is an
/// error, and the rows after it are read all the same.
#[must_use = "nothing is decoded before it is asked for"]
pub struct LaterRows<R> {
    pub(super) answer: Answer,
    pub(super) apart: Option<Apart>,
    pub(super) shape: Shape,
    pub(super) member: &'static str,
    pub(super) model: PhantomData<fn() -> R>,
}

impl<R> LaterRows<R> {
    /// The errors of rows of the page that cannot be read, for [`Page::with_unreadable`](crate::Page::with_unreadable).
    #[must_use]
    pub fn unread_rows(&self, unread: &[UnreadRow]) -> Vec<Error> {
        self.answer.unread_rows(self.member, unread)
    }
}

impl<R: DeserializeOwned> Iterator for LaterRows<R> {
    type Item = Result<Decoded<R>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, row) = self.apart.as_mut()?.next(self.answer.body())?;
        let decoded = self.answer.decode_row(row, &self.shape);
        Some(decoded.map_err(|reason| {
            let member = self.member;
            self.answer.undecodable(&format!("row {place} of `{member}` cannot be read: {reason}"))
        }))
    }
}

impl<R> fmt::Debug for LaterRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaterRows").field("answer", &self.answer).finish_non_exhaustive()
    }
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
