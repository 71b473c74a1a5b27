//! Generated keys: what they are, and that they behave like those that were made one by one.

use std::collections::BTreeSet;

use keymux_emulator::{Emulator, MAX_KEYS, Vendor};
use serde_json::{Value, json};

use crate::raw::{Caller, segment};

async fn generated(keys: usize, seed: u64) -> Emulator {
    Emulator::builder().with_keys(keys).with_seed(seed).start().await.unwrap()
}

fn callers(emulator: &Emulator) -> [Caller<'_>; 5] {
    [
        Caller::new(emulator.baseten(), "Authorization", "Api-Key "),
        Caller::new(emulator.braintrust(), "Authorization", "Bearer "),
        Caller::new(emulator.mielto(), "Authorization", "Bearer "),
        Caller::new(emulator.datkey(), "x-api-key", ""),
        Caller::new(emulator.oneloop(), "Authorization", "Bearer "),
    ]
}

fn vendors(emulator: &Emulator) -> [&Vendor; 5] {
    [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()]
}

/// The path of a key.
fn path(vendor: &Vendor, address: &[String]) -> String {
    let ids: Vec<_> = address.iter().map(|id| segment(id)).collect();
    match (vendor.name(), ids.as_slice()) {
        ("baseten", [group, prefix]) => format!("/v1/gateway/groups/{group}/api_keys/{prefix}"),
        ("braintrust", [id]) => format!("/v1/api_key/{id}"),
        ("mielto", [id]) => format!("/api/v1/api-keys/{id}"),
        ("datkey", [id]) => format!("/keys/{id}"),
        ("oneloop", [workspace, id]) => format!("/api/v1/workspace/{workspace}/api-key/{id}"),
        other => unreachable!("{other:?}"),
    }
}

/// A key as the vendor tells of it, without a wrapper.
async fn look_up(caller: &Caller<'_>, vendor: &Vendor, index: usize) -> Value {
    let found = caller.done("GET", &path(vendor, &vendor.generated(index).unwrap()), json!(null)).await;
    match vendor.name() {
        "datkey" => found["key"].clone(),
        "oneloop" => found["apiKey"].clone(),
        _ => found,
    }
}

/// The rows of all lists of a vendor, read in pages of `limit`.
async fn listed(caller: &Caller<'_>, vendor: &Vendor, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let pages_of = async |path: &str, rows: &mut Vec<Value>| {
        let mut cursor = String::new();
        loop {
            let page = caller.done("GET", &format!("{path}?limit={limit}{cursor}"), json!(null)).await;
            rows.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["pagination"]["cursor"].as_str() else { break };
            cursor = format!("&cursor={}", segment(next));
        }
    };
    match vendor.name() {
        "baseten" => {
            let mut groups = Vec::new();
            pages_of("/v1/gateway/groups", &mut groups).await;
            for group in groups {
                let path = format!("/v1/gateway/groups/{}/api_keys", group["id"].as_str().unwrap());
                pages_of(&path, &mut rows).await;
            }
        }
        "braintrust" => loop {
            let after = rows.last().map(|row: &Value| format!("&starting_after={}", row["id"].as_str().unwrap()));
            let path = format!("/v1/api_key?limit={limit}{}", after.unwrap_or_default());
            let page = caller.done("GET", &path, json!(null)).await["objects"].as_array().unwrap().clone();
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        },
        "mielto" => loop {
            let path = format!("/api/v1/api-keys?limit={limit}&skip={}", rows.len());
            let page = caller.done("GET", &path, json!(null)).await;
            rows.extend(page["data"].as_array().unwrap().clone());
            if page["has_more"] == json!(false) {
                assert_eq!(page["total_count"], rows.len());
                break;
            }
        },
        "oneloop" => {
            let all = caller.done("GET", "/api/v1/workspace", json!(null)).await;
            for workspace in all["workspaces"].as_array().unwrap() {
                let path = format!("/api/v1/workspace/{}/api-key", workspace["id"].as_str().unwrap());
                rows.extend(caller.done("GET", &path, json!(null)).await["apiKeys"].as_array().unwrap().clone());
            }
        }
        other => unreachable!("{other} has no list"),
    }
    rows
}

#[tokio::test]
async fn the_seed_number_decides_what_the_keys_are() {
    let (one, same, other) = (generated(40, 3).await, generated(40, 3).await, generated(40, 4).await);
    for index in [0, 1, 39] {
        for vendor in 0..5 {
            let key = async |emulator: &Emulator| {
                let (caller, vendor) = (&callers(emulator)[vendor], vendors(emulator)[vendor]);
                (vendor.generated(index), look_up(caller, vendor, index).await)
            };
            assert_eq!(key(&one).await, key(&same).await);
            assert_ne!(key(&one).await, key(&other).await);
        }
    }
    assert_eq!(one.mielto().generated(40), None);
    assert_eq!(Emulator::start().await.unwrap().mielto().generated(0), None);
}

#[tokio::test]
async fn every_generated_key_is_listed_once_and_looked_up_as_it_is_listed() {
    let emulator = generated(230, 1).await;
    for (caller, vendor) in callers(&emulator).iter().zip(vendors(&emulator)) {
        let addresses: BTreeSet<_> = (0..230).map(|index| vendor.generated(index).unwrap()).collect();
        assert_eq!((addresses.len(), vendor.seeded().len()), (230, 230));
        assert_eq!(vendor.sample_address(), vendor.generated(0).unwrap());
        let mut found = Vec::new();
        for index in 0..230 {
            let mut key = look_up(caller, vendor, index).await;
            if vendor.name() == "mielto" {
                key["id"] = json!(vendor.generated(index).unwrap()[0]); // a row always has it
            }
            found.push(key.to_string());
        }
        if vendor.name() == "datkey" {
            continue;
        }
        let rows: Vec<_> = listed(caller, vendor, 7).await.iter().map(Value::to_string).collect();
        if ["braintrust", "mielto"].contains(&vendor.name()) {
            assert_eq!(rows, found, "{}", vendor.name());
        }
        let sorted = |keys: &[String]| keys.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!((rows.len(), sorted(&rows)), (230, sorted(&found)), "{}", vendor.name());
    }
}

#[tokio::test]
async fn keys_differ_as_their_vendors_document_it() {
    let emulator = generated(400, 1).await;
    for (number, members) in [
        (0, vec!["name:null", "name:absent", "name:string"]),
        (1, vec!["user_email:null", "user_email:absent", "user_given_name:null", "org_id:absent", "created:string"]),
        (
            2,
            vec![
                "id:absent",
                "status:absent",
                "status=\"inactive\"",
                "status=\"active\"",
                "expires_at:null",
                "expires_at:string",
                "permissions:null",
                "permissions=[]",
                "ip_whitelist:null",
                "ip_whitelist:array",
                "last_used_at:null",
                "created_by:null",
            ],
        ),
        (
            3,
            vec![
                "expires_at:null",
                "expires_at:number",
                "prefix:null",
                "verification_limit:null",
                "meta:null",
                "meta:object",
            ],
        ),
        (
            4,
            vec![
                "expiresAt:null",
                "expiresAt:number",
                "prefix:null",
                "enabled=false",
                "deleted=true",
                "customerId:null",
                "lastUsedAt:null",
                "billingId:null",
                "billingId:string",
                "scopes=[]",
            ],
        ),
    ] {
        let (caller, vendor) = (&callers(&emulator)[number], vendors(&emulator)[number]);
        let mut seen = BTreeSet::new();
        for index in 0..400 {
            let key = look_up(caller, vendor, index).await;
            for name in members.iter().filter_map(|member| member.split([':', '=']).next()) {
                let kind = match key.get(name) {
                    None => "absent",
                    Some(Value::Null) => "null",
                    Some(Value::String(_)) => "string",
                    Some(Value::Number(_)) => "number",
                    Some(Value::Array(_)) => "array",
                    Some(Value::Object(_)) => "object",
                    Some(Value::Bool(_)) => "boolean",
                };
                seen.insert(format!("{name}:{kind}"));
                seen.insert(format!("{name}={}", key.get(name).unwrap_or(&Value::Null)));
            }
            if index == 0 {
                assert!(!seen.iter().any(|member| member.contains("absent") || member.contains(":null")), "{seen:?}");
            }
        }
        for member in &members {
            assert!(seen.contains(*member), "{}: no key with {member}", vendor.name());
        }
    }
    let prefixes = (0..400).map(|index| emulator.baseten().generated(index).unwrap()[1].clone());
    let registered: Vec<_> = prefixes.filter(|prefix| prefix.contains('/')).collect();
    assert!(!registered.is_empty() && registered.iter().all(|prefix| prefix.chars().count() == 16));
}

#[tokio::test]
async fn the_last_of_a_million_is_found_listed_and_verified() {
    let emulator = generated(MAX_KEYS, 9).await;
    let last = MAX_KEYS - 1;
    let [baseten, braintrust, mielto, datkey, oneloop] = callers(&emulator);
    let id = |vendor: &Vendor, index| vendor.generated(index).unwrap().last().unwrap().clone();

    let group = emulator.baseten().generated(last).unwrap()[0].clone();
    let mates = (0..MAX_KEYS).step_by(100).map(|first| first + last % 100);
    assert!(mates.clone().step_by(1000).all(|mate| emulator.baseten().generated(mate).unwrap()[0] == group));
    let path = format!("/v1/gateway/groups/{group}/api_keys?limit=2&cursor={:014x}%3D%3D", MAX_KEYS - 200);
    let page = baseten.done("GET", &path, json!(null)).await;
    assert_eq!(page["items"][1]["prefix"], id(emulator.baseten(), last));
    assert_eq!((page["items"].as_array().unwrap().len(), &page["pagination"]["has_more"]), (2, &json!(false)));

    let path = format!("/v1/api_key?starting_after={}", id(emulator.braintrust(), last - 1));
    let page = braintrust.done("GET", &path, json!(null)).await;
    assert_eq!(page["objects"], json!([look_up(&braintrust, emulator.braintrust(), last).await]));
    let path = format!("/v1/api_key?limit=2&ending_before={}", id(emulator.braintrust(), last));
    let page = braintrust.done("GET", &path, json!(null)).await;
    assert_eq!(page["objects"][1]["id"], id(emulator.braintrust(), last - 1));
    let name = look_up(&braintrust, emulator.braintrust(), last).await["name"].as_str().unwrap().replace(' ', "+");
    let page = braintrust.done("GET", &format!("/v1/api_key?api_key_name={name}"), json!(null)).await;
    assert_eq!(page["objects"][0]["id"], id(emulator.braintrust(), last));
    let all = braintrust.done("GET", "/v1/api_key", json!(null)).await;
    assert_eq!(all["objects"].as_array().unwrap().len(), 1000, "no page is larger");

    let page = mielto.done("GET", &format!("/api/v1/api-keys?skip={last}"), json!(null)).await;
    assert_eq!((&page["data"][0]["id"], &page["total_count"]), (&json!(id(emulator.mielto(), last)), &json!(MAX_KEYS)));

    let listed = oneloop.done("GET", &path_of_workspace(emulator.oneloop(), last), json!(null)).await;
    let listed = listed["apiKeys"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[9999]["id"]), (10_000, &json!(id(emulator.oneloop(), last))));

    for (caller, vendor, path, more) in [
        (&datkey, emulator.datkey(), "/keys/verify", json!({"api_id": "api_example_1"})),
        (&oneloop, emulator.oneloop(), "/api/v1/api-key/verify", json!({"requestedScopes": []})),
    ] {
        let address = vendor.generated(last).unwrap();
        let mut body = more;
        body["key"] = json!(vendor.plaintext(&address).unwrap());
        let verdict = caller.done("POST", path, body).await;
        let told = verdict.get("apiKeyId").unwrap_or(&verdict["key"]["id"]);
        assert_eq!(told, address.last().unwrap());
    }
}

fn path_of_workspace(vendor: &Vendor, index: usize) -> String {
    format!("/api/v1/workspace/{}/api-key", vendor.generated(index).unwrap()[0])
}

#[tokio::test]
async fn a_change_a_removal_and_an_addition_show_in_look_ups_and_lists() {
    let emulator = generated(40, 2).await;
    for (caller, vendor) in
        callers(&emulator).iter().zip(vendors(&emulator)).filter(|(_, vendor)| vendor.name() != "datkey")
    {
        let before = listed(caller, vendor, 1000).await;
        let name = if vendor.name() == "mielto" { "label" } else { "name" };
        let own = if vendor.name() == "baseten" { "prefix" } else { "id" };
        let gone = vendor.generated(8).unwrap();
        if vendor.name() == "oneloop" {
            // A deleted key stays.
            caller.done("DELETE", &path(vendor, &gone), json!(null)).await;
            assert_eq!(look_up(caller, vendor, 8).await["deleted"], true);
        } else {
            caller.done("DELETE", &path(vendor, &gone), json!(null)).await;
            assert_ne!(caller.status("GET", &path(vendor, &gone), json!(null)).await, 200);
            assert_ne!(caller.status("DELETE", &path(vendor, &gone), json!(null)).await, 200);
        }
        let changed = vendor.generated(0).unwrap();
        match vendor.name() {
            "mielto" => drop(caller.done("PUT", &path(vendor, &changed), json!({"label": "changed"})).await),
            "oneloop" => drop(caller.done("PATCH", &path(vendor, &changed), json!({"name": "changed"})).await),
            _ => {}
        }
        // In the group or workspace of the first key; as old as none.
        let mut added = vendor.generated(0).unwrap();
        *added.last_mut().unwrap() = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80".to_owned();
        vendor.seed(added.clone(), json!({name: "added", own: added.last().unwrap(), "workspace_id": "w"}));

        let mut expected = before;
        expected.retain(|row| vendor.name() == "oneloop" || row[own] != gone.last().unwrap().as_str());
        let names: BTreeSet<_> =
            expected.iter().map(|row| row[own].to_string()).chain([json!(added.last()).to_string()]).collect();
        for limit in [1, 3, 1000] {
            let rows = listed(caller, vendor, limit).await;
            let after: Vec<_> = rows.iter().map(|row| row[own].to_string()).collect();
            assert_eq!(after.iter().cloned().collect::<BTreeSet<_>>(), names, "{}", vendor.name());
            assert_eq!(after.len(), names.len());
            let own_of_added = json!(added.last()).to_string();
            let kept = |own: &String| *own != own_of_added;
            let order: Vec<_> = expected.iter().map(|row| row[own].to_string()).collect();
            assert_eq!(after.iter().filter(|own| kept(own)).cloned().collect::<Vec<_>>(), order, "{}", vendor.name());
            if ["mielto", "oneloop"].contains(&vendor.name()) {
                let row = rows.iter().find(|row| row[own] == changed.last().unwrap().as_str()).unwrap();
                assert_eq!(row[name], "changed");
            }
            if ["braintrust", "mielto"].contains(&vendor.name()) {
                assert_eq!(rows.last().unwrap()[own], added.last().unwrap().as_str());
            }
        }
    }
}

#[tokio::test]
async fn a_key_of_today_stands_before_the_generated_ones_of_braintrust() {
    let emulator = generated(5, 0).await;
    let (caller, vendor) = (&callers(&emulator)[1], emulator.braintrust());
    let third = look_up(caller, vendor, 2).await["created"].as_str().unwrap().to_owned();
    for (number, created) in [(1, "2999-01-01T00:00:00.000Z"), (2, third.as_str()), (3, "1999-01-01T00:00:00.000Z")] {
        let id = format!("00000000-0000-4000-8000-00000000000{number}");
        vendor.seed([&id], json!({"id": id, "name": "n", "preview_name": "p", "created": created}));
    }
    let id = |index: usize| json!(vendor.generated(index).unwrap()[0]);
    let own = |number: usize| json!(format!("00000000-0000-4000-8000-00000000000{number}"));
    let expected = [own(1), id(0), id(1), own(2), id(2), id(3), id(4), own(3)];
    for limit in [1, 2, 3, 100] {
        let ids: Vec<_> = listed(caller, vendor, limit).await.iter().map(|row| row["id"].clone()).collect();
        assert_eq!(ids, expected);
    }
    for (end, start) in [(3, 1), (7, 5), (1, 0)] {
        let path = format!("/v1/api_key?limit=2&ending_before={}", expected[end].as_str().unwrap());
        let page = caller.done("GET", &path, json!(null)).await["objects"].clone();
        let ids: Vec<_> = page.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        assert_eq!(ids, expected[start..end]);
    }
    let path = format!("/v1/api_key?ids={}&ids={}", expected[6].as_str().unwrap(), expected[3].as_str().unwrap());
    let page = caller.done("GET", &path, json!(null)).await["objects"].clone();
    assert_eq!((&page[0]["id"], &page[1]["id"], page.as_array().unwrap().len()), (&expected[3], &expected[6], 2));
}

#[tokio::test]
async fn mielto_counts_the_keys_of_a_workspace() {
    let emulator = generated(42, 5).await;
    let (caller, vendor) = (&callers(&emulator)[2], emulator.mielto());
    caller.done("DELETE", &path(vendor, &vendor.generated(4).unwrap()), json!(null)).await;
    let workspace = look_up(caller, vendor, 0).await["workspace_id"].as_str().unwrap().to_owned();
    vendor.seed(["mine"], json!({"key": "k", "label": "mine", "workspace_id": workspace}));
    let credential = format!("Bearer {}", vendor.credential());
    let headers = [("Authorization", credential.as_str()), ("X-Workspace-Id", workspace.as_str())];
    let mut ids = Vec::new();
    for skip in 0..11 {
        let page = crate::raw::get(vendor, &format!("/api/v1/api-keys?limit=1&skip={skip}"), &headers).await.json();
        assert_eq!((&page["total_count"], &page["has_more"]), (&json!(11), &json!(skip < 10)));
        ids.push(page["data"][0]["id"].as_str().unwrap().to_owned());
    }
    let mut expected: Vec<_> =
        [0, 8, 12, 16, 20, 24, 28, 32, 36, 40].map(|index| vendor.generated(index).unwrap()[0].clone()).into();
    expected.push("mine".to_owned());
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_rotated_key_opens_with_its_new_plaintext_alone() {
    let emulator = generated(20, 0).await;
    let (caller, vendor) = (&callers(&emulator)[4], emulator.oneloop());
    let address = vendor.generated(0).unwrap();
    let old = vendor.plaintext(&address).unwrap();
    let rotated = caller.done("POST", &format!("{}/rotate", path(vendor, &address)), json!(null)).await;
    for (key, status) in [(json!(old), "INVALID"), (rotated["apiKey"]["key"].clone(), "VALID")] {
        let body = json!({"key": key, "requestedScopes": []});
        assert_eq!(caller.done("POST", "/api/v1/api-key/verify", body).await["status"], status);
    }
}

#[tokio::test]
async fn an_address_that_only_resembles_a_generated_one_is_not_found() {
    let emulator = generated(100, 0).await;
    for (caller, vendor) in callers(&emulator).iter().zip(vendors(&emulator)) {
        let address = vendor.generated(3).unwrap();
        let id = address.last().unwrap();
        let digit = if id.ends_with('1') { "2" } else { "1" };
        let mut others = vec![format!("{}{digit}", &id[..id.len() - 1]), format!("x{}", &id[1..]), format!("{id}0")];
        others.push(id[id.len() - 12..].to_owned());
        for other in others {
            let mut address = address.clone();
            *address.last_mut().unwrap() = other;
            assert_ne!(caller.status("GET", &path(vendor, &address), json!(null)).await, 200, "{address:?}");
        }
        if let [_, id] = address.as_slice() {
            let elsewhere = [vendor.generated(4).unwrap()[0].clone(), id.clone()];
            assert_eq!(caller.status("GET", &path(vendor, &elsewhere), json!(null)).await, 404);
        }
    }
}

#[tokio::test]
async fn a_group_that_goes_takes_its_generated_keys_along() {
    let emulator = generated(40, 0).await;
    let (caller, vendor) = (&callers(&emulator)[0], emulator.baseten());
    let group = vendor.generated(1).unwrap()[0].clone();
    caller.done("DELETE", &format!("/v1/gateway/groups/{group}"), json!(null)).await;
    assert_eq!(caller.status("GET", &path(vendor, &vendor.generated(5).unwrap()), json!(null)).await, 404);
    assert_eq!(listed(caller, vendor, 4).await.len(), 30);
}

#[tokio::test]
async fn no_keys_are_no_keys() {
    let emulator = generated(0, 0).await;
    for (caller, vendor) in callers(&emulator).iter().zip(vendors(&emulator)) {
        assert!(vendor.sample_address().is_empty() && vendor.seeded().is_empty());
        if vendor.name() != "datkey" {
            assert_eq!(listed(caller, vendor, 10).await, [json!(null); 0]);
        }
    }
}

#[tokio::test]
async fn more_than_a_million_are_refused() {
    let error = Emulator::builder().with_keys(MAX_KEYS + 1).start().await.unwrap_err();
    assert!(error.to_string().contains("1000001") && error.to_string().contains("1000000"), "{error}");
}

#[tokio::test]
async fn generated_keys_end_and_were_used_on_both_sides_of_today() {
    const DAY: i64 = 86_400;
    let emulator = generated(400, 3).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let mut days = Vec::new();
    for index in 0..400 {
        let key = look_up(&callers(&emulator)[3], emulator.datkey(), index).await;
        days.extend(key["expires_at"].as_i64().map(|end| (end - now).div_euclid(DAY)));
    }
    let some = |from: i64, to: i64| days.iter().any(|day| (from..to).contains(day));
    assert!(some(-500, -30) && some(0, 7) && some(7, 30) && some(30, 90) && some(365, 1001), "{days:?}");

    let mut used = BTreeSet::new();
    for index in 0..200 {
        let key = look_up(&callers(&emulator)[4], emulator.oneloop(), index).await;
        used.insert(key["lastUsedAt"].as_str().map(|at| at[..7].to_owned()));
    }
    assert!(used.contains(&None) && used.len() > 12, "never, lately and long ago: {used:?}");
}
