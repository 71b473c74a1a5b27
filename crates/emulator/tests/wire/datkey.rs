//! Datkey's keys with an expiry and a number of verifications.

use crate::raw::{emulator, get, look_up_hostile_ids};

const MEMBERS: [&str; 11] = [
    "created_at",
    "expires_at",
    "id",
    "key",
    "length",
    "meta",
    "name",
    "prefix",
    "updated_at",
    "verification_limit",
    "verifications",
];

#[tokio::test]
async fn keys_are_wrapped_and_masked() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    let mut keys = Vec::new();
    for address in datkey.seeded() {
        let path = format!("/keys/{}", address[0]);
        let answer = get(datkey, &path, &[("x-api-key", datkey.credential())]).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let key = body["key"].clone();
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, MEMBERS);
        assert_eq!(key["id"].as_str(), Some(address[0].as_str()));
        assert!(key["key"].as_str().is_some_and(|text| text.ends_with("*******")));
        assert!(key["length"].as_i64().is_some_and(|length| (16..=255).contains(&length)));
        keys.push(key);
    }
    let [limited, expired, exhausted, unlimited] = keys.as_slice() else { panic!("four keys") };
    assert!(limited["expires_at"].as_i64() > Some(4_000_000_000) && limited["meta"].is_object());
    assert!(limited["verifications"].as_i64() < limited["verification_limit"].as_i64());
    assert!(expired["expires_at"].as_i64().is_some_and(|seconds| seconds < 1_750_000_000));
    assert_eq!(exhausted["verifications"], exhausted["verification_limit"]);
    for member in ["prefix", "verification_limit", "expires_at", "meta"] {
        assert!(unlimited[member].is_null(), "{member}");
    }
}

#[tokio::test]
async fn only_the_header_of_its_own_is_accepted() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    let path = format!("/keys/{}", datkey.sample_address()[0]);
    let bearer = format!("Bearer {}", datkey.credential());
    for headers in [
        vec![],
        vec![("x-api-key", "wrong")],
        vec![("x-api-key", bearer.as_str())],
        vec![("Authorization", bearer.as_str())],
    ] {
        let answer = get(datkey, &path, &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.json()["message"].is_string());
    }
    assert_eq!(get(datkey, &path, &[("X-Api-Key", datkey.credential())]).await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_told_in_a_message() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    for path in ["/keys/nope", "/keys/", "/nope"] {
        let answer = get(datkey, path, &[("x-api-key", datkey.credential())]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["message"].is_string());
    }
}

#[tokio::test]
async fn the_id_is_one_segment_decoded_once() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    let headers = [("x-api-key", datkey.credential())];
    look_up_hostile_ids(datkey, &headers, |id| vec![id.to_owned()], |id| format!("/keys/{id}")).await;
}
