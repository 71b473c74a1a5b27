//! The answer of a success: what a vendor's crate decodes, and the errors about what cannot be decoded.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::decode;
use super::shape::{Decoded, Envelope, Rows, Shape, UnreadRow};
use super::transport::Response;
use crate::error::{Error, ErrorKind};
use crate::names::ProviderId;
use crate::retry::Idempotency;
use crate::secret::{compression, names_of};

/// The answer of a success, and what is known about the call, for errors about it. Printing it shows no body.
pub struct Answer {
    context: Context,
    response: Response,
}

/// What is known of the call that was answered.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) provider: ProviderId,
    pub(super) operation: &'static str,
    pub(super) idempotency: Idempotency,
    pub(super) find_out: &'static str,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
    /// Whether the options ask for the raw JSON.
    pub(super) keep_raw: bool,
}

impl Answer {
    pub(super) fn new(context: Context, response: Response) -> Self {
        Self { context, response }
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
        let raw = if self.context.keep_raw { decode::raw::<T>(body, shape) } else { None };
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
        let raw_of = self.context.keep_raw.then_some(shape);
        decode::rows(self.response.body(), member, raw_of).map_err(|reason| self.undecodable(&reason))
    }

    /// The errors of rows that cannot be read, for [`Page::with_unreadable`](crate::Page::with_unreadable); `member` is
    /// the list that they stand in.
    #[must_use]
    pub fn unread_rows(&self, member: &str, unread: &[UnreadRow]) -> Vec<Error> {
        let told = |row: &UnreadRow| format!("row {} of `{member}` cannot be read: {}", row.place, row.reason);
        unread.iter().map(|row| self.undecodable(&told(row))).collect()
    }

    pub(super) fn body(&self) -> &Bytes {
        self.response.body()
    }

    pub(super) fn decode_row<R: DeserializeOwned>(&self, row: &[u8], shape: &Shape) -> Result<Decoded<R>, String> {
        let (value, drift) = decode::object(row, Envelope::Bare)?;
        let shape = Shape { envelope: Envelope::Bare, ..*shape };
        let raw = if self.context.keep_raw { decode::raw::<R>(row, &shape) } else { None };
        Ok(Decoded { value, drift, raw })
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
        let error = Error::new(kind)
            .with_provider(self.context.provider.clone())
            .with_operation(self.context.operation)
            .with_status(self.response.status().as_u16())
            .with_message(message)
            .with_request_id(self.context.request_id.clone())
            .with_attempts(self.context.attempts)
            .with_repeatable(self.context.idempotency == Idempotency::Idempotent);
        tell_how_to_find_out(error, self.context.find_out)
    }
}

impl Answer {
    /// The error of an answer that holds a plaintext and lacks what the key's model needs: the plaintext goes with it
    /// ([`Error::plaintext`]). `reason` must hold no secret.
    #[must_use]
    pub fn without_identity(&self, reason: &str, plaintext: SecretString) -> Error {
        let reason = format!("{reason}; the key is made, and its plaintext goes with this error");
        self.undecodable(&reason).with_detail(Some(Arc::new(plaintext)))
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

/// Adds to an unknown outcome how to find out.
pub(super) fn tell_how_to_find_out(error: Error, find_out: &str) -> Error {
    if error.kind() != ErrorKind::OutcomeUnknown || find_out.is_empty() {
        return error;
    }
    let message = error.message().map_or_else(String::new, |message| format!("{message}; "));
    error.with_message(format!("{message}it may have been done all the same: {find_out}"))
}
