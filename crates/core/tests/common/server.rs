//! A server on a real socket that does with each connection exactly what a script says, byte by byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What the server does with a connection, one after the other. At the end of its script a connection is closed.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Reads a request up to the end of its head.
    Read,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again, until the client closes.
    SendForEver(Vec<u8>),
    /// Sends nothing more, until the client closes.
    Hang,
    /// Closes with the request unread, which resets the connection.
    Reset,
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// A whole answer with a length.
pub(crate) fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Act {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.as_ref().len());
    for header in headers {
        bytes.push_str(header);
        bytes.push_str("\r\n");
    }
    let mut bytes = format!("{bytes}\r\n").into_bytes();
    bytes.extend_from_slice(body.as_ref());
    Act::Send(bytes)
}

/// The answer of a success.
pub(crate) fn ok() -> Act {
    answer("200 OK", &[], r#"{"id":"a"}"#)
}

/// What the server saw.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<String>,
    connections: usize,
    ended: usize,
    sent: usize,
}

/// The server. Dropping it closes everything.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Every connection gets the next one of `scripts`, and all further ones the last one.
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let scripts: Vec<_> = scripts.into_iter().collect();
        let task = tokio::spawn(serve(listener, scripts, Arc::clone(&seen)));
        Self { address, seen, task }
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// How many bytes were handed to the operating system.
    pub(crate) fn sent(&self) -> usize {
        self.seen.lock().unwrap().sent
    }

    /// Waits until this many connections have ended, on either side.
    pub(crate) async fn ended(&self, connections: usize) {
        self.until(|seen| seen.ended >= connections).await;
    }

    /// Waits until this many requests were read.
    pub(crate) async fn asked(&self, requests: usize) {
        self.until(|seen| seen.requests.len() >= requests).await;
    }

    async fn until(&self, condition: impl Fn(&Seen) -> bool) {
        while !condition(&self.seen.lock().unwrap()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, scripts: Vec<Vec<Act>>, seen: Arc<Mutex<Seen>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let script = scripts.get(connections.len()).or(scripts.last()).cloned().unwrap_or_default();
        seen.lock().unwrap().connections += 1;
        let seen = Arc::clone(&seen);
        connections.spawn(async move {
            // An error is the client that closed, which ends the script.
            let _ = act(stream, script, &seen).await;
            seen.lock().unwrap().ended += 1;
        });
    }
}

async fn act(mut stream: TcpStream, script: Vec<Act>, seen: &Mutex<Seen>) -> std::io::Result<()> {
    for act in script {
        match act {
            Act::Read => {
                let head = read_head(&mut stream).await?;
                seen.lock().unwrap().requests.push(head);
            }
            Act::Send(bytes) => send_all(&mut stream, &bytes, seen).await?,
            Act::SendForEver(bytes) => loop {
                send_all(&mut stream, &bytes, seen).await?;
            },
            Act::Hang => while stream.read(&mut [0; 1024]).await? > 0 {},
            Act::Reset => stream.readable().await?,
        }
    }
    Ok(())
}

async fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn send_all(stream: &mut TcpStream, bytes: &[u8], seen: &Mutex<Seen>) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    seen.lock().unwrap().sent += bytes.len();
    Ok(())
}
