//! Everything that goes to `tracing` during look-ups over real sockets, at the finest level.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use keymux::{ClientOptions, ErrorKind, RetryPolicy};
use mockito::{Matcher, Server};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{CREDENTIAL, Journal, Walk, facade, nests, with_secrets};
use crate::fixtures::{June, Vendor, full};

/// A subscriber that keeps all spans and events of all crates as text.
#[derive(Debug, Clone, Default)]
struct Log {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Log {
    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn add(&self, head: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(head.to_owned());
        record(&mut line);
        writeln!(self.text.lock().unwrap(), "{}", line.0).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.add(attributes.metadata().name(), |line| attributes.record(line));
        Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        self.add("recorded", |line| values.record(line));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata().target(), |line| event.record(line));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// Asks for the example with the canary as the credential, and walks over what came of it and over the log, which is
/// returned.
async fn walk_look_up(what: &str, walk: &mut Walk, example: &crate::fixtures::Example, server: &Server) -> String {
    let log = Log::default();
    let journal = Arc::new(Journal::default());
    let subscribed = tracing::subscriber::set_default(log.clone());
    let policy = RetryPolicy::default().with_max_attempts(2);
    let options =
        ClientOptions::new().without_rate_limiter().with_clock(Arc::new(June)).with_retry(policy).with_raw(true);
    let (keymux, key) = facade(example, &server.url(), options.with_observer(journal.clone()));
    let outcome = keymux.get_many([key]).next().await.unwrap();
    drop(subscribed);
    walk.outcome(what, &outcome);
    walk.text(&format!("{what}, observer"), &journal.text());
    walk.text(&format!("{what}, log"), &log.text());
    assert!(log.text().contains("keymux.attempt "), "{what}: {}", log.text());
    log.text()
}

#[tokio::test]
async fn the_log_of_a_success_shows_no_credential_and_no_secret_of_the_answer() {
    let mut walk = Walk::default();
    for nest in nests() {
        for (what, example) in with_secrets(&nest) {
            let mut server = Server::new_async().await;
            let sent = Matcher::Regex(CREDENTIAL.to_owned());
            let header = if nest.vendor == Vendor::Datkey { "x-api-key" } else { "authorization" };
            let path = example.vendor.path(&example.address);
            let mock = server.mock("GET", path.as_str()).match_header(header, sent).with_body(example.body.to_string());
            let mock = mock.create_async().await;
            let what = format!("{}, {what}", nest.name());
            let log = walk_look_up(&what, &mut walk, &example, &server).await;
            mock.assert_async().await;
            assert!(log.contains("documented") || !what.contains("undocumented"), "{what}: {log}");
        }
    }
    walk.assert_silent();
}

#[tokio::test]
async fn the_log_of_a_failure_shows_no_credential() {
    let mut walk = Walk::default();
    let c = CREDENTIAL;
    let body = json!({"message": c, "Message": c, "detail": c, "error": c, "code": c, "Code": c, "error_code": c});
    for vendor in Vendor::ALL {
        for status in [302, 401, 404, 422, 429, 503] {
            let mut server = Server::new_async().await;
            let mock = server.mock("GET", Matcher::Any).with_status(status).with_body(body.to_string());
            let mock = mock
                .with_header("location", &format!("https://storage.example/{c}?signature={c}"))
                .with_header("x-bt-internal-trace-id", c)
                .with_header("set-cookie", c)
                .with_header("www-authenticate", c)
                .expect_at_least(1);
            let mock = mock.create_async().await;
            let what = format!("{vendor:?}, {status}");
            let log = walk_look_up(&what, &mut walk, &full(vendor), &server).await;
            mock.assert_async().await;
            assert!(log.contains(&status.to_string()), "{what}: {log}");
        }
    }
    walk.assert_silent();
}

#[tokio::test]
async fn the_log_of_an_answer_that_cannot_be_read_does_not_show_it() {
    let mut walk = Walk::default();
    for vendor in Vendor::ALL {
        for body in ["CANARY", "<html>CANARY", r#"{"unknown":"CANARY"}"#, r#"{"prefix":"CANARY"#] {
            let mut server = Server::new_async().await;
            server.mock("GET", Matcher::Any).with_body(body).create_async().await;
            walk_look_up(&format!("{vendor:?}"), &mut walk, &full(vendor), &server).await;
        }
    }
    walk.assert_silent();
}

#[tokio::test]
async fn an_error_of_a_connection_that_fails_shows_no_credential() {
    // Nobody listens there: the port was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut walk = Walk::default();
    for vendor in Vendor::ALL {
        let options = ClientOptions::new().with_retry(RetryPolicy::never());
        let (keymux, key) = facade(&full(vendor), &format!("http://127.0.0.1:{port}"), options);
        let log = Log::default();
        let subscribed = tracing::subscriber::set_default(log.clone());
        let error = keymux.get(&key).await.unwrap_err();
        drop(subscribed);
        assert_eq!(error.kind(), ErrorKind::Connect);
        walk.error(&format!("{vendor:?}"), &error);
        walk.text(&format!("{vendor:?}, log"), &log.text());
    }
    walk.assert_silent();
}

#[tokio::test]
async fn the_walk_finds_a_canary_that_is_planted_in_the_name_of_an_undocumented_member() {
    for vendor in Vendor::ALL {
        let example = full(vendor).with_key(|key| key["CANARY"] = json!(1));
        let mut server = Server::new_async().await;
        server.mock("GET", Matcher::Any).with_body(example.body.to_string()).create_async().await;
        let mut walk = Walk::default();
        walk_look_up("planted", &mut walk, &example, &server).await;
        assert!(walk.found.iter().any(|found| found.starts_with("planted, log:")), "{:?}", walk.found);
    }
}
