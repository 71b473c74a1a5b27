//! One connection: HTTP as it should be, until an answer asks for the bare socket.
//!
//! An HTTP server will not send a wrong `Content-Length`, break a body off or reset a connection. So an answer may carry
//! a [`Takeover`]: the server is then taken off the connection before it has written anything, and the takeover writes
//! to the socket itself.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::lock::locked;

/// Bytes to write in place of an answer, and how the connection goes on after them.
#[derive(Debug, Clone)]
pub(crate) struct Takeover {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection is closed in good order.
    Close,
    /// The connection is reset.
    Reset,
    /// The bytes are the beginning of a chunked body; white space follows for as long as somebody reads.
    Endless,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(stream: TcpStream, router: Router) {
    // Small answers are not held back; a failure costs speed alone.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(Mutex::new(None::<Takeover>));
    let (router, asks) = (TowerToHyperService::new(router), Arc::clone(&asked));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (answer, asks) = (router.call(request), Arc::clone(&asks));
        async move {
            let mut response = answer.await?;
            if let Some(takeover) = response.extensions_mut().remove::<Takeover>() {
                *locked(&asks) = Some(takeover);
                // The server never sees the answer. Who polls it looks for the takeover next.
                pending::<()>().await;
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let takeover = poll_fn(|context| {
        let ended = Pin::new(&mut connection).poll(context);
        // A connection that fails is the client's affair.
        locked(&asked).take().map_or(ended.map(|_| None), |takeover| Poll::Ready(Some(takeover)))
    })
    .await;
    if let Some(takeover) = takeover {
        // It fails when the client is gone, which ends the connection too.
        let _ = carry_out(takeover, connection.into_parts().io.into_inner()).await;
    }
}

async fn carry_out(takeover: Takeover, mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(&takeover.bytes).await?;
    match takeover.end {
        End::Close => stream.shutdown().await,
        // With a linger time of zero, closing the socket resets the connection.
        End::Reset => stream.set_zero_linger(),
        End::Endless => {
            let blank = chunk(&[b' '; 0x4000]);
            loop {
                stream.write_all(&blank).await?;
            }
        }
    }
}

/// A chunk of a chunked body. An empty one would end the body, so that it is left out.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    if data.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}
