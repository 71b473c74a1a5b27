//! What Datkey does with keys.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keymux_emulator::Emulator;
use serde_json::{Value, json};

use crate::raw::{Caller, emulator};

fn caller(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.datkey(), "x-api-key", "")
}

/// Unix time in seconds, an hour from now.
fn in_an_hour() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600
}

async fn create(caller: &Caller<'_>, more: Value) -> Value {
    let mut body = json!({"api_id": "api_1", "name": "importer"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    caller.done("POST", "/keys", body).await["key"].clone()
}

async fn verify(caller: &Caller<'_>, key: &Value) -> Value {
    caller.done("POST", "/keys/verify", json!({"api_id": "api_1", "key": key["key"]})).await
}

#[tokio::test]
async fn the_life_of_a_key() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let created = create(&caller, json!({"prefix": "demo", "length": 20, "meta": {"plan": "pro"}})).await;
    let plaintext = created["key"].as_str().unwrap();
    assert_eq!((plaintext.len(), plaintext.starts_with("demo_"), &created["length"]), (25, true, &json!(20)));

    let path = format!("/keys/{}", created["id"].as_str().unwrap());
    let found = caller.done("GET", &path, json!(null)).await["key"].clone();
    assert!(found["key"].as_str().unwrap().starts_with("demo_") && found["key"].as_str().unwrap().ends_with("*****"));
    assert_eq!((&found["verifications"], &found["meta"]["plan"]), (&json!(0), &json!("pro")));

    let valid = verify(&caller, &created).await;
    assert_eq!((&valid["valid"], &valid["key"]["verifications"]), (&json!(true), &json!(1)));
    assert_eq!((&valid["key"]["key"], valid.get("status")), (&found["key"], None));
    assert_eq!(caller.done("GET", &path, json!(null)).await["key"]["verifications"], 1);
    let other_api = json!({"api_id": "api_2", "key": created["key"]});
    assert_eq!(caller.status("POST", "/keys/verify", other_api).await, 404);

    let updated = caller.done("PUT", &path, json!({"verification_limit": 2, "name": "ignored"})).await["key"].clone();
    assert_eq!((&updated["verification_limit"], &updated["name"]), (&json!(2), &json!("importer")));
    assert_eq!(verify(&caller, &created).await["valid"], true);
    let used_up = verify(&caller, &created).await;
    assert_eq!((&used_up["valid"], &used_up["status"]), (&json!(false), &json!("USAGE_EXCEEDED")));
    assert_eq!(used_up["key"]["verifications"], 2, "a refusal counts no use");
    caller.done("PUT", &path, json!({"verification_limit": null})).await;
    assert_eq!(verify(&caller, &created).await["valid"], true);

    assert!(caller.done("DELETE", &path, json!(null)).await["message"].is_string());
    for method in ["GET", "DELETE", "PUT"] {
        let body = if method == "PUT" { json!({}) } else { json!(null) };
        let gone = caller.ask(method, &path, body).await;
        assert_eq!((gone.status, gone.json()["message"].is_string()), (404, true), "{method}");
    }
    assert_eq!(caller.status("POST", "/keys/verify", json!({"api_id": "api_1", "key": plaintext})).await, 404);
}

#[tokio::test]
async fn a_key_expires() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let key = create(&caller, json!({"expires_at": in_an_hour(), "verification_limit": 5})).await;
    assert_eq!(verify(&caller, &key).await["valid"], true);
    emulator.advance(Duration::from_secs(3600));
    let expired = verify(&caller, &key).await;
    assert_eq!((&expired["valid"], &expired["status"]), (&json!(false), &json!("EXPIRED")));
    let path = format!("/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(caller.status("PUT", &path, json!({"expires_at": in_an_hour()})).await, 422, "no longer the future");
    caller.done("PUT", &path, json!({"expires_at": in_an_hour() + 3600})).await;
    assert_eq!(verify(&caller, &key).await["valid"], true);
}

#[tokio::test]
async fn the_first_keys_verify_as_they_stand() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let mut seen = Vec::new();
    for address in emulator.datkey().seeded() {
        let plaintext = emulator.datkey().plaintext(address).unwrap();
        let body = json!({"api_id": "api_example_1", "key": plaintext});
        let verdict = caller.done("POST", "/keys/verify", body).await;
        let key = &verdict["key"];
        let head = key["prefix"].as_str().map_or(0, |prefix| prefix.len() + 1);
        assert_eq!(key["length"], plaintext.len() - head, "{key}");
        assert!(plaintext.starts_with(key["key"].as_str().unwrap().trim_end_matches('*')), "{key}");
        seen.push(verdict["status"].clone());
    }
    assert_eq!(seen, [json!(null), json!("EXPIRED"), json!("USAGE_EXCEEDED"), json!(null)]);
}

#[tokio::test]
async fn a_key_is_seeded_with_its_plaintext() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    emulator.datkey().seed_with_plaintext(["k"], json!({"id": "k", "verification_limit": 1}), "EXAMPLE");
    let body = json!({"api_id": "any", "key": "EXAMPLE"});
    assert_eq!(caller.done("POST", "/keys/verify", body.clone()).await["key"]["verifications"], 1);
    assert_eq!(caller.done("POST", "/keys/verify", body).await["status"], "USAGE_EXCEEDED");
}

#[tokio::test]
async fn bodies_are_checked() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for body in [
        json!([]),
        json!({"name": "n"}),
        json!({"api_id": "a"}),
        json!({"api_id": "a", "name": "n", "length": 15}),
        json!({"api_id": "a", "name": "n", "length": 256}),
        json!({"api_id": "a", "name": "n", "prefix": 1}),
        json!({"api_id": "a", "name": "n", "meta": []}),
        json!({"api_id": "a", "name": "n", "expires_at": 1_704_067_200}),
        json!({"api_id": "a", "name": "n", "verification_limit": "5"}),
    ] {
        let answer = caller.ask("POST", "/keys", body.clone()).await;
        assert_eq!((answer.status, answer.json()["message"].is_string()), (422, true), "{body}");
    }
    assert_eq!(caller.status("POST", "/keys/verify", json!({"key": "k"})).await, 422);
}

#[tokio::test]
async fn the_workspace_tells_its_credential() {
    let emulator = emulator().await;
    let workspace = caller(&emulator).done("GET", "/workspace", json!(null)).await["workspace"].clone();
    assert_eq!(workspace["api_key"], emulator.datkey().credential());
    assert_eq!(workspace.as_object().unwrap().len(), 5);
}
