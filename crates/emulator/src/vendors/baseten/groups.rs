//! Groups, which own keys and say what these may use.
//!
//! The depth of a tree and the sums of cascading limits are not checked. The effective models are a group's own.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::super::{is_list, or_null};
use super::{GROUPS, invalid, not_found, owned, page, read};
use crate::answer::{Outcome, Refusal};
use crate::backend::Shared;
use crate::entry::Entry;
use crate::request::{Ids, Query, is_unset};
use crate::store::Store;
use crate::table::Table;

pub(super) async fn list(State(backend): State<Shared>, query: Query) -> Outcome {
    let wanted = query.first("external_entity_id");
    let is_meant = |entry: &Entry| wanted.is_none_or(|wanted| external_id(&entry.value) == Some(wanted));
    let all =
        |table: &Table| page(&query, |start| table.after(start, None).filter(|(_, entry)| is_meant(entry))).map(Json);
    backend.with(|store| all(store.table(GROUPS)))
}

pub(super) async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| {
        owned(store, &ids)?;
        store.table(GROUPS).get(&ids).map(|entry| Json(entry.value.clone())).ok_or_else(not_found)
    })
}

pub(super) async fn create(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let metadata = body.get("metadata").ok_or_else(|| invalid("metadata: required"))?;
    let external = metadata.get("external_entity_id").and_then(Value::as_str).unwrap_or_default();
    if !(1..=255).contains(&external.chars().count()) {
        return Err(invalid("metadata.external_entity_id: from 1 to 255 characters"));
    }
    let name = group_name(metadata)?;
    let models = models(&body)?;
    if models.as_array().is_none_or(Vec::is_empty) {
        return Err(invalid("models: at least one"));
    }
    let hierarchy = body.get("hierarchy").filter(|hierarchy| hierarchy.is_object());
    let hierarchy = hierarchy.ok_or_else(|| invalid("hierarchy: required"))?;
    let parent = hierarchy.get("parent_group_id").and_then(Value::as_str);
    let asked = hierarchy.get("limit_enforcement").and_then(Value::as_str);
    if asked.is_some_and(|mode| !["INDEPENDENT", "CASCADING"].contains(&mode)) {
        return Err(invalid("hierarchy.limit_enforcement: INDEPENDENT or CASCADING"));
    }
    let now = backend.now().whole();
    backend.with(|store| {
        if store.table(GROUPS).added(0).any(|(_, entry)| external_id(&entry.value) == Some(external)) {
            return Err(invalid("metadata.external_entity_id: taken"));
        }
        let inherited = match parent {
            Some(parent) => Some(mode_of(store, parent)?),
            None => None,
        };
        let mode = asked.or(inherited.as_deref()).unwrap_or("INDEPENDENT");
        if inherited.as_deref().is_some_and(|inherited| inherited != mode) {
            return Err(invalid("hierarchy.limit_enforcement: another than the parent's"));
        }
        let id = format!("gE{:06}", store.mint());
        let value = json!({
            "id": id,
            "metadata": {"name": name, "external_entity_id": external},
            "models": models,
            "effective_models": effective(&models, &id),
            "hierarchy": {"limit_enforcement": mode, "parent_group_id": parent},
            "created_at": now,
        });
        store.table(GROUPS).put(Entry::new([id], value.clone()));
        Ok(Json(value))
    })
}

pub(super) async fn update(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    backend.with(|store| {
        let id = owned(store, &ids)?;
        let body = read(&body)?;
        if is_unset(&body, "metadata") && is_unset(&body, "models") {
            return Err(invalid("metadata or models: at least one"));
        }
        let entry = store.table(GROUPS).get_mut(&ids).ok_or_else(not_found)?;
        if let Some(given) = body.get("metadata").filter(|metadata| metadata.get("name").is_some()) {
            let external = external_id(&entry.value).map(str::to_owned);
            entry.set("metadata", json!({"name": group_name(given)?, "external_entity_id": external}));
        }
        if !is_unset(&body, "models") {
            let models = models(&body)?;
            entry.set("effective_models", effective(&models, id));
            entry.set("models", models);
        }
        Ok(Json(entry.value.clone()))
    })
}

pub(super) async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    let now = backend.now().whole();
    backend.with(|store| {
        let id = owned(store, &ids)?.to_owned();
        let gone = store.table(GROUPS).get(&ids).ok_or_else(not_found)?.value.clone();
        let mut doomed = vec![id.clone()];
        while let Some(group) = doomed.pop() {
            let children = store.table(GROUPS).added(0).filter(|(_, entry)| parent_id(&entry.value) == Some(&group));
            doomed.extend(children.filter_map(|(_, entry)| entry.address.first().cloned()));
            let keys: Vec<_> = store.keys.after(0, Some(&group)).map(|(_, entry)| entry.address.clone()).collect();
            for key in keys {
                store.keys.remove(&key);
            }
            store.table(GROUPS).remove(&[group]);
        }
        Ok(Json(json!({"id": id, "metadata": gone.get("metadata"), "deleted_at": now})))
    })
}

/// Nothing is ever used here.
pub(super) async fn usage(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| {
        owned(store, &ids)?;
        let group = store.table(GROUPS).get(&ids).ok_or_else(not_found)?.value.clone();
        let mut usage = Map::new();
        for model in group.get("models").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            let limits = model.get("usage_limits").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(slug) = model.get("slug").and_then(Value::as_str).filter(|_| !limits.is_empty()) {
                let unused = limits.into_iter().map(|limit| with(limit, json!({"current_usage": 0, "reset_at": null})));
                usage.insert(slug.to_owned(), unused.collect());
            }
        }
        Ok(Json(json!({"customer_id": external_id(&group), "usage": usage})))
    })
}

/// The models of a group, with the group as the source of each limit.
pub(super) fn effective(models: &Value, group: &str) -> Value {
    let mut models = models.clone();
    for model in models.as_array_mut().into_iter().flatten() {
        for kind in ["rate_limits", "usage_limits"] {
            for limit in model.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten() {
                *limit = with(limit.take(), json!({"source_group": group}));
            }
        }
    }
    models
}

/// An object with the members of another.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

/// The mode of the tree that a parent belongs to.
fn mode_of(store: &mut Store, parent: &str) -> Result<String, Refusal> {
    let address = [parent.to_owned()];
    owned(store, &address)?;
    let group = store.table(GROUPS).get(&address).ok_or_else(not_found)?;
    let mode = group.value.pointer("/hierarchy/limit_enforcement").and_then(Value::as_str);
    Ok(mode.unwrap_or("INDEPENDENT").to_owned())
}

fn models(body: &Map<String, Value>) -> Result<Value, Refusal> {
    let is_model = |model: &Value| model.get("slug").is_some_and(Value::is_string);
    if is_list(body, "models", is_model) {
        Ok(or_null(body, "models"))
    } else {
        Err(invalid("models: each with a slug"))
    }
}

fn group_name(metadata: &Value) -> Result<Value, Refusal> {
    let name = metadata.get("name").cloned().unwrap_or_default();
    let fits = name.as_str().is_none_or(|name| name.chars().count() <= 255) && (name.is_null() || name.is_string());
    if fits { Ok(name) } else { Err(invalid("metadata.name: a text of at most 255 characters, or null")) }
}

fn external_id(group: &Value) -> Option<&str> {
    group.pointer("/metadata/external_entity_id")?.as_str()
}

fn parent_id(group: &Value) -> Option<&str> {
    group.pointer("/hierarchy/parent_group_id")?.as_str()
}
