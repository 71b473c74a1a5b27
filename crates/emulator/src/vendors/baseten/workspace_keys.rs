//! The keys of the workspace: an own kind, with no lookup, whose list is not paged.
//!
//! No error of theirs is documented. A body that is not as documented is a 400, as is a name that is taken; an unknown
//! prefix is a 404, as Baseten's own tools expect. The credential is a workspace key of the type `WORKSPACE_MANAGE_ALL`,
//! which makes neither personal keys nor those that manage keys.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::{is_list, or_null};
use super::{WORKSPACE_KEYS, invalid, name, not_found, read};
use crate::answer::Outcome;
use crate::backend::{Backend, Shared};
use crate::entry::Entry;
use crate::request::{Ids, Query, is_unset};

const TYPES: [&str; 5] =
    ["PERSONAL", "WORKSPACE_MANAGE_ALL", "WORKSPACE_EXPORT_METRICS", "WORKSPACE_INVOKE", "WORKSPACE_MANAGE_API_KEYS"];

/// `created_by_me` changes nothing: all keys are the caller's.
pub(super) async fn list(State(backend): State<Shared>, query: Query) -> Outcome {
    let kind = query.first("type");
    let is_meant =
        |entry: &Entry| kind.is_none_or(|kind| entry.value.get("type").and_then(Value::as_str) == Some(kind));
    backend.with(|store| {
        let table = store.table(WORKSPACE_KEYS);
        let keys: Vec<_> =
            table.added(0).filter(|(_, entry)| is_meant(entry)).map(|(_, entry)| entry.value.clone()).collect();
        Ok(Json(json!({"keys": keys})))
    })
}

pub(super) async fn create(State(backend): State<Shared>, body: Bytes) -> Outcome {
    add(&backend, &body, None)
}

pub(super) async fn create_in_team(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    add(&backend, &body, ids.first().map(String::as_str))
}

/// No team is known, so that any id passes, and stands where the team's name belongs.
fn add(backend: &Backend, body: &[u8], team: Option<&str>) -> Outcome {
    let body = read(body)?;
    let name = name(&body)?;
    let kind = body.get("type").and_then(Value::as_str).filter(|kind| TYPES.contains(kind));
    let kind = kind.ok_or_else(|| invalid("type: not one of the known types"))?;
    if !is_unset(&body, "model_ids") {
        if !is_list(&body, "model_ids", Value::is_string) {
            return Err(invalid("model_ids: an array of texts"));
        }
        if !["WORKSPACE_EXPORT_METRICS", "WORKSPACE_INVOKE"].contains(&kind) {
            return Err(invalid("model_ids: not for this type"));
        }
    }
    let team = team.or_else(|| body.get("team_id").and_then(Value::as_str));
    if ["PERSONAL", "WORKSPACE_MANAGE_API_KEYS"].contains(&kind) {
        return Err(invalid("type: not for a workspace key to make"));
    }
    backend.with(|store| {
        let serial = store.mint();
        let prefix = format!("wsE{serial:05}");
        let value = json!({
            "prefix": prefix,
            "type": kind,
            "name": name,
            "model_ids": or_null(&body, "model_ids"),
            "team_name": team,
            "owner": null,
        });
        let table = store.table(WORKSPACE_KEYS);
        // Names are unique in a team; those of personal keys are apart.
        let scope = |value: &Value| {
            let is_personal = value.get("type").is_some_and(|kind| kind == "PERSONAL");
            (is_personal, value.get("team_name").cloned(), value.get("name").cloned())
        };
        if !name.is_null() && table.added(0).any(|(_, entry)| scope(&entry.value) == scope(&value)) {
            return Err(invalid("name: taken"));
        }
        let plaintext = format!("{prefix}.EXAMPLEnotASecretBaseten{serial:010}");
        table.put(Entry::new([prefix], value).plaintext(plaintext.as_str()));
        Ok(Json(json!({"api_key": plaintext})))
    })
}

pub(super) async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    match backend.with(|store| store.table(WORKSPACE_KEYS).remove(&ids)) {
        Some(entry) => Ok(Json(json!({"prefix": entry.address.first()}))),
        None => Err(not_found()),
    }
}
