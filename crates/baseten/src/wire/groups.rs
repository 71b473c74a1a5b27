//! Groups: who owns federated keys, and what their keys may call how often.

use std::collections::BTreeMap;

use keymux_core::{Fact, VendorTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{GroupId, PageRequest};

/// A group. A key's models and limits are its group's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// Baseten's id of it.
    pub id: GroupId,
    /// What its owner said about it.
    #[serde(default)]
    pub metadata: Fact<GroupMetadata>,
    /// What was set for the group itself.
    #[serde(default)]
    pub models: Fact<Vec<GroupModel>>,
    /// What holds for its keys, with what comes from the groups above; each limit tells its group.
    #[serde(default)]
    pub effective_models: Fact<Vec<GroupModel>>,
    /// Where it stands among the groups.
    #[serde(default)]
    pub hierarchy: Fact<Hierarchy>,
    /// When it was made: RFC 3339.
    #[serde(default)]
    pub created_at: Fact<VendorTime>,
}

/// What a group's owner said about it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GroupMetadata {
    /// Its name for people.
    #[serde(default)]
    pub name: Fact<String>,
    /// The id that its owner chose, unique in the workspace. It never changes, and is free again when the group is
    /// deleted.
    #[serde(default)]
    pub external_entity_id: Fact<String>,
}

/// A model that a group may call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GroupModel {
    /// The model: `org/model`.
    #[serde(default)]
    pub slug: Fact<String>,
    /// How fast.
    #[serde(default)]
    pub rate_limits: Fact<Vec<GroupLimit>>,
    /// How much.
    #[serde(default)]
    pub usage_limits: Fact<Vec<GroupLimit>>,
}

/// A limit of a model, on its rate or on its use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GroupLimit {
    /// What is counted. The wire says `type`.
    #[serde(default, rename = "type")]
    pub limit_type: Fact<LimitType>,
    /// In what time.
    #[serde(default)]
    pub unit: Fact<LimitUnit>,
    /// How many.
    #[serde(default)]
    pub threshold: Fact<i64>,
    /// The group that the limit comes from: in effective models alone.
    #[serde(default)]
    pub source_group: Fact<GroupId>,
}

/// Where a group stands among the groups. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Hierarchy {
    /// How limits of groups above apply: the same in the whole tree.
    #[serde(default)]
    pub limit_enforcement: Fact<LimitEnforcement>,
    /// The group above; [`Fact::Empty`] at the top.
    #[serde(default)]
    pub parent_group_id: Fact<GroupId>,
}

/// An enumeration of texts that may grow.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)+
            /// A text that is not documented.
            Other(String),
        }

        impl $name {
            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Ok(match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(super) use open_enum;

open_enum! {
    /// What a limit counts.
    LimitType { Token = "TOKEN", Request = "REQUEST" }
}

open_enum! {
    /// In what time a limit counts. A rate is per second or minute, a use per day.
    LimitUnit { Second = "SECOND", Minute = "MINUTE", Day = "DAY" }
}

open_enum! {
    /// How limits of groups above apply.
    LimitEnforcement { Independent = "INDEPENDENT", Cascading = "CASCADING" }
}

/// Which groups to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupFilter {
    /// The one with this id of its owner's, 1 to 255 characters: at most one.
    pub external_entity_id: Option<String>,
    /// Which part of the list.
    pub page: PageRequest,
}

/// A group to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewGroup {
    /// What to say about it.
    pub metadata: NewGroupMetadata,
    /// What it may call; at least one model.
    pub models: Vec<NewGroupModel>,
    /// Where it stands.
    pub hierarchy: NewHierarchy,
}

/// What to say about a group to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewGroupMetadata {
    /// Its name for people, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An id of one's own, 1 to 255 characters, unique in the workspace. It cannot be changed.
    pub external_entity_id: String,
}

/// Where a group to be made stands. It cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewHierarchy {
    /// How limits of groups above apply: as in the rest of the tree.
    pub limit_enforcement: LimitEnforcement,
    /// The group above; `None` at the top, and sent as `null`. A tree is at most five deep.
    #[serde(serialize_with = "parent")]
    pub parent_group_id: Option<GroupId>,
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the member")]
fn parent<S: Serializer>(id: &Option<GroupId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.as_ref().map(GroupId::as_str).serialize(serializer)
}

/// A model that a group is to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewGroupModel {
    /// The model: `org/model`.
    pub slug: String,
    /// How fast, per second or minute: at most one limit of each type.
    pub rate_limits: Vec<NewGroupLimit>,
    /// How much, per day: at most one limit of each type and unit.
    pub usage_limits: Vec<NewGroupLimit>,
}

/// A limit to be set. One with an undocumented type or unit is sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewGroupLimit {
    /// What is counted. The wire says `type`.
    #[serde(rename = "type")]
    pub limit_type: LimitType,
    /// In what time.
    pub unit: LimitUnit,
    /// How many. Of Baseten's documents one begins at 1 and one at 0.
    pub threshold: u64,
}

/// Changes of a group; at least one. What is `None` is not sent and stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupEdit {
    /// Its name for people, at most 255 characters. No way to clear it is documented.
    pub name: Option<String>,
    /// All that it may call, in place of what it may call now. Empty: nothing of its own.
    pub models: Option<Vec<NewGroupModel>>,
}

/// The body of a change: the name stands one level deeper.
#[derive(Serialize)]
pub(crate) struct GroupPatch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Rename<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) models: Option<&'a [NewGroupModel]>,
}

#[derive(Serialize)]
pub(crate) struct Rename<'a> {
    pub(crate) name: &'a str,
}

/// A group that was deleted, with all groups below it and all their keys; those are not listed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct DeletedGroup {
    /// Baseten's id of it.
    pub id: GroupId,
    /// What its owner said about it.
    #[serde(default)]
    pub metadata: Fact<GroupMetadata>,
    /// When it was deleted: RFC 3339, UTC.
    #[serde(default)]
    pub deleted_at: Fact<VendorTime>,
}

impl DeletedGroup {
    /// A group of whose deletion the answer says no more than that it happened.
    pub(crate) fn untold(id: GroupId) -> Self {
        Self { id, metadata: Fact::Missing, deleted_at: Fact::Missing }
    }
}

/// How much a group used of what it may use.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GroupUsage {
    /// The id that the group's owner chose: its `external_entity_id`.
    #[serde(default)]
    pub customer_id: Fact<String>,
    /// By model; models without a usage limit are not there.
    #[serde(default)]
    pub usage: Fact<BTreeMap<String, Vec<UsageWindow>>>,
}

/// How much was used in one window. Windows end at midnight, UTC.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct UsageWindow {
    /// What is counted. The wire says `type`.
    #[serde(default, rename = "type")]
    pub limit_type: Fact<LimitType>,
    /// In what time.
    #[serde(default)]
    pub unit: Fact<LimitUnit>,
    /// How many are allowed.
    #[serde(default)]
    pub threshold: Fact<i64>,
    /// How many there were.
    #[serde(default)]
    pub current_usage: Fact<i64>,
    /// When the window ends.
    #[serde(default)]
    pub reset_at: Fact<VendorTime>,
}
