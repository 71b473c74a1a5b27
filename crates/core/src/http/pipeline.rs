//! The five hops of a request: call, retry loop, attempt, transport, classification.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use http::{Method, StatusCode};
use secrecy::SecretString;
use tracing::Instrument;
use url::Url;

use super::answer::{Answer, Context};
use super::call::Quiet;
use super::dialect::plain_words;
use super::reqwest_transport::ReqwestTransport;
use super::transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
use super::{BaseUrl, Call, Dialect, HttpOptions, Rejected};
use crate::error::{Error, ErrorKind};
use crate::gate::{Blocked, GateAnswer, GateRequest, GateState, Gates, Leave, UnknownKeys, WaitReason};
use crate::observe::{AttemptEvent, WaitEvent};
use crate::retry::{self, Budget, Failure, Idempotency, Surroundings, server_delay};
use crate::secret::{compression, credential_header, scrub_id, scrub_text};

/// A client of one account: its credential, its connections, its gate, its retry budget. Clones share all four.
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
    gates: Gates,
    /// If they are remembered at all.
    unknown: Option<UnknownKeys>,
}

/// One attempt of a call.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    call: &'a Call<'a>,
    url: &'a Url,
    number: u32,
    /// The time that remains for the call.
    remaining: Duration,
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
        let gates = Gates::new(&options, dialect.rate_limit);
        let unknown = Some(options.unknown_keys).filter(|time| !time.is_zero()).map(UnknownKeys::new);
        let inner = Inner { dialect, base, headers, credential, options, transport, budget, gates, unknown };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The time, by the clock of the options.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.inner.options.clock.timestamp()
    }

    /// How things stand at the gate for `operation`, for progress lines.
    #[must_use]
    pub fn gate_state(&self, operation: &'static str) -> GateState {
        self.inner.gates.state(operation)
    }

    pub(crate) fn keeps_raw(&self) -> bool {
        self.inner.options.raw
    }

    /// An error of this client's vendor in `operation`.
    pub(crate) fn error(&self, kind: ErrorKind, operation: &'static str) -> Error {
        Error::new(kind).with_provider(self.inner.dialect.provider.clone()).with_operation(operation)
    }

    /// Sends `call` until it succeeds or is given up, and returns the answer of a success (2xx).
    ///
    /// The future is behind a pointer, so that the hops are compiled in this crate, and not again in that of every vendor.
    #[must_use]
    pub fn send<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>> {
        Box::pin(async move { self.send_unboxed(&call).await })
    }

    async fn send_unboxed(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let Inner { dialect, base, options, budget, .. } = &*self.inner;
        let named = |error: Error| error.with_provider(dialect.provider.clone()).with_operation(call.operation);
        let url = base.join(call.path, call.query).map_err(named)?;
        if options.transport.is_none() && tokio::runtime::Handle::try_current().is_err() {
            return Err(named(Error::config("there is no Tokio runtime here, which the HTTP client needs")));
        }
        let now = || options.clock.instant();
        if let Some(error) = self.inner.gates.latch.check(now, call.operation) {
            return Err(error.with_repeatable(call.idempotency == Idempotency::Idempotent));
        }
        let remembered = match &self.inner.unknown {
            Some(unknown) if call.method == Method::GET => Some((unknown, unknown.find(url.as_str(), now())?)),
            _ => None,
        };
        let surroundings = Surroundings {
            provider: &dialect.provider,
            operation: call.operation,
            idempotency: call.idempotency,
            changes: call.method != Method::GET && call.idempotency == Idempotency::Idempotent,
            options,
            budget,
            gated: self.inner.gates.are_on(),
        };
        let outcome = retry::run(&surroundings, |number, remaining| {
            self.admitted_attempt(Attempt { call, url: &url, number, remaining })
        })
        .await;
        match (&outcome, remembered) {
            (Err(error), Some((unknown, generation))) if error.kind() == ErrorKind::NotFound => {
                unknown.remember(url.as_str(), error, generation, now());
            }
            _ => self.forget_unknown_keys(call),
        }
        let (response, attempts) = outcome.map_err(|error| tell_how_to_find_out(error, how_to_find_out(call)))?;
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

    /// Removes what is at `path` with `DELETE`. `None`: an attempt's answer was lost, and the repeat was answered that
    /// nothing is there, with 404 or 410. Any other refusal of the repeat is
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown).
    pub async fn send_removal(&self, operation: &'static str, path: &[&str]) -> Result<Option<Answer>, Error> {
        match self.send(Call::new(operation, Method::DELETE, path)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::NotFound && error.follows_lost_answer() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is not known may be known after a call that makes or changes something, however it ended.
    fn forget_unknown_keys(&self, call: &Call<'_>) {
        let changes =
            !matches!(call.method, Method::GET | Method::DELETE) && call.idempotency != Idempotency::CountsUse;
        if let Some(unknown) = self.inner.unknown.as_ref().filter(|_| changes) {
            unknown.forget();
        }
    }

    /// One attempt, when its turn has come.
    async fn admitted_attempt(&self, mut attempt: Attempt<'_>) -> Result<(Response, u32), Failure> {
        let leave = self.leave(&attempt).await.map_err(Failure::NotAdmitted)?;
        attempt.remaining = attempt.remaining.saturating_sub(leave.waited.unwrap_or_default());
        let result = self.observed_attempt(&attempt).await;
        self.tell_end(leave, attempt.call, result.as_ref().err());
        result.map_err(Failure::Sent)
    }

    /// Tells the gate and its latch how an attempt ended.
    fn tell_end(&self, leave: Leave<'_>, call: &Call<'_>, error: Option<&Error>) {
        let Inner { options, gates, .. } = &*self.inner;
        leave.answered(match error {
            None => GateAnswer::Passed,
            Some(error) if error.kind() == ErrorKind::RateLimited => {
                GateAnswer::Refused { retry_after: error.retry_after() }
            }
            Some(error) if error.status().is_some_and(|status| status < 500) => GateAnswer::Passed,
            Some(error) => match error.retry_after() {
                Some(retry_after) if error.status() == Some(503) => GateAnswer::Unavailable { retry_after },
                _ => GateAnswer::Lost,
            },
        });
        match error.map(|error| (error, error.kind())) {
            None | Some((_, ErrorKind::NotFound)) => gates.latch.open(),
            Some((error, ErrorKind::Unauthenticated)) if call.idempotency != Idempotency::CountsUse => {
                gates.latch.close(error, options.clock.instant());
            }
            Some(_) => {}
        }
    }

    /// The leave of the gate, when the turn of the request has come.
    async fn leave<'a>(&'a self, attempt: &Attempt<'a>) -> Result<Leave<'a>, Error> {
        let Inner { dialect, base, options, gates, .. } = &*self.inner;
        let Attempt { call, number, remaining, .. } = *attempt;
        let request = GateRequest {
            provider: &dialect.provider,
            origin: base.origin_text(),
            account: options.account.as_ref(),
            operation: call.operation,
            attempt: number,
            remaining,
            longest_stop: options.retry.max_server_delay,
        };
        let told = |reason, expected| self.tell_wait(call, number, reason, expected);
        let entered = gates.enter(request, &*options.clock, told).await;
        if !matches!(&entered, Ok(leave) if leave.waited.is_none()) {
            // It may have been refused meanwhile.
            if let Some(error) = gates.latch.check(|| options.clock.instant(), call.operation) {
                return Err(error);
            }
        }
        entered.map_err(|blocked| self.not_in_time(call, &blocked))
    }

    fn tell_wait(&self, call: &Call<'_>, attempt: u32, reason: WaitReason, expected: Option<Duration>) {
        let Inner { dialect, options, .. } = &*self.inner;
        tracing::debug!(
            keymux.provider = dialect.provider.as_str(),
            keymux.operation = call.operation,
            keymux.attempt = attempt,
            keymux.gate.reason = reason.as_str(),
            keymux.gate.expected_seconds = expected.map(|wait| wait.as_secs_f64()),
            "waits at the gate",
        );
        if let Some(observer) = &options.observer {
            let (provider, operation) = (&dialect.provider, call.operation);
            observer.on_wait(&WaitEvent { provider, operation, attempt, reason, expected });
        }
    }

    /// The error of a call that waits in vain.
    fn not_in_time(&self, call: &Call<'_>, blocked: &Blocked) -> Error {
        let wait = if let Blocked::NotInTime(wait) = blocked { *wait } else { None };
        let message = "not sent, since its turn would have come after the time that the call may take";
        self.error(ErrorKind::RateLimited, call.operation)
            .with_message(message)
            .with_retry_after(wait.filter(|wait| !wait.is_zero()))
    }

    /// One attempt in a span of its own, told to the observer.
    async fn observed_attempt(&self, attempt: &Attempt<'_>) -> Result<(Response, u32), Error> {
        let started = self.inner.options.observer.as_ref().map(|_| self.inner.options.clock.instant());
        let span = self.span(attempt);
        let work = pin!(self.attempt(attempt));
        // Without a subscriber nothing is entered at each poll.
        let result = if span.is_disabled() { work.await } else { work.instrument(span.clone()).await };
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
        let Inner { dialect, options, .. } = &*self.inner;
        if let (Some(observer), Some(started)) = (&options.observer, started) {
            observer.on_attempt(&AttemptEvent {
                provider: &dialect.provider,
                operation: attempt.call.operation,
                method: attempt.call.method.as_str(),
                path: attempt.url.path(),
                attempt: attempt.number,
                status,
                error,
                duration: options.clock.instant().saturating_duration_since(started),
            });
        }
        result.map(|response| (response, attempt.number))
    }

    fn span(&self, attempt: &Attempt<'_>) -> tracing::Span {
        let Inner { dialect, base, .. } = &*self.inner;
        tracing::info_span!(
            "keymux.attempt",
            otel.kind = "client",
            keymux.provider = dialect.provider.as_str(),
            keymux.operation = attempt.call.operation,
            http.request.method = attempt.call.method.as_str(),
            http.request.resend_count = attempt.number - 1,
            server.address = base.host(),
            http.response.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
        )
    }

    async fn attempt(&self, &Attempt { call, url, remaining, .. }: &Attempt<'_>) -> Result<Response, Error> {
        let Inner { options, transport, .. } = &*self.inner;
        let exchange = Exchange::new(options.max_body_bytes);
        let limit = options.attempt_timeout.min(remaining);
        let mut work = transport.execute(self.request(call, url), &exchange);
        let mut time_out = options.clock.time_limit(limit);
        let outcome = poll_fn(|context| {
            if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                return Poll::Ready(Some(outcome));
            }
            time_out.as_mut().poll(context).map(|()| None)
        });
        let outcome = outcome.await;
        drop(work);
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

    /// The request of an attempt.
    fn request(&self, call: &Call<'_>, url: &Url) -> Request {
        let mut headers = self.inner.headers.clone();
        headers.extend(call.headers.iter().cloned());
        if call.body.is_empty() && matches!(call.method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers may refuse these without a length, and the HTTP client sends none for no body.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Request::new(call.method.clone(), url.clone(), headers, call.body.clone())
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
        let said = match (rejection.message, compression(headers)) {
            (Some(message), _) if !message.trim_start().starts_with('<') => message,
            (_, Some(encoding)) => format!("a compressed ({encoding}) body of {} bytes, not asked for", body.len()),
            _ => describe_body(text, body.len()),
        };
        let message = match call.quiet {
            Quiet::Not => scrub_text(&said, credential),
            Quiet::ButPlainWords if rejected.is_refusal() => plain_words(&scrub_text(&said, credential)),
            _ if said.is_empty() => said,
            _ => "what the vendor says is not shown, since it may repeat the key".to_owned(),
        };
        let is_quiet = call.quiet != Quiet::Not;
        let code = rejection.code.filter(|code| !is_quiet || is_code(code));
        let error = error(rejection.kind.unwrap_or_else(|| kind_of(status)))
            .with_code(code.map(|code| scrub_text(&code, credential)))
            .with_request_id(
                rejection
                    .request_id
                    .filter(|_| !is_quiet)
                    .map(|id| scrub_id(&id, credential))
                    .or_else(|| self.request_id(headers)),
            )
            .with_retry_after(delay)
            .with_detail(rejection.detail);
        if message.is_empty() { error } else { error.with_message(message) }
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

/// How the user sees whether a call was carried out.
fn how_to_find_out(call: &Call<'_>) -> &'static str {
    match call.method {
        _ if !call.find_out.is_empty() => call.find_out,
        Method::DELETE => "look the key up; it is gone if the vendor does not know it",
        _ => "look the key up to see how it is now",
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
