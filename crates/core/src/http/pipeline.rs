//! The five hops of a request: call, retry loop, attempt, transport, classification.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use http::{Method, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;
use url::Url;
use zeroize::Zeroizing;

use super::answer::{Answer, Context};
use super::reqwest_transport::ReqwestTransport;
use super::transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
use super::{BaseUrl, HttpOptions};
use crate::error::{Error, ErrorKind};
use crate::observe::AttemptEvent;
use crate::provider::ProviderId;
use crate::retry::{self, Budget, Idempotency, Surroundings, decimal, server_delay};
use crate::secret::{compression, credential_header, names_of, scrub_id, scrub_text};

/// What the pipeline has to know of a vendor's wire beside its calls.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// The vendor.
    pub provider: ProviderId,
    /// The response header with the vendor's id of the request, if it has one.
    pub request_id_header: Option<&'static str>,
    /// Reads what the vendor says in an answer that is not a success.
    pub read_rejection: fn(&Rejected<'_>) -> Rejection,
}

/// An answer that is not a success, as a [`Dialect`] reads it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rejected<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body as text.
    pub text: &'a str,
    /// The body as JSON, whatever its content type says; `Null` if it is not JSON.
    pub json: &'a Value,
    credential: &'a SecretString,
    quiet: bool,
}

impl fmt::Debug for Rejected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("status", &self.status)
            .field("headers", &names_of(self.headers))
            .field("text", &format_args!("{} bytes", self.text.len()))
            .finish_non_exhaustive()
    }
}

impl Rejected<'_> {
    /// The text, or the number as text, at a JSON pointer such as `/error/message`.
    #[must_use]
    pub fn text_at(&self, pointer: &str) -> Option<String> {
        match self.json.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Text of the body made fit to be shown, for a [`Rejection::detail`]: without the credential and without what
    /// looks like a key or an e-mail address, and cut. The other members of a [`Rejection`] are scrubbed anyway. Where a
    /// plaintext is near, only a plain word or a short number is left.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.quiet && !is_plain_word(text) {
            return "[withheld]".to_owned();
        }
        scrub_text(text, self.credential)
    }

    /// The number of seconds, or the text of one, at a JSON pointer.
    #[must_use]
    pub fn seconds_at(&self, pointer: &str) -> Option<Duration> {
        decimal(self.text_at(pointer)?.trim(), 1.0)
    }
}

/// What a vendor said in an answer that is not a success.
#[derive(Clone, Default)]
pub struct Rejection {
    /// What it means at this vendor, where that is not what the status means everywhere.
    pub kind: Option<ErrorKind>,
    /// The vendor's error code.
    pub code: Option<String>,
    /// The vendor's message. It is scrubbed and cut before anybody sees it; without one the body itself is.
    pub message: Option<String>,
    /// The delay that the vendor names in the body.
    pub retry_after: Option<Duration>,
    /// The vendor's id of the request, where it stands in the body.
    pub request_id: Option<String>,
    /// What else the vendor said, in a type of its own, for [`Error::detail`].
    pub detail: Option<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts are the vendor's own, and not scrubbed yet.
        f.debug_struct("Rejection")
            .field("kind", &self.kind)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

/// One call of a vendor's operation.
#[derive(Clone)]
pub struct Call<'a> {
    operation: &'static str,
    method: Method,
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    idempotency: Idempotency,
    quiet: bool,
    find_out: &'static str,
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
            quiet: false,
            find_out: "",
        }
    }

    /// A read of `path`.
    #[must_use]
    pub fn get(operation: &'static str, path: &'a [&'a str]) -> Self {
        Self::new(operation, Method::GET, path)
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
    /// is [`ErrorKind::OutcomeUnknown`], and no error shows any text of an answer. `find_out` tells the user how to see
    /// whether the key was made.
    #[must_use]
    pub fn making_key(mut self, find_out: &'static str) -> Self {
        self.idempotency = Idempotency::MakesKey;
        self.quiet = true;
        self.find_out = find_out;
        self
    }

    /// Says that the call counts as a use of the key that it carries: it is sent again only if no connection came about,
    /// and no error shows any text of an answer.
    #[must_use]
    pub fn counting_use(mut self) -> Self {
        self.idempotency = Idempotency::CountsUse;
        self.quiet = true;
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

/// A client of one account: its credential, its connections, its retry budget. Clones share all three.
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

struct Inner {
    dialect: Dialect,
    base: BaseUrl,
    headers: HeaderMap,
    credential: SecretString,
    options: HttpOptions,
    transport: Arc<dyn Transport>,
    budget: Budget,
}

impl Pipeline {
    /// Sets a client up. The credential goes out as `header`, behind `scheme` (`"Bearer "`, or nothing), to `base`
    /// and nowhere else; `headers` go with every request.
    ///
    /// Errors are [`ErrorKind::Config`]: a `base` of plain HTTP that is not loopback, a credential that no header can
    /// carry, unreadable root certificates, no certificate store, a build without TLS or without a crypto provider.
    pub fn new(
        dialect: Dialect,
        base: BaseUrl,
        (header, scheme, credential): (HeaderName, &str, SecretString),
        mut headers: HeaderMap,
        options: HttpOptions,
    ) -> Result<Self, Error> {
        let of_provider = |error: Error| error.with_provider(dialect.provider.clone());
        base.check_scheme("the base URL", &options).map_err(of_provider)?;
        headers.insert(header, credential_header(scheme, &credential).map_err(of_provider)?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let own = concat!("keymux/", env!("CARGO_PKG_VERSION"));
        let agent = options.application.as_ref().map_or(own.to_owned(), |application| format!("{application} {own}"));
        let agent =
            HeaderValue::try_from(agent).map_err(|_| Error::config("the product token does not fit a header"))?;
        headers.insert(USER_AGENT, agent);
        let transport = match &options.transport {
            Some(transport) => Arc::clone(transport),
            None => Arc::new(ReqwestTransport::new(&base, &options).map_err(of_provider)?),
        };
        let budget = Budget::new(&options.retry);
        Ok(Self { inner: Arc::new(Inner { dialect, base, headers, credential, options, transport, budget }) })
    }

    /// The time, by the clock of the options.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.inner.options.clock.timestamp()
    }

    pub(crate) fn keeps_raw(&self) -> bool {
        self.inner.options.raw
    }

    /// An error of this client's vendor in `operation`.
    pub(crate) fn error(&self, kind: ErrorKind, operation: &'static str) -> Error {
        Error::new(kind).with_provider(self.inner.dialect.provider.clone()).with_operation(operation)
    }

    /// Sends `call` until it succeeds or is given up, and returns the answer of a success (2xx).
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, Error> {
        let Inner { dialect, base, options, budget, .. } = &*self.inner;
        let named = |error: Error| error.with_provider(dialect.provider.clone()).with_operation(call.operation);
        let url = base.join(call.path, call.query).map_err(named)?;
        if options.transport.is_none() && tokio::runtime::Handle::try_current().is_err() {
            return Err(named(Error::config("there is no Tokio runtime here, which the HTTP client needs")));
        }
        let surroundings = Surroundings {
            provider: &dialect.provider,
            operation: call.operation,
            idempotency: call.idempotency,
            policy: &options.retry,
            budget,
            total: options.total_timeout,
            clock: &*options.clock,
            randomness: &*options.randomness,
            observer: options.observer.as_deref(),
        };
        let (call, url) = (&call, &url);
        let (response, attempts) =
            retry::run(surroundings, |number, remaining| self.observed_attempt(call, url, number, remaining))
                .await
                .map_err(|error| tell_how_to_find_out(error, call.find_out))?;
        let request_id = self.request_id(response.headers());
        let context = Context {
            operation: call.operation,
            idempotency: call.idempotency,
            find_out: call.find_out,
            request_id,
            attempts,
        };
        Ok(Answer::new(self.clone(), context, response))
    }

    /// Removes what is at `path` with `DELETE`. `None`: an attempt's answer was lost, and the repeat found nothing there.
    pub async fn send_removal(&self, operation: &'static str, path: &[&str]) -> Result<Option<Answer>, Error> {
        match self.send(Call::new(operation, Method::DELETE, path)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound && error.follows_lost_answer() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One attempt in a span of its own, told to the observer.
    async fn observed_attempt(
        &self,
        call: &Call<'_>,
        url: &Url,
        number: u32,
        remaining: Duration,
    ) -> Result<(Response, u32), Error> {
        let Inner { dialect, base, options, .. } = &*self.inner;
        let span = tracing::info_span!(
            "keymux.attempt",
            otel.kind = "client",
            keymux.provider = dialect.provider.as_str(),
            keymux.operation = call.operation,
            http.request.method = call.method.as_str(),
            http.request.resend_count = number - 1,
            server.address = base.host(),
            http.response.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
        );
        let started = options.observer.as_ref().map(|_| options.clock.instant());
        let result = self.attempt(call, url, remaining).instrument(span.clone()).await;
        let (status, error) = match &result {
            Ok(response) => (Some(response.status().as_u16()), None),
            Err(error) => (error.status(), Some(error.kind())),
        };
        if let Some(status) = status {
            span.record("http.response.status_code", status);
        }
        if let Some(error) = error {
            span.record("error.type", error.as_str());
        }
        if let (Some(observer), Some(started)) = (&options.observer, started) {
            observer.on_attempt(&AttemptEvent {
                provider: &dialect.provider,
                operation: call.operation,
                method: call.method.as_str(),
                path: url.path(),
                attempt: number,
                status,
                error,
                duration: options.clock.instant().saturating_duration_since(started),
            });
        }
        result.map(|response| (response, number))
    }

    async fn attempt(&self, call: &Call<'_>, url: &Url, remaining: Duration) -> Result<Response, Error> {
        let Inner { headers, options, transport, .. } = &*self.inner;
        let mut headers = headers.clone();
        headers.extend(call.headers.iter().cloned());
        if call.body.is_empty() && matches!(call.method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers may refuse these without a length, and the HTTP client sends none for no body.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let request = Request::new(call.method.clone(), url.clone(), headers, call.body.clone());
        let exchange = Exchange::new(options.max_body_bytes);
        let limit = options.attempt_timeout.min(remaining);
        let outcome = within(transport.execute(request, &exchange), options.clock.time_limit(limit)).await;
        match outcome {
            Some(Ok(response)) if response.body().len() > options.max_body_bytes => {
                let error = TransportError::new(TransportErrorKind::BodyTooLarge, None);
                Err(self.broken(call, exchange, error))
            }
            Some(Ok(response)) if response.status().is_success() => Ok(response),
            Some(Ok(response)) => {
                let (head, body) = response.into_parts();
                Err(self.rejected(call, head.status, &head.headers, &body))
            }
            Some(Err(error)) => Err(self.broken(call, exchange, error)),
            None => Err(self.timed_out(call, exchange, limit)),
        }
    }

    /// The error of an answer that is not a success.
    fn rejected(&self, call: &Call<'_>, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let Inner { dialect, base, options, credential, .. } = &*self.inner;
        let status_code = status.as_u16();
        let error = |kind| self.error(kind, call.operation).with_status(status_code);
        if status.is_redirection() {
            let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| base.resolve(to));
            // The rest of a location may be a signed URL.
            let to = match to {
                Some(to) if to.origin() != base.origin() => format!("to {}", to.origin().ascii_serialization()),
                _ => "within its origin".to_owned(),
            };
            return error(ErrorKind::Redirected).with_request_id(self.request_id(headers)).with_message(format!(
                "the vendor redirects {to}, and redirects are not followed; check the base URL"
            ));
        }
        let text = String::from_utf8_lossy(within_limit(body));
        let text = text.trim_start_matches('\u{feff}');
        let json = serde_json::from_str(text).unwrap_or_default();
        let rejected = Rejected { status: status_code, headers, text, json: &json, credential, quiet: call.quiet };
        let rejection = (dialect.read_rejection)(&rejected);
        let delay = server_delay(headers, rejection.retry_after, options.clock.timestamp());
        let message = if call.quiet {
            // The answer may repeat the key.
            None
        } else {
            let text = match (rejection.message, compression(headers)) {
                (Some(message), _) if !message.trim_start().starts_with('<') => message,
                (_, Some(encoding)) => format!("a compressed ({encoding}) body of {} bytes, not asked for", body.len()),
                _ => describe_body(text, body.len()),
            };
            Some(scrub_text(&text, credential)).filter(|text| !text.is_empty())
        };
        let code = rejection.code.filter(|code| !call.quiet || is_code(code));
        let error = error(rejection.kind.unwrap_or_else(|| kind_of(status)))
            .with_code(code.map(|code| scrub_text(&code, credential)))
            .with_request_id(
                rejection
                    .request_id
                    .filter(|_| !call.quiet)
                    .map(|id| scrub_id(&id, credential))
                    .or_else(|| self.request_id(headers)),
            )
            .with_retry_after(delay)
            .with_detail(rejection.detail);
        match message {
            Some(message) => error.with_message(message),
            None => error,
        }
    }

    /// The error of an exchange that broke. A refusal whose body broke off is still that refusal.
    fn broken(&self, call: &Call<'_>, exchange: Exchange, error: TransportError) -> Error {
        let status = exchange.status();
        if let Some((status, headers)) = exchange.into_refusal() {
            return self.rejected(call, status, &headers, &[]);
        }
        let kind = match error.kind() {
            TransportErrorKind::Connect => ErrorKind::Connect,
            TransportErrorKind::Head | TransportErrorKind::Body => ErrorKind::Transport,
            TransportErrorKind::BodyTooLarge => ErrorKind::TooLarge,
        };
        let message = match error.kind() {
            TransportErrorKind::BodyTooLarge => format!("{error} ({} bytes)", self.inner.options.max_body_bytes),
            _ => innermost(&error),
        };
        with_status(self.error(kind, call.operation).with_message(message).with_source(error), status)
    }

    fn timed_out(&self, call: &Call<'_>, exchange: Exchange, limit: Duration) -> Error {
        let status = exchange.status();
        if let Some((status, headers)) = exchange.into_refusal() {
            return self.rejected(call, status, &headers, &[]);
        }
        let what = if status.is_some() { "the body of the answer did not end" } else { "no answer came" };
        let error = self.error(ErrorKind::Timeout, call.operation);
        with_status(error.with_message(format!("{what} within {:.1} s", limit.as_secs_f64())), status)
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let value = headers.get(self.inner.dialect.request_id_header?)?.to_str().ok()?;
        Some(scrub_id(value, &self.inner.credential))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("provider", &self.inner.dialect.provider)
            .field("base", &self.inner.base)
            .field("headers", &crate::secret::print_headers(&self.inner.headers))
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

/// Whether `text` looks like a code, and not like a key that the answer repeats: capitals without digits, or a short
/// number.
fn is_code(text: &str) -> bool {
    let capitals = text.len() < 32 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    capitals || (text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `text` is the name of a member or the like: small letters without digits, or a short number.
fn is_plain_word(text: &str) -> bool {
    let word = text.len() < 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    word || (text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// Adds to an unknown outcome how to find out.
pub(super) fn tell_how_to_find_out(error: Error, find_out: &str) -> Error {
    if error.kind() != ErrorKind::OutcomeUnknown || find_out.is_empty() {
        return error;
    }
    let message = error.message().map_or_else(String::new, |message| format!("{message}; "));
    error.with_message(format!("{message}it may have been done all the same: {find_out}"))
}

fn with_status(error: Error, status: Option<StatusCode>) -> Error {
    match status {
        Some(status) => error.with_status(status.as_u16()),
        None => error,
    }
}

/// What a status means where the vendor gives it no meaning of its own.
fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Unauthenticated,
        402 => ErrorKind::QuotaExhausted,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        500..=599 => ErrorKind::Server,
        // A status that is none: 1xx is handled below this crate, 2xx and 3xx before.
        _ => ErrorKind::Decode,
    }
}

/// The body as a message, where the vendor's own is not found in it.
fn describe_body(text: &str, bytes: usize) -> String {
    let trimmed = text.trim();
    match trimmed.get(..1) {
        _ if trimmed == "null" => String::new(),
        Some("<") => format!("an HTML or XML page of {bytes} bytes"),
        Some("{" | "[") => format!("JSON of {bytes} bytes without a known message"),
        _ => trimmed.to_owned(),
    }
}

/// As much of a refusal's body as is looked at: no vendor's has a hundredth of that. What is longer ends before a white
/// space, so that no half of a word, which might be a secret, is taken for a whole one.
fn within_limit(body: &[u8]) -> &[u8] {
    const LIMIT: usize = 64 * 1024;
    let Some(start) = body.get(..LIMIT).filter(|_| body.len() > LIMIT) else { return body };
    let end = start.iter().rposition(u8::is_ascii_whitespace).unwrap_or(0);
    start.get(..end).unwrap_or_default()
}

/// The last cause of an error: what the operating system or TLS says, without the layers above it.
fn innermost(error: &TransportError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if std::ptr::addr_eq(cause, error) { error.to_string() } else { format!("{error}: {cause}") }
}

/// The output of `work`, or `None` if `limit` ends first.
async fn within<T>(work: impl Future<Output = T> + Send, mut limit: crate::clock::Sleep) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(move |context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}
