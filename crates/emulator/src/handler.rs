//! The steps that every request takes, before and after the vendor answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use crate::backend::Shared;
use crate::limit::TooEarly;
use crate::lock::locked;
use crate::strike::strike;

/// What answers on the port of a vendor: its operations, and around them what happens to every request.
pub(crate) fn layered(operations: Router<Shared>, backend: &Shared) -> Router {
    let unknown_path = backend.blueprint.unknown_path;
    operations
        .fallback(move || async move { unknown_path() })
        .layer(middleware::from_fn_with_state(Arc::clone(backend), serve))
        .with_state(Arc::clone(backend))
}

/// A request that is not answered yet. Dropped when it is, or when its client has gone.
struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Records a request, lets happen what is planned for it, and otherwise lets the vendor answer.
async fn serve(State(backend): State<Shared>, request: Request, next: Next) -> Response {
    let _open = Open::new(&backend.open);
    let path = request.extensions().get::<MatchedPath>();
    let is_known = path.is_some();
    let is_preflight = request.method() == Method::OPTIONS
        && path.is_some_and(|path| backend.blueprint.preflight.contains(&path.as_str()));
    let operation = path.and_then(|path| backend.operations.find(request.method(), path.as_str()));
    let fate = locked(&backend.faults).choose(operation);
    let number = backend.record(&request, operation, &fate);
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    let carried_out = async {
        if !is_known {
            return next.run(request).await;
        }
        if is_preflight {
            return StatusCode::OK.into_response();
        }
        let Some(credential) = backend.credential_in(request.headers()) else {
            return (backend.blueprint.unauthorized)(&backend);
        };
        if let Some(TooEarly { wait, form }) = backend.refusal(credential, operation) {
            backend.refused.fetch_add(1, Ordering::Relaxed);
            backend.mark_limited(number);
            return backend.too_many(&form, wait);
        }
        backend.served.fetch_add(1, Ordering::Relaxed);
        next.run(request).await
    };
    let mut response = match fate.end() {
        None => carried_out.await,
        Some(fault) => strike(fault, &backend, carried_out).await,
    };
    // The time of a delay's date is the emulator's, so that the date beside it has to be so too.
    if let Ok(date) = HeaderValue::try_from(backend.now().imf_fixdate()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
