//! The provider: Acme, whose tokens can be looked up and nothing else. It needs `keymux-core` alone, and goes into a crate
//! of its own as it stands.

use std::sync::LazyLock;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap};
use keymux_core::{
    ApiKeyProvider, Call, ClientOptions, Dialect, DriftKind, DriftNotes, Envelope, Error, Fact, Field, Id, IdKind,
    KeyAddress, KeyKind, KeyRecord, KeyState, Pipeline, ProviderId, ProviderInfo, Rejected, Rejection, SecretString,
    Setup, Shape, Status, TimeForm, VendorTime, resolve_time,
};
use serde::Deserialize;

const ACME: ProviderId = ProviderId::new("acme");

/// What Acme is and can say. Every other field of a record is `Unsupported`.
pub(crate) static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| {
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
pub(crate) struct Acme {
    pipeline: Pipeline,
}

impl Acme {
    pub(crate) fn new(credential: SecretString, base_url: &str, http: ClientOptions) -> Result<Self, Error> {
        let dialect = Dialect {
            provider: ACME,
            request_id_header: Some("x-request-id"),
            read_rejection,
            rate_limit: None,
            wait_headers: &[],
        };
        let setup = Setup::new(credential, base_url).with_options(http);
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
        let mut notes = DriftNotes::of(decoded.drift);
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
