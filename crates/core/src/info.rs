//! What a vendor is, can do and can say, and the check of a call against it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::capability::{About, Capabilities, Grade, Operation, Parameter, ParameterSupport, Support};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::names::{AccountName, ProviderId};

/// What a vendor is and can say, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderInfo {
    id: ProviderId,
    name: Cow<'static, str>,
    address: Vec<Cow<'static, str>>,
    fields: Vec<Field>,
    grades: BTreeMap<Field, Grade>,
    capabilities: Capabilities,
    default_account: AccountName,
}

impl ProviderInfo {
    /// A vendor that can say nothing yet: `name` is its own spelling of its name, and
    /// `address` the vendor's names of the segments of a [`KeyAddress`](crate::KeyAddress).
    #[must_use]
    pub fn new(id: ProviderId, name: &'static str, address: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            default_account: AccountName::of_provider(&id),
            id,
            name: Cow::Borrowed(name),
            address: address.into_iter().map(Cow::Borrowed).collect(),
            fields: Vec::new(),
            grades: BTreeMap::new(),
            capabilities: Capabilities::default(),
        }
    }

    /// Lists the fields of a [`KeyRecord`](crate::KeyRecord) that this vendor can say, and documents.
    #[must_use]
    pub fn with_fields(self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.with_fields_from(Grade::Documented, fields)
    }

    /// Lists fields of a [`KeyRecord`](crate::KeyRecord) that this vendor can say, and on what they rest.
    #[must_use]
    pub fn with_fields_from(mut self, grade: Grade, fields: impl IntoIterator<Item = Field>) -> Self {
        self.grades.extend(fields.into_iter().map(|field| (field, grade)));
        self.fields = self.grades.keys().copied().collect();
        self
    }

    /// Says what this vendor can do. Without it the vendor has [`Operation::Get`] alone.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// What this vendor can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The error of an operation that this vendor does not have; it names the alternative, and has the item of code for it in
    /// [`Error::see`].
    #[must_use]
    pub fn unsupported(&self, operation: Operation) -> Error {
        let instead = match self.capabilities.support(operation) {
            Support::Unsupported { alternative } => alternative,
            Support::Emulated { how } => how,
            Support::Native => "this build does not implement it".into(),
        };
        let see = self.capabilities.see(About::Operation(operation)).map(|item| Cow::Owned(item.to_owned()));
        Error::new(ErrorKind::Unsupported)
            .with_provider(self.id.clone())
            .with_operation(operation.as_str())
            .with_message(format!("no {} at {}: {instead}", operation.verb(), self.name))
            .with_see(see)
    }

    /// The vendor's id.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    /// The vendor's own spelling of its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The vendor's names of the segments of a [`KeyAddress`](crate::KeyAddress), in their order.
    pub fn address(&self) -> impl ExactSizeIterator<Item = &str> {
        self.address.iter().map(AsRef::as_ref)
    }

    /// The fields that this vendor can say, in the order of the record.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether this vendor can say `field`.
    #[must_use]
    pub fn supports_field(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// On what `field` rests; `None`: this vendor cannot say it.
    #[must_use]
    pub fn grade(&self, field: Field) -> Option<Grade> {
        self.grades.get(&field).copied()
    }

    /// The account name where the user gave none: the vendor's id.
    #[must_use]
    pub fn default_account(&self) -> &AccountName {
        &self.default_account
    }
}

/// What a call does with a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Not,
    Sets,
    Clears,
}

pub(crate) fn given(given: bool) -> Use {
    if given { Use::Sets } else { Use::Not }
}

pub(crate) fn check<const N: usize>(
    info: &ProviderInfo,
    operation: Operation,
    uses: [(Parameter, Use); N],
) -> Result<(), Error> {
    for (parameter, used) in uses {
        let takes = info.capabilities().takes(operation, parameter);
        let name = info.name();
        let (kind, reason) = match (takes, used) {
            (None, Use::Sets | Use::Clears) => {
                (ErrorKind::Unsupported, format!("{name} takes no `{parameter}` here; leave it out"))
            }
            (Some(ParameterSupport::SetOnly), Use::Clears) => (
                ErrorKind::Unsupported,
                format!("{name} documents no way to clear `{parameter}`; it can be set to another value"),
            ),
            (Some(ParameterSupport::Required), Use::Not) => {
                (ErrorKind::InvalidRequest, format!("{name} needs `{parameter}`, which is not given"))
            }
            (Some(ParameterSupport::Required), Use::Clears) => {
                (ErrorKind::InvalidRequest, format!("{name} needs `{parameter}`, which cannot be cleared"))
            }
            _ => continue,
        };
        return Err(refused(info, operation, kind, reason).with_parameter(parameter));
    }
    Ok(())
}

pub(crate) fn refused(info: &ProviderInfo, operation: Operation, kind: ErrorKind, reason: String) -> Error {
    Error::new(kind).with_provider(info.id().clone()).with_operation(operation.as_str()).with_message(reason)
}
