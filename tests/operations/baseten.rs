//! Baseten: federated keys, their groups, and workspace keys.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use keymux_baseten::{
    Client, Config, Error, GroupEdit, GroupFilter, GroupId, KeyPrefix, LimitEnforcement, LimitType, LimitUnit,
    NewApiKey, NewGroup, NewGroupLimit, NewGroupMetadata, NewGroupModel, NewHierarchy, NewWorkspaceApiKey, PageRequest,
    SigningKey, TeamId, WorkspaceApiKeyFilter, WorkspaceKeyType,
};
use keymux_core::{
    ApiKeyProvider, Cursor, DriftKind, ErrorKind, ExposeSecret, Fact, KeyAddress, KeyPatch, KeyState, KeyStream,
    NewKey, Operation, Permission, Scope, SecretString, Support, VerifyRequest,
};
use mockito::{Matcher, Mock, Server, ServerGuard};
use serde_json::{Value, json};

use super::support::{Forgetful, options, recorded};

/// A key of the user's own: 40 characters, of which some need escaping in JSON.
const OWN: &str = r#"partner/"eu"+1-KeyOfOurs.canary-9f3a7c2e"#;
const OWN_PREFIX: &str = r#"partner/"eu"+1-K"#;
/// What Baseten makes.
const MADE: &str = "sky_Qm4tZp0Lw8Rk.canarySecret-51c0ffee";

fn group() -> GroupId {
    GroupId::new("g1/acme").unwrap()
}

fn prefix() -> KeyPrefix {
    KeyPrefix::new("sky_Qm4t Zp").unwrap()
}

fn own() -> SecretString {
    SecretString::from(OWN)
}

/// The first test key of RFC 8032, as `openssl` would write it.
fn pem() -> SecretString {
    // The last number of the algorithm: Ed25519.
    pem_of(0x70)
}

fn pem_of(algorithm: u8) -> SecretString {
    let start = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, algorithm, 0x04, 0x22, 0x04, 0x20];
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let text = Base64::encode_string(&[start.as_slice(), &seed].concat());
    SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

fn signing_key() -> SigningKey {
    SigningKey::from_pkcs8_pem(&pem()).unwrap()
}

fn client(url: &str) -> Client {
    let config = Config::new("workspace-credential").with_base_url(url).with_options(options());
    config.with_signing_key(signing_key()).build().unwrap()
}

async fn server() -> ServerGuard {
    Server::new_async().await
}

/// A request with the credential and its answer, which must come exactly once.
fn expect(server: &mut Server, method: &str, path: &str, answer: &Value) -> Mock {
    let mock = server.mock(method, path).match_header("authorization", "Api-Key workspace-credential");
    mock.with_body(answer.to_string()).expect(1)
}

/// Like [`expect`], with exactly this JSON.
fn expect_json(server: &mut Server, method: &str, path: &str, body: &Value, answer: &Value) -> Mock {
    let mock = expect(server, method, path, answer).match_header("content-type", "application/json");
    mock.match_body(body.to_string().as_str())
}

/// The same answer to everything.
fn always(server: &mut Server, status: usize, body: &str) -> Vec<Mock> {
    let mock = |method| server.mock(method, Matcher::Any).with_status(status).with_body(body).create();
    ["GET", "POST", "PATCH", "DELETE"].map(mock).into()
}

const OPERATIONS: [&str; 15] = [
    "get_api_key",
    "list_api_keys",
    "create_api_key",
    "register_api_key",
    "revoke_api_key",
    "list_groups",
    "get_group",
    "create_group",
    "update_group",
    "delete_group",
    "get_group_usage",
    "list_workspace_api_keys",
    "create_workspace_api_key",
    "create_team_api_key",
    "delete_workspace_api_key",
];

const MAKING_KEYS: [&str; 4] =
    ["create_api_key", "register_api_key", "create_workspace_api_key", "create_team_api_key"];

/// An answer that every operation reads.
fn universal() -> String {
    json!({
        "ok": true, "api_key": MADE, "prefix": "sky_Qm4tZp0Lw8Rk", "id": "g1", "name": null,
        "items": [], "keys": [], "pagination": {"has_more": false},
    })
    .to_string()
}

/// One call of each operation, and its result as it prints.
async fn call(client: &Client, operation: &str) -> Result<String, Error> {
    let (group, prefix, page) = (group(), prefix(), PageRequest::default());
    let team = TeamId::new("t1").unwrap();
    Ok(match operation {
        "get_api_key" => format!("{:?}", client.get_api_key(&group, &prefix).await?),
        "list_api_keys" => format!("{:?}", client.list_api_keys(&group, &page).await?),
        "create_api_key" => format!("{:?}", client.create_api_key(&group, &NewApiKey::default()).await?),
        "register_api_key" => format!("{:?}", client.register_api_key(&group, &own(), None).await?),
        "revoke_api_key" => format!("{:?}", client.revoke_api_key(&group, &prefix).await?),
        "list_groups" => format!("{:?}", client.list_groups(&GroupFilter::default()).await?),
        "get_group" => format!("{:?}", client.get_group(&group).await?),
        "create_group" => format!("{:?}", client.create_group(&new_group()).await?),
        "update_group" => format!("{:?}", client.update_group(&group, &rename("n")).await?),
        "delete_group" => format!("{:?}", client.delete_group(&group).await?),
        "get_group_usage" => format!("{:?}", client.get_group_usage(&group).await?),
        "list_workspace_api_keys" => {
            format!("{:?}", client.list_workspace_api_keys(&WorkspaceApiKeyFilter::default()).await?)
        }
        "create_workspace_api_key" => format!("{:?}", client.create_workspace_api_key(&new_workspace_key()).await?),
        "create_team_api_key" => format!("{:?}", client.create_team_api_key(&team, &new_workspace_key()).await?),
        "delete_workspace_api_key" => format!("{:?}", client.delete_workspace_api_key(&prefix).await?),
        other => panic!("no operation {other}"),
    })
}

fn limit(limit_type: LimitType, unit: LimitUnit, threshold: u64) -> NewGroupLimit {
    NewGroupLimit { limit_type, unit, threshold }
}

fn new_model() -> NewGroupModel {
    NewGroupModel {
        slug: "org/model".to_owned(),
        rate_limits: vec![limit(LimitType::Token, LimitUnit::Minute, 1_500_000)],
        usage_limits: vec![limit(LimitType::Request, LimitUnit::Day, 0)],
    }
}

fn new_group() -> NewGroup {
    NewGroup {
        metadata: NewGroupMetadata { name: Some("Acme".to_owned()), external_entity_id: "cust 42".to_owned() },
        models: vec![new_model()],
        hierarchy: NewHierarchy { limit_enforcement: LimitEnforcement::Cascading, parent_group_id: None },
    }
}

fn rename(name: &str) -> GroupEdit {
    GroupEdit { name: Some(name.to_owned()), models: None }
}

fn new_workspace_key() -> NewWorkspaceApiKey {
    NewWorkspaceApiKey {
        key_type: WorkspaceKeyType::WorkspaceInvoke,
        name: Some("ci-runner".to_owned()),
        model_ids: Some(vec!["m1".to_owned()]),
    }
}

fn model_json() -> Value {
    json!({
        "slug": "org/model",
        "rate_limits": [{"type": "TOKEN", "unit": "MINUTE", "threshold": 1_500_000}],
        "usage_limits": [{"type": "REQUEST", "unit": "DAY", "threshold": 0}],
    })
}

fn group_json() -> Value {
    json!({
        "id": "abc123hash",
        "metadata": {"name": null, "external_entity_id": "cust 42"},
        "models": [model_json()],
        "effective_models": [{
            "slug": "org/model",
            "rate_limits": [{"type": "TOKEN", "unit": "FORTNIGHT", "threshold": 9, "source_group": "parent1"}],
            "usage_limits": [],
        }],
        "hierarchy": {"limit_enforcement": "CASCADING", "parent_group_id": "parent1"},
        "created_at": "2026-05-13T12:00:00Z",
    })
}

// Federated keys.

#[tokio::test]
async fn a_list_of_keys_sends_limit_and_cursor_and_says_where_it_goes_on() {
    let mut server = server().await;
    let answer = json!({
        "items": [{"prefix": "sky_A", "name": "ci-runner"}, {"prefix": "sky_B", "name": null}, {"prefix": "sky_C"}],
        "pagination": {"has_more": true, "cursor": "b3Bh+cXVl/g=="},
    });
    let path = "/v1/gateway/groups/g1%2Facme/api_keys?limit=1000&cursor=YQ%3D%3D%26";
    let mock = expect(&mut server, "GET", path, &answer).create();
    let request = PageRequest { limit: Some(1000), cursor: Some(Cursor::new("YQ==&")) };
    let page = client(&server.url()).list_api_keys(&group(), &request).await.unwrap();
    mock.assert();
    let keys: Vec<_> = page.items.iter().map(|key| (key.prefix.as_str(), key.name.clone())).collect();
    let name = Fact::Known("ci-runner".to_owned());
    assert_eq!(keys, [("sky_A", name), ("sky_B", Fact::Empty), ("sky_C", Fact::Missing)]);
    assert_eq!(page.next, Some(Cursor::new("b3Bh+cXVl/g==")));
    assert!(page.drift.is_empty());
}

#[tokio::test]
async fn a_list_ends_where_nothing_says_more_and_is_never_shorter_than_it_says() {
    let one = json!([{"prefix": "p1", "name": "good"}]);
    let none = json!([]);
    let table = [
        (&one, json!({"has_more": false}), Ok(None)),
        (&one, json!({"has_more": false, "cursor": null}), Ok(None)),
        (&one, json!({"has_more": false, "cursor": ""}), Ok(None)),
        (&one, json!({"cursor": "c"}), Ok(Some("c"))),
        // Two signs that contradict each other: the one that says more is followed, until a page brings nothing.
        (&one, json!({"has_more": false, "cursor": "c"}), Ok(Some("c"))),
        (&one, json!({"has_more": false, "cursor": "own"}), Ok(None)),
        (&none, json!({"has_more": false, "cursor": "c"}), Ok(None)),
        (&one, json!({"has_more": true}), Err("cursor")),
        (&one, json!({"has_more": true, "cursor": ""}), Err("cursor")),
        (&one, json!({"has_more": true, "cursor": 7}), Err("cursor")),
        (&one, json!({}), Err("has_more")),
        (&one, Value::Null, Err("has_more")),
        (&none, json!({"has_more": true}), Err("cursor")),
    ];
    for (items, pagination, expected) in table {
        let mut server = server().await;
        let answer = json!({"items": items, "pagination": pagination});
        let _mocks = always(&mut server, 200, &answer.to_string());
        let request = PageRequest { limit: None, cursor: Some(Cursor::new("own")) };
        let page = client(&server.url()).list_api_keys(&group(), &request).await.unwrap();
        assert_eq!(page.items.len(), items.as_array().unwrap().len(), "no row is lost: {pagination}");
        match expected {
            Ok(next) => {
                assert_eq!((page.next, page.cut_short.is_none()), (next.map(Cursor::new), true), "{pagination}");
            }
            Err(names) => {
                let error = page.cut_short.unwrap();
                assert_eq!((page.next, error.kind()), (None, ErrorKind::Decode), "{pagination}");
                assert!(error.to_string().contains(names), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_group_or_a_key_that_cannot_be_read_is_told_and_the_others_are_given() {
    let mut server = server().await;
    let items = json!([{"prefix": "p1", "name": "good"}, {"name": "odd"}, {"prefix": ""}, {"prefix": "p4"}]);
    let answer = json!({"items": items, "pagination": {"has_more": false}});
    let _mocks = always(&mut server, 200, &answer.to_string());
    let page = provider(&server.url()).list_page(&in_group(), None).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let told: Vec<String> = page.unreadable.iter().map(ToString::to_string).collect();
    assert!(
        told[0].contains("row 1 of `items` cannot be read: the member `prefix`, which is needed, is not there"),
        "{told:?}"
    );
    assert!(
        told[1].contains("row 2 of `items` cannot be read: the member `prefix`, which is needed, is empty"),
        "{told:?}"
    );
    let answer = json!({"items": [{"id": "g1"}, {"metadata": {}}, {"id": 7}], "pagination": {"has_more": false}});
    let mut server = self::server().await;
    let _mocks = always(&mut server, 200, &answer.to_string());
    let page = provider(&server.url()).scopes_page(None).await.unwrap();
    assert_eq!((page.items.len(), page.unreadable.len()), (1, 2));
}

#[tokio::test]
async fn create_sends_the_name_alone_and_gives_the_plaintext_once() {
    let path = "/v1/gateway/groups/g1%2Facme/api_keys";
    let named = NewApiKey { name: Some("ci-runner".to_owned()) };
    for (key, body, name) in
        [(named, json!({"name": "ci-runner"}), json!("ci-runner")), (NewApiKey::default(), json!({}), Value::Null)]
    {
        let mut server = server().await;
        let answer = json!({"api_key": MADE, "prefix": "sky_Qm4tZp0Lw8Rk", "name": name});
        let mock = expect_json(&mut server, "POST", path, &body, &answer).create();
        let (made, plaintext) = client(&server.url()).create_api_key(&group(), &key).await.unwrap();
        mock.assert();
        assert_eq!(plaintext.expose_secret(), MADE);
        assert_eq!((made.prefix.as_str(), made.name.known()), ("sky_Qm4tZp0Lw8Rk", key.name.as_ref()));
    }
}

#[tokio::test]
async fn a_made_key_without_a_prefix_is_not_lost_and_one_without_plaintext_is_of_unknown_outcome() {
    let mut server = server().await;
    let _mocks = always(&mut server, 200, &json!({"api_key": MADE}).to_string());
    let (made, plaintext) = client(&server.url()).create_api_key(&group(), &NewApiKey::default()).await.unwrap();
    assert_eq!((made.prefix.as_str(), plaintext.expose_secret()), ("sky_Qm4tZp0Lw8Rk", MADE));
    for answer in [json!({"prefix": "p"}), json!({"api_key": 5, "prefix": "p"}), json!({"api_key": "no-dot-canary"})] {
        let mut server = Server::new_async().await;
        let _mocks = always(&mut server, 200, &answer.to_string());
        let error = client(&server.url()).create_api_key(&group(), &NewApiKey::default()).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::OutcomeUnknown, "{answer}");
        assert!(
            error.to_string().contains("list the group's keys") && !error.to_string().contains("canary"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_bytes_that_are_signed_are_the_bytes_that_are_sent() {
    for name in [None, Some("brought \"along\"")] {
        let mut server = server().await;
        let mut body = json!({"key": OWN});
        if let Some(name) = name {
            body["name"] = json!(name);
        }
        let public: [u8; 32] = Base64::decode_vec(&signing_key().public_key()).unwrap().try_into().unwrap();
        assert_eq!(public[..4], [0xd7, 0x5a, 0x98, 0x01], "the public key of RFC 8032");
        let mock = server.mock("POST", "/v1/gateway/groups/g1%2Facme/api_keys/register");
        let mock = mock.match_header("authorization", "Api-Key workspace-credential");
        let mock = mock.match_header("content-type", "application/json").match_request(move |request| {
            let header = request.header("x-baseten-signature");
            let [signature] = header.as_slice() else { return false };
            let signature = Base64::decode_vec(signature.to_str().unwrap()).unwrap();
            let signature = Signature::from_slice(&signature).unwrap();
            let sent = request.body().unwrap();
            VerifyingKey::from_bytes(&public).unwrap().verify_strict(sent, &signature).is_ok()
                && serde_json::from_slice::<Value>(sent).unwrap() == body
        });
        let mock = mock.with_body(r#"{"ok":true}"#).expect(1).create();
        let prefix = client(&server.url()).register_api_key(&group(), &own(), name).await.unwrap();
        mock.assert();
        assert_eq!(prefix.as_str(), OWN_PREFIX);
    }
}

#[tokio::test]
async fn a_registration_that_is_not_confirmed_is_of_unknown_outcome() {
    for answer in [r#"{"ok":false}"#, r#"{"ok":null}"#, r#"{"ok":"true"}"#, "{}", ""] {
        let mut server = server().await;
        let _mocks = always(&mut server, 200, answer);
        let error = client(&server.url()).register_api_key(&group(), &own(), None).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::OutcomeUnknown, "{answer}");
        assert!(error.to_string().contains("first 16 characters"), "{error}");
    }
}

#[tokio::test]
async fn a_registration_tells_the_causes_of_a_400_apart_and_shows_no_text_of_the_answer() {
    type Check = fn(&Error) -> bool;
    let signature: Check = |error| matches!(error, Error::SignatureRefused(_));
    let no_public_key: Check = |error| matches!(error, Error::NoPublicKey(_));
    let key: Check = |error| matches!(error, Error::KeyRefused(_));
    let table = [
        (json!({"code": "VALIDATION_ERROR", "message": "Signature verification failed"}), signature),
        (json!({"error": "Signature verification failed."}), signature),
        (json!("Signature verification failed"), signature),
        (json!({"message": "Must configure a public key before registering API keys"}), no_public_key),
        (json!({"message": format!("the key {OWN} is taken"), "code": OWN}), key),
        (json!({"detail": OWN}), key),
        (Value::Null, key),
    ];
    for (body, is_expected) in table {
        let mut server = server().await;
        let _mocks = always(&mut server, 400, &body.to_string());
        let error = client(&server.url()).register_api_key(&group(), &own(), None).await.unwrap_err();
        assert!(is_expected(&error), "{body}: {error:?}");
        let unified = keymux_core::Error::from(error.clone());
        assert_eq!((unified.kind(), unified.attempts()), (ErrorKind::InvalidRequest, 1));
        assert!(unified.message().is_some(), "the unified error has words of its own");
        for text in [error.to_string(), format!("{error:?}"), unified.to_string(), format!("{unified:?}")] {
            assert!(!text.contains("canary") && !text.contains("verification failed"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_key_that_breaks_a_rule_is_refused_with_its_shape_and_nothing_is_sent() {
    let server = Forgetful::start().await;
    let table = [
        ("0123456789abcdef0123456789abcde".to_owned(), "31 characters"),
        ("0123456789abcdef".repeat(8) + "!", "129 characters"),
        ("abcdefg".repeat(6), "2.80 bits"),
    ];
    for (key, shape) in table {
        let error = client(server.url()).register_api_key(&group(), &key.clone().into(), None).await.unwrap_err();
        assert_eq!((error.details().kind(), error.details().attempts()), (ErrorKind::InvalidRequest, 0));
        let text = format!("{error} {error:?}");
        assert!(text.contains("`key`") && text.contains("Baseten") && text.contains(shape), "{text}");
        assert!(!text.contains(&key[..7]), "{text}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn without_a_signing_key_nothing_is_registered() {
    let server = Forgetful::start().await;
    let client = Config::new("c").with_base_url(server.url()).build().unwrap();
    let error = client.register_api_key(&group(), &own(), None).await.unwrap_err();
    assert_eq!(error.details().kind(), ErrorKind::Config);
    assert!(error.to_string().contains("with_signing_key"), "{error}");
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_signing_key_prints_nothing_and_what_is_none_is_refused_without_its_text() {
    let key = signing_key();
    let config = Config::new("c").with_signing_key(key.clone());
    assert_eq!(format!("{key:?}"), "SigningKey([redacted])");
    assert!(format!("{config:?} {:?}", config.clone().build().unwrap()).contains("[redacted]"));
    let padded = SecretString::from(format!("\n  {}  \n", pem().expose_secret()));
    assert_eq!(SigningKey::from_pkcs8_pem(&padded).unwrap().public_key(), key.public_key());
    let other_kind = pem().expose_secret().replace("PRIVATE KEY", "PUBLIC KEY");
    for text in [String::new(), "canary-no-pem".to_owned(), pem_of(0x6e).expose_secret().to_owned(), other_kind] {
        let error = SigningKey::from_pkcs8_pem(&text.clone().into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("PKCS#8") && !error.to_string().contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn revoke_deletes_by_prefix_and_takes_an_empty_answer_too() {
    for (answer, prefix_told) in [(r#"{"prefix":"sky_Qm4t Zp"}"#, true), ("{}", false), ("", false)] {
        let mut server = server().await;
        let mock = server.mock("DELETE", "/v1/gateway/groups/g1%2Facme/api_keys/sky_Qm4t%20Zp").match_body("");
        let mock = mock.match_header("authorization", "Api-Key workspace-credential").with_body(answer).expect(1);
        let mock = mock.create();
        let revoked = client(&server.url()).revoke_api_key(&group(), &prefix()).await.unwrap().unwrap();
        mock.assert();
        assert_eq!(revoked.prefix.known().is_some(), prefix_told);
    }
}

// Groups.

#[tokio::test]
async fn a_group_is_told_with_its_limits_and_where_they_come_from() {
    let mut server = server().await;
    let mock = expect(&mut server, "GET", "/v1/gateway/groups/g1%2Facme", &group_json()).create();
    let group = client(&server.url()).get_group(&group()).await.unwrap();
    mock.assert();
    let metadata = group.metadata.known().unwrap();
    assert_eq!((&metadata.name, metadata.external_entity_id.known().unwrap().as_str()), (&Fact::Empty, "cust 42"));
    let own = &group.models.known().unwrap()[0];
    let rate = &own.rate_limits.known().unwrap()[0];
    assert_eq!(own.slug, Fact::Known("org/model".to_owned()));
    assert_eq!((&rate.limit_type, &rate.unit), (&Fact::Known(LimitType::Token), &Fact::Known(LimitUnit::Minute)));
    assert_eq!((&rate.threshold, &rate.source_group), (&Fact::Known(1_500_000), &Fact::Missing));
    let effective = &group.effective_models.known().unwrap()[0].rate_limits.known().unwrap()[0];
    assert_eq!(effective.unit, Fact::Known(LimitUnit::Other("FORTNIGHT".to_owned())));
    assert_eq!(effective.source_group, Fact::Known(GroupId::new("parent1").unwrap()));
    let hierarchy = group.hierarchy.known().unwrap();
    assert_eq!(hierarchy.limit_enforcement, Fact::Known(LimitEnforcement::Cascading));
    assert_eq!(hierarchy.parent_group_id, Fact::Known(GroupId::new("parent1").unwrap()));
    assert!(group.created_at.known().is_some());
}

#[tokio::test]
async fn a_minimal_group_has_an_id_alone() {
    let mut server = server().await;
    let _mocks = always(&mut server, 200, r#"{"id":"g"}"#);
    let found = client(&server.url()).get_group(&group()).await.unwrap();
    assert_eq!(found.id.as_str(), "g");
    assert!(found.metadata.is_missing() && found.models.is_missing() && found.effective_models.is_missing());
}

#[tokio::test]
async fn groups_are_listed_by_page_and_by_their_owners_id() {
    let mut server = server().await;
    let answer = json!({"items": [group_json()], "pagination": {"has_more": false, "cursor": null}});
    let path = "/v1/gateway/groups?external_entity_id=cust+42&limit=1&cursor=a%3D";
    let mock = expect(&mut server, "GET", path, &answer).create();
    let filter = GroupFilter {
        external_entity_id: Some("cust 42".to_owned()),
        page: PageRequest { limit: Some(1), cursor: Some(Cursor::new("a=")) },
    };
    let page = client(&server.url()).list_groups(&filter).await.unwrap();
    mock.assert();
    assert_eq!((page.items[0].id.as_str(), page.next), ("abc123hash", None));
}

#[tokio::test]
async fn a_new_group_sends_all_three_parts() {
    let mut server = server().await;
    let body = json!({
        "metadata": {"name": "Acme", "external_entity_id": "cust 42"},
        "models": [model_json()],
        "hierarchy": {"limit_enforcement": "CASCADING", "parent_group_id": null},
    });
    let mock =
        expect(&mut server, "POST", "/v1/gateway/groups", &group_json()).match_body(Matcher::Json(body)).create();
    assert_eq!(client(&server.url()).create_group(&new_group()).await.unwrap().id.as_str(), "abc123hash");
    mock.assert();
    let mut child = new_group();
    child.metadata.name = None;
    child.hierarchy.parent_group_id = Some(group());
    let body = json!({
        "metadata": {"external_entity_id": "cust 42"},
        "models": [model_json()],
        "hierarchy": {"limit_enforcement": "CASCADING", "parent_group_id": "g1/acme"},
    });
    let mock =
        expect(&mut server, "POST", "/v1/gateway/groups", &group_json()).match_body(Matcher::Json(body)).create();
    client(&server.url()).create_group(&child).await.unwrap();
    mock.assert();
}

#[tokio::test]
async fn a_change_of_a_group_sends_what_is_named_and_an_empty_list_clears() {
    let models = |models: Vec<NewGroupModel>| GroupEdit { name: None, models: Some(models) };
    let table = [
        (rename("New"), json!({"metadata": {"name": "New"}})),
        (models(vec![]), json!({"models": []})),
        (models(vec![new_model()]), json!({"models": [model_json()]})),
    ];
    for (edit, body) in table {
        let mut server = server().await;
        let mock = expect(&mut server, "PATCH", "/v1/gateway/groups/g1%2Facme", &group_json());
        let mock = mock.match_header("content-type", "application/json").match_body(Matcher::Json(body)).create();
        client(&server.url()).update_group(&group(), &edit).await.unwrap();
        mock.assert();
    }
}

#[tokio::test]
async fn a_group_is_deleted_and_its_usage_told() {
    let mut server = server().await;
    let deleted = json!({"id": "g1/acme", "metadata": {"name": "n", "external_entity_id": "e"},
        "deleted_at": "2026-05-13T12:00:00Z"});
    let mock = expect(&mut server, "DELETE", "/v1/gateway/groups/g1%2Facme", &deleted).create();
    let deleted = client(&server.url()).delete_group(&group()).await.unwrap().unwrap();
    mock.assert();
    assert!(deleted.id == group() && deleted.deleted_at.known().is_some());

    let usage = json!({"customer_id": "cust 42", "usage": {"org/model": [
        {"type": "TOKEN", "unit": "DAY", "threshold": 10, "current_usage": 3, "reset_at": "2026-05-14T00:00:00Z"},
        {"type": "REQUEST", "unit": "DAY", "threshold": 1, "current_usage": null, "reset_at": null},
    ]}});
    let mock = expect(&mut server, "GET", "/v1/gateway/groups/g1%2Facme/usage", &usage).create();
    let usage = client(&server.url()).get_group_usage(&group()).await.unwrap();
    mock.assert();
    let windows = &usage.usage.known().unwrap()["org/model"];
    assert_eq!((&windows[0].current_usage, &windows[1].current_usage), (&Fact::Known(3), &Fact::Empty));
    assert_eq!(windows[1].limit_type, Fact::Known(LimitType::Request));
}

#[tokio::test]
async fn what_breaks_a_rule_of_groups_is_refused_by_name_and_nothing_is_sent() {
    let server = Forgetful::start().await;
    let client = client(server.url());
    let with = |change: fn(&mut NewGroup)| {
        let mut group = new_group();
        change(&mut group);
        group
    };
    let creates = [
        (with(|group| group.models.clear()), "`models`"),
        (with(|group| group.models[0].slug.clear()), "`models.0.slug`"),
        (with(|group| group.models[0].rate_limits[0].unit = LimitUnit::Day), "`models.0.rate_limits`"),
        (with(|group| group.models[0].usage_limits[0].unit = LimitUnit::Minute), "`models.0.usage_limits`"),
        (
            with(|group| group.models[0].rate_limits.push(limit(LimitType::Token, LimitUnit::Second, 1))),
            "`models.0.rate_limits`",
        ),
        (
            with(|group| group.models[0].usage_limits.push(limit(LimitType::Request, LimitUnit::Day, 1))),
            "`models.0.usage_limits`",
        ),
        (with(|group| group.metadata.external_entity_id.clear()), "`external_entity_id`"),
        (with(|group| group.metadata.external_entity_id = "é".repeat(256)), "`external_entity_id`"),
        (with(|group| group.metadata.name = Some("é".repeat(256))), "`metadata.name`"),
    ];
    let mut refusals = Vec::new();
    for (group, names) in creates {
        refusals.push((client.create_group(&group).await.unwrap_err(), names));
    }
    let models = Some(vec![new_model(), NewGroupModel::default()]);
    for (edit, names) in [
        (GroupEdit::default(), "`models`"),
        (rename(&"x".repeat(256)), "`metadata.name`"),
        (GroupEdit { name: None, models }, "`models.1.slug`"),
    ] {
        refusals.push((client.update_group(&group(), &edit).await.unwrap_err(), names));
    }
    for limit in [0, 1001] {
        let page = PageRequest { limit: Some(limit), cursor: None };
        refusals.push((client.list_api_keys(&group(), &page).await.unwrap_err(), "`limit`"));
        let filter = GroupFilter { page, ..GroupFilter::default() };
        refusals.push((client.list_groups(&filter).await.unwrap_err(), "`limit`"));
    }
    let filter = GroupFilter { external_entity_id: Some(String::new()), ..GroupFilter::default() };
    refusals.push((client.list_groups(&filter).await.unwrap_err(), "`external_entity_id`"));
    for (error, names) in refusals {
        assert_eq!((error.details().kind(), error.details().attempts()), (ErrorKind::InvalidRequest, 0));
        assert!(error.to_string().contains(names) && error.to_string().contains("baseten"), "{names}: {error}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_longest_allowed_values_are_sent() {
    let mut server = server().await;
    let _mocks = always(&mut server, 200, &universal());
    let client = client(&server.url());
    let mut group = new_group();
    group.metadata.name = Some("é".repeat(255));
    group.metadata.external_entity_id = "é".repeat(255);
    group.models[0].rate_limits.push(limit(LimitType::Request, LimitUnit::Second, 1));
    group.models[0].usage_limits.push(limit(LimitType::Other("BYTE".to_owned()), LimitUnit::Day, 1));
    client.create_group(&group).await.unwrap();
    client.update_group(&self::group(), &rename(&"é".repeat(255))).await.unwrap();
}

#[tokio::test]
async fn a_group_above_its_parent_is_an_error_of_its_own() {
    let mut server = server().await;
    let _mocks = always(&mut server, 400, r#"{"message":"Child group exceeds parent group limit."}"#);
    for operation in ["create_group", "update_group"] {
        let error = call(&client(&server.url()), operation).await.unwrap_err();
        assert!(matches!(error, Error::AboveParent(_)), "{error:?}");
        assert!(error.to_string().contains("Child group exceeds parent group limit."));
    }
}

// Workspace keys.

#[tokio::test]
async fn workspace_keys_are_listed_all_at_once() {
    let mut server = server().await;
    let answer = json!({"keys": [
        {"prefix": "aB", "type": "WORKSPACE_INVOKE", "name": "ci", "model_ids": ["m1"],
         "team_name": "t", "owner": null},
        {"prefix": "cD", "type": "PERSONAL", "name": null, "model_ids": null, "team_name": null,
         "owner": {"user_id": "u1", "email": null, "name": "Ada"}},
        {"prefix": "eF", "type": "WORKSPACE_NEW"},
    ]});
    let mock = expect(&mut server, "GET", "/v1/api_keys", &answer).create();
    let keys = client(&server.url()).list_workspace_api_keys(&WorkspaceApiKeyFilter::default()).await.unwrap();
    mock.assert();
    assert_eq!(keys[0].key_type, Fact::Known(WorkspaceKeyType::WorkspaceInvoke));
    assert_eq!((&keys[0].model_ids, &keys[0].owner), (&Fact::Known(vec!["m1".to_owned()]), &Fact::Empty));
    assert_eq!(keys[1].owner.known().unwrap().user_id, Fact::Known("u1".to_owned()));
    assert_eq!(keys[2].key_type, Fact::Known(WorkspaceKeyType::Other("WORKSPACE_NEW".to_owned())));

    let mock = expect(&mut server, "GET", "/v1/api_keys?type=PERSONAL&created_by_me=true", &json!({"keys": []}));
    let mock = mock.create();
    let filter = WorkspaceApiKeyFilter { key_type: Some("PERSONAL".to_owned()), created_by_me: Some(true) };
    assert!(client(&server.url()).list_workspace_api_keys(&filter).await.unwrap().is_empty());
    mock.assert();
}

#[tokio::test]
async fn a_bare_workspace_key_is_read_and_a_body_that_is_neither_is_an_error() {
    let table = [
        (r#"{"prefix":"aB","type":"PERSONAL"}"#, Some(1)),
        ("{}", None),
        ("[]", None),
        (r#"{"keys":[{"name":"no prefix"}]}"#, None),
    ];
    for (body, count) in table {
        let mut server = server().await;
        let _mocks = always(&mut server, 200, body);
        let result = client(&server.url()).list_workspace_api_keys(&WorkspaceApiKeyFilter::default()).await;
        match count {
            Some(count) => assert_eq!(result.unwrap().len(), count),
            None => assert!(result.unwrap_err().to_string().contains("list"), "{body}"),
        }
    }
}

#[tokio::test]
async fn a_workspace_key_is_made_for_the_workspace_or_a_team_and_its_prefix_is_cut_at_the_first_dot() {
    let mut server = server().await;
    let body = json!({"type": "WORKSPACE_INVOKE", "name": "ci-runner", "model_ids": ["m1"]});
    let made = |key: &str| json!({"api_key": key});
    let mock = expect(&mut server, "POST", "/v1/api_keys", &made("aBcDeFg.canary.x"));
    let mock = mock.match_header("content-type", "application/json").match_body(Matcher::Json(body.clone())).create();
    let client = client(&server.url());
    let issued = client.create_workspace_api_key(&new_workspace_key()).await.unwrap();
    mock.assert();
    assert_eq!(issued.prefix.as_ref().map(KeyPrefix::as_str), Some("aBcDeFg"));
    assert_eq!(issued.api_key.expose_secret(), "aBcDeFg.canary.x");
    assert!(!format!("{issued:?}").contains("canary"));

    let mock = expect(&mut server, "POST", "/v1/teams/t%2F1/api_keys", &made("canary-without-a-dot"));
    let mock = mock.match_body(Matcher::Json(body)).create();
    let issued = client.create_team_api_key(&TeamId::new("t/1").unwrap(), &new_workspace_key()).await.unwrap();
    mock.assert();
    assert_eq!(issued.prefix, None);

    let key = NewWorkspaceApiKey { key_type: WorkspaceKeyType::Personal, name: None, model_ids: None };
    let mock = expect_json(&mut server, "POST", "/v1/api_keys", &json!({"type": "PERSONAL"}), &made("a.b")).create();
    let issued = client.create_workspace_api_key(&key).await.unwrap();
    assert_eq!(issued.api_key.expose_secret(), "a.b");
    mock.assert();
}

#[tokio::test]
async fn what_breaks_a_rule_of_workspace_keys_is_refused_and_nothing_is_sent() {
    use WorkspaceKeyType::{Personal, WorkspaceExportMetrics, WorkspaceManageAll, WorkspaceManageApiKeys};
    let server = Forgetful::start().await;
    let client = client(server.url());
    let key = |key_type, models: bool| NewWorkspaceApiKey {
        key_type,
        name: None,
        model_ids: models.then(|| vec!["m1".to_owned()]),
    };
    let team = TeamId::new("t1").unwrap();
    for key_type in [Personal, WorkspaceManageAll, WorkspaceManageApiKeys] {
        let error = client.create_workspace_api_key(&key(key_type, true)).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("`model_ids`"), "{error}");
    }
    for key_type in [Personal, WorkspaceManageApiKeys] {
        let error = client.create_team_api_key(&team, &key(key_type, false)).await.unwrap_err();
        assert_eq!(error.details().kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("`type`"), "{error}");
    }
    assert_eq!(server.requests(), 0);
    let error = client.create_workspace_api_key(&key(WorkspaceExportMetrics, true)).await.unwrap_err();
    assert_eq!((error.details().kind(), server.requests()), (ErrorKind::OutcomeUnknown, 1));
}

#[tokio::test]
async fn a_workspace_key_is_deleted_by_its_prefix() {
    let mut server = server().await;
    let mock = expect(&mut server, "DELETE", "/v1/api_keys/sky_Qm4t%20Zp", &json!({"prefix": "sky_Qm4t Zp"})).create();
    let deleted = client(&server.url()).delete_workspace_api_key(&prefix()).await.unwrap().unwrap();
    mock.assert();
    assert_eq!(deleted.prefix, Fact::Known("sky_Qm4t Zp".to_owned()));
}

// All operations.

#[tokio::test]
async fn each_documented_status_is_a_variant_in_every_operation() {
    type Check = fn(&Error) -> bool;
    let table: [(usize, ErrorKind, Check); 4] = [
        (400, ErrorKind::InvalidRequest, |error| matches!(error, Error::BadRequest(_) | Error::KeyRefused(_))),
        (401, ErrorKind::Unauthenticated, |error| matches!(error, Error::Unauthenticated(_))),
        (403, ErrorKind::PermissionDenied, |error| matches!(error, Error::Forbidden(_))),
        (404, ErrorKind::NotFound, |error| matches!(error, Error::NotFound(_))),
    ];
    for (status, kind, is_expected) in table {
        let mut server = server().await;
        let _mocks = always(&mut server, status, r#"{"code":"SOME_CODE","message":"some canary words"}"#);
        let client = client(&server.url());
        for operation in OPERATIONS {
            let error = call(&client, operation).await.unwrap_err();
            let details = error.details();
            assert!(is_expected(&error), "{operation}: {error:?}");
            assert_eq!(matches!(error, Error::KeyRefused(_)), status == 400 && operation == "register_api_key");
            assert_eq!((details.kind(), details.attempts()), (kind, 1), "{operation}");
            assert_eq!((details.operation(), details.code()), (Some(operation), Some("SOME_CODE")));
            let shown = error.to_string().contains("canary");
            // A registration holds the plaintext.
            assert_eq!(shown, operation != "register_api_key", "{operation}: {error}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_repeated_only_where_a_repeat_changes_nothing() {
    for operation in OPERATIONS {
        let server = Forgetful::start().await;
        let error = call(&client(server.url()), operation).await.unwrap_err();
        let details = error.details();
        let once = MAKING_KEYS.contains(&operation) || operation == "create_group";
        assert_eq!(server.requests(), if once { 1 } else { 4 }, "{operation}");
        assert_eq!(details.is_retryable(), !once, "{operation}");
        if MAKING_KEYS.contains(&operation) {
            assert_eq!(details.kind(), ErrorKind::OutcomeUnknown, "{operation}");
            assert!(error.to_string().contains("keys and look for"), "{error}");
        } else {
            assert_eq!(details.kind(), ErrorKind::Transport, "{operation}");
            assert!(details.may_have_executed());
        }
    }
}

#[tokio::test]
async fn a_429_is_waited_out_in_every_operation() {
    for operation in OPERATIONS {
        let mut server = server().await;
        let mut mocks = Vec::new();
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let mock = server.mock(method, Matcher::Any).with_status(429);
            mocks.push(mock.with_body(r#"{"error":"slow","retry_after":0}"#).expect(1).create());
        }
        mocks.extend(always(&mut server, 200, &universal()));
        let printed = call(&client(&server.url()), operation).await.unwrap();
        assert!(!printed.contains("canary"), "{operation}: {printed}");
        assert_eq!(mocks.iter().take(4).filter(|mock| mock.matched()).count(), 1, "{operation}");
    }
}

#[tokio::test]
async fn a_delay_in_the_body_that_is_too_long_is_told_and_not_waited() {
    let mut server = server().await;
    let _mocks = always(&mut server, 429, r#"{"error":"rate limited","retry_after":86400}"#);
    let error = call(&client(&server.url()), "create_api_key").await.unwrap_err();
    assert!(matches!(error, Error::RateLimited(_)));
    assert_eq!((error.details().retry_after().unwrap().as_secs(), error.details().attempts()), (86400, 1));
}

#[tokio::test]
async fn a_404_to_the_repeat_of_a_delete_is_success() {
    for operation in ["revoke_api_key", "delete_group", "delete_workspace_api_key"] {
        let mut server = server().await;
        let lost = server.mock("DELETE", Matcher::Any).with_status(503).expect(1).create();
        let gone = server.mock("DELETE", Matcher::Any).with_status(404).expect(1).create();
        assert_eq!(call(&client(&server.url()), operation).await.unwrap(), "None", "{operation}");
        lost.assert();
        gone.assert();
    }
}

// The unified way in.

fn provider(url: &str) -> Arc<dyn ApiKeyProvider> {
    Arc::new(client(url))
}

fn in_group() -> Scope {
    Scope::new(["g1/acme"]).unwrap()
}

#[tokio::test]
async fn the_stream_of_a_groups_keys_follows_the_cursor_to_the_end() {
    let mut server = server().await;
    let path = "/v1/gateway/groups/g1%2Facme/api_keys?limit=1000";
    let first = json!({"items": [{"prefix": "a", "name": "n"}], "pagination": {"has_more": true, "cursor": "c="}});
    let last = json!({"items": [{"prefix": "p/q", "name": null}], "pagination": {"has_more": false}});
    let first = expect(&mut server, "GET", path, &first).create();
    let last = expect(&mut server, "GET", &format!("{path}&cursor=c%3D"), &last).create();
    let mut stream = KeyStream::new(provider(&server.url()), in_group(), None);
    let mut records = Vec::new();
    while let Some(record) = stream.next().await {
        records.push(record.unwrap());
    }
    first.assert();
    last.assert();
    let addresses: Vec<_> = records.iter().map(|record| record.address.to_string()).collect();
    assert_eq!(addresses, ["g1%2Facme/a", "g1%2Facme/p%2Fq"]);
    // A row is the record that a look-up gives, but for how its status is known.
    let body = json!({"prefix": "p/q", "name": null});
    expect(&mut server, "GET", "/v1/gateway/groups/g1%2Facme/api_keys/p%2Fq", &body).create();
    let mut looked_up = provider(&server.url()).get(&records[1].address).await.unwrap();
    assert_eq!(looked_up.status.state, records[1].status.state);
    assert_ne!(looked_up.status.basis, records[1].status.basis);
    looked_up.status = records[1].status.clone();
    assert_eq!(looked_up, records[1]);
}

#[tokio::test]
async fn scopes_are_groups_by_their_name_or_their_owners_id() {
    let mut server = server().await;
    let named = json!({"id": "g2", "metadata": {"name": "Acme", "external_entity_id": "e2"}});
    let answer = json!({"items": [group_json(), named, {"id": "g3"}], "pagination": {"has_more": true, "cursor": "n"}});
    expect(&mut server, "GET", "/v1/gateway/groups?limit=1000&cursor=m", &answer).create();
    let page = provider(&server.url()).scopes_page(Some(&Cursor::new("m"))).await.unwrap();
    let scopes: Vec<_> = page.items.iter().map(|info| (info.scope.to_string(), info.name.as_deref())).collect();
    let expected = [("abc123hash", Some("cust 42")), ("g2", Some("Acme")), ("g3", None)];
    assert_eq!(scopes, expected.map(|(scope, name)| (scope.to_owned(), name)));
    assert_eq!(page.next, Some(Cursor::new("n")));
}

#[tokio::test]
async fn an_issued_key_holds_its_plaintext_once() {
    let mut server = server().await;
    let answer = json!({"api_key": MADE, "prefix": "sky_Qm4tZp0Lw8Rk", "name": "n"});
    let _mocks = always(&mut server, 200, &answer.to_string());
    let config = Config::new("c").with_base_url(server.url()).with_options(options().with_raw(true));
    let issued = config.build().unwrap().create(&NewKey::new(in_group()).with_name("n")).await.unwrap();
    assert_eq!(issued.plaintext.expose_secret(), MADE);
    assert_eq!(*issued.address().unwrap(), KeyAddress::new(["g1/acme", "sky_Qm4tZp0Lw8Rk"]).unwrap());
    assert_eq!((recorded(&issued).status.state, recorded(&issued).drift.len()), (KeyState::Active, 0));
    let native = recorded(&issued).native::<keymux_baseten::ApiKey>().unwrap();
    let json = serde_json::to_string(recorded(&issued)).unwrap();
    for text in [format!("{issued:?}"), format!("{native:?}"), json] {
        assert!(text.contains("sky_Qm4tZp0Lw8Rk") && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn an_issued_key_without_a_prefix_in_the_answer_has_a_note() {
    let mut server = server().await;
    let _mocks = always(&mut server, 200, &json!({"api_key": MADE, "name": null}).to_string());
    let issued = provider(&server.url()).create(&NewKey::new(in_group())).await.unwrap();
    let notes: Vec<_> = recorded(&issued).drift.iter().map(|note| (note.path.as_str(), &note.kind)).collect();
    assert_eq!(notes, [("prefix", &DriftKind::RequiredMissing)]);
}

#[tokio::test]
async fn a_registered_key_is_addressed_by_its_first_16_characters_and_tells_no_name() {
    let mut server = server().await;
    let _mocks = always(&mut server, 200, r#"{"ok":true}"#);
    let key = NewKey::new(in_group()).with_name("n");
    let record = provider(&server.url()).register(&key, &own()).await.unwrap();
    assert_eq!(record.address, KeyAddress::new(["g1/acme", OWN_PREFIX]).unwrap());
    assert_eq!((&record.name, record.status.state), (&Fact::Missing, KeyState::Active));
    assert!(!format!("{record:?}").contains("canary"));
}

#[tokio::test]
async fn revoke_tells_a_revoked_key_from_one_that_a_lost_attempt_revoked() {
    let address = KeyAddress::new(["g1/acme", "p"]).unwrap();
    let mut server = server().await;
    let once = expect(&mut server, "DELETE", "/v1/gateway/groups/g1%2Facme/api_keys/p", &json!({"prefix": "p"}));
    let once = once.create();
    assert!(!provider(&server.url()).revoke(&address).await.unwrap().after_lost_answer);
    once.assert();
    let mut server = Server::new_async().await;
    server.mock("DELETE", Matcher::Any).with_status(503).expect(1).create();
    let gone = server.mock("DELETE", Matcher::Any).with_status(404).expect_at_least(1).create();
    assert!(provider(&server.url()).revoke(&address).await.unwrap().after_lost_answer);
    gone.assert();
    let error = provider(&server.url()).revoke(&address).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound, "a first try");
}

#[tokio::test]
async fn what_baseten_does_not_take_or_have_is_refused_by_name_and_nothing_is_sent() {
    let server = Forgetful::start().await;
    let provider = provider(server.url());
    let address = KeyAddress::new(["g", "p"]).unwrap();
    let new = || NewKey::new(in_group());
    let permission = Permission { name: "p".to_owned(), actions: None };
    let table = [
        (NewKey::new(Scope::account()), ErrorKind::InvalidRequest, "`scope`"),
        (new().with_expires_at(jiff::Timestamp::UNIX_EPOCH), ErrorKind::Unsupported, "`expires_at`"),
        (new().with_permissions([permission]), ErrorKind::Unsupported, "`permissions`"),
        (new().with_ip_allowlist(["::1"]), ErrorKind::Unsupported, "`ip_allowlist`"),
        (new().with_max_uses(1), ErrorKind::Unsupported, "`max_uses`"),
        (new().with_metadata(serde_json::Map::new()), ErrorKind::Unsupported, "`metadata`"),
        (new().with_customer("c"), ErrorKind::Unsupported, "`customer`"),
        (new().with_prefix("p"), ErrorKind::Unsupported, "`prefix`"),
        (new().with_enabled(true), ErrorKind::Unsupported, "`enabled`"),
    ];
    for (key, kind, names) in table {
        for error in [provider.create(&key).await.unwrap_err(), provider.register(&key, &own()).await.unwrap_err()] {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(names), "{error}");
        }
    }
    let patch = KeyPatch::new().with_enabled(false);
    let verify = provider.verify(&own(), &VerifyRequest::new(Scope::account())).await;
    let unsupported = [
        (provider.update(&address, &patch).await.unwrap_err(), "make a new one"),
        (provider.rotate(&address).await.unwrap_err(), "then revoke this one"),
        (verify.unwrap_err(), "call the gateway"),
    ];
    for (error, alternative) in unsupported {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(alternative), "{error}");
    }
    for error in [
        provider.list_page(&Scope::account(), None).await.unwrap_err(),
        provider.list_page(&Scope::new(["a", "b"]).unwrap(), None).await.unwrap_err(),
        provider.revoke(&KeyAddress::new(["only"]).unwrap()).await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn the_capabilities_say_what_is_native_and_what_to_do_instead() {
    use Operation::{Create, Get, ListPage, Register, Revoke, Rotate, ScopesPage, Update, Verify};
    let capabilities = keymux_baseten::provider_info().capabilities();
    for operation in [Get, ListPage, ScopesPage, Create, Register, Revoke] {
        assert!(capabilities.is_native(operation), "{operation}");
    }
    assert!(matches!(capabilities.support(Rotate), Support::Emulated { .. }));
    for operation in [Update, Verify] {
        assert!(matches!(capabilities.support(operation), Support::Unsupported { .. }), "{operation}");
    }
}
