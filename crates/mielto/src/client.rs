//! The client: one method for each operation that Mielto is known to have.

use std::sync::Arc;

use http::Method;
use keymux_core::{
    Answer, Call, Change, Decoded, Dialect, ErrorKind, Pipeline, ProviderId, Rejected, Rejection, Rows, SecretString,
};
use serde_json::Value;

use crate::error::{Error, Violation};
use crate::wire::{ApiKey, ApiKeyId, ApiKeyPage, ApiKeyUpdate, ListApiKeys, NewApiKey, PageInfo, SHAPE};

/// How a user finds out whether a key was made.
pub(crate) const FIND_OUT: &str = "list the keys and look for the label";

/// A client of one Mielto credential. Clones share its connections.
///
/// Mielto documents 422 as the one failure; what the other statuses mean is what its own software expects.
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

    /// Looks up one key: `GET /api/v1/api-keys/{api_key_id}` (documented).
    ///
    /// Fails with [`Error::InvalidRequest`] for 422, the one failure that is documented, and [`Error::NotFound`] for
    /// 404, which Mielto's own software expects; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, id: &ApiKeyId) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(id).await?.value)
    }

    /// Lists a part of the keys: `GET /api/v1/api-keys` (documented).
    ///
    /// There is no filter and no documented order. A `limit` that is not 1 to 1000 is refused before sending. The list
    /// goes on at `skip` plus the number of rows received, as long as [`has_more`](PageInfo::has_more) is true or
    /// [`total_count`](PageInfo::total_count) is not reached, until there are no rows. Rows that cannot be read are in
    /// [`unreadable`](ApiKeyPage::unreadable). Changes nothing, and is repeated as the retry policy says.
    pub async fn list_api_keys(&self, list: ListApiKeys) -> Result<ApiKeyPage, Error> {
        let (answer, page) = self.fetch_api_keys(list).await?;
        let unreadable = answer.unread_rows("data", &page.unread);
        Ok(ApiKeyPage { data: page.rows.into_iter().map(|row| row.value).collect(), info: page.rest, unreadable })
    }

    /// Makes a key: `POST /api/v1/api-keys` (documented).
    ///
    /// The plaintext is in the second part, and nowhere again: the answer's `secret` if there is one, which is then
    /// taken out of the model, else its `key`. The documents call `key` an identifier and `secret` what is shown once;
    /// Mielto's own software authenticates with `key`. As far as is known both are credentials, and both are secrets
    /// here.
    ///
    /// A label that does not have 1 to 255 characters is refused before sending. Not sent again once it may have left;
    /// a lost answer is [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown).
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<(ApiKey, SecretString), Error> {
        let (answer, decoded) = self.issue_api_key(key).await?;
        let mut key = decoded.value;
        match key.take_plaintext() {
            Some((plaintext, _)) => Ok((key, plaintext)),
            None => Err(without_plaintext(&answer)),
        }
    }

    /// Changes a key: `PUT /api/v1/api-keys/{api_key_id}` (seen only in Mielto's published client code). Members that
    /// are left are not sent; whether Mielto keeps or clears them is not known.
    ///
    /// A label that does not have 1 to 255 characters, a label or status to be cleared, and an update without any
    /// change are refused before sending. Fails as [`get_api_key`](Self::get_api_key) does. The values are absolute, so
    /// that it is repeated as the retry policy says.
    pub async fn update_api_key(&self, id: &ApiKeyId, update: &ApiKeyUpdate) -> Result<ApiKey, Error> {
        Ok(self.put_api_key(id, update).await?.value)
    }

    /// Deletes a key: `DELETE /api/v1/api-keys/{api_key_id}` (seen only in Mielto's published client code). What the
    /// answer holds is not documented, and not looked at.
    ///
    /// Fails with [`Error::NotFound`] for 404, unless an attempt's answer was lost and this is the repeat: then it is
    /// success. Repeated as the retry policy says.
    pub async fn delete_api_key(&self, id: &ApiKeyId) -> Result<(), Error> {
        self.remove_api_key(id).await.map(drop)
    }

    // The same operations with what was odd about the answers.

    pub(crate) async fn fetch_api_key(&self, id: &ApiKeyId) -> Result<Decoded<ApiKey>, Error> {
        read_key(&self.pipeline.send(Call::get("get_api_key", &key_path(id))).await?)
    }

    pub(crate) async fn fetch_api_keys(&self, list: ListApiKeys) -> Result<(Answer, Rows<ApiKey, PageInfo>), Error> {
        let wrong = list.limit.is_some_and(|limit| !(1..=1000).contains(&limit));
        ID.refuse(wrong, "list_api_keys", "limit is not 1 to 1000, which is what Mielto takes")?;
        let (skip, limit) = (list.skip.map(|skip| skip.to_string()), list.limit.map(|limit| limit.to_string()));
        let query = [("skip", &skip), ("limit", &limit)];
        let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        let call = Call::list("list_api_keys", &["api", "v1", "api-keys"]).with_query(&query);
        let answer = self.pipeline.send(call).await?;
        let page: Rows<ApiKey, PageInfo> = answer.decode_page(&SHAPE, "data")?;
        let page = page.without(|row| {
            is_anonymous(&row.value).then(|| "it has neither `id` nor `key`, which identify the key".to_owned())
        });
        Ok((answer, page))
    }

    /// The answer with the plaintext still in it.
    pub(crate) async fn issue_api_key(&self, key: &NewApiKey) -> Result<(Answer, Decoded<ApiKey>), Error> {
        check_label("create_api_key", &key.label)?;
        let path = ["api", "v1", "api-keys"];
        let call =
            Call::new("create_api_key", Method::POST, &path).making_key(FIND_OUT).showing_refusals().with_json(key)?;
        let answer = self.pipeline.send(call).await?;
        let decoded = answer.decode(&SHAPE)?;
        Ok((answer, decoded))
    }

    pub(crate) async fn put_api_key(&self, id: &ApiKeyId, update: &ApiKeyUpdate) -> Result<Decoded<ApiKey>, Error> {
        const OPERATION: &str = "update_api_key";
        ID.refuse(*update == ApiKeyUpdate::default(), OPERATION, "the update changes nothing")?;
        ID.refuse(update.label == Change::Clear, OPERATION, "label cannot be cleared; Mielto's keys have one always")?;
        ID.refuse(
            update.status == Change::Clear,
            OPERATION,
            "status cannot be cleared; Mielto's keys have one always",
        )?;
        if let Change::Set(label) = &update.label {
            check_label(OPERATION, label)?;
        }
        let path = key_path(id);
        let call = Call::new(OPERATION, Method::PUT, &path).with_json(update)?;
        read_key(&self.pipeline.send(call).await?)
    }

    /// Whether the key is gone by this attempt; else by one whose answer was lost.
    pub(crate) async fn remove_api_key(&self, id: &ApiKeyId) -> Result<bool, Error> {
        Ok(self.pipeline.send_removal("delete_api_key", &key_path(id)).await?.is_some())
    }
}

fn key_path(id: &ApiKeyId) -> [&str; 4] {
    ["api", "v1", "api-keys", id.as_str()]
}

fn read_key(answer: &Answer) -> Result<Decoded<ApiKey>, Error> {
    let decoded: Decoded<ApiKey> = answer.decode(&SHAPE)?;
    if is_anonymous(&decoded.value) {
        return Err(answer.undecodable("neither `id` nor `key`, which identify the key, is there").into());
    }
    Ok(decoded)
}

fn is_anonymous(key: &ApiKey) -> bool {
    key.id.known().is_none() && key.key.known().is_none()
}

/// The error of an answer to making a key that holds neither form of it.
pub(crate) fn without_plaintext(answer: &Answer) -> Error {
    answer.undecodable("the answer lacks the plaintext: neither `secret` nor `key` is there").into()
}

fn check_label(operation: &'static str, label: &str) -> Result<(), Error> {
    let wrong = !(1..=255).contains(&label.chars().count());
    Ok(ID.refuse(wrong, operation, "label does not have 1 to 255 characters, which is what Mielto takes")?)
}

pub(crate) const ID: ProviderId = ProviderId::new("mielto");

/// How Mielto's wire differs: `detail` is a list of violations with 422 and text elsewhere, and an `error_code` goes
/// before the status.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection, rate_limit: None, wait_headers: &[] }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let code = rejected.text_at("/error_code");
    let out_of_credit = matches!(code.as_deref(), Some("CREDIT_LIMIT_EXCEEDED" | "OVERAGE_LIMIT_EXCEEDED"));
    let violations = read_violations(rejected);
    let complaint = violations.as_deref().filter(|violations| !violations.is_empty()).map(|violations| {
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
        // An item that is no object is all message.
        msg: if item.is_object() { text(item, "msg") } else { scrub(item) },
        loc: item.get("loc").and_then(Value::as_array).into_iter().flatten().map(scrub).collect(),
        kind: text(item, "type"),
    };
    Some(items.iter().map(read).collect())
}
