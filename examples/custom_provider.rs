//! A sixth vendor in one file: Acme, which Keymux does not know, beside a vendor that it knows.
//!
//! ```text
//! cargo run --example custom_provider
//! ```
//!
//! The provider is the first half of this file; the second half is a stand-in of Acme's server, and the program.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program prints its result")]

use std::sync::LazyLock;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap};
use keymux::{Keymux, baseten};
use keymux_core::{
    ApiKeyProvider, Call, Dialect, DriftKind, Envelope, Error, Fact, Field, Id, IdKind, KeyAddress, KeyKind, KeyRecord,
    KeyState, Notes, Pipeline, ProviderId, ProviderInfo, Rejected, Rejection, SecretString, Setup, Shape, Status,
    TimeForm, VendorTime, resolve_time,
};
use keymux_emulator::Emulator;
use serde::Deserialize;

const ACME: ProviderId = ProviderId::new("acme");

/// What Acme is and can say. Every other field of a record is `Unsupported`.
static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
    ProviderInfo::new(ACME, "Acme", ["token_id"]).with_fields([Field::Name, Field::CreatedAt, Field::LastUsedAt])
});

/// An id of Acme's: one path segment, and no other vendor's id.
enum TokenKind {}

impl IdKind for TokenKind {
    const NAME: &'static str = "token_id";
}

/// What Acme sends. The identity is required; everything else may be absent.
#[derive(Debug, Deserialize)]
struct Token {
    id: String,
    #[serde(default)]
    label: Fact<String>,
    #[serde(default)]
    created: Fact<VendorTime>,
    #[serde(default)]
    last_used: Fact<VendorTime>,
    #[serde(default)]
    revoked: Fact<bool>,
}

/// The object is in the member `token`, and its member `secret` must never be shown.
const SHAPE: Shape = Shape { envelope: Envelope::Wrapped("token"), secrets: &["secret"] };

#[derive(Debug)]
struct Acme {
    pipeline: Pipeline,
}

impl Acme {
    fn new(credential: SecretString, base_url: &str) -> Result<Self, Error> {
        let dialect =
            Dialect { provider: ACME, request_id_header: Some("x-request-id"), read_rejection, rate_limit: None };
        let setup = Setup::new(credential, base_url);
        Ok(Self { pipeline: setup.connect(dialect, (AUTHORIZATION, "Token "), HeaderMap::new(), "")? })
    }
}

/// Acme's errors are `{"problem": …}`.
fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection { message: rejected.text_at("/problem"), ..Rejection::default() }
}

#[async_trait]
impl ApiKeyProvider for Acme {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let id: Id<TokenKind> = address.one(&ACME)?;
        let answer = self.pipeline.send(Call::get("get_token", &["tokens", id.as_str()])).await?;
        let decoded = answer.decode::<Token>(&SHAPE)?;
        let token = decoded.value;
        let mut notes = Notes::of(decoded.drift);
        if token.id != id.as_str() {
            notes.add("id", DriftKind::IdentityMismatch);
        }
        let mut record = KeyRecord::new(&INFO, address.clone(), KeyKind::new("token"));
        record.name = token.label.clone();
        record.created_at = resolve_time(&token.created, "created", TimeForm::UnixSeconds, &mut notes);
        record.last_used_at = resolve_time(&token.last_used, "last_used", TimeForm::UnixSeconds, &mut notes);
        record.status = match token.revoked {
            Fact::Known(true) => Status::stated(KeyState::Revoked, "revoked"),
            Fact::Known(false) => Status::stated(KeyState::Active, "revoked"),
            _ => Status::stated(KeyState::Unknown, "revoked"),
        };
        Ok(record.of_answer(notes, decoded.raw, token))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let baseten = emulator.baseten();
    let keymux = Keymux::builder()
        .with_provider(Acme::new("acme-credential".into(), &stand_in::start().await?)?)
        .with_provider(baseten::Config::new(baseten.credential()).with_base_url(baseten.base_url()).build()?)
        .build()?;

    let known = format!("baseten:{}", KeyAddress::new(baseten.sample_address().iter().cloned())?);
    for reference in ["acme:t-1", "acme:t-2", known.as_str()] {
        match keymux.get(&reference.parse()?).await {
            Ok(record) => {
                let last_used = match record.last_used_at {
                    Fact::Known(at) => at.to_string(),
                    Fact::Empty => "never".to_owned(),
                    Fact::Missing => "not sent".to_owned(),
                    Fact::Unsupported => format!("{} cannot say", record.provider),
                };
                println!("{reference}: {}, last used: {last_used}", record.status.state);
            }
            Err(error) => println!("{reference}: {error}"),
        }
    }
    Ok(())
}

/// A server that speaks Acme's wire: one token, on loopback.
mod stand_in {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    pub(crate) async fn start() -> std::io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    match connection.read_u8().await {
                        Ok(byte) => request.push(byte),
                        Err(_) => break,
                    }
                }
                let answer = answer(&String::from_utf8_lossy(&request));
                if let Err(error) = connection.write_all(answer.as_bytes()).await {
                    eprintln!("the stand-in could not answer: {error}");
                }
            }
        });
        Ok(format!("http://{address}"))
    }

    fn answer(request: &str) -> String {
        let (status, body) = if !request.to_lowercase().contains("authorization: token acme-credential\r\n") {
            ("401 Unauthorized", r#"{"problem": "who are you?"}"#)
        } else if request.starts_with("GET /tokens/t-1 ") {
            let token = r#"{"token": {"id": "t-1", "label": "importer", "created": 1735689600, "last_used": null, "revoked": false}}"#;
            ("200 OK", token)
        } else {
            ("404 Not Found", r#"{"problem": "no such token"}"#)
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }
}
