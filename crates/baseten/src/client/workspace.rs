//! Workspace keys: those of the workspace's own people and automation.

use http::Method;
use keymux_core::{Call, Decoded, Fact, Rows};

use super::{Client, before_dot, revoked};
use crate::client::ID;
use crate::error::Error;
use crate::wire::{
    CreatedWorkspaceKey, IssuedWorkspaceApiKey, KeyPrefix, NewWorkspaceApiKey, RevokedApiKey, SHAPE, TeamId, Unpaged,
    WorkspaceApiKey, WorkspaceApiKeyFilter, WorkspaceKeyType,
};

impl Client {
    /// Lists the workspace keys that the caller may see, all at once: `GET /v1/api_keys` (documented; both parameters
    /// of the filter are of the latest document alone). Those are the caller's own and those that the caller may manage;
    /// admins of the organization see everyone's personal keys, too. Revoked keys are not among them (seen in Baseten's own
    /// published software).
    ///
    /// Baseten's specification puts the keys into a list, and one page of its documentation shows a single bare key:
    /// that is read, too. No error status is documented; changes nothing, and is repeated as the retry policy says.
    pub async fn list_workspace_api_keys(&self, filter: &WorkspaceApiKeyFilter) -> Result<Vec<WorkspaceApiKey>, Error> {
        let mut query = Vec::new();
        query.extend(filter.key_type.as_deref().map(|key_type| ("type", key_type)));
        query.extend(filter.created_by_me.map(|mine| ("created_by_me", if mine { "true" } else { "false" })));
        let call = Call::list("list_workspace_api_keys", &["v1", "api_keys"]).with_query(&query);
        let answer = self.pipeline.send(call).await?;
        match answer.decode_page(&SHAPE, "keys") {
            // A plain list has no place for a row that cannot be read.
            Ok(Rows::<WorkspaceApiKey, Unpaged> { rows, unread, .. }) => {
                match answer.unread_rows("keys", &unread).pop() {
                    Some(error) => Err(error.into()),
                    None => Ok(rows.into_iter().map(|row| row.value).collect()),
                }
            }
            // A body that is neither is reported as the list that it should be.
            Err(error) => {
                let bare: Decoded<WorkspaceApiKey> = answer.decode(&SHAPE).map_err(|_| error)?;
                Ok(vec![bare.value])
            }
        }
    }

    /// Makes a workspace key: `POST /v1/api_keys` (documented).
    ///
    /// Refused before sending: `model_ids` for a type that does not take them. A workspace key as the credential can
    /// make neither a personal key nor one that manages keys. No error status is documented, not that of a taken name
    /// either.
    ///
    /// Not sent again once it may have left; a lost answer is
    /// [`OutcomeUnknown`](keymux_core::ErrorKind::OutcomeUnknown).
    pub async fn create_workspace_api_key(&self, key: &NewWorkspaceApiKey) -> Result<IssuedWorkspaceApiKey, Error> {
        self.issue_workspace_api_key("create_workspace_api_key", &["v1", "api_keys"], key).await
    }

    /// Makes a workspace key for a team: `POST /v1/teams/{team_id}/api_keys` (specified).
    ///
    /// As [`create_workspace_api_key`](Self::create_workspace_api_key); personal keys and keys that manage keys cannot
    /// belong to a team (seen in Baseten's own published software), and are refused before sending.
    pub async fn create_team_api_key(
        &self,
        team: &TeamId,
        key: &NewWorkspaceApiKey,
    ) -> Result<IssuedWorkspaceApiKey, Error> {
        const OPERATION: &str = "create_team_api_key";
        let wrong = matches!(key.key_type, WorkspaceKeyType::Personal | WorkspaceKeyType::WorkspaceManageApiKeys);
        ID.refuse(wrong, OPERATION, "a key of this `type` cannot belong to a team at Baseten")?;
        self.issue_workspace_api_key(OPERATION, &["v1", "teams", team.as_str(), "api_keys"], key).await
    }

    /// Deletes a workspace key for good: `DELETE /v1/api_keys/{api_key_prefix}` (documented).
    ///
    /// No error status is documented; an unknown or revoked prefix is [`Error::NotFound`] by what Baseten's published
    /// client code does. Repeated as the retry policy says. `None`: an attempt's answer was lost, and the repeat found
    /// no key.
    pub async fn delete_workspace_api_key(&self, prefix: &KeyPrefix) -> Result<Option<RevokedApiKey>, Error> {
        let path = ["v1", "api_keys", prefix.as_str()];
        Ok(self.pipeline.send_removal("delete_workspace_api_key", &path).await?.map(|answer| revoked(&answer)))
    }

    async fn issue_workspace_api_key(
        &self,
        operation: &'static str,
        path: &[&str],
        key: &NewWorkspaceApiKey,
    ) -> Result<IssuedWorkspaceApiKey, Error> {
        use WorkspaceKeyType::{Other, WorkspaceExportMetrics, WorkspaceInvoke};
        let takes_models = matches!(key.key_type, WorkspaceExportMetrics | WorkspaceInvoke | Other(_));
        let reason = "`model_ids` is given, and Baseten takes it for metrics and invoke keys alone";
        ID.refuse(key.model_ids.is_some() && !takes_models, operation, reason)?;
        let find_out = "list the workspace's keys and look for the name";
        let call = Call::new(operation, Method::POST, path).making_key(find_out).showing_refusals().with_json(key)?;
        let answer = self.pipeline.send(call).await?;
        match answer.decode::<CreatedWorkspaceKey>(&SHAPE)?.value.api_key {
            Fact::Known(api_key) => Ok(IssuedWorkspaceApiKey { prefix: before_dot(&api_key), api_key }),
            _ => Err(answer.undecodable("the answer lacks the plaintext `api_key`").into()),
        }
    }
}
