//! Braintrust: keys of users. Errors are plain text with a bracketed context; "missing" and "no access" are one.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::seed;
use crate::answer;
use crate::backend::{Address, Backend, Blueprint, Shared};
use crate::request::{Ids, Place};

pub(crate) static BLUEPRINT: Blueprint = Blueprint {
    name: "braintrust",
    credential: "sk-EXAMPLEnotASecretBraintrust00000000000000000001",
    places: &[Place::Scheme("Bearer")],
    unauthorized,
    operations,
    unknown_path,
    seeds,
};

fn operations() -> Router<Shared> {
    Router::new().route("/v1/api_key/{api_key_id}", get(get_api_key))
}

async fn get_api_key(State(backend): State<Shared>, Ids(ids): Ids) -> Response {
    let id = ids.first().map_or("", String::as_str);
    if !is_uuid(id) {
        let issues = json!([{
            "validation": "uuid",
            "code": "invalid_string",
            "message": "Invalid uuid",
            "path": ["api_key_id"],
        }]);
        return refusal(&backend, StatusCode::BAD_REQUEST, &issues.to_string(), KNOWN_CALLER);
    }
    if let Some(key) = backend.key(&ids) {
        return traced(backend.next_serial(), answer::json(StatusCode::OK, key));
    }
    // The answer for a missing key is not documented. This is what Braintrust says of its other objects.
    let message = format!("Missing read access to api_key id {id}, or the api_key does not exist");
    refusal(&backend, StatusCode::BAD_REQUEST, &message, KNOWN_CALLER)
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

fn seeds() -> Vec<(Address, Value)> {
    let full = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80";
    let minimal = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b81";
    let nulls = "6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b82";
    vec![
        seed(
            [full],
            json!({
                "id": full,
                "created": "2026-02-03T10:20:30.123Z",
                "name": "ci",
                "preview_name": "sk-****k3Zq9",
                "user_id": "0d9c8b7a-1122-4334-8556-77889900aabb",
                "user_email": "dev@example.com",
                "user_given_name": "Dev",
                "user_family_name": "Example",
                "org_id": "11111111-2222-4333-8444-555555555555",
            }),
        ),
        seed([minimal], json!({"id": minimal, "name": "ci-minimal", "preview_name": "sk-****m1Nim"})),
        seed(
            [nulls],
            json!({
                "id": nulls,
                "created": null,
                "name": "ci-nulls",
                "preview_name": "sk-****nU11s",
                "user_id": null,
                "user_email": null,
                "user_given_name": null,
                "user_family_name": null,
                "org_id": null,
            }),
        ),
    ]
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
