//! Datkey: keys with an expiry and a number of verifications, sent wrapped in `key`.
//!
//! Datkey's schema is flat, its examples and its own client are wrapped; the latter is what it sends. Of refusals only
//! the 404 is documented. Here it is also the answer to the verification of a key that is unknown, deleted or of
//! another API. A body that is not as documented gets 422 with `message` and `errors`, as from the framework whose
//! instants Datkey's resemble. Any text is taken for the id of an API. A null in an update clears a limit. A refused
//! verification counts no use; an expired key that is also used up is `EXPIRED`.

mod seeds;

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::or_null;
use crate::answer::{Outcome, Refusal};
use crate::backend::{Backend, Blueprint, Shared};
use crate::clock::Instant;
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::Drifting;
use crate::operations::Operations;
use crate::request::{Ids, Place, is_unset, object};

/// The API that the first keys belong to.
const API: &str = "api_example_1";

const MASK: &str = "*********";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "datkey",
    credential: "datkey_EXAMPLEnotASecretDatkey000000001",
    preflight: &[],
    places: &[Place::Header("x-api-key")],
    unauthorized,
    operations,
    unknown_path,
    too_many,
    delay: DelayForm::None,
    drifting: Drifting { holders: &["key"], values: &["/status"], nulls: &["name", "verifications"] },
    seeds: seeds::keys,
    recipe: seeds::RECIPE,
    around: |_, _| (),
};

fn operations() -> Operations<Shared> {
    Operations::default()
        .post("create_key", "/keys", create)
        .post("verify_key", "/keys/verify", verify)
        .get("get_key", "/keys/{id}", look_up)
        .put("update_key", "/keys/{id}", update)
        .delete("revoke_key", "/keys/{id}", delete)
        .get("get_workspace", "/workspace", workspace)
}

async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| match store.keys.get(&ids) {
        Some(entry) => Ok(Json(json!({"key": entry.value}))),
        None => Err(not_found()),
    })
}

async fn create(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let (api, name) = (text(&body, "api_id")?, text(&body, "name")?);
    if !is_unset(&body, "prefix") {
        text(&body, "prefix")?;
    }
    let length = if is_unset(&body, "length") { Some(16) } else { or_null(&body, "length").as_u64() };
    let length = length.and_then(|length| usize::try_from(length).ok()).filter(|length| (16..=255).contains(length));
    let length = length.ok_or_else(|| invalid("length", "must be an integer from 16 to 255"))?;
    if !is_unset(&body, "meta") && !or_null(&body, "meta").is_object() {
        return Err(invalid("meta", "must be an object"));
    }
    let now = backend.now();
    check_limits(&body, now)?;
    backend.with(|store| {
        let serial = store.mint();
        let id = format!("e0000000-0000-4000-8000-{serial:012x}");
        let head = or_null(&body, "prefix").as_str().map(|prefix| format!("{prefix}_")).unwrap_or_default();
        // The number stands first, so that the first characters, which the mask leaves, tell keys apart.
        let rest: String =
            format!("{serial:04}EXAMPLEnotSecret").chars().chain("0".chars().cycle().take(255)).take(length).collect();
        let shown: String = rest.chars().take(4).collect();
        let value = json!({
            "id": id,
            "name": name,
            "key": format!("{head}{shown}{MASK}"),
            "prefix": or_null(&body, "prefix"),
            "length": length,
            "verifications": 0,
            "verification_limit": or_null(&body, "verification_limit"),
            "expires_at": or_null(&body, "expires_at"),
            "meta": or_null(&body, "meta"),
            "created_at": now.with_micros(),
            "updated_at": now.with_micros(),
        });
        let plaintext = format!("{head}{rest}");
        let entry = Entry::new([id], value).plaintext(plaintext.as_str()).aside("api_id", api);
        let told = json!({"key": entry.with("key", plaintext)});
        store.keys.put(entry);
        Ok(Json(told))
    })
}

async fn verify(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let (api, plaintext) = (text(&body, "api_id")?, text(&body, "key")?);
    let now = backend.now();
    backend.with(|store| {
        // A seeded key belongs to no API, and verifies for each.
        let is_of_api = |entry: &Cow<'_, Entry>| entry.aside.get("api_id").is_none_or(|of_key| of_key == api);
        let entry = store.keys.opened_by(plaintext).filter(is_of_api).ok_or_else(not_found)?;
        let number = |name: &str| entry.value.get(name).and_then(Value::as_u64);
        let used = number("verifications").unwrap_or_default();
        if number("expires_at").is_some_and(|at| at <= now.seconds()) {
            return Ok(Json(json!({"valid": false, "status": "EXPIRED", "key": entry.value})));
        }
        if number("verification_limit").is_some_and(|limit| used >= limit) {
            return Ok(Json(json!({"valid": false, "status": "USAGE_EXCEEDED", "key": entry.value})));
        }
        let address = entry.into_owned().address;
        let entry = store.keys.get_mut(&address).ok_or_else(not_found)?;
        entry.set("verifications", used + 1);
        Ok(Json(json!({"valid": true, "key": entry.value})))
    })
}

async fn update(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let now = backend.now();
    backend.with(|store| {
        let entry = store.keys.get_mut(&ids).ok_or_else(not_found)?;
        check_limits(&body, now)?;
        for name in ["expires_at", "verification_limit"] {
            if let Some(value) = body.get(name) {
                entry.set(name, value.clone());
            }
        }
        entry.set("updated_at", now.with_micros());
        Ok(Json(json!({"key": entry.value})))
    })
}

async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    match backend.with(|store| store.keys.remove(&ids)) {
        Some(_) => Ok(Json(json!({"message": "key deleted"}))),
        None => Err(not_found()),
    }
}

async fn workspace(State(backend): State<Shared>) -> Json<Value> {
    Json(json!({
        "workspace": {
            "id": "00000000-0000-4000-8000-0000000000ff",
            "name": "acme",
            "api_key": backend.credential(),
            "created_at": "2023-11-01T08:00:00.000000Z",
            "updated_at": "2023-11-01T08:00:00.000000Z",
        },
    }))
}

fn check_limits(body: &Map<String, Value>, now: Instant) -> Result<(), Refusal> {
    let expires_at = or_null(body, "expires_at");
    if !expires_at.is_null() && expires_at.as_u64().is_none_or(|at| at <= now.seconds()) {
        return Err(invalid("expires_at", "must be a Unix time in the future"));
    }
    let limit = or_null(body, "verification_limit");
    if limit.is_null() || limit.is_u64() { Ok(()) } else { Err(invalid("verification_limit", "must be an integer")) }
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    object(body).ok_or_else(|| invalid("body", "must be a JSON object"))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| invalid(name, "must be a text"))
}

fn invalid(name: &str, message: &str) -> Refusal {
    let message = format!("{name} {message}");
    let body = json!({"message": message, "errors": {name: [message]}});
    Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, body }
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "key not found")
}

fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, body: json!({"message": message}) }
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "invalid workspace API key").into_response()
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "not found").into_response()
}

/// Datkey documents no limit of requests.
fn too_many(_: &Backend, _: Option<u64>) -> Response {
    refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests").into_response()
}
