//! The fields of a record that can be without a value, and their names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Every field of a record that can be without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
#[non_exhaustive]
pub enum Field {
    /// [`KeyRecord::name`](crate::KeyRecord::name)
    Name,
    /// [`KeyRecord::display`](crate::KeyRecord::display)
    Display,
    /// [`KeyRecord::created_at`](crate::KeyRecord::created_at)
    CreatedAt,
    /// [`KeyRecord::updated_at`](crate::KeyRecord::updated_at)
    UpdatedAt,
    /// [`KeyRecord::last_used_at`](crate::KeyRecord::last_used_at)
    LastUsedAt,
    /// [`KeyRecord::expires_at`](crate::KeyRecord::expires_at)
    ExpiresAt,
    /// [`Owner::user`](crate::Owner::user)
    OwnerUser,
    /// [`Owner::user_name`](crate::Owner::user_name)
    OwnerUserName,
    /// [`Owner::user_email`](crate::Owner::user_email)
    OwnerUserEmail,
    /// [`Owner::organization`](crate::Owner::organization)
    OwnerOrganization,
    /// [`Owner::workspace`](crate::Owner::workspace)
    OwnerWorkspace,
    /// [`Owner::group`](crate::Owner::group)
    OwnerGroup,
    /// [`Owner::customer`](crate::Owner::customer)
    OwnerCustomer,
    /// [`Owner::creator`](crate::Owner::creator)
    OwnerCreator,
    /// [`KeyRecord::permissions`](crate::KeyRecord::permissions)
    Permissions,
    /// [`KeyRecord::ip_allowlist`](crate::KeyRecord::ip_allowlist)
    IpAllowlist,
    /// [`Limits::max_uses`](crate::Limits::max_uses)
    LimitsMaxUses,
    /// [`Limits::uses`](crate::Limits::uses)
    LimitsUses,
    /// [`KeyRecord::metadata`](crate::KeyRecord::metadata)
    Metadata,
}

impl Field {
    /// All fields, in the order of the record.
    pub const ALL: &'static [Self] = &[
        Self::Name,
        Self::Display,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::LastUsedAt,
        Self::ExpiresAt,
        Self::OwnerUser,
        Self::OwnerUserName,
        Self::OwnerUserEmail,
        Self::OwnerOrganization,
        Self::OwnerWorkspace,
        Self::OwnerGroup,
        Self::OwnerCustomer,
        Self::OwnerCreator,
        Self::Permissions,
        Self::IpAllowlist,
        Self::LimitsMaxUses,
        Self::LimitsUses,
        Self::Metadata,
    ];

    /// The dotted name in JSON: `owner.user`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Display => "display",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::LastUsedAt => "last_used_at",
            Self::ExpiresAt => "expires_at",
            Self::OwnerUser => "owner.user",
            Self::OwnerUserName => "owner.user_name",
            Self::OwnerUserEmail => "owner.user_email",
            Self::OwnerOrganization => "owner.organization",
            Self::OwnerWorkspace => "owner.workspace",
            Self::OwnerGroup => "owner.group",
            Self::OwnerCustomer => "owner.customer",
            Self::OwnerCreator => "owner.creator",
            Self::Permissions => "permissions",
            Self::IpAllowlist => "ip_allowlist",
            Self::LimitsMaxUses => "limits.max_uses",
            Self::LimitsUses => "limits.uses",
            Self::Metadata => "metadata",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.as_str()
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|field| field.as_str() == name);
        found.ok_or_else(|| format!("`{name}` is not a field of a key record"))
    }
}
