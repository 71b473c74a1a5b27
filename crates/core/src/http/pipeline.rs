//! The five hops of a request: call, retry loop, attempt, transport, classification.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use secrecy::SecretString;
use tracing::Instrument;
use url::Url;

use super::answer::{Answer, Context, tell_how_to_find_out};
use super::attempts::{self, Failure, RetryContext};
use super::permit::{Denied, HeldPermit, Limiters};
use super::refusal::{Refusal, request_id};
use super::reqwest_transport::ReqwestTransport;
use super::transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
use super::{BaseUrl, Call, ClientOptions, Dialect};
use crate::credential::{Credentials, Held};
use crate::error::{Error, ErrorKind};
use crate::observe::{AttemptEvent, WaitEvent};
use crate::rate_limit::{Feedback, PermitRequest, RateLimiterState, UnknownKeys, WaitReason};
use crate::retry::{Budget, Idempotency};
use crate::secret::suspicion;

/// A client of one account: its credential, its connections, its rate limiter, its retry budget. Clones share all four.
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

struct Inner {
    dialect: Dialect,
    base: BaseUrl,
    headers: HeaderMap,
    credential: Credentials,
    options: ClientOptions,
    transport: Arc<dyn Transport>,
    budget: Budget,
    limiters: Limiters,
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
        options: ClientOptions,
    ) -> Result<Self, Error> {
        let of_provider = |error: Error| error.with_provider(dialect.provider.clone());
        base.check_scheme("the base URL", &options).map_err(of_provider)?;
        let credential = Credentials::new((header, scheme, credential), &options).map_err(of_provider)?;
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
        let limiters = Limiters::new(&options, dialect.rate_limit);
        let unknown = Some(options.unknown_keys).filter(|time| !time.is_zero()).map(UnknownKeys::new);
        let inner = Inner { dialect, base, headers, credential, options, transport, budget, limiters, unknown };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The time, by the clock of the options.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.inner.options.clock.timestamp()
    }

    /// How things stand at the rate limiter for `operation`, for progress lines.
    #[must_use]
    pub fn rate_limiter_state(&self, operation: &'static str) -> RateLimiterState {
        self.inner.limiters.state(operation)
    }

    /// An error of this client's vendor in `operation`.
    fn error(&self, kind: ErrorKind, operation: &'static str) -> Error {
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
        if let Some(error) = self.inner.limiters.breaker.check(now, call.operation) {
            return Err(error.with_repeatable(call.idempotency == Idempotency::Idempotent));
        }
        let remembered = match &self.inner.unknown {
            Some(unknown) if call.method == Method::GET => Some((unknown, unknown.find(url.as_str(), now())?)),
            _ => None,
        };
        let surroundings = RetryContext {
            provider: &dialect.provider,
            operation: call.operation,
            idempotency: call.idempotency,
            changes: call.method != Method::GET && call.idempotency == Idempotency::Idempotent,
            options,
            budget,
            limited: self.inner.limiters.are_on(),
        };
        let outcome = attempts::run(&surroundings, |number, remaining| {
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
        let request_id = request_id(dialect, &self.inner.credential.secrets(), response.headers());
        let context = Context {
            provider: dialect.provider.clone(),
            operation: call.operation,
            idempotency: call.idempotency,
            find_out: call.find_out,
            request_id,
            attempts,
            keep_raw: options.raw,
        };
        Ok(Answer::new(context, response))
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

    /// One attempt, when its permit has come.
    async fn admitted_attempt(&self, mut attempt: Attempt<'_>) -> Result<(Response, u32), Failure> {
        let leave = self.leave(&attempt).await.map_err(Failure::NotAdmitted)?;
        attempt.remaining = attempt.remaining.saturating_sub(leave.waited.unwrap_or_default());
        let held = self.held(&mut attempt).await.map_err(Failure::NotAdmitted)?;
        let result = self.observed_attempt(&attempt, &held).await;
        self.tell_end(leave, attempt.call, result.as_ref().err());
        result.map_err(Failure::Sent)
    }

    /// The credential for an attempt, which is good as far as is known.
    async fn held(&self, attempt: &mut Attempt<'_>) -> Result<Arc<Held>, Error> {
        let Inner { options, credential, .. } = &*self.inner;
        if !credential.can_renew() {
            return credential.current(attempt.remaining).await;
        }
        let started = options.clock.instant();
        let held = credential.current(attempt.remaining).await;
        let elapsed = options.clock.instant().saturating_duration_since(started);
        attempt.remaining = attempt.remaining.saturating_sub(elapsed);
        held.map_err(|error| self.name(error, attempt.call.operation))
    }

    /// Tells the rate limiter and its breaker how an attempt ended.
    fn tell_end(&self, leave: HeldPermit<'_>, call: &Call<'_>, error: Option<&Error>) {
        let Inner { options, limiters, .. } = &*self.inner;
        leave.answered(match error {
            None => Feedback::Passed,
            Some(error) if error.kind() == ErrorKind::RateLimited => {
                Feedback::Refused { retry_after: error.retry_after() }
            }
            Some(error) if error.status().is_some_and(|status| status < 500) => Feedback::Passed,
            Some(error) => match error.retry_after() {
                Some(retry_after) if error.status() == Some(503) => Feedback::Unavailable { retry_after },
                _ => Feedback::Lost,
            },
        });
        match error.map(|error| (error, error.kind())) {
            None | Some((_, ErrorKind::NotFound)) => limiters.breaker.open(),
            Some((error, ErrorKind::Unauthenticated)) if call.idempotency != Idempotency::CountsUse => {
                limiters.breaker.close(error, options.clock.instant());
            }
            Some(_) => {}
        }
    }

    /// The leave of the rate limiter, when the permit of the request has come.
    async fn leave<'a>(&'a self, attempt: &Attempt<'a>) -> Result<HeldPermit<'a>, Error> {
        let Inner { dialect, base, options, limiters, .. } = &*self.inner;
        let Attempt { call, number, remaining, .. } = *attempt;
        let request = PermitRequest {
            provider: &dialect.provider,
            origin: base.origin_text(),
            account: options.account.as_ref(),
            operation: call.operation,
            attempt: number,
            remaining,
            longest_stop: options.retry.max_server_delay,
        };
        let told = |reason, expected| self.tell_wait(call, number, reason, expected);
        let entered = limiters.enter(request, &*options.clock, told).await;
        if !matches!(&entered, Ok(leave) if leave.waited.is_none()) {
            // It may have been refused meanwhile.
            if let Some(error) = limiters.breaker.check(|| options.clock.instant(), call.operation) {
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
            keymux.rate_limit.reason = reason.as_str(),
            keymux.rate_limit.expected_seconds = expected.map(|wait| wait.as_secs_f64()),
            "waits at the limiter",
        );
        if let Some(observer) = &options.observer {
            let (provider, operation) = (&dialect.provider, call.operation);
            observer.on_wait(&WaitEvent { provider, operation, attempt, reason, expected });
        }
    }

    /// The error of a call that waits in vain.
    fn not_in_time(&self, call: &Call<'_>, blocked: &Denied) -> Error {
        let wait = if let Denied::NotInTime(wait) = blocked { *wait } else { None };
        let message = "not sent, since its permit would have come after the time that the call may take";
        self.error(ErrorKind::RateLimited, call.operation)
            .with_message(message)
            .with_retry_after(wait.filter(|wait| !wait.is_zero()))
    }

    /// One attempt in a span of its own, told to the observer.
    async fn observed_attempt(&self, attempt: &Attempt<'_>, held: &Arc<Held>) -> Result<(Response, u32), Error> {
        let started = self.inner.options.observer.as_ref().map(|_| self.inner.options.clock.instant());
        let span = self.span(attempt);
        let work = pin!(self.attempt(attempt, held));
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
                account: options.account.as_ref(),
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

    /// One attempt. A credential that the vendor refuses is renewed, and the request sent once more.
    async fn attempt(&self, attempt: &Attempt<'_>, held: &Arc<Held>) -> Result<Response, Error> {
        let Inner { options, credential, .. } = &*self.inner;
        let started = credential.can_renew().then(|| options.clock.instant());
        let refused = match self.exchange(attempt, attempt.remaining, held).await {
            Err(error) if error.kind() == ErrorKind::Unauthenticated => error,
            result => return result,
        };
        // A refusal of a verification may be about the key that is verified.
        if let Some(started) = started.filter(|_| attempt.call.idempotency != Idempotency::CountsUse) {
            let remaining =
                || attempt.remaining.saturating_sub(options.clock.instant().saturating_duration_since(started));
            let newer = credential.after_refusal(held, remaining()).await;
            let newer = newer.map_err(|error| self.name(error, attempt.call.operation))?;
            if newer.is_newer_than(held) {
                return Box::pin(self.exchange(attempt, remaining(), &newer)).await;
            }
        }
        Err(match suspicion(held.secret()) {
            Some(hint) => {
                let said = refused.message().map_or_else(String::new, |said| format!("{said}; "));
                refused.with_message(format!("{said}{hint}"))
            }
            None => refused,
        })
    }

    fn name(&self, error: Error, operation: &'static str) -> Error {
        error.with_provider(self.inner.dialect.provider.clone()).with_operation(operation)
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        &Attempt { call, url, .. }: &Attempt<'_>,
        remaining: Duration,
        credential: &Held,
    ) -> Result<Response, Error> {
        let Inner { options, transport, .. } = &*self.inner;
        let largest = options.body_limit(call.is_list);
        let exchange = Exchange::new(largest);
        let limit = options.attempt_timeout.min(remaining);
        let mut work = transport.execute(self.request(call, url, credential), &exchange);
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
            Some(Ok(response)) if response.body().len() > largest => {
                let error = TransportError::new(TransportErrorKind::BodyTooLarge, None);
                Err(self.refusal(call).broken(exchange, error))
            }
            Some(Ok(response)) if response.status().is_success() => Ok(response),
            Some(Ok(response)) => {
                let (head, body) = response.into_parts();
                Err(self.refusal(call).rejected(head.status, &head.headers, &body))
            }
            Some(Err(error)) => Err(self.refusal(call).broken(exchange, error)),
            None => Err(self.refusal(call).timed_out(exchange, limit)),
        }
    }

    /// What makes the error of an attempt.
    fn refusal<'a>(&'a self, call: &'a Call<'a>) -> Refusal<'a> {
        let Inner { dialect, base, credential, options, .. } = &*self.inner;
        Refusal { dialect, base, credential, options, call }
    }

    /// The request of an attempt.
    fn request(&self, call: &Call<'_>, url: &Url, held: &Held) -> Request {
        let mut headers = self.inner.headers.clone();
        headers.insert(self.inner.credential.name().clone(), held.header.clone());
        headers.extend(call.headers.iter().cloned());
        if call.body.is_empty() && matches!(call.method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers may refuse these without a length, and the HTTP client sends none for no body.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = Request::new(call.method.clone(), url.clone(), headers, call.body.clone());
        request.fresh_connection = call.idempotency != Idempotency::Idempotent;
        request
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // That there is a credential is no secret.
        let mut headers = self.inner.headers.clone();
        headers.insert(self.inner.credential.name().clone(), HeaderValue::from_static("kept"));
        f.debug_struct("Pipeline")
            .field("provider", &self.inner.dialect.provider)
            .field("base", &self.inner.base)
            .field("headers", &crate::secret::print_headers(&headers))
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

/// How the user sees whether a call was carried out.
fn how_to_find_out(call: &Call<'_>) -> &'static str {
    match call.method {
        _ if !call.find_out.is_empty() => call.find_out,
        Method::DELETE => "look the key up; it is gone if the vendor does not know it",
        _ => "look the key up to see how it is now",
    }
}
