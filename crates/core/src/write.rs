//! Making, changing and ending keys: what goes in and what comes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::capability::{Operation, Parameter};
use crate::error::{Error, ErrorKind};
use crate::info::{ProviderInfo, Use, check, given, refused};
use crate::metadata::Metadata;
use crate::page::Scope;
use crate::record::{KeyRecord, Permission};

/// A key to be made. What is `None` is left to the vendor; what a vendor cannot honour is refused before anything is
/// sent.
///
/// In JSON what is `None` is left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
#[non_exhaustive]
pub struct NewKey {
    /// Where the key is made: the group, the workspace, the API. [`Scope::account`] where the vendor has none.
    #[serde(skip_serializing_if = "Scope::is_account")]
    pub scope: Scope,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
    /// From which addresses it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_allowlist: Option<Vec<String>>,
    /// How often it may be used in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// What its owner attaches to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The customer to whom it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What stands before its random part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Settings that only this vendor has, by its own names; [`Capabilities::settings`](crate::Capabilities::settings)
    /// lists them. Another name is refused.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

impl NewKey {
    /// A key in `scope`, with nothing else said.
    pub fn new(scope: Scope) -> Self {
        Self { scope, ..Self::default() }
    }

    /// Sets the name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets when the key ends.
    pub fn with_expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Sets what the key may do.
    pub fn with_permissions(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.permissions = Some(permissions.into_iter().collect());
        self
    }

    /// Sets from which addresses the key may be used.
    pub fn with_ip_allowlist<S: Into<String>>(mut self, addresses: impl IntoIterator<Item = S>) -> Self {
        self.ip_allowlist = Some(addresses.into_iter().map(Into::into).collect());
        self
    }

    /// Sets how often the key may be used in all.
    pub fn with_max_uses(mut self, uses: u64) -> Self {
        self.max_uses = Some(uses);
        self
    }

    /// Sets what is attached to the key.
    pub fn with_metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// Sets the customer to whom the key is given.
    pub fn with_customer(mut self, customer: impl Into<String>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Sets what stands before the key's random part.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Sets whether the key is switched on.
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Sets one of the vendor's own settings.
    pub fn with_setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Refuses what the vendor of `info` does not take in `operation`, and what it needs and is not there, by name.
    pub fn check(&self, info: &ProviderInfo, operation: Operation) -> Result<(), Error> {
        let known = |name: &String| info.capabilities().settings(operation).any(|known| known == name);
        if let Some(name) = self.settings.keys().find(|name| !known(name)) {
            let reason = format!("{} takes no setting `{name}` here; leave it out", info.name());
            return Err(refused(info, operation, ErrorKind::Unsupported, reason));
        }
        check(
            info,
            operation,
            [
                (Parameter::Scope, given(!self.scope.is_account())),
                (Parameter::Name, given(self.name.is_some())),
                (Parameter::ExpiresAt, given(self.expires_at.is_some())),
                (Parameter::Permissions, given(self.permissions.is_some())),
                (Parameter::IpAllowlist, given(self.ip_allowlist.is_some())),
                (Parameter::MaxUses, given(self.max_uses.is_some())),
                (Parameter::Metadata, given(self.metadata.is_some())),
                (Parameter::Customer, given(self.customer.is_some())),
                (Parameter::Prefix, given(self.prefix.is_some())),
                (Parameter::Enabled, given(self.enabled.is_some())),
            ],
        )
    }
}

/// What to do with one field of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Change<T> {
    /// It stays as it is, and is not sent.
    #[default]
    Leave,
    /// It is set to "none".
    Clear,
    /// It is set to this value.
    Set(T),
}

impl<T> Change<T> {
    /// Whether the field stays as it is.
    pub fn is_leave(&self) -> bool {
        matches!(self, Self::Leave)
    }

    /// The same change with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Leave => Change::Leave,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(change(value)),
        }
    }
}

/// `null` for [`Change::Clear`]; [`Change::Leave`] must be skipped by the member that holds it.
impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leave | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

/// Changes of a key. Each value is absolute: applying the same patch twice is applying it once.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
#[non_exhaustive]
pub struct KeyPatch {
    /// The key's name.
    pub name: Change<String>,
    /// When it ends.
    pub expires_at: Change<Timestamp>,
    /// What it may do.
    pub permissions: Change<Vec<Permission>>,
    /// From which addresses it may be used.
    pub ip_allowlist: Change<Vec<String>>,
    /// How often it may be used in all.
    pub max_uses: Change<u64>,
    /// Whether it is switched on.
    pub enabled: Change<bool>,
}

impl KeyPatch {
    /// Nothing is changed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the name.
    pub fn with_name(mut self, change: Change<String>) -> Self {
        self.name = change;
        self
    }

    /// Changes when the key ends.
    pub fn with_expires_at(mut self, change: Change<Timestamp>) -> Self {
        self.expires_at = change;
        self
    }

    /// Changes what the key may do.
    pub fn with_permissions(mut self, change: Change<Vec<Permission>>) -> Self {
        self.permissions = change;
        self
    }

    /// Changes from which addresses the key may be used.
    pub fn with_ip_allowlist(mut self, change: Change<Vec<String>>) -> Self {
        self.ip_allowlist = change;
        self
    }

    /// Changes how often the key may be used in all.
    pub fn with_max_uses(mut self, change: Change<u64>) -> Self {
        self.max_uses = change;
        self
    }

    /// Switches the key on or off.
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = Change::Set(enabled);
        self
    }

    /// Refuses what the vendor of `info` does not take, by name, and a patch that changes nothing.
    pub fn check(&self, info: &ProviderInfo) -> Result<(), Error> {
        if *self == Self::default() {
            return Err(refused(
                info,
                Operation::Update,
                ErrorKind::InvalidRequest,
                "the patch changes nothing".to_owned(),
            ));
        }
        check(
            info,
            Operation::Update,
            [
                (Parameter::Name, use_of(&self.name)),
                (Parameter::ExpiresAt, use_of(&self.expires_at)),
                (Parameter::Permissions, use_of(&self.permissions)),
                (Parameter::IpAllowlist, use_of(&self.ip_allowlist)),
                (Parameter::MaxUses, use_of(&self.max_uses)),
                (Parameter::Enabled, use_of(&self.enabled)),
            ],
        )
    }
}

fn use_of<T>(change: &Change<T>) -> Use {
    match change {
        Change::Leave => Use::Not,
        Change::Clear => Use::Clears,
        Change::Set(_) => Use::Sets,
    }
}

/// A key that was revoked.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Revoked {
    /// The key as it now is, or was at last, if the vendor tells.
    pub record: Option<KeyRecord>,
    /// The answer to the first attempt was lost, and a repeat found no key: it is taken for revoked by that attempt.
    pub after_lost_answer: bool,
}

impl Revoked {
    /// A key that was revoked, with what the vendor tells of it.
    #[must_use]
    pub fn new(record: Option<KeyRecord>) -> Self {
        Self { record, after_lost_answer: false }
    }

    /// A key that is gone after an attempt whose answer was lost.
    #[must_use]
    pub fn by_earlier_attempt() -> Self {
        Self { record: None, after_lost_answer: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Capabilities, ParameterSupport};
    use crate::names::ProviderId;

    fn info() -> ProviderInfo {
        let takes = [
            (Parameter::Scope, ParameterSupport::Required),
            (Parameter::Name, ParameterSupport::Optional),
            (Parameter::MaxUses, ParameterSupport::SetOnly),
        ];
        ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]).with_capabilities(
            Capabilities::default()
                .with_native([Operation::Create, Operation::Update])
                .with_parameters(Operation::Create, takes)
                .with_parameters(Operation::Update, takes.into_iter().skip(1)),
        )
    }

    #[test]
    fn what_a_vendor_cannot_honour_is_refused_by_name() {
        let scope = || Scope::new(["g"]).unwrap();
        let check = |key: NewKey| key.check(&info(), Operation::Create);
        assert!(check(NewKey::new(scope()).with_name("n").with_max_uses(1)).is_ok());
        let table = [
            (NewKey::default(), ErrorKind::InvalidRequest, "`scope`"),
            (NewKey::new(scope()).with_enabled(false), ErrorKind::Unsupported, "`enabled`"),
            (NewKey::new(scope()).with_ip_allowlist(["::1"]), ErrorKind::Unsupported, "`ip_allowlist`"),
        ];
        for (key, kind, names) in table {
            let error = check(key).unwrap_err();
            assert!(error.kind() == kind && error.to_string().contains(names), "{error}");
            assert_eq!(error.attempts(), 0);
        }
    }

    #[test]
    fn a_patch_is_checked_for_setting_and_for_clearing() {
        let check = |patch: KeyPatch| patch.check(&info());
        assert!(check(KeyPatch::new().with_name(Change::Clear).with_max_uses(Change::Set(3))).is_ok());
        assert_eq!(check(KeyPatch::new()).unwrap_err().kind(), ErrorKind::InvalidRequest);
        assert_eq!(check(KeyPatch::new().with_max_uses(Change::Clear)).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(check(KeyPatch::new().with_enabled(true)).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
