//! Answers in the two forms that the vendors use.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// What an operation comes to: a body to send with 200, or a refusal.
pub(crate) type Outcome = Result<Json<Value>, Refusal>;

/// A status other than 200, and its body.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json(self.status, self.body)
    }
}

pub(crate) fn json(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

pub(crate) fn text(status: StatusCode, body: String) -> Response {
    (status, body).into_response()
}
