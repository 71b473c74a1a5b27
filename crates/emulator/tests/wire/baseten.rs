//! Baseten's federated keys.

use keymux_emulator::{BASETEN_FOREIGN_GROUP, Vendor};
use serde_json::json;

use crate::raw::{emulator, get, look_up_hostile_ids, segment};

fn path(address: &[String]) -> String {
    format!("/v1/gateway/groups/{}/api_keys/{}", segment(&address[0]), segment(&address[1]))
}

fn good(vendor: &Vendor) -> String {
    format!("Api-Key {}", vendor.credential())
}

#[tokio::test]
async fn a_key_is_its_prefix_and_its_name() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let mut keys = Vec::new();
    for address in baseten.seeded() {
        let answer = get(baseten, &path(address), &[("Authorization", &good(baseten))]).await;
        assert_eq!(answer.status, 200);
        keys.push(answer.json());
    }
    assert_eq!(
        keys,
        [
            json!({"prefix": "sky_Qm4tZp0Lw8Rk", "name": "ci-runner"}),
            json!({"prefix": "hJkLmNp", "name": null}),
            json!({"prefix": "partner/eu+1 key", "name": "brought-along"}),
        ]
    );
}

#[tokio::test]
async fn both_schemes_are_accepted_and_nothing_else() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let path = path(baseten.sample_address());
    let credential = baseten.credential();
    for scheme in ["Api-Key", "Bearer"] {
        let answer = get(baseten, &path, &[("Authorization", &format!("{scheme} {credential}"))]).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    let swapped = format!("Basic {credential}");
    for headers in [
        vec![],
        vec![("Authorization", "Api-Key wrong")],
        vec![("Authorization", swapped.as_str())],
        vec![("Authorization", credential)],
        vec![("x-api-key", credential)],
    ] {
        let answer = get(baseten, &path, &headers).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        let body = answer.json();
        assert!(body["code"].is_string() && body["message"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_group_or_key_is_not_found() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let [group, prefix] = baseten.sample_address() else { panic!("two ids") };
    for [group, prefix] in [[group.as_str(), "nope"], ["nope", prefix.as_str()]] {
        let path = format!("/v1/gateway/groups/{group}/api_keys/{prefix}");
        let answer = get(baseten, &path, &[("Authorization", &good(baseten))]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("NOT_FOUND")), "{path}");
        assert!(answer.json()["message"].is_string());
    }
}

#[tokio::test]
async fn a_group_of_another_workspace_is_forbidden() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let path = format!("/v1/gateway/groups/{BASETEN_FOREIGN_GROUP}/api_keys/any");
    let answer = get(baseten, &path, &[("Authorization", &good(baseten))]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["message"].is_string());
    assert_eq!(get(baseten, &path, &[]).await.status, 401, "the credential comes first");
}

#[tokio::test]
async fn other_paths_do_not_exist() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    for path in ["/", "/v1/gateway/keys", "/v1/gateway/groups/g/api_keys/a/b"] {
        let answer = get(baseten, path, &[]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("NOT_FOUND")), "{path}");
    }
}

#[tokio::test]
async fn each_id_is_one_segment_decoded_once() {
    let emulator = emulator().await;
    let baseten = emulator.baseten();
    let authorization = good(baseten);
    let headers = [("Authorization", authorization.as_str())];
    let (group, prefix) = (|id: &str| vec![id.to_owned(), "k".to_owned()], |id: &str| vec!["g".to_owned(), id.into()]);
    look_up_hostile_ids(baseten, &headers, group, |id| format!("/v1/gateway/groups/{id}/api_keys/k")).await;
    look_up_hostile_ids(baseten, &headers, prefix, |id| format!("/v1/gateway/groups/g/api_keys/{id}")).await;
}
