//! The client: one method for each operation that Datkey documents.

use keymux_core::{Call, Decoded, Dialect, Drift, DriftKind, Fact, Pipeline, Rejected, Rejection};

use crate::error::Error;
use crate::provider::ID;
use crate::wire::{Key, KeyId, SHAPE};

/// A client of one Datkey workspace. Clones share its connections.
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

    /// Looks up one key: `GET /keys/{id}` (documented).
    ///
    /// Fails with [`Error::NotFound`] for 404, the one failure that is documented; changes nothing, uses nothing up,
    /// and is repeated as the retry policy says.
    pub async fn get_key(&self, id: &KeyId) -> Result<Key, Error> {
        Ok(self.fetch_key(id).await?.value)
    }

    /// The key with what was odd about the answer.
    pub(crate) async fn fetch_key(&self, id: &KeyId) -> Result<Decoded<Key>, Error> {
        let answer = self.pipeline.send(Call::get("get_key", &["keys", id.as_str()])).await?;
        let mut decoded: Decoded<Key> = answer.decode(&SHAPE)?;
        if decoded.value.is_blank() {
            // An empty object is a key by the schema. An object of other things alone is something else, and so is the
            // answer that `key` is null.
            let others = decoded.drift.iter().any(|note| note.kind == DriftKind::UnknownField);
            if others || matches!(decoded.value.key, Fact::Empty) {
                return Err(answer.undecodable("no member of the object is one of a key's").into());
            }
            if decoded.drift.is_empty() {
                decoded.drift.push(Drift::new("", DriftKind::NothingKnown));
            }
        }
        Ok(decoded)
    }
}

/// How Datkey's wire differs: errors are JSON with `message`, and that is all.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection { message: rejected.text_at("/message"), ..Rejection::default() }
}
