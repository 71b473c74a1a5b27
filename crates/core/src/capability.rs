//! What a vendor can do, as plain data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An operation of [`ApiKeyProvider`](crate::ApiKeyProvider).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Look one key up.
    Get,
    /// Page through the keys of a scope.
    ListPage,
    /// Page through the scopes of the account.
    ScopesPage,
    /// Make a key.
    Create,
    /// Bring a key of one's own.
    Register,
    /// Change a key.
    Update,
    /// Replace a key's plaintext.
    Rotate,
    /// Ask whether a plaintext is a valid key.
    Verify,
    /// End a key for good.
    Revoke,
}

impl Operation {
    /// All operations, in the order of the trait.
    pub const ALL: &'static [Self] = &[
        Self::Get,
        Self::ListPage,
        Self::ScopesPage,
        Self::Create,
        Self::Register,
        Self::Update,
        Self::Rotate,
        Self::Verify,
        Self::Revoke,
    ];

    /// The name, as the method of the trait.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::ListPage => "list_page",
            Self::ScopesPage => "scopes_page",
            Self::Create => "create",
            Self::Register => "register",
            Self::Update => "update",
            Self::Rotate => "rotate",
            Self::Verify => "verify",
            Self::Revoke => "revoke",
        }
    }

    /// What people call it, and the command too: `list` and `scopes` for the methods that page through them, else the name.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::ListPage => "list",
            Self::ScopesPage => "scopes",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a vendor has an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "support", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Support {
    /// The vendor has it.
    Native,
    /// The vendor does not; the facade does it with other operations.
    Emulated {
        /// With which, and what differs.
        how: Cow<'static, str>,
    },
    /// The vendor does not.
    Unsupported {
        /// What to do in its place.
        alternative: Cow<'static, str>,
    },
}

/// What a text of [`Capabilities`] is about. The texts are for everybody and name no item of code; [`Capabilities::see`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum About {
    /// An operation that the vendor does not have.
    Operation(Operation),
    /// [`Capabilities::narrower_list`].
    NarrowerList,
    /// [`Capabilities::not_listed`].
    NotListed,
}

impl About {
    fn as_str(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.as_str(),
            Self::NarrowerList => "narrower_list",
            Self::NotListed => "not_listed",
        }
    }
}

/// On what a statement about a vendor rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grade {
    /// The vendor's documentation or specification says so.
    Documented,
    /// Only code that the vendor publishes does so.
    ClientCode,
    /// It follows from other facts, and the vendor states it nowhere.
    Inferred,
}

impl Grade {
    /// The name in plain words: `client code`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::ClientCode => "client code",
            Self::Inferred => "inferred",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A parameter of making or changing a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Parameter {
    /// Where the key is made: the group, the workspace, the API.
    Scope,
    /// The key's name.
    Name,
    /// When it ends.
    ExpiresAt,
    /// What it may do.
    Permissions,
    /// From which addresses it may be used.
    IpAllowlist,
    /// How often it may be used in all.
    MaxUses,
    /// What its owner attaches to it.
    Metadata,
    /// The customer to whom it is given.
    Customer,
    /// What stands before its random part.
    Prefix,
    /// Whether it is switched on.
    Enabled,
}

impl Parameter {
    /// All parameters, in the order of [`NewKey`](crate::NewKey).
    pub const ALL: &'static [Self] = &[
        Self::Scope,
        Self::Name,
        Self::ExpiresAt,
        Self::Permissions,
        Self::IpAllowlist,
        Self::MaxUses,
        Self::Metadata,
        Self::Customer,
        Self::Prefix,
        Self::Enabled,
    ];

    /// The name, as the member of [`NewKey`](crate::NewKey) or [`KeyPatch`](crate::KeyPatch).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Name => "name",
            Self::ExpiresAt => "expires_at",
            Self::Permissions => "permissions",
            Self::IpAllowlist => "ip_allowlist",
            Self::MaxUses => "max_uses",
            Self::Metadata => "metadata",
            Self::Customer => "customer",
            Self::Prefix => "prefix",
            Self::Enabled => "enabled",
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a vendor takes a parameter. One that is not listed is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParameterSupport {
    /// It must be given.
    Required,
    /// It may be given; where it is changed, it may be set and cleared.
    Optional,
    /// It may be set and not cleared.
    SetOnly,
}

/// What a vendor can do: for each operation, and for each parameter of the operations that take some.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    operations: BTreeMap<Operation, Support>,
    grades: BTreeMap<Operation, Grade>,
    parameters: BTreeMap<Operation, BTreeMap<Parameter, ParameterSupport>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<Operation, Vec<Cow<'static, str>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    narrower_list: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_listed: Option<Cow<'static, str>>,
    /// By what it is about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    see: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Capabilities {
    /// Says that the vendor has these operations, and documents them.
    #[must_use]
    pub fn with_native(self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.with_native_from(Grade::Documented, operations)
    }

    /// Says that the vendor has these operations, and on what that rests.
    #[must_use]
    pub fn with_native_from(mut self, grade: Grade, operations: impl IntoIterator<Item = Operation>) -> Self {
        for operation in operations {
            self.operations.insert(operation, Support::Native);
            self.grades.insert(operation, grade);
        }
        self
    }

    /// Says what to do in place of an operation that the vendor does not have: in words for everybody. The item of code, if one
    /// helps, is for [`with_see`](Self::with_see).
    #[must_use]
    pub fn with_unsupported(self, operation: Operation, alternative: &'static str) -> Self {
        self.without(operation, Support::Unsupported { alternative: alternative.into() })
    }

    /// Says how the facade does an operation that the vendor does not have.
    #[must_use]
    pub fn with_emulated(self, operation: Operation, how: &'static str) -> Self {
        self.without(operation, Support::Emulated { how: how.into() })
    }

    fn without(mut self, operation: Operation, support: Support) -> Self {
        self.operations.insert(operation, support);
        self.grades.remove(&operation);
        self
    }

    /// Says which parameters an operation takes.
    #[must_use]
    pub fn with_parameters(
        mut self,
        operation: Operation,
        parameters: impl IntoIterator<Item = (Parameter, ParameterSupport)>,
    ) -> Self {
        self.parameters.entry(operation).or_default().extend(parameters);
        self
    }

    /// Says which settings of the vendor's own an operation takes, by its own names.
    #[must_use]
    pub fn with_settings(mut self, operation: Operation, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.settings.entry(operation).or_default().extend(names.into_iter().map(Cow::Borrowed));
        self
    }

    /// Says that by the vendor's own rule a list leaves out keys of the account, and why: it is never the whole.
    #[must_use]
    pub fn with_narrower_list(mut self, reason: &'static str) -> Self {
        self.narrower_list = Some(reason.into());
        self
    }

    /// Says what the vendor has beside the keys that this provider lists and looks up: keys of another kind, or of
    /// another account.
    #[must_use]
    pub fn with_not_listed(mut self, what: &'static str) -> Self {
        self.not_listed = Some(what.into());
        self
    }

    /// Names the item of code that helps, such as `keymux_baseten::Client::list_workspace_api_keys`.
    #[must_use]
    pub fn with_see(mut self, about: About, item: &'static str) -> Self {
        self.see.insert(about.as_str().into(), item.into());
        self
    }

    /// The item of code that helps, by its path, for who writes code; what there is in words is for everybody.
    #[must_use]
    pub fn see(&self, about: About) -> Option<&str> {
        self.see.get(about.as_str()).map(AsRef::as_ref)
    }

    /// Why a list is never the whole account, if by the vendor's own rule it is not.
    #[must_use]
    pub fn narrower_list(&self) -> Option<&str> {
        self.narrower_list.as_deref()
    }

    /// What the vendor has beside the keys that this provider lists and looks up.
    #[must_use]
    pub fn not_listed(&self) -> Option<&str> {
        self.not_listed.as_deref()
    }

    /// Whether the vendor has `operation`.
    #[must_use]
    pub fn support(&self, operation: Operation) -> Support {
        match self.operations.get(&operation) {
            Some(support) => support.clone(),
            None if operation == Operation::Get => Support::Native,
            None => Support::Unsupported { alternative: "the vendor documents nothing in its place".into() },
        }
    }

    /// Whether the vendor itself has `operation`.
    #[must_use]
    pub fn is_native(&self, operation: Operation) -> bool {
        self.support(operation) == Support::Native
    }

    /// On what it rests that the vendor has `operation`; `None`: it does not have it.
    #[must_use]
    pub fn grade(&self, operation: Operation) -> Option<Grade> {
        self.is_native(operation).then(|| self.grades.get(&operation).copied().unwrap_or(Grade::Documented))
    }

    /// How `operation` takes `parameter`; `None`: not at all.
    #[must_use]
    pub fn takes(&self, operation: Operation, parameter: Parameter) -> Option<ParameterSupport> {
        self.parameters.get(&operation)?.get(&parameter).copied()
    }

    /// The settings of the vendor's own that `operation` takes, by its own names.
    pub fn settings(&self, operation: Operation) -> impl Iterator<Item = &str> + '_ {
        self.settings.get(&operation).into_iter().flatten().map(AsRef::as_ref)
    }

    /// The parameters that `operation` takes.
    pub fn parameters(&self, operation: Operation) -> impl Iterator<Item = (Parameter, ParameterSupport)> + '_ {
        self.parameters.get(&operation).into_iter().flatten().map(|(parameter, takes)| (*parameter, *takes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vendor_has_has_a_grade_and_nothing_else_has() {
        let capabilities = Capabilities::default()
            .with_native([Operation::Get, Operation::Create, Operation::Revoke])
            .with_native_from(Grade::ClientCode, [Operation::Update, Operation::Revoke])
            .with_unsupported(Operation::Create, "withdrawn");
        let grades: Vec<_> = Operation::ALL.iter().filter_map(|&operation| capabilities.grade(operation)).collect();
        assert_eq!(grades, [Grade::Documented, Grade::ClientCode, Grade::ClientCode]);
        assert_eq!(Capabilities::default().grade(Operation::Get), Some(Grade::Documented));
        let json = serde_json::to_value(&capabilities).unwrap();
        assert_eq!(
            json["grades"],
            serde_json::json!({"get": "documented", "update": "client_code", "revoke": "client_code"})
        );
        assert_eq!(serde_json::from_value::<Capabilities>(json).unwrap(), capabilities);
    }
}
