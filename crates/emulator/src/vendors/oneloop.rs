//! Oneloop: keys of workspaces with scopes, sent wrapped in `apiKey`.
//!
//! Oneloop documents 400, 401 and 403, and none of their causes. Here a body that is not as documented, or that names
//! a workspace or a key that is not there, is a 400, as is a change of a deleted key; a path to what is not there is a
//! 404. A deleted key stays, with `deleted` set, and may be deleted again. The composition of a key is not documented:
//! here it is the prefix, if there is one, an underscore and the rest. The unit of instants is documented nowhere; an
//! expiry is taken for milliseconds from 10^11 on, and for seconds below. A metering of usage is recorded and never
//! told.

mod seeds;
mod verify;
mod workspaces;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{is_list, or_null};
use crate::answer::{self, Outcome, Refusal};
use crate::backend::{Backend, Blueprint, Shared};
use crate::clock::Instant;
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::Drifting;
use crate::operations::Operations;
use crate::request::{Ids, Place, is_unset, object};
use crate::store::Store;

const WORKSPACE: &str = "ws_0123456789abcdef0123456789abcdef";
const SECOND_WORKSPACE: &str = "ws_fedcba9876543210fedcba9876543210";

const WORKSPACES: &str = "workspaces";
const SCOPES: &str = "scopes";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "oneloop",
    credential: "ok_EXAMPLEnotASecretOneloop00000001",
    preflight: &[],
    places: &[Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    too_many,
    delay: DelayForm::None,
    drifting: Drifting {
        holders: &["apiKey", "apiKeys"],
        values: &["/status"],
        nulls: &["name", "maskedKey", "enabled"],
    },
    seeds: seeds::keys,
    recipe: seeds::RECIPE,
    around,
};

fn operations() -> Operations<Shared> {
    Operations::default()
        .get("list_workspaces", "/api/v1/workspace", workspaces::list)
        .post("create_workspace", "/api/v1/workspace", workspaces::create)
        .get("get_workspace", "/api/v1/workspace/{id}", workspaces::look_up)
        .patch("update_workspace", "/api/v1/workspace/{id}", workspaces::update)
        .get("list_scopes", "/api/v1/workspace/{id}/scopes", workspaces::list_scopes)
        .post("create_scope", "/api/v1/workspace/{id}/scope", workspaces::create_scope)
        .get("list_api_keys", "/api/v1/workspace/{id}/api-key", list)
        .get("get_api_key", "/api/v1/workspace/{id}/api-key/{akid}", look_up)
        .patch("edit_api_key", "/api/v1/workspace/{id}/api-key/{akid}", edit)
        .delete("delete_api_key", "/api/v1/workspace/{id}/api-key/{akid}", delete)
        .post("rotate_api_key", "/api/v1/workspace/{id}/api-key/{akid}/rotate", rotate)
        .post("create_api_key", "/api/v1/api-key", create)
        .post("migrate_api_key", "/api/v1/api-key/migrate", migrate)
        .post("verify_api_key", "/api/v1/api-key/verify", verify::verify)
        .post("record_usage", "/api/v1/api-key/record-usage", verify::record_usage)
}

async fn list(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    let workspace = ids.first().map_or("", String::as_str);
    backend.with(|store| {
        if !workspaces::exists(store, workspace) {
            return Err(not_found("workspace"));
        }
        let keys = store.keys.after(0, Some(workspace)).map(|(_, entry)| entry.into_owned().value);
        Ok(Json(json!({"apiKeys": keys.collect::<Vec<_>>()})))
    })
}

async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| match store.keys.get(&ids) {
        Some(entry) => Ok(Json(json!({"apiKey": entry.value}))),
        None => Err(not_found("api key")),
    })
}

async fn create(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let workspace = checked_new(&body)?;
    if !is_unset(&body, "prefix") && !body.get("prefix").is_some_and(Value::is_string) {
        return Err(bad("prefix: a text"));
    }
    if !is_unset(&body, "expiresAt") && body.get("expiresAt").and_then(Value::as_u64).is_none_or(|at| at == 0) {
        return Err(bad("expiresAt: a positive integer"));
    }
    let now = backend.now();
    backend.with(|store| {
        if !workspaces::exists(store, workspace) {
            return Err(bad("workspaceId: no such workspace"));
        }
        let mut prefix = or_null(&body, "prefix");
        if prefix.is_null() {
            let address = [workspace.to_owned()];
            prefix = store
                .table(WORKSPACES)
                .get(&address)
                .map_or(Value::Null, |entry| entry.value.get("defaultKeyPrefix").cloned().unwrap_or_default());
        }
        let serial = store.mint();
        let plaintext = generated(prefix.as_str(), serial);
        let mut entry = new_key(&body, workspace, serial, &plaintext, now);
        entry.set("prefix", prefix);
        entry.set("expiresAt", or_null(&body, "expiresAt"));
        let entry = entry.aside("externalMeterId", or_null(&body, "externalMeterId"));
        let told = json!({"apiKey": entry.with("key", plaintext)});
        store.keys.put(entry);
        Ok(Json(told))
    })
}

async fn migrate(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let workspace = checked_new(&body)?;
    let plaintext = text(&body, "key")?;
    let now = backend.now();
    backend.with(|store| {
        if !workspaces::exists(store, workspace) {
            return Err(bad("workspaceId: no such workspace"));
        }
        if plaintext.is_empty() || store.keys.opened_by(plaintext).is_some() {
            return Err(bad("key: empty or taken"));
        }
        let serial = store.mint();
        let entry = new_key(&body, workspace, serial, plaintext, now);
        let told = json!({"apiKey": entry.with("key", plaintext)});
        store.keys.put(entry);
        Ok(Json(told))
    })
}

async fn edit(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    let body = read(&body)?;
    if body.contains_key("name") {
        text(&body, "name")?;
    }
    if body.get("enabled").is_some_and(|enabled| !enabled.is_boolean()) {
        return Err(bad("enabled: a boolean"));
    }
    if body.contains_key("scopes") {
        scopes(&body, "scopes")?;
    }
    let now = backend.now();
    change(&backend, &ids, |entry, _| {
        for name in ["name", "enabled", "scopes"] {
            if let Some(value) = body.get(name) {
                entry.set(name, value.clone());
            }
        }
        entry.set("updatedAt", now.with_millis());
        entry.value.clone()
    })
}

async fn rotate(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    let now = backend.now();
    change(&backend, &ids, |entry, serial| {
        let plaintext = generated(entry.value.get("prefix").and_then(Value::as_str), serial);
        entry.set("maskedKey", tail(&plaintext));
        entry.set("updatedAt", now.with_millis());
        entry.plaintext = Some(plaintext.clone());
        entry.with("key", plaintext)
    })
}

async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    let now = backend.now();
    backend.with(|store| {
        let entry = store.keys.get_mut(&ids).ok_or_else(|| not_found("api key"))?;
        if !is_deleted(entry) {
            entry.set("deleted", true);
            entry.set("updatedAt", now.with_millis());
        }
        Ok(Json(json!({"apiKey": entry.value})))
    })
}

/// Changes a key that is not deleted. What the change returns is sent.
fn change(backend: &Backend, ids: &[String], change: impl FnOnce(&mut Entry, u64) -> Value) -> Outcome {
    backend.with(|store| {
        let serial = store.mint();
        let entry = store.keys.get_mut(ids).ok_or_else(|| not_found("api key"))?;
        if is_deleted(entry) {
            return Err(bad("the api key is deleted"));
        }
        Ok(Json(json!({"apiKey": change(entry, serial)})))
    })
}

/// Checks what new keys need, and returns the id of their workspace.
fn checked_new(body: &Map<String, Value>) -> Result<&str, Refusal> {
    text(body, "name")?;
    text(body, "customerId")?;
    scopes(body, "scopes")?;
    if !body.get("enabled").is_some_and(Value::is_boolean) {
        return Err(bad("enabled: a boolean"));
    }
    let is_metadata = |metadata: &Value| metadata.as_object().is_some_and(|all| all.values().all(Value::is_string));
    if !is_unset(body, "metadata") && !body.get("metadata").is_some_and(is_metadata) {
        return Err(bad("metadata: an object of texts"));
    }
    text(body, "workspaceId")
}

fn new_key(body: &Map<String, Value>, workspace: &str, serial: u64, plaintext: &str, now: Instant) -> Entry {
    let id = format!("ak_generated_{serial}");
    let value = json!({
        "id": id,
        "name": or_null(body, "name"),
        "maskedKey": tail(plaintext),
        "prefix": null,
        "expiresAt": null,
        "scopes": or_null(body, "scopes"),
        "enabled": or_null(body, "enabled"),
        "customerId": or_null(body, "customerId"),
        "deleted": false,
        "createdAt": now.with_millis(),
        "updatedAt": now.with_millis(),
        "lastUsedAt": null,
        "billingId": null,
    });
    Entry::new([workspace, &id], value).plaintext(plaintext).aside("metadata", or_null(body, "metadata"))
}

/// A key that nobody takes for a real one, with a tail of its own.
fn generated(prefix: Option<&str>, serial: u64) -> String {
    let rest = format!("EXAMPLEnotASecretOneloop{serial:08}");
    prefix.map_or_else(|| rest.clone(), |prefix| format!("{prefix}_{rest}"))
}

/// Oneloop shows the last five characters of a key.
fn tail(plaintext: &str) -> String {
    plaintext.chars().skip(plaintext.chars().count().saturating_sub(5)).collect()
}

fn is_deleted(entry: &Entry) -> bool {
    entry.value.get("deleted") == Some(&Value::Bool(true))
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    object(body).ok_or_else(|| bad("the body is not a JSON object"))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| bad(&format!("{name}: a text is required")))
}

fn scopes(body: &Map<String, Value>, name: &str) -> Result<(), Refusal> {
    let is_scope = |scope: &Value| {
        scope.get("representation").is_some_and(Value::is_string)
            && ["create", "read", "update", "del"].iter().all(|action| scope.get(action).is_some_and(Value::is_boolean))
    };
    if is_list(body, name, is_scope) { Ok(()) } else { Err(bad(&format!("{name}: an array of scopes is required"))) }
}

fn bad(message: &str) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, message)
}

fn not_found(what: &str) -> Refusal {
    refusal(StatusCode::NOT_FOUND, &format!("{what} not found"))
}

/// The code repeats the status, as in Oneloop's own code.
fn refusal(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, body: json!({"error": {"code": status.as_u16(), "message": message}}) }
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "sdk key rejected").into_response()
}

fn unknown_path() -> Response {
    answer::json(StatusCode::NOT_FOUND, refusal(StatusCode::NOT_FOUND, "not found").body)
}

/// Oneloop documents no limit of its own operations; those of keys show when a key is verified.
fn too_many(_: &Backend, _: Option<u64>) -> Response {
    refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests").into_response()
}

fn around(store: &mut Store, owners: Option<&[String]>) {
    for entry in owners.map_or_else(seeds::workspaces, seeds::generated_workspaces) {
        store.table(WORKSPACES).put(entry);
    }
    for entry in owners.map_or_else(seeds::scopes, seeds::generated_scopes) {
        store.table(SCOPES).put(entry);
    }
}
