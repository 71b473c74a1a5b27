//! What an answer that is not a success means, and an exchange that broke.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, LOCATION};
use secrecy::SecretString;

use super::base_url::BaseUrl;
use super::call::{Call, Quiet};
use super::dialect::{Dialect, Rejected, plain_words};
use super::options::ClientOptions;
use super::transport::{Exchange, TransportError, TransportErrorKind};
use crate::credential::Credentials;
use crate::error::{Error, ErrorKind};
use crate::retry::server_delay;
use crate::secret::{compression, scrub_id, scrub_text};

/// Makes the error of an attempt of `call`.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) base: &'a BaseUrl,
    pub(super) credential: &'a Credentials,
    pub(super) options: &'a ClientOptions,
    pub(super) call: &'a Call<'a>,
}

impl Refusal<'_> {
    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind).with_provider(self.dialect.provider.clone()).with_operation(self.call.operation)
    }

    /// The error of an answer that is not a success.
    pub(super) fn rejected(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let Self { dialect, base, options, credential, call } = *self;
        let credential = &credential.secrets();
        let status_code = status.as_u16();
        let error = |kind| self.error(kind).with_status(status_code);
        if status.is_redirection() {
            let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| base.resolve(to));
            // The rest of a location may be a signed URL.
            let to = match to {
                Some(to) if to.origin() != base.origin() => format!("to {}", to.origin().ascii_serialization()),
                _ => "within its origin".to_owned(),
            };
            return error(ErrorKind::Redirected)
                .with_request_id(request_id(dialect, credential, headers))
                .with_message(format!(
                    "the vendor redirects {to}, and redirects are not followed; check the base URL"
                ));
        }
        let text = String::from_utf8_lossy(within_limit(body));
        let text = text.trim_start_matches('\u{feff}');
        let json = serde_json::from_str(text).unwrap_or_default();
        let rejected = Rejected { status: status_code, headers, text, json: &json, credential, quiet: call.quiet };
        let rejection = (dialect.read_rejection)(&rejected);
        let own = dialect.wait_headers_of(status_code);
        let delay = server_delay(headers, own, rejection.retry_after, options.clock.timestamp());
        let said = match (rejection.message, compression(headers)) {
            (Some(message), _) if !message.trim_start().starts_with('<') => message,
            (_, Some(encoding)) => format!("a compressed ({encoding}) body of {} bytes, not asked for", body.len()),
            _ => describe_body(text, body.len()),
        };
        let message = match call.quiet {
            Quiet::Not => scrub_text(&said, credential),
            Quiet::PlainWordsOnly if rejected.is_refusal() => plain_words(&scrub_text(&said, credential)),
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
                    .or_else(|| request_id(dialect, credential, headers)),
            )
            .with_retry_after(delay)
            .with_detail(rejection.detail);
        if message.is_empty() { error } else { error.with_message(message) }
    }

    /// The error of an exchange that broke. A refusal whose body broke off is still that refusal.
    pub(super) fn broken(&self, exchange: Exchange, error: TransportError) -> Error {
        let status = exchange.status();
        if let Some((status, headers)) = exchange.into_refusal() {
            return self.rejected(status, &headers, &[]);
        }
        let kind = match error.kind() {
            TransportErrorKind::Connect => ErrorKind::Connect,
            TransportErrorKind::Head | TransportErrorKind::Body => ErrorKind::Transport,
            TransportErrorKind::BodyTooLarge => ErrorKind::TooLarge,
        };
        let message = match error.kind() {
            TransportErrorKind::BodyTooLarge => self.too_large(&error),
            _ => error.explanation().map_or_else(|| innermost(&error), str::to_owned),
        };
        let told = self.error(kind).with_message(message).with_permanent(error.is_permanent());
        let told = told.with_detail(error.distrust().map(|distrust| Arc::new(distrust) as _));
        with_status(told.with_source(error), status)
    }

    fn too_large(&self, error: &TransportError) -> String {
        let largest = self.options.body_limit(self.call.is_list);
        if self.call.is_list {
            return format!("{error} ({largest} bytes for a list); {} can allow more", self.options.list_size_setting);
        }
        format!(
            "{error} ({largest} bytes); no single key has so many, so that something else than the vendor may answer"
        )
    }

    pub(super) fn timed_out(&self, exchange: Exchange, limit: Duration) -> Error {
        let status = exchange.status();
        if let Some((status, headers)) = exchange.into_refusal() {
            return self.rejected(status, &headers, &[]);
        }
        let what = if status.is_some() { "the body of the answer did not end" } else { "no answer came" };
        let error = self.error(ErrorKind::Timeout);
        with_status(error.with_message(format!("{what} within {:.1} s", limit.as_secs_f64())), status)
    }
}

/// The vendor's id of a request, from the headers of its answer.
pub(super) fn request_id(dialect: &Dialect, credential: &SecretString, headers: &HeaderMap) -> Option<String> {
    let value = headers.get(dialect.request_id_header?)?.to_str().ok()?;
    Some(scrub_id(value, credential))
}

/// Whether `text` looks like a code, and not like a key that the answer repeats: capitals without digits, or a short
/// number.
fn is_code(text: &str) -> bool {
    let capitals = text.len() < 32 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    capitals || (text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()))
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
        // Too early: refused as it stands, and not looked at.
        409 | 425 => ErrorKind::Conflict,
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
