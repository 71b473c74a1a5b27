//! The operations that take the plaintext of a key.
//!
//! A verdict is always a 200. Where several apply, the first of unknown, deleted, disabled, expired, lacking scopes,
//! used up and too fast is told; Oneloop does not document an order. An unknown key has the empty text for its id, since the
//! id is required. The window of a rate limit is not documented; here it is one second from the first use in it, and
//! its end is told in seconds.
//!
//! Each successful verification uses up allowance, by Oneloop's documents. The one member that tells an allowance is
//! `totalUsageLeft` of an older `ApiKey`: a key that is seeded with it counts down, unless its `limitUsage` is false.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::super::or_null;
use super::{WORKSPACES, bad, is_deleted, read, scopes, text};
use crate::answer::{Outcome, Refusal};
use crate::backend::Shared;
use crate::clock::Instant;
use crate::entry::Entry;
use crate::request::is_unset;
use crate::store::Store;

const RATES: &str = "rates";

const WINDOW_MILLIS: u64 = 1000;

pub(super) async fn verify(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let plaintext = text(&body, "key")?;
    scopes(&body, "requestedScopes")?;
    let asked_limit = rate_limit(&body)?;
    let now = backend.now();
    Ok(Json(backend.with(|store| {
        let Some(entry) = store.keys.opened_by(plaintext) else {
            return result("INVALID", &Entry::new([""], json!({"id": "", "scopes": []})), &body);
        };
        let entry = entry.into_owned();
        let (mut status, mut rate) = (standing(&entry.value, &body, now), None);
        if status == "VALID" {
            rate = asked_limit.or_else(|| default_limit(store, &entry)).map(|limit| count(store, &limit, now));
            if rate.as_ref().is_some_and(|(allowed, _)| !allowed) {
                status = "RATE_LIMITED";
            }
        }
        if status == "VALID" {
            if let Some(entry) = store.keys.get_mut(&entry.address) {
                entry.set("lastUsedAt", now.with_millis());
                if let Some(left) = allowance(&entry.value) {
                    entry.set("totalUsageLeft", left.saturating_sub(1));
                }
            }
        }
        let mut told = result(status, &entry, &body);
        if let (Some(members), Some((_, rate))) = (told.as_object_mut(), rate) {
            members.insert("rateLimit".to_owned(), rate);
        }
        told
    })))
}

pub(super) async fn record_usage(State(backend): State<Shared>, body: Bytes) -> Outcome {
    let body = read(&body)?;
    let plaintext = text(&body, "key")?;
    let is_digits = |usage: &Value| usage.as_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_unset(&body, "usage") && !body.get("usage").is_some_and(is_digits) {
        return Err(bad("usage: a text of digits"));
    }
    backend.with(|store| {
        let no_such = || bad("key: no such api key");
        let entry = store.keys.opened_by(plaintext).ok_or_else(no_such)?.into_owned();
        if is_deleted(&entry) {
            return Err(bad("key: the api key is deleted"));
        }
        let entry = store.keys.get_mut(&entry.address).ok_or_else(no_such)?;
        let all = entry.aside.entry("usage").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!({"usage": or_null(&body, "usage"), "usageName": or_null(&body, "usageName")}));
        }
        Ok(Json(json!({})))
    })
}

/// How a key stands, apart from its rate.
fn standing(key: &Value, body: &Map<String, Value>, now: Instant) -> &'static str {
    let flag = |name| key.get(name).and_then(Value::as_bool);
    if flag("deleted") == Some(true) {
        "DELETED"
    } else if flag("enabled") == Some(false) {
        "DISABLED"
    } else if key.get("expiresAt").and_then(Value::as_u64).is_some_and(|at| in_millis(at) <= now.0) {
        "EXPIRED"
    } else if !is_granted(key, body) {
        "INVALID_SCOPES"
    } else if allowance(key) == Some(0) {
        "USAGE_LIMITED"
    } else {
        "VALID"
    }
}

/// How many verifications a key has left, if they are counted.
fn allowance(key: &Value) -> Option<u64> {
    let left = key.get("totalUsageLeft")?.as_u64();
    left.filter(|_| key.get("limitUsage") != Some(&Value::Bool(false)))
}

fn in_millis(expiry: u64) -> u64 {
    if expiry < 100_000_000_000 { expiry * 1000 } else { expiry }
}

/// Whether one scope of the key covers each requested scope.
fn is_granted(key: &Value, body: &Map<String, Value>) -> bool {
    let all = |list: Option<&Value>| list.and_then(Value::as_array).cloned().unwrap_or_default();
    let held = all(key.get("scopes"));
    let allows = |scope: &Value, action: &str| scope.get(action) == Some(&Value::Bool(true));
    all(body.get("requestedScopes")).iter().all(|asked| {
        held.iter().any(|scope| {
            scope.get("representation") == asked.get("representation")
                && ["create", "read", "update", "del"]
                    .iter()
                    .all(|action| allows(scope, action) || !allows(asked, action))
        })
    })
}

fn result(status: &str, entry: &Entry, body: &Map<String, Value>) -> Value {
    let of_key = |name: &str| entry.value.get(name).cloned().unwrap_or_default();
    let mut told = json!({
        "status": status,
        "apiKeyId": of_key("id"),
        "expiresAt": of_key("expiresAt"),
        "requestedScopes": or_null(body, "requestedScopes"),
        "scopes": of_key("scopes"),
        "customerId": of_key("customerId"),
        "externalMeterId": or_null(&entry.aside, "externalMeterId"),
        "billing": null,
    });
    if let (Some(members), Some(metadata)) = (told.as_object_mut(), entry.aside.get("metadata")) {
        if !metadata.is_null() {
            members.insert("metadata".to_owned(), metadata.clone());
        }
    }
    told
}

/// What a rate is counted against, and how many uses a window has.
#[derive(Debug)]
struct RateLimit {
    id: String,
    limit: u64,
}

fn rate_limit(body: &Map<String, Value>) -> Result<Option<RateLimit>, Refusal> {
    if is_unset(body, "rateLimitConfig") {
        return Ok(None);
    }
    let config = or_null(body, "rateLimitConfig");
    let id = config.get("id").and_then(Value::as_str);
    let limit = config.get("limit").and_then(Value::as_u64).filter(|limit| *limit > 0);
    match (id, limit) {
        (Some(id), Some(limit)) => Ok(Some(RateLimit { id: format!("asked:{id}"), limit })),
        _ => Err(bad("rateLimitConfig: an id and a positive limit are required")),
    }
}

/// The workspace's limit, which is counted for each key.
fn default_limit(store: &mut Store, entry: &Entry) -> Option<RateLimit> {
    let (workspace, id) = (entry.address.first()?, entry.address.last()?);
    let workspace = store.table(WORKSPACES).get(std::slice::from_ref(workspace))?;
    let limit = workspace.value.get("defaultRateLimitPerSecond")?.as_u64()?;
    Some(RateLimit { id: format!("key:{id}"), limit })
}

/// Counts a use if the window has room for it. Tells whether it had, and how the window stands.
fn count(store: &mut Store, limit: &RateLimit, now: Instant) -> (bool, Value) {
    let address = [limit.id.clone()];
    let number = |entry: &Entry, name: &str| entry.aside.get(name).and_then(Value::as_u64);
    let open =
        store.table(RATES).get(&address).and_then(|entry| Some((number(&entry, "start")?, number(&entry, "used")?)));
    let (start, used) = open.filter(|(start, _)| now.0 < start.saturating_add(WINDOW_MILLIS)).unwrap_or((now.0, 0));
    let allowed = used < limit.limit;
    let used = used + u64::from(allowed);
    store.table(RATES).put(Entry::new(address, Value::Null).aside("start", start).aside("used", used));
    let reset_at = start.saturating_add(WINDOW_MILLIS).div_ceil(1000);
    (allowed, json!({"remaining": limit.limit.saturating_sub(used), "resetAt": reset_at}))
}
