//! Oneloop: `GET /api/v1/workspace/{id}/api-key/{akid}`.

use keymux_core::{
    Action, ApiKeyProvider, Basis, ClientOptions, Drift, DriftKind, Error as CoreError, ErrorKind, Fact, Field,
    KeyRecord, KeyState, Permission, Status, TimeUnit, VendorTime,
};
use keymux_oneloop::{ApiKey, ApiKeyId, Client, Config, Error, WorkspaceId};

use crate::support::{
    ACCEPT, CREDENTIAL, Reply, Told, USER_AGENT, Vendor, assert_states, html, instant, json, known, once, once_at,
    quickly, text, told,
};
use crate::vendors::address;

/// Every documented member, with `null` wherever the documentation allows it but for the customer.
const NULLS: &str = r#"{
  "apiKey": {
    "id": "ak_example_1",
    "name": "billing bot",
    "maskedKey": "9c01e",
    "prefix": null,
    "expiresAt": null,
    "scopes": [{"representation": "invoices", "create": false, "read": true, "update": false, "del": false}],
    "enabled": true,
    "customerId": "cust-42",
    "deleted": false,
    "createdAt": "2024-11-01T08:00:00.000Z",
    "updatedAt": "2024-11-02T08:00:00.000Z",
    "lastUsedAt": null,
    "billingId": null
  }
}"#;

/// Every documented member with a value. 1767225600 is 2026-01-01T00:00:00Z.
const WHOLE: &str = r#"{"apiKey": {
    "id": "ak_example_1", "name": "billing bot", "maskedKey": "9c01e", "prefix": "acme", "expiresAt": 1767225600,
    "scopes": [
        {"id": "sc_1", "representation": "invoices", "create": true, "read": true, "update": true, "del": true},
        {"representation": "refunds", "create": false, "read": false, "update": false, "del": false}],
    "enabled": true, "customerId": "cust-42", "deleted": false, "createdAt": "2024-11-01T08:00:00.000Z",
    "updatedAt": "2024-11-02T08:00:00.000Z", "lastUsedAt": "2024-11-03T08:00:00.000Z", "billingId": "bill-1" }}"#;

const ALL: [Field; 9] = [
    Field::Name,
    Field::Display,
    Field::CreatedAt,
    Field::UpdatedAt,
    Field::LastUsedAt,
    Field::ExpiresAt,
    Field::OwnerWorkspace,
    Field::OwnerCustomer,
    Field::Permissions,
];

fn but(fields: &[Field]) -> Vec<Field> {
    ALL.into_iter().filter(|field| !fields.contains(field)).collect()
}

fn client(vendor: &Vendor, options: ClientOptions) -> Client {
    Config::new(CREDENTIAL).with_base_url(vendor.url()).with_options(options).build().unwrap()
}

/// The key `ak_example_1` of the workspace `ws_1`, both ways in.
async fn look_up(client: &Client) -> (Result<ApiKey, Error>, Result<KeyRecord, CoreError>) {
    let (workspace, key) = (WorkspaceId::new("ws_1").unwrap(), ApiKeyId::new("ak_example_1").unwrap());
    (client.get_api_key(&workspace, &key).await, client.get(&address(&["ws_1", "ak_example_1"])).await)
}

async fn found(body: &str, options: ClientOptions) -> (ApiKey, KeyRecord) {
    let vendor = Vendor::answering([json(200, body)]).await;
    let (key, record) = look_up(&client(&vendor, options)).await;
    (key.unwrap(), record.unwrap())
}

async fn assert_refused(reply: Reply, options: ClientOptions, expected: Told) {
    let vendor = Vendor::answering([reply.clone()]).await;
    let (typed, unified) = look_up(&client(&vendor, options)).await;
    let typed = typed.unwrap_err();
    assert_eq!(Told::by(&typed, typed.details()), expected, "{reply:?}");
    assert_eq!(Told::by_unified::<Error>(&unified.unwrap_err(), "oneloop"), expected, "{reply:?}");
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let vendor = Vendor::answering([json(200, NULLS)]).await;
    let (typed, unified) = look_up(&client(&vendor, once())).await;
    assert!(typed.is_ok() && unified.is_ok());
    let request = [
        "GET /api/v1/workspace/ws_1/api-key/ak_example_1",
        ACCEPT,
        "authorization: Bearer workspace-credential",
        USER_AGENT,
    ];
    assert_eq!(vendor.asked(), [request.join("\n"), request.join("\n")]);
}

#[tokio::test]
async fn the_workspace_goes_before_the_key_and_each_is_one_segment() {
    let vendor = Vendor::answering([json(200, NULLS)]).await;
    client(&vendor, once()).get(&address(&["ws/1", "ak 1?"])).await.unwrap();
    assert_eq!(vendor.lines(), ["GET /api/v1/workspace/ws%2F1/api-key/ak%201%3F"]);
}

#[tokio::test]
async fn a_key_with_nulls_becomes_a_record() {
    let (key, record) = found(NULLS, once()).await;
    assert_eq!(key.id.as_str(), "ak_example_1");
    assert_eq!((&key.name, &key.masked_key), (&known("billing bot"), &known("9c01e")));
    assert_eq!((&key.prefix, &key.expires_at), (&Fact::Empty, &Fact::Empty));
    assert_eq!((&key.last_used_at, &key.billing_id), (&Fact::Empty, &Fact::Empty));
    assert_eq!((&key.enabled, &key.deleted), (&Fact::Known(true), &Fact::Known(false)));
    assert_eq!(key.customer_id, known("cust-42"));
    assert_eq!(key.created_at, Fact::Known(VendorTime::Text("2024-11-01T08:00:00.000Z".to_owned())));
    let scope = &key.scopes.known().unwrap()[0];
    assert_eq!((&scope.id, &scope.representation), (&Fact::Missing, &known("invoices")));
    assert_eq!((scope.create, scope.read), (Fact::Known(false), Fact::Known(true)));
    assert_eq!((scope.update, scope.del), (Fact::Known(false), Fact::Known(false)));
    assert_eq!(record.native::<ApiKey>(), Some(&key));

    let empty = [Field::LastUsedAt, Field::ExpiresAt];
    assert_states(&record, &but(&empty), &empty, &[]);
    assert_eq!(record.key_ref().to_string(), "oneloop:ws_1/ak_example_1");
    assert_eq!(record.kind.as_str(), "api_key");
    assert_eq!((record.name, record.display), (known("billing bot"), known("9c01e")));
    assert_eq!(record.created_at, instant("2024-11-01T08:00:00Z"));
    assert_eq!(record.updated_at, instant("2024-11-02T08:00:00Z"));
    assert_eq!((record.owner.workspace, record.owner.customer), (known("ws_1"), known("cust-42")));
    assert_eq!(
        record.permissions,
        Fact::Known(vec![Permission { name: "invoices".to_owned(), actions: Some(vec![Action::Read]) }])
    );
    assert_eq!(record.status.state, KeyState::Active);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn a_whole_key_becomes_a_whole_record() {
    let (key, record) = found(WHOLE, once()).await;
    assert_eq!((&key.prefix, &key.billing_id), (&known("acme"), &known("bill-1")));
    assert_eq!(key.expires_at, Fact::Known(VendorTime::Integer(1_767_225_600)));
    assert_eq!(key.scopes.known().unwrap()[0].id, known("sc_1"));
    assert_states(&record, &ALL, &[], &[]);
    assert_eq!(record.last_used_at, instant("2024-11-03T08:00:00Z"));
    assert_eq!(record.expires_at, instant("2026-01-01T00:00:00Z"));
    let all = vec![Action::Create, Action::Read, Action::Update, Action::Delete];
    let permission = |name: &str, actions| Permission { name: name.to_owned(), actions: Some(actions) };
    assert_eq!(record.permissions, Fact::Known(vec![permission("invoices", all), permission("refunds", vec![])]));
    // The documents give the number without a unit, which is all that is odd about it.
    assert_eq!(record.drift, [Drift::new("expiresAt", DriftKind::UnitAssumed(TimeUnit::Seconds))]);
}

#[tokio::test]
async fn a_customer_that_is_null_is_none() {
    let (_, record) = found(&NULLS.replace(r#""cust-42""#, "null"), once()).await;
    let empty = [Field::LastUsedAt, Field::ExpiresAt, Field::OwnerCustomer];
    assert_states(&record, &but(&empty), &empty, &[]);
    assert_eq!(record.drift, []);
}

#[tokio::test]
async fn the_shape_of_older_servers_is_read_too() {
    let older = r#"{"apiKey": {"id": "ak_example_1", "name": "billing bot", "maskedKey": "9c01e", "prefix": null,
        "expiresAt": null, "scopes": [], "enabled": true, "deleted": false, "totalUsageLeft": 0, "limitUsage": true,
        "createdAt": "2024-08-01T08:00:00.000Z", "updatedAt": "2024-08-02T08:00:00.000Z"}}"#;
    let (key, record) = found(older, once()).await;
    assert_eq!((key.total_usage_left, key.limit_usage), (Fact::Known(0), Fact::Known(true)));
    let missing = [Field::LastUsedAt, Field::OwnerCustomer];
    assert_states(
        &record,
        &but(&[Field::LastUsedAt, Field::OwnerCustomer, Field::ExpiresAt]),
        &[Field::ExpiresAt],
        &missing,
    );
    let mut absent: Vec<&str> = record.drift.iter().map(|drift| &*drift.path).collect();
    absent.sort_unstable();
    assert_eq!(absent, ["billingId", "customerId", "lastUsedAt"]);
    assert!(record.drift.iter().all(|drift| drift.kind == DriftKind::RequiredMissing), "{:?}", record.drift);

    let (key, _) = found(&older.replace(r#""totalUsageLeft": 0"#, r#""totalUsageLeft": null"#), once()).await;
    assert_eq!(key.total_usage_left, Fact::Empty);
}

#[tokio::test]
async fn deleted_goes_before_disabled_before_expired_before_active() {
    use KeyState::{Active, Disabled, Expired, Revoked, Unknown};
    // 1767225600 is 2026-01-01T00:00:00Z.
    const BEFORE: &str = "2025-12-31T23:59:59Z";
    const AT_THE_END: &str = "2026-01-01T00:00:00Z";
    let table = [
        // deleted            enabled                expiresAt                     the time    the state
        (r#""deleted": true,"#, r#""enabled": false,"#, r#""expiresAt": 1767225600,"#, AT_THE_END, Revoked),
        (r#""deleted": true,"#, r#""enabled": true,"#, r#""expiresAt": null,"#, BEFORE, Revoked),
        (r#""deleted": true,"#, "", "", BEFORE, Revoked),
        (r#""deleted": false,"#, r#""enabled": false,"#, r#""expiresAt": 1767225600,"#, AT_THE_END, Disabled),
        (r#""deleted": false,"#, r#""enabled": false,"#, r#""expiresAt": null,"#, BEFORE, Disabled),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": 1767225600,"#, AT_THE_END, Expired),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": 1767225600000,"#, AT_THE_END, Expired),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": 1767225600,"#, BEFORE, Active),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": 1767225600000,"#, BEFORE, Active),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": null,"#, AT_THE_END, Active),
        // The answer lacks what the status follows from.
        (r#""deleted": false,"#, r#""enabled": true,"#, "", BEFORE, Unknown),
        (r#""deleted": false,"#, "", r#""expiresAt": null,"#, BEFORE, Unknown),
        ("", r#""enabled": true,"#, r#""expiresAt": null,"#, BEFORE, Unknown),
        (r#""deleted": "no","#, r#""enabled": true,"#, r#""expiresAt": null,"#, BEFORE, Unknown),
        (r#""deleted": false,"#, r#""enabled": true,"#, r#""expiresAt": 0,"#, BEFORE, Unknown),
    ];
    for (deleted, enabled, expires_at, time, state) in table {
        let body = WHOLE
            .replace(r#""deleted": false,"#, deleted)
            .replace(r#""enabled": true,"#, enabled)
            .replace(r#""expiresAt": 1767225600,"#, expires_at);
        let (_, record) = found(&body, once_at(time)).await;
        let given = format!("{deleted} {enabled} {expires_at} {time}");
        assert_eq!(record.status.state, state, "{given}");
        match state {
            Revoked => assert_eq!(record.status, Status::stated(Revoked, "deleted"), "{given}"),
            Disabled => assert_eq!(record.status, Status::stated(Disabled, "enabled"), "{given}"),
            _ => {
                let Basis::Derived { from, .. } = &record.status.basis else { panic!("{:?}", record.status) };
                assert!(from.contains(&"expiresAt".into()), "{given}: {from:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_unit_of_an_expiry_is_told_by_its_magnitude_and_noted() {
    let end = |number: &str| WHOLE.replace("1767225600", number);
    let assumed = |unit| vec![Drift::new("expiresAt", DriftKind::UnitAssumed(unit))];
    for (number, expires_at, drift) in [
        ("1", instant("1970-01-01T00:00:01Z"), assumed(TimeUnit::Seconds)),
        ("1767225600", instant("2026-01-01T00:00:00Z"), assumed(TimeUnit::Seconds)),
        ("99999999999", instant("5138-11-16T09:46:39Z"), assumed(TimeUnit::Seconds)),
        ("100000000000", instant("1973-03-03T09:46:40Z"), assumed(TimeUnit::Milliseconds)),
        ("1767225600123", instant("2026-01-01T00:00:00.123Z"), assumed(TimeUnit::Milliseconds)),
        // Only numbers above 0 are documented: what 0 means is not known.
        ("0", Fact::Missing, vec![Drift::unknown_value("expiresAt", "0")]),
    ] {
        let (key, record) = found(&end(number), once()).await;
        assert_eq!(key.expires_at, Fact::Known(VendorTime::Integer(number.parse().unwrap())));
        assert_eq!((record.expires_at, record.drift), (expires_at, drift), "{number}");
    }
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    use ErrorKind::{InvalidRequest, NotFound, PermissionDenied, RateLimited, Server, Unauthenticated};
    let table = [
        // The documented ones. The code repeats the status, and then says nothing.
        (
            json(400, r#"{"error": {"code": 400, "message": "bad workspace id"}}"#),
            told("BadRequest", InvalidRequest, 400).message("bad workspace id"),
        ),
        (
            json(401, r#"{"error": {"code": 401, "message": "sdk key rejected"}}"#),
            told("Unauthenticated", Unauthenticated, 401).message("sdk key rejected"),
        ),
        (
            json(403, r#"{"error": {"code": 403, "message": "scope is missing"}}"#),
            told("Forbidden", PermissionDenied, 403).message("scope is missing"),
        ),
        // The status goes before a code that says something else; a code is any number.
        (
            json(403, r#"{"error": {"code": 401, "message": "scope is missing"}}"#),
            told("Forbidden", PermissionDenied, 403).code("401").message("scope is missing"),
        ),
        (
            json(400, r#"{"error": {"code": 1042.5, "message": "odd"}}"#),
            told("BadRequest", InvalidRequest, 400).code("1042.5").message("odd"),
        ),
        // Undocumented ones, whatever their body.
        (
            json(404, r#"{"error": {"code": 404, "message": "no such key"}}"#),
            told("NotFound", NotFound, 404).message("no such key"),
        ),
        (json(404, r#"{"message": "no such route"}"#), told("NotFound", NotFound, 404).message("no such route")),
        (text(404, "404 Not Found"), told("NotFound", NotFound, 404).message("404 Not Found")),
        (text(404, ""), told("NotFound", NotFound, 404)),
        (
            text(429, "slow down").with("retry-after", "2"),
            told("RateLimited", RateLimited, 429).message("slow down").retry_after_ms(2000),
        ),
        (
            json(500, r#"{"error": {"code": 500, "message": "Internal"}}"#),
            told("Other", Server, 500).message("Internal"),
        ),
        (html(502, "<html></html>"), told("Other", Server, 502).message("an HTML or XML page of 13 bytes")),
        (text(502, "upstream gone"), told("Other", Server, 502).message("upstream gone")),
    ];
    for (reply, expected) in table {
        assert_refused(reply, once(), expected).await;
    }
}

#[tokio::test]
async fn an_outage_that_lasts_is_told_with_the_attempts() {
    let expected = told("Other", ErrorKind::Server, 502).message("an HTML or XML page of 13 bytes").attempts(4);
    assert_refused(html(502, "<html></html>"), quickly(), expected).await;
}
