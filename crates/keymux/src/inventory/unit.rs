//! The piece of an inventory that can be walked by itself: one scope of one account.

use std::fmt;
use std::str::FromStr;

use keymux_core::{AccountName, Error, ErrorKind, KeyAddress, Scope};
use serde::{Deserialize, Serialize};

/// One scope of one account: what an inventory is made of. Units can be walked in any order, on any machine, and what
/// became of them [merged](crate::Completeness::merge).
///
/// As text it is `account:scope`, each part of the scope percent-encoded; `account` alone is the account itself, at
/// vendors whose keys live nowhere else. Parsing and printing lose nothing.
///
/// ```
/// use keymux::WorkUnit;
///
/// let unit: WorkUnit = "prod-baseten:abc123hash".parse()?;
/// assert_eq!(unit.account().as_str(), "prod-baseten");
/// assert_eq!(unit.scope().segments().collect::<Vec<_>>(), ["abc123hash"]);
/// assert!("mielto".parse::<WorkUnit>()?.scope().is_account());
/// # Ok::<(), keymux::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkUnit {
    account: AccountName,
    scope: Scope,
}

impl WorkUnit {
    /// This scope of this account.
    #[must_use]
    pub fn new(account: AccountName, scope: Scope) -> Self {
        Self { account, scope }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl fmt::Display for WorkUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope.is_account() {
            return self.account.fmt(f);
        }
        write!(f, "{}:{}", self.account, self.scope)
    }
}

impl fmt::Debug for WorkUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkUnit({self})")
    }
}

impl FromStr for WorkUnit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some((account, scope)) = text.split_once(':') else {
            return Ok(Self { account: text.parse()?, scope: Scope::account() });
        };
        if scope.is_empty() {
            return Err(Error::new(ErrorKind::InvalidRequest).with_message(
                "the work unit has nothing after its `:`; write `account:scope`, or `account` for the account itself",
            ));
        }
        let path: KeyAddress = scope.parse()?;
        Ok(Self { account: account.parse()?, scope: Scope::new(path.segments())? })
    }
}

impl TryFrom<String> for WorkUnit {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<WorkUnit> for String {
    fn from(unit: WorkUnit) -> Self {
        unit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_printed_and_parsed_without_loss() {
        for (text, segments) in [
            ("mielto", &[][..]),
            ("prod-baseten:abc123hash", &["abc123hash"]),
            ("a:account", &["account"]),
            ("a:x%2Fy%3Az/%C3%A9", &["x/y:z", "\u{e9}"]),
        ] {
            let unit: WorkUnit = text.parse().unwrap();
            assert_eq!(unit.scope().segments().collect::<Vec<_>>(), segments, "{text}");
            assert_eq!(unit.to_string(), text);
            let json = serde_json::to_string(&unit).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<WorkUnit>(&json).unwrap(), unit);
        }
    }

    #[test]
    fn text_that_is_no_unit_is_refused() {
        for text in ["", ":", "a:", ":g", "a b", "a:..", "a:x//y", "a:%", "a:%ff"] {
            assert!(text.parse::<WorkUnit>().is_err(), "{text}");
        }
    }
}
