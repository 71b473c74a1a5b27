//! The names that everything else mentions: the vendor's id and the user's name for an account.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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

/// Text that is not an [`AccountName`]. It shows no text, since a credential may have been put in the place of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the account name (of {characters} characters) is not 1 to 64 letters, digits, `-`, `_` and `.` that begin with a letter or digit"
)]
pub struct InvalidName {
    characters: usize,
}

/// The user's name for an account: one credential at one vendor.
///
/// 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Checks `name`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
        let name = name.as_ref();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 64 && name.chars().all(allowed) {
            return Ok(Self(name.into()));
        }
        Err(InvalidName { characters: name.chars().count() })
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
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl TryFrom<String> for AccountName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0.as_ref().to_owned()
    }
}
