//! What is there from the start.

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::entry::{Address, Entry};
use crate::generated::{Draw, Recipe};

pub(super) fn keys() -> Vec<Entry> {
    vec![
        Entry::new(
            ["key_000000001"],
            json!({
                "id": "key_000000001",
                "created_at": "2025-02-01T09:00:00Z",
                "updated_at": "2025-03-01T09:30:00Z",
                "key": "mk_test_EXAMPLE0000000001",
                "hashed_secret": "EXAMPLE-HASH-OF-NOTHING-0000000001",
                "label": "nightly import",
                "status": "active",
                "last_used_at": "2025-06-30T23:59:59Z",
                "expires_at": "2099-12-31T23:59:59Z",
                "permissions": ["read", "write"],
                "ip_whitelist": ["192.0.2.10", "198.51.100.0/24"],
                "collections": ["col_000000001", "col_000000002"],
                "workspace_id": "wsp_000000001",
                "created_by": "usr_000000001",
                "secret": null,
            }),
        ),
        Entry::new(
            ["key_000000002"],
            json!({
                "id": "key_000000002",
                // The schema gives these two no format: here without a zone and with microseconds.
                "created_at": "2025-02-02T10:11:12.345678",
                "updated_at": "2025-02-03T10:11:12.345678",
                "key": "mk_test_EXAMPLE0000000002",
                "hashed_secret": null,
                "label": "switched off",
                "status": "inactive",
                "last_used_at": null,
                "expires_at": null,
                "permissions": ["read"],
                "ip_whitelist": [],
                "collections": [],
                "workspace_id": "wsp_000000001",
                "created_by": "usr_000000001",
                "secret": "sk_test_EXAMPLEnotASecret000000002",
            }),
        ),
        Entry::new(
            ["key_000000003"],
            json!({
                "id": "key_000000003",
                "created_at": "2025-02-03T12:00:00Z",
                "updated_at": null,
                "key": "mk_test_EXAMPLE0000000003",
                "hashed_secret": null,
                "label": "no limits",
                "status": "active",
                "last_used_at": null,
                "expires_at": null,
                "permissions": null,
                "ip_whitelist": null,
                "collections": null,
                "workspace_id": "wsp_000000002",
                "created_by": null,
                "secret": null,
            }),
        ),
        // By the schema not even the id is required.
        Entry::new(
            ["key_000000004"],
            json!({"key": "mk_test_EXAMPLE0000000004", "label": "the least", "workspace_id": "wsp_000000001"}),
        ),
    ]
}

pub(super) const RECIPE: Recipe = Recipe {
    owner: |draw| format!("wsp_{:09}", draw.below("workspace", 1_000_000_000)),
    address: |draw, _| vec![format!("key_{}", draw.token())],
    key: generated,
};

fn generated(draw: &Draw, workspace: &str, address: Address) -> Entry {
    let token = draw.token();
    let or_null = |member: &str, many: u64, known: Value| if draw.one_in(member, many) { Value::Null } else { known };
    let state = if draw.one_in("inactive", 6) { "inactive" } else { "active" };
    // Some instants are without a zone, and with microseconds.
    let created = draw.created();
    let created = if draw.one_in("no zone", 8) {
        created.with_micros().trim_end_matches('Z').to_owned()
    } else {
        created.whole()
    };
    let choices: [&[&str]; 4] = [&["read", "write"], &["read"], &["write"], &[]];
    let permissions = draw.pick("permissions", &choices).unwrap_or_default();
    let network = draw.below("network", 256);
    let mut value = json!({
        "id": address.last(),
        "created_at": created,
        "updated_at": or_null("not updated", 3, json!(draw.since_created("updated").whole())),
        "key": format!("mk_test_EXAMPLE{token}"),
        "hashed_secret": null,
        "label": draw.name(),
        "status": state,
        "last_used_at": draw.used().map(Instant::whole),
        "expires_at": draw.expiry().map(Instant::whole),
        "permissions": or_null("no permissions", 6, json!(permissions)),
        "ip_whitelist": or_null("no addresses", 2, json!(["192.0.2.10", format!("198.51.100.{network}/32")])),
        "collections": or_null("no collections", 3, json!([format!("col_{:09}", draw.below("collection", 1000))])),
        "workspace_id": workspace,
        "created_by": or_null("no creator", 5, json!(format!("usr_{:09}", draw.below("user", 40)))),
        "secret": null,
    });
    // By the schema not even the id is required.
    if let Some(members) = value.as_object_mut().filter(|_| draw.one_in("minimal", 12)) {
        members.retain(|name, _| ["key", "label", "workspace_id"].contains(&name.as_str()));
    }
    Entry::new(address, value).plaintext(format!("sk_test_EXAMPLEnotASecret{token}"))
}
