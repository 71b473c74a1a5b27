//! Answers in the two forms that the vendors use.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub(crate) fn json(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

pub(crate) fn text(status: StatusCode, body: String) -> Response {
    (status, body).into_response()
}
