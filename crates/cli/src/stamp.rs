//! The stamp: what a key bears that Keymux made for a while, so that it is found again if nobody gives it back. It is the
//! one that rotations set, without a key that is replaced.

use std::borrow::Cow;

use clap::ValueEnum;
use keymux::{Field, KeyRecord, NewKey, Operation, Parameter, ProviderInfo};
use serde::{Deserialize, Serialize};

/// The member of a key's metadata that holds the id.
const MEMBER: &str = "keymux_rotation";
/// A member beside it: what a rotation replaces.
const REPLACES: &str = " replaces ";
/// What stands before the id in a name, and behind it.
const OPEN: &str = " [keymux ";
const CLOSE: char = ']';

/// Where a stamp stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StampPlace {
    /// In the metadata, as `keymux_rotation`
    Metadata,
    /// At the end of the name: `nightly [keymux 5f0c21aa00000000]`
    Name,
    /// Nowhere: after a crash the key is found by the state file alone
    #[value(name = "none")]
    Nowhere,
}

impl StampPlace {
    /// Where a vendor has room for it, and shows it again: the metadata before the name.
    pub(crate) fn of(info: &ProviderInfo) -> Self {
        let takes = |parameter| info.capabilities().takes(Operation::Create, parameter).is_some();
        match () {
            () if takes(Parameter::Metadata) && info.says(Field::Metadata) => Self::Metadata,
            () if takes(Parameter::Name) && info.says(Field::Name) => Self::Name,
            () if takes(Parameter::Metadata) => Self::Metadata,
            () => Self::Nowhere,
        }
    }

    /// Sets the stamp.
    pub(crate) fn put(self, key: &mut NewKey, id: &str) {
        match self {
            Self::Metadata => drop(key.metadata.get_or_insert_default().insert(MEMBER, id)),
            Self::Name => {
                let name = key.name.take().unwrap_or_default();
                key.name = Some(format!("{name}{OPEN}{id}{CLOSE}"));
            }
            Self::Nowhere => {}
        }
    }
}

/// The id of the stamp that a record shows, if it shows one.
pub(crate) fn of(record: &KeyRecord) -> Option<String> {
    let members = record.metadata.known();
    let member = members.and_then(|members| members.get(MEMBER)).and_then(|value| value.as_str().map(Cow::into_owned));
    member.or_else(|| in_name(record.name.known()?).map(str::to_owned))
}

fn in_name(name: &str) -> Option<&str> {
    let inner = name.rsplit_once(OPEN)?.1.strip_suffix(CLOSE)?;
    let id = inner.split_once(REPLACES).map_or(inner, |(id, _)| id);
    (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_in_a_name_is_found_with_and_without_what_it_replaces() {
        let mut key = NewKey::default().with_name("nightly");
        StampPlace::Name.put(&mut key, "0123456789abcdef");
        assert_eq!(key.name.as_deref(), Some("nightly [keymux 0123456789abcdef]"));
        assert_eq!(in_name(key.name.as_deref().unwrap()), Some("0123456789abcdef"));
        assert_eq!(in_name("ci [keymux 0123456789abcdef replaces g/old]"), Some("0123456789abcdef"));
        for name in ["ci [keymux ]", "ci [keymux rocks]", "ci [keymux 0123]", "[keymux 0123456789abcdef", "ci"] {
            assert_eq!(in_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_stamp_in_metadata_leaves_the_other_members() {
        let mut key = NewKey::default().with_metadata([("team", "ml")].into_iter().collect::<keymux::Metadata>());
        StampPlace::Metadata.put(&mut key, "0123456789abcdef");
        assert_eq!(key.metadata.unwrap().to_string(), r#"{"keymux_rotation":"0123456789abcdef","team":"ml"}"#);
    }
}
