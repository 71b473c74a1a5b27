//! Braintrust's keys of users.

use keymux_emulator::Vendor;
use serde_json::{Value, json};

use crate::raw::{Answer, HOSTILE_IDS, emulator, get, segment, send};

async fn look_up(vendor: &Vendor, id: &str) -> Answer {
    let authorization = format!("Bearer {}", vendor.credential());
    get(vendor, &format!("/v1/api_key/{id}"), &[("Authorization", &authorization)]).await
}

/// The message of an error, after checking that a context with the caller's e-mail follows it.
fn message(answer: &Answer) -> &str {
    let (message, context) = answer.text().split_once(" [user_email=").unwrap();
    let (_, rest) = context.split_once("] [user_org=").unwrap();
    assert!(rest.contains("] [timestamp=") && rest.contains("] [request_id=") && rest.ends_with(']'), "{rest}");
    assert!(context.starts_with("dev@example.com"), "{context}");
    message
}

#[tokio::test]
async fn a_key_has_all_its_fields_or_only_the_required_ones() {
    let emulator = emulator().await;
    let braintrust = emulator.braintrust();
    let mut keys = Vec::new();
    for address in braintrust.seeded() {
        let answer = look_up(braintrust, &address[0]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-bt-internal-trace-id").map(str::len), Some(32));
        let key = answer.json();
        assert_eq!(key["id"], json!(address[0]));
        assert!(key["name"].is_string() && key["preview_name"].is_string());
        keys.push(key);
    }
    let members = |key: &Value| key.as_object().unwrap().len();
    let nulls = |key: &Value| key.as_object().unwrap().values().filter(|value| value.is_null()).count();
    assert_eq!(keys.iter().map(members).collect::<Vec<_>>(), [9, 3, 9]);
    assert_eq!(keys.iter().map(nulls).collect::<Vec<_>>(), [0, 0, 6]);
}

#[tokio::test]
async fn only_the_bearer_is_accepted() {
    let emulator = emulator().await;
    let braintrust = emulator.braintrust();
    let path = format!("/v1/api_key/{}", braintrust.sample_address()[0]);
    let swapped = format!("Api-Key {}", braintrust.credential());
    for headers in [
        vec![],
        vec![("Authorization", "Bearer wrong")],
        vec![("Authorization", swapped.as_str())],
        vec![("x-api-key", braintrust.credential())],
    ] {
        let answer = get(braintrust, &path, &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        let (sentence, context) = answer.text().split_once(" [").unwrap();
        assert!(!sentence.is_empty() && context.ends_with(']'), "{answer:?}");
    }
}

#[tokio::test]
async fn a_missing_key_and_one_out_of_reach_are_the_same_400() {
    let emulator = emulator().await;
    let answer = look_up(emulator.braintrust(), "00000000-0000-4000-8000-00000000dead").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        message(&answer),
        "Missing read access to api_key id 00000000-0000-4000-8000-00000000dead, or the api_key does not exist"
    );
    assert!(answer.header("x-bt-internal-trace-id").is_some());
}

#[tokio::test]
async fn an_id_that_is_no_uuid_gets_the_issues_of_the_validator() {
    let emulator = emulator().await;
    let braintrust = emulator.braintrust();
    let encoded = HOSTILE_IDS.map(segment);
    for id in encoded.iter().map(String::as_str).chain(["nope", "%FF"]) {
        // Even a key that is there cannot be asked for by such an id.
        braintrust.seed([id], json!({"id": id}));
        let answer = look_up(braintrust, id).await;
        assert_eq!(answer.status, 400, "{id}");
        let issues: Value = serde_json::from_str(message(&answer)).unwrap();
        for member in ["validation", "code", "message", "path"] {
            assert!(issues[0].get(member).is_some(), "{member} in {issues}");
        }
    }
}

#[tokio::test]
async fn an_encoded_uuid_is_decoded_once() {
    let emulator = emulator().await;
    let braintrust = emulator.braintrust();
    let once = segment(&braintrust.sample_address()[0]);
    assert_eq!(look_up(braintrust, &once).await.status, 200);
    assert_eq!(look_up(braintrust, &segment(&once)).await.status, 400);
}

#[tokio::test]
async fn other_paths_end_at_the_gateway() {
    let emulator = emulator().await;
    for path in ["/", "/api_key/x", "/v1/api_key/a/b"] {
        let answer = get(emulator.braintrust(), path, &[]).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.json()["message"].as_str().unwrap().contains("Authorization"));
    }
}

#[tokio::test]
async fn a_preflight_of_the_keys_needs_no_credential() {
    let emulator = emulator().await;
    let braintrust = emulator.braintrust();
    let one = format!("/v1/api_key/{}", braintrust.sample_address()[0]);
    for (path, status) in [("/v1/api_key", 200), (one.as_str(), 200), ("/v1/service_token", 401)] {
        assert_eq!(send(braintrust, "OPTIONS", path, &[], "").await.status, status, "{path}");
    }
}
