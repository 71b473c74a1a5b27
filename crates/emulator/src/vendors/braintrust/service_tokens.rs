//! Tokens of service accounts.
//!
//! Braintrust asks for a service token of an owner to create one. There is one credential here, and it may. Names need
//! not be unique. A replacement takes the place of all tokens of its name, with an id of its own: what becomes of the
//! id is not documented. No service account is known, so that any id of one passes.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{Fault, SERVICE_TOKENS, bad, checked_id, invalid, missing, paging, told};
use crate::backend::{Backend, Shared};
use crate::entry::Entry;
use crate::request::{Ids, Query, object};
use crate::store::Store;

pub(super) async fn list(State(backend): State<Shared>, query: Query) -> Response {
    let page = backend.with(|store| paging::page(store.table(SERVICE_TOKENS), &query, "service_token_name"));
    told(&backend, page)
}

pub(super) async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    let found = checked_id(&ids, "service_token_id").and_then(|id| {
        let token = backend.with(|store| store.table(SERVICE_TOKENS).get(&ids).map(|entry| entry.value.clone()));
        token.ok_or_else(|| missing("read", "service_token", id))
    });
    told(&backend, found)
}

pub(super) async fn create(State(backend): State<Shared>, body: Bytes) -> Response {
    let created = read(&body).and_then(|body| add(&backend, &body, false));
    told(&backend, created)
}

pub(super) async fn replace(State(backend): State<Shared>, body: Bytes) -> Response {
    let created = read(&body).and_then(|body| add(&backend, &body, true));
    told(&backend, created)
}

pub(super) async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    told(&backend, remove(&backend, &ids, "service_token_id"))
}

pub(super) async fn delete_by_body(State(backend): State<Shared>, body: Bytes) -> Response {
    let deleted = read(&body).and_then(|body| {
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        remove(&backend, &[id.to_owned()], "id")
    });
    told(&backend, deleted)
}

fn remove(backend: &Backend, ids: &[String], name: &str) -> Result<Value, Fault> {
    let id = checked_id(ids, name)?;
    let token = backend.with(|store| store.table(SERVICE_TOKENS).remove(ids));
    token.map(|entry| entry.value).ok_or_else(|| missing("delete", "service_token", id))
}

fn add(backend: &Backend, body: &Map<String, Value>, replaces: bool) -> Result<Value, Fault> {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.ok_or_else(|| invalid("string", "invalid_type", "Required", name))
    };
    let (name, account) = (text("name")?, text("service_account_id")?);
    let now = backend.now().with_millis();
    Ok(backend.with(|store| {
        if replaces {
            remove_named(store, name);
        }
        let serial = store.mint();
        let id = format!("5e7a1c00-0000-4000-8000-{serial:012x}");
        let value = json!({
            "id": id,
            "created": now,
            "name": name,
            "preview_name": format!("bt-st-****{serial:05}"),
            "service_account_id": account,
            "service_account_email": null,
            "service_account_name": null,
            "org_id": "11111111-2222-4333-8444-555555555555",
        });
        let plaintext = format!("bt-st-EXAMPLEnotASecretBraintrust{serial:08}");
        let entry = Entry::new([id], value).plaintext(plaintext.as_str());
        let told = entry.with("key", plaintext);
        store.table(SERVICE_TOKENS).put(entry);
        told
    }))
}

fn remove_named(store: &mut Store, name: &str) {
    let table = store.table(SERVICE_TOKENS);
    let is_named = |entry: &Entry| entry.value.get("name").and_then(Value::as_str) == Some(name);
    let named = table.added(0).filter(|(_, entry)| is_named(entry));
    let addresses: Vec<_> = named.map(|(_, entry)| entry.address.clone()).collect();
    for address in addresses {
        table.remove(&address);
    }
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    object(body).ok_or_else(|| bad("The body is not a JSON object".to_owned()))
}
