//! What is there from the start.

use serde_json::json;

use crate::store::Entry;

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
