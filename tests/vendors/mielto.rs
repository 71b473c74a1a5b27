//! Mielto: `GET /api/v1/api-keys/{api_key_id}`.

use keymux_core::{
    ApiKeyProvider, Basis, ClientOptions, Drift, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact, Field,
    KeyRecord, KeyState, Permission, Status, VendorTime,
};
use keymux_mielto::{ApiKey, ApiKeyId, AuthHeader, Client, Config, Error, KeyStatus};

use crate::support::{
    ACCEPT, CREDENTIAL, Reply, Told, USER_AGENT, Vendor, assert_states, html, instant, json, known, once, once_at,
    quickly, text, told,
};
use crate::vendors::address;

const ID: &str = "key_000000001";

/// Every documented member, with what the documentation of making a key adds.
const WHOLE: &str = r#"{
    "id": "key_000000001", "created_at": "2025-02-01T09:00:00Z", "updated_at": "2025-02-02T09:00:00Z",
    "key": "mk_example_0000", "hashed_secret": "hash-0000", "label": "nightly import", "status": "active",
    "last_used_at": "2025-03-01T09:00:00Z", "expires_at": "2026-02-01T09:00:00Z", "permissions": ["read", "write"],
    "ip_whitelist": ["10.0.0.0/8", "192.0.2.1"], "collections": ["col_000000001"], "workspace_id": "wsp_000000001",
    "created_by": "usr_000000001", "secret": "sk_example_0000" }"#;

/// The members that are documented as required.
const SMALLEST: &str = r#"{"key": "k", "label": "l", "workspace_id": "w"}"#;

/// The required members, and `null` wherever the documentation allows it.
const NULLS: &str = r#"{
    "id": "key_000000001", "created_at": null, "updated_at": null, "key": "mk_example_0000", "hashed_secret": null,
    "label": "nightly import", "status": "active", "last_used_at": null, "expires_at": null, "permissions": null,
    "ip_whitelist": null, "collections": null, "workspace_id": "wsp_000000001", "created_by": null, "secret": null }"#;

const ALWAYS: [Field; 2] = [Field::Name, Field::OwnerWorkspace];
const SOMETIMES: [Field; 7] = [
    Field::CreatedAt,
    Field::UpdatedAt,
    Field::LastUsedAt,
    Field::ExpiresAt,
    Field::OwnerCreator,
    Field::Permissions,
    Field::IpAllowlist,
];

fn config(url: &str, options: ClientOptions) -> Config {
    Config::new(CREDENTIAL).with_base_url(url).with_options(options)
}

/// The key `ID`, both ways in.
async fn look_up(client: &Client) -> (Result<ApiKey, Error>, Result<KeyRecord, CoreError>) {
    (client.get_api_key(&ApiKeyId::new(ID).unwrap()).await, client.get(&address(&[ID])).await)
}

async fn found_with(body: &str, options: ClientOptions) -> (ApiKey, KeyRecord) {
    let vendor = Vendor::answering([json(200, body)]).await;
    let (key, record) = look_up(&config(&vendor.url(), options).build().unwrap()).await;
    (key.unwrap(), record.unwrap())
}

async fn found(body: &str) -> (ApiKey, KeyRecord) {
    found_with(body, once()).await
}

async fn refused(reply: &Reply, options: ClientOptions) -> (Error, CoreError) {
    let vendor = Vendor::answering([reply.clone()]).await;
    let (typed, unified) = look_up(&config(&vendor.url(), options).build().unwrap()).await;
    (typed.unwrap_err(), unified.unwrap_err())
}

async fn assert_refused(reply: Reply, options: ClientOptions, expected: Told) {
    let (typed, unified) = refused(&reply, options).await;
    assert_eq!(Told::by(&typed, typed.details()), expected, "{reply:?}");
    assert_eq!(Told::by_unified::<Error>(&unified, "mielto"), expected, "{reply:?}");
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let vendor = Vendor::answering([json(200, WHOLE)]).await;
    let base = || config(&vendor.url(), once());
    let (bearer, x_api_key) = ("authorization: Bearer workspace-credential", "x-api-key: workspace-credential");
    let workspace = "x-workspace-id: wsp_000000001";
    for (config, headers) in [
        (base(), vec![ACCEPT, bearer, USER_AGENT]),
        (base().with_auth_header(AuthHeader::Bearer), vec![ACCEPT, bearer, USER_AGENT]),
        (base().with_auth_header(AuthHeader::XApiKey), vec![ACCEPT, USER_AGENT, x_api_key]),
        (base().with_workspace_id("wsp_000000001"), vec![ACCEPT, bearer, USER_AGENT, workspace]),
        (
            base().with_auth_header(AuthHeader::XApiKey).with_workspace_id("wsp_000000001"),
            vec![ACCEPT, USER_AGENT, x_api_key, workspace],
        ),
    ] {
        let (typed, unified) = look_up(&config.build().unwrap()).await;
        assert!(typed.is_ok() && unified.is_ok());
        let request = format!("GET /api/v1/api-keys/key_000000001\n{}", headers.join("\n"));
        assert_eq!(vendor.asked().split_off(vendor.asked().len() - 2), [request.clone(), request]);
    }
}

#[test]
fn a_workspace_id_that_no_header_carries_is_refused_when_the_client_is_built() {
    for bad in ["", " ", "a\r\nX-Admin: 1", "a\0"] {
        let error = Config::new(CREDENTIAL).with_workspace_id(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{bad:?}");
        assert!(error.to_string().contains("workspace id"), "{error}");
    }
}

#[tokio::test]
async fn the_prefix_of_the_api_may_stand_in_the_base_url_or_not() {
    let vendor = Vendor::answering([json(200, WHOLE)]).await;
    for (end, path) in [
        ("", "/api/v1/api-keys/key_000000001"),
        ("/api/v1", "/api/v1/api-keys/key_000000001"),
        ("/api/v1/", "/api/v1/api-keys/key_000000001"),
        ("/mielto", "/mielto/api/v1/api-keys/key_000000001"),
        ("/mielto/api/v1", "/mielto/api/v1/api-keys/key_000000001"),
        ("/mielto/api/v1/", "/mielto/api/v1/api-keys/key_000000001"),
        ("/not-api/v1x", "/not-api/v1x/api/v1/api-keys/key_000000001"),
    ] {
        let client = config(&format!("{}{end}", vendor.url()), once()).build().unwrap();
        client.get(&address(&[ID])).await.unwrap();
        assert_eq!(vendor.lines().pop().unwrap(), format!("GET {path}"), "{end:?}");
    }
}

#[tokio::test]
async fn a_whole_key_becomes_a_whole_record() {
    let text = |text: &str| Fact::Known(VendorTime::Text(text.to_owned()));
    let texts = |texts: &[&str]| Fact::Known(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let (key, record) = found(WHOLE).await;
    for key in [&key, record.native::<ApiKey>().unwrap()] {
        assert_eq!(key.id.known().unwrap().as_str(), ID);
        assert_eq!(key.created_at, text("2025-02-01T09:00:00Z"));
        assert_eq!(key.updated_at, text("2025-02-02T09:00:00Z"));
        assert_eq!(key.key.known().unwrap().expose_secret(), "mk_example_0000");
        assert_eq!(key.hashed_secret.known().unwrap().expose_secret(), "hash-0000");
        assert_eq!(key.label, known("nightly import"));
        assert_eq!(key.status, Fact::Known(KeyStatus::Active));
        assert_eq!(key.last_used_at, text("2025-03-01T09:00:00Z"));
        assert_eq!(key.expires_at, text("2026-02-01T09:00:00Z"));
        assert_eq!(key.permissions, texts(&["read", "write"]));
        assert_eq!(key.ip_whitelist, texts(&["10.0.0.0/8", "192.0.2.1"]));
        assert_eq!(key.collections, texts(&["col_000000001"]));
        assert_eq!(key.workspace_id, known("wsp_000000001"));
        assert_eq!(key.created_by, known("usr_000000001"));
        assert_eq!(key.secret.known().unwrap().expose_secret(), "sk_example_0000");
    }

    assert_states(&record, &[&ALWAYS[..], &SOMETIMES].concat(), &[], &[]);
    assert_eq!(record.key_ref().to_string(), "mielto:key_000000001");
    assert_eq!(record.kind.as_str(), "api_key");
    assert_eq!(record.name, known("nightly import"));
    assert_eq!(record.created_at, instant("2025-02-01T09:00:00Z"));
    assert_eq!(record.updated_at, instant("2025-02-02T09:00:00Z"));
    assert_eq!(record.last_used_at, instant("2025-03-01T09:00:00Z"));
    assert_eq!(record.expires_at, instant("2026-02-01T09:00:00Z"));
    assert_eq!(record.owner.workspace, known("wsp_000000001"));
    assert_eq!(record.owner.creator, known("usr_000000001"));
    let permission = |name: &str| Permission { name: name.to_owned(), actions: None };
    assert_eq!(record.permissions, Fact::Known(vec![permission("read"), permission("write")]));
    assert_eq!(record.ip_allowlist, texts(&["10.0.0.0/8", "192.0.2.1"]));
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn what_is_absent_and_what_is_null_stay_apart() {
    let (key, record) = found(SMALLEST).await;
    assert_eq!((&key.id, &key.collections, &key.status), (&Fact::Missing, &Fact::Missing, &Fact::Missing));
    assert!(key.secret.is_missing() && key.hashed_secret.is_missing());
    assert_states(&record, &ALWAYS, &[], &SOMETIMES);
    assert_eq!((record.name, record.owner.workspace, record.drift), (known("l"), known("w"), vec![]));

    let (key, record) = found(NULLS).await;
    assert_eq!((&key.collections, &key.permissions), (&Fact::Empty, &Fact::Empty));
    assert!(matches!((&key.secret, &key.hashed_secret), (Fact::Empty, Fact::Empty)));
    assert_states(&record, &ALWAYS, &SOMETIMES, &[]);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn the_key_its_secret_and_its_hash_are_shown_nowhere() {
    let (key, record) = found_with(WHOLE, once().with_raw(true)).await;
    let shown = format!("{key:?} {record:?} {}", serde_json::to_string(&record).unwrap());
    for secret in ["mk_example_0000", "sk_example_0000", "hash-0000"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(record.raw.is_some());
}

#[tokio::test]
async fn a_key_works_while_it_is_switched_on_and_its_time_is_not_over() {
    const BEFORE: &str = "2026-02-01T08:59:59Z";
    const AT_THE_END: &str = "2026-02-01T09:00:00Z";
    let unknown_value = |text: &str| vec![Drift::unknown_value("status", text)];
    let note = |kind| vec![Drift::new("status", kind)];
    let table = [
        // the member as sent      the time    the state           its basis    drift
        (r#""status": "active","#, BEFORE, KeyState::Active, "stated", vec![]),
        (r#""status": "active","#, AT_THE_END, KeyState::Expired, "derived", vec![]),
        (r#""status": "inactive","#, BEFORE, KeyState::Disabled, "stated", vec![]),
        (r#""status": "inactive","#, AT_THE_END, KeyState::Disabled, "stated", vec![]),
        // Absent means the documented default, `active`.
        ("", BEFORE, KeyState::Active, "derived", vec![]),
        ("", AT_THE_END, KeyState::Expired, "derived", vec![]),
        // Any other text is documented as possible, and its meaning is not.
        (r#""status": "paused","#, BEFORE, KeyState::Unknown, "stated", unknown_value("paused")),
        (r#""status": "Active","#, BEFORE, KeyState::Unknown, "stated", unknown_value("Active")),
        (r#""status": "","#, BEFORE, KeyState::Unknown, "stated", unknown_value("")),
        // What is there and is no text is not absent.
        (r#""status": true,"#, BEFORE, KeyState::Unknown, "none", note(DriftKind::WrongType)),
        (r#""status": {"value": "active"},"#, BEFORE, KeyState::Unknown, "none", note(DriftKind::WrongType)),
        (r#""status": null,"#, BEFORE, KeyState::Unknown, "none", note(DriftKind::UnexpectedNull)),
    ];
    for (member, time, state, basis, drift) in table {
        let body = WHOLE.replace(r#""status": "active","#, member);
        let (_, record) = found_with(&body, once_at(time)).await;
        assert_eq!(record.status.state, state, "{member} {time}");
        match &record.status.basis {
            Basis::Stated { field } => assert_eq!(("stated", &**field), (basis, "status"), "{member} {time}"),
            Basis::Derived { from, .. } => assert!(basis == "derived" && from[0] == "status", "{member} {time}"),
            Basis::None => assert_eq!(basis, "none", "{member} {time}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(record.drift, drift, "{member} {time}");
        assert_states(&record, &[&ALWAYS[..], &SOMETIMES].concat(), &[], &[]);
    }
}

#[tokio::test]
async fn a_key_that_never_ends_is_active_for_ever() {
    let (_, record) = found_with(NULLS, once_at("2999-01-01T00:00:00Z")).await;
    assert_eq!(record.status, Status::stated(KeyState::Active, "status"));
}

#[tokio::test]
async fn a_time_without_a_zone_is_read_as_utc_and_noted() {
    let body = WHOLE.replace("2025-02-01T09:00:00Z", "2025-02-01T09:00:00.123456");
    let (_, record) = found(&body).await;
    assert_eq!(record.created_at, instant("2025-02-01T09:00:00.123456Z"));
    assert_eq!(record.drift, [Drift::new("created_at", DriftKind::ZoneAssumed)]);
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    use ErrorKind::{NotFound, PermissionDenied, QuotaExhausted, RateLimited, Server, Unauthenticated};
    let table = [
        (
            json(401, r#"{"detail": "Not authenticated"}"#),
            told("Unauthenticated", Unauthenticated, 401).message("Not authenticated"),
        ),
        (
            json(402, r#"{"detail": "Payment required"}"#),
            told("CreditExhausted", QuotaExhausted, 402).message("Payment required"),
        ),
        (
            json(403, r#"{"detail": "Insufficient permission"}"#),
            told("Forbidden", PermissionDenied, 403).message("Insufficient permission"),
        ),
        (json(404, r#"{"detail": "API key not found"}"#), told("NotFound", NotFound, 404).message("API key not found")),
        (json(429, r#"{"detail": "Slow down"}"#), told("RateLimited", RateLimited, 429).message("Slow down")),
        (
            json(404, r#"{"detail": "API key not found", "error_code": "NOT_FOUND"}"#),
            told("NotFound", NotFound, 404).code("NOT_FOUND").message("API key not found"),
        ),
        (json(500, r#"{"detail": "Internal"}"#), told("Other", Server, 500).message("Internal")),
        // The member that Mielto's own software falls back to, and no JSON at all.
        (json(403, r#"{"message": "no access"}"#), told("Forbidden", PermissionDenied, 403).message("no access")),
        (text(500, "Internal Server Error"), told("Other", Server, 500).message("Internal Server Error")),
        (html(502, "<html></html>"), told("Other", Server, 502).message("an HTML or XML page of 13 bytes")),
        (text(404, ""), told("NotFound", NotFound, 404)),
    ];
    for (reply, expected) in table {
        assert_refused(reply, once(), expected).await;
    }
}

#[tokio::test]
async fn a_credit_that_is_used_up_goes_before_the_status_and_is_not_waited_for() {
    for code in ["CREDIT_LIMIT_EXCEEDED", "OVERAGE_LIMIT_EXCEEDED"] {
        for status in [402, 403, 429] {
            let body = format!(r#"{{"detail": "credit limit reached", "error_code": "{code}"}}"#);
            let expected = told("CreditExhausted", ErrorKind::QuotaExhausted, u16::try_from(status).unwrap())
                .code(code)
                .message("credit limit reached");
            assert_refused(json(status, &body), quickly(), expected).await;
        }
    }
}

#[tokio::test]
async fn what_does_not_validate_is_told_with_its_place() {
    let body = r#"{"detail": [
        {"loc": ["path", "api_key_id"], "msg": "too short", "type": "string_too_short"},
        {"loc": ["body", "permissions", 0], "msg": "no string", "type": "string_type", "input": 7}]}"#;
    let (typed, unified) = refused(&json(422, body), quickly()).await;
    for error in [&typed, std::error::Error::source(&unified).unwrap().downcast_ref().unwrap()] {
        let Error::InvalidRequest { violations, details } = error else { panic!("{error:?}") };
        let told: Vec<_> = violations.iter().map(|v| (v.loc.join("/"), &*v.msg, &*v.kind)).collect();
        assert_eq!(
            told,
            [
                ("path/api_key_id".to_owned(), "too short", "string_too_short"),
                ("body/permissions/0".to_owned(), "no string", "string_type"),
            ]
        );
        assert_eq!((details.status(), details.attempts()), (Some(422), 1));
    }
    assert_eq!((unified.kind(), unified.status(), unified.attempts()), (ErrorKind::InvalidRequest, Some(422), 1));
    for part in ["api_key_id", "too short", "permissions", "no string"] {
        assert!(unified.message().unwrap().contains(part), "{unified}");
    }
}

#[tokio::test]
async fn a_422_without_the_documented_list_is_still_one() {
    // `detail` is not among the required members.
    for (body, message) in [
        (r#"{"detail": []}"#, Some("JSON of 14 bytes without a known message")),
        (r#"{"detail": [], "message": "bad id"}"#, Some("bad id")),
        (r#"{"detail": "bad id"}"#, Some("bad id")),
        (r#"{"message": "bad id"}"#, Some("bad id")),
    ] {
        let (typed, unified) = refused(&json(422, body), once()).await;
        let Error::InvalidRequest { violations, .. } = &typed else { panic!("{typed:?}") };
        assert!(violations.is_empty());
        assert_eq!((unified.kind(), unified.message()), (ErrorKind::InvalidRequest, message), "{body}");
    }
}
