//! Braintrust: `/v1/api_key` and `/v1/service_token`.

use std::sync::Arc;
use std::time::Duration;

use keymux_braintrust::{
    ApiKeyId, Client, Config, Error, ListApiKeys, ListServiceTokens, NewServiceToken, PageStart, ServiceToken,
    ServiceTokenId, provider_info,
};
use keymux_core::{
    ApiKeyProvider, ClientOptions, Cursor, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact, KeyAddress,
    KeyPatch, KeyState, KeyStream, NewKey, Operation, Parameter, Scope, SecretString, Support, VerifyRequest,
};
use serde_json::json;

use crate::support::{Forgetful, Vendor, assert_hidden, options, request};

/// The header that goes with every request.
const CREDENTIAL: &str = "authorization: Bearer workspace-credential";

/// A plaintext that must not be printed.
const CANARY: &str = "bt-st-CANARYplaintext0001";

const KEY: &str = r#"{"id": "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "created": "2026-02-03T10:20:30.123Z", "name": "ci",
    "preview_name": "sk-****k3Zq9", "user_id": "0d9c8b7a-1122-4334-8556-77889900aabb", "user_email": "dev@example.com",
    "user_given_name": "Dev", "user_family_name": null, "org_id": "11111111-2222-4333-8444-555555555555"}"#;

const LEAST: &str = r#"{"id": "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "name": "ci", "preview_name": "sk-****k3Zq9"}"#;

const TOKEN: &str = r#"{"id": "7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "created": "2026-02-03T10:20:30.123Z",
    "name": "deploy", "preview_name": "bt-st-****abcd", "service_account_id": "sa-1",
    "service_account_email": "robot@example.com", "service_account_name": "robot", "org_id": null}"#;

const ISSUED: &str = r#"{"id": "7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "created": "2026-02-03T10:20:30.123Z",
    "name": "deploy", "preview_name": "bt-st-****abcd", "service_account_id": "sa-1",
    "key": "bt-st-CANARYplaintext0001"}"#;

const MISSING: &str = "Missing delete access to api_key id 6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80, or the api_key does \
                       not exist [user_email=dev@example.com] [user_org=acme] [timestamp=1.5] [request_id=r-1]";

/// Every operation of the client.
const OPERATIONS: [(&str, &str); 8] = [
    ("get_api_key", "GET"),
    ("list_api_keys", "GET"),
    ("delete_api_key", "DELETE"),
    ("get_service_token", "GET"),
    ("list_service_tokens", "GET"),
    ("create_service_token", "POST"),
    ("create_or_replace_service_token", "PUT"),
    ("delete_service_token", "DELETE"),
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
    ApiKeyId::new("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80").unwrap()
}

fn token_id() -> ServiceTokenId {
    ServiceTokenId::new("7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80").unwrap()
}

fn address() -> KeyAddress {
    KeyAddress::new([key_id().as_str()]).unwrap()
}

fn new_token() -> NewServiceToken {
    NewServiceToken { name: "deploy".to_owned(), service_account_id: "sa-1".to_owned(), org_name: None }
}

/// What one call of an operation ended in, without its result.
async fn run(operation: &str, client: &Client) -> Result<(), Error> {
    match operation {
        "get_api_key" => client.get_api_key(&key_id()).await.map(drop),
        "list_api_keys" => client.list_api_keys(&ListApiKeys::default()).await.map(drop),
        "delete_api_key" => client.delete_api_key(&key_id()).await.map(drop),
        "get_service_token" => client.get_service_token(&token_id()).await.map(drop),
        "list_service_tokens" => client.list_service_tokens(&ListServiceTokens::default()).await.map(drop),
        "create_service_token" => client.create_service_token(&new_token()).await.map(drop),
        "create_or_replace_service_token" => client.create_or_replace_service_token(&new_token()).await.map(drop),
        "delete_service_token" => client.delete_service_token(&token_id()).await.map(drop),
        other => panic!("no operation {other}"),
    }
}

/// An answer that the operation takes.
fn good_answer(operation: &str) -> &'static str {
    match operation {
        "list_api_keys" | "list_service_tokens" => r#"{"objects": []}"#,
        "get_api_key" | "delete_api_key" => LEAST,
        _ => ISSUED,
    }
}

fn makes_a_token(operation: &str) -> bool {
    operation.starts_with("create")
}

// Requests and answers.

#[tokio::test]
async fn every_request_is_exactly_as_documented() {
    let key = "/v1/api_key/6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";
    let token = "/v1/service_token/7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";
    let body = r#"{"name":"deploy","service_account_id":"sa-1"}"#;
    let table = [
        ("get_api_key", format!("GET {key}"), None),
        ("list_api_keys", "GET /v1/api_key".to_owned(), None),
        ("delete_api_key", format!("DELETE {key}"), None),
        ("get_service_token", format!("GET {token}"), None),
        ("list_service_tokens", "GET /v1/service_token".to_owned(), None),
        ("create_service_token", "POST /v1/service_token".to_owned(), Some(body)),
        ("create_or_replace_service_token", "PUT /v1/service_token".to_owned(), Some(body)),
        ("delete_service_token", format!("DELETE {token}"), None),
    ];
    for ((operation, method), (same, line, body)) in OPERATIONS.into_iter().zip(table) {
        assert_eq!(operation, same);
        let vendor = Vendor::answering(method, &[(200, good_answer(operation))]).await;
        run(operation, &vendor.client()).await.unwrap();
        assert_eq!(vendor.asked(), [request(&line, CREDENTIAL, body)], "{operation}");
    }
}

#[tokio::test]
async fn a_list_sends_what_is_asked_and_repeats_ids() {
    let other = ApiKeyId::new("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b81").unwrap();
    let all = ListApiKeys {
        limit: Some(2),
        from: PageStart::StartingAfter(key_id()),
        ids: vec![key_id(), other],
        api_key_name: Some("a&b c".to_owned()),
        org_name: Some("acme/é".to_owned()),
    };
    let vendor = Vendor::answering("GET", &[(200, r#"{"objects": []}"#)]).await;
    assert_eq!(vendor.client().list_api_keys(&all).await.unwrap(), []);
    let back = ListApiKeys { limit: Some(0), from: PageStart::EndingBefore(key_id()), ..ListApiKeys::default() };
    vendor.client().list_api_keys(&back).await.unwrap();
    let tokens = ListServiceTokens {
        limit: Some(3),
        from: PageStart::EndingBefore(token_id()),
        ids: vec![token_id()],
        service_token_name: Some("deploy".to_owned()),
        org_name: Some("acme".to_owned()),
    };
    assert!(vendor.client().list_service_tokens(&tokens).await.unwrap().is_empty());
    let id = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b8";
    let token = "7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";
    assert_eq!(
        vendor.lines(),
        [
            format!(
                "GET /v1/api_key?limit=2&starting_after={id}0&ids={id}0&ids={id}1&api_key_name=a%26b+c\
                 &org_name=acme%2F%C3%A9"
            ),
            format!("GET /v1/api_key?limit=0&ending_before={id}0"),
            format!(
                "GET /v1/service_token?limit=3&ending_before={token}&ids={token}&service_token_name=deploy\
                 &org_name=acme"
            ),
        ]
    );
}

#[tokio::test]
async fn full_and_minimal_keys_are_read_from_lists_and_deletions() {
    let list = format!(r#"{{"objects": [{KEY}, {LEAST}]}}"#);
    let vendor = Vendor::answering("GET", &[(200, &list)]).await;
    let keys = vendor.client().list_api_keys(&ListApiKeys::default()).await.unwrap();
    assert_eq!(keys[0].user_email, Fact::Known("dev@example.com".to_owned()));
    assert_eq!((&keys[0].user_family_name, &keys[1].user_family_name), (&Fact::Empty, &Fact::Missing));
    let vendor = Vendor::answering("DELETE", &[(200, KEY)]).await;
    assert_eq!(vendor.client().delete_api_key(&key_id()).await.unwrap(), Some(keys[0].clone()));
}

#[tokio::test]
async fn a_service_token_is_read_without_any_plaintext() {
    let list = format!(r#"{{"objects": [{TOKEN}, {ISSUED}]}}"#);
    let vendor = Vendor::answering("GET", &[(200, &list), (200, ISSUED)]).await;
    let tokens = vendor.client().list_service_tokens(&ListServiceTokens::default()).await.unwrap();
    assert_eq!(tokens[0].service_account_email, Fact::Known("robot@example.com".to_owned()));
    assert_eq!((&tokens[0].org_id, &tokens[1].org_id), (&Fact::Empty, &Fact::Missing));
    assert_eq!(ServiceToken::KIND.as_str(), "service_token");
    assert_hidden(&tokens);
    assert_hidden(&vendor.client().get_service_token(&token_id()).await.unwrap());
    let least = r#"{"id": "7a1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", "name": "n", "preview_name": "p"}"#;
    let vendor = Vendor::answering("DELETE", &[(200, least)]).await;
    let deleted = vendor.client().delete_service_token(&token_id()).await.unwrap().unwrap();
    assert_eq!((deleted.id, deleted.service_account_name), (token_id(), Fact::Missing));
}

#[tokio::test]
async fn making_and_replacing_a_token_gives_the_plaintext_beside_the_model() {
    let new = NewServiceToken { org_name: Some("acme".to_owned()), ..new_token() };
    let vendor = Vendor::answering("POST", &[(200, ISSUED)]).await;
    let (token, plaintext) = vendor.client().create_service_token(&new).await.unwrap();
    assert_eq!((token.id.clone(), plaintext.expose_secret()), (token_id(), CANARY));
    assert_hidden(&(token, plaintext));
    let body = vendor.asked()[0].lines().last().unwrap().to_owned();
    assert_eq!(body, r#"{"name":"deploy","service_account_id":"sa-1","org_name":"acme"}"#);
    let vendor = Vendor::answering("PUT", &[(200, ISSUED)]).await;
    let (token, plaintext): (ServiceToken, SecretString) =
        vendor.client().create_or_replace_service_token(&new_token()).await.unwrap();
    assert_eq!(plaintext.expose_secret(), CANARY);
    assert_hidden(&token);
}

#[tokio::test]
async fn an_answer_without_the_plaintext_leaves_the_outcome_unknown() {
    for (operation, method) in OPERATIONS.into_iter().filter(|(operation, _)| makes_a_token(operation)) {
        for body in [TOKEN, "", r#"{"key": "bt-st-CANARYplaintext0001"}"#, "<html>CANARY"] {
            let vendor = Vendor::hinting(method, &[(200, body)]).await;
            let error = run(operation, &vendor.client()).await.unwrap_err();
            assert_eq!(error.details().kind(), ErrorKind::OutcomeUnknown, "{error}");
            assert!(error.to_string().contains("service tokens"), "{error}");
            assert!(!error.details().is_retryable());
            assert_hidden(&error);
            assert_eq!(vendor.asked().len(), 1);
        }
    }
}

// Failures.

#[tokio::test]
async fn every_documented_failure_has_its_variant() {
    type Is = fn(&Error) -> bool;
    let table: [(usize, &str, ErrorKind, Is); 7] = [
        (400, "bad", ErrorKind::InvalidRequest, |error| matches!(error, Error::InvalidRequest(_))),
        (400, MISSING, ErrorKind::NotFound, |error| matches!(error, Error::MissingOrNoAccess(_))),
        (403, MISSING, ErrorKind::NotFound, |error| matches!(error, Error::MissingOrNoAccess(_))),
        (404, "", ErrorKind::NotFound, |error| matches!(error, Error::MissingOrNoAccess(_))),
        (401, "null", ErrorKind::Unauthenticated, |error| matches!(error, Error::Unauthenticated(_))),
        (403, r#"{"Code": "ForbiddenError", "Message": "owners only"}"#, ErrorKind::PermissionDenied, |error| {
            matches!(error, Error::Forbidden(_))
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
            assert!(!format!("{error} {error:?}").contains("dev@example.com"), "{error:?}");
            assert_eq!(vendor.asked().len(), 1, "{operation}: {status}");
            let unified = CoreError::from(error);
            let source = std::error::Error::source(&unified).unwrap();
            assert!(is(source.downcast_ref().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_retried_unless_a_token_is_made() {
    for (operation, _) in OPERATIONS {
        let vendor = Forgetful::start().await;
        let error = run(operation, &client(vendor.url(), options())).await.unwrap_err();
        let details = error.details();
        if makes_a_token(operation) {
            assert_eq!((vendor.requests(), details.kind()), (1, ErrorKind::OutcomeUnknown), "{operation}");
            let how = if operation == "create_service_token" { "look for the name" } else { "replace it again" };
            assert!(error.to_string().contains(how), "{error}");
        } else {
            assert_eq!((vendor.requests(), details.kind()), (4, ErrorKind::Transport), "{operation}");
        }
    }
}

#[tokio::test]
async fn a_failing_server_is_asked_again_unless_a_token_is_made() {
    for (operation, method) in OPERATIONS {
        let vendor = Vendor::hinting(method, &[(500, "broken"), (200, good_answer(operation))]).await;
        let result = run(operation, &vendor.client()).await;
        if makes_a_token(operation) {
            assert_eq!(result.unwrap_err().details().kind(), ErrorKind::OutcomeUnknown);
            assert_eq!(vendor.asked().len(), 1, "{operation}");
        } else {
            result.unwrap();
            assert_eq!(vendor.asked().len(), 2, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_429_is_retried_by_every_operation() {
    for (operation, method) in OPERATIONS {
        let vendor = Vendor::hinting(method, &[(429, "slow down"), (200, good_answer(operation))]).await;
        run(operation, &vendor.client()).await.unwrap();
        let asked = vendor.asked();
        assert_eq!((asked.len(), &asked[0]), (2, &asked[1]), "{operation}");
    }
    let vendor = Vendor::hinting("GET", &[(429, "slow down")]).await;
    let error = run("get_api_key", &vendor.client()).await.unwrap_err();
    assert!(matches!(&error, Error::RateLimited(details)
        if details.retry_after() == Some(Duration::from_millis(1)) && details.attempts() == 4));
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_is_success_only_after_a_lost_answer_and_by_a_404() {
    for (status, body) in [(400, MISSING), (403, MISSING), (404, "")] {
        let vendor = Vendor::hinting("DELETE", &[(503, ""), (status, body)]).await;
        let key = vendor.client().delete_api_key(&key_id()).await.map_err(CoreError::from);
        let vendor = Vendor::hinting("DELETE", &[(503, ""), (status, body)]).await;
        let token = vendor.client().delete_service_token(&token_id()).await.map_err(CoreError::from);
        let vendor = Vendor::hinting("DELETE", &[(503, ""), (status, body)]).await;
        let revoked = vendor.client().revoke(&address()).await;
        if status == 404 {
            assert!(key.unwrap().is_none() && token.unwrap().is_none());
            let revoked = revoked.unwrap();
            assert!(revoked.after_lost_answer && revoked.record.is_none());
        } else {
            // "Missing" and "forbidden" are one sentence here.
            for error in [key.unwrap_err(), token.unwrap_err(), revoked.unwrap_err()] {
                assert_eq!((error.kind(), error.attempts()), (ErrorKind::OutcomeUnknown, 2));
                assert!(error.may_have_executed() && error.to_string().contains("look the key up"), "{error}");
            }
        }
        // A 429 was no attempt that may have deleted the key.
        let vendor = Vendor::hinting("DELETE", &[(429, ""), (status, body)]).await;
        let error = vendor.client().revoke(&address()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 2));
    }
    // Another refusal says nothing of the first attempt either.
    let vendor = Vendor::hinting("DELETE", &[(503, ""), (403, "no")]).await;
    let error = vendor.client().delete_api_key(&key_id()).await.unwrap_err();
    assert_eq!((error.details().kind(), error.details().status()), (ErrorKind::OutcomeUnknown, Some(403)));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_fails_its_list() {
    for body in [r#"{"objects": [{"name": "n"}]}"#, r#"{"objects": 1}"#, "{}", "[]"] {
        let vendor = Vendor::answering("GET", &[(200, body)]).await;
        for operation in ["list_api_keys", "list_service_tokens"] {
            let error = run(operation, &vendor.client()).await.unwrap_err();
            assert_eq!(error.details().kind(), ErrorKind::Decode, "{body}: {error}");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_refused_by_name() {
    let key = ApiKeyId::new("not-a-uuid").unwrap_err();
    let token = ServiceTokenId::new("").unwrap_err();
    assert!(key.kind() == ErrorKind::InvalidRequest && key.to_string().contains("api_key_id"), "{key}");
    assert!(token.kind() == ErrorKind::InvalidRequest && token.to_string().contains("service_token_id"), "{token}");
}

// Impersonation.

#[tokio::test]
async fn the_impersonated_user_goes_with_every_request_and_is_never_printed() {
    for (operation, method) in OPERATIONS {
        let vendor = Vendor::answering(method, &[(200, good_answer(operation))]).await;
        let config = Config::new("workspace-credential").with_base_url(vendor.url()).with_options(options());
        let config = config.with_impersonated_user("canary@example.com");
        assert!(!format!("{config:?} {config:#?}").contains("canary"), "{config:?}");
        let client = config.build().unwrap();
        assert!(!format!("{client:?} {client:#?}").contains("canary"), "{client:?}");
        run(operation, &client).await.unwrap();
        let asked = &vendor.asked()[0];
        assert!(asked.contains("\nx-bt-impersonate-user: canary@example.com"), "{operation}: {asked}");
    }
    for bad in ["", "  ", "canary\n"] {
        let error = Config::new("k").with_impersonated_user(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("impersonated user") && !error.to_string().contains("canary"), "{error}");
    }
}

// The unified way in.

#[tokio::test]
async fn what_braintrust_cannot_do_is_told_with_an_alternative_and_sends_nothing() {
    let capabilities = provider_info().capabilities();
    let native = [Operation::Get, Operation::ListPage, Operation::Revoke];
    for operation in Operation::ALL {
        assert_eq!(capabilities.is_native(*operation), native.contains(operation), "{operation}");
        assert_eq!(capabilities.parameters(*operation).count(), 0, "{operation}");
        if let Support::Unsupported { alternative } = capabilities.support(*operation) {
            assert!(!alternative.contains("documents nothing"), "{operation}");
        }
    }
    assert_eq!(capabilities.takes(Operation::Create, Parameter::Name), None);
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let plaintext = SecretString::from(CANARY);
    let errors = [
        (client.create(&NewKey::default().with_name("n")).await.unwrap_err(), "create", "settings"),
        (client.register(&NewKey::default(), &plaintext).await.unwrap_err(), "register", "makes every plaintext"),
        (client.update(&address(), &KeyPatch::new().with_enabled(false)).await.unwrap_err(), "update", "revoke"),
        (client.rotate(&address()).await.unwrap_err(), "rotate", "revoke"),
        (client.verify(&plaintext, &VerifyRequest::default()).await.unwrap_err(), "verify", "401"),
        (client.scopes_page(None).await.unwrap_err(), "scopes_page", "the account itself"),
    ];
    for (error, operation, alternative) in errors {
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some(operation)));
        assert!(error.to_string().contains(alternative), "{error}");
        assert_hidden(&error);
    }
    assert_eq!(vendor.requests(), 0);
}

/// A page of keys whose ids end in these numbers.
fn page(numbers: std::ops::Range<u32>) -> String {
    let row =
        |n: u32| json!({"id": format!("6f1d2c3b-0a9e-4b57-8c11-{n:012}"), "name": n.to_string(), "preview_name": "p"});
    json!({ "objects": numbers.map(row).collect::<Vec<_>>() }).to_string()
}

async fn names(client: Client) -> Vec<Result<String, ErrorKind>> {
    let mut stream = KeyStream::new(Arc::new(client), Scope::account(), None);
    let mut names = Vec::new();
    while let Some(key) = stream.next().await {
        names.push(key.map(|key| key.name.into_known().unwrap()).map_err(|error| error.kind()));
    }
    names
}

#[tokio::test]
async fn a_list_ends_at_an_empty_page_and_not_at_a_short_one() {
    let expected: Vec<_> = (0..150).map(|n| Ok(n.to_string())).collect();
    // A vendor that gives fifty at once, however many are asked for.
    let pages = [page(0..50), page(50..100), page(100..150), page(0..0)];
    let vendor = Vendor::answering("GET", &pages.each_ref().map(|page| (200, page.as_str()))).await;
    assert_eq!(names(vendor.client()).await, expected);
    let second = "GET /v1/api_key?limit=100&starting_after=6f1d2c3b-0a9e-4b57-8c11-000000000049";
    assert_eq!(vendor.lines()[..2], ["GET /v1/api_key?limit=100", second]);
    assert_eq!(vendor.lines().len(), 4);
    let vendor = Vendor::answering("GET", &[(200, &page(0..100)), (200, &page(0..0))]).await;
    assert_eq!(names(vendor.client()).await, expected[..100]);
    assert_eq!(vendor.lines().len(), 2);
    let vendor = Vendor::answering("GET", &[(200, &page(0..0))]).await;
    assert_eq!(names(vendor.client()).await, []);
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_list_with_an_error() {
    let vendor = Vendor::answering("GET", &[(200, &page(0..100))]).await;
    let names = names(vendor.client()).await;
    assert_eq!((names.len(), names.last()), (101, Some(&Err(ErrorKind::Decode))));
    assert_eq!(vendor.lines().len(), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_costs_itself_and_the_list_goes_on_behind_the_last_that_can() {
    let mut odd: serde_json::Value = serde_json::from_str(&page(0..3)).unwrap();
    odd["objects"][1]["id"] = serde_json::json!(7);
    odd["objects"].as_array_mut().unwrap().push(serde_json::json!(null));
    let pages = [odd.to_string(), page(3..5), page(0..0)];
    let vendor = Vendor::answering("GET", &pages.each_ref().map(|page| (200, page.as_str()))).await;
    let told = names(vendor.client()).await;
    let ok = |name: &str| Ok(name.to_owned());
    let odd = || Err(ErrorKind::Decode);
    assert_eq!(told, [ok("0"), ok("2"), odd(), odd(), ok("3"), ok("4")]);
    assert!(vendor.lines()[1].ends_with("starting_after=6f1d2c3b-0a9e-4b57-8c11-000000000002"), "{:?}", vendor.lines());
    // Nothing tells where the list goes on.
    let vendor = Vendor::answering("GET", &[(200, r#"{"objects": [{"id": null}]}"#)]).await;
    let page = vendor.client().list_page(&Scope::account(), None).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable.len(), page.next), (0, 1, None));
    assert!(page.cut_short.unwrap().to_string().contains("nothing tells where the next page begins"));
}

#[tokio::test]
async fn listed_and_revoked_records_are_as_from_get() {
    let get = Vendor::answering("GET", &[(200, KEY)]).await;
    let expected = get.client().get(&address()).await.unwrap();
    let odd = format!(r#"{{"next": "CANARY", "objects": [{KEY}, {{"id": "x y", "name": null, "new": 1}}]}}"#);
    let list = Vendor::answering("GET", &[(200, &odd)]).await;
    let page = list.client().list_page(&Scope::account(), None).await.unwrap();
    assert_eq!(page.items[0], expected);
    assert_eq!((page.items[0].status.state, page.next), (KeyState::Unknown, Some(Cursor::new("x y"))));
    assert_eq!(page.drift.iter().map(ToString::to_string).collect::<Vec<_>>(), ["next is not documented"]);
    assert_eq!(page.items[1].address, KeyAddress::new(["x y"]).unwrap());
    let notes: Vec<_> = page.items[1].drift.iter().map(|note| (note.path.as_str(), &note.kind)).collect();
    assert_eq!(
        notes,
        [
            ("new", &DriftKind::UnknownField),
            ("name", &DriftKind::UnexpectedNull),
            ("preview_name", &DriftKind::RequiredMissing)
        ]
    );
    let revoke = Vendor::answering("DELETE", &[(200, KEY)]).await;
    let revoked = revoke.client().revoke(&address()).await.unwrap();
    assert_eq!((revoked.record, revoked.after_lost_answer), (Some(expected), false));
}

#[tokio::test]
async fn a_scope_and_an_address_of_another_shape_are_refused_and_send_nothing() {
    let vendor = Forgetful::start().await;
    let client = client(vendor.url(), options());
    let scope = Scope::new(["ws"]).unwrap();
    let errors = [
        (client.list_page(&scope, Some(&Cursor::new("c"))).await.unwrap_err(), ErrorKind::Unsupported),
        (client.revoke(&KeyAddress::new(["a", "b"]).unwrap()).await.unwrap_err(), ErrorKind::InvalidRequest),
        (client.revoke(&KeyAddress::new(["no-uuid"]).unwrap()).await.unwrap_err(), ErrorKind::InvalidRequest),
    ];
    for (error, kind) in errors {
        assert_eq!((error.kind(), error.attempts()), (kind, 0), "{error}");
        assert_eq!(error.provider().unwrap().as_str(), "braintrust");
    }
    assert_eq!(vendor.requests(), 0);
}

#[tokio::test]
async fn a_removal_is_success_whatever_the_body_says() {
    for body in ["", "done", "{}", "[]", r#"{"id": 7}"#] {
        let vendor = Vendor::answering("DELETE", &[(200, body)]).await;
        assert!(vendor.client().delete_api_key(&key_id()).await.unwrap().is_none(), "{body}");
        let revoked = vendor.client().revoke(&address()).await.unwrap();
        assert_eq!((revoked.record, revoked.after_lost_answer), (None, false), "{body}");
    }
}
