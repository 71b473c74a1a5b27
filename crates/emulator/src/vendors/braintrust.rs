//! Braintrust: keys of users, and tokens of service accounts. Errors are plain text with a bracketed context; "missing"
//! and "no access" are one.
//!
//! The answer for a missing key is not documented; here it is what Braintrust says of its other objects. A list without
//! a limit holds everything, and one with the limit 0 nothing; neither is documented. A cursor that is no object of the
//! list is refused like a missing object. `org_name` is ignored: there is one organisation.

mod paging;
mod seeds;
mod service_tokens;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::answer;
use crate::backend::{Backend, Blueprint, Shared};
use crate::delay::DelayForm;
use crate::faults::Drifting;
use crate::operations::Operations;
use crate::request::{Ids, Place, Query};
use crate::store::Store;

const SERVICE_TOKENS: &str = "service tokens";

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "braintrust",
    credential: "sk-EXAMPLEnotASecretBraintrust00000000000000000001",
    preflight: &["/v1/api_key", "/v1/api_key/{api_key_id}"],
    places: &[Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    too_many,
    delay: DelayForm::Seconds,
    drifting: Drifting { holders: &["objects"], values: &[], nulls: &["name", "preview_name"] },
    seeds: seeds::keys,
    recipe: seeds::RECIPE,
    around,
};

fn operations() -> Operations<Shared> {
    Operations::default()
        .get("list_api_keys", "/v1/api_key", list)
        .post("create_api_key", "/v1/api_key", create)
        .get("get_api_key", "/v1/api_key/{api_key_id}", look_up)
        .delete("delete_api_key", "/v1/api_key/{api_key_id}", delete)
        .get("list_service_tokens", "/v1/service_token", service_tokens::list)
        .post("create_service_token", "/v1/service_token", service_tokens::create)
        .put("create_or_replace_service_token", "/v1/service_token", service_tokens::replace)
        .delete("delete_service_token_by_body", "/v1/service_token", service_tokens::delete_by_body)
        .get("get_service_token", "/v1/service_token/{service_token_id}", service_tokens::look_up)
        .delete("delete_service_token", "/v1/service_token/{service_token_id}", service_tokens::delete)
}

/// A status and a text, to which the context is added.
#[derive(Debug)]
struct Fault {
    status: StatusCode,
    message: String,
}

/// Keys list newest first, by `created` and then by the order in which they came.
async fn list(State(backend): State<Shared>, query: Query) -> Response {
    let page = backend.with(|store| paging::page(&store.keys, &query, "api_key_name"));
    told(&backend, page)
}

async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    let found = checked_id(&ids, "api_key_id").and_then(|id| {
        let key = backend.with(|store| store.keys.get(&ids).map(|entry| entry.value.clone()));
        key.ok_or_else(|| missing("read", "api_key", id))
    });
    told(&backend, found)
}

async fn delete(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    let deleted = checked_id(&ids, "api_key_id").and_then(|id| {
        let key = backend.with(|store| store.keys.remove(&ids));
        key.map(|entry| entry.value).ok_or_else(|| missing("delete", "api_key", id))
    });
    told(&backend, deleted)
}

/// The operation was withdrawn. Its status and text are documented, its body is not.
async fn create(State(backend): State<Shared>) -> Response {
    let message = "API keys cannot create API keys".to_owned();
    told(&backend, Err(Fault { status: StatusCode::FORBIDDEN, message }))
}

fn told(backend: &Backend, outcome: Result<Value, Fault>) -> Response {
    match outcome {
        Ok(body) => traced(backend.next_serial(), answer::json(StatusCode::OK, body)),
        Err(fault) => refusal(backend, fault.status, &fault.message, KNOWN_CALLER),
    }
}

fn checked_id<'a>(ids: &'a [String], name: &str) -> Result<&'a str, Fault> {
    let id = ids.first().map_or("", String::as_str);
    if is_uuid(id) { Ok(id) } else { Err(invalid("uuid", "invalid_string", "Invalid uuid", name)) }
}

fn invalid(validation: &str, code: &str, message: &str, name: &str) -> Fault {
    let issues = json!([{"validation": validation, "code": code, "message": message, "path": [name]}]);
    bad(issues.to_string())
}

fn missing(access: &str, kind: &str, id: &str) -> Fault {
    bad(format!("Missing {access} access to {kind} id {id}, or the {kind} does not exist"))
}

fn bad(message: String) -> Fault {
    Fault { status: StatusCode::BAD_REQUEST, message }
}

/// What the context of an error tells of a caller whose credential is good.
const KNOWN_CALLER: &str = " [user_email=dev@example.com] [user_org=acme]";

fn refusal(backend: &Backend, status: StatusCode, message: &str, caller: &str) -> Response {
    let serial = backend.next_serial();
    let context = format!("{caller} [timestamp=1760000000.001] [request_id=00000000-0000-4000-8000-{serial:012x}]");
    traced(serial, answer::text(status, format!("{message}{context}")))
}

fn traced(serial: u64, mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::from_str(&format!("{serial:032x}")) {
        response.headers_mut().insert("x-bt-internal-trace-id", id);
    }
    response
}

fn unauthorized(backend: &Backend) -> Response {
    refusal(backend, StatusCode::UNAUTHORIZED, "The token could not be validated", "")
}

/// A path that Braintrust does not have ends at the gateway in front of it.
fn unknown_path() -> Response {
    let message = "The Authorization header is not a list of key=value pairs";
    answer::json(StatusCode::FORBIDDEN, json!({"message": message}))
}

/// Whether `text` has the form 8-4-4-4-12 of hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    [8, 4, 4, 4, 12].into_iter().all(|length| {
        groups.next().is_some_and(|group| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }) && groups.next().is_none()
}

/// The status and the header are documented, the text is not.
fn too_many(backend: &Backend, _: Option<u64>) -> Response {
    refusal(backend, StatusCode::TOO_MANY_REQUESTS, "Too many requests", KNOWN_CALLER)
}

fn around(store: &mut Store, _: Option<&[String]>) {
    store.table(SERVICE_TOKENS).put(seeds::service_token());
}

#[cfg(test)]
mod tests {
    use super::is_uuid;

    #[test]
    fn uuids_are_told_from_other_text() {
        for (text, expected) in [
            ("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", true),
            ("6F1D2C3B-0A9E-4B57-8C11-2F4D5E6A7B80", true),
            ("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b8", false),
            ("6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80-", false),
            ("6f1d2c3b0a9e4b578c112f4d5e6a7b80", false),
            ("6g1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80", false),
            ("", false),
        ] {
            assert_eq!(is_uuid(text), expected, "{text}");
        }
    }
}
