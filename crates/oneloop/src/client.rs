//! The client: one method for each operation that Oneloop documents.

use http::Method;
use keymux_core::{
    Answer, Call, Decoded, Dialect, Drift, DriftKind, ExposeSecret, Fact, LaterRows, Page, Pipeline, ProviderId,
    Rejected, Rejection, Rows, SecretString, TimeUnit,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;
use crate::wire::{
    ApiKey, ApiKeyEdit, ApiKeyId, BARE, Empty, MigratedApiKey, NewApiKey, Plaintext, SHAPE, ScopeGrant, Usage,
    VerifyOptions, VerifyResult, WithKey, Workspace, WorkspaceId, WorkspaceScope,
};

/// How a user finds out whether a key was made.
pub(crate) const FIND_OUT: &str = "list the workspace's keys and look for the name";

/// A client of one Oneloop SDK key. Clones share its connections.
///
/// Oneloop documents 400, 401 and 403 for every operation, and no other failure. Each operation is documented on a page
/// of its own.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) pipeline: Pipeline,
    expiry_unit: Option<TimeUnit>,
}

/// A key that was just made.
pub(crate) struct Issued {
    /// `None`: the answer does not tell it, or tells none that can be sent.
    pub(crate) id: Option<ApiKeyId>,
    pub(crate) key: Made,
    pub(crate) plaintext: SecretString,
    answer: Answer,
}

/// What an answer tells of a key that was just made, beside its id.
pub(crate) struct Made {
    pub(crate) value: ApiKey<()>,
    pub(crate) drift: Vec<Drift>,
    pub(crate) raw: Option<Value>,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline, expiry_unit: Option<TimeUnit>) -> Self {
        Self { pipeline, expiry_unit }
    }

    /// The unit in which the unified way in sends an expiry.
    pub(crate) fn expiry_unit(&self) -> Option<TimeUnit> {
        self.expiry_unit
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

    /// Lists the keys of a workspace, all at once: `GET /api/v1/workspace/{id}/api-key` (documented).
    ///
    /// There is no paging and no filter. A row that cannot be read is an error of the list. Changes nothing, and is repeated as the retry policy says.
    pub async fn list_api_keys(&self, workspace: &WorkspaceId) -> Result<Vec<ApiKey>, Error> {
        whole(self.fetch_api_keys(workspace).await?)
    }

    /// Makes a key: `POST /api/v1/api-key` (documented). The plaintext is in the second part, and nowhere again.
    ///
    /// Not sent again once it may have left; a lost answer is
    /// [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown): list the keys to find out. So is an answer that does
    /// not tell the key's id; its plaintext goes with the error ([`plaintext`](keymux_core::Error::plaintext)). An
    /// `expires_at` of 0, and a scope with an id, are refused before anything is sent.
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<(ApiKey, SecretString), Error> {
        let Issued { id, key, plaintext, answer } = self.issue_api_key(key).await?;
        match id {
            Some(id) => Ok((key.value.with_id(id).0, plaintext)),
            None => Err(answer.without_identity("the answer lacks the key's `id`", plaintext).into()),
        }
    }

    /// Brings a key of one's own along: `POST /api/v1/api-key/migrate` (documented; one page calls it private, so that
    /// it may be open to some callers alone).
    ///
    /// Not sent again once it may have left, as with [`create_api_key`](Self::create_api_key). A scope with an id is
    /// refused before anything is sent.
    pub async fn migrate_api_key(&self, key: &MigratedApiKey, plaintext: &SecretString) -> Result<ApiKey, Error> {
        Ok(self.import_api_key(key, plaintext).await?.value)
    }

    /// Changes a key: `PATCH /api/v1/workspace/{id}/api-key/{akid}` (documented). What is `None` is not sent.
    ///
    /// An edit without any change is refused before anything is sent. The values are absolute, so that it is repeated
    /// as the retry policy says.
    pub async fn edit_api_key(
        &self,
        workspace: &WorkspaceId,
        key: &ApiKeyId,
        edit: &ApiKeyEdit,
    ) -> Result<ApiKey, Error> {
        Ok(self.patch_api_key(workspace, key, edit).await?.value)
    }

    /// Deletes a key: `DELETE /api/v1/workspace/{id}/api-key/{akid}` (documented), and gives it back as it now is. It
    /// looks like a soft deletion: the key may still be found, with [`deleted`](ApiKey::deleted) set.
    ///
    /// Repeated as the retry policy says. `None`: the answer has no body; or an attempt's answer was lost, and the
    /// repeat found no key.
    pub async fn delete_api_key(&self, workspace: &WorkspaceId, key: &ApiKeyId) -> Result<Option<ApiKey>, Error> {
        Ok(match self.remove_api_key(workspace, key).await? {
            Removed::Key(decoded) => Some(decoded.value),
            Removed::Untold | Removed::ByLostAttempt => None,
        })
    }

    /// Gives a key a new plaintext: `POST /api/v1/workspace/{id}/api-key/{akid}/rotate` (documented). The plaintext is
    /// in the second part, and nowhere again.
    ///
    /// Not sent again once it may have left. After a lost answer the old plaintext may have ended, and the new one is
    /// lost: look at [`updated_at`](ApiKey::updated_at), or rotate again.
    pub async fn rotate_api_key(
        &self,
        workspace: &WorkspaceId,
        key: &ApiKeyId,
    ) -> Result<(ApiKey, SecretString), Error> {
        let Issued { id, key: rotated, plaintext, .. } = self.reissue_api_key(workspace, key).await?;
        Ok((rotated.value.with_id(id.unwrap_or_else(|| key.clone())).0, plaintext))
    }

    /// Verifies a key: `POST /api/v1/api-key/verify` (documented). A key that is not valid is no error: the result's
    /// [`status`](VerifyResult::status) tells.
    ///
    /// Counts as a use of the key, and is never sent again once it may have left. A usage that is not made of digits,
    /// and a rate of 0, are refused before anything is sent.
    pub async fn verify_api_key(
        &self,
        plaintext: &SecretString,
        options: &VerifyOptions,
    ) -> Result<VerifyResult, Error> {
        ID.refuse_plaintext(plaintext, "verify_api_key")?;
        if let Some(config) = &options.rate_limit_config {
            ID.refuse(
                config.limit == 0,
                "verify_api_key",
                "rateLimitConfig.limit is 0; Oneloop takes numbers above 0",
            )?;
        }
        if let Some(usage) = &options.billing {
            check_usage("verify_api_key", usage)?;
        }
        let path = ["api", "v1", "api-key", "verify"];
        let call = Call::new("verify_api_key", Method::POST, &path).counting_use();
        let answer = self.pipeline.send(call.with_json(&WithKey { key: plaintext, rest: options })?).await?;
        Ok(answer.decode::<VerifyResult>(&BARE)?.value)
    }

    /// Records a use of a key without verifying it: `POST /api/v1/api-key/record-usage` (documented).
    ///
    /// Never sent again once it may have left: a repeat would count twice. A usage that is not made of digits is
    /// refused before anything is sent.
    pub async fn record_usage(&self, plaintext: &SecretString, usage: &Usage) -> Result<(), Error> {
        ID.refuse_plaintext(plaintext, "record_usage")?;
        check_usage("record_usage", usage)?;
        let path = ["api", "v1", "api-key", "record-usage"];
        let call = Call::new("record_usage", Method::POST, &path).counting_use();
        self.pipeline.send(call.with_json(&WithKey { key: plaintext, rest: usage })?).await?;
        Ok(())
    }

    /// Lists the workspaces, all at once: `GET /api/v1/workspace` (documented). Changes nothing, and is repeated as the
    /// retry policy says.
    pub async fn list_workspaces(&self) -> Result<Vec<Workspace>, Error> {
        whole(self.fetch_workspaces().await?)
    }

    /// Lists the scopes that keys of a workspace can have: `GET /api/v1/workspace/{id}/scopes` (documented). Changes
    /// nothing, and is repeated as the retry policy says.
    pub async fn list_scopes(&self, workspace: &WorkspaceId) -> Result<Vec<WorkspaceScope>, Error> {
        let path = ["api", "v1", "workspace", workspace.as_str(), "scopes"];
        let answer = self.pipeline.send(Call::list("list_scopes", &path)).await?;
        whole(read_page(&answer, "scopes")?)
    }

    // The same operations with what was odd about the answers.

    pub(crate) async fn fetch_api_key(
        &self,
        workspace: &WorkspaceId,
        key: &ApiKeyId,
    ) -> Result<Decoded<ApiKey>, Error> {
        let path = key_path(workspace, key);
        let answer = self.pipeline.send(Call::get("get_api_key", &path)).await?;
        Ok(answer.decode(&SHAPE)?)
    }

    pub(crate) async fn fetch_api_keys(&self, workspace: &WorkspaceId) -> Result<Page<Decoded<ApiKey>>, Error> {
        let path = ["api", "v1", "workspace", workspace.as_str(), "api-key"];
        read_page(&self.pipeline.send(Call::list("list_api_keys", &path)).await?, "apiKeys")
    }

    pub(crate) async fn fetch_api_keys_later(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<(Page<Decoded<ApiKey>>, LaterRows<ApiKey>), Error> {
        let path = ["api", "v1", "workspace", workspace.as_str(), "api-key"];
        let answer = self.pipeline.send(Call::list("list_api_keys", &path)).await?;
        let (Rows { rows, unread, drift, .. }, later) = answer.decode_page_later::<_, Empty>(&BARE, "apiKeys")?;
        let unreadable = later.unread_rows(&unread);
        Ok((Page::new(rows, None, drift).with_unreadable(unreadable), later))
    }

    pub(crate) async fn fetch_workspaces(&self) -> Result<Page<Decoded<Workspace>>, Error> {
        let call = Call::list("list_workspaces", &["api", "v1", "workspace"]);
        read_page(&self.pipeline.send(call).await?, "workspaces")
    }

    pub(crate) async fn issue_api_key(&self, key: &NewApiKey) -> Result<Issued, Error> {
        ID.refuse(key.expires_at == Some(0), "create_api_key", "expiresAt is 0; Oneloop takes numbers above 0")?;
        check_scopes("create_api_key", &key.scopes)?;
        let path = ["api", "v1", "api-key"];
        self.issue(
            Call::new("create_api_key", Method::POST, &path).making_key(FIND_OUT).showing_refusals().with_json(key)?,
        )
        .await
    }

    pub(crate) async fn reissue_api_key(&self, workspace: &WorkspaceId, key: &ApiKeyId) -> Result<Issued, Error> {
        let path = ["api", "v1", "workspace", workspace.as_str(), "api-key", key.as_str(), "rotate"];
        let find_out = "its plaintext may be a new one, which is lost: look at `updatedAt`, or rotate again";
        let call = Call::new("rotate_api_key", Method::POST, &path).making_key(find_out).showing_refusals();
        self.issue(call).await
    }

    pub(crate) async fn import_api_key(
        &self,
        key: &MigratedApiKey,
        plaintext: &SecretString,
    ) -> Result<Decoded<ApiKey>, Error> {
        ID.refuse_plaintext(plaintext, "migrate_api_key")?;
        check_scopes("migrate_api_key", &key.scopes)?;
        let path = ["api", "v1", "api-key", "migrate"];
        let call = Call::new("migrate_api_key", Method::POST, &path).making_key(FIND_OUT);
        let mut decoded = made(&self.pipeline.send(call.with_json(&WithKey { key: plaintext, rest: key })?).await?)?;
        withhold_unmasked(&mut decoded.value, &mut decoded.drift, &mut decoded.raw, plaintext);
        Ok(decoded)
    }

    pub(crate) async fn patch_api_key(
        &self,
        workspace: &WorkspaceId,
        key: &ApiKeyId,
        edit: &ApiKeyEdit,
    ) -> Result<Decoded<ApiKey>, Error> {
        ID.refuse(*edit == ApiKeyEdit::default(), "edit_api_key", "the edit changes nothing")?;
        let path = key_path(workspace, key);
        let call = Call::new("edit_api_key", Method::PATCH, &path).with_json(edit)?;
        Ok(self.pipeline.send(call).await?.decode(&SHAPE)?)
    }

    pub(crate) async fn remove_api_key(&self, workspace: &WorkspaceId, key: &ApiKeyId) -> Result<Removed, Error> {
        let path = key_path(workspace, key);
        Ok(match self.pipeline.send_removal("delete_api_key", &path).await? {
            // The success itself says that the key is gone, whatever the body is.
            Some(answer) => answer.decode(&SHAPE).map_or(Removed::Untold, |key| Removed::Key(Box::new(key))),
            None => Removed::ByLostAttempt,
        })
    }

    /// The plaintext is read first, and nothing after it fails.
    async fn issue(&self, call: Call<'_>) -> Result<Issued, Error> {
        let answer = self.pipeline.send(call).await?;
        let plaintext = plaintext(&answer)?;
        let mut key: Decoded<ApiKey<Option<ApiKeyId>>> = match answer.decode(&SHAPE) {
            Ok(key) => key,
            Err(_) => return Err(answer.without_identity("the rest of the answer is not a key", plaintext).into()),
        };
        key.drift.retain(|note| note.path != "key");
        if key.value.id.is_none() && !key.drift.iter().any(|note| note.path == "id") {
            key.drift.push(Drift::new("id", DriftKind::RequiredMissing));
        }
        let Decoded { value, mut drift, mut raw, .. } = key;
        let (mut value, id) = value.with_id(());
        withhold_unmasked(&mut value, &mut drift, &mut raw, &plaintext);
        Ok(Issued { id, key: Made { value, drift, raw }, plaintext, answer })
    }
}

/// The plaintext in an answer: beside the other members of the key, or of the body.
fn plaintext(answer: &Answer) -> Result<SecretString, Error> {
    let read = |shape| answer.decode::<Plaintext>(shape).map(|decoded| decoded.value.key);
    let key = read(&SHAPE).or_else(|error| read(&BARE).map_err(|_| error))?;
    if key.expose_secret().is_empty() {
        return Err(answer.undecodable("the plaintext `key` is empty").into());
    }
    Ok(key)
}

/// The form of a mask is not documented, so that only one that holds the whole key is known for none.
fn withhold_unmasked<I>(value: &mut ApiKey<I>, drift: &mut Vec<Drift>, raw: &mut Option<Value>, key: &SecretString) {
    if value.masked_key.known().is_some_and(|masked| masked.contains(key.expose_secret())) {
        value.masked_key = Fact::Missing;
        drift.push(Drift::new("maskedKey", DriftKind::NotMasked));
        *raw = None;
    }
}

/// What is known of a key that was deleted.
pub(crate) enum Removed {
    Key(Box<Decoded<ApiKey>>),
    Untold,
    ByLostAttempt,
}

/// The key in an answer that repeats its plaintext, which is documented here and nowhere else.
fn made(answer: &Answer) -> Result<Decoded<ApiKey>, Error> {
    let mut decoded: Decoded<ApiKey> = answer.decode(&SHAPE)?;
    decoded.drift.retain(|note| note.path != "key");
    Ok(decoded)
}

/// The list in `member`, which is all there is.
fn read_page<T: DeserializeOwned>(answer: &Answer, member: &'static str) -> Result<Page<Decoded<T>>, Error> {
    let Rows { rows, unread, drift, .. } = answer.decode_page::<T, Empty>(&BARE, member)?;
    Ok(Page::new(rows, None, drift).with_unreadable(answer.unread_rows(member, &unread)))
}

/// The models of a list whose rows were all read: a plain list has no place for those that were not.
fn whole<T>(page: Page<Decoded<T>>) -> Result<Vec<T>, Error> {
    match page.unreadable.into_iter().next() {
        Some(error) => Err(error.into()),
        None => Ok(page.items.into_iter().map(|row| row.value).collect()),
    }
}

fn key_path<'a>(workspace: &'a WorkspaceId, key: &'a ApiKeyId) -> [&'a str; 6] {
    ["api", "v1", "workspace", workspace.as_str(), "api-key", key.as_str()]
}

/// Amounts are text, because they may be too large for a number.
fn check_usage(operation: &'static str, usage: &Usage) -> Result<(), Error> {
    let digits = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = usage.usage.as_ref().is_some_and(|text| !digits(text));
    Ok(ID.refuse(wrong, operation, "usage is not made of digits alone")?)
}

/// Only editing and verifying take the ids of scopes.
fn check_scopes(operation: &'static str, scopes: &[ScopeGrant]) -> Result<(), Error> {
    let identified = scopes.iter().any(|scope| scope.id.is_some());
    Ok(ID.refuse(
        identified,
        operation,
        "scopes.id is not taken here; Oneloop knows the scope by its representation",
    )?)
}

pub(crate) const ID: ProviderId = ProviderId::new("oneloop");

/// How Oneloop's wire differs: errors are JSON with `error.code`, a number, and `error.message`.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: None, read_rejection, rate_limit: None, wait_headers: &[] }
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
