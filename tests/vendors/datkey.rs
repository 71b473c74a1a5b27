//! Datkey: `GET /keys/{id}`.

use keymux_core::{
    ApiKeyProvider, Basis, ClientOptions, Drift, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact, Field,
    KeyRecord, KeyState, VendorTime,
};
use keymux_datkey::{Client, Config, Error, Key, KeyId, KeyText};
use serde_json::json as value;

use crate::support::{
    ACCEPT, CREDENTIAL, Reply, Told, USER_AGENT, Vendor, assert_states, html, instant, json, known, once, once_at,
    quickly, text, told,
};
use crate::vendors::address;

const ID: &str = "00000000-0000-4000-8000-000000000001";

/// The documentation's example.
const EXAMPLE: &str = r#"{
    "key": {
      "id": "<key_id>",
      "name": "<key_name>",
      "key": "flox_sk_05ad2bf*******",
      "prefix": "flox_sk",
      "length": 16,
      "verifications": 0,
      "verification_limit": null,
      "expires_at": 1733237153,
      "meta": null,
      "created_at": "2023-12-05T11:31:23.000000Z",
      "updated_at": "2023-12-05T11:31:23.000000Z"
    }
  }"#;

/// Every member of the example with a value.
const WRAPPED: &str = r#"{"key": {
    "id": "00000000-0000-4000-8000-000000000001", "name": "acme importer", "key": "demo_ab12*********",
    "prefix": "demo", "length": 16, "verifications": 3, "verification_limit": 100, "expires_at": 1767225600,
    "meta": {"plan": "pro", "seats": 3}, "created_at": "2025-01-01T00:00:00.000000Z",
    "updated_at": "2025-01-02T00:00:00.000000Z" }}"#;

/// The documentation's schema, which is flat and lacks some of the example's members.
const FLAT: &str = r#"{ "api_id": "{api_id}", "name": "{api_name}", "prefix": "prefix", "length": 16,
    "meta": {"user_id": "123456"}, "expires_at": null, "verification_limit": 100 }"#;

const ALL: [Field; 8] = [
    Field::Name,
    Field::Display,
    Field::CreatedAt,
    Field::UpdatedAt,
    Field::ExpiresAt,
    Field::LimitsMaxUses,
    Field::LimitsUses,
    Field::Metadata,
];

fn client(vendor: &Vendor, options: ClientOptions) -> Client {
    Config::new(CREDENTIAL).with_base_url(vendor.url()).with_options(options).build().unwrap()
}

/// The key `id`, both ways in.
async fn look_up(client: &Client, id: &str) -> (Result<Key, Error>, Result<KeyRecord, CoreError>) {
    (client.get_key(&KeyId::new(id).unwrap()).await, client.get(&address(&[id])).await)
}

async fn found(id: &str, body: &str, options: ClientOptions) -> (Key, KeyRecord) {
    let vendor = Vendor::answering([json(200, body)]).await;
    let (key, record) = look_up(&client(&vendor, options), id).await;
    (key.unwrap(), record.unwrap())
}

async fn assert_refused(reply: Reply, options: ClientOptions, expected: Told) {
    let vendor = Vendor::answering([reply.clone()]).await;
    let (typed, unified) = look_up(&client(&vendor, options), ID).await;
    let typed = typed.unwrap_err();
    assert_eq!(Told::by(&typed, typed.details()), expected, "{reply:?}");
    assert_eq!(Told::by_unified::<Error>(&unified.unwrap_err(), "datkey"), expected, "{reply:?}");
}

fn masked(text: &Fact<KeyText>) -> &str {
    let Fact::Known(KeyText::Masked(text)) = text else { panic!("{text:?}") };
    text
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let vendor = Vendor::answering([json(200, WRAPPED)]).await;
    let (typed, unified) = look_up(&client(&vendor, once()), ID).await;
    assert!(typed.is_ok() && unified.is_ok());
    let request =
        ["GET /keys/00000000-0000-4000-8000-000000000001", ACCEPT, USER_AGENT, "x-api-key: workspace-credential"];
    assert_eq!(vendor.asked(), [request.join("\n"), request.join("\n")]);
}

#[tokio::test]
async fn the_documented_example_becomes_a_record() {
    let vendor = Vendor::answering([json(200, EXAMPLE)]).await;
    let (key, record) = look_up(&client(&vendor, once_at("2024-12-03T14:45:52Z")), "<key_id>").await;
    assert_eq!(vendor.lines(), ["GET /keys/%3Ckey_id%3E", "GET /keys/%3Ckey_id%3E"]);
    let (key, record) = (key.unwrap(), record.unwrap());
    for key in [&key, record.native::<Key>().unwrap()] {
        assert_eq!(key.id.known().unwrap().as_str(), "<key_id>");
        assert_eq!(key.name, known("<key_name>"));
        assert_eq!(masked(&key.key), "flox_sk_05ad2bf*******");
        assert_eq!(key.prefix, known("flox_sk"));
        assert_eq!(
            (key.length, key.verifications, key.verification_limit),
            (Fact::Known(16), Fact::Known(0), Fact::Empty)
        );
        assert_eq!(key.expires_at, Fact::Known(VendorTime::Integer(1_733_237_153)));
        assert_eq!((&key.meta, &key.api_id), (&Fact::Empty, &Fact::Missing));
        assert_eq!(key.created_at, Fact::Known(VendorTime::Text("2023-12-05T11:31:23.000000Z".to_owned())));
        assert_eq!(key.updated_at, key.created_at);
    }

    let empty = [Field::LimitsMaxUses, Field::Metadata];
    let given: Vec<Field> = ALL.into_iter().filter(|field| !empty.contains(field)).collect();
    assert_states(&record, &given, &empty, &[]);
    assert_eq!(record.key_ref().to_string(), "datkey:%3Ckey_id%3E");
    assert_eq!(record.kind.as_str(), "api_key");
    assert_eq!(record.name, known("<key_name>"));
    assert_eq!(record.display, known("flox_sk_05ad2bf*******"));
    assert_eq!(record.created_at, instant("2023-12-05T11:31:23Z"));
    assert_eq!(record.updated_at, instant("2023-12-05T11:31:23Z"));
    assert_eq!(record.expires_at, instant("2024-12-03T14:45:53Z"));
    assert_eq!(record.limits.uses, Fact::Known(0));
    assert_eq!(record.status.state, KeyState::Active);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn a_whole_wrapped_key_becomes_a_whole_record() {
    let (key, record) = found(ID, WRAPPED, once()).await;
    assert_eq!(masked(&key.key), "demo_ab12*********");
    assert_states(&record, &ALL, &[], &[]);
    assert_eq!(record.display, known("demo_ab12*********"));
    assert_eq!(record.expires_at, instant("2026-01-01T00:00:00Z"));
    assert_eq!((record.limits.max_uses, record.limits.uses), (Fact::Known(100), Fact::Known(3)));
    assert_eq!(serde_json::to_value(record.metadata.known()).unwrap(), value!({"plan": "pro", "seats": 3}));
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn a_flat_key_is_as_good_as_a_wrapped_one() {
    let (key, record) = found(ID, FLAT, once()).await;
    assert_eq!(key.api_id, known("{api_id}"));
    assert_eq!(key.prefix, known("prefix"));
    assert!(key.id.is_missing() && key.key.is_missing());
    assert_states(
        &record,
        &[Field::Name, Field::LimitsMaxUses, Field::Metadata],
        &[Field::ExpiresAt],
        &[Field::Display, Field::CreatedAt, Field::UpdatedAt, Field::LimitsUses],
    );
    assert_eq!(record.name, known("{api_name}"));
    assert_eq!(record.drift, []);

    // Flat, with the text of the key, which has the wrapper's name.
    let (key, record) = found(ID, &FLAT.replace(r#""name""#, r#""key": "prefix_ab*******", "name""#), once()).await;
    assert_eq!(masked(&key.key), "prefix_ab*******");
    assert_eq!((record.display, record.drift), (known("prefix_ab*******"), vec![]));
}

#[tokio::test]
async fn every_member_may_be_absent_but_not_all_of_them() {
    let (key, record) = found(ID, r#"{"key": {"prefix": null, "meta": null, "expires_at": null}}"#, once()).await;
    assert_eq!(key.prefix, Fact::Empty);
    let missing: Vec<Field> =
        ALL.into_iter().filter(|field| ![Field::Metadata, Field::ExpiresAt].contains(field)).collect();
    assert_states(&record, &[], &[Field::Metadata, Field::ExpiresAt], &missing);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn a_key_that_is_not_masked_is_a_secret() {
    let body = WRAPPED.replace("demo_ab12*********", "demo_ab12clearclear");
    let (key, record) = found(ID, &body, once().with_raw(true)).await;
    let Fact::Known(KeyText::Unmasked(secret)) = &key.key else { panic!("{:?}", key.key) };
    assert_eq!(secret.expose_secret(), "demo_ab12clearclear");
    assert_eq!((&record.display, &*record.drift), (&Fact::Missing, &[Drift::new("key", DriftKind::NotMasked)][..]));
    let shown = format!("{key:?} {record:?} {}", serde_json::to_string(&record).unwrap());
    assert!(!shown.contains("clearclear"), "{shown}");
}

#[tokio::test]
async fn a_key_works_while_its_time_is_not_over_and_its_uses_are_not_used_up() {
    use KeyState::{Active, Exhausted, Expired, Unknown};
    // 1767225600 is 2026-01-01T00:00:00Z.
    const BEFORE: &str = "2025-12-31T23:59:59Z";
    const AT_THE_END: &str = "2026-01-01T00:00:00Z";
    let table = [
        // expires_at            verification_limit            verifications          the time    the state
        (r#""expires_at": 1767225600"#, r#""verification_limit": 100"#, r#""verifications": 99"#, BEFORE, Active),
        (r#""expires_at": 1767225600"#, r#""verification_limit": 100"#, r#""verifications": 99"#, AT_THE_END, Expired),
        (r#""expires_at": 1767225600"#, r#""verification_limit": 100"#, r#""verifications": 100"#, BEFORE, Exhausted),
        (r#""expires_at": 1767225600"#, r#""verification_limit": 100"#, r#""verifications": 101"#, BEFORE, Exhausted),
        (r#""expires_at": 1767225600"#, r#""verification_limit": 100"#, r#""verifications": 100"#, AT_THE_END, Expired),
        (r#""expires_at": 1767225600"#, r#""verification_limit": null"#, r#""verifications": 100"#, BEFORE, Active),
        (r#""expires_at": 1767225600"#, r#""verification_limit": null"#, r#""x": 0"#, BEFORE, Active),
        (r#""expires_at": null"#, r#""verification_limit": null"#, r#""verifications": 0"#, AT_THE_END, Active),
        (r#""expires_at": null"#, r#""verification_limit": 100"#, r#""verifications": 99"#, AT_THE_END, Active),
        (r#""expires_at": null"#, r#""verification_limit": 100"#, r#""verifications": 100"#, AT_THE_END, Exhausted),
        // What the status follows from is not there.
        (r#""expires_at": null"#, r#""verification_limit": 100"#, r#""x": 0"#, BEFORE, Unknown),
        (r#""expires_at": null"#, r#""x": 0"#, r#""verifications": 3"#, BEFORE, Unknown),
        (r#""x": 0"#, r#""verification_limit": 100"#, r#""verifications": 3"#, BEFORE, Unknown),
        (r#""x": 0"#, r#""verification_limit": 100"#, r#""verifications": 100"#, BEFORE, Exhausted),
        (r#""expires_at": "soon""#, r#""verification_limit": null"#, r#""verifications": 3"#, BEFORE, Unknown),
        (r#""expires_at": 1767225600"#, r#""x": 0"#, r#""verifications": 3"#, AT_THE_END, Expired),
    ];
    for (expires_at, limit, verifications, time, state) in table {
        let body = format!(r#"{{"key": {{"name": "n", {expires_at}, {limit}, {verifications}}}}}"#);
        let (_, record) = found(ID, &body, once_at(time)).await;
        assert_eq!(record.status.state, state, "{body} {time}");
        let Basis::Derived { from, .. } = &record.status.basis else { panic!("{:?}", record.status) };
        assert!(!from.is_empty() && (state != Expired || *from == ["expires_at"]), "{from:?}");
    }
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    use ErrorKind::{InvalidRequest, NotFound, PermissionDenied, RateLimited, Server, Unauthenticated};
    let table = [
        // The one that is documented, whose body is any object.
        (json(404, r#"{"message": "key not found"}"#), told("NotFound", NotFound, 404).message("key not found")),
        (
            json(404, r#"{"message": "key not found", "more": [1]}"#),
            told("NotFound", NotFound, 404).message("key not found"),
        ),
        // What the statuses mean everywhere.
        (
            json(401, r#"{"message": "invalid api key"}"#),
            told("Unauthenticated", Unauthenticated, 401).message("invalid api key"),
        ),
        (json(403, r#"{"message": "not yours"}"#), told("Forbidden", PermissionDenied, 403).message("not yours")),
        (
            json(429, r#"{"message": "too many"}"#).with("retry-after", "30"),
            told("RateLimited", RateLimited, 429).message("too many").retry_after_ms(30_000),
        ),
        (json(400, r#"{"message": "bad id"}"#), told("Other", InvalidRequest, 400).message("bad id")),
        (json(422, r#"{"message": "bad id"}"#), told("Other", InvalidRequest, 422).message("bad id")),
        (json(500, r#"{"message": "Server Error"}"#), told("Other", Server, 500).message("Server Error")),
        // No JSON.
        (text(404, "nothing here"), told("NotFound", NotFound, 404).message("nothing here")),
        (text(401, ""), told("Unauthenticated", Unauthenticated, 401)),
        (html(502, "<html></html>"), told("Other", Server, 502).message("an HTML or XML page of 13 bytes")),
    ];
    for (reply, expected) in table {
        assert_refused(reply, once(), expected).await;
    }
}

#[tokio::test]
async fn an_outage_that_lasts_is_told_with_the_attempts() {
    let expected = told("Other", ErrorKind::Server, 503).message("down").attempts(4);
    assert_refused(json(503, r#"{"message": "down"}"#), quickly(), expected).await;
}

/// Values of metadata that a float, an integer of 64 bits or a decoder of text would change or refuse.
const UNROUNDED: [&str; 8] = [
    "123456789012345678901234",
    "31.245270191439438",
    "18446744073709551616",
    "1e400",
    "-0",
    "1.50",
    r#"[{"b":0.1000000000000000055,"a":[18446744073709551616]}]"#,
    r#""\u001b[1m caf\u00e9""#,
];

#[tokio::test]
async fn metadata_keeps_every_digit_whichever_way_the_answer_is_read() {
    for value in UNROUNDED {
        // The second answer is odd elsewhere, the third in the metadata itself.
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let odd = Drift::new("length", DriftKind::WrongType);
        for (others, length, drift) in [
            (String::new(), "16", vec![]),
            (String::new(), "\"x\"", vec![odd.clone()]),
            (format!(r#", "x": {deep}"#), "16", vec![Drift::new("meta.x", DriftKind::WrongType)]),
            (", \"n\" : 1, \"n\": 2".to_owned(), "16", vec![Drift::new("meta.n", DriftKind::Repeated)]),
        ] {
            let body = WRAPPED
                .replace(r#"{"plan": "pro", "seats": 3}"#, &format!(r#"{{ "v" : {value}{others} }}"#))
                .replace(r#""length": 16"#, &format!(r#""length": {length}"#));
            let (key, record) = found(ID, &body, once()).await;
            assert_eq!(record.drift, drift, "{body}");
            assert_eq!(key.meta, record.metadata);
            let metadata = record.metadata.known().unwrap();
            assert_eq!(metadata.get("v").unwrap().as_json(), value);
            assert_eq!(metadata.get("n"), None, "nobody knows which of two values is meant");
            let json = serde_json::to_string(&record).unwrap();
            assert!(json.contains(&format!(r#""v":{value}}}"#)) && !json.contains('\n'), "{json}");
            let back: KeyRecord = serde_json::from_str(&json).unwrap();
            assert_eq!((serde_json::to_string(&back).unwrap(), back), (json, record));
        }
    }
}

#[tokio::test]
async fn a_limit_that_is_no_count_is_noted_and_not_rounded() {
    for number in ["18446744073709551616", "100.5", "100.0", "1e2", "-1", "1e400"] {
        let body = WRAPPED.replace(r#""verification_limit": 100"#, &format!(r#""verification_limit": {number}"#));
        let (_, record) = found(ID, &body, once()).await;
        assert_eq!(record.limits.max_uses, Fact::Missing, "{number}");
        let kind = if number == "-1" { DriftKind::UnknownValue("-1".to_owned()) } else { DriftKind::WrongType };
        assert_eq!(record.drift, [Drift::new("verification_limit", kind)], "{number}");
        assert_eq!(record.limits.uses, Fact::Known(3));
    }
}
