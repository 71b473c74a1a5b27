//! The suite's place between a provider and its vendor's stand-in: a server that sees every request as it was sent, and
//! can answer in the stand-in's place, lose an answer, or never answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::SkippingClock;

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    /// The stand-in answers it.
    Forward,
    /// It is answered here; the stand-in does not see it.
    Answer(Canned),
    /// The stand-in carries it out, and then the connection breaks.
    LoseAnswer,
    /// The stand-in's answer is changed where it is JSON.
    Rewrite(fn(&mut Value)),
    /// It is never answered; the stand-in does not see it.
    Hang,
}

/// An answer that the stand-in did not give.
#[derive(Debug, Clone)]
pub(crate) struct Canned {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

/// An answer with this status, a JSON body that says nothing, and these headers.
pub(crate) fn answer(status: u16, headers: &[(HeaderName, &str)]) -> Plan {
    let headers = headers.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
    Plan::Answer(Canned { status, headers, body: "{}".to_owned() })
}

/// An answer with this status and this JSON.
pub(crate) fn answer_with(status: u16, body: &Value) -> Plan {
    Plan::Answer(Canned { status, headers: Vec::new(), body: body.to_string() })
}

/// A refusal that says this in every member in which a vendor's errors say something, and in headers.
pub(crate) fn refusal_that_says(status: u16, text: &str) -> Plan {
    let members = ["message", "Message", "detail", "error", "problem", "code", "Code", "error_code", "request_id"];
    let body: serde_json::Map<_, _> = members.iter().map(|&member| (member.to_owned(), text.into())).collect();
    let headers = [http::header::SET_COOKIE, http::header::WWW_AUTHENTICATE, HeaderName::from_static("x-request-id")];
    let headers = headers.into_iter().map(|name| (name, text.to_owned())).collect();
    Plan::Answer(Canned { status, headers, body: Value::Object(body).to_string() })
}

/// A success whose body is no vendor's.
pub(crate) fn unreadable() -> Plan {
    Plan::Answer(Canned { status: 200, headers: Vec::new(), body: "<html>a page in between</html>".to_owned() })
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Path and query, encoded as they arrived.
    pub(crate) target: String,
    /// When, by the suite's clock.
    pub(crate) at: Duration,
}

#[derive(Debug, Default)]
struct State {
    plans: VecDeque<Plan>,
    seen: Vec<Seen>,
    hanging: usize,
}

#[derive(Debug)]
struct Shared {
    upstream: Uri,
    clock: SkippingClock,
    state: Mutex<State>,
    changed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running proxy. Dropping it closes its port and its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    path: String,
    shared: Arc<Shared>,
    _connections: JoinSet<()>,
}

impl Proxy {
    /// Passes requests on to `upstream`, a base URL of plain HTTP.
    pub(crate) async fn start(upstream: &str, clock: SkippingClock) -> Result<Self, String> {
        let wrong = || format!("the harness's base URL `{upstream}` is not of the form `http://127.0.0.1:49152/path`");
        let uri: Uri = upstream.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() {
            return Err(wrong());
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared { upstream: uri, clock, state: Mutex::default(), changed: Notify::new() });
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, path, shared, _connections: connections })
    }

    /// The base URL for the provider, with the path of the stand-in's.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// What happens to the next requests, one after the other; all further ones are forwarded.
    pub(crate) fn plan(&self, plans: impl IntoIterator<Item = Plan>) {
        self.shared.state().plans = plans.into_iter().collect();
    }

    /// How many requests have arrived.
    pub(crate) fn count(&self) -> usize {
        self.shared.state().seen.len()
    }

    /// The requests that arrived after the first `mark`.
    pub(crate) fn since(&self, mark: usize) -> Vec<Seen> {
        self.shared.state().seen.get(mark..).unwrap_or_default().to_vec()
    }

    /// Waits until so many requests are waiting for an answer that does not come.
    pub(crate) async fn until_hanging(&self, count: usize) {
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.state().hanging == count {
                return;
            }
            changed.await;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Small answers go out at once; where that cannot be set they only take longer.
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| handle(Arc::clone(&shared), request));
            // An error is a client that closed, or an answer that was lost as planned.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A request that waits for an answer in vain, until its connection is closed.
struct Hanging<'a>(&'a Shared);

impl<'a> Hanging<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.state().hanging += 1;
        shared.changed.notify_waiters();
        Self(shared)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.state().hanging -= 1;
        self.0.changed.notify_waiters();
    }
}

async fn handle(shared: Arc<Shared>, request: http::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let plan = {
        let mut state = shared.state();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        state.seen.push(Seen { target, at: shared.clock.elapsed() });
        state.plans.pop_front().unwrap_or(Plan::Forward)
    };
    match plan {
        Plan::Forward => forward(&shared.upstream, request).await,
        Plan::Answer(canned) => {
            read(request).await?;
            give(&canned)
        }
        Plan::LoseAnswer => {
            forward(&shared.upstream, request).await?;
            Err(io::Error::other("the answer is lost, as planned"))
        }
        Plan::Rewrite(change) => {
            let (mut head, body) = forward(&shared.upstream, request).await?.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let Ok(mut value) = serde_json::from_slice(&body) else {
                return Ok(Response::from_parts(head, Full::new(body)));
            };
            change(&mut value);
            head.headers.remove(CONTENT_LENGTH);
            Ok(Response::from_parts(head, Full::new(Bytes::from(value.to_string()))))
        }
        Plan::Hang => {
            let _hanging = Hanging::new(&shared);
            pending::<Infallible>().await;
            Err(io::Error::other("never"))
        }
    }
}

fn give(canned: &Canned) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::new(Bytes::from(canned.body.clone())));
    *response.status_mut() = StatusCode::from_u16(canned.status).map_err(io::Error::other)?;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &canned.headers {
        response.headers_mut().append(name, value.parse().map_err(io::Error::other)?);
    }
    Ok(response)
}

async fn read(request: http::Request<Incoming>) -> io::Result<(http::request::Parts, Bytes)> {
    let (head, body) = request.into_parts();
    Ok((head, body.collect().await.map_err(io::Error::other)?.to_bytes()))
}

/// Sends a request on, over a connection of its own, and reads the whole answer.
async fn forward(upstream: &Uri, request: http::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (mut head, body) = read(request).await?;
    let host = upstream.authority().map_or("", |authority| authority.as_str());
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    head.uri = target.parse().map_err(io::Error::other)?;
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    head.headers.insert(HOST, HeaderValue::from_str(host).map_err(io::Error::other)?);
    let stream = TcpStream::connect(address(upstream)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let exchange = async {
        let request = http::Request::from_parts(head, Full::new(body));
        let (mut head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        drop(sender);
        Ok::<_, io::Error>(Response::from_parts(head, Full::new(body)))
    };
    // The connection does the work of the exchange, and ends after it.
    let (response, _) = futures_util::future::join(exchange, connection).await;
    response
}

fn address(upstream: &Uri) -> String {
    format!("{}:{}", upstream.host().unwrap_or_default(), upstream.port_u16().unwrap_or(80))
}

/// Another origin, which must be sent nothing: it counts the connections that are made to it.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    _task: JoinSet<()>,
}

impl Elsewhere {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connections = Arc::<Mutex<usize>>::default();
        let counter = Arc::clone(&connections);
        let mut task = JoinSet::new();
        task.spawn(async move {
            // Each one is closed as soon as it is counted.
            while listener.accept().await.is_ok() {
                *counter.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            }
        });
        Ok(Self { address, connections, _task: task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/elsewhere", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
