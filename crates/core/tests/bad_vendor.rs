//! The built-in transport on real sockets, and what it makes of servers that do not do as they should.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::cell::Cell;
use std::future::Future;
use std::panic;
use std::sync::Arc;
use std::time::Duration;

use common::fake::VirtualClock;
use common::server::Act::{self, Hang, Read, Reset, SendForEver};
use common::server::{Server, answer, ok, send};
use common::{OPERATION, SHAPE, call, dialect, look_up, ms, pipeline, seconds};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use keymux_core::{
    BaseUrl, Call, ClientOptions, DriftKind, Error, ErrorKind, Fact, Pipeline, RetryPolicy, TransportError,
    TransportErrorKind,
};
use tokio::net::TcpListener;

/// Options whose waits between attempts take no time. The limit of an attempt keeps a broken test from hanging.
fn options() -> ClientOptions {
    ClientOptions::new().with_clock(Arc::new(VirtualClock::for_sockets())).with_attempt_timeout(seconds(20))
}

fn one_attempt() -> ClientOptions {
    options().with_retry(RetryPolicy::never())
}

/// What one attempt at a server that does `acts` ends in.
async fn failure(acts: Vec<Act>) -> Error {
    let server = Server::start([acts]).await;
    look_up(&pipeline(&server.url(), one_attempt())).await.unwrap_err()
}

/// What the transport says.
fn cause(error: &Error) -> TransportErrorKind {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<TransportError>()).unwrap().kind()
}

/// `future`, which is over long before the limit unless something is wrong.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(seconds(20), future).await.expect("hangs")
}

// ---- Servers that do not answer ----

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = Server::start([vec![Read, Hang]]).await;
    let error = call(&pipeline(&server.url(), one_attempt().with_attempt_timeout(ms(100)))).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Timeout, None));
    assert_eq!(error.message(), Some("no answer came within 0.1 s"));
    soon(server.ended(1)).await;
}

#[tokio::test]
async fn a_server_that_drips_its_head_is_given_up_in_time() {
    let server = Server::start([vec![Read, send("HTTP/1.1 200 OK\r\nServer: a"), Hang]]).await;
    let error = call(&pipeline(&server.url(), one_attempt().with_attempt_timeout(ms(100)))).await.unwrap_err();
    assert_eq!(error.message(), Some("no answer came within 0.1 s"));
}

#[tokio::test]
async fn a_server_that_stops_in_the_body_is_given_up_in_time() {
    let server =
        Server::start([vec![Read, send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"), Hang]]).await;
    let error = call(&pipeline(&server.url(), one_attempt().with_attempt_timeout(ms(100)))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.message(), Some("the body of the answer did not end within 0.1 s"));
    soon(server.ended(1)).await;
}

#[tokio::test]
async fn provisional_answers_without_end_do_not_prolong_an_attempt() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let server = Server::start([vec![Read, SendForEver(early.repeat(100).into_bytes())]]).await;
    let error = call(&pipeline(&server.url(), one_attempt().with_attempt_timeout(ms(100)))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Transport), "{error}");
    soon(server.ended(1)).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let server = Server::start([vec![Read, Hang]]).await;
    let pipeline = pipeline(&server.url(), options());
    tokio::select! {
        _ = call(&pipeline) => panic!("there is no answer"),
        () = server.asked(1) => {}
    }
    soon(server.ended(1)).await;
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

// ---- Connections that break ----

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_as_often_as_allowed() {
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":\"a\"}";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n";
    let table = [
        // what the server does, where the connection broke
        (vec![Reset], TransportErrorKind::Head),
        (vec![Read], TransportErrorKind::Head),
        (vec![Read, send("HTTP/1.1 200 OK\r\nConte")], TransportErrorKind::Head),
        (vec![Read, send(body)], TransportErrorKind::Body),
        (vec![Read, send(chunks)], TransportErrorKind::Body),
        (vec![Read, send(format!("{chunks}50\r\n:\"a\""))], TransportErrorKind::Body),
        (vec![Read, send(format!("{chunks}zz\r\n"))], TransportErrorKind::Body),
        (vec![Read, send(format!("{chunks}ffffffffffffffffff\r\n"))], TransportErrorKind::Body),
        (vec![Read, send("SSH-2.0-OpenSSH_9.6\r\n")], TransportErrorKind::Head),
        (vec![Read, send("HTTP/1.1 OK\r\n\r\n")], TransportErrorKind::Head),
        (vec![Read, send("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")], TransportErrorKind::Head),
        (
            vec![Read, send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")],
            TransportErrorKind::Head,
        ),
        (vec![Read, send("HTTP/1.1 200 OK\r\nno header\r\n\r\n")], TransportErrorKind::Head),
        (vec![Read, send(format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(10_000)))], TransportErrorKind::Head),
    ];
    for (acts, broke) in table {
        let what = format!("{:.300}", format!("{acts:?}"));
        let server = Server::start([acts]).await;
        let error = look_up(&pipeline(&server.url(), options())).await.unwrap_err();
        assert_eq!((error.kind(), cause(&error)), (ErrorKind::Transport, broke), "{what}: {error}");
        assert_eq!((error.attempts(), server.connections()), (4, 4), "{what}");
        assert!(error.may_have_executed() && error.is_retryable(), "{what}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_once_does_no_harm() {
    for first in [vec![Reset], vec![Read], vec![Read, send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")]] {
        let server = Server::start([first, vec![Read, ok()]]).await;
        assert_eq!(look_up(&pipeline(&server.url(), options())).await.unwrap().value.id, "a");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_no_connection_and_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let error = call(&pipeline(&url, options())).await.unwrap_err();
    assert_eq!((error.kind(), cause(&error)), (ErrorKind::Connect, TransportErrorKind::Connect));
    assert_eq!(error.attempts(), 4);
    assert!(!error.may_have_executed() && error.is_retryable());
    assert!(error.message().unwrap().contains("refused"), "the cause is named: {error}");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    let server = Server::start([vec![Read, ok()], vec![Read, ok()]]).await;
    let pipeline = pipeline(&server.url(), options());
    look_up(&pipeline).await.unwrap();
    soon(server.ended(1)).await;
    look_up(&pipeline).await.unwrap();
    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_closes_under_the_second_request_is_replaced() {
    let server = Server::start([vec![Read, ok(), Read], vec![Read, ok()]]).await;
    let pipeline = pipeline(&server.url(), options());
    look_up(&pipeline).await.unwrap();
    look_up(&pipeline).await.unwrap();
    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start([vec![Read, ok(), Read, answer("404 Not Found", &[], "{}"), Read, ok()]]).await;
    let pipeline = pipeline(&server.url(), options());
    look_up(&pipeline).await.unwrap();
    assert_eq!(look_up(&pipeline.clone()).await.unwrap_err().kind(), ErrorKind::NotFound);
    look_up(&pipeline).await.unwrap();
    assert_eq!((server.connections(), server.requests().len()), (1, 3));
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_answers_no_later_call() {
    let stray = send("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"id\":\"stray\"}");
    let server = Server::start([vec![Read, ok(), stray, Hang], vec![Read, ok()]]).await;
    let pipeline = pipeline(&server.url(), options());
    for _ in 0..2 {
        assert_eq!(look_up(&pipeline).await.unwrap().value.id, "a");
    }
}

#[tokio::test]
async fn no_time_is_too_short_or_too_long_for_a_setting() {
    thread_local!(static PANICS: Cell<usize> = const { Cell::new(0) });
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.set(PANICS.get() + 1);
        usual(panic);
    }));
    let longest = Duration::MAX;
    let table = [
        ("no idle time", options().with_pool_idle_timeout(Duration::ZERO)),
        ("the longest idle time", options().with_pool_idle_timeout(longest)),
        ("the longest time to connect", options().with_connect_timeout(longest)),
        ("the longest time in all", options().with_attempt_timeout(longest).with_total_timeout(longest)),
    ];
    for (what, options) in table {
        let server = Server::start([vec![Read, ok(), Read, ok()], vec![Read, ok()]]).await;
        let pipeline = pipeline(&server.url(), options);
        for _ in 0..2 {
            look_up(&pipeline).await.unwrap();
        }
        // The tasks of the pool run on this thread, and have had their turns.
        tokio::time::sleep(ms(5)).await;
        assert_eq!(PANICS.take(), 0, "a task of the pool panicked with {what}");
    }
}

// ---- Bodies that are too large ----

const LIMIT: usize = 64 * 1024;

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_at_once_and_not_read() {
    let head = send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    let server = Server::start([vec![Read, head, Hang]]).await;
    let error = soon(call(&pipeline(&server.url(), options()))).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));
    assert_eq!(
        error.message(),
        Some(
            "the body is larger than allowed (8388608 bytes); no single key has so many, so that something else than the vendor \
             may answer"
        )
    );
    soon(server.ended(1)).await;
}

#[tokio::test]
async fn a_list_has_a_limit_of_its_own_and_its_error_names_the_setting() {
    let default = "`ClientOptions::with_max_list_body_bytes`";
    let body = format!(r#"{{"id":"{}"}}"#, "a".repeat(LIMIT));
    for (options, setting) in [
        (options().with_max_list_body_bytes(LIMIT), default),
        (options().with_max_list_body_bytes(LIMIT).with_list_size_setting("the key `most`"), "the key `most`"),
    ] {
        let acts = vec![Read, answer("200 OK", &[], body.as_str())];
        let server = Server::start([acts.clone(), acts]).await;
        // One object may be as large as ever.
        soon(call(&pipeline(&server.url(), options.clone()))).await.unwrap();
        let pipeline = pipeline(&server.url(), options);
        let error = soon(pipeline.send(Call::list("list_api_keys", &["keys"]))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        let expected = format!("the body is larger than allowed (65536 bytes for a list); {setting} can allow more");
        assert_eq!(error.message(), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes();
    let table = [
        // how the body is framed, and its pieces
        (send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), chunk),
        (send("HTTP/1.1 200 OK\r\n\r\n"), vec![b'x'; 0x1000]),
    ];
    for (head, piece) in table {
        let server = Server::start([vec![Read, head, SendForEver(piece)]]).await;
        let error = soon(call(&pipeline(&server.url(), options().with_max_body_bytes(LIMIT)))).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));
        soon(server.ended(1)).await;
        let sent = server.sent();
        assert!(sent < LIMIT + 16 * 1024 * 1024, "{sent} bytes, far more than socket buffers hold");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let acts = vec![Read, send("HTTP/1.1 200 OK\r\nx: "), SendForEver(vec![b'x'; 0x1000])];
    let server = Server::start([acts]).await;
    let error = soon(call(&pipeline(&server.url(), one_attempt()))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    soon(server.ended(1)).await;
    assert!(server.sent() < 16 * 1024 * 1024, "{} bytes", server.sent());
}

#[tokio::test]
async fn a_body_is_read_up_to_exactly_the_limit() {
    for (limit, fits) in [(10, true), (9, false), (0, false)] {
        let acts = [
            vec![Read, answer("200 OK", &[], r#"{"id":"a"}"#)],
            vec![
                Read,
                send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n5\r\n:\"a\"}\r\n0\r\n\r\n"),
            ],
        ];
        for acts in acts {
            let server = Server::start([acts]).await;
            let outcome = look_up(&pipeline(&server.url(), options().with_max_body_bytes(limit))).await;
            assert_eq!(
                outcome.map(|key| key.value.id).map_err(|error| error.kind()).ok(),
                fits.then(|| "a".to_owned())
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_whose_body_is_too_large_is_that_refusal() {
    for head in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
        let head = send(format!("HTTP/1.1 403 Forbidden\r\n{head}\r\n\r\n"));
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes();
        let server = Server::start([vec![Read, head, SendForEver(chunk)]]).await;
        let error = soon(call(&pipeline(&server.url(), options().with_max_body_bytes(LIMIT)))).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::PermissionDenied, Some(403)));
        soon(server.ended(1)).await;
    }
}

// ---- Redirects ----

#[tokio::test]
async fn a_redirect_is_named_by_its_origin_and_never_followed() {
    let elsewhere = Server::start([vec![Read, ok()]]).await;
    let bare = elsewhere.url().replace("http://", "");
    let origin = format!("the vendor redirects to {}, and", elsewhere.url());
    let table = [
        // where to, what the message says of it
        (format!("{}/PATH?sig=QUERY#FRAGMENT", elsewhere.url()), origin.as_str()),
        (format!("http://USER:PASSWORD@{bare}/PATH"), origin.as_str()),
        ("/PATH?sig=QUERY".to_owned(), "the vendor redirects within its origin, and"),
        ("PATH".to_owned(), "the vendor redirects within its origin, and"),
    ];
    for (to, says) in table {
        for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
            let server = Server::start([vec![Read, answer(status, &[&format!("Location: {to}")], "BODY"), Hang]]).await;
            let error = call(&pipeline(&server.url(), options())).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Redirected, 1), "{status} {to}");
            assert_eq!(error.status().map(|status| status.to_string()).as_deref(), status.get(..3));
            let text = format!("{error} {error:?}");
            assert!(text.contains(says), "{to}: {text}");
            for part in ["PATH", "QUERY", "FRAGMENT", "USER", "PASSWORD", "BODY"] {
                assert!(!text.contains(part), "{to}: {text}");
            }
            assert_eq!(server.requests().len(), 1, "{status} {to}");
        }
    }
    assert_eq!(elsewhere.connections(), 0, "the credential would have gone there");
}

#[tokio::test]
async fn a_redirect_to_another_host_without_a_scheme_does_not_pass_for_the_same_origin() {
    let elsewhere = "//elsewhere.example/PATH?sig=QUERY";
    let error = failure(vec![Read, answer("302 Found", &[&format!("Location: {elsewhere}")], "")]).await;
    let says = "the vendor redirects to http://elsewhere.example, and";
    assert!(error.message().unwrap().starts_with(says), "{error}");
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_redirect() {
    for headers in [&[][..], &["Location: "], &["Location: http://"], &["Location: caf\u{e9}"]] {
        let error = failure(vec![Read, answer("302 Found", headers, "")]).await;
        assert_eq!(error.kind(), ErrorKind::Redirected, "{headers:?}");
    }
}

// ---- Refusals that break off ----

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_still_that_refusal() {
    let refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\nX-Request-Id: r-1\r\n\r\n{\"message\":";
    let server = Server::start([vec![Read, send(refusal)]]).await;
    let error = call(&pipeline(&server.url(), options())).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::NotFound, Some(404), 1));
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_limiter_whose_body_breaks_off_is_obeyed() {
    let refusal = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\n{";
    let server = Server::start([vec![Read, send(refusal)], vec![Read, ok()]]).await;
    let clock = VirtualClock::for_sockets();
    look_up(&pipeline(&server.url(), options().with_clock(Arc::new(clock.clone())))).await.unwrap();
    let sleeps = clock.sleeps();
    assert!(sleeps.len() == 1 && sleeps[0] >= seconds(7), "{sleeps:?}");
}

// ---- Answers that are not what they should be ----

#[tokio::test]
async fn a_success_that_cannot_be_read_says_why_and_shows_nothing() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03SECRET";
    let html = "<!DOCTYPE html><p>SECRET</p>";
    let table = [
        (answer("200 OK", &["Content-Type: text/html"], html), "an HTML or XML page, not JSON; is the base URL right?"),
        (answer("200 OK", &[], ""), "the body is empty"),
        (send("HTTP/1.1 204 No Content\r\n\r\n"), "the body is empty"),
        (answer("200 OK", &[], "SECRET"), "the body is not JSON (line 1, column 1)"),
        (answer("200 OK", &[], "\u{feff}"), "the body is empty"),
        (answer("200 OK", &[], r#"["SECRET"]"#), "an array and not an object"),
        (answer("200 OK", &[], r#"{"name":"SECRET"}"#), "the member `id`, which is needed, is not there"),
        (answer("200 OK", &[], r#"{"id":"a","secret":"SECRET"#), "the JSON of the body ends too early"),
        (send("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"SECRET"), "the JSON of the body ends too early"),
        (send("HTTP/1.0 200 OK\r\n\r\n{\"id\":\"SECRET"), "the JSON of the body ends too early"),
        (answer("200 OK", &["Content-Encoding: gzip"], gzip), "the body is compressed (gzip), which was not asked for"),
        (answer("200 OK", &[], "[".repeat(100_000)), "the body is not JSON"),
    ];
    for (act, says) in table {
        let error = failure(vec![Read, act]).await;
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 1), "{error}");
        assert!(matches!(error.status(), Some(200 | 204)), "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(says), "{says}: {text}");
        assert!(!text.contains("SECRET"), "{text}");
    }
}

#[tokio::test]
async fn a_success_that_is_odd_is_read_and_the_oddity_noted() {
    let table: [(Act, &str, &[DriftKind]); 4] = [
        (answer("200 OK", &["Content-Type: text/plain"], r#"{"id":"a","name":"n"}"#), "n", &[]),
        (answer("201 Created", &[], r#"{"id":"a","name":"n"}"#), "n", &[]),
        (answer("200 OK", &[], "\u{feff}{\"id\":\"a\",\"name\":\"n\"}"), "n", &[DriftKind::Encoding]),
        (answer("200 OK", &[], b"{\"id\":\"a\",\"name\":\"caf\xe9\"}"), "caf\u{fffd}", &[DriftKind::Encoding]),
    ];
    for (act, name, drift) in table {
        let server = Server::start([vec![Read, act]]).await;
        let key = look_up(&pipeline(&server.url(), options())).await.unwrap();
        assert_eq!((key.value.id.as_str(), key.value.name), ("a", Fact::Known(name.to_owned())));
        assert_eq!(key.drift.into_iter().map(|note| note.kind).collect::<Vec<_>>(), drift);
    }
}

#[tokio::test]
async fn a_provisional_answer_before_the_answer_is_skipped() {
    let early = send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    let server = Server::start([vec![Read, early, ok()]]).await;
    look_up(&pipeline(&server.url(), options())).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_shown_by_its_message_or_described_and_never_whole() {
    let table = [
        // body, message
        (br#"{"code":"E1","message":"no such key"}"#.to_vec(), Some("no such key")),
        (b"no such key".to_vec(), Some("no such key")),
        (b"".to_vec(), None),
        (b"  \r\n ".to_vec(), None),
        (b"<html>SECRET</html>".to_vec(), Some("an HTML or XML page of 19 bytes")),
        (br#"{"key":"SECRET"}"#.to_vec(), Some("JSON of 16 bytes without a known message")),
        (br#"["SECRET"]"#.to_vec(), Some("JSON of 10 bytes without a known message")),
        (br#"{"key":"SECRET"#.to_vec(), Some("JSON of 14 bytes without a known message")),
    ];
    for (body, message) in table {
        let error = failure(vec![Read, answer("404 Not Found", &[], &body)]).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
        assert_eq!(error.message(), message, "{:?}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_refusal_hides_nothing_and_uncovers_nothing() {
    let table = [
        ("{\"message\":\"no such key\"}", "no such key"),
        ("{\"key\":\"SECRET\"}", "JSON of 19 bytes without a known message"),
        ("<html>SECRET</html>", "an HTML or XML page of 22 bytes"),
    ];
    for (body, message) in table {
        let error = failure(vec![Read, answer("404 Not Found", &[], format!("\u{feff}{body}"))]).await;
        assert_eq!(error.message(), Some(message));
    }
}

#[tokio::test]
async fn a_refusal_that_is_compressed_says_so_and_shows_no_noise() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03SECRET";
    let error = failure(vec![Read, answer("404 Not Found", &["Content-Encoding: gzip"], gzip)]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let message = error.message().unwrap();
    assert!(message.contains("compressed (gzip)") && !message.contains("SECRET"), "{message}");
}

#[tokio::test]
async fn a_message_of_any_length_is_cut() {
    let error = failure(vec![Read, answer("400 Bad Request", &[], "many words ".repeat(100_000))]).await;
    let text = format!("{error}");
    assert!(text.len() < 500 && text.contains('…'), "{text}");
}

#[tokio::test]
async fn a_request_id_is_shown_as_the_vendor_gave_it() {
    let ids = [
        "r-1",
        "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80",
        "req_011CSHoEeqs5C35K2UUqR7Fy",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "8f3a1c2b4d5e6f70-FRA",
    ];
    for id in ids {
        let error = failure(vec![Read, answer("404 Not Found", &[&format!("X-Request-Id: {id}")], "")]).await;
        assert_eq!(error.request_id(), Some(id), "the vendor's support is asked about it");
    }
}

// ---- What goes out ----

/// The values of a header in the head of a request.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test]
async fn every_request_carries_the_credential_once_and_nothing_that_was_not_asked_for() {
    let cookie = answer("503 Service Unavailable", &["Set-Cookie: session=COOKIE; Path=/"], "");
    let server = Server::start([vec![Read, cookie, Read, ok()]]).await;
    look_up(&pipeline(&server.url(), options())).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for head in requests {
        assert_eq!(values(&head, "authorization"), ["Bearer secret"]);
        assert_eq!(head.matches("secret").count(), 1);
        assert_eq!(values(&head, "accept"), ["application/json"]);
        assert_eq!(values(&head, "host"), [server.url().replace("http://", "")]);
        for absent in ["accept-encoding", "cookie", "referer", "content-length", "transfer-encoding"] {
            assert!(values(&head, absent).is_empty(), "{head}");
        }
    }
}

#[tokio::test]
async fn a_vendor_takes_the_credential_in_its_own_header_beside_its_own_headers() {
    let server = Server::start([vec![Read, ok()]]).await;
    let headers = HeaderMap::from_iter([
        (HeaderName::from_static("x-version"), HeaderValue::from_static("2")),
        (HeaderName::from_static("x-api-key"), HeaderValue::from_static("of somebody else")),
    ]);
    let credential = (HeaderName::from_static("x-api-key"), "", "secret".into());
    let base = BaseUrl::parse("the base URL", &server.url()).unwrap();
    let pipeline = Pipeline::new(dialect(), base, credential, headers, options()).unwrap();
    look_up(&pipeline).await.unwrap();
    let head = server.requests().remove(0);
    assert_eq!(values(&head, "x-api-key"), ["secret"]);
    assert_eq!(values(&head, "x-version"), ["2"]);
    assert!(values(&head, "authorization").is_empty());
}

#[tokio::test]
async fn the_path_of_the_base_url_is_kept() {
    for base in ["", "/", "/base/v0", "/base/v0/"] {
        let server = Server::start([vec![Read, ok()]]).await;
        let pipeline = pipeline(&format!("{}{base}", server.url()), options());
        let call = Call::get(OPERATION, &["v1", "keys", "a/b ?#%\u{e9}"]);
        pipeline.send(call).await.unwrap().decode::<common::Key>(&SHAPE).unwrap();
        let line = format!("GET {}/v1/keys/a%2Fb%20%3F%23%25%C3%A9 HTTP/1.1\r\n", base.trim_end_matches('/'));
        assert!(server.requests()[0].starts_with(&line), "{}", server.requests()[0]);
    }
}

#[tokio::test]
async fn the_user_agent_begins_with_the_application() {
    let own = concat!("keymux/", env!("CARGO_PKG_VERSION"));
    let table = [
        (options(), own.to_owned()),
        (options().with_application("my-service/1.4").unwrap(), format!("my-service/1.4 {own}")),
    ];
    for (options, expected) in table {
        let server = Server::start([vec![Read, ok()]]).await;
        look_up(&pipeline(&server.url(), options)).await.unwrap();
        assert_eq!(values(&server.requests()[0], "user-agent"), [expected]);
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_unless_asked_for() {
    let connect = |base: &str, options| {
        let base = BaseUrl::parse("the base URL", base).unwrap();
        Pipeline::new(dialect(), base, (AUTHORIZATION, "", "secret".into()), HeaderMap::new(), options)
    };
    for base in ["http://api.example.com", "http://10.0.0.1", "http://localhost.example.com", "http://[::2]"] {
        assert_eq!(connect(base, options()).unwrap_err().kind(), ErrorKind::Config, "{base}");
        assert!(connect(base, options().dangerously_send_credentials_over_plain_http(true)).is_ok(), "{base}");
    }
}

// ---- Connections ----

#[tokio::test]
async fn a_call_that_makes_a_key_takes_a_connection_that_was_not_idle() {
    let server = Server::start([vec![Read, ok(), Read, ok(), Read, ok()]]).await;
    let client = pipeline(&server.url(), one_attempt());
    look_up(&client).await.unwrap();
    look_up(&client).await.unwrap();
    assert_eq!(server.connections(), 1, "a look-up takes the one that is there");
    let post = |method| Call::new(OPERATION, method, &["keys"]).making_key("look at the list");
    client.send(post(http::Method::POST)).await.unwrap();
    client.send(post(http::Method::POST)).await.unwrap();
    assert_eq!(server.connections(), 3, "each its own");
    look_up(&client).await.unwrap();
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_named_and_so_is_that_no_proxy_is_in_the_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = look_up(&pipeline(&format!("http://{address}"), one_attempt())).await.unwrap_err();
    let says = format!("no connection to {address} without a proxy, nothing was sent: ");
    assert!(error.message().unwrap().starts_with(&says), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_the_resolver_says() {
    let server = Server::start([vec![Read, ok()]]).await;
    let url = server.url().replace("127.0.0.1", "localhost");
    look_up(&pipeline(&url, one_attempt())).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}
