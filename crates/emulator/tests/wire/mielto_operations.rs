//! What Mielto does with keys.

use keymux_emulator::Emulator;
use serde_json::{Value, json};

use crate::raw::{Answer, Caller, emulator, get, send};

const KEYS: &str = "/api/v1/api-keys";

fn caller(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.mielto(), "Authorization", "Bearer ")
}

fn assert_invalid(answer: &Answer, place: &str, name: &str) {
    assert_eq!(answer.status, 422, "{answer:?}");
    let issue = answer.json()["detail"][0].clone();
    assert_eq!(issue["loc"], json!([place, name]));
    assert!(issue["msg"].is_string() && issue["type"].is_string());
}

#[tokio::test]
async fn the_life_of_a_key() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let body = json!({"label": "nightly", "permissions": ["read"], "expires_at": "2099-01-01T00:00:00Z"});
    let created = caller.done("POST", KEYS, body).await;
    assert_eq!(created.as_object().unwrap().len(), 15);
    assert!(created["secret"].as_str().unwrap().starts_with("sk_test_EXAMPLE"));
    assert!(created["key"].as_str().unwrap().len() <= 50);
    assert_eq!((&created["status"], &created["workspace_id"]), (&json!("active"), &json!("wsp_000000001")));

    let path = format!("{KEYS}/{}", created["id"].as_str().unwrap());
    let found = caller.done("GET", &path, json!(null)).await;
    assert_eq!((&found["secret"], &found["label"]), (&json!(null), &created["label"]));
    let listed = caller.done("GET", KEYS, json!(null)).await;
    assert_eq!((&listed["total_count"], &listed["data"][4]), (&json!(5), &found));

    let updated = caller.done("PUT", &path, json!({"status": "inactive", "expires_at": null})).await;
    assert_eq!((&updated["status"], &updated["expires_at"]), (&json!("inactive"), &json!(null)));
    assert_eq!((&updated["label"], &updated["permissions"]), (&found["label"], &found["permissions"]));
    assert_eq!(caller.done("GET", &path, json!(null)).await, updated);

    caller.done("DELETE", &path, json!(null)).await;
    for method in ["GET", "DELETE", "PUT"] {
        let body = if method == "PUT" { json!({"label": "x"}) } else { json!(null) };
        let gone = caller.ask(method, &path, body).await;
        assert_eq!((gone.status, gone.json()["detail"].is_string()), (404, true), "{method}");
    }
    assert_eq!(caller.done("GET", KEYS, json!(null)).await["total_count"], 4);
}

#[tokio::test]
async fn pages_are_cut_by_skip_and_limit() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    let mut ids = Vec::new();
    for (skip, has_more, next_page) in [(0, true, json!(2)), (3, false, json!(null)), (9, false, json!(null))] {
        let page = caller.done("GET", &format!("{KEYS}?skip={skip}&limit=3"), json!(null)).await;
        assert_eq!((&page["total_count"], &page["limit"]), (&json!(4), &json!(3)));
        assert_eq!((&page["has_more"], &page["next_page"]), (&json!(has_more), &next_page));
        assert_eq!(page["next_cursor"].is_string(), has_more);
        ids.extend(page["data"].as_array().unwrap().iter().map(|key| key["key"].clone()));
    }
    let expected = (1..=4).map(|serial| json!(format!("mk_test_EXAMPLE000000000{serial}"))).collect::<Vec<_>>();
    assert_eq!(ids, expected);
    for (name, value) in [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("skip", "-1")] {
        assert_invalid(&caller.ask("GET", &format!("{KEYS}?{name}={value}"), json!(null)).await, "query", name);
    }
}

#[tokio::test]
async fn a_header_names_the_workspace() {
    let emulator = emulator().await;
    let mielto = emulator.mielto();
    let headers = [("X-API-Key", mielto.credential()), ("X-Workspace-Id", "wsp_000000002")];
    let list = async || send(mielto, "GET", KEYS, &headers, "").await.json()["total_count"].clone();
    assert_eq!(list().await, 1);
    let created: Value = send(mielto, "POST", KEYS, &headers, "{\"label\": \"theirs\"}").await.json();
    assert_eq!(created["workspace_id"], "wsp_000000002");
    assert_eq!(list().await, 2);
}

#[tokio::test]
async fn bodies_are_checked() {
    let emulator = emulator().await;
    let caller = caller(&emulator);
    for (body, name) in [
        (json!({}), "label"),
        (json!({"label": null}), "label"),
        (json!({"label": ""}), "label"),
        (json!({"label": "\u{e9}".repeat(256)}), "label"),
        (json!({"label": "l", "status": 1}), "status"),
        (json!({"label": "l", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"label": "l", "permissions": "read"}), "permissions"),
        (json!({"label": "l", "collections": [1]}), "collections"),
    ] {
        assert_invalid(&caller.ask("POST", KEYS, body).await, "body", name);
    }
    assert_eq!(caller.status("POST", KEYS, json!({"label": "\u{e9}".repeat(255)})).await, 200);
    assert_eq!(caller.ask("POST", KEYS, json!([])).await.json()["detail"][0]["loc"], json!(["body"]));
}

#[tokio::test]
async fn a_key_of_another_workspace_than_the_headers_is_not_found() {
    let emulator = emulator().await;
    let vendor = emulator.mielto();
    let credential = format!("Bearer {}", vendor.credential());
    let path = "/api/v1/api-keys/key_000000001";
    for (workspace, status) in [("wsp_000000001", 200), ("wsp_000000002", 404)] {
        let headers = [("Authorization", credential.as_str()), ("X-Workspace-Id", workspace)];
        assert_eq!(get(vendor, path, &headers).await.status, status, "{workspace}");
    }
    let elsewhere = [("Authorization", credential.as_str()), ("X-Workspace-Id", "wsp_000000002")];
    assert_eq!(send(vendor, "PUT", path, &elsewhere, "{}").await.status, 404);
    assert_eq!(send(vendor, "DELETE", path, &elsewhere, "").await.status, 404);
    assert_eq!(get(vendor, path, &[("Authorization", credential.as_str())]).await.status, 200);
}
