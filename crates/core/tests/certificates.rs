//! A server whose certificate this machine does not trust: one attempt, and what to do about it.

#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::fake::VirtualClock;
use common::{look_up, pipeline, seconds};
use keymux_core::{ClientOptions, Distrust, ErrorKind};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const AUTHORITY: &[u8] = include_bytes!("fixtures/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("fixtures/server.pem");
const KEY: &[u8] = include_bytes!("fixtures/server.key.pem");

/// A server over TLS, whose certificate is for 127.0.0.1; its port, and how many connections came.
fn server() -> (u16, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok_and(|count| count > 0) {
                let body = r#"{"id":"a"}"#;
                let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.flush();
            }
        }
    });
    (port, came)
}

fn options() -> ClientOptions {
    let clock = Arc::new(VirtualClock::for_sockets());
    ClientOptions::new().with_clock(clock).with_attempt_timeout(seconds(20)).with_system_proxy(false)
}

#[tokio::test]
async fn an_unknown_authority_is_tried_once_and_the_message_names_the_setting_in_the_callers_words() {
    let (port, came) = server();
    let url = format!("https://127.0.0.1:{port}");
    // This authority made its own certificate, and not this server's.
    let other = CERTIFICATE;
    let options = options().with_root_certificates_pem(other);
    let error = look_up(&pipeline(&url, options.clone())).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), came.load(Ordering::SeqCst)), (ErrorKind::Connect, 1, 1), "{error}");
    assert!(error.detail::<Distrust>().is_some() && !error.is_retryable(), "{error}");
    let says = format!("the certificate of 127.0.0.1:{port} (without a proxy) is not trusted");
    assert!(error.to_string().contains(&says), "{error}");
    assert!(error.to_string().contains("`ClientOptions::with_root_certificates_pem`"), "{error}");
    let error = look_up(&pipeline(&url, options.with_trust_setting("the key `ca`"))).await.unwrap_err();
    assert!(error.to_string().contains("trust that authority with the key `ca`"), "{error}");
}

#[tokio::test]
async fn the_authority_that_is_handed_in_is_trusted_and_another_name_is_not() {
    let (port, _) = server();
    let options = options().with_root_certificates_pem(AUTHORITY);
    look_up(&pipeline(&format!("https://127.0.0.1:{port}"), options.clone())).await.unwrap();
    let error = look_up(&pipeline(&format!("https://localhost:{port}"), options)).await.unwrap_err();
    assert_eq!((error.detail(), error.attempts()), (Some(&Distrust::WrongName), 1), "{error}");
    assert!(error.to_string().contains("check the base URL"), "{error}");
}
