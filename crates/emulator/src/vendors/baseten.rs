//! Baseten: federated keys, each owned by a group, and the keys of the workspace itself.
//!
//! The body of errors is not documented; the codes `NOT_FOUND` and `VALIDATION_ERROR` have been seen in Baseten's
//! answers, and others follow their pattern. Not documented either are the refusal of a limit out of range or of a
//! strange cursor, the order of lists (oldest first here), and any error of workspace keys. A group is there if it was
//! created or if a key was seeded in it. Of the three causes
//! of a refused registration the first of a missing public key, a wrong signature and a bad key is told.

mod groups;
mod keys;
mod seeds;
pub(crate) mod signing;
mod workspace_keys;

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::answer::{self, Refusal};
use crate::backend::{Backend, Blueprint, Shared};
use crate::delay::DelayForm;
use crate::entry::Entry;
use crate::faults::Drifting;
use crate::operations::Operations;
use crate::request::{Place, Query, is_unset, object};
use crate::store::Store;

/// A group of Baseten that exists in another workspace than the credential's: everything of it answers 403.
pub const FOREIGN_GROUP: &str = "z8other";

const GROUP: &str = "g7k2m9qx";

const GROUPS: &str = "groups";
const WORKSPACE_KEYS: &str = "workspace keys";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "baseten",
    credential: "emuWsKey.EXAMPLEnotASecretBaseten0000000001",
    preflight: &[],
    places: &[Place::Scheme("Api-Key"), Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    too_many,
    delay: DelayForm::Body,
    drifting: Drifting {
        holders: &["items", "keys"],
        values: &["/type", "/hierarchy/limit_enforcement"],
        nulls: &["name"],
    },
    seeds: seeds::keys,
    recipe: seeds::RECIPE,
    around,
};

fn operations() -> Operations<Shared> {
    Operations::default()
        .get("list_groups", "/v1/gateway/groups", groups::list)
        .post("create_group", "/v1/gateway/groups", groups::create)
        .get("get_group", "/v1/gateway/groups/{group_id}", groups::look_up)
        .patch("update_group", "/v1/gateway/groups/{group_id}", groups::update)
        .delete("delete_group", "/v1/gateway/groups/{group_id}", groups::delete)
        .get("get_group_usage", "/v1/gateway/groups/{group_id}/usage", groups::usage)
        .get("list_api_keys", "/v1/gateway/groups/{group_id}/api_keys", keys::list)
        .post("create_api_key", "/v1/gateway/groups/{group_id}/api_keys", keys::create)
        .post("register_api_key", "/v1/gateway/groups/{group_id}/api_keys/register", keys::register)
        .get("get_api_key", "/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}", keys::look_up)
        .delete("revoke_api_key", "/v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}", keys::revoke)
        .get("list_workspace_api_keys", "/v1/api_keys", workspace_keys::list)
        .post("create_workspace_api_key", "/v1/api_keys", workspace_keys::create)
        .delete("delete_workspace_api_key", "/v1/api_keys/{api_key_prefix}", workspace_keys::delete)
        .post("create_team_api_key", "/v1/teams/{team_id}/api_keys", workspace_keys::create_in_team)
}

/// The group of a path, if it is the caller's.
fn owned<'a>(store: &mut Store, ids: &'a [String]) -> Result<&'a str, Refusal> {
    let group = ids.first().map_or("", String::as_str);
    if group == FOREIGN_GROUP {
        return Err(refusal(StatusCode::FORBIDDEN, "FORBIDDEN", "this group belongs to another workspace"));
    }
    if store.table(GROUPS).get(&[group.to_owned()]).is_none() {
        if !store.keys.added(0).any(|(_, entry)| entry.is_in(group)) {
            return Err(not_found());
        }
        // A seeded key told of it. From now on the group stays without the key.
        store.table(GROUPS).put(seeds::group(group));
    }
    Ok(group)
}

/// A page of the objects that `after` tells from a place on, and where the next one begins.
fn page<'a, I>(query: &Query, after: impl FnOnce(u64) -> I) -> Result<Value, Refusal>
where
    I: Iterator<Item = (u64, Cow<'a, Entry>)>,
{
    let limit = query.number("limit", 100, 1..=1000).ok_or_else(|| invalid("limit: from 1 to 1000"))?;
    let start = query
        .first("cursor")
        .map_or(Some(0), |cursor| cursor.strip_suffix("==").and_then(|place| u64::from_str_radix(place, 16).ok()));
    let start = start.ok_or_else(|| invalid("cursor: not one of this API"))?;
    let mut rest = after(start);
    let items: Vec<_> = rest.by_ref().take(limit).collect();
    let has_more = rest.next().is_some();
    let last = items.last().filter(|_| has_more);
    let cursor = last.map(|(place, _)| format!("{place:014x}=="));
    let items: Vec<_> = items.iter().map(|(_, entry)| &entry.value).collect();
    Ok(json!({"items": items, "pagination": {"has_more": has_more, "cursor": cursor}}))
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    object(body).ok_or_else(|| invalid("the body has to be a JSON object"))
}

/// The name, which is a text or null or not there.
fn name(body: &Map<String, Value>) -> Result<Value, Refusal> {
    let name = super::or_null(body, "name");
    if is_unset(body, "name") || name.is_string() { Ok(name) } else { Err(invalid("name: a text or null")) }
}

fn invalid(message: &str) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "no such group or key")
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Refusal {
    Refusal { status, body: json!({"code": code, "message": message}) }
}

fn unauthorized(_: &Backend) -> Response {
    refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "a valid API key is required").into_response()
}

fn unknown_path() -> Response {
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "no such path").into_response()
}

/// The one error whose body is documented.
fn too_many(_: &Backend, retry_after: Option<u64>) -> Response {
    let mut body = json!({"error": "rate limited"});
    if let (Value::Object(members), Some(seconds)) = (&mut body, retry_after) {
        members.insert("retry_after".to_owned(), json!(seconds));
    }
    answer::json(StatusCode::TOO_MANY_REQUESTS, body)
}

fn around(store: &mut Store, owners: Option<&[String]>) {
    for group in owners.unwrap_or(&[GROUP.to_owned()]) {
        store.table(GROUPS).put(seeds::group(group));
    }
    for entry in seeds::workspace_keys() {
        store.table(WORKSPACE_KEYS).put(entry);
    }
}
