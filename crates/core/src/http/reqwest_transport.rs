//! The built-in transport. The only file that knows reqwest.

use std::error::Error as StdError;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::proxy::{self, Way};
use super::transport::{Distrust, Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
use super::{BaseUrl, ClientOptions};
use crate::error::Error;

/// A day: longer than any server or load balancer keeps a connection.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct ReqwestTransport {
    client: reqwest::Client,
    /// Keeps no connection. It is set up at the first request that needs a fresh one.
    fresh: OnceLock<reqwest::Client>,
    base: BaseUrl,
    options: ClientOptions,
    way: Way,
}

impl ReqwestTransport {
    /// A client with a connection pool of its own, set up for requests to `base`.
    pub(super) fn new(base: &BaseUrl, options: &ClientOptions) -> Result<Self, Error> {
        let way = if options.system_proxy { proxy::way(&|name| std::env::var_os(name), base)? } else { Way::Direct };
        let client = Self::client(base, options, &way, usize::MAX)?;
        Ok(Self { client, fresh: OnceLock::new(), base: base.clone(), options: options.clone(), way })
    }

    /// A client that keeps at most `idle` connections.
    fn client(base: &BaseUrl, options: &ClientOptions, way: &Way, idle: usize) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // An attempt is an attempt: the retry loop sees and decides every one.
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            // The pool adds it to an instant, which must not overflow.
            .pool_idle_timeout(options.pool_idle_timeout.min(LONGEST_IDLE))
            .pool_max_idle_per_host(idle);
        match way {
            Way::Direct => builder = builder.no_proxy(),
            Way::System => {}
            Way::Through(through) => {
                let url = reqwest::Proxy::all(through.url.clone()).map_err(|error| {
                    Error::config(format!("the proxy {through} cannot be used")).with_source(error.without_url())
                })?;
                builder = builder.proxy(url);
            }
        }
        if base.is_localhost() && !base.is_https() {
            // Whatever the resolver says: what goes out in the clear stays on this machine.
            let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            builder = builder.resolve_to_addrs("localhost", &loopback.map(|address| SocketAddr::new(address, 0)));
        }
        builder = Self::with_trust(builder, base, options)?;
        builder.build().map_err(|error| {
            let setting = &options.trust_setting;
            Error::config(format!(
                "the HTTP client cannot be set up; a machine without certificate store needs {setting}"
            ))
            .with_source(error.without_url())
        })
    }

    fn client_for(&self, request: &Request) -> Result<&reqwest::Client, TransportError> {
        if !request.fresh_connection {
            return Ok(&self.client);
        }
        if let Some(fresh) = self.fresh.get() {
            return Ok(fresh);
        }
        let fresh = Self::client(&self.base, &self.options, &self.way, 0)
            .map_err(|error| TransportError::new(TransportErrorKind::Connect, Some(Box::new(error))).permanent())?;
        Ok(self.fresh.get_or_init(|| fresh))
    }

    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    fn with_trust(
        builder: reqwest::ClientBuilder,
        base: &BaseUrl,
        options: &ClientOptions,
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
        if base.is_https() {
            Self::check_store(options)?;
        }
        // Plain HTTP needs no store: none is read, and a machine without one works.
        Ok(if base.is_https() { builder } else { builder.tls_certs_only([]) })
    }

    /// Refuses a file of certificates that the environment names and that cannot be read, or would be read for ever: the
    /// TLS library goes on without it.
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    fn check_store(options: &ClientOptions) -> Result<(), Error> {
        let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) else { return Ok(()) };
        // The stores of these systems are not files.
        if cfg!(any(windows, target_vendor = "apple")) {
            return Ok(());
        }
        let why = match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => return Ok(()),
            Ok(_) => "it is not a regular file".to_owned(),
            Err(error) => error.to_string(),
        };
        let shown = crate::secret::scrub_text(
            &std::path::Path::new(&path).display().to_string(),
            &secrecy::SecretString::default(),
        );
        let setting = &options.trust_setting;
        Err(Error::config(format!(
            "the certificates that the environment variable SSL_CERT_FILE names ({shown}) cannot be read: {why}; mend or \
             unset the variable, or use {setting}"
        )))
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    fn with_trust(
        builder: reqwest::ClientBuilder,
        base: &BaseUrl,
        _options: &ClientOptions,
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
        let client = match self.client_for(&request) {
            Ok(client) => client,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let sent = client.execute(outgoing);
        Box::pin(async move {
            let incoming = sent.await.map_err(|error| {
                if error.is_connect() { self.not_connected(error) } else { failure(TransportErrorKind::Head, error) }
            })?;
            read(incoming, exchange).await
        })
    }
}

impl ReqwestTransport {
    /// The error of a connection that did not come about: which host was asked, and whether a proxy is in the way.
    fn not_connected(&self, error: reqwest::Error) -> TransportError {
        let (host, setting) = (self.base.host_and_port(), &self.options.trust_setting);
        let way = match &self.way {
            Way::Through(proxy) => format!("through the proxy {proxy}"),
            Way::Direct | Way::System => "without a proxy".to_owned(),
        };
        let chain = chain(&error);
        let cause = chain.last().cloned().unwrap_or_default();
        let has = |text: &str| chain.iter().any(|cause| cause.contains(text));
        if let Some(distrust) = distrust(&chain) {
            let mend = match distrust {
                Distrust::WrongName => "check the base URL: its host is none that the certificate is for".to_owned(),
                Distrust::OutOfTime => "check the clock of this machine; else the server needs a new one".to_owned(),
                Distrust::UnknownIssuer | Distrust::Other => format!(
                    "if a private authority made it, or a proxy of your network, trust that authority with {setting}"
                ),
            };
            let what = format!("the certificate of {host} ({way}) is not trusted, nothing was sent: {cause}; {mend}");
            return failure(TransportErrorKind::Connect, error).with_explanation(what).with_distrust(distrust);
        }
        let Way::Through(proxy) = &self.way else {
            let what = format!("no connection to {host} {way}, nothing was sent: {cause}");
            return failure(TransportErrorKind::Connect, error).with_explanation(what);
        };
        // The HTTP library keeps one status of a proxy's answer apart, and says of the others that they are none of 200.
        let (what, permanent) = if has("proxy authorization required") {
            ("wants another user and password than the variable has (HTTP 407)".to_owned(), true)
        } else if has("tunnel error: unsuccessful") {
            (format!("refused the tunnel to {host}"), false)
        } else if has("tunnel error: unexpected end of file") || has("tunnel error: io error") {
            (format!("ended the connection before there was a tunnel to {host}"), false)
        } else if has("failed to create underlying connection") || has("error connecting to socks proxy") {
            (format!("cannot be reached: {cause}"), false)
        } else {
            (format!("made no connection to {host}: {cause}"), false)
        };
        let told = failure(TransportErrorKind::Connect, error)
            .with_explanation(format!("the proxy {proxy} {what}; nothing was sent to the vendor"));
        if permanent { told.permanent() } else { told }
    }
}

/// What each cause says, the innermost last.
fn chain(error: &reqwest::Error) -> Vec<String> {
    let mut said = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        said.push(next.to_string());
        cause = next.source();
    }
    said
}

/// Whether a certificate is not trusted, and why. The TLS libraries have types of their own for it, and words that are
/// alike.
fn distrust(chain: &[String]) -> Option<Distrust> {
    let said = chain.iter().map(|cause| cause.to_ascii_lowercase()).find(|cause| {
        cause.contains("invalid peer certificate")
            || cause.contains("certificate verify failed")
            || (cause.contains("certificate") && cause.contains("trust"))
    })?;
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    Some(if has(&["not valid for name", "notvalidforname", "hostname mismatch", "name mismatch"]) {
        Distrust::WrongName
    } else if has(&["expired", "not valid yet", "notvalidyet", "not yet valid"]) {
        Distrust::OutOfTime
    } else if has(&["unknownissuer", "self-signed", "self signed", "local issuer", "not trusted"]) {
        Distrust::UnknownIssuer
    } else {
        Distrust::Other
    })
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
