//! The answer of a success: what a vendor's crate decodes, and the errors about what cannot be decoded.

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::decode;
use super::pipeline::{Pipeline, tell_how_to_find_out};
use super::transport::Response;
use crate::drift::Drift;
use crate::error::{Error, ErrorKind};
use crate::retry::Idempotency;
use crate::secret::{compression, names_of};

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

/// The answer of a success, and what is known about the call, for errors about it. Printing it shows no body.
pub struct Answer {
    pipeline: Pipeline,
    context: Context,
    response: Response,
}

/// What is known of the call that was answered.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) operation: &'static str,
    pub(super) idempotency: Idempotency,
    pub(super) find_out: &'static str,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
}

impl Answer {
    pub(super) fn new(pipeline: Pipeline, context: Context, response: Response) -> Self {
        Self { pipeline, context, response }
    }

    /// Decodes the body. A member of the wrong type is dropped and noted, and so are unknown members; what cannot be
    /// done without is an error that names it, and never shows a value.
    pub fn decode<T: DeserializeOwned>(&self, shape: &Shape) -> Result<Decoded<T>, Error> {
        let body = &**self.response.body();
        let (value, drift) = decode::object(body, shape.envelope).map_err(|reason| self.undecodable(&reason))?;
        if let Some(first) = drift.first() {
            let count = drift.len();
            tracing::debug!(keymux.operation = self.context.operation, count, %first, "the answer is not as documented");
        }
        let raw = if self.pipeline.keeps_raw() { decode::raw::<T>(body, shape) } else { None };
        Ok(Decoded { value, drift, raw })
    }

    /// Decodes a page: the rows in the list `member`, each with its own notes, and the body's other members. A row that
    /// cannot be read is in [`Rows::unread`], for [`unread_rows`](Self::unread_rows) to tell. A list that is not there, or
    /// null, is an error: nobody documents that for an empty list.
    pub fn decode_page<R, T>(&self, shape: &Shape, member: &'static str) -> Result<Rows<R, T>, Error>
    where
        R: DeserializeOwned,
        T: DeserializeOwned,
    {
        let raw_of = self.pipeline.keeps_raw().then_some(shape);
        decode::rows(self.response.body(), member, raw_of).map_err(|reason| self.undecodable(&reason))
    }

    /// The errors of rows that cannot be read, for [`Page::with_unreadable`](crate::Page::with_unreadable); `member` is
    /// the list that they stand in.
    #[must_use]
    pub fn unread_rows(&self, member: &str, unread: &[UnreadRow]) -> Vec<Error> {
        let told = |row: &UnreadRow| format!("row {} of `{member}` cannot be read: {}", row.place, row.reason);
        unread.iter().map(|row| self.undecodable(&told(row))).collect()
    }

    /// The error of an answer that is no readable answer. `reason` must hold no secret.
    #[must_use]
    pub fn undecodable(&self, reason: &str) -> Error {
        let makes_key = self.context.idempotency == Idempotency::MakesKey;
        let kind = if makes_key { ErrorKind::OutcomeUnknown } else { ErrorKind::Decode };
        let message = match compression(self.response.headers()) {
            Some(encoding) => format!("{reason}; the body is compressed ({encoding}), which was not asked for"),
            None => reason.to_owned(),
        };
        let error = self
            .pipeline
            .error(kind, self.context.operation)
            .with_status(self.response.status().as_u16())
            .with_message(message)
            .with_request_id(self.context.request_id.clone())
            .with_attempts(self.context.attempts)
            .with_repeatable(self.context.idempotency == Idempotency::Idempotent);
        tell_how_to_find_out(error, self.context.find_out)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.context.operation)
            .field("status", &self.response.status())
            .field("headers", &names_of(self.response.headers()))
            .field("body", &format_args!("{} bytes", self.response.body().len()))
            .field("request_id", &self.context.request_id)
            .field("attempts", &self.context.attempts)
            .finish_non_exhaustive()
    }
}
