//! Mielto's keys of workspaces.

use serde_json::{Value, json};

use crate::raw::{emulator, get, look_up_hostile_ids};

#[tokio::test]
async fn keys_show_what_the_schema_allows() {
    let emulator = emulator().await;
    let mielto = emulator.mielto();
    let mut keys = Vec::new();
    for address in mielto.seeded() {
        let path = format!("/api/v1/api-keys/{}", address[0]);
        let answer = get(mielto, &path, &[("X-API-Key", mielto.credential())]).await;
        assert_eq!(answer.status, 200);
        let key = answer.json();
        for required in ["key", "label", "workspace_id"] {
            assert!(key[required].as_str().is_some_and(|text| !text.is_empty()), "{required} in {key}");
        }
        assert!(key["key"].as_str().is_some_and(|text| text.len() <= 50));
        keys.push(key);
    }
    assert!(keys.iter().any(|key| key["status"] == "active" && key["expires_at"].is_string()));
    assert!(keys.iter().any(|key| key["status"] == "inactive"));
    assert!(keys.iter().any(|key| *key
        == json!({
            "key": key["key"], "label": key["label"], "workspace_id": key["workspace_id"],
        })));
    for list in ["permissions", "ip_whitelist", "collections"] {
        assert!(keys[0][list].as_array().is_some_and(|items| !items.is_empty()), "{list}");
        assert!(keys.iter().any(|key| key.get(list) == Some(&Value::Null)), "{list}");
    }
}

#[tokio::test]
async fn either_header_suffices() {
    let emulator = emulator().await;
    let mielto = emulator.mielto();
    let path = format!("/api/v1/api-keys/{}", mielto.sample_address()[0]);
    let (bearer, key) = (format!("Bearer {}", mielto.credential()), mielto.credential());
    for headers in [
        vec![("Authorization", bearer.as_str())],
        vec![("X-API-Key", key)],
        vec![("Authorization", bearer.as_str()), ("X-API-Key", key), ("X-Workspace-Id", "wsp_000000001")],
    ] {
        assert_eq!(get(mielto, &path, &headers).await.status, 200, "{headers:?}");
    }
    for headers in [vec![], vec![("Authorization", "Bearer wrong")], vec![("X-API-Key", bearer.as_str())]] {
        let answer = get(mielto, &path, &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.json()["detail"].is_string());
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_detail() {
    let emulator = emulator().await;
    let mielto = emulator.mielto();
    let headers = [("X-API-Key", mielto.credential())];
    for path in ["/api/v1/api-keys/nope", "/api/v1/nope", "/"] {
        let answer = get(mielto, path, &headers).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.json()["detail"].is_string());
    }
}

#[tokio::test]
async fn the_id_is_one_segment_decoded_once() {
    let emulator = emulator().await;
    let mielto = emulator.mielto();
    let headers = [("X-API-Key", mielto.credential())];
    let path = |id: &str| format!("/api/v1/api-keys/{id}");
    look_up_hostile_ids(mielto, &headers, |id| vec![id.to_owned()], path).await;
}
