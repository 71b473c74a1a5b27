//! What Oneloop does with keys.

use std::time::Duration;

use keymux_emulator::Emulator;
use serde_json::{Value, json};

use crate::raw::{Caller, emulator};

const WORKSPACE: &str = "ws_0123456789abcdef0123456789abcdef";

fn caller(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.oneloop(), "Authorization", "Bearer ")
}

fn invoices(action: &str) -> Value {
    let mut scope =
        json!({"representation": "invoices", "create": false, "read": false, "update": false, "del": false});
    scope[action] = json!(true);
    scope
}

fn new_key() -> Value {
    json!({
        "name": "nightly",
        "workspaceId": WORKSPACE,
        "scopes": [invoices("read")],
        "enabled": true,
        "customerId": "cust-1",
    })
}

/// The verdict over a key that is asked for these scopes.
async fn verdict(caller: &Caller<'_>, key: &Value, scopes: Value) -> Value {
    let verdict = caller.done("POST", "/api/v1/api-key/verify", json!({"key": key, "requestedScopes": scopes})).await;
    for name in ["apiKeyId", "requestedScopes", "scopes", "customerId", "externalMeterId", "billing", "expiresAt"] {
        assert!(verdict.get(name).is_some(), "{name}: {verdict}");
    }
    verdict
}

async fn status(caller: &Caller<'_>, key: &Value) -> String {
    verdict(caller, key, json!([])).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_life_of_a_key() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let all = format!("/api/v1/workspace/{WORKSPACE}/api-key");
    let before = caller.done("GET", &all, json!(null)).await["apiKeys"].as_array().unwrap().len();
    assert_eq!(before, 3, "the deleted one too");

    let mut body = new_key();
    body["metadata"] = json!({"plan": "pro"});
    let created = caller.done("POST", "/api/v1/api-key", body).await["apiKey"].clone();
    let plaintext = created["key"].clone();
    assert!(plaintext.as_str().unwrap().starts_with("acme_EXAMPLE"), "the workspace's prefix: {created}");
    assert!(plaintext.as_str().unwrap().ends_with(created["maskedKey"].as_str().unwrap()));

    let one = format!("{all}/{}", created["id"].as_str().unwrap());
    let found = caller.done("GET", &one, json!(null)).await["apiKey"].clone();
    assert_eq!(found.get("key"), None);
    assert_eq!(found.as_object().unwrap().len(), 13);
    let listed = caller.done("GET", &all, json!(null)).await["apiKeys"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[3]), (before + 1, &found));

    let valid = verdict(&caller, &plaintext, json!([invoices("read")])).await;
    assert_eq!((&valid["status"], &valid["metadata"]["plan"]), (&json!("VALID"), &json!("pro")));
    assert_eq!((&valid["apiKeyId"], &valid["customerId"]), (&created["id"], &json!("cust-1")));
    assert!(caller.done("GET", &one, json!(null)).await["apiKey"]["lastUsedAt"].is_string());
    assert_eq!(verdict(&caller, &plaintext, json!([invoices("del")])).await["status"], "INVALID_SCOPES");
    let usage = json!({"key": plaintext, "usage": "3", "usageName": "calls"});
    assert_eq!(caller.done("POST", "/api/v1/api-key/record-usage", usage).await, json!({}));

    let edited = caller.done("PATCH", &one, json!({"enabled": false, "name": "daily"})).await["apiKey"].clone();
    assert_eq!(
        (&edited["enabled"], &edited["name"], &edited["scopes"]),
        (&json!(false), &json!("daily"), &found["scopes"])
    );
    assert_eq!(status(&caller, &plaintext).await, "DISABLED");
    caller.done("PATCH", &one, json!({"enabled": true})).await;

    let rotated = caller.done("POST", &format!("{one}/rotate"), json!(null)).await["apiKey"].clone();
    assert_eq!(rotated["id"], created["id"]);
    assert_ne!(rotated["maskedKey"], created["maskedKey"]);
    assert_eq!(status(&caller, &plaintext).await, "INVALID");
    assert_eq!(status(&caller, &rotated["key"]).await, "VALID");

    for _ in 0..2 {
        let deleted = caller.done("DELETE", &one, json!(null)).await["apiKey"].clone();
        assert_eq!((&deleted["deleted"], &deleted["id"]), (&json!(true), &created["id"]));
    }
    assert_eq!(caller.done("GET", &one, json!(null)).await["apiKey"]["deleted"], true);
    assert_eq!(status(&caller, &rotated["key"]).await, "DELETED");
    assert_eq!(caller.status("POST", &format!("{one}/rotate"), json!(null)).await, 400);
    assert_eq!(caller.status("PATCH", &one, json!({"enabled": true})).await, 400);
}

#[tokio::test]
async fn a_key_expires_in_either_unit() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let mut keys = Vec::new();
    for factor in [1, 1000] {
        let mut body = new_key();
        body["expiresAt"] = json!(4_200_000_000_i64 * factor);
        keys.push(caller.done("POST", "/api/v1/api-key", body).await["apiKey"]["key"].clone());
    }
    for key in &keys {
        assert_eq!(status(&caller, key).await, "VALID");
    }
    emulator.advance(Duration::from_secs(4_200_000_000));
    for key in &keys {
        assert_eq!(status(&caller, key).await, "EXPIRED");
    }
}

#[tokio::test]
async fn a_key_that_was_brought_along_verifies_once_it_is_here() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    assert_eq!(status(&caller, &json!("EXAMPLE-from-elsewhere")).await, "INVALID");
    let mut body = new_key();
    body["key"] = json!("EXAMPLE-from-elsewhere");
    let migrated = caller.done("POST", "/api/v1/api-key/migrate", body.clone()).await["apiKey"].clone();
    assert_eq!((&migrated["key"], &migrated["maskedKey"]), (&json!("EXAMPLE-from-elsewhere"), &json!("where")));
    assert_eq!(status(&caller, &migrated["key"]).await, "VALID");
    assert_eq!(caller.status("POST", "/api/v1/api-key/migrate", body).await, 400);
}

#[tokio::test]
async fn the_first_keys_verify_as_they_stand() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let mut seen = Vec::new();
    for address in emulator.oneloop().seeded() {
        let plaintext = emulator.oneloop().plaintext(address).unwrap();
        seen.push(status(&caller, &json!(plaintext)).await);
    }
    assert_eq!(seen, ["VALID", "DISABLED", "DELETED", "VALID"]);
}

#[tokio::test]
async fn a_rate_limit_refuses_until_its_window_is_over() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let key = emulator.oneloop().plaintext(emulator.oneloop().sample_address()).unwrap();
    let body = json!({"key": key, "requestedScopes": [], "rateLimitConfig": {"id": "user-1", "limit": 1}});
    let first = caller.done("POST", "/api/v1/api-key/verify", body.clone()).await;
    assert_eq!((&first["status"], &first["rateLimit"]["remaining"]), (&json!("VALID"), &json!(0)));
    // More than once, should the machine stand still for longer than a window.
    let mut refused = false;
    for _ in 0..20 {
        let next = caller.done("POST", "/api/v1/api-key/verify", body.clone()).await;
        refused = refused || next["status"] == "RATE_LIMITED";
    }
    assert!(refused);
    emulator.advance(Duration::from_secs(1));
    assert_eq!(caller.done("POST", "/api/v1/api-key/verify", body).await["status"], "VALID");
}

#[tokio::test]
async fn bodies_are_checked() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for (member, value) in [
        ("name", json!(1)),
        ("workspaceId", json!("ws_unknown")),
        ("scopes", json!([{"representation": "invoices"}])),
        ("scopes", json!(null)),
        ("enabled", json!("yes")),
        ("customerId", json!(null)),
        ("expiresAt", json!(0)),
        ("prefix", json!(1)),
        ("metadata", json!({"a": 1})),
    ] {
        let mut body = new_key();
        body[member] = value;
        let answer = caller.ask("POST", "/api/v1/api-key", body).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!(400)), "{member}");
    }
    for (path, body) in [
        ("/api/v1/api-key", json!([])),
        ("/api/v1/api-key/verify", json!({"key": "k"})),
        ("/api/v1/api-key/verify", json!({"requestedScopes": []})),
        ("/api/v1/api-key/record-usage", json!({"key": "nope"})),
    ] {
        assert_eq!(caller.status("POST", path, body).await, 400, "{path}");
    }
    let nowhere = format!("/api/v1/workspace/{WORKSPACE}/api-key/nope");
    assert_eq!(caller.status("PATCH", &nowhere, json!({})).await, 404);
    assert_eq!(caller.status("DELETE", &nowhere, json!(null)).await, 404);
    assert_eq!(caller.status("GET", "/api/v1/workspace/nope/api-key", json!(null)).await, 404);
}

#[tokio::test]
async fn workspaces_and_scopes() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let all = caller.done("GET", "/api/v1/workspace", json!(null)).await["workspaces"].clone();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["id"]), (2, &json!(WORKSPACE)));
    let made = caller.done("POST", "/api/v1/workspace", json!({"name": "third"})).await["workspace"].clone();
    let path = format!("/api/v1/workspace/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.done("GET", &path, json!(null)).await["workspace"], made);
    assert_eq!(caller.done("GET", &format!("{path}/api-key"), json!(null)).await, json!({"apiKeys": []}));
    let defaults = json!({
        "defaultKeyPrefix": "third",
        "defaultAllowedIPs": [],
        "defaultRateLimitPerSecond": 1,
        "defaultExpiration": null,
    });
    assert_eq!(caller.status("PATCH", &path, json!({"defaultKeyPrefix": "third"})).await, 400);
    assert_eq!(caller.done("PATCH", &path, defaults).await["workspace"]["defaultKeyPrefix"], "third");

    let scopes = format!("{path}/scopes");
    assert_eq!(caller.done("GET", &scopes, json!(null)).await, json!({"scopes": []}));
    let scope = json!({"name": "Invoices", "representation": "invoices"});
    let made = caller.done("POST", &format!("{path}/scope"), scope).await["scope"].clone();
    assert_eq!(caller.done("GET", &scopes, json!(null)).await, json!({"scopes": [made]}));
}

#[tokio::test]
async fn a_key_with_an_allowance_is_verified_until_it_is_used_up() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for (limit, expected) in [
        (json!(true), ["VALID", "VALID", "USAGE_LIMITED"]),
        (json!(null), ["VALID", "VALID", "USAGE_LIMITED"]),
        (json!(false), ["VALID"; 3]),
    ] {
        let key = json!({"id": "k", "scopes": [invoices("read")], "totalUsageLeft": 2, "limitUsage": limit});
        emulator.oneloop().seed_with_plaintext([WORKSPACE, "k"], key, "EXAMPLE-metered");
        // A refusal uses nothing up.
        assert_eq!(
            verdict(&caller, &json!("EXAMPLE-metered"), json!([invoices("del")])).await["status"],
            "INVALID_SCOPES"
        );
        for status_expected in expected {
            assert_eq!(status(&caller, &json!("EXAMPLE-metered")).await, status_expected, "{limit}");
        }
    }
}
