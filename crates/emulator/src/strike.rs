//! Faults as they come out on the socket.

use std::future::{Future, pending};

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use crate::backend::Backend;
use crate::clock::Micros;
use crate::connection::{End, Takeover, chunk};
use crate::faults::{Drift, Fault, FaultAnswer, FaultBody};

/// What a gateway shows in place of an API.
const PAGE: &str = "<!DOCTYPE html>\n<html><body><h1>Bad gateway</h1></body></html>\n";

/// Answers with a fault. `carried_out` is the vendor's answer, which counts as not asked for unless it is awaited.
pub(crate) async fn strike(fault: &Fault, backend: &Backend, carried_out: impl Future<Output = Response>) -> Response {
    match fault {
        Fault::Answer(answer) => {
            if answer.applied {
                carried_out.await;
            }
            instead(answer)
        }
        Fault::RateLimited { form, wait } => backend.too_many(form, Micros::from(*wait)),
        // It was slept before.
        Fault::Latency { .. } => carried_out.await,
        Fault::Hang { applied } => {
            if *applied {
                carried_out.await;
            }
            pending().await
        }
        Fault::Reset { applied } => {
            if *applied {
                carried_out.await;
            }
            taken_over(Vec::new(), End::Reset)
        }
        Fault::TruncatedBody => {
            let (parts, body) = whole(carried_out.await).await;
            let half = body.get(..body.len() / 2).unwrap_or_default();
            let head = head(&parts, backend, &format!("content-length: {}", body.len()));
            taken_over([head.as_bytes(), half].concat(), End::Close)
        }
        Fault::WrongContentLength { by } => {
            let (parts, body) = whole(carried_out.await).await;
            let length = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add_signed(*by);
            let head = head(&parts, backend, &format!("content-length: {length}"));
            taken_over([head.as_bytes(), &body].concat(), End::Close)
        }
        Fault::NotJson => (carried_out.await.status(), Html(PAGE)).into_response(),
        Fault::Drift(drift) => drifted(drift, backend, carried_out.await).await,
        Fault::Redirect { status, location } => {
            let mut response = StatusCode::from_u16(*status).unwrap_or_default().into_response();
            if let Ok(location) = HeaderValue::from_str(location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Fault::EndlessBody => {
            let (parts, body) = whole(carried_out.await).await;
            let head = head(&parts, backend, "transfer-encoding: chunked");
            // Without its last byte the body is no whole JSON, so that nobody may stop reading there.
            let begun = chunk(body.split_last().map_or(&[], |(_, begun)| begun));
            taken_over([head.as_bytes(), &begun].concat(), End::Endless)
        }
    }
}

/// An answer in the vendor's stead. What would not be a valid status or header was refused when the plan was set.
fn instead(answer: &FaultAnswer) -> Response {
    let mut response = match &answer.body {
        FaultBody::Empty => ().into_response(),
        FaultBody::Json(value) => Json(value).into_response(),
        FaultBody::Text(text) => text.clone().into_response(),
        FaultBody::Bytes(bytes) => Body::from(bytes.clone()).into_response(),
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            if name == header::CONTENT_TYPE {
                response.headers_mut().insert(name, value);
            } else {
                response.headers_mut().append(name, value);
            }
        }
    }
    response
}

async fn drifted(drift: &Drift, backend: &Backend, response: Response) -> Response {
    let (mut parts, body) = whole(response).await;
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    drift.change(&mut answer, backend.drifting());
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(answer.to_string()))
}

/// The vendor's answers are made in memory, so that reading them neither fails nor waits.
async fn whole(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
}

/// Status line and headers, as the server would write them, with this one in place of its framing.
fn head(parts: &Parts, backend: &Backend, framing: &str) -> String {
    let mut head = format!("HTTP/1.1 {}\r\n{framing}\r\nconnection: close\r\n", parts.status);
    head.extend(["date: ", &backend.now().imf_fixdate(), "\r\n"]);
    for (name, value) in &parts.headers {
        if ![header::CONTENT_LENGTH, header::DATE].contains(name) {
            head.extend([name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes()), "\r\n"]);
        }
    }
    head.push_str("\r\n");
    head
}

fn taken_over(bytes: Vec<u8>, end: End) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Takeover { bytes, end });
    response
}
