//! What Baseten does with keys of groups, with groups, and with keys of the workspace.

use base64ct::{Base64, Encoding};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use keymux_emulator::{BASETEN_FOREIGN_GROUP, Emulator, baseten_signing_key};
use serde_json::{Value, json};

use crate::raw::{Answer, Caller, emulator, segment, send};

const KEYS: &str = "/v1/gateway/groups/g7k2m9qx/api_keys";

fn caller(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.baseten(), "Authorization", "Api-Key ")
}

fn assert_error(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.json()["code"].is_string() && answer.json()["message"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn the_life_of_a_key() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let created = caller.done("POST", KEYS, json!({"name": "nightly"})).await;
    let prefix = created["prefix"].as_str().unwrap();
    assert_eq!(created["api_key"].as_str().unwrap().split_once('.').unwrap().0, prefix);
    assert_eq!(caller.done("POST", KEYS, json!({})).await["name"], json!(null));

    let path = format!("{KEYS}/{}", segment(prefix));
    let found = caller.done("GET", &path, json!(null)).await;
    assert_eq!(found, json!({"prefix": prefix, "name": "nightly"}));
    let listed = caller.done("GET", KEYS, json!(null)).await;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][3]), (5, &found));

    assert_eq!(caller.done("DELETE", &path, json!(null)).await, json!({"prefix": prefix}));
    for method in ["GET", "DELETE"] {
        assert_error(&caller.ask(method, &path, json!(null)).await, 404);
    }
    assert_eq!(caller.done("GET", KEYS, json!(null)).await["items"].as_array().unwrap().len(), 4);
    assert_error(&caller.ask("POST", KEYS, json!({"name": 1})).await, 400);
    assert_error(&caller.ask("POST", KEYS, json!([])).await, 400);
}

#[tokio::test]
async fn pages_follow_the_cursor() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let whole = caller.done("GET", KEYS, json!(null)).await;
    assert_eq!(whole["pagination"], json!({"has_more": false, "cursor": null}));
    let (mut items, mut query) = (Vec::new(), "limit=1".to_owned());
    loop {
        let page = caller.done("GET", &format!("{KEYS}?{query}"), json!(null)).await;
        items.extend(page["items"].as_array().unwrap().clone());
        let cursor = page["pagination"]["cursor"].as_str().map(segment);
        assert_eq!(page["pagination"]["has_more"], cursor.is_some());
        let Some(cursor) = cursor else { break };
        // A key that goes while the list is read shifts no page.
        if items.len() == 2 {
            emulator.baseten().seed(["g7k2m9qx", "added"], json!({"prefix": "added", "name": null}));
            let first = format!("{KEYS}/{}", items[0]["prefix"].as_str().unwrap());
            caller.done("DELETE", &first, json!(null)).await;
        }
        query = format!("limit=1&cursor={cursor}");
    }
    let mut expected = whole["items"].as_array().unwrap().clone();
    expected.push(json!({"prefix": "added", "name": null}));
    assert_eq!(items, expected);
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=nonsense"] {
        assert_error(&caller.ask("GET", &format!("{KEYS}?{query}"), json!(null)).await, 400);
    }
}

#[tokio::test]
async fn groups_guard_their_keys() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for (group, status) in [(BASETEN_FOREIGN_GROUP, 403), ("nope", 404)] {
        let keys = format!("/v1/gateway/groups/{group}/api_keys");
        for (method, path) in [("GET", keys.clone()), ("POST", keys.clone()), ("DELETE", format!("{keys}/k"))] {
            let body = if method == "POST" { json!({}) } else { json!(null) };
            assert_error(&caller.ask(method, &path, body).await, status);
        }
        assert_error(&caller.ask("GET", &format!("/v1/gateway/groups/{group}"), json!(null)).await, status);
    }
    emulator.baseten().seed(["g-seeded", "k"], json!({"prefix": "k"}));
    caller.done("DELETE", "/v1/gateway/groups/g-seeded/api_keys/k", json!(null)).await;
    let keys = caller.done("GET", "/v1/gateway/groups/g-seeded/api_keys", json!(null)).await;
    assert_eq!(keys["items"], json!([]), "the group stays");
}

/// The signature of a body with the key that the emulator tells.
fn signed(body: &Value) -> String {
    let key = SigningKey::from_pkcs8_pem(&baseten_signing_key()).unwrap();
    Base64::encode_string(&key.sign(body.to_string().as_bytes()).to_bytes())
}

#[tokio::test]
async fn a_registration_is_checked_against_the_public_key_on_file() {
    let own = SigningKey::from_bytes(&[7; 32]);
    let public = Base64::encode_string(own.verifying_key().as_bytes());
    let body = json!({"key": "my own/key 12345 EXAMPLEnotASecret"});
    let by_own = Base64::encode_string(&own.sign(body.to_string().as_bytes()).to_bytes());
    let failed = json!("Signature verification failed");
    let none = json!("Must configure a public key before registering API keys");
    for (on_file, signature, refusal) in [
        (Some(public.as_str()), &by_own, None),
        (Some(&public), &signed(&body), Some(failed)),
        (None, &signed(&body), Some(none)),
    ] {
        let emulator = Emulator::builder().with_baseten_public_key(on_file).start().await.unwrap();
        let header = format!("Api-Key {}", emulator.baseten().credential());
        let headers = [("Authorization", header.as_str()), ("X-Baseten-Signature", signature)];
        let answer = send(emulator.baseten(), "POST", &format!("{KEYS}/register"), &headers, &body.to_string()).await;
        assert_eq!(answer.status, if refusal.is_none() { 200 } else { 400 }, "{answer:?}");
        assert_eq!(answer.json().get("message"), refusal.as_ref());
    }
    let error = Emulator::builder().with_baseten_public_key(Some("AAAA")).start().await.unwrap_err();
    assert!(error.to_string().contains("baseten") && error.to_string().contains("Base64"), "{error}");
}

#[tokio::test]
async fn a_key_of_ones_own_is_registered() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let path = format!("{KEYS}/register");
    let good = format!("Api-Key {}", baseten.credential());
    let register = async |signature: &str, body: Value| {
        let headers = [("Authorization", good.as_str()), ("X-Baseten-Signature", signature)];
        send(baseten, "POST", &path, &headers, &body.to_string()).await
    };
    let body = json!({"key": "my own/key 12345 EXAMPLEnotASecret", "name": "mine"});
    let signature = signed(&body);
    let of_another = signed(&json!({"key": "another key 12345 EXAMPLEnotASecret", "name": "mine"}));
    let altered = format!("{}A{}", &signature[..40], &signature[41..]);
    for wrong in ["", "AAAA", &"A".repeat(88), &of_another, &altered, &signature[..86]] {
        let answer = register(wrong, body.clone()).await;
        assert_error(&answer, 400);
        assert_eq!(answer.json()["message"], "Signature verification failed");
    }
    assert_eq!(register(&signature, body.clone()).await.json(), json!({"ok": true}));
    assert_error(&register(&signature, body.clone()).await, 400);
    for key in ["too short", &"x".repeat(129), &"ab".repeat(20)] {
        let body = json!({"key": key});
        let answer = register(&signed(&body), body).await;
        assert_error(&answer, 400);
        assert!(answer.json()["message"].as_str().unwrap().starts_with("key:"), "{answer:?}");
    }
    let found = caller(&emulator).done("GET", &format!("{KEYS}/{}", segment("my own/key 12345")), json!(null)).await;
    assert_eq!(found, json!({"prefix": "my own/key 12345", "name": "mine"}));
}

#[tokio::test]
async fn the_life_of_a_group() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let groups = "/v1/gateway/groups";
    let body = |external: &str, parent: Value| {
        json!({
            "metadata": {"name": "New", "external_entity_id": external},
            "models": [{"slug": "acme/small", "usage_limits": [{"type": "TOKEN", "unit": "DAY", "threshold": 5}]}],
            "hierarchy": {"limit_enforcement": "CASCADING", "parent_group_id": parent},
        })
    };
    let made = caller.done("POST", groups, body("ext-1", json!(null))).await;
    let path = format!("{groups}/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.done("GET", &path, json!(null)).await, made);
    assert_eq!(made["effective_models"][0]["usage_limits"][0]["source_group"], made["id"]);
    assert_error(&caller.ask("POST", groups, body("ext-1", json!(null))).await, 400);
    assert_error(&caller.ask("POST", groups, body("ext-2", json!("nope"))).await, 404);
    assert_error(&caller.ask("POST", groups, json!({})).await, 400);
    let child = caller.done("POST", groups, body("ext-2", made["id"].clone())).await;
    let child_keys = format!("{groups}/{}/api_keys", child["id"].as_str().unwrap());
    caller.done("POST", &child_keys, json!({})).await;

    assert_eq!(caller.done("GET", groups, json!(null)).await["items"].as_array().unwrap().len(), 3);
    let one = caller.done("GET", &format!("{groups}?external_entity_id=ext-2"), json!(null)).await;
    assert_eq!(one["items"], json!([child]));
    let usage = caller.done("GET", &format!("{path}/usage"), json!(null)).await;
    assert_eq!((&usage["customer_id"], &usage["usage"]["acme/small"][0]["threshold"]), (&json!("ext-1"), &json!(5)));

    let updated = caller.done("PATCH", &path, json!({"metadata": {"name": "Renamed"}})).await;
    assert_eq!(updated["metadata"], json!({"name": "Renamed", "external_entity_id": "ext-1"}));
    assert_eq!(updated["models"], made["models"]);
    let updated = caller.done("PATCH", &path, json!({"models": []})).await;
    assert_eq!((&updated["models"], &updated["effective_models"]), (&json!([]), &json!([])));
    assert_error(&caller.ask("PATCH", &path, json!({})).await, 400);

    let deleted = caller.done("DELETE", &path, json!(null)).await;
    assert_eq!((&deleted["id"], deleted["deleted_at"].is_string()), (&made["id"], true));
    for gone in [&path, &child_keys] {
        assert_error(&caller.ask("GET", gone, json!(null)).await, 404);
    }
}

#[tokio::test]
async fn keys_of_the_workspace() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let path = "/v1/api_keys";
    let first = caller.done("GET", path, json!(null)).await;
    assert_eq!(first["keys"][0]["prefix"], "emuWsKey", "the credential's own");
    let body = json!({"type": "WORKSPACE_INVOKE", "name": "smoke", "model_ids": ["m1"]});
    let created = caller.done("POST", path, body.clone()).await;
    assert_eq!(created.as_object().unwrap().len(), 1);
    let prefix = created["api_key"].as_str().unwrap().split_once('.').unwrap().0;
    assert_error(&caller.ask("POST", path, body).await, 400);
    for body in [
        json!({}),
        json!({"type": "OTHER"}),
        json!({"type": "PERSONAL", "model_ids": ["m1"]}),
        json!({"type": "PERSONAL"}),
        json!({"type": "WORKSPACE_MANAGE_API_KEYS"}),
    ] {
        assert_error(&caller.ask("POST", path, body).await, 400);
    }
    let listed = caller.done("GET", &format!("{path}?type=WORKSPACE_INVOKE"), json!(null)).await["keys"].clone();
    assert_eq!((&listed[1]["prefix"], &listed[1]["model_ids"]), (&json!(prefix), &json!(["m1"])));
    caller.done("POST", "/v1/teams/team-1/api_keys", json!({"type": "WORKSPACE_INVOKE", "name": "smoke"})).await;
    assert_eq!(caller.done("GET", path, json!(null)).await["keys"][4]["team_name"], "team-1");

    let one = format!("{path}/{prefix}");
    assert_eq!(caller.done("DELETE", &one, json!(null)).await, json!({"prefix": prefix}));
    assert_error(&caller.ask("DELETE", &one, json!(null)).await, 404);
}
