//! Datkey: `/keys` and `/workspace`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, Change, ClientOptions, Clock, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact,
    KeyAddress, KeyPatch, KeyState, NewKey, Operation, Parameter, ParameterSupport, Permission, Refusal, Scope,
    SecretString, Sleep, Support, Verdict, VerifyRequest,
};
use keymux_datkey::{
    ApiId, Client, Config, CreateKey, Error, Key, KeyId, KeyText, UpdateKey, VerificationStatus, provider_info,
};
use serde_json::json;

use crate::support::{Forgetful, Vendor, WITHHELD, assert_hidden, options, recorded, request};

/// The header that goes with every request.
const CREDENTIAL: &str = "x-api-key: workspace-credential";

/// A plaintext that must not be printed.
const CANARY: &str = "demo_CANARYplaintext0001";

/// The answer to making a key. Its text stands in for the plaintext.
const CREATED: &str = r#"{"key": {"id": "k1", "name": "acme importer", "key": "demo_CANARYplaintext0001",
    "prefix": "demo", "length": 16, "verifications": 0, "verification_limit": 100, "expires_at": 4102444800,
    "meta": {"plan": "pro"},
    "created_at": "2025-01-01T00:00:00.000000Z", "updated_at": "2025-01-01T00:00:00.000000Z"}}"#;

/// The answer to changing a key, and to looking it up.
const MASKED: &str = r#"{"key": {"id": "k1", "name": "acme importer", "key": "demo_CAN*********", "prefix": "demo",
    "length": 16, "verifications": 3, "verification_limit": 100, "expires_at": 4102444800, "meta": null,
    "created_at": "2025-01-01T00:00:00.000000Z", "updated_at": "2025-01-02T00:00:00.000000Z"}}"#;

const WORKSPACE: &str = r#"{"workspace": {"id": "w1", "name": "Acme", "api_key": "datkey_CANARYcredential",
    "created_at": "2025-01-01T00:00:00.000000Z", "updated_at": "2025-01-02T00:00:00.000000Z"}}"#;

/// 2100-01-01T00:00:00Z.
const FUTURE: i64 = 4_102_444_800;

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

fn key_id() -> KeyId {
    KeyId::new("k1").unwrap()
}

fn api() -> ApiId {
    ApiId::new("api_1").unwrap()
}

fn scope() -> Scope {
    Scope::new(["api_1"]).unwrap()
}

fn address() -> KeyAddress {
    KeyAddress::new(["k1"]).unwrap()
}

fn plaintext() -> SecretString {
    CANARY.into()
}

fn limit(limit: u64) -> UpdateKey {
    UpdateKey { verification_limit: Some(limit), ..UpdateKey::default() }
}

/// The time of day stands still.
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

/// What one call of an operation ended in, without its result.
async fn run(operation: &str, client: &Client) -> Result<(), Error> {
    match operation {
        "get_key" => client.get_key(&key_id()).await.map(drop),
        "create_key" => client.create_key(&CreateKey::new(api(), "acme importer")).await.map(drop),
        "update_key" => client.update_key(&key_id(), &limit(100)).await.map(drop),
        "verify_key" => client.verify_key(&api(), &plaintext()).await.map(drop),
        "revoke_key" => client.revoke_key(&key_id()).await.map(drop),
        "get_workspace" => client.get_workspace().await.map(drop),
        _ => unreachable!(),
    }
}

/// Each operation with its method, its path, its body, and an answer.
const OPERATIONS: [(&str, &str, &str, &str, &str); 6] = [
    ("get_key", "GET", "/keys/k1", "", MASKED),
    ("create_key", "POST", "/keys", r#"{"api_id":"api_1","name":"acme importer"}"#, CREATED),
    ("update_key", "PUT", "/keys/k1", r#"{"verification_limit":100}"#, MASKED),
    (
        "verify_key",
        "POST",
        "/keys/verify",
        r#"{"api_id":"api_1","key":"demo_CANARYplaintext0001"}"#,
        r#"{"valid":true}"#,
    ),
    ("revoke_key", "DELETE", "/keys/k1", "", r#"{"message":"key deleted"}"#),
    ("get_workspace", "GET", "/workspace", "", WORKSPACE),
];

#[tokio::test]
async fn each_operation_sends_the_documented_request_and_nothing_more() {
    for (operation, method, path, body, answer) in OPERATIONS {
        let vendor = Vendor::answering(method, &[(200, answer)]).await;
        run(operation, &vendor.client()).await.unwrap();
        let body = Some(body).filter(|body| !body.is_empty());
        assert_eq!(vendor.asked(), [request(&format!("{method} {path}"), CREDENTIAL, body)], "{operation}");
    }
}

#[tokio::test]
async fn a_429_is_waited_out_by_every_operation_that_counts_no_use() {
    for (operation, method, _, _, answer) in OPERATIONS {
        let vendor = Vendor::answering(method, &[(429, "{}"), (200, answer)]).await;
        let result = run(operation, &vendor.client()).await;
        if operation == "verify_key" {
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
    for (operation, ..) in OPERATIONS {
        let vendor = Forgetful::start().await;
        let error = run(operation, &client(vendor.url(), options())).await.unwrap_err();
        let details = error.details();
        let (kind, requests) = match operation {
            "create_key" => (ErrorKind::OutcomeUnknown, 1),
            "verify_key" => (ErrorKind::Transport, 1),
            _ => (ErrorKind::Transport, 4),
        };
        assert_eq!((details.kind(), vendor.requests()), (kind, requests), "{operation}");
        assert_eq!(details.is_retryable(), requests == 4, "{operation}");
        let tells = details.to_string().contains("cannot list keys, so that only its dashboard can show");
        assert_eq!(tells, operation == "create_key", "{details}");
        assert_hidden(&error);
    }
}

#[tokio::test]
async fn refusals_are_told_by_their_statuses() {
    for (operation, method, ..) in OPERATIONS {
        for (status, kind, variant) in [
            (401, ErrorKind::Unauthenticated, "Unauthenticated"),
            (403, ErrorKind::PermissionDenied, "Forbidden"),
            (404, ErrorKind::NotFound, "NotFound"),
            (422, ErrorKind::InvalidRequest, "Other"),
        ] {
            let vendor = Vendor::answering(method, &[(status, r#"{"message": "no such luck"}"#)]).await;
            let error = run(operation, &vendor.client()).await.unwrap_err();
            assert!(format!("{error:?}").starts_with(variant), "{operation}: {error:?}");
            assert_eq!(error.details().kind(), kind, "{operation}");
            // Where an answer may repeat a key, none of its text is shown.
            let said = if operation == "verify_key" { WITHHELD } else { "no such luck" };
            assert_eq!(error.details().message(), Some(said), "{operation}");
            assert_eq!(vendor.asked().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_whole_request_and_answer_of_making_a_key() {
    let vendor = Vendor::answering("POST", &[(200, CREATED)]).await;
    let new = CreateKey {
        prefix: Some("demo".to_owned()),
        length: Some(255),
        meta: json!({"plan": "pro"}).as_object().cloned().map(Into::into),
        expires_at: Some(FUTURE),
        verification_limit: Some(i64::MAX.unsigned_abs()),
        ..CreateKey::new(api(), "acme importer")
    };
    let (key, secret) = vendor.client().create_key(&new).await.unwrap();
    let expected = json!({"api_id": "api_1", "name": "acme importer", "prefix": "demo", "length": 255,
        "meta": {"plan": "pro"}, "expires_at": FUTURE, "verification_limit": i64::MAX});
    assert_eq!(vendor.body(), expected);
    assert_eq!(secret.expose_secret(), CANARY);
    assert_eq!(key.id.known(), Some(&key_id()));
    assert!(key.key.is_missing(), "the plaintext is given once");
    assert_hidden(&(key, secret));
}

#[tokio::test]
async fn a_created_key_is_read_wrapped_flat_and_minimal() {
    for body in [
        r#"{"key": {"key": "demo_CANARYplaintext0001"}}"#,
        r#"{"key": "demo_CANARYplaintext0001"}"#,
        r#"{"api_id": "api_1", "name": "n", "key": "demo_CANARYplaintext0001", "length": 16}"#,
        r#"{"message": "made", "key": {"name": 7, "key": "demo_CANARYplaintext0001"}}"#,
    ] {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        let (_, secret) = vendor.client().create_key(&CreateKey::new(api(), "n")).await.unwrap();
        assert_eq!(secret.expose_secret(), CANARY, "{body}");
    }
}

#[tokio::test]
async fn a_success_without_the_plaintext_leaves_the_outcome_unknown() {
    for body in [
        r#"{"message": "key created"}"#,
        MASKED,
        r#"{"key": {"id": "k1", "key": ""}}"#,
        r#"{"key": {"id": "k1", "key": ["demo_CANARYplaintext0001"]}}"#,
        r#"["demo_CANARYplaintext0001"]"#,
        "demo_CANARYplaintext0001",
        "",
    ] {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        let error = vendor.client().create_key(&CreateKey::new(api(), "n")).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::OutcomeUnknown, "{body}");
        assert!(error.to_string().contains("only its dashboard can show"), "{error}");
        assert_hidden(&error);
        assert_eq!(vendor.asked().len(), 1);
    }
}

#[tokio::test]
async fn what_the_documents_forbid_is_refused_by_name_and_not_sent() {
    let vendor = Forgetful::start().await;
    let now: Timestamp = "2025-06-01T12:00:00.9Z".parse().unwrap();
    let client = client(vendor.url(), options().with_clock(Arc::new(FixedClock(now))));
    let new = || CreateKey::new(api(), "n");
    let table = [
        (CreateKey { length: Some(15), ..new() }, "length"),
        (CreateKey { length: Some(256), ..new() }, "length"),
        (CreateKey { expires_at: Some(now.as_second()), ..new() }, "expires_at"),
        (CreateKey { expires_at: Some(-1), ..new() }, "expires_at"),
        (CreateKey { verification_limit: Some(u64::MAX), ..new() }, "verification_limit"),
    ];
    for (key, names) in table {
        assert_refused(&client.create_key(&key).await.unwrap_err(), "create_key", names);
    }
    let expires_at = Some(now.as_second());
    let table = [
        (UpdateKey::default(), "the update changes nothing"),
        (UpdateKey { expires_at, ..UpdateKey::default() }, "expires_at"),
        (limit(u64::MAX), "verification_limit"),
    ];
    for (update, names) in table {
        assert_refused(&client.update_key(&key_id(), &update).await.unwrap_err(), "update_key", names);
    }
    assert_eq!(vendor.requests(), 0);
    let soon = CreateKey { length: Some(16), expires_at: Some(now.as_second() + 1), ..new() };
    assert_eq!(client.create_key(&soon).await.unwrap_err().details().attempts(), 1);
}

fn assert_refused(error: &Error, operation: &str, names: &str) {
    let details = error.details();
    assert_eq!((details.kind(), details.attempts()), (ErrorKind::InvalidRequest, 0));
    assert_eq!((details.provider().unwrap().as_str(), details.operation()), ("datkey", Some(operation)));
    assert!(details.message().unwrap().contains(names), "{details}");
}

#[tokio::test]
async fn an_update_gives_the_key_wrapped_or_flat() {
    for (body, uses) in [(MASKED, Fact::Known(3)), (r#"{"name": "acme importer"}"#, Fact::Missing)] {
        let vendor = Vendor::answering("PUT", &[(200, body)]).await;
        let update = UpdateKey { expires_at: Some(FUTURE), verification_limit: Some(7) };
        let key = vendor.client().update_key(&key_id(), &update).await.unwrap();
        assert_eq!((key.name, key.verifications), (Fact::Known("acme importer".to_owned()), uses));
        assert!(vendor.asked()[0].ends_with("\n{\"expires_at\":4102444800,\"verification_limit\":7}"));
    }
    let vendor = Vendor::answering("PUT", &[(200, r#"{"message": "done"}"#)]).await;
    let error = vendor.client().update_key(&key_id(), &limit(7)).await.unwrap_err();
    assert_eq!(error.details().kind(), ErrorKind::Decode, "no key is not a key");
}

#[tokio::test]
async fn any_success_is_a_revocation_with_or_without_a_message() {
    for (status, body, message) in [
        (200, r#"{"message": "key deleted"}"#, Some("key deleted")),
        (200, r#"{"message": null}"#, None),
        (200, "gone", None),
        (202, "[]", None),
        (204, "", None),
    ] {
        let vendor = Vendor::answering("DELETE", &[(status, body)]).await;
        assert_eq!(vendor.client().revoke_key(&key_id()).await.unwrap().as_deref(), message, "{body}");
        let revoked = vendor.client().revoke(&address()).await.unwrap();
        assert!(revoked.record.is_none() && !revoked.after_lost_answer);
    }
}

#[tokio::test]
async fn a_key_that_is_gone_after_a_lost_revocation_was_revoked() {
    let not_found = (404, r#"{"message": "key not found"}"#);
    let vendor = Vendor::answering("DELETE", &[(502, ""), not_found, (502, ""), not_found]).await;
    assert_eq!(vendor.client().revoke_key(&key_id()).await.unwrap(), None);
    assert!(vendor.client().revoke(&address()).await.unwrap().after_lost_answer);
    assert_eq!(vendor.asked().len(), 4);

    let error = vendor.client().revoke(&address()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn the_workspace_does_not_show_its_key() {
    let vendor = Vendor::answering("GET", &[(200, WORKSPACE), (200, r#"{"workspace": {"id": "w1"}}"#)]).await;
    let workspace = vendor.client().get_workspace().await.unwrap();
    assert_eq!((&*workspace.id, workspace.name.known().unwrap().as_str()), ("w1", "Acme"));
    assert_eq!(workspace.api_key.known().unwrap().expose_secret(), "datkey_CANARYcredential");
    assert_hidden(&workspace);
    assert!(vendor.client().get_workspace().await.unwrap().api_key.is_missing());

    let vendor = Vendor::answering("GET", &[(200, r#"{"workspace": {"api_key": "CANARY"}}"#)]).await;
    let error = vendor.client().get_workspace().await.unwrap_err();
    assert_eq!(error.details().kind(), ErrorKind::Decode);
    assert_hidden(&error);
}

#[tokio::test]
async fn a_verdict_is_read_flat_and_wrapped() {
    use VerificationStatus::{Expired, Other, UsageExceeded};
    let other = || Other("REVOKED".to_owned());
    let table = [
        // the answer, the status, the reason of the refusal, whether there is a record
        (r#"{"valid":true}"#, Fact::Missing, None, false),
        (r#"{"valid":true,"key":{"id":"k1","verifications":3}}"#, Fact::Missing, None, true),
        (r#"{"valid":true,"status":null,"api_id":"api_1","name":"n"}"#, Fact::Empty, None, false),
        (r#"{"valid":false}"#, Fact::Missing, Some(Refusal::Unknown), false),
        (
            r#"{"valid":false,"status":"EXPIRED","api_id":"api_1","length":16}"#,
            Fact::Known(Expired),
            Some(Refusal::Expired),
            false,
        ),
        (
            r#"{"valid":false,"status":"USAGE_EXCEEDED","key":{"id":"k1","verifications":9,"verification_limit":9}}"#,
            Fact::Known(UsageExceeded),
            Some(Refusal::UsageExceeded),
            true,
        ),
        (r#"{"valid":false,"status":"REVOKED"}"#, Fact::Known(other()), Some(Refusal::Unknown), false),
        (r#"{"valid":false,"status":7}"#, Fact::Missing, Some(Refusal::Unknown), false),
    ];
    for (body, status, expected, has_record) in table {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        let verification = vendor.client().verify_key(&api(), &plaintext()).await.unwrap();
        assert_eq!((verification.valid, verification.status), (expected.is_none(), status), "{body}");
        let verdict = vendor.client().verify(&plaintext(), &VerifyRequest::new(scope())).await.unwrap();
        let (reason, record) = match verdict {
            Verdict::Valid { record } => (None, record),
            Verdict::Refused { reason, record } => (Some(reason), record),
            other => panic!("{body}: {other:?}"),
        };
        assert_eq!((reason, record.is_some()), (expected, has_record), "{body}");
        if let Some(record) = record {
            assert_eq!(record.address, address());
            assert_eq!(record.drift, [], "the verdict beside the key is documented");
            let exhausted = expected == Some(Refusal::UsageExceeded);
            assert_eq!(record.status.state, if exhausted { KeyState::Exhausted } else { KeyState::Unknown });
        }
    }
}

#[tokio::test]
async fn what_is_no_verdict_is_never_taken_for_one() {
    let table = [
        (200, r#"{"status":"EXPIRED"}"#, ErrorKind::Decode),
        (200, r#"{"valid":"true"}"#, ErrorKind::Decode),
        (200, "<html>", ErrorKind::Decode),
        (401, r#"{"message":"key not found"}"#, ErrorKind::Unauthenticated),
        (404, "<html>", ErrorKind::NotFound),
        (404, r#"{"message":"no route demo_CANARYplaintext0001"}"#, ErrorKind::NotFound),
        (500, r#"{"message":"oops"}"#, ErrorKind::Server),
    ];
    for (status, body, kind) in table {
        let vendor = Vendor::answering("POST", &[(status, body)]).await;
        let verdict = vendor.client().verify(&plaintext(), &VerifyRequest::new(scope())).await.unwrap();
        let Verdict::Inconclusive(error) = &verdict else { panic!("{body}: {verdict:?}") };
        assert_eq!((error.kind(), vendor.asked().len()), (kind, 1), "{body}");
        assert_hidden(&verdict);
    }
    let vendor = Forgetful::start().await;
    let verdict = client(vendor.url(), options()).verify(&plaintext(), &VerifyRequest::new(scope())).await.unwrap();
    assert!(matches!(verdict, Verdict::Inconclusive(_)) && vendor.requests() == 1);
}

#[tokio::test]
async fn a_404_that_says_that_the_key_is_not_found_is_a_refusal() {
    for words in ["Key not found", "key not found.", "no such key"] {
        let body = format!(r#"{{"message":"{words}"}}"#);
        let vendor = Vendor::answering("POST", &[(404, &body)]).await;
        let verdict = vendor.client().verify(&plaintext(), &VerifyRequest::new(scope())).await.unwrap();
        assert!(matches!(verdict, Verdict::Refused { reason: Refusal::NoSuchKey, record: None }), "{verdict:?}");
    }
    let vendor = Vendor::answering("POST", &[(404, r#"{"message":"Key not found"}"#)]).await;
    let error = vendor.client().verify_key(&api(), &plaintext()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
}

#[test]
fn what_datkey_can_do_is_plain_data() {
    let capabilities = provider_info().capabilities();
    let native = |operation: &&Operation| capabilities.is_native(**operation);
    let natives: Vec<&str> = Operation::ALL.iter().filter(native).map(|operation| operation.as_str()).collect();
    assert_eq!(natives, ["get", "create", "update", "verify", "revoke"]);
    for (operation, names) in [
        (Operation::ListPage, "keep the ids"),
        (Operation::ScopesPage, "dashboard"),
        (Operation::Register, "create one"),
    ] {
        let Support::Unsupported { alternative } = capabilities.support(operation) else { panic!("{operation}") };
        assert!(alternative.contains(names), "{alternative}");
    }
    let Support::Emulated { how } = capabilities.support(Operation::Rotate) else { panic!("no rotation") };
    assert!(how.contains("create a key, then revoke"), "{how}");
    assert_eq!(capabilities.settings(Operation::Create).collect::<Vec<_>>(), ["length"]);
    assert_eq!(capabilities.takes(Operation::Create, Parameter::Name), Some(ParameterSupport::Required));
    assert_eq!(capabilities.takes(Operation::Update, Parameter::MaxUses), Some(ParameterSupport::SetOnly));
    assert_eq!(capabilities.takes(Operation::Update, Parameter::Name), None);
}

#[tokio::test]
async fn what_datkey_does_not_take_is_refused_by_name_and_not_sent() {
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let refused = |error: CoreError, kind, names: &str| {
        assert_eq!((error.kind(), error.attempts()), (kind, 0), "{error}");
        assert!(error.to_string().contains(names), "{error}");
    };
    let named = || NewKey::new(scope()).with_name("n");
    let permission = || [Permission { name: "invoices".to_owned(), actions: None }];
    for (key, kind, names) in [
        (NewKey::default().with_name("n"), ErrorKind::InvalidRequest, "`scope`"),
        (NewKey::new(scope()), ErrorKind::InvalidRequest, "`name`"),
        (named().with_permissions(permission()), ErrorKind::Unsupported, "`permissions`"),
        (named().with_ip_allowlist(["::1"]), ErrorKind::Unsupported, "`ip_allowlist`"),
        (named().with_customer("c"), ErrorKind::Unsupported, "`customer`"),
        (named().with_enabled(true), ErrorKind::Unsupported, "`enabled`"),
        (named().with_expires_at(Timestamp::UNIX_EPOCH), ErrorKind::InvalidRequest, "expires_at"),
        (named().with_max_uses(u64::MAX), ErrorKind::InvalidRequest, "verification_limit"),
    ] {
        refused(client.create(&key).await.unwrap_err(), kind, names);
    }
    let two = NewKey::new(Scope::new(["a", "b"]).unwrap()).with_name("n");
    refused(client.create(&two).await.unwrap_err(), ErrorKind::InvalidRequest, "api_id");
    for (patch, kind, names) in [
        (KeyPatch::new(), ErrorKind::InvalidRequest, "changes nothing"),
        (KeyPatch::new().with_name(Change::Set("n".to_owned())), ErrorKind::Unsupported, "`name`"),
        (KeyPatch::new().with_enabled(false), ErrorKind::Unsupported, "`enabled`"),
        (KeyPatch::new().with_expires_at(Change::Clear), ErrorKind::Unsupported, "`expires_at`"),
        (KeyPatch::new().with_max_uses(Change::Clear), ErrorKind::Unsupported, "`max_uses`"),
    ] {
        refused(client.update(&address(), &patch).await.unwrap_err(), kind, names);
    }
    let anywhere = client.verify(&plaintext(), &VerifyRequest::default()).await.unwrap_err();
    refused(anywhere, ErrorKind::InvalidRequest, "`scope`");
    let more = VerifyRequest::new(scope()).with_permissions(permission());
    refused(client.verify(&plaintext(), &more).await.unwrap_err(), ErrorKind::Unsupported, "`permissions`");

    refused(client.list_page(&scope(), None).await.unwrap_err(), ErrorKind::Unsupported, "keep the ids");
    refused(client.scopes_page(None).await.unwrap_err(), ErrorKind::Unsupported, "dashboard");
    refused(client.register(&named(), &plaintext()).await.unwrap_err(), ErrorKind::Unsupported, "create one");
    refused(client.rotate(&address()).await.unwrap_err(), ErrorKind::Unsupported, "then revoke");
    assert_eq!(vendor.requests(), 0);
}

#[tokio::test]
async fn a_key_made_through_the_trait_has_a_record_without_its_plaintext() {
    let vendor = Vendor::answering("POST", &[(200, CREATED)]).await;
    let client = client(&vendor.url(), options().with_raw(true));
    let key = NewKey::new(scope())
        .with_name("acme importer")
        .with_prefix("demo")
        .with_expires_at("2100-01-01T00:00:00.7Z".parse().unwrap())
        .with_max_uses(100)
        .with_metadata(json!({"plan": "pro"}).as_object().cloned().unwrap());
    let issued = client.create(&key).await.unwrap();
    let expected = json!({"api_id": "api_1", "name": "acme importer", "prefix": "demo", "meta": {"plan": "pro"},
        "expires_at": FUTURE, "verification_limit": 100});
    assert_eq!(vendor.body(), expected);
    assert_eq!(issued.plaintext.expose_secret(), CANARY);
    let record = recorded(&issued);
    assert_eq!((&record.address, record.status.state), (&address(), KeyState::Active));
    assert_eq!((&record.display, record.limits.max_uses), (&Fact::Missing, Fact::Known(100)));
    assert_eq!(record.drift, []);
    assert!(record.native::<Key>().unwrap().key.is_missing());
    assert_eq!(record.raw.as_ref().unwrap()["key"]["key"], "[redacted]");
    assert_hidden(&issued);
    assert!(!serde_json::to_string(record).unwrap().contains("CANARY"));
}

#[tokio::test]
async fn a_created_key_without_an_id_keeps_its_plaintext() {
    let flat = r#"{"api_id": "api_1", "name": "n", "key": "demo_CANARYplaintext0001"}"#;
    for body in [flat, r#"{"key": {"name": "n", "key": "demo_CANARYplaintext0001"}}"#] {
        let vendor = Vendor::answering("POST", &[(200, body)]).await;
        let issued = vendor.client().create(&NewKey::new(scope()).with_name("n").with_max_uses(3)).await.unwrap();
        assert_eq!(issued.plaintext.expose_secret(), "demo_CANARYplaintext0001");
        assert_eq!((issued.address(), issued.unconfirmed.as_slice()), (None, &[Parameter::MaxUses][..]));
        assert!(issued.find_out.as_deref().unwrap().contains("dashboard"));
        assert_hidden(&issued);
    }
}

#[tokio::test]
async fn an_update_through_the_trait_gives_the_record_as_it_now_is() {
    let vendor = Vendor::answering("PUT", &[(200, MASKED)]).await;
    let patch = KeyPatch::new()
        .with_expires_at(Change::Set("2100-01-01T00:00:00Z".parse().unwrap()))
        .with_max_uses(Change::Set(100));
    let record = vendor.client().update(&address(), &patch).await.unwrap();
    assert!(vendor.asked()[0].ends_with("\n{\"expires_at\":4102444800,\"verification_limit\":100}"));
    assert_eq!((record.display, record.limits.uses), (Fact::Known("demo_CAN*********".to_owned()), Fact::Known(3)));

    let other = KeyAddress::new(["k2"]).unwrap();
    let record = vendor.client().update(&other, &patch).await.unwrap();
    assert_eq!(record.address, other);
    assert!(record.drift.iter().any(|note| note.kind == DriftKind::IdentityMismatch));
}

#[tokio::test]
async fn a_plaintext_where_a_mask_should_be_is_withheld() {
    let echo = r#"{"valid":true,"key":{"id":"k1","key":"demo_CANARYplaintext0001"}}"#;
    let vendor = Vendor::answering("POST", &[(200, echo)]).await;
    let verification = vendor.client().verify_key(&api(), &plaintext()).await.unwrap();
    assert!(matches!(verification.key.key, Fact::Known(KeyText::Unmasked(_))));
    assert_hidden(&verification);
    let verdict = vendor.client().verify(&plaintext(), &VerifyRequest::new(scope())).await.unwrap();
    assert_hidden(&verdict);
    let Verdict::Valid { record: Some(record) } = verdict else { panic!() };
    assert!(record.display.is_missing());
    assert_eq!(record.drift.iter().map(|note| &note.kind).collect::<Vec<_>>(), [&DriftKind::NotMasked]);
}
