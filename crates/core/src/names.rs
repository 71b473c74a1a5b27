//! The names that everything else mentions: the vendor's id and the user's name for an account.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

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

impl ProviderId {
    /// Refuses a call before anything is sent, if `when` is so: [`ErrorKind::InvalidRequest`]. The reason names the field
    /// and what the vendor takes, and shows no secret.
    pub fn refuse(&self, when: bool, operation: &'static str, reason: &str) -> Result<(), Error> {
        if !when {
            return Ok(());
        }
        let error = Error::new(ErrorKind::InvalidRequest).with_provider(self.clone());
        Err(error.with_operation(operation).with_message(reason))
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The user's name for an account: one credential at one vendor.
///
/// 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Checks `name`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        let name = name.as_ref();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 64 && name.chars().all(allowed) {
            return Ok(Self(name.into()));
        }
        Err(Error::new(ErrorKind::Config).with_message(format!(
            "the account name (of {} characters) is not 1 to 64 letters, digits, `-`, `_` and `.` that begin with a letter or digit",
            name.chars().count(),
        )))
    }

    /// The name of an account that the user did not name: the provider's id, with what a name may not hold replaced.
    pub(crate) fn of_provider(id: &ProviderId) -> Self {
        let clean = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let name: String = id.as_str().chars().take(64).map(clean).collect();
        Self::new(name).unwrap_or_else(|_| Self("account".into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for AccountName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0.as_ref().to_owned()
    }
}
