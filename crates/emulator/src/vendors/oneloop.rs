//! Oneloop: keys of workspaces with scopes, sent wrapped in `apiKey`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::seed;
use crate::answer;
use crate::backend::{Address, Backend, Blueprint, Shared};
use crate::request::{Ids, Place};

const WORKSPACE: &str = "ws_0123456789abcdef0123456789abcdef";
const SECOND_WORKSPACE: &str = "ws_fedcba9876543210fedcba9876543210";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "oneloop",
    credential: "ok_EXAMPLEnotASecretOneloop00000001",
    places: &[Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    seeds,
};

fn operations() -> Router<Shared> {
    Router::new().route("/api/v1/workspace/{id}/api-key/{akid}", get(get_api_key))
}

async fn get_api_key(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    match backend.key(&ids) {
        Some(key) => answer::json(StatusCode::OK, json!({"apiKey": key})),
        // Oneloop documents 400, 401 and 403 for this operation and nothing for a key that is not there.
        None => refusal(StatusCode::NOT_FOUND, "api key not found"),
    }
}

/// The code repeats the status, as in Oneloop's own code.
fn refusal(status: StatusCode, message: &str) -> Response {
    answer::json(status, json!({"error": {"code": status.as_u16(), "message": message}}))
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "sdk key rejected")
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "not found")
}

fn seeds() -> Vec<(Address, Value)> {
    vec![
        seed(
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
        ),
        seed(
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
        ),
        seed(
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
        ),
        seed(
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
        ),
    ]
}
