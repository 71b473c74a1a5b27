//! The trait that every vendor implements, and what a vendor says about itself.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::address::{AccountName, KeyAddress};
use crate::error::Error;
use crate::record::{Field, KeyRecord};

/// One account at one vendor: looks its API keys up.
///
/// The trait is object-safe, so that an application holds any vendor as `Arc<dyn ApiKeyProvider>`. Implement it in a
/// crate of its own to add a vendor; nothing else has to know. Operations that come to this trait later will have a
/// default that answers [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), so that an implementation keeps
/// compiling.
#[async_trait]
pub trait ApiKeyProvider: fmt::Debug + Send + Sync {
    /// What this vendor is and can say. Plain data, the same at every call.
    fn info(&self) -> &ProviderInfo;

    /// Looks one key up.
    ///
    /// - The record's [`address`](KeyRecord::address) is the one that was asked for.
    /// - Every field that [`info`](ApiKeyProvider::info) does not list is
    ///   [`Fact::Unsupported`](crate::Fact::Unsupported), and no listed field is.
    /// - An address of another shape than [`ProviderInfo::address`] is
    ///   [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is sent.
    /// - A key that the vendor does not know is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound). A vendor that
    ///   answers the same for revoked keys does not turn that into "revoked".
    /// - Dropping the future ends the request.
    /// - The call changes nothing at the vendor; it is safe to repeat.
    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error>;
}

#[async_trait]
impl<P: ApiKeyProvider + ?Sized> ApiKeyProvider for Arc<P> {
    fn info(&self) -> &ProviderInfo {
        (**self).info()
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        (**self).get(address).await
    }
}

/// The short name of a vendor, in lower case: `baseten`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderId(Cow<'static, str>);

impl ProviderId {
    /// An id.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a vendor is and can say, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderInfo {
    id: ProviderId,
    name: Cow<'static, str>,
    address: Vec<Cow<'static, str>>,
    fields: Vec<Field>,
    default_account: AccountName,
}

impl ProviderInfo {
    /// A vendor that can say nothing yet: `name` is its own spelling of its name, and
    /// `address` the vendor's names of the segments of a [`KeyAddress`].
    #[must_use]
    pub fn new(id: ProviderId, name: &'static str, address: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            default_account: AccountName::of_provider(&id),
            id,
            name: Cow::Borrowed(name),
            address: address.into_iter().map(Cow::Borrowed).collect(),
            fields: Vec::new(),
        }
    }

    /// Lists the fields of a [`KeyRecord`] that this vendor can say.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self.fields.sort_unstable();
        self.fields.dedup();
        self
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

    /// The vendor's names of the segments of a [`KeyAddress`], in their order.
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
    pub fn says(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// The account name where the user gave none: the vendor's id.
    #[must_use]
    pub fn default_account(&self) -> &AccountName {
        &self.default_account
    }
}
