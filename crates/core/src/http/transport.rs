//! The seam to the network: one method over the types of the `http` crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::secret::print_headers;

/// Sends one request and reads the whole answer.
///
/// - It neither repeats a request nor follows a redirect.
/// - It stops reading at [`Exchange::max_body_bytes`] with [`TransportErrorKind::BodyTooLarge`].
/// - It calls [`Exchange::head_received`] when status and headers are there, so that a time-out can name its phase and
///   a refusal counts even if its body breaks off.
/// - It does not decompress unless the limit covers the decompressed size.
/// - Dropping its future ends the request. The caller limits its time.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends `request`.
    async fn execute(&self, request: Request, exchange: &Exchange) -> Result<Response, TransportError>;
}

/// A request as it goes out. Printing it shows no credential and no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// The headers, with the credential as a sensitive value.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
    /// Whether it must have a connection of its own: the vendor may be closing one that was idle, and this request
    /// cannot be sent again to find out whether it was taken.
    pub fresh_connection: bool,
}

impl Request {
    pub(crate) fn new(method: Method, url: Url, headers: HeaderMap, body: Bytes) -> Self {
        Self { method, url, headers, body, fresh_connection: false }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("headers", &print_headers(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// An answer with its whole body.
pub type Response = http::Response<Bytes>;

/// What the caller and the transport tell each other during one exchange.
pub struct Exchange {
    max_body_bytes: usize,
    status: OnceLock<StatusCode>,
    refusal: OnceLock<Box<(StatusCode, HeaderMap)>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("max_body_bytes", &self.max_body_bytes)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Exchange {
    pub(crate) fn new(max_body_bytes: usize) -> Self {
        Self { max_body_bytes, status: OnceLock::new(), refusal: OnceLock::new() }
    }

    /// How many bytes of the body are read at most.
    #[must_use]
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    /// Tells that status and headers are there.
    pub fn head_received(&self, status: StatusCode, headers: &HeaderMap) {
        // Only the first head counts; there is one for each exchange.
        let _ = self.status.set(status);
        if !status.is_success() {
            let _ = self.refusal.set(Box::new((status, headers.clone())));
        }
    }

    /// The status, once it is there.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.status.get().copied()
    }

    /// Status and headers of an answer that is not a success.
    pub(crate) fn into_refusal(self) -> Option<(StatusCode, HeaderMap)> {
        self.refusal.into_inner().map(|refusal| *refusal)
    }
}

/// Why no complete answer came.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
    explanation: Option<String>,
    permanent: bool,
    distrust: Option<Distrust>,
}

/// Why the certificate of a server, or of a proxy before it, is not trusted. It is the
/// [`detail`](crate::Error::detail) of the error of a call, [`ErrorKind::Connect`](crate::ErrorKind::Connect), that is
/// not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Distrust {
    /// No authority that is trusted here made it: a private one did, or a proxy that opens the traffic.
    UnknownIssuer,
    /// It is for another host.
    WrongName,
    /// It has ended or has not begun, by the clock of this machine.
    OutOfTime,
    /// It is bad in another way.
    Other,
}

/// What happened to a request without a complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: nothing was sent.
    #[error("no connection, nothing was sent")]
    Connect,
    /// The connection broke before the answer's status and headers were complete.
    #[error("the connection broke before an answer came")]
    Head,
    /// The connection broke while the body was read, or the body is shorter than announced.
    #[error("the connection broke in the body of the answer")]
    Body,
    /// The body is larger than allowed.
    #[error("the body is larger than allowed")]
    BodyTooLarge,
}

impl TransportError {
    /// An error with its cause, if there is one. The cause must hold no secret.
    #[must_use]
    pub fn new(kind: TransportErrorKind, source: Option<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source, explanation: None, permanent: false, distrust: None }
    }

    /// Says what happened and what to do, in the place of the kind and the innermost cause. It must hold no secret.
    #[must_use]
    pub fn with_explanation(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Says that another attempt would fail alike: there is none.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// Says that a certificate is not trusted, which another attempt does not change.
    #[must_use]
    pub fn with_distrust(mut self, distrust: Distrust) -> Self {
        self.distrust = Some(distrust);
        self.permanent()
    }

    pub(crate) fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    pub(crate) fn is_permanent(&self) -> bool {
        self.permanent
    }

    pub(crate) fn distrust(&self) -> Option<Distrust> {
        self.distrust
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}
