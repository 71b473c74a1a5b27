//! The client: one method for each operation that Datkey is known to have.

use std::sync::Arc;

use http::Method;
use keymux_core::{
    Answer, Call, Decoded, Dialect, ExposeSecret, Fact, Pipeline, ProviderId, Rejected, Rejection, SecretString,
};

use crate::error::Error;
use crate::wire::{
    ApiId, BARE, CreateKey, Key, KeyId, KeyText, Message, Outcome, SHAPE, UpdateKey, Verification, VerifyKey,
    WORKSPACE, Workspace,
};

/// How a user finds out whether a key was made.
pub(crate) const FIND_OUT: &str = "Datkey cannot list keys, so that only its dashboard can show";

/// A client of one Datkey workspace. Clones share its connections.
///
/// Datkey documents no failure but 404 for [`get_key`](Client::get_key); what other statuses mean everywhere, they are
/// taken to mean here.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) pipeline: Pipeline,
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

    /// Makes a key, which the documents call generating: `POST /keys` (documented). The plaintext is in the second
    /// part, and nowhere again.
    ///
    /// Not sent again once it may have left; a lost answer is
    /// [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown), and only Datkey's dashboard can show then whether
    /// there is a key. A length outside 16 to 255, an expiry that is not in the future by the client's clock, and a
    /// limit beyond a signed 64-bit number are refused before anything is sent.
    #[doc(alias = "generate_key")]
    pub async fn create_key(&self, key: &CreateKey) -> Result<(Key, SecretString), Error> {
        let (decoded, plaintext) = self.issue_key(key).await?;
        Ok((decoded.value, plaintext))
    }

    /// Changes when a key ends and how often it may be verified: `PUT /keys/{id}` (documented). What is `None` is not
    /// sent.
    ///
    /// The values are absolute, so that it is repeated as the retry policy says. An update without any change, and what
    /// [`create_key`](Self::create_key) refuses, are refused before anything is sent. A key that does not exist is
    /// [`Error::NotFound`].
    pub async fn update_key(&self, id: &KeyId, update: &UpdateKey) -> Result<Key, Error> {
        Ok(self.put_key(id, update).await?.value)
    }

    /// Verifies a key for an API: `POST /keys/verify` (documented). A key that is not valid is no error:
    /// [`valid`](Verification::valid) tells.
    ///
    /// Counts as a use of the key, and is never sent again once it may have left. What an unknown key answers is not
    /// documented: `valid` may be false without a status, or the call may fail with [`Error::NotFound`], as it does
    /// with a wrong base URL.
    pub async fn verify_key(&self, api: &ApiId, key: &SecretString) -> Result<Verification, Error> {
        let (outcome, decoded) = self.judge_key(api, key).await?;
        Ok(Verification { valid: outcome.valid, status: outcome.status, key: decoded.value })
    }

    /// Revokes a key: `DELETE /keys/{id}` (seen only in Datkey's published client code), and gives back the message of
    /// the answer, if it has one. Any 2xx is success.
    ///
    /// Repeated as the retry policy says. A key that does not exist is [`Error::NotFound`], unless an attempt's answer
    /// was lost and a repeat found no key: that is success, without a message.
    pub async fn revoke_key(&self, id: &KeyId) -> Result<Option<String>, Error> {
        Ok(match self.delete_key(id).await? {
            Removed::Told(message) => message,
            Removed::ByLostAttempt => None,
        })
    }

    /// Looks up the workspace that the credential is of: `GET /workspace` (seen only in Datkey's published client
    /// code). The answer holds the credential itself.
    ///
    /// Changes nothing, and is repeated as the retry policy says.
    pub async fn get_workspace(&self) -> Result<Workspace, Error> {
        let answer = self.pipeline.send(Call::get("get_workspace", &["workspace"])).await?;
        Ok(answer.decode(&WORKSPACE)?.value)
    }

    // The same operations with what was odd about the answers.

    pub(crate) async fn fetch_key(&self, id: &KeyId) -> Result<Decoded<Key>, Error> {
        read_key(&self.pipeline.send(Call::get("get_key", &["keys", id.as_str()])).await?)
    }

    pub(crate) async fn issue_key(&self, key: &CreateKey) -> Result<(Decoded<Key>, SecretString), Error> {
        const OPERATION: &str = "create_key";
        let length = key.length.is_some_and(|length| !(16..=255).contains(&length));
        ID.refuse(length, OPERATION, "length is not one of 16 to 255, which Datkey takes")?;
        self.check_limits(OPERATION, key.expires_at, key.verification_limit)?;
        let call =
            Call::new(OPERATION, Method::POST, &["keys"]).making_key(FIND_OUT).showing_refusals().with_json(key)?;
        let answer = self.pipeline.send(call).await?;
        let mut decoded: Decoded<Key> = answer.decode(&SHAPE)?;
        match std::mem::take(&mut decoded.value.key) {
            Fact::Known(KeyText::Unmasked(plaintext)) if !plaintext.expose_secret().is_empty() => {
                Ok((decoded, plaintext))
            }
            _ => Err(answer.undecodable("the answer lacks the plaintext `key`").into()),
        }
    }

    pub(crate) async fn put_key(&self, id: &KeyId, update: &UpdateKey) -> Result<Decoded<Key>, Error> {
        const OPERATION: &str = "update_key";
        ID.refuse(*update == UpdateKey::default(), OPERATION, "the update changes nothing")?;
        self.check_limits(OPERATION, update.expires_at, update.verification_limit)?;
        let path = ["keys", id.as_str()];
        read_key(&self.pipeline.send(Call::new(OPERATION, Method::PUT, &path).with_json(update)?).await?)
    }

    pub(crate) async fn judge_key(&self, api: &ApiId, key: &SecretString) -> Result<(Outcome, Decoded<Key>), Error> {
        ID.refuse_plaintext(key, "verify_key")?;
        let call = Call::new("verify_key", Method::POST, &["keys", "verify"]).counting_use();
        let answer = self.pipeline.send(call.with_json(&VerifyKey { api_id: api, key })?).await?;
        let outcome = answer.decode(&BARE)?.value;
        let mut decoded: Decoded<Key> = answer.decode(&SHAPE)?;
        // They stand beside the key, or among its members.
        decoded.drift.retain(|note| !matches!(&*note.path, "valid" | "status"));
        Ok((outcome, decoded))
    }

    pub(crate) async fn delete_key(&self, id: &KeyId) -> Result<Removed, Error> {
        Ok(match self.pipeline.send_removal("revoke_key", &["keys", id.as_str()]).await? {
            // No document says what the answer looks like.
            Some(answer) => {
                let message = answer.decode::<Message>(&BARE).ok();
                Removed::Told(message.and_then(|decoded| decoded.value.message.into_known()))
            }
            None => Removed::ByLostAttempt,
        })
    }

    fn check_limits(&self, operation: &'static str, expires_at: Option<i64>, limit: Option<u64>) -> Result<(), Error> {
        let past = expires_at.is_some_and(|at| at <= self.now().as_second());
        ID.refuse(past, operation, "expires_at is not in the future, where Datkey wants it, in Unix seconds")?;
        let large = limit.is_some_and(|limit| i64::try_from(limit).is_err());
        Ok(ID.refuse(large, operation, "verification_limit is beyond the signed 64-bit number that Datkey takes")?)
    }
}

/// What is known of a key that was revoked.
pub(crate) enum Removed {
    Told(Option<String>),
    ByLostAttempt,
}

/// The key in an answer that is about nothing else.
fn read_key(answer: &Answer) -> Result<Decoded<Key>, Error> {
    let decoded: Decoded<Key> = answer.decode(&SHAPE)?;
    // By the schema every member may be absent; that all of them are says nothing about a key.
    if decoded.value.is_blank() {
        return Err(answer.undecodable("no member of the object is one of a key's").into());
    }
    Ok(decoded)
}

/// Stands in an error's details where Datkey says that the key, and not the address, is what it does not know.
#[derive(Debug)]
pub(crate) struct NoSuchKey;

pub(crate) const ID: ProviderId = ProviderId::new("datkey");

/// How Datkey's wire differs: errors are JSON with `message`, and that is all.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection, rate_limit: None, wait_headers: &[] }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let message = rejected.text_at("/message");
    // The documents have two such texts. It is looked at here, since no error of a verification shows any.
    let no_key = message.as_deref().is_some_and(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("key") && ["not found", "no such"].iter().any(|words| text.contains(words))
    });
    let detail = (no_key && rejected.status == 404).then(|| Arc::new(NoSuchKey) as _);
    Rejection { message, detail, ..Rejection::default() }
}
