//! Baseten: `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}`.

use keymux_baseten::{ApiKey, Client, Config, Error, GroupId, KeyPrefix};
use keymux_core::{
    ApiKeyProvider, Basis, ClientOptions, Error as CoreError, ErrorKind, Fact, Field, KeyRecord, KeyState,
};

use crate::support::{
    ACCEPT, CREDENTIAL, Reply, Told, USER_AGENT, Vendor, assert_states, html, json, known, once, quickly, text, told,
};
use crate::vendors::address;

/// The documentation's example.
const EXAMPLE: &str = r#"{
    "prefix": "aBcDeFg",
    "name": "prod-key-1"
  }"#;

fn client(vendor: &Vendor, options: ClientOptions) -> Client {
    Config::new(CREDENTIAL).with_base_url(vendor.url()).with_options(options).build().unwrap()
}

/// The key `aBcDeFg` of the group `abc123hash`, both ways in.
async fn look_up(client: &Client) -> (Result<ApiKey, Error>, Result<KeyRecord, CoreError>) {
    let (group, prefix) = (GroupId::new("abc123hash").unwrap(), KeyPrefix::new("aBcDeFg").unwrap());
    (client.get_api_key(&group, &prefix).await, client.get(&address(&["abc123hash", "aBcDeFg"])).await)
}

async fn found(body: &str) -> (ApiKey, KeyRecord) {
    let vendor = Vendor::answering([json(200, body)]).await;
    let (key, record) = look_up(&client(&vendor, once())).await;
    (key.unwrap(), record.unwrap())
}

async fn assert_refused(reply: Reply, options: ClientOptions, expected: Told) {
    let vendor = Vendor::answering([reply.clone()]).await;
    let (typed, unified) = look_up(&client(&vendor, options)).await;
    let typed = typed.unwrap_err();
    assert_eq!(Told::by(&typed, typed.details()), expected, "{reply:?}");
    assert_eq!(Told::by_unified::<Error>(&unified.unwrap_err(), "baseten"), expected, "{reply:?}");
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let vendor = Vendor::answering([json(200, EXAMPLE)]).await;
    let (typed, unified) = look_up(&client(&vendor, once())).await;
    assert!(typed.is_ok() && unified.is_ok());
    let request = [
        "GET /v1/gateway/groups/abc123hash/api_keys/aBcDeFg",
        ACCEPT,
        "authorization: Api-Key workspace-credential",
        USER_AGENT,
    ];
    assert_eq!(vendor.asked(), [request.join("\n"), request.join("\n")]);
}

#[tokio::test]
async fn the_prefix_of_a_registered_key_may_hold_any_character_and_is_one_segment() {
    for (group, prefix, path) in [
        ("abc123hash", "sky_Qm4tZp0Lw8Rk", "abc123hash/api_keys/sky_Qm4tZp0Lw8Rk"),
        ("abc123hash", "16 chars/of.a?ke", "abc123hash/api_keys/16%20chars%2Fof.a%3Fke"),
        ("a/b", "100%#25&x=y+z~-_", "a%2Fb/api_keys/100%25%2325%26x%3Dy%2Bz~-_"),
        ("gr\u{fc}n", "%41", "gr%C3%BCn/api_keys/%2541"),
    ] {
        let vendor = Vendor::answering([json(200, EXAMPLE)]).await;
        client(&vendor, once()).get(&address(&[group, prefix])).await.unwrap();
        assert_eq!(vendor.lines(), [format!("GET /v1/gateway/groups/{path}")]);
    }
}

#[tokio::test]
async fn an_id_that_is_no_segment_is_refused_by_name_before_anything_is_sent() {
    for bad in ["", ".", ".."] {
        let (group, prefix) = (GroupId::new(bad).unwrap_err(), KeyPrefix::new(bad).unwrap_err());
        assert_eq!((group.kind(), prefix.kind()), (ErrorKind::InvalidRequest, ErrorKind::InvalidRequest));
        assert!(group.to_string().contains("group_id") && prefix.to_string().contains("api_key_prefix"));
    }
}

#[tokio::test]
async fn the_documented_example_becomes_a_record() {
    let (key, record) = found(EXAMPLE).await;
    assert_eq!((key.prefix.as_str(), &key.name), ("aBcDeFg", &known("prod-key-1")));
    assert_eq!(record.native::<ApiKey>(), Some(&key));

    assert_states(&record, &[Field::Name, Field::Display, Field::OwnerGroup], &[], &[]);
    assert_eq!(record.account.as_str(), "baseten");
    assert_eq!(record.provider.as_str(), "baseten");
    assert_eq!(record.key_ref().to_string(), "baseten:abc123hash/aBcDeFg");
    assert_eq!(record.kind.as_str(), "federated");
    assert_eq!(record.name, known("prod-key-1"));
    assert_eq!(record.display, known("aBcDeFg"));
    assert_eq!(record.owner.group, known("abc123hash"));
    assert_eq!(record.drift, []);
    assert_eq!(record.raw, None);
}

#[tokio::test]
async fn a_key_that_is_found_is_active_because_a_revoked_one_is_not_found() {
    let (_, record) = found(EXAMPLE).await;
    assert_eq!(record.status.state, KeyState::Active);
    let Basis::Derived { from, rule } = &record.status.basis else { panic!("{:?}", record.status) };
    assert_eq!(*from, ["prefix"]);
    assert!(rule.contains("revoked"), "{rule}");
}

#[tokio::test]
async fn a_key_without_a_name_says_so_or_says_nothing() {
    let (display_and_group, name) = ([Field::Display, Field::OwnerGroup], [Field::Name]);
    let (key, record) = found(r#"{"prefix":"aBcDeFg","name":null}"#).await;
    assert_eq!(key.name, Fact::Empty);
    assert_eq!(record.drift, []);
    assert_states(&record, &display_and_group, &name, &[]);

    let (key, record) = found(r#"{"prefix":"aBcDeFg"}"#).await;
    assert_eq!(key.name, Fact::Missing);
    assert_eq!(record.drift, []);
    assert_states(&record, &display_and_group, &[], &name);
}

#[tokio::test]
async fn the_raw_answer_is_kept_where_it_is_asked_for() {
    let vendor = Vendor::answering([json(200, EXAMPLE)]).await;
    let (_, record) = look_up(&client(&vendor, once().with_raw(true))).await;
    let record = record.unwrap();
    assert_eq!(record.raw, Some(serde_json::json!({"prefix": "aBcDeFg", "name": "prod-key-1"})));
    assert_states(&record, &[Field::Name, Field::Display, Field::OwnerGroup], &[], &[]);
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    use ErrorKind::{InvalidRequest, NotFound, PermissionDenied, RateLimited, Server, Unauthenticated};
    let table = [
        // The two documented ones, with the body that Baseten's management API has, with another, and with none.
        (
            json(404, r#"{ "code": "NOT_FOUND", "message": "no such key" }"#),
            told("NotFound", NotFound, 404).code("NOT_FOUND").message("no such key"),
        ),
        (text(404, ""), told("NotFound", NotFound, 404)),
        (
            json(403, r#"{ "code": "FORBIDDEN", "message": "not your workspace" }"#),
            told("Forbidden", PermissionDenied, 403).code("FORBIDDEN").message("not your workspace"),
        ),
        (
            text(403, "management scope needed"),
            told("Forbidden", PermissionDenied, 403).message("management scope needed"),
        ),
        // The one of the rate limits' page.
        (
            json(429, r#"{ "error": "rate limited", "retry_after": 12 }"#),
            told("RateLimited", RateLimited, 429).message("rate limited").retry_after_ms(12_000),
        ),
        (json(429, r#"{ "error": "rate limited" }"#), told("RateLimited", RateLimited, 429).message("rate limited")),
        (
            json(429, r#"{ "error": "rate limited", "retry_after": 12 }"#).with("retry-after", "7"),
            told("RateLimited", RateLimited, 429).message("rate limited").retry_after_ms(7000),
        ),
        // Undocumented ones.
        (
            json(401, r#"{ "code": "UNAUTHORIZED", "message": "who are you" }"#),
            told("Unauthenticated", Unauthenticated, 401).code("UNAUTHORIZED").message("who are you"),
        ),
        (text(401, "Unauthorized"), told("Unauthenticated", Unauthenticated, 401).message("Unauthorized")),
        (
            json(400, r#"{ "code": "VALIDATION_ERROR", "message": "bad prefix" }"#),
            told("BadRequest", InvalidRequest, 400).code("VALIDATION_ERROR").message("bad prefix"),
        ),
        (text(500, "oops"), told("Other", Server, 500).message("oops")),
        (html(502, "<html>Bad Gateway</html>"), told("Other", Server, 502).message("an HTML or XML page of 24 bytes")),
    ];
    for (reply, expected) in table {
        assert_refused(reply, once(), expected).await;
    }
}

#[tokio::test]
async fn the_delay_in_the_body_is_obeyed_and_one_that_is_too_long_is_handed_back() {
    let slow = |delay: &str| json(429, &format!(r#"{{ "error": "rate limited", "retry_after": {delay} }}"#));
    let limited = told("RateLimited", ErrorKind::RateLimited, 429).message("rate limited");
    assert_refused(slow("0"), quickly(), limited.clone().retry_after_ms(0).attempts(4)).await;
    assert_refused(slow("3600"), quickly(), limited.retry_after_ms(3_600_000)).await;

    let vendor = Vendor::answering([slow("0"), json(200, EXAMPLE)]).await;
    let client = client(&vendor, quickly());
    assert!(client.get(&address(&["abc123hash", "aBcDeFg"])).await.is_ok());
    assert_eq!(vendor.asked().len(), 2);
}
