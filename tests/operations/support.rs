//! What the tests of the operations share: options that do not wait, a vendor that keeps what it was asked, and a
//! server that loses its answers.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keymux_core::{ClientOptions, IssuedKey, KeyRecord, RetryPolicy};
use mockito::{Matcher, Request, Server, ServerGuard};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// The message where what the vendor says may repeat a plaintext that was sent.
pub(crate) const WITHHELD: &str = "what the vendor says is not shown, since it may repeat the key";

/// Options with four attempts and next to no wait between them, whatever the vendor answered to the call before.
pub(crate) fn options() -> ClientOptions {
    let regardless = ClientOptions::new().without_rate_limiter().with_credential_recheck(Duration::ZERO);
    regardless.with_retry(RetryPolicy::default().with_base_delay(Duration::from_millis(1)))
}

/// What prints this shows no plaintext: each one has `CANARY` in it.
pub(crate) fn assert_hidden(printed: &(impl Debug + ?Sized)) {
    let text = format!("{printed:?} {printed:#?}");
    assert!(!text.contains("CANARY"), "{text}");
}

/// The record of a key whose answer told its address.
pub(crate) fn recorded(issued: &IssuedKey) -> &KeyRecord {
    issued.record.as_ref().unwrap()
}

/// A vendor that gives its replies to one method one after the other, the last one for ever, and keeps what it was
/// asked.
pub(crate) struct Vendor {
    server: ServerGuard,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    pub(crate) async fn answering(method: &str, replies: &[(usize, &str)]) -> Self {
        Self::start(method, replies, &[]).await
    }

    /// Like [`Vendor::answering`], and each reply says to come back in a millisecond.
    pub(crate) async fn hinting(method: &str, replies: &[(usize, &str)]) -> Self {
        Self::start(method, replies, &[("retry-after", "0.001")]).await
    }

    async fn start(method: &str, replies: &[(usize, &str)], headers: &[(&str, &str)]) -> Self {
        let mut server = Server::new_async().await;
        let asked = Arc::<Mutex<Vec<String>>>::default();
        for (status, body) in replies {
            let (asked, body) = (Arc::clone(&asked), (*body).to_owned());
            let answer = move |request: &Request| {
                asked.lock().unwrap().push(describe(request));
                body.clone().into()
            };
            let mut mock = server.mock(method, Matcher::Any).with_status(*status);
            for (name, value) in headers {
                mock = mock.with_header(*name, value);
            }
            mock.with_body_from_request(answer).create_async().await;
        }
        Self { server, asked }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Each request, as [`request`] writes it.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The request lines alone.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
    }

    /// The body of the last request.
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(self.asked().last().unwrap().lines().last().unwrap()).unwrap()
    }
}

/// The request line, the headers but `host` in alphabetical order, and the body if there is one.
fn describe(request: &Request) -> String {
    let headers = request.headers().iter().filter(|(name, _)| *name != "host");
    let mut lines: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))).collect();
    lines.sort();
    lines.insert(0, format!("{} {}", request.method(), request.path_and_query()));
    lines.extend(Some(request.utf8_lossy_body().unwrap().into_owned()).filter(|body| !body.is_empty()));
    lines.join("\n")
}

/// A request whole, with the header that has the credential. A body that is empty has a length and no type.
pub(crate) fn request(line: &str, credential: &str, body: Option<&str>) -> String {
    let user_agent = concat!("user-agent: keymux/", env!("CARGO_PKG_VERSION"));
    let mut headers = vec!["accept: application/json".to_owned(), credential.to_owned(), user_agent.to_owned()];
    headers.extend(body.map(|body| format!("content-length: {}", body.len())));
    let body = body.filter(|body| !body.is_empty());
    headers.extend(body.map(|_| "content-type: application/json".to_owned()));
    headers.sort();
    let lines = [line].into_iter().chain(headers.iter().map(String::as_str)).chain(body);
    lines.collect::<Vec<_>>().join("\n")
}

/// A server that reads each request whole and closes the connection without an answer.
pub(crate) struct Forgetful {
    url: String,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Forgetful {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = vec![0; 64 * 1024];
                let mut length = 0;
                while !is_whole(&request[..length]) {
                    match connection.read(&mut request[length..]).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => length += read,
                    }
                }
                if length > 0 {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self { url, requests, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many requests arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Forgetful {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the head is there, and as much of a body as it announces.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    body.len() >= announced.trim().parse().unwrap_or(0)
}
