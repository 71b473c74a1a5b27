//! What is there from the start.

use serde_json::{Value, json};

use super::{SECOND_WORKSPACE, WORKSPACE, tail};
use crate::clock::Instant;
use crate::entry::{Address, Entry};
use crate::generated::{Draw, Recipe};

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
        .map(|(id, name, prefix)| workspace(id, name, prefix))
        .into()
}

pub(super) fn generated_workspaces(ids: &[String]) -> Vec<Entry> {
    ids.iter().zip(0..).map(|(id, number)| workspace(id, &format!("workspace {number}"), Some(PREFIX))).collect()
}

fn workspace(id: &str, name: &str, prefix: Option<&str>) -> Entry {
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
}

pub(super) fn scopes() -> Vec<Entry> {
    [(WORKSPACE, "1", "invoices"), (WORKSPACE, "2", "customers"), (SECOND_WORKSPACE, "3", "reports")]
        .map(|(workspace, serial, representation)| scope(workspace, &format!("sc_example_{serial}"), representation))
        .into()
}

pub(super) fn generated_scopes(workspaces: &[String]) -> Vec<Entry> {
    let of_one = |(workspace, number): (&String, u64)| {
        REPRESENTATIONS.map(|name| scope(workspace, &format!("sc_example_{number}_{name}"), name))
    };
    workspaces.iter().zip(0..).flat_map(of_one).collect()
}

fn scope(workspace: &str, id: &str, representation: &str) -> Entry {
    let value = json!({
        "id": id,
        "name": representation,
        "representation": representation,
        "description": null,
        "createdAt": "2024-10-01T07:30:00.000Z",
        "updatedAt": "2024-10-01T07:30:00.000Z",
    });
    Entry::new([workspace, id], value)
}

/// What generated keys may concern, and begin with.
const REPRESENTATIONS: [&str; 3] = ["invoices", "customers", "reports"];
const PREFIX: &str = "acme";

pub(super) const RECIPE: Recipe = Recipe {
    owner: |draw| format!("ws_{:016x}{:016x}", draw.number("workspace"), draw.number("second half")),
    address: |draw, workspace| vec![workspace.to_owned(), format!("ak_{}", draw.token())],
    key: generated,
};

fn generated(draw: &Draw, _: &str, address: Address) -> Entry {
    let or_null = |member: &str, many: u64, known: Value| if draw.one_in(member, many) { Value::Null } else { known };
    let prefix = if draw.one_in("no prefix", 3) { None } else { Some(PREFIX) };
    let head = prefix.map(|prefix| format!("{prefix}_")).unwrap_or_default();
    let plaintext = format!("{head}EXAMPLEnotASecretOneloop{}", draw.token());
    // The unit is documented nowhere, so that both occur.
    let expiry = draw.expiry().map(|end| if draw.one_in("seconds", 6) { end.seconds() } else { end.0 });
    let scopes = REPRESENTATIONS.iter().filter(|name| !draw.one_in(name, 2)).map(|name| {
        let allows = |action: &str| !draw.one_in(&format!("{name} {action}"), 3);
        json!({
            "representation": name,
            "create": allows("create"),
            "read": true,
            "update": allows("update"),
            "del": allows("del"),
        })
    });
    let value = json!({
        "id": address.last(),
        "name": draw.name(),
        "maskedKey": tail(&plaintext),
        "prefix": prefix,
        "expiresAt": expiry,
        "scopes": scopes.collect::<Vec<_>>(),
        "enabled": !draw.one_in("disabled", 8),
        "customerId": or_null("no customer", 4, json!(format!("cust-{}", draw.below("customer", 1000)))),
        "deleted": draw.one_in("deleted", 16),
        "createdAt": draw.created().with_millis(),
        "updatedAt": draw.since_created("updated").with_millis(),
        "lastUsedAt": draw.used().map(Instant::with_millis),
        "billingId": or_null("no billing", 2, json!(format!("bill-{}", draw.below("customer", 1000)))),
    });
    Entry::new(address, value).plaintext(plaintext)
}
