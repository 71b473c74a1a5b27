//! The limit: hyper alone on one connection, and serde_json.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use keymux_bench::model::Key;
use keymux_bench::{CREDENTIAL, KEY_ID, Peer};

keymux_bench::counted!();

struct Hyper {
    sender: SendRequest<Empty<Bytes>>,
    authority: String,
}

impl Peer for Hyper {
    async fn connect(base: &str) -> Self {
        let authority = base.trim_start_matches("http://").to_owned();
        let socket = tokio::net::TcpStream::connect(&authority).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, authority }
    }

    async fn another(&self) -> Self {
        Self::connect(&self.authority).await
    }

    async fn get(&mut self) -> usize {
        let request = hyper::Request::get(format!("/api/v1/api-keys/{KEY_ID}"))
            .header("host", &self.authority)
            .header("authorization", format!("Bearer {CREDENTIAL}"))
            .body(Empty::new())
            .unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        assert!(response.status().is_success());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let key: Key = serde_json::from_slice(&body).unwrap();
        key.label.len()
    }
}

fn main() {
    keymux_bench::work::<Hyper>();
}
