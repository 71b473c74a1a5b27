//! One call of a vendor's operation: what is sent, and what happens when it is sent twice.

use std::fmt;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::retry::Idempotency;

/// One call of a vendor's operation.
#[derive(Clone)]
pub struct Call<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) idempotency: Idempotency,
    pub(super) quiet: Quiet,
    pub(super) find_out: &'static str,
    pub(super) is_list: bool,
}

impl<'a> Call<'a> {
    /// A call of `path`, whose parts are one path segment each, as they are. It counts as idempotent.
    #[must_use]
    pub fn new(operation: &'static str, method: Method, path: &'a [&'a str]) -> Self {
        Self {
            operation,
            method,
            path,
            query: &[],
            headers: Vec::new(),
            body: Bytes::new(),
            idempotency: Idempotency::Idempotent,
            quiet: Quiet::Not,
            find_out: "",
            is_list: false,
        }
    }

    /// A read of `path`.
    #[must_use]
    pub fn get(operation: &'static str, path: &'a [&'a str]) -> Self {
        Self::new(operation, Method::GET, path)
    }

    /// A read of a list at `path`. Its answer may be as large as
    /// [`ClientOptions::with_max_list_body_bytes`](crate::ClientOptions::with_max_list_body_bytes) says.
    #[must_use]
    pub fn list(operation: &'static str, path: &'a [&'a str]) -> Self {
        Self { is_list: true, ..Self::get(operation, path) }
    }

    /// Adds query parameters, as they are.
    #[must_use]
    pub fn with_query(mut self, query: &'a [(&'a str, &'a str)]) -> Self {
        self.query = query;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends `body` as JSON. The buffer is wiped when the last copy is dropped.
    pub fn with_json(self, body: &impl Serialize) -> Result<Self, Error> {
        // The error may repeat a value.
        let operation = self.operation;
        let unwritable = |_| Error::invalid("the request cannot be written as JSON").with_operation(operation);
        // Measured first: a buffer that grows leaves copies of a plaintext behind.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, body).map_err(unwritable)?;
        let mut buffer = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *buffer, body).map_err(unwritable)?;
        Ok(self.with_json_bytes(Bytes::from_owner(buffer)))
    }

    /// Sends exactly these bytes, which are JSON.
    #[must_use]
    pub fn with_json_bytes(self, body: Bytes) -> Self {
        let mut call = self.with_header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call.body = body;
        call
    }

    /// Says that the call makes or replaces a key: it is not sent again once it may have left, save after a 429; a lost answer
    /// is [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), and no error shows any text of an answer. `find_out` tells the user how to see
    /// whether the key was made.
    #[must_use]
    pub fn making_key(mut self, find_out: &'static str) -> Self {
        self.idempotency = Idempotency::MakesKey;
        self.quiet = Quiet::Wholly;
        self.find_out = find_out;
        self
    }

    /// Says that the request of a call that makes a key holds no plaintext, so that a refusal (4xx) cannot repeat one: its
    /// plain words are shown. What may be a secret all the same is left out: words that are long, or have digits or
    /// capitals within.
    #[must_use]
    pub fn showing_refusals(mut self) -> Self {
        self.quiet = Quiet::PlainWordsOnly;
        self
    }

    /// Says that the call counts as a use of the key that it carries: it is sent again only if no connection came about,
    /// and no error shows any text of an answer.
    #[must_use]
    pub fn counting_use(mut self) -> Self {
        self.idempotency = Idempotency::CountsUse;
        self.quiet = Quiet::Wholly;
        self
    }

    /// Says that a repeat has another effect than the first request, without a key being made: it is not sent again
    /// once it may have left.
    #[must_use]
    pub fn not_repeatable(mut self) -> Self {
        self.idempotency = Idempotency::NotIdempotent;
        self
    }
}

/// Which text of an answer that is no success may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// All of it, scrubbed.
    Not,
    /// The plain words of a refusal.
    PlainWordsOnly,
    /// A code, or the name of a member.
    Wholly,
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query and the body may hold a plaintext.
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}
