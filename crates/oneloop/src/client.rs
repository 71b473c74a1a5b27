//! The client: one method for each operation that Oneloop documents.

use keymux_core::{Call, Decoded, Dialect, Pipeline, Rejected, Rejection};

use crate::error::Error;
use crate::provider::ID;
use crate::wire::{ApiKey, ApiKeyId, SHAPE, WorkspaceId};

/// A client of one Oneloop SDK key. Clones share its connections.
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

    /// Looks up one key: `GET /api/v1/workspace/{id}/api-key/{akid}` (documented).
    ///
    /// A deleted key may still be found, with [`deleted`](ApiKey::deleted) set. Fails with [`Error::BadRequest`],
    /// [`Error::Unauthenticated`] or [`Error::Forbidden`] as documented; no status for an unknown key is, and 404 is
    /// read as [`Error::NotFound`]. Changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, workspace: &WorkspaceId, key: &ApiKeyId) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(workspace, key).await?.value)
    }

    /// The key with what was odd about the answer.
    pub(crate) async fn fetch_api_key(
        &self,
        workspace: &WorkspaceId,
        key: &ApiKeyId,
    ) -> Result<Decoded<ApiKey>, Error> {
        let path = ["api", "v1", "workspace", workspace.as_str(), "api-key", key.as_str()];
        let answer = self.pipeline.send(Call::get("get_api_key", &path)).await?;
        Ok(answer.decode(&SHAPE)?)
    }
}

/// How Oneloop's wire differs: errors are JSON with `error.code`, a number, and `error.message`.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    // The code repeats the status in Oneloop's own software; then it says nothing.
    let code = rejected.text_at("/error/code").filter(|code| *code != rejected.status.to_string());
    Rejection {
        code,
        message: rejected.text_at("/error/message").or_else(|| rejected.text_at("/message")),
        ..Rejection::default()
    }
}
