//! Workspaces and their scopes.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::{is_list, or_null};
use super::{SCOPES, WORKSPACES, bad, not_found, read, text};
use crate::answer::Outcome;
use crate::backend::Shared;
use crate::entry::Entry;
use crate::request::{Ids, is_unset};
use crate::store::Store;

/// Whether a workspace is there, or at least a seeded key of it.
pub(super) fn exists(store: &mut Store, id: &str) -> bool {
    store.table(WORKSPACES).get(&[id.to_owned()]).is_some() || store.keys.added(0).any(|(_, entry)| entry.is_in(id))
}

pub(super) async fn list(State(backend): State<Shared>) -> Outcome {
    backend.with(|store| {
        let all: Vec<_> = store.table(WORKSPACES).added(0).map(|(_, entry)| entry.value.clone()).collect();
        Ok(Json(json!({"workspaces": all})))
    })
}

pub(super) async fn create(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let name = text(&body, "name")?;
    let now = backend.now().with_millis();
    backend.with(|store| {
        let id = format!("ws_{:032x}", store.mint());
        let value = json!({
            "id": id,
            "name": name,
            "teamId": "team_example_1",
            "defaultKeyPrefix": null,
            "defaultAllowedIPs": [],
            "defaultRateLimitPerSecond": null,
            "defaultExpiration": null,
            "createdAt": now,
            "updatedAt": now,
        });
        store.table(WORKSPACES).put(Entry::new([id], value.clone()));
        Ok(Json(json!({"workspace": value})))
    })
}

pub(super) async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| match store.table(WORKSPACES).get(&ids) {
        Some(entry) => Ok(Json(json!({"workspace": entry.value}))),
        None => Err(not_found("workspace")),
    })
}

/// All four members are required, although the method is PATCH.
pub(super) async fn update(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let numbers = ["defaultRateLimitPerSecond", "defaultExpiration"];
    let is_number = |name: &str| body.get(name).is_some_and(|value| value.is_null() || value.is_u64());
    if !numbers.iter().all(|name| is_number(name))
        || !body.get("defaultKeyPrefix").is_some_and(|value| value.is_null() || value.is_string())
        || !is_list(&body, "defaultAllowedIPs", Value::is_string)
    {
        return Err(bad("all four defaults are required"));
    }
    let now = backend.now().with_millis();
    backend.with(|store| {
        let entry = store.table(WORKSPACES).get_mut(&ids).ok_or_else(|| not_found("workspace"))?;
        for name in ["defaultKeyPrefix", "defaultAllowedIPs", "defaultRateLimitPerSecond", "defaultExpiration"] {
            entry.set(name, or_null(&body, name));
        }
        entry.set("updatedAt", now);
        Ok(Json(json!({"workspace": entry.value})))
    })
}

pub(super) async fn list_scopes(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    let workspace = ids.first().map_or("", String::as_str);
    backend.with(|store| {
        if !exists(store, workspace) {
            return Err(not_found("workspace"));
        }
        let all = store.table(SCOPES).after(0, Some(workspace)).map(|(_, entry)| entry.into_owned().value);
        Ok(Json(json!({"scopes": all.collect::<Vec<_>>()})))
    })
}

pub(super) async fn create_scope(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let (name, representation) = (text(&body, "name")?, text(&body, "representation")?);
    if !is_unset(&body, "description") {
        text(&body, "description")?;
    }
    let workspace = ids.first().map_or("", String::as_str);
    let now = backend.now().with_millis();
    backend.with(|store| {
        if !exists(store, workspace) {
            return Err(not_found("workspace"));
        }
        let id = format!("sc_generated_{}", store.mint());
        let value = json!({
            "id": id,
            "name": name,
            "representation": representation,
            "description": or_null(&body, "description"),
            "createdAt": now,
            "updatedAt": now,
        });
        store.table(SCOPES).put(Entry::new([workspace, &id], value.clone()));
        Ok(Json(json!({"scope": value})))
    })
}
