//! Acme's server: keys of projects, in memory, on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const CREDENTIAL: &str = "acme-CANARY-credential";
pub(crate) const PROJECT: &str = "p-1";
const PAGE: usize = 2;

#[derive(Debug, Default)]
pub(crate) struct Keys {
    rows: BTreeMap<String, Value>,
    plaintexts: BTreeMap<String, String>,
    made: usize,
}

pub(crate) type Shared = Arc<Mutex<Keys>>;
type Answer = Result<Json<Value>, StatusCode>;

impl Keys {
    pub(crate) fn put(&mut self, id: &str, name: &Value, max_uses: &Value, plaintext: &str) -> Value {
        let key = json!({"id": id, "project": PROJECT, "name": name, "max_uses": max_uses, "used": 1_735_689_600});
        self.rows.insert(id.to_owned(), key.clone());
        self.plaintexts.insert(id.to_owned(), plaintext.to_owned());
        key
    }

    fn fresh(&mut self) -> (String, String) {
        self.made += 1;
        (format!("made-{:04}", self.made), format!("acme_sk_CANARY_{:04}", self.made))
    }
}

/// Starts the server on the runtime of the caller, and tells its base URL.
pub(crate) async fn start(keys: Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/projects", get(|| async { Json(json!({"projects": [{"id": PROJECT, "name": "One"}]})) }))
        .route("/projects/{project}/keys", get(list).post(create))
        .route("/projects/{project}/keys/{id}", get(look_up).patch(update).delete(revoke))
        .route("/projects/{project}/keys/{id}/rotate", post(rotate))
        .route("/projects/{project}/register", post(register))
        .route("/verify", post(verify))
        .layer(middleware::from_fn(authenticate))
        .with_state(keys);
    tokio::spawn(async move { axum::serve(listener, Router::new().nest("/api", routes)).await });
    url
}

async fn authenticate(request: Request, next: Next) -> Response {
    let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if sent == Some(&format!("Bearer {CREDENTIAL}")) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn look_up(State(keys): State<Shared>, Path((_, id)): Path<(String, String)>) -> Answer {
    keys.lock().unwrap().rows.get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn list(State(keys): State<Shared>, Path(_): Path<String>, uri: Uri) -> Answer {
    let keys = keys.lock().unwrap();
    let after = uri.query().and_then(|query| query.strip_prefix("after=")).unwrap_or_default();
    let mut rest = keys.rows.iter().filter(|(id, _)| id.as_str() > after);
    let page: Vec<&Value> = rest.by_ref().take(PAGE).map(|(_, key)| key).collect();
    let next = rest.next().and(page.last()).map(|last| last["id"].clone());
    Ok(Json(json!({"keys": page, "next": next})))
}

async fn create(State(keys): State<Shared>, Path(_): Path<String>, Json(body): Json<Value>) -> Answer {
    let mut keys = keys.lock().unwrap();
    let (id, plaintext) = keys.fresh();
    let mut key = keys.put(&id, &body["name"], &body["max_uses"], &plaintext);
    key["secret"] = plaintext.into();
    Ok(Json(key))
}

async fn register(State(keys): State<Shared>, Path(_): Path<String>, Json(body): Json<Value>) -> Answer {
    let mut keys = keys.lock().unwrap();
    let (id, _) = keys.fresh();
    let plaintext = body["secret"].as_str().ok_or(StatusCode::BAD_REQUEST)?;
    Ok(Json(keys.put(&id, &body["name"], &Value::Null, plaintext)))
}

async fn update(State(keys): State<Shared>, Path((_, id)): Path<(String, String)>, Json(body): Json<Value>) -> Answer {
    let mut keys = keys.lock().unwrap();
    let key = keys.rows.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
    for (name, value) in body.as_object().ok_or(StatusCode::BAD_REQUEST)? {
        key[name] = value.clone();
    }
    Ok(Json(key.clone()))
}

async fn rotate(State(keys): State<Shared>, Path((_, id)): Path<(String, String)>) -> Answer {
    let mut keys = keys.lock().unwrap();
    let (_, plaintext) = keys.fresh();
    let mut key = keys.rows.get(&id).cloned().ok_or(StatusCode::NOT_FOUND)?;
    keys.plaintexts.insert(id, plaintext.clone());
    key["secret"] = plaintext.into();
    Ok(Json(key))
}

async fn revoke(State(keys): State<Shared>, Path((_, id)): Path<(String, String)>) -> Answer {
    let mut keys = keys.lock().unwrap();
    keys.plaintexts.remove(&id);
    keys.rows.remove(&id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn verify(State(keys): State<Shared>, Json(body): Json<Value>) -> Answer {
    let keys = keys.lock().unwrap();
    Ok(Json(json!({"valid": keys.plaintexts.values().any(|plaintext| body["secret"] == plaintext.as_str())})))
}
