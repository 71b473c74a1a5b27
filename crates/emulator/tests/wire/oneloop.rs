//! Oneloop's keys of workspaces.

use keymux_emulator::Vendor;
use serde_json::Value;

use crate::raw::{Answer, emulator, get, look_up_hostile_ids};

async fn look_up(vendor: &Vendor, workspace: &str, key: &str) -> Answer {
    let authorization = format!("Bearer {}", vendor.credential());
    get(vendor, &format!("/api/v1/workspace/{workspace}/api-key/{key}"), &[("Authorization", &authorization)]).await
}

/// Checks the one shape of Oneloop's errors.
fn assert_error(answer: &Answer, status: u16) {
    let body = answer.json();
    assert_eq!(answer.status, status);
    assert_eq!(body["error"]["code"], status);
    assert!(body["error"]["message"].is_string());
}

#[tokio::test]
async fn keys_are_wrapped_and_have_every_required_member() {
    let emulator = emulator().await;
    let oneloop = emulator.oneloop();
    let mut keys = Vec::new();
    for address in oneloop.seeded() {
        let answer = look_up(oneloop, &address[0], &address[1]).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let key = body["apiKey"].clone();
        assert_eq!(key["id"].as_str(), Some(address[1].as_str()));
        for text in ["id", "name", "maskedKey", "createdAt", "updatedAt"] {
            assert!(key[text].is_string(), "{text}");
        }
        for nullable in ["prefix", "expiresAt", "customerId", "lastUsedAt", "billingId"] {
            assert!(key.get(nullable).is_some(), "{nullable}");
        }
        for scope in key["scopes"].as_array().unwrap() {
            assert!(scope["representation"].is_string());
            for action in ["create", "read", "update", "del"] {
                assert!(scope[action].is_boolean(), "{action}");
            }
        }
        keys.push(key);
    }
    let flags = |key: &Value| (key["enabled"].as_bool().unwrap(), key["deleted"].as_bool().unwrap());
    assert_eq!(
        keys.iter().map(flags).collect::<Vec<_>>(),
        [(true, false), (false, false), (true, true), (true, false)]
    );
    assert!(keys.iter().any(|key| key["expiresAt"].as_i64() > Some(0)));
    assert!(keys.iter().any(|key| key["expiresAt"].is_null()));
}

#[tokio::test]
async fn only_the_bearer_is_accepted() {
    let emulator = emulator().await;
    let oneloop = emulator.oneloop();
    let [workspace, key] = oneloop.sample_address() else { panic!("two ids") };
    let path = format!("/api/v1/workspace/{workspace}/api-key/{key}");
    for headers in [vec![], vec![("Authorization", "Bearer wrong")], vec![("x-api-key", oneloop.credential())]] {
        assert_error(&get(oneloop, &path, &headers).await, 401);
    }
}

#[tokio::test]
async fn a_key_is_found_in_its_own_workspace_alone() {
    let emulator = emulator().await;
    let oneloop = emulator.oneloop();
    let [first, .., last] = oneloop.seeded() else { panic!("several keys") };
    assert_ne!(first[0], last[0], "two workspaces");
    for (workspace, key) in [(&first[0], &last[1]), (&last[0], &first[1]), (&first[0], &"nope".to_owned())] {
        assert_error(&look_up(oneloop, workspace, key).await, 404);
    }
}

#[tokio::test]
async fn other_paths_do_not_exist() {
    let emulator = emulator().await;
    for path in ["/", "/api/v1/workspace/w/api-key/k/l"] {
        assert_error(&get(emulator.oneloop(), path, &[]).await, 404);
    }
}

#[tokio::test]
async fn each_id_is_one_segment_decoded_once() {
    let emulator = emulator().await;
    let oneloop = emulator.oneloop();
    let authorization = format!("Bearer {}", oneloop.credential());
    let headers = [("Authorization", authorization.as_str())];
    let workspace = |id: &str| vec![id.to_owned(), "k".to_owned()];
    let key = |id: &str| vec!["w".to_owned(), id.to_owned()];
    look_up_hostile_ids(oneloop, &headers, workspace, |id| format!("/api/v1/workspace/{id}/api-key/k")).await;
    look_up_hostile_ids(oneloop, &headers, key, |id| format!("/api/v1/workspace/w/api-key/{id}")).await;
}
