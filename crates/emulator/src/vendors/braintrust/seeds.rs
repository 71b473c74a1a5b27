//! What is there from the start.

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::entry::{Address, Entry};
use crate::generated::{Draw, Recipe};

pub(super) fn keys() -> Vec<Entry> {
    let full = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";
    let minimal = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b81";
    let nulls = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b82";
    vec![
        Entry::new(
            [full],
            json!({
                "id": full,
                "created": "2026-02-03T10:20:30.123Z",
                "name": "ci",
                "preview_name": "sk-****k3Zq9",
                "user_id": "0d9c8b7a-1122-4334-8556-77889900aabb",
                "user_email": "dev@example.com",
                "user_given_name": "Dev",
                "user_family_name": "Example",
                "org_id": "11111111-2222-4333-8444-555555555555",
            }),
        ),
        Entry::new([minimal], json!({"id": minimal, "name": "ci-minimal", "preview_name": "sk-****m1Nim"})),
        Entry::new(
            [nulls],
            json!({
                "id": nulls,
                "created": null,
                "name": "ci-nulls",
                "preview_name": "sk-****nU11s",
                "user_id": null,
                "user_email": null,
                "user_given_name": null,
                "user_family_name": null,
                "org_id": null,
            }),
        ),
    ]
}

pub(super) fn service_token() -> Entry {
    let id = "5e7a1c00-0a9e-4b57-8c11-2f4d5e6a7b90";
    Entry::new(
        [id],
        json!({
            "id": id,
            "created": "2026-02-04T10:20:30.123Z",
            "name": "deploys",
            "preview_name": "bt-st-****d3Pl0",
            "service_account_id": "5e7a1c00-1122-4334-8556-77889900aabb",
            "service_account_email": "bot@example.com",
            "service_account_name": "bot",
            "org_id": "11111111-2222-4333-8444-555555555555",
        }),
    )
}

/// Each key is older than the one before, so that the order of a list is that of the indices.
pub(super) const RECIPE: Recipe =
    Recipe { owner: |_| String::new(), address: |draw, _| vec![draw.uuid()], key: generated };

fn generated(draw: &Draw, _: &str, address: Address) -> Entry {
    let token = draw.token();
    let user = draw.below("user", 40);
    let person = |member: &str, known: Value| {
        if draw.one_in(member, 8) { Value::Null } else { known }
    };
    let mut value = json!({
        "id": address.last(),
        "created": created(draw),
        "name": draw.name(),
        "preview_name": format!("sk-****{}", token.get(7..).unwrap_or_default()),
        "user_id": format!("0d9c8b7a-1122-4334-8556-{user:012x}"),
        "user_email": person("email", json!(format!("user{user}@example.com"))),
        "user_given_name": person("given name", json!("Dev")),
        "user_family_name": person("family name", json!(format!("Example {user}"))),
        "org_id": "11111111-2222-4333-8444-555555555555",
    });
    // What is not required may be missing.
    if let Some(members) = value.as_object_mut().filter(|_| draw.one_in("minimal", 10)) {
        members.retain(|name, _| ["id", "created", "name", "preview_name"].contains(&name.as_str()));
    }
    Entry::new(address, value).plaintext(format!("sk-EXAMPLEnotASecretBraintrust{token}"))
}

/// A minute, more or less, before the one of the key before; a million minutes are two years.
fn created(draw: &Draw) -> String {
    Instant(draw.now.0 - draw.index * 60_000 - draw.below("created", 60_000)).with_millis()
}
