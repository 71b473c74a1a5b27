//! What the tests of the operations share: options that do not wait, and a server that loses its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keymux_core::{HttpOptions, RetryPolicy};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Options with four attempts and next to no wait between them.
pub(crate) fn options() -> HttpOptions {
    HttpOptions::new().with_retry(RetryPolicy::default().with_base_delay(Duration::from_millis(1)))
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
