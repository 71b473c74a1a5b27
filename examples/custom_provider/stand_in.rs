//! A server that speaks Acme's wire, on loopback.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The one credential that the stand-in accepts.
pub(crate) const CREDENTIAL: &str = "acme-credential";

/// The labels of the tokens, by their ids.
type Tokens = Arc<Mutex<BTreeMap<String, String>>>;

/// The running server.
pub(crate) struct StandIn {
    url: String,
    tokens: Tokens,
}

impl StandIn {
    /// Starts it without a token, on the runtime of the caller.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let tokens = Tokens::default();
        let served = Arc::clone(&tokens);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // An error is a client that went away.
                let _ = answer(connection, &served).await;
            }
        });
        Ok(Self { url, tokens })
    }

    /// The base URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Adds a token.
    pub(crate) fn put(&self, id: &str, label: &str) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), label.to_owned());
    }
}

/// Reads one request, which has no body, and answers it.
async fn answer(mut connection: TcpStream, tokens: &Tokens) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request);
    let id = request.strip_prefix("GET /tokens/").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let label = tokens.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
    let known = request.to_lowercase().contains(&format!("authorization: token {CREDENTIAL}\r\n"));
    let (status, body) = match label {
        _ if !known => ("401 Unauthorized", r#"{"problem": "who are you?"}"#.to_owned()),
        Some(label) => {
            let token = serde_json::json!({
                "id": id, "label": label, "created": 1_735_689_600, "last_used": null, "revoked": false,
            });
            ("200 OK", serde_json::json!({ "token": token }).to_string())
        }
        None => ("404 Not Found", r#"{"problem": "no such token"}"#.to_owned()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    connection.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await
}
