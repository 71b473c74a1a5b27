//! The server on loopback. It knows no HTTP beyond where a request ends, so that it is never what is measured.
//!
//! Prints its base URL, and runs until its standard input is closed.

use keymux_bench::wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long the body of the key `huge` is.
const HUGE: usize = 1 << 30;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    // The parent that dies closes it.
    std::thread::spawn(|| {
        let _ = std::io::read_to_string(std::io::stdin());
        std::process::exit(0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let key: &[u8] = answer(&wire::key(keymux_bench::KEY_ID)).leak();
    loop {
        let (socket, _) = listener.accept().await?;
        tokio::spawn(serve(socket, key));
    }
}

fn answer(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Fri, 21 Nov 2025 10:00:00 GMT\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn serve(mut socket: TcpStream, key: &[u8]) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut length = 0;
    loop {
        let read = socket.read(&mut buffer[length..]).await?;
        if read == 0 {
            return Ok(());
        }
        length += read;
        if !buffer[..length].ends_with(b"\r\n\r\n") {
            continue;
        }
        let line = buffer[..length].split(|byte| *byte == b'\r').next().unwrap_or_default();
        let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if target.ends_with(b"/huge") {
            return huge(socket).await;
        }
        match target.iter().position(|byte| *byte == b'?') {
            None => socket.write_all(key).await?,
            Some(query) => {
                let query = String::from_utf8_lossy(&target[query + 1..]);
                let number = |name: &str| {
                    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
                    value.and_then(|value| value.parse().ok())
                };
                let page = wire::page(number("skip").unwrap_or(0), number("limit").unwrap_or(100));
                socket.write_all(&answer(&page)).await?;
            }
        }
        length = 0;
    }
}

/// A key whose name does not end for a long time, in chunks, so that no header tells how long it is.
async fn huge(mut socket: TcpStream) -> std::io::Result<()> {
    const CHUNK: usize = 1 << 16;
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .await?;
    socket.write_all(b"a\r\n{\"label\":\"\r\n").await?;
    let chunk = [format!("{CHUNK:x}\r\n").as_bytes(), &[b'a'; CHUNK], b"\r\n"].concat();
    for _ in 0..HUGE / CHUNK {
        socket.write_all(&chunk).await?;
    }
    socket.write_all(b"2\r\n\"}\r\n0\r\n\r\n").await
}
