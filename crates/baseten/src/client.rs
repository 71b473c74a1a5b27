//! The client: one method for each operation that Baseten documents.

use keymux_core::{Call, Decoded, Dialect, Pipeline, Rejected, Rejection};

use crate::error::Error;
use crate::provider::ID;
use crate::wire::{ApiKey, GroupId, KeyPrefix, SHAPE};

/// A client of one Baseten workspace. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    pipeline: Pipeline,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// Looks up one federated key: `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` (documented).
    ///
    /// The plaintext is never part of the answer. Fails with [`Error::NotFound`] for 404 and [`Error::Forbidden`] for
    /// 403; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, group: &GroupId, prefix: &KeyPrefix) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(group, prefix).await?.value)
    }

    /// The key with what was odd about the answer.
    pub(crate) async fn fetch_api_key(&self, group: &GroupId, prefix: &KeyPrefix) -> Result<Decoded<ApiKey>, Error> {
        let path = ["v1", "gateway", "groups", group.as_str(), "api_keys", prefix.as_str()];
        let answer = self.pipeline.send(Call::get("get_api_key", &path)).await?;
        Ok(answer.decode(&SHAPE)?)
    }
}

/// How Baseten's wire differs: errors are JSON with `code` and `message`, but a 429 has `error` and `retry_after`, in
/// seconds, and no header is documented for the delay.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection {
        code: rejected.text_at("/code"),
        message: rejected.text_at("/message").or_else(|| rejected.text_at("/error")),
        retry_after: rejected.seconds_at("/retry_after"),
        ..Rejection::default()
    }
}
