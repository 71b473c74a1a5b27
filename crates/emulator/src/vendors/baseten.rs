//! Baseten: federated keys, each owned by a group.

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

/// A group of Baseten that exists in another workspace than the credential's: all its keys answer 403.
pub const FOREIGN_GROUP: &str = "z8other";

const GROUP: &str = "g7k2m9qx";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "baseten",
    credential: "emuWsKey.EXAMPLEnotASecretBaseten0000000001",
    places: &[Place::Scheme("Api-Key"), Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    seeds,
};

fn operations() -> Router<Shared> {
    Router::new().route("/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}", get(get_api_key))
}

async fn get_api_key(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    if ids.first().is_some_and(|group| group == FOREIGN_GROUP) {
        return refusal(StatusCode::FORBIDDEN, "FORBIDDEN", "this group belongs to another workspace");
    }
    match backend.key(&ids) {
        Some(key) => answer::json(StatusCode::OK, key),
        None => refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "no such group or key"),
    }
}

/// The codes `NOT_FOUND` and `VALIDATION_ERROR` have been seen in Baseten's answers; others follow their pattern.
fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    answer::json(status, json!({"code": code, "message": message}))
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "a valid API key is required")
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "no such path")
}

fn seeds() -> Vec<(Address, Value)> {
    // The prefix of a registered key is its first 16 characters, whatever they are.
    let registered = "partner/eu+1 key";
    vec![
        seed([GROUP, "sky_Qm4tZp0Lw8Rk"], json!({"prefix": "sky_Qm4tZp0Lw8Rk", "name": "ci-runner"})),
        seed([GROUP, "hJkLmNp"], json!({"prefix": "hJkLmNp", "name": null})),
        seed([GROUP, registered], json!({"prefix": registered, "name": "brought-along"})),
    ]
}
