//! The built-in transport. The only file that knows reqwest.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
use super::{BaseUrl, HttpOptions};
use crate::error::Error;

/// A day: longer than any server or load balancer keeps a connection.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// A client with a connection pool of its own, set up for requests to `base`.
    pub(super) fn new(base: &BaseUrl, options: &HttpOptions) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // An attempt is an attempt: the retry loop sees and decides every one.
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            // The pool adds it to an instant, which must not overflow.
            .pool_idle_timeout(options.pool_idle_timeout.min(LONGEST_IDLE));
        if !options.system_proxy || !base.is_https() {
            builder = builder.no_proxy();
        }
        builder = Self::with_trust(builder, base, options)?;
        let client = builder.build().map_err(|error| {
            Error::config(
                "the HTTP client cannot be set up; a machine without certificate store needs `root_certificates_file`",
            )
            .with_see(Cow::Borrowed("keymux_core::HttpOptions::with_root_certificates_pem"))
            .with_source(error.without_url())
        })?;
        Ok(Self { client })
    }

    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    fn with_trust(
        builder: reqwest::ClientBuilder,
        base: &BaseUrl,
        options: &HttpOptions,
    ) -> Result<reqwest::ClientBuilder, Error> {
        // Without a provider reqwest would panic.
        #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(Error::config(
                "no rustls crypto provider is installed; the feature `rustls-no-provider` leaves that to the application",
            ));
        }
        if let Some(pem) = &options.root_certificates {
            let certificates = reqwest::Certificate::from_pem_bundle(&pem.0)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| Error::config("the root certificates are not PEM with at least one certificate"))?;
            return Ok(builder.tls_certs_only(certificates));
        }
        // Plain HTTP needs no store: none is read, and a machine without one works.
        Ok(if base.is_https() { builder } else { builder.tls_certs_only([]) })
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    fn with_trust(
        builder: reqwest::ClientBuilder,
        base: &BaseUrl,
        _options: &HttpOptions,
    ) -> Result<reqwest::ClientBuilder, Error> {
        if base.is_https() {
            return Err(Error::config(
                "this build has no TLS; enable the feature `rustls`, `rustls-no-provider` or `native-tls`, or hand in a transport",
            ));
        }
        Ok(builder)
    }
}

impl Transport for ReqwestTransport {
    // As `async_trait` would write it, but that the request is handed on at once: with many calls in flight it counts how
    // much memory each one's future keeps and moves.
    fn execute<'a, 'b, 'c>(
        &'a self,
        request: Request,
        exchange: &'b Exchange,
    ) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let sent = self.client.execute(outgoing);
        Box::pin(async move {
            let incoming = sent.await.map_err(|error| {
                let connecting = error.is_connect();
                failure(if connecting { TransportErrorKind::Connect } else { TransportErrorKind::Head }, error)
            })?;
            read(incoming, exchange).await
        })
    }
}

/// Reads the answer whole.
async fn read(mut incoming: reqwest::Response, exchange: &Exchange) -> Result<Response, TransportError> {
    exchange.head_received(incoming.status(), incoming.headers());
    let limit = exchange.max_body_bytes();
    let too_large = || TransportError::new(TransportErrorKind::BodyTooLarge, None);
    if incoming.content_length().is_some_and(|announced| announced > limit as u64) {
        return Err(too_large());
    }
    let mut body = Gathered::default();
    while let Some(piece) = incoming.chunk().await.map_err(|error| failure(TransportErrorKind::Body, error))? {
        if piece.len() > limit - body.len() {
            return Err(too_large());
        }
        body.add(piece);
    }
    let mut response = Response::new(body.finish());
    *response.status_mut() = incoming.status();
    *response.headers_mut() = std::mem::take(incoming.headers_mut());
    Ok(response)
}

fn failure(kind: TransportErrorKind, error: reqwest::Error) -> TransportError {
    // The URL holds ids only, and the error names the operation already.
    TransportError::new(kind, Some(Box::new(error.without_url())))
}

/// The pieces of a body; a body of one piece is not copied.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    all: Option<BytesMut>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.all.as_ref().map_or(self.first.len(), BytesMut::len)
    }

    fn add(&mut self, piece: Bytes) {
        if let Some(all) = &mut self.all {
            all.extend_from_slice(&piece);
        } else if self.first.is_empty() {
            self.first = piece;
        } else {
            let mut all = BytesMut::with_capacity(2 * (self.first.len() + piece.len()));
            all.extend_from_slice(&self.first);
            all.extend_from_slice(&piece);
            self.all = Some(all);
        }
    }

    fn finish(self) -> Bytes {
        self.all.map_or(self.first, BytesMut::freeze)
    }
}
