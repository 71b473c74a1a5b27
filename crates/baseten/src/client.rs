//! The client: one method for each operation that Baseten documents. Here: federated keys.

mod groups;
mod workspace;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method};
use keymux_core::{
    Answer, Call, Cursor, Decoded, Dialect, Drift, DriftKind, Error as CoreError, ErrorKind, ExposeSecret, Fact, Page,
    Pipeline, ProviderId, RateLimit, Rejected, Rejection, Rows, SecretString, Shape,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{Cause, Error, REGISTER};
use crate::registration::{Sign, broken_rule, prefix_of};
use crate::wire::{
    ApiKey, Created, GroupId, KeyPrefix, NewApiKey, PageRequest, Paged, Registered, Registration, RevokedApiKey, SHAPE,
};

/// How a user finds out whether a key was made, and where it is.
pub(crate) const FIND_OUT: &str = "list the group's keys and look for the name, or for one more";

const SIGNATURE: HeaderName = HeaderName::from_static("x-baseten-signature");

/// A client of one Baseten workspace. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) pipeline: Pipeline,
    signer: Option<Arc<dyn Sign>>,
}

/// A key that was just made, with its plaintext beside it, and what was odd about the answer.
pub(crate) struct Issued {
    /// `None`: neither the answer nor the plaintext tells it.
    pub(crate) prefix: Option<KeyPrefix>,
    pub(crate) name: Fact<String>,
    pub(crate) answer: Answer,
    pub(crate) plaintext: SecretString,
    pub(crate) drift: Vec<Drift>,
    pub(crate) raw: Option<Value>,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline, signer: Option<Arc<dyn Sign>>) -> Self {
        Self { pipeline, signer }
    }

    /// Looks up one federated key: `GET /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` (documented).
    ///
    /// The plaintext is never part of the answer. Fails with [`Error::NotFound`] for 404 and [`Error::Forbidden`] for
    /// 403; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, group: &GroupId, prefix: &KeyPrefix) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(group, prefix).await?.value)
    }

    /// Lists the federated keys of a group, page by page: `GET /v1/gateway/groups/{group_id}/api_keys` (documented).
    ///
    /// The order is not documented. A limit outside 1 to 1000 is refused before sending. A row that cannot be read is in
    /// [`Page::unreadable`], and a page that says there is more without saying where is [cut short](Page::cut_short), so
    /// that no list is shorter than it says. Fails with [`Error::NotFound`] for
    /// 404 and [`Error::Forbidden`] for 403; changes nothing, and is repeated as the retry policy says.
    pub async fn list_api_keys(&self, group: &GroupId, page: &PageRequest) -> Result<Page<ApiKey>, Error> {
        Ok(values(self.fetch_api_keys(group, page).await?))
    }

    /// Makes a federated key: `POST /v1/gateway/groups/{group_id}/api_keys` (documented). The plaintext is in the
    /// second part, and nowhere again.
    ///
    /// Not sent again once it may have left; a lost answer is
    /// [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown), and the group's keys tell whether there is one more.
    /// So is an answer that does not tell the prefix; its plaintext goes with the error
    /// ([`plaintext`](keymux_core::Error::plaintext)). Fails with [`Error::NotFound`] for 404 and [`Error::Forbidden`] for 403, both
    /// about the group.
    pub async fn create_api_key(&self, group: &GroupId, key: &NewApiKey) -> Result<(ApiKey, SecretString), Error> {
        let Issued { prefix, name, answer, plaintext, .. } = self.issue_api_key(group, key).await?;
        match prefix {
            Some(prefix) => Ok((ApiKey::new(prefix, name), plaintext)),
            None => Err(answer
                .without_identity("the answer lacks the prefix, and the plaintext has no dot", plaintext)
                .into()),
        }
    }

    /// Registers a key of one's own: `POST /v1/gateway/groups/{group_id}/api_keys/register` (documented). The prefix by
    /// which the key is found from now on is its first 16 characters.
    ///
    /// Needs `Config::with_signing_key`, which the Cargo feature `signing` brings: a signature of the body goes along.
    /// Refused before sending: a key that has not 32 to 128 characters, or less than 3 bits of Shannon entropy per
    /// character. Fails with [`Error::KeyRefused`], [`Error::SignatureRefused`] or [`Error::NoPublicKey`] for 400,
    /// [`Error::Forbidden`] for 403 and [`Error::NotFound`] for 404; no error shows any text of the answer.
    ///
    /// Not sent again once it may have left, since a repeat would find the prefix taken by the first. After a lost
    /// answer the group's keys tell.
    pub async fn register_api_key(
        &self,
        group: &GroupId,
        plaintext: &SecretString,
        name: Option<&str>,
    ) -> Result<KeyPrefix, Error> {
        Ok(self.bring_api_key(group, plaintext, name).await?.0)
    }

    /// Revokes a federated key for good: `DELETE /v1/gateway/groups/{group_id}/api_keys/{api_key_prefix}` (documented).
    /// The other keys of the group go on working.
    ///
    /// Fails with [`Error::NotFound`] for 404, a key that is already revoked included, and [`Error::Forbidden`] for
    /// 403. Repeated as the retry policy says. `None`: an attempt's answer was lost, and the repeat found no key.
    pub async fn revoke_api_key(&self, group: &GroupId, prefix: &KeyPrefix) -> Result<Option<RevokedApiKey>, Error> {
        let path = key_path(group, prefix);
        Ok(self.pipeline.send_removal("revoke_api_key", &path).await?.map(|answer| revoked(&answer)))
    }

    // The same operations with what was odd about the answers.

    pub(crate) async fn fetch_api_key(&self, group: &GroupId, prefix: &KeyPrefix) -> Result<Decoded<ApiKey>, Error> {
        let path = key_path(group, prefix);
        let answer = self.pipeline.send(Call::get("get_api_key", &path)).await?;
        Ok(answer.decode(&SHAPE)?)
    }

    pub(crate) async fn fetch_api_keys(
        &self,
        group: &GroupId,
        page: &PageRequest,
    ) -> Result<Page<Decoded<ApiKey>>, Error> {
        let path = ["v1", "gateway", "groups", group.as_str(), "api_keys"];
        self.fetch_page("list_api_keys", &path, Vec::new(), page).await
    }

    pub(crate) async fn issue_api_key(&self, group: &GroupId, key: &NewApiKey) -> Result<Issued, Error> {
        let path = ["v1", "gateway", "groups", group.as_str(), "api_keys"];
        let call =
            Call::new("create_api_key", Method::POST, &path).making_key(FIND_OUT).showing_refusals().with_json(key)?;
        let answer = self.pipeline.send(call).await?;
        let Decoded { value: created, mut drift, raw, .. } = answer.decode::<Created>(&SHAPE)?;
        let Fact::Known(plaintext) = created.api_key.and_then(non_empty) else {
            return Err(answer.undecodable("the answer lacks the plaintext `api_key`").into());
        };
        let prefix = if let Fact::Known(prefix) = created.prefix {
            Some(prefix)
        } else {
            // A prefix is documented as what stands before the dot.
            if !drift.iter().any(|note| note.path == "prefix") {
                drift.push(Drift::new("prefix", DriftKind::RequiredMissing));
            }
            before_dot(&plaintext)
        };
        Ok(Issued { prefix, name: created.name, answer, plaintext, drift, raw })
    }

    pub(crate) async fn bring_api_key(
        &self,
        group: &GroupId,
        plaintext: &SecretString,
        name: Option<&str>,
    ) -> Result<(KeyPrefix, Vec<Drift>, Option<Value>), Error> {
        ID.refuse_plaintext(plaintext, REGISTER)?;
        let broken = broken_rule(plaintext);
        ID.refuse(broken.is_some(), REGISTER, broken.as_deref().unwrap_or_default())?;
        let Some(signer) = &self.signer else {
            let error = CoreError::new(ErrorKind::Config).with_provider(ID).with_operation(REGISTER);
            let reason =
                "Baseten registers keys with a signature; name a file with an Ed25519 key in `signing_key_file`";
            let see = "keymux_baseten::Config::with_signing_key, of the Cargo feature `signing`";
            return Err(error.with_message(reason).with_see(Cow::Borrowed(see)).into());
        };
        let prefix = KeyPrefix::new(prefix_of(plaintext))?;
        let body = registration(plaintext, name);
        let signature = body.as_ref().and_then(|body| signer.sign(body));
        let Some((body, signature)) = body.zip(signature) else {
            return Err(invalid(REGISTER, "the request cannot be written as JSON and signed").into());
        };
        let path = ["v1", "gateway", "groups", group.as_str(), "api_keys", "register"];
        let call = Call::new(REGISTER, Method::POST, &path)
            .making_key("list the group's keys and look for its prefix, which is its first 16 characters")
            .with_header(SIGNATURE, signature)
            .with_json_bytes(Bytes::from_owner(body));
        let answer = self.pipeline.send(call).await?;
        let Decoded { value, drift, raw, .. } = answer.decode::<Registered>(&SHAPE)?;
        if value.ok != Fact::Known(true) {
            return Err(answer.undecodable("the answer does not say `ok`").into());
        }
        Ok((prefix, drift, raw))
    }

    // What the operations have in common.

    /// One page of a list that goes on by cursors.
    async fn fetch_page<R: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        mut query: Vec<(&str, &str)>,
        page: &PageRequest,
    ) -> Result<Page<Decoded<R>>, Error> {
        let wrong = page.limit.is_some_and(|limit| !(1..=1000).contains(&limit));
        ID.refuse(wrong, operation, "`limit` is outside 1 to 1000, which is what Baseten takes")?;
        let limit = page.limit.map(|limit| limit.to_string());
        query.extend(limit.as_deref().map(|limit| ("limit", limit)));
        query.extend(page.cursor.as_ref().map(|cursor| ("cursor", cursor.as_str())));
        let answer = self.pipeline.send(Call::list(operation, path).with_query(&query)).await?;
        let Rows { rows, unread, rest, drift, .. } = answer.decode_page::<R, Paged>(&SHAPE, "items")?;
        let pagination = rest.pagination.into_known().unwrap_or_default();
        let cursor = pagination.cursor.into_known().filter(|cursor| !cursor.is_empty()).map(Cursor::new);
        let is_empty = rows.is_empty() && unread.is_empty();
        // Two signs say whether there is more. Where one says so, it is followed, until a page brings nothing.
        let (next, odd) = match (pagination.has_more, cursor) {
            (Fact::Known(false), cursor) if is_empty || cursor == page.cursor => (None, None),
            (Fact::Known(false), cursor) => (cursor, None),
            (_, Some(cursor)) => (Some(cursor), None),
            (Fact::Known(true), None) => (None, Some("the page says that there is more, and has no `cursor`")),
            _ => (None, Some("the page does not say in `has_more` whether there is more")),
        };
        let unreadable = answer.unread_rows("items", &unread);
        let odd = odd.map(|reason| answer.undecodable(reason));
        Ok(Page::new(rows, next, drift).with_unreadable(unreadable).with_cut_short(odd))
    }

    async fn fetch<T: DeserializeOwned>(&self, call: Call<'_>, shape: &Shape) -> Result<T, Error> {
        Ok(self.pipeline.send(call).await?.decode(shape)?.value)
    }
}

/// A page of the models alone.
fn values<R>(page: Page<Decoded<R>>) -> Page<R> {
    page.map(|row| row.value)
}

/// The success itself says that the key is gone, whatever the body is.
fn revoked(answer: &Answer) -> RevokedApiKey {
    answer.decode(&SHAPE).map(|decoded| decoded.value).unwrap_or_default()
}

fn non_empty(plaintext: SecretString) -> Fact<SecretString> {
    if plaintext.expose_secret().is_empty() { Fact::Missing } else { Fact::Known(plaintext) }
}

/// What stands before the first dot of a key, if there is a dot.
fn before_dot(plaintext: &SecretString) -> Option<KeyPrefix> {
    let (prefix, _) = plaintext.expose_secret().split_once('.')?;
    KeyPrefix::new(prefix).ok()
}

/// The body of a registration. The buffer holds it without growing, which would leave copies of the key behind: JSON
/// makes at most six bytes of one.
fn registration(plaintext: &SecretString, name: Option<&str>) -> Option<Zeroizing<Vec<u8>>> {
    let key = plaintext.expose_secret();
    let length = 6 * (key.len() + name.map_or(0, str::len)) + 64;
    let mut body = Zeroizing::new(Vec::with_capacity(length));
    serde_json::to_writer(&mut *body, &Registration { key, name }).ok()?;
    Some(body)
}

fn key_path<'a>(group: &'a GroupId, prefix: &'a KeyPrefix) -> [&'a str; 6] {
    ["v1", "gateway", "groups", group.as_str(), "api_keys", prefix.as_str()]
}

fn invalid(operation: &'static str, reason: &str) -> CoreError {
    CoreError::new(ErrorKind::InvalidRequest).with_provider(ID).with_operation(operation).with_message(reason)
}

pub(crate) const ID: ProviderId = ProviderId::new("baseten");

/// How Baseten's wire differs: errors are JSON with `code` and `message`, but a 429 has `error` and `retry_after`, in
/// seconds, and no header is documented for the delay. Some causes of a 400 are fixed texts.
pub(crate) fn dialect() -> Dialect {
    let rate_limit = Some(RateLimit::per_second(100));
    Dialect { provider: ID, request_id_header: None, read_rejection, rate_limit, wait_headers: &[] }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let cause = Cause::in_text(rejected.text).filter(|_| rejected.status == 400);
    Rejection {
        code: rejected.text_at("/code"),
        message: rejected.text_at("/message").or_else(|| rejected.text_at("/error")),
        retry_after: rejected.seconds_at("/retry_after"),
        detail: cause.map(|cause| Arc::new(cause) as _),
        ..Rejection::default()
    }
}
