//! What the tests share: a vendor that answers as it is told and keeps what it was asked, a raw listener beneath it, a
//! clock that stands still, and what is asked of every record and every error.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keymux_core::{ClientOptions, Clock, Error, ErrorKind, Fact, FactState, Field, KeyRecord, RetryPolicy, Sleep};
use mockito::{Matcher, ServerGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The credential of every client.
pub(crate) const CREDENTIAL: &str = "workspace-credential";

/// The time of day, unless a test says otherwise.
pub(crate) const NOW: &str = "2025-06-01T12:00:00Z";

/// The headers that every request has, behind and before those of its vendor, in alphabetical order.
pub(crate) const ACCEPT: &str = "accept: application/json";
pub(crate) const USER_AGENT: &str = concat!("user-agent: keymux/", env!("CARGO_PKG_VERSION"));

/// What a vendor answers.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: usize,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

pub(crate) fn json(status: usize, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.into() }.with("content-type", "application/json")
}

pub(crate) fn text(status: usize, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.into() }.with("content-type", "text/plain; charset=utf-8")
}

pub(crate) fn html(status: usize, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.into() }.with("content-type", "text/html")
}

impl Reply {
    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }
}

/// A vendor on a mock server: gives its replies one after the other, the last one for ever.
pub(crate) struct Vendor {
    server: ServerGuard,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    pub(crate) async fn answering(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut server = mockito::Server::new_async().await;
        let asked = Arc::default();
        for Reply { status, headers, body } in replies {
            let asked: Arc<Mutex<Vec<String>>> = Arc::clone(&asked);
            let mut mock = server.mock("GET", Matcher::Any).with_status(status);
            for (name, value) in headers {
                mock = mock.with_header(name, &value);
            }
            let answer = move |request: &mockito::Request| {
                asked.lock().unwrap().push(describe(request));
                body.clone()
            };
            mock.with_body_from_request(answer).create_async().await;
        }
        Self { server, asked }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Every request whole: its line, its headers but `host` in alphabetical order, and its body if it has one.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The request lines alone.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
    }
}

fn describe(request: &mockito::Request) -> String {
    let headers = request.headers().iter().filter(|(name, _)| *name != "host");
    let mut lines: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))).collect();
    lines.sort();
    lines.insert(0, format!("{} {}", request.method(), request.path_and_query()));
    lines.extend(Some(request.utf8_lossy_body().unwrap().into_owned()).filter(|body| !body.is_empty()));
    lines.join("\n")
}

/// A socket that answers every connection with the same bytes, and keeps what came, byte by byte.
pub(crate) struct Listener {
    url: String,
    came: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let came = Arc::<Mutex<Vec<String>>>::default();
        let (seen, answer) = (Arc::clone(&came), answer.into());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap_or(0) > 0 {}
                seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                // A client that has read enough closes, which is no matter here.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { url, came }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What came with each connection, up to the end of the request's head.
    pub(crate) fn came(&self) -> Vec<String> {
        self.came.lock().unwrap().clone()
    }
}

/// The time of day stands still; waits and time limits are in earnest.
#[derive(Debug)]
struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn timestamp(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Each call is sent, whatever the vendor answered to the one before: a client is asked for one refusal after the other.
pub(crate) fn regardless() -> ClientOptions {
    ClientOptions::new().without_rate_limiter().with_credential_recheck(Duration::ZERO)
}

/// One attempt, at this time of day.
pub(crate) fn once_at(time: &str) -> ClientOptions {
    regardless().with_retry(RetryPolicy::never()).with_clock(Arc::new(FixedClock(time.parse().unwrap())))
}

/// One attempt.
pub(crate) fn once() -> ClientOptions {
    once_at(NOW)
}

/// Four attempts, in quick succession.
pub(crate) fn quickly() -> ClientOptions {
    once().with_retry(RetryPolicy::default().with_base_delay(Duration::from_millis(1)))
}

/// A field with this text.
pub(crate) fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

/// A field with this instant.
pub(crate) fn instant(text: &str) -> Fact<Timestamp> {
    Fact::Known(text.parse().unwrap())
}

/// The fields of each list are in that state and all others are unsupported, in the record and in its JSON, which
/// gives the record back.
pub(crate) fn assert_states(record: &KeyRecord, known: &[Field], empty: &[Field], missing: &[Field]) {
    let text = serde_json::to_string(record).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for &field in Field::ALL {
        let expected = match field {
            _ if known.contains(&field) => FactState::Known,
            _ if empty.contains(&field) => FactState::Empty,
            _ if missing.contains(&field) => FactState::Missing,
            _ => FactState::Unsupported,
        };
        assert_eq!(record.coverage(field), expected, "{field}");
        assert_eq!(json["coverage"][field.as_str()], expected.as_str(), "{field}");
        let value = field.as_str().split('.').fold(&json, |json, member| &json[member]);
        assert_eq!(value.is_null(), expected != FactState::Known, "{field}");
    }
    assert_eq!(serde_json::from_str::<KeyRecord>(&text).unwrap(), *record);
}

/// What an error tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    variant: String,
    kind: ErrorKind,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
}

/// A refusal with this status at the first attempt: without code, message and delay.
pub(crate) fn told(variant: &str, kind: ErrorKind, status: u16) -> Told {
    let (variant, status) = (variant.to_owned(), Some(status));
    Told { variant, kind, status, code: None, message: None, retry_after: None, attempts: 1 }
}

impl Told {
    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn message(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }

    pub(crate) fn retry_after_ms(mut self, delay: u64) -> Self {
        self.retry_after = Some(Duration::from_millis(delay));
        self
    }

    pub(crate) fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// What the error of a vendor's client, a `variant` with `details`, tells.
    pub(crate) fn by(variant: &impl Debug, details: &Error) -> Self {
        Self {
            variant: format!("{variant:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned(),
            kind: details.kind(),
            status: details.status(),
            code: details.code().map(str::to_owned),
            message: details.message().map(str::to_owned),
            retry_after: details.retry_after(),
            attempts: details.attempts(),
        }
    }

    /// What the unified error tells, whose source is the vendor's `E`.
    pub(crate) fn by_unified<E: StdError + 'static>(error: &Error, provider: &str) -> Self {
        assert_eq!(error.provider().unwrap().as_str(), provider);
        let source: &E = error.source().unwrap().downcast_ref().unwrap();
        let told = Self::by(source, error);
        let line = error.to_string();
        let status = told.status.map(|status| status.to_string());
        let parts = [Some(provider.to_owned()), error.operation().map(str::to_owned), status];
        for part in parts.into_iter().chain([told.code.clone(), told.message.clone()]).flatten() {
            assert!(line.contains(&part), "{part:?} in {line:?}");
        }
        assert!(!line.contains('\n'), "{line:?}");
        told
    }
}

/// Everything that `error` and its sources print.
pub(crate) fn printed(error: &Error) -> String {
    let mut all = format!("{error:?} {error:#?}");
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        all = format!("{all} {error} {error:?}");
        next = error.source();
    }
    all
}
