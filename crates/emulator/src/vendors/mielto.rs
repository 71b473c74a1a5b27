//! Mielto: keys of workspaces. Errors have one member, `detail`.
//!
//! Of statuses only 200 and 422 are documented; of the others Mielto's own clients expect the ones given here, with a
//! text in `detail`. A list without `X-Workspace-Id` holds the keys of all workspaces, oldest first; no order is
//! documented. With it, a key of another workspace is not found. An update changes the members that are given, and leaves the others; a deletion answers with a
//! `message`, like that of a sibling of the keys. A deleted key is gone, and answers 404.

mod seeds;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{is_list, or_null};
use crate::answer::{Outcome, Refusal};
use crate::backend::{Backend, Blueprint, Shared};
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::Drifting;
use crate::operations::Operations;
use crate::request::{Ids, Place, Query, is_unset, object};

/// Where new keys belong if no header says otherwise.
const WORKSPACE: &str = "wsp_000000001";

/// What an update may change.
const CHANGEABLE: [&str; 6] = ["label", "status", "expires_at", "permissions", "ip_whitelist", "collections"];

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "mielto",
    credential: "mk_test_EXAMPLEnotASecretMielto000000001",
    preflight: &[],
    places: &[Place::Scheme("Bearer"), Place::Header("x-api-key")],
    unauthorized,
    operations,
    unknown_path,
    too_many,
    delay: DelayForm::None,
    drifting: Drifting { holders: &["data"], values: &["/status"], nulls: &["label", "status"] },
    seeds: seeds::keys,
    recipe: seeds::RECIPE,
    around: |_, _| (),
};

fn operations() -> Operations<Shared> {
    Operations::default()
        .get("list_api_keys", "/api/v1/api-keys", list)
        .post("create_api_key", "/api/v1/api-keys", create)
        .get("get_api_key", "/api/v1/api-keys/{api_key_id}", look_up)
        .put("update_api_key", "/api/v1/api-keys/{api_key_id}", update)
        .delete("delete_api_key", "/api/v1/api-keys/{api_key_id}", delete)
}

async fn list(State(backend): State<Shared>, headers: HeaderMap, query: Query) -> Outcome {
    let skip = query.number("skip", 0, ..).ok_or_else(|| invalid("query", "skip", "must be at least 0"))?;
    let limit = query.number("limit", 100, 1..=1000);
    let limit = limit.ok_or_else(|| invalid("query", "limit", "must be from 1 to 1000"))?;
    let workspace = workspace(&headers);
    backend.with(|store| {
        let added = || store.keys.added(0).map(|(_, entry)| entry).filter(|entry| is_in(workspace, entry));
        let generated = usize::try_from(store.keys.left(workspace)).unwrap_or(usize::MAX);
        let total = generated.saturating_add(added().count());
        let start = store.keys.place_before(skip.min(generated) as u64, workspace);
        let first = store.keys.starters(start, workspace).map(|(_, entry)| row(&entry));
        let data: Vec<_> = first.chain(added().skip(skip.saturating_sub(generated)).map(row)).take(limit).collect();
        let page = skip / limit + 1;
        let end = skip.saturating_add(data.len());
        let has_more = end < total;
        Ok(Json(json!({
            "data": data,
            "total_count": total,
            "page": page,
            "limit": limit,
            "next_page": has_more.then_some(page + 1),
            "next_cursor": has_more.then(|| format!("cur_{end:09}")),
            "has_more": has_more,
        })))
    })
}

/// A row has its id even where the look-up shows the least that the schema allows: by a list without ids no key could
/// be found.
fn row(entry: &Entry) -> Value {
    let mut value = entry.value.clone();
    if let (Some(members), Some(id)) = (value.as_object_mut(), entry.address.first()) {
        members.entry("id").or_insert_with(|| json!(id));
    }
    value
}

async fn look_up(State(backend): State<Shared>, headers: HeaderMap, Ids(ids): Ids) -> Outcome {
    let workspace = workspace(&headers);
    let found = backend.with(|store| {
        let key = store.keys.get(&ids).filter(|entry| is_in(workspace, entry));
        key.map(|entry| Json(entry.value.clone()))
    });
    found.ok_or_else(not_found)
}

/// Whether a key belongs to the workspace that a header names, if one does.
fn is_in(workspace: Option<&str>, entry: &Entry) -> bool {
    workspace.is_none_or(|id| entry.value.get("workspace_id").and_then(Value::as_str) == Some(id))
}

async fn create(State(backend): State<Shared>, headers: HeaderMap, body: Bytes) -> Outcome {
    let body = read(&body)?;
    if !body.contains_key("label") {
        return Err(invalid("body", "label", "Field required"));
    }
    check(&body)?;
    let workspace = workspace(&headers).unwrap_or(WORKSPACE);
    let now = backend.now().whole();
    backend.with(|store| {
        let serial = store.mint();
        let id = format!("key_1{serial:08}");
        let value = json!({
            "id": id,
            "created_at": now,
            "updated_at": now,
            "key": format!("mk_test_EXAMPLE1{serial:09}"),
            "hashed_secret": null,
            "label": or_null(&body, "label"),
            "status": body.get("status").cloned().unwrap_or_else(|| json!("active")),
            "last_used_at": null,
            "expires_at": or_null(&body, "expires_at"),
            "permissions": or_null(&body, "permissions"),
            "ip_whitelist": or_null(&body, "ip_whitelist"),
            "collections": or_null(&body, "collections"),
            "workspace_id": workspace,
            "created_by": "usr_000000001",
            "secret": null,
        });
        let secret = format!("sk_test_EXAMPLEnotASecret1{serial:08}");
        let entry = Entry::new([id], value).plaintext(secret.as_str());
        let told = entry.with("secret", secret);
        store.keys.put(entry);
        Ok(Json(told))
    })
}

async fn update(State(backend): State<Shared>, headers: HeaderMap, Ids(ids): Ids, body: Bytes) -> Outcome {
    let body = read(&body)?;
    check(&body)?;
    let now = backend.now().whole();
    let workspace = workspace(&headers);
    backend.with(|store| {
        store.keys.get(&ids).filter(|entry| is_in(workspace, entry)).ok_or_else(not_found)?;
        let entry = store.keys.get_mut(&ids).ok_or_else(not_found)?;
        for name in CHANGEABLE {
            if let Some(value) = body.get(name) {
                entry.set(name, value.clone());
            }
        }
        entry.set("updated_at", now);
        Ok(Json(entry.value.clone()))
    })
}

async fn delete(State(backend): State<Shared>, headers: HeaderMap, Ids(ids): Ids) -> Outcome {
    let workspace = workspace(&headers);
    let removed = backend.with(|store| {
        store.keys.get(&ids).filter(|entry| is_in(workspace, entry))?;
        store.keys.remove(&ids)
    });
    match removed {
        Some(_) => Ok(Json(json!({"message": "API key deleted"}))),
        None => Err(not_found()),
    }
}

/// Checks the members that are given.
fn check(body: &Map<String, Value>) -> Result<(), Refusal> {
    let text = |name: &str| body.get(name).map(|value| value.as_str().unwrap_or_default());
    if text("label").is_some_and(|label| !(1..=255).contains(&label.chars().count())) {
        return Err(invalid("body", "label", "String should have 1 to 255 characters"));
    }
    if body.get("status").is_some_and(|status| !status.is_string()) {
        return Err(invalid("body", "status", "Input should be a valid string"));
    }
    if !is_unset(body, "expires_at") && !text("expires_at").is_some_and(is_date_time) {
        return Err(invalid("body", "expires_at", "Input should be a valid datetime"));
    }
    let is_texts = |name: &&str| is_unset(body, name) || is_list(body, name, Value::is_string);
    match ["permissions", "ip_whitelist", "collections"].into_iter().find(|name| !is_texts(name)) {
        Some(name) => Err(invalid("body", name, "Input should be a list of strings")),
        None => Ok(()),
    }
}

/// Whether a text begins like `2025-02-01T09:00:00`.
fn is_date_time(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00";
    let fits = |(given, wanted): (u8, u8)| if wanted == b'0' { given.is_ascii_digit() } else { given == wanted };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

fn workspace(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-workspace-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty())
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let issue = || json!([{"loc": ["body"], "msg": "Input should be a JSON object", "type": "dict_type"}]);
    object(body).ok_or_else(|| Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, body: json!({"detail": issue()}) })
}

/// The one documented refusal.
fn invalid(place: &str, name: &str, message: &str) -> Refusal {
    let kind = if message == "Field required" { "missing" } else { "value_error" };
    let issue = json!({"loc": [place, name], "msg": message, "type": kind});
    Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, body: json!({"detail": [issue]}) }
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "API key not found")
}

fn refusal(status: StatusCode, detail: &str) -> Refusal {
    Refusal { status, body: json!({"detail": detail}) }
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "Invalid or missing API key").into_response()
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "Not Found").into_response()
}

fn too_many(_: &Backend, _: Option<u64>) -> Response {
    refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests").into_response()
}
