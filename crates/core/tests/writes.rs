//! Calls that are not the same twice, over real sockets: how often they are sent, what a lost answer is, and that no text
//! of an answer is shown where a plaintext is near.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use common::server::Act::{Read, Reset};
use common::server::{Server, answer};
use common::{ms, seconds};
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap};
use keymux_core::{
    Call, ClientOptions, Dialect, Error, ErrorKind, ProviderId, Rejected, Rejection, RetryPolicy, Setup,
};

/// A key that the vendor makes, or that the caller brings: no credential, so that nothing but quiet hides it.
const PLAINTEXT: &str = "fresh-plain-text";

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection {
        code: rejected.text_at("/code"),
        message: rejected.text_at("/message"),
        request_id: rejected.text_at("/request_id"),
        detail: rejected.text_at("/detail").map(|text| Arc::new(rejected.scrub(&text)) as _),
        ..Rejection::default()
    }
}

async fn send(url: &str, call: Call<'_>) -> Result<(), Error> {
    let dialect = Dialect {
        provider: ProviderId::new("acme"),
        request_id_header: None,
        read_rejection,
        rate_limit: None,
        wait_headers: &[],
    };
    let retry = RetryPolicy::default().with_base_delay(ms(1));
    let options = ClientOptions::new().with_retry(retry).with_attempt_timeout(seconds(5));
    let setup = Setup::new("credential", url).with_options(options);
    let pipeline = setup.connect(dialect, (AUTHORIZATION, "Bearer "), HeaderMap::new(), "").unwrap();
    pipeline.send(call).await.map(drop)
}

fn post() -> Call<'static> {
    Call::new("make_key", Method::POST, &["keys"])
}

fn making() -> Call<'static> {
    post().making_key("look into the list")
}

#[tokio::test]
async fn what_may_have_been_done_is_not_sent_again_and_its_outcome_is_unknown() {
    let lost = [
        vec![Read],
        vec![Reset],
        vec![Read, answer("500 Oops", &[], "")],
        vec![Read, answer("503 Oops", &["Retry-After: 1"], "")],
        vec![Read, answer("524 Oops", &[], "")],
        vec![Read, answer("408 Oops", &[], "")],
        vec![Read, answer("303 See Other", &["Location: /keys/1"], "")],
        vec![Read, answer("307 Elsewhere", &["Location: https://other.example/"], "")],
    ];
    for script in lost {
        let server = Server::start(vec![script.clone(); 4]).await;
        let error = send(&server.url(), making()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::OutcomeUnknown, 1), "{script:?}");
        assert!(error.to_string().contains("it may have been done all the same: look into the list"), "{error}");
        assert!(error.may_have_executed() && !error.is_retryable());
    }
}

#[tokio::test]
async fn what_was_not_done_keeps_its_name() {
    for (status, kind) in [
        ("400 No", ErrorKind::InvalidRequest),
        ("403 No", ErrorKind::PermissionDenied),
        ("409 No", ErrorKind::Conflict),
        ("501 No", ErrorKind::Server),
    ] {
        let server = Server::start([vec![Read, answer(status, &[], "")]]).await;
        let error = send(&server.url(), making()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{status}");
    }
}

#[tokio::test]
async fn a_429_is_waited_out_except_where_a_use_is_counted() {
    for (call, attempts) in [(making(), 2), (post().not_repeatable(), 2), (post(), 2), (post().counting_use(), 1)] {
        let refusal = vec![Read, answer("429 Slow", &["Retry-After: 0", "Connection: close"], "")];
        let server = Server::start([refusal, vec![Read, answer("200 OK", &[], "{}")]]).await;
        let result = send(&server.url(), call.clone()).await;
        match attempts {
            2 => result.unwrap(),
            _ => assert_eq!(result.unwrap_err().attempts(), 1, "{call:?}"),
        }
    }
}

#[tokio::test]
async fn where_a_plaintext_is_near_no_text_of_an_answer_is_shown() {
    let member = |name: &str| format!(r#"{{"{name}":"{PLAINTEXT}"}}"#);
    let bodies = ["code", "message", "request_id", "detail", "other"].map(member);
    for body in bodies.into_iter().chain([PLAINTEXT.to_owned()]) {
        for status in ["400 No", "409 No", "500 Oops"] {
            for call in [making(), post().counting_use()] {
                let server = Server::start([vec![Read, answer(status, &[], &body)]]).await;
                let error = send(&server.url(), call).await.unwrap_err();
                let detail = error.detail::<String>().cloned().unwrap_or_default();
                let said = format!("{error} {error:?} {detail}");
                assert!(!said.contains("plain"), "{body}: {said}");
            }
        }
    }
    // The same is shown where none is near, so that the test above looks at something.
    let server = Server::start([vec![Read, answer("400 No", &[], member("message"))]]).await;
    assert!(send(&server.url(), post()).await.unwrap_err().to_string().contains(PLAINTEXT));
}

#[tokio::test]
async fn a_code_and_the_name_of_a_field_are_shown_where_a_plaintext_is_near() {
    let body = r#"{"code":"NAME_TAKEN","detail":"label"}"#;
    let server = Server::start([vec![Read, answer("409 No", &[], body)]]).await;
    let error = send(&server.url(), making()).await.unwrap_err();
    assert_eq!((error.code(), error.detail::<String>().map(String::as_str)), (Some("NAME_TAKEN"), Some("label")));
}

#[tokio::test]
async fn a_refusal_to_a_request_without_a_plaintext_shows_its_plain_words() {
    let body =
        r#"{"message":"label: at most 255 characters, not aB3dE5gH7jK9mN1p","detail":"too long: xY9zW8vU7tS6rQ5p"}"#;
    for (status, message, detail) in [
        ("422 No", "label: at most 255 characters, not […]", "too long: […]"),
        // Who fails may have made the key, and says anything.
        ("501 Oops", "what the vendor says is not shown, since it may repeat the key", "[withheld]"),
    ] {
        let server = Server::start([vec![Read, answer(status, &[], body)]]).await;
        let error = send(&server.url(), making().showing_refusals()).await.unwrap_err();
        assert_eq!((error.message(), error.detail::<String>().map(String::as_str)), (Some(message), Some(detail)));
    }
}
