//! Braintrust: `GET /v1/api_key/{api_key_id}`.

use std::sync::Arc;

use keymux_braintrust::{ApiKey, ApiKeyId, Client, Config, Error, Region};
use keymux_core::{
    ApiKeyProvider, Basis, ClientOptions, Error as CoreError, ErrorKind, Fact, Field, KeyRecord, KeyState, VendorTime,
};

use crate::support::{
    ACCEPT, CREDENTIAL, Reply, Told, USER_AGENT, Vendor, assert_states, html, instant, json, known, once, once_at,
    printed, quickly, text, told,
};
use crate::vendors::{Recorder, address};

const ID: &str = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";

/// Every documented member.
const WHOLE: &str = r#"{ "id": "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "created": "2026-02-03T10:20:30.123Z",
    "name": "ci", "preview_name": "sk-****k3Zq9", "user_id": "0d9c8b7a-1122-4334-8556-77889900aabb",
    "user_email": "dev@example.com", "user_given_name": "Dev", "user_family_name": "Eloper",
    "org_id": "11111111-2222-4333-8444-555555555555" }"#;

/// The members that are documented as required.
const SMALLEST: &str =
    r#"{ "id": "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "name": "ci", "preview_name": "sk-****k3Zq9" }"#;

/// The required members, and all others as `null`, which the documentation allows.
const NULLS: &str = r#"{ "id": "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "name": "ci", "preview_name": "sk-****k3Zq9",
    "created": null, "user_id": null, "user_email": null, "user_given_name": null, "user_family_name": null,
    "org_id": null }"#;

const ALWAYS: [Field; 2] = [Field::Name, Field::Display];
const SOMETIMES: [Field; 5] =
    [Field::CreatedAt, Field::OwnerUser, Field::OwnerUserName, Field::OwnerUserEmail, Field::OwnerOrganization];

fn client(vendor: &Vendor, options: ClientOptions) -> Client {
    Config::new(CREDENTIAL).with_base_url(vendor.url()).with_options(options).build().unwrap()
}

/// The key `ID`, both ways in.
async fn look_up(client: &Client) -> (Result<ApiKey, Error>, Result<KeyRecord, CoreError>) {
    (client.get_api_key(&ApiKeyId::new(ID).unwrap()).await, client.get(&address(&[ID])).await)
}

async fn found(body: &str) -> (ApiKey, KeyRecord) {
    let vendor = Vendor::answering([json(200, body)]).await;
    let (key, record) = look_up(&client(&vendor, once())).await;
    (key.unwrap(), record.unwrap())
}

async fn refused(reply: &Reply, options: ClientOptions) -> (Error, CoreError) {
    let vendor = Vendor::answering([reply.clone()]).await;
    let (typed, unified) = look_up(&client(&vendor, options)).await;
    (typed.unwrap_err(), unified.unwrap_err())
}

async fn assert_refused(reply: Reply, options: ClientOptions, expected: Told) {
    let (typed, unified) = refused(&reply, options).await;
    assert_eq!(Told::by(&typed, typed.details()), expected, "{reply:?}");
    assert_eq!(Told::by_unified::<Error>(&unified, "braintrust"), expected, "{reply:?}");
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let vendor = Vendor::answering([json(200, WHOLE)]).await;
    let (typed, unified) = look_up(&client(&vendor, once())).await;
    assert!(typed.is_ok() && unified.is_ok());
    let request = [
        "GET /v1/api_key/6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80",
        ACCEPT,
        "authorization: Bearer workspace-credential",
        USER_AGENT,
    ];
    assert_eq!(vendor.asked(), [request.join("\n"), request.join("\n")]);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_refused_before_anything_is_sent() {
    let vendor = Vendor::answering([json(200, WHOLE)]).await;
    let client = client(&vendor, quickly());
    for bad in [
        "nope",
        "6f1d2c3b0a9e4b578c112f4d5e6a7b80",
        "{6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80}",
        "urn:uuid:6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80",
        "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b8",
        "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80\n",
        " 6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80",
        "6g1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80",
        "6f1d2c3b-0a9e-4b57-8c11/2f4d5e6a7b80",
        "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b\u{e9}",
    ] {
        assert_eq!(ApiKeyId::new(bad).unwrap_err().kind(), ErrorKind::InvalidRequest, "{bad}");
        let error = client.get(&address(&[bad])).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{bad}");
        assert!(error.to_string().contains("api_key_id") && error.to_string().contains("UUID"), "{error}");
        assert_eq!(error.provider().unwrap().as_str(), "braintrust");
    }
    assert!(vendor.asked().is_empty());
}

#[tokio::test]
async fn capital_letters_in_a_uuid_make_no_other_key() {
    let vendor = Vendor::answering([json(200, WHOLE)]).await;
    let record = client(&vendor, once()).get(&address(&[&ID.to_uppercase()])).await.unwrap();
    assert_eq!(vendor.lines(), ["GET /v1/api_key/6F1D2C3B-0A9E-4B57-8C11-2F4D5E6A7B80"]);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn an_organization_in_europe_is_asked_there() {
    for (region, url) in [(Region::Us, "https://api.braintrust.dev"), (Region::Eu, "https://api-eu.braintrust.dev")] {
        assert_eq!(region.base_url(), url);
        let recorder = Recorder::answering(WHOLE);
        let options = once().with_transport(Arc::clone(&recorder) as _);
        let client = Config::new(CREDENTIAL).with_region(region).with_options(options).build().unwrap();
        client.get(&address(&[ID])).await.unwrap();
        assert_eq!(recorder.urls(), [format!("{url}/v1/api_key/{ID}")]);
    }
}

#[tokio::test]
async fn a_whole_key_becomes_a_whole_record() {
    let (key, record) = found(WHOLE).await;
    assert_eq!(key.id.as_str(), ID);
    assert_eq!(key.name, known("ci"));
    assert_eq!(key.preview_name, known("sk-****k3Zq9"));
    assert_eq!(key.created, Fact::Known(VendorTime::Text("2026-02-03T10:20:30.123Z".to_owned())));
    assert_eq!(key.user_id, known("0d9c8b7a-1122-4334-8556-77889900aabb"));
    assert_eq!(key.user_email, known("dev@example.com"));
    assert_eq!(key.user_given_name, known("Dev"));
    assert_eq!(key.user_family_name, known("Eloper"));
    assert_eq!(key.org_id, known("11111111-2222-4333-8444-555555555555"));
    assert_eq!(record.native::<ApiKey>(), Some(&key));

    assert_states(&record, &[&ALWAYS[..], &SOMETIMES].concat(), &[], &[]);
    assert_eq!(record.key_ref().to_string(), format!("braintrust:{ID}"));
    assert_eq!(record.kind.as_str(), "api_key");
    assert_eq!(record.name, known("ci"));
    assert_eq!(record.display, known("sk-****k3Zq9"));
    assert_eq!(record.created_at, instant("2026-02-03T10:20:30.123Z"));
    assert_eq!(record.owner.user, known("0d9c8b7a-1122-4334-8556-77889900aabb"));
    assert_eq!(record.owner.user_name, known("Dev Eloper"));
    assert_eq!(record.owner.user_email, known("dev@example.com"));
    assert_eq!(record.owner.organization, known("11111111-2222-4333-8444-555555555555"));
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn what_is_absent_and_what_is_null_stay_apart() {
    let (key, record) = found(SMALLEST).await;
    assert_eq!((&key.created, &key.user_email, &key.org_id), (&Fact::Missing, &Fact::Missing, &Fact::Missing));
    assert_states(&record, &ALWAYS, &[], &SOMETIMES);
    assert_eq!(record.drift, []);

    let (key, record) = found(NULLS).await;
    assert_eq!((&key.created, &key.user_email, &key.org_id), (&Fact::Empty, &Fact::Empty, &Fact::Empty));
    assert_states(&record, &ALWAYS, &SOMETIMES, &[]);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn no_field_tells_whether_a_key_works_so_that_the_status_is_unknown() {
    for body in [WHOLE, SMALLEST, NULLS] {
        let (_, record) = found(body).await;
        assert_eq!((record.status.state, record.status.basis), (KeyState::Unknown, Basis::None));
    }
}

#[tokio::test]
async fn a_user_is_named_by_the_names_that_are_known() {
    for (members, name) in [
        (r#""user_given_name": "Dev", "user_family_name": null"#, known("Dev")),
        (r#""user_given_name": null, "user_family_name": "Eloper""#, known("Eloper")),
        (r#""user_family_name": "Eloper""#, known("Eloper")),
        (r#""user_given_name": null, "user_family_name": null"#, Fact::Empty),
        // The other half was not sent, and may be a name.
        (r#""user_given_name": null"#, Fact::Missing),
        (r#""created": null"#, Fact::Missing),
    ] {
        let (_, record) = found(&SMALLEST.replace(r#""name""#, &format!(r#"{members}, "name""#))).await;
        assert_eq!(record.owner.user_name, name, "{members}");
    }
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    use ErrorKind::{InvalidRequest, NotFound, PermissionDenied, RateLimited, Server, Unauthenticated};
    let missing = format!("Missing read access to api_key id {ID}, or the api_key does not exist");
    let forbidden = format!(
        r#"{{"Code":"ForbiddenError","Message":"{missing}","InternalTraceId":"00ff","Path":"/v1/api_key/{ID}","Service":"api"}}"#
    );
    let issues = r#"[{"validation":"uuid","code":"invalid_string","message":"Invalid uuid","path":["api_key_id"]}]"#;
    let table = [
        // A key that is missing, deleted, or out of reach.
        (text(400, &missing), told("MissingOrNoAccess", NotFound, 400).message(&missing)),
        (json(400, &format!("{missing:?}")), told("MissingOrNoAccess", NotFound, 400).message(&missing)),
        (json(403, &forbidden), told("MissingOrNoAccess", NotFound, 403).code("ForbiddenError").message(&missing)),
        (text(403, &forbidden), told("MissingOrNoAccess", NotFound, 403).code("ForbiddenError").message(&missing)),
        (text(404, "nothing here"), told("MissingOrNoAccess", NotFound, 404).message("nothing here")),
        // Other refusals.
        (text(400, "limit is too small"), told("InvalidRequest", InvalidRequest, 400).message("limit is too small")),
        (text(400, issues), told("InvalidRequest", InvalidRequest, 400).message("api_key_id: Invalid uuid")),
        (
            text(400, &format!("{issues} [user_org=acme]")),
            told("InvalidRequest", InvalidRequest, 400).message("api_key_id: Invalid uuid"),
        ),
        (
            text(401, "Invalid authorization token"),
            told("Unauthenticated", Unauthenticated, 401).message("Invalid authorization token"),
        ),
        (
            json(403, r#"{"Code":"ForbiddenError","Message":"not the owner"}"#),
            told("Forbidden", PermissionDenied, 403).code("ForbiddenError").message("not the owner"),
        ),
        (
            // What the gateway answers where the base URL is wrong.
            json(403, r#"{"message":"no such route; check the Authorization header"}"#),
            told("Forbidden", PermissionDenied, 403).message("no such route; check the Authorization header"),
        ),
        (text(429, "Too many requests"), told("RateLimited", RateLimited, 429).message("Too many requests")),
        (text(500, "Internal error"), told("Other", Server, 500).message("Internal error")),
        (text(500, ""), told("Other", Server, 500)),
        (html(503, "<html></html>"), told("Other", Server, 503).message("an HTML or XML page of 13 bytes")),
    ];
    for (reply, expected) in table {
        assert_refused(reply, once(), expected).await;
    }
}

#[tokio::test]
async fn a_json_body_that_is_null_says_nothing() {
    for (status, variant, kind) in [
        (400, "InvalidRequest", ErrorKind::InvalidRequest),
        (401, "Unauthenticated", ErrorKind::Unauthenticated),
        (403, "Forbidden", ErrorKind::PermissionDenied),
        (429, "RateLimited", ErrorKind::RateLimited),
        (500, "Other", ErrorKind::Server),
    ] {
        let expected = told(variant, kind, u16::try_from(status).unwrap());
        assert_refused(json(status, "null"), once(), expected).await;
    }
}

#[tokio::test]
async fn the_context_behind_a_message_is_cut_off_and_its_person_named_nowhere() {
    const CONTEXT: &str = "[user_email=dev@example.com] [user_org=acme] [timestamp=1760000000.001] [request_id=req-42]";
    let missing = format!("Missing read access to api_key id {ID}, or the api_key does not exist");
    for reply in [
        text(400, &format!("{missing} {CONTEXT}")),
        text(400, &format!("{missing} [user_email=dev@example.com] [user_org=acme] [timestamp=1760000000.001]")),
        json(400, &format!("\"{missing} {CONTEXT}\"")),
        json(403, &format!(r#"{{"Code":"ForbiddenError","Message":"{missing} {CONTEXT}"}}"#)),
        text(401, &format!("{missing} {CONTEXT}")),
        text(500, &format!("{missing} {CONTEXT}")),
    ] {
        let (typed, unified) = refused(&reply, once()).await;
        assert_eq!(unified.message(), Some(&*missing), "{reply:?}");
        for part in ["dev@example.com", "user_email", "acme", "1760000000"] {
            assert!(!printed(&unified).contains(part), "{part} in {unified:?}");
            assert!(!format!("{typed} {typed:?}").contains(part), "{part} in {typed:?}");
        }
    }
}

#[tokio::test]
async fn the_id_of_a_request_is_kept_for_the_vendors_support() {
    let context = text(400, "no [user_email=dev@example.com] [request_id=req-42]");
    let trace = json(403, r#"{"Code":"ForbiddenError","Message":"no","InternalTraceId":"00ff"}"#);
    for (reply, id) in [
        (context.clone(), "req-42"),
        (trace.clone().with("x-bt-internal-trace-id", "00ee"), "00ff"),
        (text(500, "no").with("x-bt-internal-trace-id", "00ee"), "00ee"),
    ] {
        let (typed, unified) = refused(&reply, once()).await;
        assert_eq!((typed.details().request_id(), unified.request_id()), (Some(id), Some(id)), "{reply:?}");
    }
}

#[tokio::test]
async fn the_id_of_a_request_is_scrubbed_like_all_text_of_the_vendor() {
    for body in [
        r#"{"Message":"no","InternalTraceId":"dev@example.com"}"#,
        "no [request_id=dev@example.com]",
        "no [request_id=sk-0123456789abcdef]",
    ] {
        let (_, unified) = refused(&text(403, body), once()).await;
        let printed = printed(&unified);
        assert!(!printed.contains("dev@example.com") && !printed.contains("sk-0123"), "{unified}");
    }
}

#[tokio::test]
async fn retry_after_is_read_in_every_form() {
    let limited = told("RateLimited", ErrorKind::RateLimited, 429).message("slow down");
    for (header, value, milliseconds) in [
        ("retry-after", "3", 3000),
        ("retry-after", "1.5", 1500),
        ("retry-after", "0", 0),
        ("retry-after", "86400", 86_400_000),
        ("retry-after-ms", "250", 250),
        // The three date forms, ten seconds after the answer's own date.
        ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
        ("retry-after", "Sunday, 06-Nov-94 08:49:47 GMT", 10_000),
        ("retry-after", "Sun Nov  6 08:49:47 1994", 10_000),
        ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT", 0),
    ] {
        let reply = text(429, "slow down").with("date", "Sun, 06 Nov 1994 08:49:37 GMT").with(header, value);
        let options = once_at("1994-11-06T08:49:37Z");
        assert_refused(reply, options, limited.clone().retry_after_ms(milliseconds)).await;
    }
    let unreadable = text(429, "slow down").with("retry-after", "soon");
    assert_refused(unreadable, once(), limited).await;
}

#[tokio::test]
async fn a_delay_is_obeyed_and_one_that_is_too_long_is_handed_back_at_once() {
    let slow = |delay: &str| text(429, "slow down").with("retry-after", delay);
    let vendor = Vendor::answering([slow("0"), slow("0.001"), json(200, WHOLE)]).await;
    assert!(client(&vendor, quickly()).get(&address(&[ID])).await.is_ok());
    assert_eq!(vendor.asked().len(), 3);

    let limited = told("RateLimited", ErrorKind::RateLimited, 429).message("slow down");
    assert_refused(slow("61"), quickly(), limited.clone().retry_after_ms(61_000)).await;
    assert_refused(slow("0"), quickly(), limited.retry_after_ms(0).attempts(4)).await;
}
