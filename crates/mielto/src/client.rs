//! The client: one method for each operation that Mielto documents.

use std::sync::Arc;

use keymux_core::{Call, Decoded, Dialect, ErrorKind, Pipeline, Rejected, Rejection};
use serde_json::Value;

use crate::error::{Error, Violation};
use crate::provider::ID;
use crate::wire::{ApiKey, ApiKeyId, SHAPE};

/// A client of one Mielto credential. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    pipeline: Pipeline,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// The time by which a key's expiry is judged.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.pipeline.now()
    }

    /// Looks up one key: `GET /api/v1/api-keys/{api_key_id}` (documented).
    ///
    /// Fails with [`Error::InvalidRequest`] for 422, the one failure that is documented, and [`Error::NotFound`] for
    /// 404, which Mielto's own software expects; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, id: &ApiKeyId) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(id).await?.value)
    }

    /// The key with what was odd about the answer.
    pub(crate) async fn fetch_api_key(&self, id: &ApiKeyId) -> Result<Decoded<ApiKey>, Error> {
        let answer = self.pipeline.send(Call::get("get_api_key", &["api", "v1", "api-keys", id.as_str()])).await?;
        let decoded: Decoded<ApiKey> = answer.decode(&SHAPE)?;
        if decoded.value.id.known().is_none() && decoded.value.key.known().is_none() {
            return Err(answer.undecodable("neither `id` nor `key`, which identify the key, is there").into());
        }
        Ok(decoded)
    }
}

/// How Mielto's wire differs: `detail` is a list of violations with 422 and text elsewhere, and an `error_code` goes
/// before the status.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let code = rejected.text_at("/error_code");
    let out_of_credit = matches!(code.as_deref(), Some("CREDIT_LIMIT_EXCEEDED" | "OVERAGE_LIMIT_EXCEEDED"));
    let violations = read_violations(rejected);
    let complaint = violations.as_deref().map(|violations| {
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        lines.join("; ")
    });
    Rejection {
        kind: out_of_credit.then_some(ErrorKind::QuotaExhausted),
        code,
        message: complaint.or_else(|| rejected.text_at("/detail")).or_else(|| rejected.text_at("/message")),
        detail: violations.map(|violations| Arc::new(violations) as Arc<_>),
        ..Rejection::default()
    }
}

/// The violations in `detail`, if it is a list; what an item lacks is left empty.
fn read_violations(rejected: &Rejected<'_>) -> Option<Vec<Violation>> {
    let items = rejected.json.get("detail")?.as_array()?;
    let scrub = |value: &Value| rejected.scrub(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let text = |item: &Value, member: &str| item.get(member).map(scrub).unwrap_or_default();
    let read = |item: &Value| Violation {
        loc: item.get("loc").and_then(Value::as_array).into_iter().flatten().map(scrub).collect(),
        msg: text(item, "msg"),
        kind: text(item, "type"),
    };
    Some(items.iter().map(read).collect())
}
