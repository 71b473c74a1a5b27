//! What is there from the start.

use serde_json::json;

use super::{SECOND_WORKSPACE, WORKSPACE};
use crate::store::Entry;

pub(super) fn keys() -> Vec<Entry> {
    vec![
        Entry::new(
            [WORKSPACE, "ak_example_1"],
            json!({
                "id": "ak_example_1",
                "name": "billing bot",
                "maskedKey": "9c01e",
                "prefix": "acme",
                "expiresAt": 4_102_444_800_000_i64,
                "scopes": [
                    {
                        "id": "sc_example_1",
                        "representation": "invoices",
                        "create": true,
                        "read": true,
                        "update": true,
                        "del": false,
                    },
                    {"representation": "customers", "create": false, "read": true, "update": false, "del": false},
                ],
                "enabled": true,
                "customerId": "cust-42",
                "deleted": false,
                "createdAt": "2024-11-01T08:00:00.000Z",
                "updatedAt": "2024-11-02T08:00:00.000Z",
                "lastUsedAt": "2024-11-03T08:00:00.000Z",
                "billingId": "bill-42",
            }),
        )
        .plaintext("acme_EXAMPLEnotASecretOneloop9c01e"),
        Entry::new(
            [WORKSPACE, "ak_example_2"],
            json!({
                "id": "ak_example_2",
                "name": "paused bot",
                "maskedKey": "77d2b",
                "prefix": null,
                // The unit is documented nowhere: milliseconds above, seconds here.
                "expiresAt": 4_102_444_800_i64,
                "scopes": [
                    {"representation": "invoices", "create": false, "read": true, "update": false, "del": true},
                ],
                "enabled": false,
                "customerId": "cust-43",
                "deleted": false,
                "createdAt": "2024-11-04T08:00:00.000Z",
                "updatedAt": "2024-11-05T08:00:00.000Z",
                "lastUsedAt": null,
                "billingId": null,
            }),
        )
        .plaintext("EXAMPLEnotASecretOneloop77d2b"),
        Entry::new(
            [WORKSPACE, "ak_example_3"],
            json!({
                "id": "ak_example_3",
                "name": "retired bot",
                "maskedKey": "e4f80",
                "prefix": null,
                "expiresAt": null,
                "scopes": [],
                "enabled": true,
                "customerId": null,
                "deleted": true,
                "createdAt": "2024-10-01T08:00:00.000Z",
                "updatedAt": "2024-12-01T08:00:00.000Z",
                "lastUsedAt": "2024-11-30T08:00:00.000Z",
                "billingId": null,
            }),
        )
        .plaintext("EXAMPLEnotASecretOneloope4f80"),
        Entry::new(
            [SECOND_WORKSPACE, "ak_example_4"],
            json!({
                "id": "ak_example_4",
                "name": "staging bot",
                "maskedKey": "0a5c3",
                "prefix": "stg",
                "expiresAt": null,
                "scopes": [
                    {"representation": "reports", "create": true, "read": true, "update": true, "del": true},
                ],
                "enabled": true,
                "customerId": null,
                "deleted": false,
                "createdAt": "2024-12-01T08:00:00.000Z",
                "updatedAt": "2024-12-01T08:00:00.000Z",
                "lastUsedAt": null,
                "billingId": null,
            }),
        )
        .plaintext("stg_EXAMPLEnotASecretOneloop0a5c3"),
    ]
}

pub(super) fn workspaces() -> Vec<Entry> {
    [(WORKSPACE, "production", Some("acme")), (SECOND_WORKSPACE, "staging", None)]
        .map(|(id, name, prefix)| {
            Entry::new(
                [id],
                json!({
                    "id": id,
                    "name": name,
                    "teamId": "team_example_1",
                    "defaultKeyPrefix": prefix,
                    "defaultAllowedIPs": [],
                    "defaultRateLimitPerSecond": null,
                    "defaultExpiration": null,
                    "createdAt": "2024-10-01T07:00:00.000Z",
                    "updatedAt": "2024-10-01T07:00:00.000Z",
                }),
            )
        })
        .into()
}

pub(super) fn scopes() -> Vec<Entry> {
    [(WORKSPACE, "1", "invoices"), (WORKSPACE, "2", "customers"), (SECOND_WORKSPACE, "3", "reports")]
        .map(|(workspace, serial, representation)| {
            let id = format!("sc_example_{serial}");
            let value = json!({
                "id": id,
                "name": representation,
                "representation": representation,
                "description": null,
                "createdAt": "2024-10-01T07:30:00.000Z",
                "updatedAt": "2024-10-01T07:30:00.000Z",
            });
            Entry::new([workspace, &id], value)
        })
        .into()
}
