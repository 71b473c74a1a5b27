//! Mielto: `/api/v1/api-keys`.

use std::sync::Arc;

use keymux_core::{
    Action, ApiKeyProvider, Change, ClientOptions, Cursor, Error as CoreError, ErrorKind, ExposeSecret, Fact,
    KeyAddress, KeyPatch, KeyState, KeyStream, NewKey, Operation, Parameter, ParameterSupport, Permission, Scope,
    SecretString, Support, VerifyRequest,
};
use keymux_mielto::{
    ApiKey, ApiKeyId, ApiKeyUpdate, AuthHeader, Client, Config, Error, KeyStatus, ListApiKeys, NewApiKey, Timestamp,
    provider_info,
};
use serde_json::{Value, json};

use crate::support::{Forgetful, Vendor, assert_hidden, options, recorded, request};

/// The header that goes with every request.
const CREDENTIAL: &str = "authorization: Bearer workspace-credential";

/// What must not be printed: the two halves of a key.
const SECRET: &str = "sk_test_CANARYsecret0001";
const KEY: &str = "mk_prod_CANARYkey0001";

const FULL: &str = r#"{"id": "key_1", "created_at": "2025-02-01T09:00:00Z", "updated_at": null,
    "key": "mk_prod_CANARYkey0001", "hashed_secret": "CANARYhash", "label": "nightly import", "status": "active", "last_used_at": null,
    "expires_at": "2100-01-01T00:00:00Z", "permissions": ["read"], "ip_whitelist": ["192.0.2.1"],
    "collections": ["col_1"], "workspace_id": "wsp_1", "created_by": "usr_1", "secret": null}"#;

const ISSUED: &str = r#"{"id": "key_1", "key": "mk_prod_CANARYkey0001", "hashed_secret": "CANARYhash",
    "label": "nightly import", "status": "active", "workspace_id": "wsp_1", "secret": "sk_test_CANARYsecret0001"}"#;

const LEAST: &str = r#"{"key": "mk_prod_CANARYkey0001", "label": "l", "workspace_id": "w"}"#;

/// Every operation of the client.
const OPERATIONS: [(&str, &str); 5] = [
    ("get_api_key", "GET"),
    ("list_api_keys", "GET"),
    ("create_api_key", "POST"),
    ("update_api_key", "PUT"),
    ("delete_api_key", "DELETE"),
];

/// The client of a vendor.
trait Asks {
    fn client(&self) -> Client;
}

impl Asks for Vendor {
    fn client(&self) -> Client {
        client(&self.url(), options())
    }
}

fn client(url: &str, options: ClientOptions) -> Client {
    Config::new("workspace-credential").with_base_url(url).with_options(options).build().unwrap()
}

fn key_id() -> ApiKeyId {
    ApiKeyId::new("key_1").unwrap()
}

fn address() -> KeyAddress {
    KeyAddress::new(["key_1"]).unwrap()
}

fn labelled(label: &str) -> NewApiKey {
    NewApiKey { label: label.to_owned(), ..NewApiKey::default() }
}

fn relabel(label: &str) -> ApiKeyUpdate {
    ApiKeyUpdate { label: Change::Set(label.to_owned()), ..ApiKeyUpdate::default() }
}

fn instant() -> Timestamp {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

fn permission(name: &str, actions: Option<Vec<Action>>) -> Permission {
    Permission { name: name.to_owned(), actions }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What one call of an operation ended in, without its result.
async fn run(operation: &str, client: &Client) -> Result<(), Error> {
    match operation {
        "get_api_key" => client.get_api_key(&key_id()).await.map(drop),
        "list_api_keys" => client.list_api_keys(ListApiKeys::default()).await.map(drop),
        "create_api_key" => client.create_api_key(&labelled("nightly import")).await.map(drop),
        "update_api_key" => client.update_api_key(&key_id(), &relabel("nightly import")).await.map(drop),
        "delete_api_key" => client.delete_api_key(&key_id()).await,
        other => panic!("no operation {other}"),
    }
}

/// An answer that the operation takes.
fn good_answer(operation: &str) -> &'static str {
    match operation {
        "list_api_keys" => r#"{"data": [], "total_count": 0}"#,
        "delete_api_key" => "",
        _ => FULL,
    }
}

// Requests and answers.

#[tokio::test]
async fn every_request_is_exactly_as_documented() {
    let body = Some(r#"{"label":"nightly import"}"#);
    let table = [
        ("get_api_key", "GET /api/v1/api-keys/key_1", None),
        ("list_api_keys", "GET /api/v1/api-keys", None),
        ("create_api_key", "POST /api/v1/api-keys", body),
        ("update_api_key", "PUT /api/v1/api-keys/key_1", body),
        ("delete_api_key", "DELETE /api/v1/api-keys/key_1", None),
    ];
    for ((operation, method), (same, line, body)) in OPERATIONS.into_iter().zip(table) {
        assert_eq!(operation, same);
        let vendor = Vendor::answering(method, &[(200, good_answer(operation))]).await;
        run(operation, &vendor.client()).await.unwrap();
        assert_eq!(vendor.asked(), [request(line, CREDENTIAL, body)], "{operation}");
    }
}

#[tokio::test]
async fn the_workspace_and_the_other_header_go_with_every_request() {
    for (operation, method) in OPERATIONS {
        let vendor = Vendor::answering(method, &[(200, good_answer(operation))]).await;
        let config = Config::new("workspace-credential").with_base_url(format!("{}/api/v1", vendor.url()));
        let config = config.with_auth_header(AuthHeader::XApiKey).with_workspace_id("wsp_1");
        run(operation, &config.build().unwrap()).await.unwrap();
        let asked = &vendor.asked()[0];
        assert!(asked.contains("\nx-api-key: workspace-credential") && asked.contains("\nx-workspace-id: wsp_1"));
        assert!(!asked.contains("authorization") && asked.contains(" /api/v1/api-keys"), "{asked}");
    }
}

#[tokio::test]
async fn a_full_key_is_made_of_everything_that_is_documented() {
    let new = NewApiKey {
        label: "nightly import".to_owned(),
        status: Some(KeyStatus::Inactive),
        expires_at: Some(instant()),
        permissions: Some(texts(&["read", "write"])),
        ip_whitelist: Some(texts(&["192.0.2.1"])),
        collections: Some(Vec::new()),
    };
    for status in [200, 201] {
        let vendor = Vendor::answering("POST", &[(status, ISSUED)]).await;
        let (key, plaintext) = vendor.client().create_api_key(&new).await.unwrap();
        let body = [
            r#"{"label":"nightly import","status":"inactive","expires_at":"2100-01-01T00:00:00Z","#,
            r#""permissions":["read","write"],"ip_whitelist":["192.0.2.1"],"collections":[]}"#,
        ];
        assert_eq!(vendor.asked(), [request("POST /api/v1/api-keys", CREDENTIAL, Some(&body.concat()))]);
        assert_eq!(plaintext.expose_secret(), SECRET);
        assert!(key.secret.is_missing(), "the plaintext is in one place");
        assert_eq!(key.key.known().unwrap().expose_secret(), KEY);
        assert_hidden(&(key, plaintext));
    }
}

#[tokio::test]
async fn a_key_without_its_secret_is_issued_as_its_key() {
    for body in [FULL, LEAST] {
        let vendor = Vendor::answering("POST", &[(201, body)]).await;
        let (key, plaintext) = vendor.client().create_api_key(&labelled("l")).await.unwrap();
        assert_eq!(plaintext.expose_secret(), KEY);
        assert!(key.key.is_missing());
        assert_hidden(&(key, plaintext));
    }
}

#[tokio::test]
async fn an_answer_without_either_plaintext_leaves_the_outcome_unknown() {
    for body in [r#"{"id": "key_1", "label": "l", "workspace_id": "w", "key": null}"#, "", "<html>CANARY", "[]"] {
        let vendor = Vendor::hinting("POST", &[(201, body)]).await;
        let typed = CoreError::from(run("create_api_key", &vendor.client()).await.unwrap_err());
        let unified = vendor.client().create(&NewKey::default().with_name("l")).await.unwrap_err();
        for error in [typed, unified] {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::OutcomeUnknown, 1), "{error}");
            assert!(error.to_string().contains("look for the label") && !error.is_retryable(), "{error}");
            assert_hidden(&error);
        }
        assert_eq!(vendor.asked().len(), 2);
    }
}

#[tokio::test]
async fn an_update_leaves_clears_and_sets() {
    let update = ApiKeyUpdate {
        label: Change::Leave,
        status: Change::Set(KeyStatus::Other("paused".to_owned())),
        expires_at: Change::Clear,
        permissions: Change::Set(texts(&["read"])),
        ip_whitelist: Change::Clear,
        collections: Change::Leave,
    };
    let body = r#"{"status":"paused","expires_at":null,"permissions":["read"],"ip_whitelist":null}"#;
    let vendor = Vendor::answering("PUT", &[(202, FULL)]).await;
    let key = vendor.client().update_api_key(&key_id(), &update).await.unwrap();
    assert_eq!(vendor.asked(), [request("PUT /api/v1/api-keys/key_1", CREDENTIAL, Some(body))]);
    assert_eq!(key.label, Fact::Known("nightly import".to_owned()));
    assert_hidden(&key);
}

#[tokio::test]
async fn a_deletion_takes_any_success_whatever_its_body() {
    for (status, body) in [(200, r#"{"message": "gone"}"#), (202, "not json"), (204, ""), (200, "[1]")] {
        let vendor = Vendor::answering("DELETE", &[(status, body)]).await;
        vendor.client().delete_api_key(&key_id()).await.unwrap();
        let revoked = vendor.client().revoke(&address()).await.unwrap();
        assert!(revoked.record.is_none() && !revoked.after_lost_answer);
    }
}

#[tokio::test]
async fn a_list_sends_what_is_asked_and_tells_what_is_said() {
    let full = format!(
        r#"{{"data": [{FULL}, {LEAST}], "total_count": 7, "page": 1, "limit": 2, "next_page": 2, "next_cursor": "c",
            "has_more": true}}"#
    );
    let vendor = Vendor::answering("GET", &[(200, &full), (200, r#"{"data": [], "total_count": 0}"#)]).await;
    let client = vendor.client();
    let page = client.list_api_keys(ListApiKeys { skip: Some(4), limit: Some(2) }).await.unwrap();
    assert_eq!((page.data.len(), page.info.total_count, page.info.next_page), (2, Fact::Known(7), Fact::Known(2)));
    assert_eq!((page.info.has_more, page.info.limit), (Fact::Known(true), Fact::Known(2)));
    assert!(page.data[1].id.is_missing());
    assert_hidden(&page);
    let page = client.list_api_keys(ListApiKeys { skip: None, limit: Some(1000) }).await.unwrap();
    assert_eq!((page.data.len(), page.info.has_more, page.info.next_cursor), (0, Fact::Missing, Fact::Missing));
    assert_eq!(vendor.lines(), ["GET /api/v1/api-keys?skip=4&limit=2", "GET /api/v1/api-keys?limit=1000"]);
}

// Failures.

#[tokio::test]
async fn a_documented_constraint_is_checked_before_anything_is_sent() {
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let mut errors = Vec::new();
    for label in [String::new(), "x".repeat(256)] {
        errors.push((client.create_api_key(&labelled(&label)).await.unwrap_err(), "label"));
        errors.push((client.update_api_key(&key_id(), &relabel(&label)).await.unwrap_err(), "label"));
    }
    for limit in [0, 1001] {
        let list = ListApiKeys { skip: None, limit: Some(limit) };
        errors.push((client.list_api_keys(list).await.unwrap_err(), "limit"));
    }
    let updates = [
        (ApiKeyUpdate::default(), "changes nothing"),
        (ApiKeyUpdate { label: Change::Clear, ..ApiKeyUpdate::default() }, "label"),
        (ApiKeyUpdate { status: Change::Clear, ..ApiKeyUpdate::default() }, "status"),
    ];
    for (update, names) in updates {
        errors.push((client.update_api_key(&key_id(), &update).await.unwrap_err(), names));
    }
    for (error, names) in errors {
        let details = error.details();
        assert_eq!((details.kind(), details.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
        assert!(error.to_string().contains(names) && error.to_string().starts_with("mielto"), "{error}");
    }
    assert_eq!(vendor.requests(), 0);
    // The bounds themselves are taken, and counted in characters.
    for label in ["x".to_owned(), "é".repeat(255)] {
        let vendor = Vendor::answering("POST", &[(201, ISSUED)]).await;
        vendor.client().create_api_key(&labelled(&label)).await.unwrap();
        assert_eq!(vendor.body()["label"], label);
    }
}

#[tokio::test]
async fn every_known_failure_has_its_variant() {
    type Is = fn(&Error) -> bool;
    let credit = r#"{"detail": "no credit", "error_code": "CREDIT_LIMIT_EXCEEDED"}"#;
    let invalid = r#"{"detail": [{"loc": ["body", "label"], "msg": "too long", "type": "string_too_long"}]}"#;
    let table: [(usize, &str, ErrorKind, Is); 9] = [
        (400, "bad", ErrorKind::InvalidRequest, |error| matches!(error, Error::Other(_))),
        (401, r#"{"detail": "no"}"#, ErrorKind::Unauthenticated, |error| matches!(error, Error::Unauthenticated(_))),
        (402, "", ErrorKind::QuotaExhausted, |error| matches!(error, Error::CreditExhausted(_))),
        (429, credit, ErrorKind::QuotaExhausted, |error| matches!(error, Error::CreditExhausted(_))),
        (403, "no", ErrorKind::PermissionDenied, |error| matches!(error, Error::Forbidden(_))),
        (404, r#"{"detail": "no"}"#, ErrorKind::NotFound, |error| matches!(error, Error::NotFound(_))),
        (422, "{}", ErrorKind::InvalidRequest, |error| matches!(error, Error::InvalidRequest { .. })),
        (422, invalid, ErrorKind::InvalidRequest, |error| {
            matches!(error, Error::InvalidRequest { violations, .. }
                if violations[0].loc == ["body", "label"] && violations[0].kind == "string_too_long")
        }),
        (501, "broken", ErrorKind::Server, |error| matches!(error, Error::Other(_))),
    ];
    for (operation, method) in OPERATIONS {
        for (status, body, kind, is) in &table {
            let vendor = Vendor::hinting(method, &[(*status, body)]).await;
            let error = run(operation, &vendor.client()).await.unwrap_err();
            let details = error.details();
            assert_eq!((details.kind(), details.operation()), (*kind, Some(operation)), "{error}");
            assert!(is(&error), "{operation}: {error:?}");
            assert_eq!(vendor.asked().len(), 1, "{operation}: {status}");
            let unified = CoreError::from(error);
            let source = std::error::Error::source(&unified).unwrap();
            assert!(is(source.downcast_ref().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_retried_unless_a_key_is_made() {
    for (operation, _) in OPERATIONS {
        let vendor = Forgetful::start().await;
        let error = run(operation, &client(vendor.url(), options())).await.unwrap_err();
        let kind = error.details().kind();
        if operation == "create_api_key" {
            assert_eq!((vendor.requests(), kind), (1, ErrorKind::OutcomeUnknown));
            assert!(error.to_string().contains("list the keys and look for the label"), "{error}");
        } else {
            assert_eq!((vendor.requests(), kind), (4, ErrorKind::Transport), "{operation}");
        }
    }
    let vendor = Forgetful::start().await;
    let error = client(vendor.url(), options()).create(&NewKey::default().with_name("n")).await.unwrap_err();
    assert_eq!((vendor.requests(), error.kind()), (1, ErrorKind::OutcomeUnknown));
}

#[tokio::test]
async fn a_429_is_retried_by_every_operation_and_a_500_by_those_that_make_no_key() {
    for (operation, method) in OPERATIONS {
        let vendor = Vendor::hinting(method, &[(429, "slow down"), (200, good_answer(operation))]).await;
        run(operation, &vendor.client()).await.unwrap();
        let asked = vendor.asked();
        assert_eq!((asked.len(), &asked[0]), (2, &asked[1]), "{operation}");
        let vendor = Vendor::hinting(method, &[(500, "broken"), (200, good_answer(operation))]).await;
        let result = run(operation, &vendor.client()).await;
        if operation == "create_api_key" {
            assert_eq!(result.unwrap_err().details().kind(), ErrorKind::OutcomeUnknown);
            assert_eq!(vendor.asked().len(), 1);
        } else {
            result.unwrap();
            assert_eq!(vendor.asked().len(), 2, "{operation}");
        }
    }
    let vendor = Vendor::hinting("GET", &[(429, "slow down")]).await;
    let error = run("list_api_keys", &vendor.client()).await.unwrap_err();
    assert!(matches!(&error, Error::RateLimited(details) if details.attempts() == 4), "{error:?}");
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_is_success_only_after_a_lost_answer() {
    let vendor = Vendor::hinting("DELETE", &[(503, ""), (404, "")]).await;
    vendor.client().delete_api_key(&key_id()).await.unwrap();
    let vendor = Vendor::hinting("DELETE", &[(503, ""), (404, "")]).await;
    assert!(vendor.client().revoke(&address()).await.unwrap().after_lost_answer);
    let vendor = Vendor::hinting("DELETE", &[(429, ""), (404, "")]).await;
    let error = vendor.client().revoke(&address()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 2));
}

#[tokio::test]
async fn what_cannot_be_read_or_identified_is_an_error_without_any_value() {
    let anonymous = r#"{"label": "CANARY", "workspace_id": "w"}"#;
    for (operation, method, body) in [
        ("get_api_key", "GET", anonymous.to_owned()),
        ("update_api_key", "PUT", anonymous.to_owned()),
        ("update_api_key", "PUT", String::new()),
        ("list_api_keys", "GET", r#"{"items": []}"#.to_owned()),
    ] {
        let vendor = Vendor::hinting(method, &[(200, &body)]).await;
        let error = run(operation, &vendor.client()).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::Decode, "{body}: {error}");
        assert_hidden(&error);
        assert_eq!(vendor.asked().len(), 1);
    }
}

// The unified way in.

#[test]
fn the_capabilities_tell_every_operation_and_parameter() {
    let capabilities = provider_info().capabilities();
    let native = [Operation::Get, Operation::ListPage, Operation::Create, Operation::Update, Operation::Revoke];
    for operation in Operation::ALL {
        assert_eq!(capabilities.is_native(*operation), native.contains(operation), "{operation}");
        if let Support::Unsupported { alternative } = capabilities.support(*operation) {
            assert!(!alternative.contains("documents nothing"), "{operation}");
        }
    }
    let takes = |operation| capabilities.parameters(operation).collect::<Vec<_>>();
    let limits = [
        (Parameter::ExpiresAt, ParameterSupport::Optional),
        (Parameter::Permissions, ParameterSupport::Optional),
        (Parameter::IpAllowlist, ParameterSupport::Optional),
    ];
    let around = |name, enabled| [vec![(Parameter::Name, name)], limits.to_vec(), vec![(Parameter::Enabled, enabled)]];
    assert_eq!(takes(Operation::Create), around(ParameterSupport::Required, ParameterSupport::Optional).concat());
    assert_eq!(takes(Operation::Update), around(ParameterSupport::SetOnly, ParameterSupport::SetOnly).concat());
}

#[tokio::test]
async fn what_mielto_does_not_take_is_refused_by_name_and_sends_nothing() {
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let named = || NewKey::default().with_name("n");
    let acting = || vec![permission("read", Some(vec![Action::Read]))];
    let mut scoped = named();
    scoped.scope = Scope::new(["ws"]).unwrap();
    let creates = [
        (NewKey::default(), ErrorKind::InvalidRequest, "`name`"),
        (NewKey::default().with_name(""), ErrorKind::InvalidRequest, "label"),
        (named().with_permissions(acting()), ErrorKind::InvalidRequest, "`permissions`"),
        (scoped, ErrorKind::Unsupported, "`scope`"),
        (named().with_max_uses(1), ErrorKind::Unsupported, "`max_uses`"),
        (named().with_metadata(serde_json::Map::new()), ErrorKind::Unsupported, "`metadata`"),
        (named().with_customer("c"), ErrorKind::Unsupported, "`customer`"),
        (named().with_prefix("p"), ErrorKind::Unsupported, "`prefix`"),
    ];
    for (key, kind, names) in creates {
        let error = client.create(&key).await.unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(names), "{error}");
    }
    let updates = [
        (KeyPatch::new(), ErrorKind::InvalidRequest, "changes nothing"),
        (KeyPatch::new().with_name(Change::Clear), ErrorKind::Unsupported, "`name`"),
        (KeyPatch::new().with_name(Change::Set(String::new())), ErrorKind::InvalidRequest, "label"),
        (KeyPatch::new().with_max_uses(Change::Set(1)), ErrorKind::Unsupported, "`max_uses`"),
        (KeyPatch::new().with_permissions(Change::Set(acting())), ErrorKind::InvalidRequest, "`permissions`"),
    ];
    for (patch, kind, names) in updates {
        let error = client.update(&address(), &patch).await.unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(names), "{error}");
    }
    let (plaintext, two) = (SecretString::from(SECRET), KeyAddress::new(["a", "b"]).unwrap());
    let scope = Scope::new(["ws"]).unwrap();
    let others = [
        (client.register(&named(), &plaintext).await.unwrap_err(), ErrorKind::Unsupported, "create a key"),
        (client.rotate(&address()).await.unwrap_err(), ErrorKind::Unsupported, "then revoke"),
        (client.verify(&plaintext, &VerifyRequest::default()).await.unwrap_err(), ErrorKind::Unsupported, "status"),
        (client.scopes_page(None).await.unwrap_err(), ErrorKind::Unsupported, "workspace"),
        (client.list_page(&scope, None).await.unwrap_err(), ErrorKind::Unsupported, "takes no scope"),
        (client.revoke(&two).await.unwrap_err(), ErrorKind::InvalidRequest, "api_key_id"),
        (
            client.update(&two, &KeyPatch::new().with_enabled(true)).await.unwrap_err(),
            ErrorKind::InvalidRequest,
            "api_key_id",
        ),
    ];
    for (error, kind, names) in others {
        assert!(error.kind() == kind && error.to_string().contains(names), "{error}");
        assert_eq!((error.attempts(), error.provider().unwrap().as_str()), (0, "mielto"));
        assert_hidden(&error);
    }
    for cursor in ["", "c", "-1", "1.5", "99999999999999999999"] {
        let error = client.list_page(&Scope::account(), Some(&Cursor::new(cursor))).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains("cursor"), "{error}");
    }
    assert_eq!(vendor.requests(), 0);
}

#[tokio::test]
async fn an_issued_key_has_its_plaintext_once_and_its_record_is_as_from_get() {
    let key = NewKey::default()
        .with_name("nightly import")
        .with_expires_at(instant())
        .with_permissions([permission("read", None)])
        .with_ip_allowlist(["192.0.2.1"])
        .with_enabled(false);
    let get = Vendor::answering("GET", &[(200, ISSUED), (200, FULL)]).await;
    let get = get.client();
    for (body, expected) in [(ISSUED, SECRET), (FULL, KEY)] {
        let vendor = Vendor::answering("POST", &[(201, body)]).await;
        let options = options().with_raw(true);
        let issued = client(&vendor.url(), options).create(&key).await.unwrap();
        assert_eq!(
            vendor.body(),
            json!({"label": "nightly import", "status": "inactive", "expires_at": "2100-01-01T00:00:00Z",
                "permissions": ["read"], "ip_whitelist": ["192.0.2.1"]})
        );
        assert_eq!(issued.plaintext.expose_secret(), expected);
        let native: &ApiKey = recorded(&issued).native().unwrap();
        let kept = [&native.key, &native.secret].map(|half| half.known().map(ExposeSecret::expose_secret));
        assert!(!kept.contains(&Some(expected)), "the plaintext is in one place");
        assert_hidden(&issued);
        assert!(!serde_json::to_string(recorded(&issued)).unwrap().contains("CANARY"));
        let mut record = issued.record.unwrap();
        record.raw = None;
        assert_eq!(record, get.get(&address()).await.unwrap());
        assert!(record.drift.is_empty(), "{:?}", record.drift);
    }
    let vendor = Vendor::answering("POST", &[(201, ISSUED)]).await;
    let _ = vendor.client().create(&NewKey::default().with_name("n").with_enabled(true)).await.unwrap();
    assert_eq!(vendor.body(), json!({"label": "n", "status": "active"}));
}

#[tokio::test]
async fn a_made_key_without_its_id_keeps_its_plaintext() {
    let vendor = Vendor::answering("POST", &[(201, LEAST)]).await;
    let issued = vendor.client().create(&NewKey::default().with_name("l")).await.unwrap();
    assert!(!issued.plaintext.expose_secret().is_empty());
    assert_eq!((issued.address(), issued.member.as_deref()), (None, Some("key")));
    assert!(issued.find_out.as_deref().unwrap().contains("look for the label"));
    assert_hidden(&issued);
}

#[tokio::test]
async fn a_patch_sends_the_named_fields_alone() {
    let table = [
        (KeyPatch::new().with_enabled(false), json!({"status": "inactive"})),
        (KeyPatch::new().with_enabled(true), json!({"status": "active"})),
        (KeyPatch::new().with_name(Change::Set("n".to_owned())), json!({"label": "n"})),
        (KeyPatch::new().with_expires_at(Change::Clear), json!({"expires_at": null})),
        (KeyPatch::new().with_expires_at(Change::Set(instant())), json!({"expires_at": "2100-01-01T00:00:00Z"})),
        (
            KeyPatch::new().with_permissions(Change::Clear).with_ip_allowlist(Change::Clear),
            json!({"permissions": null, "ip_whitelist": null}),
        ),
        (
            KeyPatch::new()
                .with_permissions(Change::Set(vec![permission("read", None)]))
                .with_ip_allowlist(Change::Set(texts(&["192.0.2.1"]))),
            json!({"permissions": ["read"], "ip_whitelist": ["192.0.2.1"]}),
        ),
    ];
    let get = Vendor::answering("GET", &[(200, FULL)]).await;
    let expected = get.client().get(&address()).await.unwrap();
    for (patch, body) in table {
        let vendor = Vendor::answering("PUT", &[(200, FULL)]).await;
        assert_eq!(vendor.client().update(&address(), &patch).await.unwrap(), expected);
        assert_eq!(vendor.body(), body);
    }
}

/// A page of keys whose labels are these numbers.
fn page(numbers: std::ops::Range<u32>, info: &Value) -> String {
    let row = |n: u32| json!({"id": format!("key_{n}"), "key": "k", "label": n.to_string(), "workspace_id": "w"});
    let mut page = json!({ "data": numbers.map(row).collect::<Vec<_>>() });
    page.as_object_mut().unwrap().extend(info.as_object().unwrap().clone());
    page.to_string()
}

/// The names of a list, what was told as not read, and the requests that it took.
async fn listed(pages: &[String]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let replies: Vec<(usize, &str)> = pages.iter().map(|page| (200, page.as_str())).collect();
    let vendor = Vendor::answering("GET", &replies).await;
    let mut stream = KeyStream::new(Arc::new(vendor.client()), Scope::account(), None);
    let (mut names, mut errors) = (Vec::new(), Vec::new());
    while let Some(key) = stream.next().await {
        match key {
            Ok(record) => names.push(record.name.into_known().unwrap()),
            Err(error) => errors.push(error.to_string()),
        }
    }
    (names, errors, vendor.lines())
}

/// A line for each request of a list.
fn asked(skips: &[u64]) -> Vec<String> {
    skips.iter().map(|skip| format!("GET /api/v1/api-keys?skip={skip}&limit=1000")).collect()
}

#[tokio::test]
async fn a_list_goes_on_by_the_rows_received_until_nothing_says_that_there_is_more() {
    let table: [(Vec<String>, u32, &[u64]); 10] = [
        // More is said, and then no more.
        (
            vec![page(0..3, &json!({"has_more": true, "total_count": 5})), page(3..5, &json!({"has_more": false}))],
            5,
            &[0, 3],
        ),
        // The count is reached.
        (vec![page(0..3, &json!({"total_count": 5})), page(3..5, &json!({"total_count": 5}))], 5, &[0, 3]),
        (vec![page(0..3, &json!({"total_count": 3, "has_more": null}))], 3, &[0]),
        // Nothing is said: an empty page ends it.
        (vec![page(0..3, &json!({})), page(3..5, &json!({})), page(0..0, &json!({}))], 5, &[0, 3, 5]),
        (vec![page(0..0, &json!({"total_count": 0, "has_more": false}))], 0, &[0]),
        // What is not readable is not there.
        (vec![page(0..3, &json!({"has_more": "no", "total_count": -1})), page(0..0, &json!({}))], 3, &[0, 3]),
        // One sign says so, and the other does not.
        (
            vec![page(0..3, &json!({"has_more": true, "total_count": 3})), page(3..5, &json!({"has_more": false}))],
            5,
            &[0, 3],
        ),
        (
            vec![
                page(0..3, &json!({"has_more": false, "total_count": 5})),
                page(3..5, &json!({"has_more": false, "total_count": 5})),
            ],
            5,
            &[0, 3],
        ),
        (
            vec![
                page(0..3, &json!({"has_more": false, "total_count": 3, "next_page": 2})),
                page(0..0, &json!({"has_more": false, "total_count": 3})),
            ],
            3,
            &[0, 3],
        ),
        // A total that is the size of the page.
        (
            vec![
                page(0..3, &json!({"has_more": true, "total_count": 3})),
                page(3..6, &json!({"has_more": true, "total_count": 3})),
                page(6..9, &json!({"has_more": false, "total_count": 3})),
            ],
            9,
            &[0, 3, 6],
        ),
    ];
    for (pages, keys, skips) in table {
        let expected: Vec<String> = (0..keys).map(|n| n.to_string()).collect();
        assert_eq!(listed(&pages).await, (expected, Vec::new(), asked(skips)), "{pages:?}");
    }
}

#[tokio::test]
async fn a_list_that_contradicts_itself_to_its_end_is_not_whole() {
    let table: [(Vec<String>, u32, &[u64], &str); 3] = [
        (
            vec![
                page(0..3, &json!({"has_more": false, "total_count": 250})),
                page(0..0, &json!({"has_more": false, "total_count": 250})),
            ],
            3,
            &[0, 3],
            "says that there is more, and has no rows",
        ),
        // A server that gives the same page wherever it is to begin.
        (
            vec![page(0..1, &json!({"has_more": true, "total_count": 1})); 2],
            1,
            &[0, 1],
            "the server does not look at where a page is to begin",
        ),
        (
            vec![page(0..1, &json!({"total_count": 3})); 2],
            1,
            &[0, 1],
            "the server does not look at where a page is to begin",
        ),
    ];
    for (pages, keys, skips, says) in table {
        let expected: Vec<String> = (0..keys).map(|n| n.to_string()).collect();
        let (names, errors, lines) = listed(&pages).await;
        assert_eq!((names, lines), (expected, asked(skips)), "{pages:?}");
        assert!(matches!(&*errors, [error] if error.contains(says)), "{errors:?}");
    }
}

#[tokio::test]
async fn a_list_from_which_a_key_goes_while_it_is_read_is_read_again_from_there() {
    // Key 1 goes behind the first page: 3 moves to its place, where nobody would look.
    let moved = json!({"total_count": 5});
    let pages = vec![page(0..3, &json!({"total_count": 6})), page(4..6, &moved), page(3..6, &moved)];
    let (names, errors, lines) = listed(&pages).await;
    assert_eq!((names, errors), (texts(&["0", "1", "2", "3", "4", "5"]), Vec::new()));
    assert_eq!(lines, asked(&[0, 3, 2]));
    // The last one goes, and nothing is behind it.
    let moved = json!({"total_count": 3});
    let pages = vec![page(0..3, &json!({"total_count": 4})), page(0..0, &moved), page(2..3, &moved)];
    let (names, errors, lines) = listed(&pages).await;
    assert_eq!((names, errors, lines), (texts(&["0", "1", "2"]), Vec::new(), asked(&[0, 3, 2])));
}

#[tokio::test]
async fn a_key_that_stands_twice_on_a_page_is_given_once() {
    let mut twice: Value = serde_json::from_str(&page(0..2, &json!({"total_count": 4, "has_more": false}))).unwrap();
    let again = twice["data"].as_array().unwrap().clone();
    twice["data"].as_array_mut().unwrap().extend(again);
    let (names, errors, _) = listed(&[twice.to_string()]).await;
    assert_eq!((names, errors), (texts(&["0", "1"]), Vec::new()));
}

#[tokio::test]
async fn an_empty_page_that_says_there_is_more_is_no_end() {
    let table = [
        (json!({"has_more": true}), false),
        (json!({"has_more": true, "total_count": 0}), false),
        (json!({"total_count": 9}), false),
        (json!({"total_count": 9, "has_more": null}), false),
        (json!({"total_count": 9, "has_more": false}), false),
        (json!({"total_count": 7, "next_page": 2}), false),
        (json!({"total_count": 7}), true),
        (json!({"total_count": 7, "next_cursor": ""}), true),
        (json!({}), true),
    ];
    for (info, ends) in table {
        let vendor = Vendor::answering("GET", &[(200, &page(0..0, &info))]).await;
        let listed = vendor.client().list_page(&Scope::account(), Some(&Cursor::new("7"))).await;
        let told = listed.map(|page| page.next).map_err(|error| (error.kind(), error.to_string()));
        match told {
            Ok(next) => assert!(ends && next.is_none(), "{info}"),
            Err((kind, text)) => {
                assert!(
                    !ends && kind == ErrorKind::Decode && text.contains("says that there is more"),
                    "{info}: {text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_list_whose_rows_are_null_is_an_error_and_not_an_empty_list() {
    let vendor = Vendor::answering("GET", &[(200, r#"{"data": null, "total_count": 0, "has_more": false}"#)]).await;
    let error = vendor.client().list_page(&Scope::account(), None).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("is null and not a list"), "{error}");
}

#[tokio::test]
async fn listed_records_are_as_from_get_and_the_page_tells_its_own_oddities() {
    let get = Vendor::answering("GET", &[(200, FULL)]).await;
    let expected = get.client().get(&address()).await.unwrap();
    let body = format!(r#"{{"data": [{FULL}], "has_more": "yes", "new": "CANARY"}}"#);
    let vendor = Vendor::answering("GET", &[(200, &body)]).await;
    let page = vendor.client().list_page(&Scope::account(), Some(&Cursor::new("7"))).await.unwrap();
    assert_eq!(page.items, [expected]);
    assert_eq!((page.items[0].status.state, page.next.is_some()), (KeyState::Active, true));
    assert_eq!(
        page.drift.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "has_more has another type than documented",
            "new is not documented",
            "total_count is documented as required and is absent"
        ]
    );
    assert_hidden(&page.items);
}

#[tokio::test]
async fn a_row_that_cannot_be_addressed_is_told_with_its_place_and_the_others_are_given() {
    let table = [
        ("", "row 1 of `data` cannot be read: its `id`, by which the key is found again, is not there"),
        (r#""id": null,"#, "is null"),
        (r#""id": "","#, "is empty"),
        (r#""id": 2,"#, "has another type than documented"),
        (r#""id": "a", "id": "b","#, "stands twice, with different values"),
    ];
    for (id, says) in table {
        let odd = format!(r#"{{{id} "key": "CANARY", "label": "odd", "workspace_id": "w"}}"#);
        let last = FULL.replace("key_000000001", "key_2");
        let body = format!(r#"{{"data": [{FULL}, {odd}, {last}], "total_count": 3, "has_more": false}}"#);
        let vendor = Vendor::answering("GET", &[(200, &body)]).await;
        let page = vendor.client().list_page(&Scope::account(), None).await.unwrap();
        assert_eq!((page.items.len(), page.next, page.cut_short.is_none()), (2, None, true), "{id}");
        let [error] = &*page.unreadable else { panic!("{:?}", page.unreadable) };
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("list_api_keys")));
        assert!(error.to_string().contains("row 1 of `data`") && error.to_string().contains(says), "{error}");
        assert_hidden(error);
    }
}
