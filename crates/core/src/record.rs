//! The normalized record of one API key: the same at every vendor, and honest about what a vendor cannot say.

mod json;
mod value;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{KeyAddress, KeyRef};
use crate::drift::{Drift, DriftNotes};
use crate::fact::{Fact, FactState};
use crate::field::Field;
use crate::info::ProviderInfo;
use crate::metadata::Metadata;
use crate::names::{AccountName, ProviderId};

pub use self::value::FieldValue;

/// What one vendor says about one API key.
///
/// Every optional field is a [`Fact`]. A record holds no secret: neither the key, nor its hash, nor an unmasked
/// display form.
///
/// # JSON
///
/// A field without a value is `null`, and `coverage` says of every field, by its dotted name, whether it is `known`,
/// `empty`, `missing` or `unsupported`; `owner` and `limits` are there too, as the best state of their members.
/// Instants are RFC 3339 in UTC. `raw` is there only where it was asked for. Reading the JSON back gives an equal
/// record without [`native`](KeyRecord::native).
#[derive(Clone)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The account that was asked. A provider names it after itself; the facade puts in the user's name.
    pub account: AccountName,
    /// The vendor.
    pub provider: ProviderId,
    /// Where the key lives at its vendor: what was asked for.
    pub address: KeyAddress,
    /// What sort of key it is.
    pub kind: KeyKind,
    /// The name that people gave it.
    pub name: Fact<String>,
    /// A form that people recognise and that is no secret: masked text, or a public prefix.
    pub display: Fact<String>,
    /// Whether the key works, and how that is known.
    pub status: Status,
    /// When the key was made.
    pub created_at: Fact<Timestamp>,
    /// When the key's data last changed.
    pub updated_at: Fact<Timestamp>,
    /// When the key was last used. [`Fact::Empty`]: never.
    pub last_used_at: Fact<Timestamp>,
    /// When the key ends or ended. [`Fact::Empty`]: never.
    pub expires_at: Fact<Timestamp>,
    /// Whom the key belongs to.
    pub owner: Owner,
    /// What the key may do.
    pub permissions: Fact<Vec<Permission>>,
    /// From which addresses the key may be used, as the vendor writes them. [`Fact::Empty`]: from all.
    pub ip_allowlist: Fact<Vec<String>>,
    /// How often the key may be used, and was.
    pub limits: Limits,
    /// What the key's owner attached to it.
    pub metadata: Fact<Metadata>,
    /// What the vendor sent that its documentation does not say.
    pub drift: Vec<Drift>,
    /// The vendor's JSON, secrets and undocumented text replaced by their shape, numbers as `serde_json` has them: rounded
    /// where no integer of 64 bits and no float is alike. Kept only if
    /// [`ClientOptions::with_raw`](crate::ClientOptions::with_raw) asks for it.
    pub raw: Option<serde_json::Value>,
    native: Option<Arc<dyn Any + Send + Sync>>,
}

impl KeyRecord {
    /// A record with nothing but its identity. Each field is [`Fact::Missing`] if `info` says that the vendor has it,
    /// else [`Fact::Unsupported`]; the status is unknown.
    #[must_use]
    pub fn new(info: &ProviderInfo, address: KeyAddress, kind: KeyKind) -> Self {
        fn start<T>(info: &ProviderInfo, field: Field) -> Fact<T> {
            if info.supports_field(field) { Fact::Missing } else { Fact::Unsupported }
        }
        Self {
            account: info.default_account().clone(),
            provider: info.id().clone(),
            address,
            kind,
            name: start(info, Field::Name),
            display: start(info, Field::Display),
            status: Status { state: KeyState::Unknown, basis: Basis::None },
            created_at: start(info, Field::CreatedAt),
            updated_at: start(info, Field::UpdatedAt),
            last_used_at: start(info, Field::LastUsedAt),
            expires_at: start(info, Field::ExpiresAt),
            owner: Owner {
                user: start(info, Field::OwnerUser),
                user_name: start(info, Field::OwnerUserName),
                user_email: start(info, Field::OwnerUserEmail),
                organization: start(info, Field::OwnerOrganization),
                workspace: start(info, Field::OwnerWorkspace),
                group: start(info, Field::OwnerGroup),
                customer: start(info, Field::OwnerCustomer),
                creator: start(info, Field::OwnerCreator),
            },
            permissions: start(info, Field::Permissions),
            ip_allowlist: start(info, Field::IpAllowlist),
            limits: Limits { max_uses: start(info, Field::LimitsMaxUses), uses: start(info, Field::LimitsUses) },
            metadata: start(info, Field::Metadata),
            drift: Vec::new(),
            raw: None,
            native: None,
        }
    }

    /// Ends a record that was made of an answer: with the notes that were made, the raw JSON if it was kept, and the
    /// vendor's own model.
    #[must_use]
    pub fn of_answer<T: Any + Send + Sync>(
        mut self,
        notes: DriftNotes,
        raw: Option<serde_json::Value>,
        model: T,
    ) -> Self {
        self.drift = notes.into_drift();
        self.raw = raw;
        self.with_native(model)
    }

    /// Keeps the vendor's own model beside the record.
    #[must_use]
    pub fn with_native<T: Any + Send + Sync>(mut self, model: T) -> Self {
        self.native = Some(Arc::new(model));
        self
    }

    /// The vendor's own model, if it is a `T`: everything that the vendor said, in its own words.
    #[must_use]
    pub fn native<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.native.as_deref()?.downcast_ref()
    }

    /// The reference by which this key is found again.
    #[must_use]
    pub fn key_ref(&self) -> KeyRef {
        KeyRef::new(self.account.clone(), self.address.clone())
    }

    /// What the record says of `field`, for code that goes through [`Field::ALL`] and need not name each. What is
    /// known prints as text.
    ///
    /// ```
    /// # use keymux_core::{Fact, Field, KeyAddress, KeyKind, KeyRecord, ProviderId, ProviderInfo};
    /// # let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]);
    /// # let mut record = KeyRecord::new(&info, KeyAddress::new(["a"]).unwrap(), KeyKind::API_KEY);
    /// record.limits.max_uses = Fact::Known(7);
    /// for &field in Field::ALL {
    ///     if let Fact::Known(value) = record.field(field) {
    ///         assert_eq!(format!("{field}: {value}"), "limits.max_uses: 7");
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn field(&self, field: Field) -> Fact<FieldValue<'_>> {
        fn text(fact: &Fact<String>) -> Fact<FieldValue<'_>> {
            fact.as_deref().map(FieldValue::Text)
        }
        match field {
            Field::Name => text(&self.name),
            Field::Display => text(&self.display),
            Field::CreatedAt => self.created_at.map(FieldValue::Time),
            Field::UpdatedAt => self.updated_at.map(FieldValue::Time),
            Field::LastUsedAt => self.last_used_at.map(FieldValue::Time),
            Field::ExpiresAt => self.expires_at.map(FieldValue::Time),
            Field::OwnerUser => text(&self.owner.user),
            Field::OwnerUserName => text(&self.owner.user_name),
            Field::OwnerUserEmail => text(&self.owner.user_email),
            Field::OwnerOrganization => text(&self.owner.organization),
            Field::OwnerWorkspace => text(&self.owner.workspace),
            Field::OwnerGroup => text(&self.owner.group),
            Field::OwnerCustomer => text(&self.owner.customer),
            Field::OwnerCreator => text(&self.owner.creator),
            Field::Permissions => self.permissions.as_deref().map(FieldValue::Permissions),
            Field::IpAllowlist => self.ip_allowlist.as_deref().map(FieldValue::Texts),
            Field::LimitsMaxUses => self.limits.max_uses.map(FieldValue::Number),
            Field::LimitsUses => self.limits.uses.map(FieldValue::Number),
            Field::Metadata => self.metadata.as_ref().map(FieldValue::Metadata),
        }
    }

    /// In which state `field` is.
    #[must_use]
    pub fn coverage(&self, field: Field) -> FactState {
        self.field(field).state()
    }
}

/// Everything but the native model, which cannot be compared.
impl PartialEq for KeyRecord {
    fn eq(&self, other: &Self) -> bool {
        json::Parts::of(self) == json::Parts::of(other)
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The native model prints itself where its type is known; here it is only said to be there.
        fmt::Debug::fmt(&json::Parts::of(self), f)
    }
}

/// What sort of key a record is about, in one word. Vendors add sorts, so that it is open text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyKind(Cow<'static, str>);

impl KeyKind {
    /// A plain API key, where the vendor has no finer word.
    pub const API_KEY: Self = Self::new("api_key");

    /// A sort by its name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a key works, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: KeyState,
    /// How it is known.
    pub basis: Basis,
}

impl Status {
    /// A state that the vendor's field `field` states.
    #[must_use]
    pub fn stated(state: KeyState, field: &'static str) -> Self {
        Self { state, basis: Basis::Stated { field: field.into() } }
    }

    /// A state that follows from `from` by `rule`.
    #[must_use]
    pub fn derived(state: KeyState, from: &'static [&'static str], rule: &'static str) -> Self {
        let from = from.iter().map(|&field| Cow::Borrowed(field)).collect();
        Self { state, basis: Basis::Derived { from, rule: rule.into() } }
    }
}

/// The state, and how it is known: `expired (derived: the time of expiry is over)`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.basis {
            Basis::Stated { field } => f.pad(&format!("{} (stated in `{field}`)", self.state)),
            Basis::Derived { rule, .. } => f.pad(&format!("{} (derived: {rule})", self.state)),
            Basis::None => f.pad(self.state.as_str()),
        }
    }
}

/// The state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyState {
    /// The key works.
    Active,
    /// Somebody switched it off, and can switch it on again.
    Disabled,
    /// Its time is over.
    Expired,
    /// Its allowance is used up.
    Exhausted,
    /// It was revoked or deleted, for good.
    Revoked,
    /// The vendor does not say, or says something undocumented (a drift note tells what).
    #[serde(other)]
    Unknown,
}

impl KeyState {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Exhausted => "exhausted",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a status is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// The vendor states it in a field of the key.
    Stated {
        /// The vendor's name of the field.
        field: Cow<'static, str>,
    },
    /// It follows from other facts.
    Derived {
        /// The vendor's names of what it follows from.
        from: Vec<Cow<'static, str>>,
        /// The rule, in words.
        rule: Cow<'static, str>,
    },
    /// Nothing that the vendor sent tells it.
    None,
}

/// Whom a key belongs to: ids as the vendor writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Owner {
    /// The user's id.
    pub user: Fact<String>,
    /// The user's name.
    pub user_name: Fact<String>,
    /// The user's e-mail address.
    pub user_email: Fact<String>,
    /// The organization's id.
    pub organization: Fact<String>,
    /// The workspace's id.
    pub workspace: Fact<String>,
    /// The group's id.
    pub group: Fact<String>,
    /// The id of the key holder's own customer.
    pub customer: Fact<String>,
    /// The id of the user who made the key.
    pub creator: Fact<String>,
}

/// How often a key may be used, and was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many uses are allowed in all. [`Fact::Empty`]: any number.
    pub max_uses: Fact<u64>,
    /// How many uses there were.
    pub uses: Fact<u64>,
}

/// One thing that a key may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The vendor's name of the permission, or of the resource that the actions are about.
    pub name: String,
    /// The actions on that resource, at a vendor that tells them apart; else `None`: the name says it all.
    pub actions: Option<Vec<Action>>,
}

/// The name alone, or with its actions: `invoices=create,read`.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.actions {
            None => f.pad(&self.name),
            Some(actions) => {
                let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                f.pad(&format!("{}={}", self.name, actions.join(",")))
            }
        }
    }
}

/// An action that a permission allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Make new ones.
    Create,
    /// Look at them.
    Read,
    /// Change them.
    Update,
    /// Remove them.
    Delete,
}

impl Action {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
