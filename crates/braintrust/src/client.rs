//! The client: one method for each operation that Braintrust documents.

use http::Method;
use keymux_core::{
    Call, Decoded, Dialect, Error as CoreError, ErrorKind, Fact, Pipeline, ProviderId, Rejected, Rejection, Rows,
    SecretString, WaitForm, WaitHeader,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::wire::{
    ApiKey, ApiKeyId, Empty, ListApiKeys, ListServiceTokens, NewServiceToken, Plaintext, SHAPE, ServiceToken,
    ServiceTokenId,
};

/// How a user finds out whether a token was made.
const FIND_OUT: &str = "list the service tokens and look for the name";

/// How a user finds out whether a token was replaced.
const FIND_OUT_REPLACED: &str =
    "the old token of this name may have ended; look at `created` in the list of service tokens, or replace it again";

/// A client of one Braintrust credential. Clones share its connections.
///
/// Braintrust documents 400, 401, 403, 429 and 500 for every operation. What is missing is told by 400 or 403, in the
/// same words as what this credential may not see: [`Error::MissingOrNoAccess`].
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) pipeline: Pipeline,
}

/// What was removed, as far as the answer tells.
pub(crate) struct Removed<T> {
    pub(crate) told: Option<Decoded<T>>,
    pub(crate) by_earlier_attempt: bool,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// Looks up one key: `GET /v1/api_key/{api_key_id}` (documented).
    ///
    /// Fails with [`Error::MissingOrNoAccess`] where the key does not exist or may not be seen, which Braintrust does
    /// not tell apart; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, id: &ApiKeyId) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(id).await?.value)
    }

    /// Lists one page of keys, the newest first: `GET /v1/api_key` (documented).
    ///
    /// These are the keys of the caller alone, even if the caller owns the organization; see
    /// [`Config::with_impersonated_user`](crate::Config::with_impersonated_user). The next page begins
    /// [`StartingAfter`](crate::PageStart::StartingAfter) the last key of this one; an empty page is the end. A row that
    /// cannot be read is an error of the page. Changes nothing, and is repeated as the retry policy says.
    pub async fn list_api_keys(&self, list: &ListApiKeys) -> Result<Vec<ApiKey>, Error> {
        let (page, unreadable) = self.fetch_list("list_api_keys", "api_key", &pairs(&list.query())).await?;
        whole(page, unreadable)
    }

    /// Deletes a key, and gives it back as it was: `DELETE /v1/api_key/{api_key_id}` (documented). Whether the deletion
    /// is for good is not documented.
    ///
    /// Fails with [`Error::MissingOrNoAccess`] as [`get_api_key`](Self::get_api_key) does. Repeated as the retry policy
    /// says. `None`: the answer does not tell the key, or an attempt's answer was lost and the repeat was answered with
    /// 404. If the repeat is answered that the key is missing or may not be deleted, the outcome is unknown.
    pub async fn delete_api_key(&self, id: &ApiKeyId) -> Result<Option<ApiKey>, Error> {
        Ok(self.remove_api_key(id).await?.told.map(|decoded| decoded.value))
    }

    /// Lists one page of service tokens, the newest first: `GET /v1/service_token` (documented).
    ///
    /// Only owners of the organization manage service tokens; what others are answered is not documented. Pages go on as with
    /// [`list_api_keys`](Self::list_api_keys). Changes nothing, and is repeated as the retry policy says.
    pub async fn list_service_tokens(&self, list: &ListServiceTokens) -> Result<Vec<ServiceToken>, Error> {
        let query = list.query();
        let (page, unreadable) = self.fetch_list("list_service_tokens", "service_token", &pairs(&query)).await?;
        Ok(whole(page, unreadable)?.into_iter().map(without_plaintext).collect())
    }

    /// Looks up one service token: `GET /v1/service_token/{service_token_id}` (documented).
    ///
    /// Fails with [`Error::MissingOrNoAccess`] as [`get_api_key`](Self::get_api_key) does; changes nothing, and is
    /// repeated as the retry policy says.
    pub async fn get_service_token(&self, id: &ServiceTokenId) -> Result<ServiceToken, Error> {
        let path = ["v1", "service_token", id.as_str()];
        let answer = self.pipeline.send(Call::get("get_service_token", &path)).await?;
        Ok(without_plaintext(answer.decode(&SHAPE)?.value))
    }

    /// Makes a service token: `POST /v1/service_token` (documented). The plaintext is in the second part, and nowhere
    /// again.
    ///
    /// The client's own credential must be a service token with the permission of an owner; what a user's key is answered
    /// is not documented. Not sent again once it may have left; a lost answer is
    /// [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown). So is an answer without the token's id; its plaintext
    /// goes with the error ([`plaintext`](keymux_core::Error::plaintext)).
    pub async fn create_service_token(&self, token: &NewServiceToken) -> Result<(ServiceToken, SecretString), Error> {
        let path = ["v1", "service_token"];
        let call = Call::new("create_service_token", Method::POST, &path).making_key(FIND_OUT).showing_refusals();
        self.issue(call.with_json(token)?).await
    }

    /// Makes a service token in place of the one of the same name, whose plaintext ends, or makes a new one if there is
    /// none: `PUT /v1/service_token` (documented). The plaintext is in the second part, and nowhere again.
    ///
    /// Wants the same credential as [`create_service_token`](Self::create_service_token). Each request makes another
    /// plaintext, so that it is not sent again once it may have left. After a lost answer the old plaintext may have
    /// ended, and the new one is lost: replace it again.
    pub async fn create_or_replace_service_token(
        &self,
        token: &NewServiceToken,
    ) -> Result<(ServiceToken, SecretString), Error> {
        let path = ["v1", "service_token"];
        let call = Call::new("create_or_replace_service_token", Method::PUT, &path)
            .making_key(FIND_OUT_REPLACED)
            .showing_refusals();
        self.issue(call.with_json(token)?).await
    }

    /// Deletes a service token, and gives it back as it was: `DELETE /v1/service_token/{service_token_id}`
    /// (documented).
    ///
    /// Fails with [`Error::MissingOrNoAccess`] as [`get_api_key`](Self::get_api_key) does. Repeated as the retry policy
    /// says. `None`: an attempt's answer was lost, and the repeat was answered with 404.
    pub async fn delete_service_token(&self, id: &ServiceTokenId) -> Result<Option<ServiceToken>, Error> {
        let path = ["v1", "service_token", id.as_str()];
        let deleted = self.remove("delete_service_token", &path).await?;
        Ok(deleted.told.map(|decoded| without_plaintext(decoded.value)))
    }

    // The operations of keys with what was odd about the answers, and what operations have in common.

    pub(crate) async fn fetch_api_key(&self, id: &ApiKeyId) -> Result<Decoded<ApiKey>, Error> {
        let answer = self.pipeline.send(Call::get("get_api_key", &["v1", "api_key", id.as_str()])).await?;
        Ok(answer.decode(&SHAPE)?)
    }

    /// A page of keys: at most `limit`, after the one that `cursor` names.
    pub(crate) async fn fetch_api_keys(&self, limit: usize, cursor: Option<&str>) -> Result<Listed<ApiKey>, Error> {
        let limit = limit.to_string();
        let query = [("limit", limit.as_str())].into_iter().chain(cursor.map(|cursor| ("starting_after", cursor)));
        self.fetch_list("list_api_keys", "api_key", &query.collect::<Vec<_>>()).await
    }

    pub(crate) async fn remove_api_key(&self, id: &ApiKeyId) -> Result<Removed<ApiKey>, Error> {
        self.remove("delete_api_key", &["v1", "api_key", id.as_str()]).await
    }

    async fn fetch_list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        resource: &str,
        query: &[(&str, &str)],
    ) -> Result<Listed<T>, Error> {
        let path = ["v1", resource];
        let answer = self.pipeline.send(Call::list(operation, &path).with_query(query)).await?;
        let page: Rows<T, Empty> = answer.decode_page(&SHAPE, "objects")?;
        let unreadable = answer.unread_rows("objects", &page.unread);
        Ok((page, unreadable))
    }

    async fn remove<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<Removed<T>, Error> {
        let answer = self.pipeline.send_removal(operation, path).await?;
        let by_earlier_attempt = answer.is_none();
        // The success itself says that it is gone, whatever the body is.
        Ok(Removed { told: answer.and_then(|answer| answer.decode(&SHAPE).ok()), by_earlier_attempt })
    }

    async fn issue(&self, call: Call<'_>) -> Result<(ServiceToken, SecretString), Error> {
        let answer = self.pipeline.send(call).await?;
        let mut token = match answer.decode::<ServiceToken>(&SHAPE) {
            Ok(token) => token.value,
            Err(error) => {
                return Err(match answer.decode::<Plaintext>(&SHAPE).map(|decoded| decoded.value.key) {
                    Ok(Fact::Known(key)) => answer.without_identity("the answer lacks the token's `id`", key).into(),
                    _ => error.into(),
                });
            }
        };
        match std::mem::take(&mut token.key) {
            Fact::Known(plaintext) => Ok((token, plaintext)),
            _ => Err(answer.undecodable("the answer lacks the plaintext `key`").into()),
        }
    }
}

/// A page of a list, and the errors of the rows that cannot be read.
type Listed<T> = (Rows<T, Empty>, Vec<CoreError>);

/// The models of a page whose rows were all read: a plain list has no place for those that were not.
fn whole<T>(page: Rows<T, Empty>, unreadable: Vec<CoreError>) -> Result<Vec<T>, Error> {
    match unreadable.into_iter().next() {
        Some(error) => Err(error.into()),
        None => Ok(page.rows.into_iter().map(|row| row.value).collect()),
    }
}

fn pairs<'a>(query: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    query.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A plaintext is documented for making a token alone; elsewhere nobody asked for one.
fn without_plaintext(token: ServiceToken) -> ServiceToken {
    ServiceToken { key: Fact::Missing, ..token }
}

pub(crate) const ID: ProviderId = ProviderId::new("braintrust");

/// What the vendor's own clients read beside `Retry-After`.
const WAIT_HEADERS: [WaitHeader; 1] = [WaitHeader { name: "retry-after-ms", form: WaitForm::Milliseconds }];

/// How Braintrust's wire differs: errors are text or JSON whatever the content type says, members of JSON errors are
/// capitalised, and messages end in bracketed context that holds a person's e-mail address.
pub(crate) fn dialect() -> Dialect {
    Dialect {
        provider: ID,
        request_id_header: Some("x-bt-internal-trace-id"),
        read_rejection,
        rate_limit: None,
        wait_headers: &WAIT_HEADERS,
    }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let text = match rejected.json {
        Value::Object(_) => ["/Message", "/message", "/error"].iter().find_map(|pointer| rejected.text_at(pointer)),
        Value::String(text) => Some(text.clone()),
        Value::Null if rejected.text.trim() == "null" => None,
        // Text, or a list of issues that the context behind it keeps from being JSON.
        _ => Some(rejected.text.to_owned()),
    };
    let (message, request_id) = text.map(|text| strip_context(&text)).unzip();
    let issues = message.as_deref().and_then(read_issues);
    let missing = message.as_deref().is_some_and(is_missing_or_no_access);
    Rejection {
        kind: (missing && matches!(rejected.status, 400 | 403)).then_some(ErrorKind::NotFound),
        code: rejected.text_at("/Code"),
        message: issues.or(message),
        request_id: rejected.text_at("/InternalTraceId").or(request_id.flatten()),
        ..Rejection::default()
    }
}

/// Whether `message` is the sentence by which Braintrust says that a thing is missing or may not be seen. It comes with
/// 400 or 403.
fn is_missing_or_no_access(message: &str) -> bool {
    message.contains("Missing ") && message.contains(" access to ") && message.contains("does not exist")
}

/// Takes the bracketed context out of `message`, and returns the request's id if it was there.
fn strip_context(message: &str) -> (String, Option<String>) {
    const MEMBERS: [&str; 4] = ["user_email=", "user_org=", "timestamp=", "request_id="];
    let mut kept = String::with_capacity(message.len());
    let mut request_id = None;
    let mut rest = message;
    while let Some((before, bracket)) = rest.split_once('[') {
        kept.push_str(before);
        if !MEMBERS.iter().any(|member| bracket.starts_with(member)) {
            kept.push('[');
            rest = bracket;
            continue;
        }
        // Context that does not end is cut off whole.
        let (context, after) = bracket.split_once(']').unwrap_or((bracket, ""));
        if let Some(id) = context.strip_prefix("request_id=") {
            request_id = Some(id.to_owned());
        }
        kept.truncate(kept.trim_end().len());
        rest = after;
    }
    kept.push_str(rest);
    (kept.trim().to_owned(), request_id)
}

/// What the validator complains about, if `message` is its list of issues.
fn read_issues(message: &str) -> Option<String> {
    let issues: Vec<Value> = serde_json::from_str(message).ok()?;
    let told: Vec<String> = issues
        .iter()
        .map(|issue| {
            let path = issue.pointer("/path").and_then(Value::as_array).into_iter().flatten();
            let path: Vec<String> =
                path.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
            let text = issue.pointer("/message").and_then(Value::as_str).unwrap_or("invalid");
            if path.is_empty() { text.to_owned() } else { format!("{}: {text}", path.join(".")) }
        })
        .collect();
    Some(told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracketed_context_is_taken_out_wherever_it_stands() {
        let table = [
            (
                "no key [user_email=dev@example.com] [user_org=acme] [timestamp=1.5] [request_id=r-1]",
                "no key",
                Some("r-1"),
            ),
            ("no key [timestamp=1.5]", "no key", None),
            ("a [1] b [user_email=dev@example.com] c", "a [1] b c", None),
            ("cut [user_email=dev@example.c", "cut", None),
            ("[user_email=x]", "", None),
            ("plain", "plain", None),
            ("caf\u{e9} [[user_org=x]", "caf\u{e9} [", None),
        ];
        for (message, kept, id) in table {
            assert_eq!(strip_context(message), (kept.to_owned(), id.map(str::to_owned)), "{message}");
        }
    }

    #[test]
    fn validator_issues_become_a_sentence() {
        let issues = r#"[{"validation":"uuid","code":"invalid_string","message":"Invalid uuid","path":["api_key_id"]},{"path":["a",0]}]"#;
        assert_eq!(read_issues(issues).unwrap(), "api_key_id: Invalid uuid; a.0: invalid");
        assert_eq!(read_issues("no list"), None);
    }
}
