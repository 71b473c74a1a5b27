//! Datkey: keys with an expiry and a number of verifications, sent wrapped in `key`.

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

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "datkey",
    credential: "datkey_EXAMPLEnotASecretDatkey000000001",
    places: &[Place::Header("x-api-key")],
    unauthorized,
    operations,
    unknown_path,
    seeds,
};

fn operations() -> Router<Shared> {
    Router::new().route("/keys/{id}", get(get_key))
}

async fn get_key(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    match backend.key(&ids) {
        // Datkey's schema is flat, its examples and its own client are wrapped; the latter is what it sends.
        Some(key) => answer::json(StatusCode::OK, json!({"key": key})),
        None => refusal(StatusCode::NOT_FOUND, "key not found"),
    }
}

/// Only the 404 is documented; the others take its shape.
fn refusal(status: StatusCode, message: &str) -> Response {
    answer::json(status, json!({"message": message}))
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "invalid workspace API key")
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "not found")
}

fn seeds() -> Vec<(Address, Value)> {
    let limited = "00000000-0000-4000-8000-000000000001";
    let expired = "00000000-0000-4000-8000-000000000002";
    let exhausted = "00000000-0000-4000-8000-000000000003";
    let unlimited = "00000000-0000-4000-8000-000000000004";
    vec![
        seed(
            [limited],
            json!({
                "id": limited,
                "name": "acme importer",
                "key": "demo_ab12*********",
                "prefix": "demo",
                "length": 16,
                "verifications": 3,
                "verification_limit": 100,
                "expires_at": 4_102_444_800_i64,
                "meta": {"plan": "pro", "seats": 5},
                "created_at": "2025-01-01T00:00:00.000000Z",
                "updated_at": "2025-01-02T00:00:00.000000Z",
            }),
        ),
        seed(
            [expired],
            json!({
                "id": expired,
                "name": "acme trial",
                "key": "demo_sk_cd34e5f*******",
                "prefix": "demo_sk",
                "length": 24,
                "verifications": 12,
                "verification_limit": null,
                "expires_at": 1_704_067_200,
                "meta": null,
                "created_at": "2023-12-01T08:30:00.123456Z",
                "updated_at": "2023-12-01T08:30:00.123456Z",
            }),
        ),
        seed(
            [exhausted],
            json!({
                "id": exhausted,
                "name": "acme batch",
                "key": "demo_ef56*********",
                "prefix": "demo",
                "length": 16,
                "verifications": 50,
                "verification_limit": 50,
                "expires_at": null,
                "meta": {},
                "created_at": "2025-01-03T00:00:00.000000Z",
                "updated_at": "2025-01-04T00:00:00.000000Z",
            }),
        ),
        seed(
            [unlimited],
            json!({
                "id": unlimited,
                "name": "acme internal",
                "key": "gh78*********",
                "prefix": null,
                "length": 255,
                "verifications": 0,
                "verification_limit": null,
                "expires_at": null,
                "meta": null,
                "created_at": "2025-01-05T00:00:00.000000Z",
                "updated_at": "2025-01-05T00:00:00.000000Z",
            }),
        ),
    ]
}
