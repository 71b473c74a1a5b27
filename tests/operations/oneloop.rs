//! Oneloop: keys of a workspace, verification, usage, and the lists around them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use keymux_core::{
    Action, ApiKeyProvider, Change, ClientOptions, Drift, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact,
    KeyAddress, KeyPatch, KeyState, KeyStream, NewKey, Operation, Parameter, ParameterSupport, Permission, Refusal,
    Scope, SecretString, TimeUnit, Verdict, VerifyRequest,
};
use keymux_oneloop::{
    ApiKey, ApiKeyEdit, ApiKeyId, Client, Config, Error, MigratedApiKey, NewApiKey, RateLimitConfig, ScopeGrant, Usage,
    VerifyOptions, VerifyStatus, WorkspaceId, provider_info,
};
use serde_json::json;

use crate::support::{Forgetful, Vendor, WITHHELD, assert_hidden, options, recorded, request};

/// The header that goes with every request.
const CREDENTIAL: &str = "authorization: Bearer sdk-credential";

/// A plaintext that must not be printed.
const CANARY: &str = "acme_CANARYplaintext0001";

/// The members of a key, as documented, but for its id and the plaintext.
const MEMBERS: &str = r#""name": "billing bot", "maskedKey": "9c01e", "prefix": "acme", "expiresAt": 4102444800,
    "scopes": [
        {"id": "sc_1", "representation": "invoices", "create": false, "read": true, "update": false, "del": true}],
    "enabled": true, "customerId": "cust-42", "deleted": false, "createdAt": "2024-11-01T08:00:00.000Z",
    "updatedAt": "2024-11-02T08:00:00.000Z", "lastUsedAt": null, "billingId": null"#;

const EMPTY: &str = "{}";

const VALID: &str = r#"{"status": "VALID", "apiKeyId": "ak_1", "expiresAt": null, "requestedScopes": [], "scopes": [],
    "customerId": "cust-42", "externalMeterId": null, "billing": null}"#;

const WORKSPACES: &str = r#"{"workspaces": [{"id": "ws_1", "name": "Main", "teamId": "t_1", "defaultKeyPrefix": null,
    "defaultAllowedIPs": ["::1"], "defaultRateLimitPerSecond": 5, "defaultExpiration": null,
    "createdAt": "2024-11-01T08:00:00.000Z", "updatedAt": "2024-11-02T08:00:00.000Z"}, {"id": "ws_2"}]}"#;

const SCOPES: &str = r#"{"scopes": [{"id": "sc_1", "name": "Invoices", "representation": "invoices",
    "description": null, "createdAt": "2024-11-01T08:00:00.000Z", "updatedAt": "2024-11-02T08:00:00.000Z"},
    {"representation": "refunds"}]}"#;

fn body(id: &str, more: &str) -> String {
    format!(r#"{{"apiKey": {{"id": "{id}", {MEMBERS}{more}}}}}"#)
}

/// The answer to looking up, editing and deleting a key.
fn key() -> String {
    body("ak_1", "")
}

/// The answer to making, rotating and migrating a key.
fn made() -> String {
    body("ak_1", r#", "key": "acme_CANARYplaintext0001""#)
}

fn keys() -> String {
    format!(r#"{{"apiKeys": [{{"id": "ak_1", {MEMBERS}}}, {{"id": "ak_2"}}]}}"#)
}

/// The client of a vendor.
trait Asks {
    fn client(&self) -> Client;
}

impl Asks for Vendor {
    fn client(&self) -> Client {
        client(&self.url(), options())
    }
}

fn config(url: &str, options: ClientOptions) -> Config {
    Config::new("sdk-credential").with_base_url(url).with_options(options)
}

fn client(url: &str, options: ClientOptions) -> Client {
    config(url, options).build().unwrap()
}

fn workspace() -> WorkspaceId {
    WorkspaceId::new("ws_1").unwrap()
}

fn key_id() -> ApiKeyId {
    ApiKeyId::new("ak_1").unwrap()
}

fn address() -> KeyAddress {
    KeyAddress::new(["ws_1", "ak_1"]).unwrap()
}

fn scope() -> Scope {
    Scope::new(["ws_1"]).unwrap()
}

fn plaintext() -> SecretString {
    CANARY.into()
}

fn grant() -> ScopeGrant {
    ScopeGrant { representation: "invoices".to_owned(), read: true, del: true, ..ScopeGrant::default() }
}

fn permission(actions: Option<Vec<Action>>) -> [Permission; 1] {
    [Permission { name: "invoices".to_owned(), actions }]
}

fn new_api_key() -> NewApiKey {
    NewApiKey {
        name: "billing bot".to_owned(),
        workspace_id: workspace(),
        scopes: Vec::new(),
        enabled: true,
        customer_id: "cust-42".to_owned(),
        prefix: None,
        expires_at: None,
        external_meter_id: None,
        metadata: None,
    }
}

fn migrated() -> MigratedApiKey {
    MigratedApiKey {
        name: "billing bot".to_owned(),
        workspace_id: workspace(),
        scopes: Vec::new(),
        enabled: true,
        customer_id: "cust-42".to_owned(),
        metadata: None,
    }
}

fn usage(usage: &str) -> Usage {
    Usage { usage: Some(usage.to_owned()), usage_name: None }
}

/// A key with what the trait's way needs.
fn new_key() -> NewKey {
    let reads = permission(Some(vec![Action::Read, Action::Delete]));
    NewKey::new(scope()).with_name("billing bot").with_permissions(reads).with_customer("cust-42")
}

/// What one call of an operation ended in, without its result.
async fn run(operation: &str, client: &Client) -> Result<(), Error> {
    let (workspace, key) = (workspace(), key_id());
    match operation {
        "get_api_key" => client.get_api_key(&workspace, &key).await.map(drop),
        "list_api_keys" => client.list_api_keys(&workspace).await.map(drop),
        "create_api_key" => client.create_api_key(&new_api_key()).await.map(drop),
        "edit_api_key" => {
            let edit = ApiKeyEdit { enabled: Some(false), ..ApiKeyEdit::default() };
            client.edit_api_key(&workspace, &key, &edit).await.map(drop)
        }
        "delete_api_key" => client.delete_api_key(&workspace, &key).await.map(drop),
        "rotate_api_key" => client.rotate_api_key(&workspace, &key).await.map(drop),
        "verify_api_key" => client.verify_api_key(&plaintext(), &VerifyOptions::default()).await.map(drop),
        "record_usage" => client.record_usage(&plaintext(), &usage("7")).await,
        "migrate_api_key" => client.migrate_api_key(&migrated(), &plaintext()).await.map(drop),
        "list_workspaces" => client.list_workspaces().await.map(drop),
        "list_scopes" => client.list_scopes(&workspace).await.map(drop),
        _ => unreachable!(),
    }
}

/// Each operation with its method, its path below `/api/v1`, its body, and an answer.
fn operations() -> [(&'static str, &'static str, &'static str, &'static str, String); 11] {
    [
        ("get_api_key", "GET", "/workspace/ws_1/api-key/ak_1", "", key()),
        ("list_api_keys", "GET", "/workspace/ws_1/api-key", "", keys()),
        (
            "create_api_key",
            "POST",
            "/api-key",
            r#"{"name":"billing bot","workspaceId":"ws_1","scopes":[],"enabled":true,"customerId":"cust-42"}"#,
            made(),
        ),
        ("edit_api_key", "PATCH", "/workspace/ws_1/api-key/ak_1", r#"{"enabled":false}"#, key()),
        ("delete_api_key", "DELETE", "/workspace/ws_1/api-key/ak_1", "", key()),
        ("rotate_api_key", "POST", "/workspace/ws_1/api-key/ak_1/rotate", "", made()),
        (
            "verify_api_key",
            "POST",
            "/api-key/verify",
            r#"{"key":"acme_CANARYplaintext0001","requestedScopes":[]}"#,
            VALID.to_owned(),
        ),
        (
            "record_usage",
            "POST",
            "/api-key/record-usage",
            r#"{"key":"acme_CANARYplaintext0001","usage":"7"}"#,
            EMPTY.to_owned(),
        ),
        (
            "migrate_api_key",
            "POST",
            "/api-key/migrate",
            r#"{"key":"acme_CANARYplaintext0001","name":"billing bot","workspaceId":"ws_1","scopes":[],"enabled":true,"customerId":"cust-42"}"#,
            made(),
        ),
        ("list_workspaces", "GET", "/workspace", "", WORKSPACES.to_owned()),
        ("list_scopes", "GET", "/workspace/ws_1/scopes", "", SCOPES.to_owned()),
    ]
}

/// Whether the operation makes or replaces a key.
fn makes_key(operation: &str) -> bool {
    matches!(operation, "create_api_key" | "migrate_api_key" | "rotate_api_key")
}

/// Whether the operation counts as a use of a key.
fn counts_use(operation: &str) -> bool {
    matches!(operation, "verify_api_key" | "record_usage")
}

#[tokio::test]
async fn each_operation_sends_the_documented_request_and_nothing_more() {
    for (operation, method, path, body, answer) in operations() {
        let vendor = Vendor::answering(method, &[(200, &answer)]).await;
        run(operation, &vendor.client()).await.unwrap();
        // A POST without a body says so.
        let body = Some(body).filter(|body| !body.is_empty() || method == "POST");
        assert_eq!(vendor.asked(), [request(&format!("{method} /api/v1{path}"), CREDENTIAL, body)], "{operation}");
    }
}

#[tokio::test]
async fn a_429_is_waited_out_by_every_operation_that_counts_no_use() {
    for (operation, method, _, _, answer) in operations() {
        let vendor = Vendor::answering(method, &[(429, EMPTY), (200, &answer)]).await;
        let result = run(operation, &vendor.client()).await;
        if counts_use(operation) {
            assert_eq!(result.unwrap_err().details().kind(), ErrorKind::RateLimited, "{operation}");
            assert_eq!(vendor.asked().len(), 1, "{operation}");
        } else {
            result.unwrap();
            assert_eq!(vendor.asked().len(), 2, "{operation}");
        }
    }
}

#[tokio::test]
async fn after_a_lost_answer_only_what_is_safe_is_sent_again() {
    for (operation, ..) in operations() {
        let vendor = Forgetful::start().await;
        let error = run(operation, &client(vendor.url(), options())).await.unwrap_err();
        let details = error.details();
        let (kind, requests) = match operation {
            _ if makes_key(operation) => (ErrorKind::OutcomeUnknown, 1),
            _ if counts_use(operation) => (ErrorKind::Transport, 1),
            _ => (ErrorKind::Transport, 4),
        };
        assert_eq!((details.kind(), vendor.requests()), (kind, requests), "{operation}");
        assert_eq!(details.is_retryable(), requests == 4, "{operation}");
        let find_out = match operation {
            "rotate_api_key" => "look at `updatedAt`, or rotate again",
            _ if makes_key(operation) => "list the workspace's keys and look for the name",
            _ => "",
        };
        assert!(details.to_string().contains(find_out), "{details}");
        assert_hidden(&error);
    }
}

#[tokio::test]
async fn the_documented_refusals_are_told_by_their_statuses() {
    for (operation, method, ..) in operations() {
        for (status, kind, variant) in [
            (400, ErrorKind::InvalidRequest, "BadRequest"),
            (401, ErrorKind::Unauthenticated, "Unauthenticated"),
            (403, ErrorKind::PermissionDenied, "Forbidden"),
            (404, ErrorKind::NotFound, "NotFound"),
        ] {
            let refusal = format!(r#"{{"error": {{"code": {status}, "message": "no such luck"}}}}"#);
            let vendor = Vendor::answering(method, &[(status, &refusal)]).await;
            let error = run(operation, &vendor.client()).await.unwrap_err();
            assert!(format!("{error:?}").starts_with(variant), "{operation}: {error:?}");
            assert_eq!((error.details().kind(), error.details().code()), (kind, None), "{operation}");
            // Where an answer may repeat a key, none of its text is shown.
            let carries_key = operation == "migrate_api_key" || counts_use(operation);
            let said = if carries_key { WITHHELD } else { "no such luck" };
            assert_eq!(error.details().message(), Some(said), "{operation}");
            assert_eq!(vendor.asked().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_made_key_gives_its_plaintext_once() {
    let minimal = r#"{"apiKey": {"id": "ak_1", "key": "acme_CANARYplaintext0001"}}"#;
    for body in [&*made(), minimal] {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        for (key, secret) in [
            vendor.client().create_api_key(&new_api_key()).await.unwrap(),
            vendor.client().rotate_api_key(&workspace(), &key_id()).await.unwrap(),
        ] {
            assert_eq!((&key.id, secret.expose_secret()), (&key_id(), CANARY));
            assert_hidden(&(key, secret));
        }
        let key = vendor.client().migrate_api_key(&migrated(), &plaintext()).await.unwrap();
        assert_hidden(&key);
    }
}

#[tokio::test]
async fn a_success_without_the_plaintext_leaves_the_outcome_unknown() {
    let bodies = [
        key(),
        body("ak_1", r#", "key": null"#),
        body("ak_1", r#", "key": """#),
        body("ak_1", r#", "key": ["acme_CANARYplaintext0001"]"#),
        r#"["acme_CANARYplaintext0001"]"#.to_owned(),
        "acme_CANARYplaintext0001".to_owned(),
        String::new(),
    ];
    for body in &bodies {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        for operation in ["create_api_key", "rotate_api_key"] {
            let error = run(operation, &vendor.client()).await.unwrap_err();
            assert_eq!(error.details().kind(), ErrorKind::OutcomeUnknown, "{body}");
            assert!(error.to_string().contains("it may have been done all the same"), "{error}");
            assert_hidden(&error);
        }
        assert_eq!(vendor.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_whole_request_to_make_and_to_migrate_a_key() {
    let vendor = Vendor::answering("POST", &[(200, &made())]).await;
    let metadata = Some(BTreeMap::from([("plan".to_owned(), "pro".to_owned())]));
    let new = NewApiKey {
        scopes: vec![grant()],
        enabled: false,
        prefix: Some("acme".to_owned()),
        expires_at: Some(4_102_444_800),
        external_meter_id: Some("meter_1".to_owned()),
        metadata: metadata.clone(),
        ..new_api_key()
    };
    vendor.client().create_api_key(&new).await.unwrap();
    let scopes = json!([{"representation": "invoices", "create": false, "read": true, "update": false, "del": true}]);
    let expected = json!({"name": "billing bot", "workspaceId": "ws_1", "scopes": scopes, "enabled": false,
        "customerId": "cust-42", "prefix": "acme", "expiresAt": 4_102_444_800_u64, "externalMeterId": "meter_1",
        "metadata": {"plan": "pro"}});
    assert_eq!(vendor.body(), expected);

    vendor
        .client()
        .migrate_api_key(&MigratedApiKey { scopes: vec![grant()], metadata, ..migrated() }, &plaintext())
        .await
        .unwrap();
    let expected = json!({"key": CANARY, "name": "billing bot", "workspaceId": "ws_1", "scopes": scopes,
        "enabled": true, "customerId": "cust-42", "metadata": {"plan": "pro"}});
    assert_eq!(vendor.body(), expected);
}

#[tokio::test]
async fn a_whole_edit_names_scopes_by_their_ids_too() {
    let vendor = Vendor::answering("PATCH", &[(200, &key())]).await;
    let scopes = Some(vec![ScopeGrant { id: Some("sc_1".to_owned()), ..grant() }]);
    let edit = ApiKeyEdit { name: Some("bot".to_owned()), enabled: Some(true), scopes };
    let key = vendor.client().edit_api_key(&workspace(), &key_id(), &edit).await.unwrap();
    let scope = json!({"id": "sc_1", "representation": "invoices", "create": false, "read": true, "update": false,
        "del": true});
    assert_eq!(vendor.body(), json!({"name": "bot", "enabled": true, "scopes": [scope]}));
    assert_eq!(key.customer_id, Fact::Known("cust-42".to_owned()));
}

#[tokio::test]
async fn a_whole_verification_and_its_answer() {
    let answer = r#"{"status": "RATE_LIMITED", "apiKeyId": "ak_1", "expiresAt": 4102444800, "requestedScopes": [],
        "scopes": [{"representation": "invoices", "create": false, "read": true, "update": false, "del": true}],
        "customerId": "cust-42", "externalMeterId": "meter_1", "metadata": {"plan": "pro"},
        "rateLimit": {"remaining": 0, "resetAt": 1730448000},
        "billing": {"id": "m", "totalCredits": "99999999999999999999", "spendCap": null}}"#;
    let vendor = Vendor::answering("POST", &[(200, answer)]).await;
    let options = VerifyOptions {
        requested_scopes: vec![grant()],
        route: Some("/invoices".to_owned()),
        billing: Some(Usage { usage: Some("18446744073709551616".to_owned()), usage_name: Some("pages".to_owned()) }),
        rate_limit_config: Some(RateLimitConfig { id: "cust-42".to_owned(), limit: 1 }),
    };
    let result = vendor.client().verify_api_key(&plaintext(), &options).await.unwrap();
    let scope = json!({"representation": "invoices", "create": false, "read": true, "update": false, "del": true});
    let expected = json!({"key": CANARY, "requestedScopes": [scope], "route": "/invoices",
        "billing": {"usage": "18446744073709551616", "usageName": "pages"},
        "rateLimitConfig": {"id": "cust-42", "limit": 1}});
    assert_eq!(vendor.body(), expected);
    assert_eq!(result.status, VerifyStatus::RateLimited);
    assert_eq!(result.rate_limit.known().unwrap().remaining, Fact::Known(0));
    assert_eq!(result.billing.known().unwrap()["totalCredits"], "99999999999999999999");
    assert_eq!(result.metadata.known().unwrap()["plan"], "pro");
    assert_eq!(result.scopes.known().unwrap()[0].del, Fact::Known(true));
}

#[tokio::test]
async fn recording_a_use_needs_no_amount_and_no_answer() {
    let vendor = Vendor::answering("POST", &[(200, EMPTY), (204, "")]).await;
    for _ in 0..2 {
        vendor.client().record_usage(&plaintext(), &Usage::default()).await.unwrap();
        assert_eq!(vendor.body(), json!({"key": CANARY}));
    }
}

#[tokio::test]
async fn lists_are_read_whole_and_tolerantly() {
    let vendor = Vendor::answering("GET", &[(200, &keys()), (200, WORKSPACES), (200, SCOPES)]).await;
    let keys = vendor.client().list_api_keys(&workspace()).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["ak_1", "ak_2"]);
    let workspaces = vendor.client().list_workspaces().await.unwrap();
    assert_eq!(workspaces[0].default_allowed_ips, Fact::Known(vec!["::1".to_owned()]));
    assert_eq!((workspaces[1].id.as_str(), &workspaces[1].name), ("ws_2", &Fact::Missing));
    let scopes = vendor.client().list_scopes(&workspace()).await.unwrap();
    assert_eq!((scopes[0].description.clone(), &*scopes[1].representation), (Fact::Empty, "refunds"));
}

#[tokio::test]
async fn what_the_documents_forbid_is_refused_by_name_and_not_sent() {
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let refused = |result: Result<(), Error>, operation: &str, names: &str| {
        let error = result.unwrap_err();
        let details = error.details();
        assert_eq!((details.kind(), details.attempts()), (ErrorKind::InvalidRequest, 0), "{details}");
        assert_eq!((details.provider().unwrap().as_str(), details.operation()), ("oneloop", Some(operation)));
        assert!(details.message().unwrap().contains(names), "{details}");
    };
    let identified = || vec![ScopeGrant { id: Some("sc_1".to_owned()), ..grant() }];
    let never = NewApiKey { expires_at: Some(0), ..new_api_key() };
    refused(client.create_api_key(&never).await.map(drop), "create_api_key", "expiresAt is 0");
    let new = NewApiKey { scopes: identified(), ..new_api_key() };
    refused(client.create_api_key(&new).await.map(drop), "create_api_key", "scopes.id");
    let new = MigratedApiKey { scopes: identified(), ..migrated() };
    refused(client.migrate_api_key(&new, &plaintext()).await.map(drop), "migrate_api_key", "scopes.id");
    let edited = client.edit_api_key(&workspace(), &key_id(), &ApiKeyEdit::default()).await;
    refused(edited.map(drop), "edit_api_key", "changes nothing");
    for amount in ["", "-1", "1.5", "\u{663}", "1e3"] {
        let billing = VerifyOptions { billing: Some(usage(amount)), ..VerifyOptions::default() };
        let verified = client.verify_api_key(&plaintext(), &billing).await;
        refused(verified.map(drop), "verify_api_key", "usage is not made of digits");
        refused(client.record_usage(&plaintext(), &usage(amount)).await, "record_usage", "usage is not made of digits");
    }
    let config = Some(RateLimitConfig { id: "a".to_owned(), limit: 0 });
    let limited = VerifyOptions { rate_limit_config: config, ..VerifyOptions::default() };
    let verified = client.verify_api_key(&plaintext(), &limited).await;
    refused(verified.map(drop), "verify_api_key", "rateLimitConfig.limit is 0");
    assert_eq!(vendor.requests(), 0);
}

#[tokio::test]
async fn a_deletion_gives_the_key_as_it_now_is_if_it_gives_one() {
    let deleted = key().replace(r#""deleted": false"#, r#""deleted": true"#);
    let vendor = Vendor::answering("DELETE", &[(200, &deleted), (200, &deleted), (204, "")]).await;
    let key = vendor.client().delete_api_key(&workspace(), &key_id()).await.unwrap().unwrap();
    assert_eq!(key.deleted, Fact::Known(true));
    let revoked = vendor.client().revoke(&address()).await.unwrap();
    assert_eq!(revoked.record.unwrap().status.state, KeyState::Revoked);
    let revoked = vendor.client().revoke(&address()).await.unwrap();
    assert!(revoked.record.is_none() && !revoked.after_lost_answer, "there is no body to read");
    assert_eq!(vendor.client().delete_api_key(&workspace(), &key_id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_is_gone_after_a_lost_deletion_was_deleted() {
    let vendor = Vendor::answering("DELETE", &[(502, ""), (404, EMPTY), (502, ""), (404, EMPTY)]).await;
    assert_eq!(vendor.client().delete_api_key(&workspace(), &key_id()).await.unwrap(), None);
    assert!(vendor.client().revoke(&address()).await.unwrap().after_lost_answer);
    assert_eq!(vendor.asked().len(), 4);

    let error = vendor.client().revoke(&address()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn every_status_is_a_verdict() {
    for (status, expected) in [
        ("VALID", None),
        ("EXPIRED", Some(Refusal::Expired)),
        ("DISABLED", Some(Refusal::Disabled)),
        ("DELETED", Some(Refusal::Deleted)),
        ("RATE_LIMITED", Some(Refusal::RateLimited)),
        ("USAGE_LIMITED", Some(Refusal::UsageExceeded)),
        ("INVALID_SCOPES", Some(Refusal::InsufficientScope)),
        ("INVALID", Some(Refusal::NoSuchKey)),
        ("Valid", Some(Refusal::Unknown)),
        ("PAUSED", Some(Refusal::Unknown)),
    ] {
        // The key's id is documented as always there, and there is none for a key that does not exist.
        let vendor = Vendor::answering("POST", &[(200, &format!(r#"{{"status": "{status}"}}"#))]).await;
        let request = VerifyRequest::default().with_permissions(permission(Some(vec![Action::Read])));
        let verdict = vendor.client().verify(&plaintext(), &request).await.unwrap();
        let reason = match &verdict {
            Verdict::Valid { record: None } => None,
            Verdict::Refused { reason, record: None } => Some(*reason),
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!((reason, verdict.is_valid()), (expected, expected.is_none()), "{status}");
        assert_eq!(vendor.body()["requestedScopes"][0]["read"], true);
    }
}

#[tokio::test]
async fn what_is_no_verdict_is_never_taken_for_one() {
    let table = [
        (200, r#"{"apiKeyId": "ak_1"}"#, ErrorKind::Decode),
        (200, r#"{"status": null}"#, ErrorKind::Decode),
        (200, r#"{"status": true}"#, ErrorKind::Decode),
        (200, "acme_CANARYplaintext0001", ErrorKind::Decode),
        (401, r#"{"error": {"code": 401, "message": "acme_CANARYplaintext0001"}}"#, ErrorKind::Unauthenticated),
        (404, EMPTY, ErrorKind::NotFound),
        (500, EMPTY, ErrorKind::Server),
    ];
    for (status, body, kind) in table {
        let vendor = Vendor::answering("POST", &[(status, body)]).await;
        let verdict = vendor.client().verify(&plaintext(), &VerifyRequest::default()).await.unwrap();
        let Verdict::Inconclusive(error) = &verdict else { panic!("{body}: {verdict:?}") };
        assert_eq!((error.kind(), vendor.asked().len()), (kind, 1), "{body}");
        assert_hidden(&verdict);
    }
    let vendor = Forgetful::start().await;
    let verdict = client(vendor.url(), options()).verify(&plaintext(), &VerifyRequest::default()).await.unwrap();
    assert!(matches!(verdict, Verdict::Inconclusive(_)) && vendor.requests() == 1);
}

#[test]
fn what_oneloop_can_do_is_plain_data() {
    let capabilities = provider_info().capabilities();
    assert!(Operation::ALL.iter().all(|operation| capabilities.is_native(*operation)));
    assert_eq!(capabilities.takes(Operation::Create, Parameter::Customer), Some(ParameterSupport::Required));
    assert_eq!(capabilities.takes(Operation::Create, Parameter::Prefix), Some(ParameterSupport::Optional));
    assert_eq!(capabilities.takes(Operation::Register, Parameter::Prefix), None);
    assert_eq!(capabilities.takes(Operation::Update, Parameter::Name), Some(ParameterSupport::SetOnly));
    assert_eq!(capabilities.takes(Operation::Update, Parameter::ExpiresAt), None);
}

#[tokio::test]
async fn what_oneloop_does_not_take_is_refused_by_name_and_not_sent() {
    use ErrorKind::{InvalidRequest, Unsupported};
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let refused = |error: CoreError, kind, names: &str| {
        assert_eq!((error.kind(), error.attempts()), (kind, 0), "{error}");
        assert!(error.to_string().contains(names), "{error}");
        assert_eq!(error.provider().unwrap().as_str(), "oneloop");
    };
    let reads = || permission(Some(vec![Action::Read]));
    let numbers = || json!({"seats": 3}).as_object().cloned().unwrap();
    let anonymous = NewKey::new(scope()).with_permissions(reads()).with_customer("c");
    for (key, kind, names) in [
        (NewKey::default(), InvalidRequest, "`scope`"),
        (anonymous, InvalidRequest, "`name`"),
        (NewKey::new(scope()).with_name("n").with_customer("c"), InvalidRequest, "`permissions`"),
        (NewKey::new(scope()).with_name("n").with_permissions(reads()), InvalidRequest, "`customer`"),
        (new_key().with_max_uses(3), Unsupported, "`max_uses`"),
        (new_key().with_ip_allowlist(["::1"]), Unsupported, "`ip_allowlist`"),
        (new_key().with_permissions(permission(None)), InvalidRequest, "`permissions`"),
        (new_key().with_metadata(numbers()), InvalidRequest, "`metadata`"),
    ] {
        refused(client.create(&key).await.unwrap_err(), kind, names);
        refused(client.register(&key, &plaintext()).await.unwrap_err(), kind, names);
    }
    let tomorrow: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let ends = new_key().with_expires_at(tomorrow);
    refused(client.create(&ends).await.unwrap_err(), InvalidRequest, "with_expiry_unit");
    refused(client.register(&ends, &plaintext()).await.unwrap_err(), Unsupported, "`expires_at`");
    refused(client.register(&new_key().with_prefix("p"), &plaintext()).await.unwrap_err(), Unsupported, "`prefix`");
    let seconds = config(vendor.url(), options()).with_expiry_unit(TimeUnit::Seconds).build().unwrap();
    let over = new_key().with_expires_at(Timestamp::UNIX_EPOCH);
    refused(seconds.create(&over).await.unwrap_err(), InvalidRequest, "`expires_at`");

    for (patch, kind, names) in [
        (KeyPatch::new(), InvalidRequest, "changes nothing"),
        (KeyPatch::new().with_name(Change::Clear), Unsupported, "`name`"),
        (KeyPatch::new().with_permissions(Change::Clear), Unsupported, "`permissions`"),
        (KeyPatch::new().with_expires_at(Change::Set(tomorrow)), Unsupported, "`expires_at`"),
        (KeyPatch::new().with_max_uses(Change::Set(3)), Unsupported, "`max_uses`"),
        (KeyPatch::new().with_permissions(Change::Set(permission(None).into())), InvalidRequest, "`permissions`"),
    ] {
        refused(client.update(&address(), &patch).await.unwrap_err(), kind, names);
    }
    let elsewhere = KeyAddress::new(["ak_1"]).unwrap();
    refused(client.rotate(&elsewhere).await.unwrap_err(), InvalidRequest, "workspace_id/key_id");
    refused(client.revoke(&elsewhere).await.unwrap_err(), InvalidRequest, "workspace_id/key_id");
    refused(client.list_page(&Scope::account(), None).await.unwrap_err(), InvalidRequest, "workspace_id");

    let somewhere = VerifyRequest::new(scope());
    refused(client.verify(&plaintext(), &somewhere).await.unwrap_err(), Unsupported, "`scope`");
    let vague = VerifyRequest::default().with_permissions(permission(None));
    refused(client.verify(&plaintext(), &vague).await.unwrap_err(), InvalidRequest, "`permissions`");
    assert_eq!(vendor.requests(), 0);
}

#[tokio::test]
async fn a_key_made_through_the_trait_has_a_record_without_its_plaintext() {
    let vendor = Vendor::answering("POST", &[(200, &made())]).await;
    for (unit, number) in [(TimeUnit::Seconds, 4_102_444_800_u64), (TimeUnit::Milliseconds, 4_102_444_800_000)] {
        let config = config(&vendor.url(), options().with_raw(true));
        let client = config.with_expiry_unit(unit).build().unwrap();
        let key = new_key()
            .with_prefix("acme")
            .with_enabled(false)
            .with_metadata(json!({"plan": "pro"}).as_object().cloned().unwrap())
            .with_expires_at("2100-01-01T00:00:00Z".parse().unwrap());
        let issued = client.create(&key).await.unwrap();
        let scope = json!({"representation": "invoices", "create": false, "read": true, "update": false, "del": true});
        let expected = json!({"name": "billing bot", "workspaceId": "ws_1", "scopes": [scope], "enabled": false,
            "customerId": "cust-42", "prefix": "acme", "expiresAt": number, "metadata": {"plan": "pro"}});
        assert_eq!(vendor.body(), expected);
        assert_eq!((issued.plaintext.expose_secret(), issued.address().unwrap()), (CANARY, &address()));
        assert_eq!(recorded(&issued).drift, [Drift::new("expiresAt", DriftKind::UnitAssumed(unit))]);
        assert_hidden(&issued);
        assert!(!serde_json::to_string(recorded(&issued)).unwrap().contains("CANARY"));
    }
}

#[tokio::test]
async fn a_key_is_switched_on_unless_told_otherwise() {
    let vendor = Vendor::answering("POST", &[(200, &made())]).await;
    let issued = vendor.client().create(&new_key()).await.unwrap();
    assert_eq!(
        (&vendor.body()["enabled"], recorded(&issued).name.known().unwrap().as_str()),
        (&json!(true), "billing bot")
    );
    vendor.client().register(&new_key(), &plaintext()).await.unwrap();
    assert_eq!((&vendor.body()["enabled"], &vendor.body()["key"]), (&json!(true), &json!(CANARY)));
}

#[tokio::test]
async fn a_registered_and_a_rotated_key_are_recorded_as_a_key_that_is_looked_up() {
    let vendor = Vendor::answering("POST", &[(200, &made())]).await;
    let looked_up = Vendor::answering("GET", &[(200, &key())]).await.client().get(&address()).await.unwrap();
    let registered = vendor.client().register(&new_key(), &plaintext()).await.unwrap();
    let rotated = vendor.client().rotate(&address()).await.unwrap();
    assert_eq!((&registered, recorded(&rotated)), (&looked_up, &looked_up));
    assert_eq!(registered.native::<ApiKey>(), looked_up.native::<ApiKey>());
    assert_eq!(rotated.plaintext.expose_secret(), CANARY);
    assert_hidden(&(registered, rotated));
}

#[tokio::test]
async fn a_plaintext_where_none_is_documented_is_noted_and_not_kept() {
    let vendor = Vendor::answering("GET", &[(200, &made())]).await;
    let client = client(&vendor.url(), options().with_raw(true));
    let record = client.get(&address()).await.unwrap();
    assert!(record.drift.contains(&Drift::new("key", DriftKind::UnknownField)));
    assert_hidden(&record);
    assert_hidden(record.native::<ApiKey>().unwrap());
}

#[tokio::test]
async fn an_update_through_the_trait_gives_the_record_as_it_now_is() {
    let vendor = Vendor::answering("PATCH", &[(200, &key())]).await;
    let patch = KeyPatch::new()
        .with_name(Change::Set("bot".to_owned()))
        .with_enabled(true)
        .with_permissions(Change::Set(permission(Some(vec![Action::Create, Action::Update])).into()));
    let record = vendor.client().update(&address(), &patch).await.unwrap();
    let scope = json!({"representation": "invoices", "create": true, "read": false, "update": true, "del": false});
    assert_eq!(vendor.body(), json!({"name": "bot", "enabled": true, "scopes": [scope]}));
    assert_eq!((&record.address, record.status.state), (&address(), KeyState::Active));
    let granted = permission(Some(vec![Action::Read, Action::Delete]));
    assert_eq!(record.permissions, Fact::Known(granted.into()));
}

#[tokio::test]
async fn a_list_through_the_trait_is_one_page() {
    let vendor = Vendor::answering("GET", &[(200, &keys())]).await;
    let mut stream = KeyStream::new(Arc::new(vendor.client()), scope(), None);
    let mut addresses = Vec::new();
    while let Some(record) = stream.next().await {
        let record = record.unwrap();
        assert_eq!(record.owner.workspace, Fact::Known("ws_1".to_owned()));
        addresses.push(record.address.to_string());
    }
    assert_eq!(addresses, ["ws_1/ak_1", "ws_1/ak_2"]);
    assert_eq!(vendor.asked().len(), 1);

    let broken = r#"{"apiKeys": [{"id": "ak_1"}, {"name": "n"}]}"#;
    let vendor = Vendor::answering("GET", &[(200, broken)]).await;
    let page = vendor.client().list_page(&scope(), None).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let [error] = &*page.unreadable else { panic!("a list is never shorter than it says") };
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("row 1 of `apiKeys` cannot be read: the member `id`"), "{error}");

    // One odd row of five hundred costs itself, and what comes behind it is given.
    let rows: Vec<String> =
        (0..500).map(|n| if n == 250 { "{}".to_owned() } else { format!(r#"{{"id": "ak_{n}"}}"#) }).collect();
    let vendor = Vendor::answering("GET", &[(200, &format!(r#"{{"apiKeys": [{}]}}"#, rows.join(",")))]).await;
    let mut stream = KeyStream::new(Arc::new(vendor.client()), scope(), None);
    let (mut keys, mut errors) = (0, Vec::new());
    while let Some(item) = stream.next().await {
        match item {
            Ok(_) => keys += 1,
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert_eq!((keys, errors.len()), (499, 1));
    assert!(errors[0].contains("row 250 of `apiKeys`"), "{errors:?}");

    let vendor = Vendor::answering("GET", &[(200, r#"{"workspaces": [{"id": "ws_1"}, {"id": ""}, 7]}"#)]).await;
    let page = vendor.client().scopes_page(None).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable.len()), (1, 2));
}

#[tokio::test]
async fn the_scopes_of_the_account_are_its_workspaces() {
    let vendor = Vendor::answering("GET", &[(200, WORKSPACES)]).await;
    let page = vendor.client().scopes_page(None).await.unwrap();
    assert!(page.next.is_none() && page.drift.is_empty());
    let scopes: Vec<_> = page.items.iter().map(|item| (item.scope.to_string(), item.name.as_deref())).collect();
    assert_eq!(scopes, [("ws_1".to_owned(), Some("Main")), ("ws_2".to_owned(), None)]);
}

#[tokio::test]
async fn the_unit_that_the_user_chose_is_that_of_every_expiry() {
    let table = [
        (TimeUnit::Seconds, "101932646400", "5200-02-13T00:00:00Z"),
        (TimeUnit::Seconds, "1733237153", "2024-12-03T14:45:53Z"),
        (TimeUnit::Milliseconds, "1733237153", "1970-01-21T01:27:17.153Z"),
        (TimeUnit::Milliseconds, "101932646400", "1973-03-25T18:37:26.4Z"),
    ];
    for (unit, number, instant) in table {
        let body = format!(r#"{{"apiKey": {{"id": "ak_1", "expiresAt": {number}}}}}"#);
        let vendor = Vendor::answering("GET", &[(200, &body)]).await;
        let client = config(&vendor.url(), options()).with_expiry_unit(unit).build().unwrap();
        let record = client.get(&address()).await.unwrap();
        assert_eq!(record.expires_at, Fact::Known(instant.parse().unwrap()), "{number} in {unit:?}");
        assert!(record.drift.contains(&Drift::new("expiresAt", DriftKind::UnitAssumed(unit))));
    }
}

#[tokio::test]
async fn a_mask_that_is_the_whole_key_is_withheld() {
    let body = format!(r#"{{"apiKey": {{"id": "ak_1", "maskedKey": "{CANARY}", "key": "{CANARY}"}}}}"#);
    let vendor = Vendor::answering("POST", &[(200, &body)]).await;
    let raw = options().with_raw(true);
    let issued = client(&vendor.url(), raw).create(&new_key()).await.unwrap();
    assert_eq!(recorded(&issued).display, Fact::Missing);
    assert!(recorded(&issued).drift.contains(&Drift::new("maskedKey", DriftKind::NotMasked)));
    assert!(!serde_json::to_string(recorded(&issued)).unwrap().contains("CANARY"));
    assert_hidden(&issued);
}
