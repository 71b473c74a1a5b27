//! Groups, which own federated keys.

use std::collections::HashSet;

use http::Method;
use keymux_core::{Answer, Call, Decoded, Page};

use super::{Client, values};
use crate::client::ID;
use crate::error::Error;
use crate::wire::{
    DeletedGroup, Group, GroupEdit, GroupFilter, GroupId, GroupPatch, GroupUsage, LimitUnit, NewGroup, NewGroupLimit,
    NewGroupModel, Rename, SHAPE,
};

impl Client {
    /// Lists the groups, page by page: `GET /v1/gateway/groups` (documented).
    ///
    /// The order is not documented. Refused before sending: a limit outside 1 to 1000, and an `external_entity_id` that
    /// has not 1 to 255 characters. Fails with [`Error::Forbidden`] for 403; changes nothing, and is repeated as the
    /// retry policy says.
    pub async fn list_groups(&self, filter: &GroupFilter) -> Result<Page<Group>, Error> {
        Ok(values(self.fetch_groups(filter).await?))
    }

    /// Looks up one group: `GET /v1/gateway/groups/{group_id}` (documented).
    ///
    /// Fails with [`Error::NotFound`] for 404 and [`Error::Forbidden`] for 403; changes nothing, and is repeated as the
    /// retry policy says.
    pub async fn get_group(&self, group: &GroupId) -> Result<Group, Error> {
        self.fetch(Call::get("get_group", &group_path(group)), &SHAPE).await
    }

    /// Makes a group: `POST /v1/gateway/groups` (documented).
    ///
    /// Refused before sending: no model, a model without a slug, two rate limits of one type or two usage limits of one
    /// type and unit, a rate per day or a use per second or minute, an `external_entity_id` that has not 1 to 255
    /// characters, a name of more than 255. Fails with [`Error::BadRequest`] for 400, which is also what a taken
    /// `external_entity_id`, a mixed or a too deep tree are, [`Error::AboveParent`], [`Error::Forbidden`] for 403 and
    /// [`Error::NotFound`] for an unknown parent.
    ///
    /// Not sent again once it may have left. After a lost answer [`list_groups`](Self::list_groups) with the
    /// `external_entity_id` tells whether the group was made.
    pub async fn create_group(&self, group: &NewGroup) -> Result<Group, Error> {
        const OPERATION: &str = "create_group";
        check_name(OPERATION, group.metadata.name.as_deref())?;
        check_external_id(OPERATION, &group.metadata.external_entity_id)?;
        ID.refuse(group.models.is_empty(), OPERATION, "`models` is empty, and Baseten wants one at least")?;
        check_models(OPERATION, &group.models)?;
        let path = ["v1", "gateway", "groups"];
        let call = Call::new(OPERATION, Method::POST, &path).not_repeatable();
        self.fetch(call.with_json(group)?, &SHAPE).await
    }

    /// Changes a group: `PATCH /v1/gateway/groups/{group_id}` (documented). What is `None` is not sent.
    ///
    /// Refused before sending: an edit that changes nothing, and what [`create_group`](Self::create_group) refuses, but
    /// for an empty list of models, which takes all of them away. Fails with [`Error::BadRequest`] for 400,
    /// [`Error::AboveParent`], [`Error::Forbidden`] for 403 and [`Error::NotFound`] for 404. The values are absolute,
    /// so that it is repeated as the retry policy says.
    pub async fn update_group(&self, group: &GroupId, edit: &GroupEdit) -> Result<Group, Error> {
        const OPERATION: &str = "update_group";
        ID.refuse(*edit == GroupEdit::default(), OPERATION, "the edit has neither `metadata.name` nor `models`")?;
        check_name(OPERATION, edit.name.as_deref())?;
        check_models(OPERATION, edit.models.as_deref().unwrap_or_default())?;
        let name = edit.name.as_deref();
        let body = GroupPatch { metadata: name.map(|name| Rename { name }), models: edit.models.as_deref() };
        let path = group_path(group);
        self.fetch(Call::new(OPERATION, Method::PATCH, &path).with_json(&body)?, &SHAPE).await
    }

    /// Deletes a group with all groups below it, and revokes all their keys: `DELETE /v1/gateway/groups/{group_id}`
    /// (documented).
    ///
    /// Fails with [`Error::NotFound`] for 404 and [`Error::Forbidden`] for 403. Repeated as the retry policy says.
    /// `None`: an attempt's answer was lost, and the repeat found no group.
    pub async fn delete_group(&self, group: &GroupId) -> Result<Option<DeletedGroup>, Error> {
        let answer = self.pipeline.send_removal("delete_group", &group_path(group)).await?;
        // The success itself says that the group is gone, whatever the body is.
        let told = |answer: Answer| answer.decode::<DeletedGroup>(&SHAPE).map(|decoded| decoded.value);
        Ok(answer.map(|answer| told(answer).unwrap_or_else(|_| DeletedGroup::untold(group.clone()))))
    }

    /// Tells how much of its usage limits a group has used: `GET /v1/gateway/groups/{group_id}/usage` (documented).
    ///
    /// Models without a usage limit are not in the answer. Fails with [`Error::NotFound`] for 404 and
    /// [`Error::Forbidden`] for 403; changes nothing, and is repeated as the retry policy says.
    pub async fn get_group_usage(&self, group: &GroupId) -> Result<GroupUsage, Error> {
        let path = ["v1", "gateway", "groups", group.as_str(), "usage"];
        self.fetch(Call::get("get_group_usage", &path), &SHAPE).await
    }

    pub(crate) async fn fetch_groups(&self, filter: &GroupFilter) -> Result<Page<Decoded<Group>>, Error> {
        const OPERATION: &str = "list_groups";
        let id = filter.external_entity_id.as_deref();
        id.map_or(Ok(()), |id| check_external_id(OPERATION, id))?;
        let query = id.map(|id| ("external_entity_id", id)).into_iter().collect();
        self.fetch_page(OPERATION, &["v1", "gateway", "groups"], query, &filter.page).await
    }
}

fn group_path(group: &GroupId) -> [&str; 4] {
    ["v1", "gateway", "groups", group.as_str()]
}

fn check_name(operation: &'static str, name: Option<&str>) -> Result<(), Error> {
    let wrong = name.is_some_and(|name| name.chars().count() > 255);
    Ok(ID.refuse(wrong, operation, "`metadata.name` has more than 255 characters, which is what Baseten takes")?)
}

fn check_external_id(operation: &'static str, id: &str) -> Result<(), Error> {
    let wrong = !(1..=255).contains(&id.chars().count());
    Ok(ID.refuse(wrong, operation, "`external_entity_id` has not 1 to 255 characters, which is what Baseten takes")?)
}

fn check_models(operation: &'static str, models: &[NewGroupModel]) -> Result<(), Error> {
    for (index, model) in models.iter().enumerate() {
        let reason = broken_rule(model);
        let reason = reason.map(|reason| format!("`models.{index}.{reason}"));
        ID.refuse(reason.is_some(), operation, reason.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// Which of Baseten's rules a model breaks, beginning with the member.
fn broken_rule(model: &NewGroupModel) -> Option<&'static str> {
    let (rates, uses) = (&model.rate_limits, &model.usage_limits);
    let repeats = |limits: &[NewGroupLimit], by_unit: bool| {
        let mut seen = HashSet::new();
        !limits.iter().all(|limit| seen.insert((&limit.limit_type, by_unit.then_some(&limit.unit))))
    };
    if model.slug.is_empty() {
        return Some("slug` is empty, and Baseten wants `org/model`");
    }
    if rates.iter().any(|limit| limit.unit == LimitUnit::Day) {
        return Some("rate_limits` has a limit per day; Baseten's are per second or minute");
    }
    if uses.iter().any(|limit| matches!(limit.unit, LimitUnit::Second | LimitUnit::Minute)) {
        return Some("usage_limits` has a limit per second or minute; Baseten's are per day");
    }
    if repeats(rates, false) {
        return Some("rate_limits` has two limits of one type; Baseten takes one");
    }
    repeats(uses, true).then_some("usage_limits` has two limits of one type and unit; Baseten takes one")
}
