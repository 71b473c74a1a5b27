//! Vendors that repeat the credential wherever they can: in bodies, codes, request ids, headers and redirects.

use std::sync::Arc;

use keymux::{ErrorKind, RetryPolicy};
use serde_json::json;

use super::{CREDENTIAL, Journal, Walk, facade};
use crate::fixtures::{Reply, Vendor, full, now};

const EMAIL: &str = "CANARY-of-a-person@example.com";

/// Bodies of every shape in which a vendor writes an error, and of some in which none does.
fn bodies() -> Vec<String> {
    let c = CREDENTIAL;
    let context = format!("[user_email={EMAIL}] [user_org=acme] [timestamp=1760000000.001] [request_id={c}]");
    let missing = "Missing read access to api_key id 6f1d2c3b, or the api_key does not exist";
    vec![
        c.to_owned(),
        format!("the key {c} is not accepted"),
        format!("Authorization: Bearer {c}"),
        format!("<html>{c}</html>"),
        format!("{missing} {context}"),
        format!("[{{\"validation\":\"uuid\",\"message\":\"Invalid {c}\",\"path\":[\"{c}\"]}}] {context}"),
        json!(format!("bad {c} {context}")).to_string(),
        json!([c]).to_string(),
        json!({"unknown": c}).to_string(),
        json!({"message": format!("the key {c} is not accepted, {EMAIL}")}).to_string(),
        json!({"code": c, "message": c}).to_string(),
        json!({"error": format!("slow down, {c}"), "retry_after": 12}).to_string(),
        json!({"error": {"code": c, "message": format!("sdk key {c} rejected")}}).to_string(),
        json!({"detail": format!("bad {c}"), "error_code": c}).to_string(),
        json!({"detail": [{"loc": ["header", "authorization", c], "msg": format!("bad {c}"), "type": c, "input": c}]})
            .to_string(),
        json!({"Code": c, "Message": format!("{missing} {context}"), "InternalTraceId": c, "Path": c, "Service": c})
            .to_string(),
        json!({"Code": "x", "Message": "no", "InternalTraceId": format!("t-{c}")}).to_string(),
        json!({"message": format!("{} {c}", "word ".repeat(80))}).to_string(),
        format!("{{\"message\": \"{c}"),
    ]
}

/// Every header of which something is known, with the credential in it.
fn headers() -> Vec<(&'static str, String)> {
    let names = [
        "x-bt-internal-trace-id",
        "x-request-id",
        "www-authenticate",
        "authorization",
        "x-api-key",
        "retry-after",
        "retry-after-ms",
        "set-cookie",
        "content-type",
        "content-encoding",
        "server",
        "date",
        "location",
    ];
    names.into_iter().map(|name| (name, format!("Bearer {CREDENTIAL}"))).collect()
}

/// Asks each vendor, through the facade, and walks over the error and over what an observer was told. Returns the kinds.
fn walk_errors(what: &str, walk: &mut Walk, reply: &Reply) -> Vec<ErrorKind> {
    let look_up = |vendor| {
        let example = full(vendor);
        let journal = Arc::new(Journal::default());
        let policy = RetryPolicy::default().with_max_attempts(2);
        let options = reply.clone().options().with_raw(true).with_retry(policy).with_observer(journal.clone());
        let (keymux, key) = facade(&example, "https://vendor.example", options);
        let outcome = now(keymux.get_many([key]).next()).unwrap();
        let what = format!("{}, {what}", vendor.id());
        walk.outcome(&what, &outcome);
        let journal = journal.text();
        assert!(journal.contains("AttemptEvent"), "{what}: {journal}");
        walk.text(&format!("{what}, observer"), &journal);
        outcome.result.unwrap_err().kind()
    };
    Vendor::ALL.map(look_up).to_vec()
}

#[test]
fn an_error_does_not_show_what_a_body_repeats() {
    let mut walk = Walk::default();
    for status in [400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 503] {
        for body in bodies() {
            let what = format!("{status} {}", body.replace("CANARY", "@").chars().take(60).collect::<String>());
            walk_errors(&what, &mut walk, &Reply { status, headers: Vec::new(), body: body.into() });
        }
    }
    walk.assert_silent();
}

#[test]
fn an_error_does_not_show_what_a_header_repeats() {
    let mut walk = Walk::default();
    for status in [302, 400, 401, 404, 422, 429, 503] {
        for header in headers() {
            let reply = Reply { status, headers: vec![header.clone()], body: "{}".into() };
            walk_errors(&format!("{status} with {}", header.0), &mut walk, &reply);
        }
        let reply = Reply { status, headers: headers(), body: "no".into() };
        walk_errors(&format!("{status} with all headers"), &mut walk, &reply);
    }
    walk.assert_silent();
}

#[test]
fn a_redirect_shows_no_more_than_the_origin_it_leads_to() {
    let mut walk = Walk::default();
    for location in [
        "https://storage.example/object?X-Amz-Signature=CANARY&X-Amz-Credential=CANARY",
        "https://storage.example/CANARY/object#CANARY",
        "https://CANARY:CANARY@storage.example/",
        "//storage.example/?sig=CANARY",
        "/login?next=CANARY",
        "CANARY",
        "data:text/plain,CANARY",
    ] {
        for status in [301, 302, 303, 307, 308] {
            let reply = Reply { status, headers: vec![("location", location.to_owned())], body: "CANARY".into() };
            let kinds = walk_errors(&format!("{status} to {}", location.replace("CANARY", "@")), &mut walk, &reply);
            assert_eq!(kinds, [ErrorKind::Redirected; 5]);
        }
    }
    walk.assert_silent();
}

#[test]
fn an_answer_that_cannot_be_read_is_not_shown() {
    let mut walk = Walk::default();
    let c = CREDENTIAL;
    for body in [
        c.to_owned(),
        format!("<html>{c}"),
        json!(c).to_string(),
        json!([c]).to_string(),
        json!({"unknown": c}).to_string(),
        json!({"prefix": [c], "id": {c: c}, "key": 7, "apiKey": {"id": [c]}}).to_string(),
        format!("{{\"prefix\": \"{c}"),
        format!("{{\"key\": {{\"key\": \"{c}\""),
    ] {
        for headers in [Vec::new(), vec![("content-encoding", c.to_owned())]] {
            let what = format!("200 {} {headers:?}", body.replace("CANARY", "@")).replace(c, "@");
            let reply = Reply { status: 200, headers, body: body.clone().into() };
            let kinds = walk_errors(&what, &mut walk, &reply);
            assert_eq!(kinds, [ErrorKind::Decode; 5], "{what}");
        }
    }
    walk.assert_silent();
}

#[test]
fn an_error_does_not_show_another_key_that_a_body_repeats_where_it_looks_like_one() {
    let mut walk = Walk::default();
    for key in ["sk-CANARY0123", "bt-st-CANARY", "mk_live_CANARY", "sky_CANARY0123456789abcd", "datkey_CANARY"] {
        for body in [json!({"message": format!("no key {key}")}), json!({"detail": format!("key=\"{key}\"")})] {
            let reply = Reply { status: 400, headers: Vec::new(), body: body.to_string().into() };
            walk_errors(&body.to_string().replace("CANARY", "@"), &mut walk, &reply);
        }
    }
    walk.assert_silent();
}
