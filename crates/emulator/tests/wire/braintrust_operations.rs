//! What Braintrust does with keys and with tokens of service accounts.

use keymux_emulator::Emulator;
use serde_json::{Value, json};

use crate::raw::{Answer, Caller, emulator};

const KEYS: &str = "/v1/api_key";
const TOKENS: &str = "/v1/service_token";

fn caller(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.braintrust(), "Authorization", "Bearer ")
}

fn assert_text(answer: &Answer, status: u16, start: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text().starts_with(start) && answer.text().contains(" [user_email="), "{answer:?}");
}

fn id(serial: u64) -> String {
    format!("6f1d2c3b-0000-4000-8000-{serial:012}")
}

/// The names of a page.
async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let page = caller.done("GET", &format!("{KEYS}?{query}"), json!(null)).await;
    assert_eq!(page.as_object().unwrap().len(), 1);
    page["objects"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_listed_deleted_and_gone() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let sample = &emulator.braintrust().sample_address()[0];
    let path = format!("{KEYS}/{sample}");
    let found = caller.done("GET", &path, json!(null)).await;
    assert_eq!(caller.done("GET", KEYS, json!(null)).await["objects"][0], found);
    assert_eq!(caller.done("DELETE", &path, json!(null)).await, found);
    let missing = format!("access to api_key id {sample}, or the api_key does not exist");
    assert_text(&caller.ask("DELETE", &path, json!(null)).await, 400, &format!("Missing delete {missing}"));
    assert_text(&caller.ask("GET", &path, json!(null)).await, 400, &format!("Missing read {missing}"));
    assert_text(&caller.ask("DELETE", &format!("{KEYS}/nope"), json!(null)).await, 400, "[{");
    assert_eq!(names(&caller, "").await.len(), 2);
}

#[tokio::test]
async fn keys_cannot_be_created() {
    let emulator = emulator().await;
    let answer = caller(&emulator).ask("POST", KEYS, json!({"name": "new"})).await;
    assert_text(&answer, 403, "API keys cannot create API keys");
}

#[tokio::test]
async fn pages_go_both_ways_from_an_id() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for serial in 1..=5 {
        let created = format!("2026-03-0{serial}T00:00:00.000Z");
        let key =
            json!({"id": id(serial), "name": format!("k{serial}"), "preview_name": "sk-****", "created": created});
        emulator.braintrust().seed([id(serial)], key);
    }
    let whole = ["k5", "k4", "k3", "k2", "k1", "ci", "ci-nulls", "ci-minimal"];
    assert_eq!(names(&caller, "").await, whole);
    assert_eq!(names(&caller, "limit=2&org_name=any").await, whole[..2]);
    assert_eq!(names(&caller, &format!("limit=2&starting_after={}", id(4))).await, whole[2..4]);
    assert_eq!(names(&caller, &format!("limit=2&ending_before={}", id(1))).await, whole[2..4]);
    assert_eq!(names(&caller, &format!("ending_before={}", id(4))).await, whole[..1]);
    assert_eq!(names(&caller, &format!("starting_after={}", emulator.braintrust().seeded()[1][0])).await, [""; 0]);
    assert_eq!(names(&caller, "limit=0").await, [""; 0]);
    assert_eq!(names(&caller, &format!("ids={}&ids={}", id(2), id(4))).await, ["k4", "k2"]);
    assert_eq!(names(&caller, "api_key_name=k3").await, ["k3"]);
    assert_eq!(names(&caller, "api_key_name=nope").await, [""; 0]);
    for query in [
        "limit=x".to_owned(),
        "ids=nope".to_owned(),
        format!("ids={},{}", id(1), id(2)),
        format!("starting_after={}", id(9)),
        format!("starting_after={}&ending_before={}", id(1), id(2)),
    ] {
        assert_text(&caller.ask("GET", &format!("{KEYS}?{query}"), json!(null)).await, 400, "");
    }
}

#[tokio::test]
async fn the_life_of_a_service_token() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let body = json!({"name": "deploy", "service_account_id": "account-1"});
    let created = caller.done("POST", TOKENS, body.clone()).await;
    assert!(created["key"].as_str().unwrap().starts_with("bt-st-EXAMPLE"));
    let path = |token: &Value| format!("{TOKENS}/{}", token["id"].as_str().unwrap());
    let found = caller.done("GET", &path(&created), json!(null)).await;
    assert_eq!((found.get("key"), &found["name"]), (None, &json!("deploy")));
    let listed = caller.done("GET", &format!("{TOKENS}?service_token_name=deploy"), json!(null)).await;
    assert_eq!(listed, json!({"objects": [found]}));

    let replaced = caller.done("PUT", TOKENS, body).await;
    assert_ne!(replaced["key"], created["key"]);
    assert_text(&caller.ask("GET", &path(&created), json!(null)).await, 400, "Missing read access to service_token");
    assert_eq!(caller.done("GET", TOKENS, json!(null)).await["objects"].as_array().unwrap().len(), 2);

    assert_eq!(caller.done("DELETE", &path(&replaced), json!(null)).await["id"], replaced["id"]);
    assert_text(&caller.ask("DELETE", &path(&replaced), json!(null)).await, 400, "Missing delete access to");
    let seeded = caller.done("GET", TOKENS, json!(null)).await["objects"][0].clone();
    assert_eq!(caller.done("DELETE", TOKENS, json!({"id": seeded["id"]})).await, seeded);
    assert_eq!(caller.done("GET", TOKENS, json!(null)).await, json!({"objects": []}));
    for body in [json!({}), json!({"name": "n"}), json!([])] {
        assert_text(&caller.ask("POST", TOKENS, body).await, 400, "");
    }
}
