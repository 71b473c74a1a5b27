//! A credential that sings: it is used with a vendor that repeats it wherever it can, and must not be seen in anything
//! that this crate prints, returns or logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use async_trait::async_trait;
use bytes::Bytes;
use common::fake::{Fraction, Journal, VirtualClock};
use common::server::Act::{self, Hang, Read, Reset};
use common::server::{Server, answer, send};
use common::{OPERATION, SHAPE, ms, read_rejection};
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use keymux_core::{
    Answer, BaseUrl, Call, ClientOptions, Dialect, Error, ErrorKind, Exchange, Pipeline, ProviderId, Rejected,
    Rejection, Request, Response, RetryPolicy, Setup, Transport, TransportError,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Only letters, so that it does not look like a key: what hides it is that it is known, not its shape.
const CANARY: &str = "CANARY-of-letters";

/// The beginning of it tells too much as well.
const SONG: &str = "CANARY";

#[track_caller]
fn assert_silent(what: &str, text: &str) {
    assert!(!text.contains(SONG), "{what} sings: {text}");
}

/// Both printed forms of a value.
fn printed(value: &dyn Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// Everything that an error says.
fn said(error: &Error) -> String {
    let mut text = format!("{error}\n{}\n", printed(error));
    let parts = [error.message(), error.code(), error.request_id()];
    text.extend(parts.into_iter().flatten().map(|part| format!("{part}\n")));
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, "{error}\n{error:?}\n{error:#?}\n").unwrap();
        cause = error.source();
    }
    text
}

// ---- A subscriber that keeps everything ----

thread_local! {
    /// What was logged on this thread: each test has its own, with everything that it starts.
    static LOGGED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs once in the process: subscribers that come and go change each other's view of what is enabled.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Log::default()).unwrap());
    LOGGED.take();
}

#[derive(Debug, Default)]
struct Log {
    spans: AtomicU64,
}

impl Log {
    fn add(what: &str, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(format!("{what}:"));
        record(&mut line);
        LOGGED.with_borrow_mut(|text| writeln!(text, "{}", line.0)).unwrap();
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        Self::add(attributes.metadata().name(), |line| attributes.record(line));
        Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        Self::add("recorded", |line| values.record(line));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::add(event.metadata().target(), |line| event.record(line));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

// ---- The vendor ----

/// Answers with the credential in every header that is shown or read somewhere.
const HEADERS: [&str; 9] = [
    "X-Request-Id: CANARY-of-letters",
    "Retry-After: CANARY-of-letters",
    "Retry-After-Ms: CANARY-of-letters",
    "Date: CANARY-of-letters",
    "Server: CANARY-of-letters",
    "Content-Type: CANARY-of-letters",
    "Set-Cookie: session=CANARY-of-letters",
    "Authorization: Bearer CANARY-of-letters",
    "Location: https://CANARY-of-letters:CANARY-of-letters@acme.example/CANARY-of-letters?k=CANARY-of-letters",
];

/// Bodies of a vendor that repeats the credential.
fn bodies() -> Vec<String> {
    vec![
        format!("the key {CANARY} is not accepted"),
        format!("Authorization: Bearer {CANARY}"),
        format!("key={CANARY}&"),
        format!("x{CANARY}x"),
        CANARY.to_owned(),
        format!("\u{feff}{CANARY}"),
        format!("<html>{CANARY}</html>"),
        format!(r#"{{"message":"the key {CANARY} is not accepted"}}"#),
        format!(r#"{{"message":"no","code":"{CANARY}"}}"#),
        format!(r#"{{"message":"{}{CANARY}"}}"#, "a ".repeat(149)),
        format!(r#"{{"unknown":"{CANARY}"}}"#),
        format!(r#"["{CANARY}"]"#),
        format!(r#"{{"message":"{CANARY}"#),
        format!("\u{feff}{{\"unknown\":\"{CANARY}\"}}"),
    ]
}

fn dialect(read_rejection: fn(&Rejected<'_>) -> Rejection) -> Dialect {
    Dialect {
        provider: ProviderId::new("acme"),
        request_id_header: Some(common::REQUEST_ID),
        read_rejection,
        rate_limit: None,
        wait_headers: &[],
    }
}

fn options() -> ClientOptions {
    ClientOptions::new()
        .with_clock(Arc::new(VirtualClock::for_sockets()))
        .with_randomness(Arc::new(Fraction(0.5)))
        .with_retry(RetryPolicy::default().with_max_attempts(2))
        .with_raw(true)
}

fn setup(base: &str, options: ClientOptions) -> Setup {
    Setup::new(CANARY, base).with_options(options)
}

fn pipeline(base: &str, options: ClientOptions) -> Pipeline {
    setup(base, options).connect(dialect(read_rejection), (AUTHORIZATION, "Bearer "), HeaderMap::new(), "/v1").unwrap()
}

async fn call(pipeline: &Pipeline) -> Result<Answer, Error> {
    pipeline.send(Call::get(OPERATION, &["keys", "a"])).await
}

/// Calls a server that does `acts` at each connection. Returns the error, and checks everything that can be seen.
async fn check_failure(what: &str, acts: Vec<Act>, options: ClientOptions) -> Error {
    listen();
    let journal = Arc::new(Journal::default());
    let server = Server::start([acts]).await;
    let pipeline = pipeline(&server.url(), options.with_observer(journal.clone()));
    let error = match call(&pipeline).await {
        Ok(answer) => answer.decode::<common::Key>(&SHAPE).unwrap_err(),
        Err(error) => error,
    };
    let log = LOGGED.take();
    assert!(server.requests().iter().all(|head| head.contains(CANARY)), "the credential is in use");
    assert_silent(&format!("the error after {what}"), &said(&error));
    assert_silent(&format!("the observer after {what}"), &journal.lines().join("\n"));
    assert_silent(&format!("the log after {what}"), &log);
    assert!(log.contains("keymux.attempt: ") && log.contains("keymux.operation=\"get_key\""));
    error
}

// ---- What an error, a log and an observer say ----

#[tokio::test]
async fn an_error_never_sings_whatever_the_vendor_puts_into_its_body() {
    for body in bodies() {
        for status in ["401 Unauthorized", "404 Not Found", "429 Too Many Requests", "503 Service Unavailable"] {
            let acts = vec![Read, answer(status, &["Connection: close"], &body)];
            check_failure(&format!("{status} {body}"), acts, options()).await;
        }
    }
}

#[tokio::test]
async fn an_error_never_sings_wherever_a_long_body_is_cut() {
    for length in [280, 290, 300, 4060, 4070, 4078, 4079, 4080, 4085, 4090, 4095] {
        for filler in ["x".repeat(length), "a ".repeat(length / 2)] {
            let acts = vec![Read, answer("400 Bad Request", &[], format!("{filler} {CANARY}"))];
            check_failure(&format!("{length} bytes"), acts, options()).await;
        }
    }
}

#[tokio::test]
async fn an_error_never_sings_in_a_request_id_from_a_body() {
    let body = format!(r#"{{"message":"no","request_id":"{CANARY}"}}"#);
    let error = check_failure("a request id", vec![Read, answer("400 Bad Request", &[], body)], options()).await;
    assert!(error.request_id().is_some());
}

#[tokio::test]
async fn an_error_never_sings_whatever_the_vendor_puts_into_its_headers() {
    for status in [200, 302, 400, 429, 500] {
        let acts = vec![Read, answer(&format!("{status} {CANARY}"), &HEADERS, "<html>")];
        let error = check_failure(&format!("headers of {status}"), acts, options()).await;
        assert_eq!(error.status(), Some(status));
    }
}

#[tokio::test]
async fn an_error_never_sings_whatever_encoding_the_vendor_names() {
    let acts = vec![Read, answer("200 OK", &[&format!("Content-Encoding: {CANARY}")], "<html>")];
    let error = check_failure("an encoding", acts, options()).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn an_error_never_sings_however_a_connection_breaks() {
    let table = [
        ("a reset", vec![Reset], ErrorKind::Transport),
        ("a banner", vec![Read, send(format!("{CANARY}\r\n\r\n"))], ErrorKind::Transport),
        ("a bad header", vec![Read, send(format!("HTTP/1.1 200 OK\r\n{CANARY}\r\n\r\n"))], ErrorKind::Transport),
        (
            "a short body",
            vec![Read, send(format!("HTTP/1.1 200 {CANARY}\r\nContent-Length: 99\r\n\r\n{CANARY}"))],
            ErrorKind::Transport,
        ),
        (
            "a bad chunk",
            vec![Read, send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n"))],
            ErrorKind::Transport,
        ),
        (
            "a large body",
            vec![Read, send(format!("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{CANARY}"))],
            ErrorKind::TooLarge,
        ),
        ("silence", vec![Read, send(format!("HTTP/1.1 200 {CANARY}\r\n")), Hang], ErrorKind::Timeout),
    ];
    for (what, acts, kind) in table {
        let error = check_failure(what, acts, options().with_attempt_timeout(ms(100))).await;
        assert_eq!(error.kind(), kind, "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_does_not_sing() {
    let bodies = [
        CANARY.to_owned(),
        format!("<html>{CANARY}"),
        format!("[\"{CANARY}\"]"),
        format!("\"{CANARY}\""),
        format!("{{\"id\":[\"{CANARY}\"]}}"),
        format!("{{\"id\":{{\"{CANARY}\":1}}}}"),
        format!("{{\"name\":\"{CANARY}\"}}"),
        format!("{{\"id\":\"{CANARY}"),
    ];
    for body in bodies {
        let error = check_failure(&body, vec![Read, answer("200 OK", &[], &body)], options()).await;
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
}

// ---- What the types print ----

#[tokio::test]
async fn a_setup_a_client_and_its_options_do_not_sing() {
    let options = options().with_root_certificates_pem(CANARY).with_observer(Arc::new(Journal::default()));
    let setup = setup("http://127.0.0.1:1", options.clone());
    let pipeline = pipeline("http://127.0.0.1:1/base", self::options());
    let values: [(&str, &dyn Debug); 4] = [
        ("the options", &options),
        ("the setup", &setup),
        ("the pipeline", &pipeline),
        ("the setup with a password in its URL", &Setup::new("secret", &format!("https://u:{CANARY}@acme.example"))),
    ];
    for (what, value) in values {
        assert_silent(what, &printed(value));
    }
    assert!(printed(&pipeline).contains("authorization"), "that there is a credential is no secret");
}

#[test]
fn a_setup_that_is_refused_does_not_sing() {
    let connect = |setup: Setup| setup.connect(dialect(read_rejection), (AUTHORIZATION, ""), HeaderMap::new(), "");
    let table = [
        Setup::new(format!("{CANARY}\n"), "https://acme.example"),
        Setup::new(format!("Bearer {CANARY}"), "https://acme.example"),
        Setup::new(format!("{CANARY}\u{e9}"), "https://acme.example"),
        Setup::new(CANARY, "http://acme.example"),
        Setup::new("secret", &format!("https://u:{CANARY}@acme.example")),
        Setup::new("secret", &format!("https://acme.example?{CANARY}")),
        Setup::new("secret", &format!("{CANARY} is no URL")),
        Setup::new("secret", "https://acme.example")
            .with_options(ClientOptions::new().with_root_certificates_pem(CANARY.as_bytes())),
    ];
    for setup in table {
        let error = connect(setup).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_silent("a refused setup", &said(&error));
    }
    let base = BaseUrl::parse("the base URL", "https://acme.example").unwrap();
    let credential = (AUTHORIZATION, "Bearer ", format!("{CANARY}\n").into());
    let error = Pipeline::new(dialect(read_rejection), base, credential, HeaderMap::new(), options()).unwrap_err();
    assert_silent("a refused client", &said(&error));
}

/// Answers with the credential everywhere, and keeps what its arguments print.
#[derive(Debug, Default)]
struct Echo {
    printed: Mutex<Vec<(&'static str, String)>>,
}

#[async_trait]
impl Transport for Echo {
    async fn execute(&self, request: Request, exchange: &Exchange) -> Result<Response, TransportError> {
        let credential = request.headers[AUTHORIZATION].to_str().unwrap().to_owned();
        assert!(credential.contains(CANARY), "the credential is in use");
        let mut response = Response::new(Bytes::from(format!("{{\"message\":\"{credential}\"}}")));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        for name in ["x-request-id", "set-cookie", "location", "server", "retry-after"] {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(&credential).unwrap());
        }
        exchange.head_received(response.status(), response.headers());
        self.printed.lock().unwrap().extend([
            ("a request", printed(&request)),
            ("a copy of a request", printed(&request.clone())),
            ("the headers of a request", printed(&request.headers)),
            ("an exchange", printed(&exchange)),
        ]);
        Ok(response)
    }
}

async fn assert_echo_is_silent(what: &str) {
    let echo = Arc::new(Echo::default());
    let pipeline = pipeline("https://acme.example", options().with_transport(echo.clone()));
    let error = call(&pipeline).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let printed = echo.printed.lock().unwrap().clone();
    let about: Vec<_> = printed.iter().filter(|(about, _)| about.contains(what)).collect();
    assert!(!about.is_empty());
    for (what, text) in about {
        assert_silent(what, text);
    }
}

#[tokio::test]
async fn a_request_does_not_sing() {
    assert_echo_is_silent("request").await;
}

#[tokio::test]
async fn an_exchange_does_not_sing() {
    assert_echo_is_silent("exchange").await;
}

#[tokio::test]
async fn an_answer_does_not_sing() {
    let headers: Vec<_> = HEADERS.iter().copied().filter(|header| !header.starts_with("Location")).collect();
    let body = format!(r#"{{"id":"a","secret":"{CANARY}"}}"#);
    let server = Server::start([vec![Read, answer("200 OK", &headers, body)]]).await;
    let answer = call(&pipeline(&server.url(), options())).await.unwrap();
    assert_silent("an answer", &printed(&answer));
}

#[tokio::test]
async fn what_is_decoded_does_not_sing_where_the_shape_names_a_secret() {
    let shape = keymux_core::Shape { secrets: &["secret"], ..SHAPE };
    let body = format!(r#"{{"id":"a","secret":"{CANARY}","new":"{CANARY}","deep":[{{"new":"{CANARY}"}}]}}"#);
    listen();
    let server = Server::start([vec![Read, answer("200 OK", &[], body)]]).await;
    let answer = call(&pipeline(&server.url(), options())).await.unwrap();
    let decoded = answer.decode::<common::Key>(&shape).unwrap();
    let log = LOGGED.take();
    assert!(decoded.raw.is_some() && !decoded.drift.is_empty());
    assert_silent("what is decoded", &printed(&decoded));
    assert_silent("the log", &log);
    assert!(log.contains("is not documented"), "{log}");
}

/// What a refusal prints where a vendor's crate reads it.
static READ: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn read_and_print(rejected: &Rejected<'_>) -> Rejection {
    let rejection = read_rejection(rejected);
    READ.lock().unwrap().extend([printed(rejected), printed(&rejection)]);
    rejection
}

#[tokio::test]
async fn a_refusal_does_not_sing_where_a_vendors_crate_reads_it() {
    let body = format!(r#"{{"message":"{CANARY}","code":"{CANARY}","request_id":"{CANARY}"}}"#);
    let server = Server::start([vec![Read, answer("400 Bad Request", &HEADERS, body)]]).await;
    let pipeline = setup(&server.url(), options())
        .connect(dialect(read_and_print), (AUTHORIZATION, ""), HeaderMap::new(), "")
        .unwrap();
    call(&pipeline).await.unwrap_err();
    let printed = READ.lock().unwrap().clone();
    assert_eq!(printed.len(), 2);
    for text in printed {
        assert_silent("a refusal that is read", &text);
    }
}
