//! The stamp: what a key that a rotation made bears, so that it is found again.

use std::borrow::Cow;

use keymux_core::{Fact, KeyAddress, KeyRecord, Metadata, MetadataValue, NewKey};
use serde::{Deserialize, Serialize};

/// The members of a key's metadata that a stamp is.
const ROTATION: &str = "keymux_rotation";
const REPLACES: &str = "keymux_replaces";

/// What stands before and behind a stamp in a name.
const OPEN: &str = " [keymux ";
const BETWEEN: &str = " replaces ";

/// No vendor is known to take a longer name.
const LONGEST_NAME: usize = 255;

/// Where a stamp stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StampPlace {
    /// Nowhere. After a lost answer the key is looked for by its name and its time.
    #[default]
    Nowhere,
    /// In the metadata, as `keymux_rotation` and `keymux_replaces`. Who reads the key's metadata sees them.
    Metadata,
    /// At the end of the name: `nightly [keymux 5f0c21aa replaces key_1]`.
    Name,
}

/// The mark of one rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stamp {
    /// The rotation's own id: 16 hexadecimal digits.
    pub id: String,
    /// Where it stands on the keys that the rotation makes.
    pub place: StampPlace,
}

/// A stamp that was found on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stamped {
    /// The id of the rotation that made the key.
    pub id: String,
    /// The key that it replaces, as the stamp has it: an address, maybe cut.
    pub replaces: String,
}

impl Stamped {
    /// The stamp that a record shows, if it shows one.
    #[must_use]
    pub fn of(record: &KeyRecord) -> Option<Self> {
        let of_metadata = |metadata: &Metadata| {
            let text = |name| metadata.get(name).and_then(MetadataValue::as_str).map(Cow::into_owned);
            Some(Self { id: text(ROTATION)?, replaces: text(REPLACES).unwrap_or_default() })
        };
        let in_metadata = record.metadata.known().and_then(of_metadata);
        in_metadata.or_else(|| Self::in_name(record.name.known()?))
    }

    fn in_name(name: &str) -> Option<Self> {
        let (_, rest) = name.rsplit_once(OPEN)?;
        let inner = rest.strip_suffix(']')?;
        let (id, replaces) = inner.split_once(BETWEEN).unwrap_or((inner, ""));
        let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self { id: id.to_owned(), replaces: replaces.to_owned() })
    }
}

impl Stamp {
    /// A stamp of this id: 16 hexadecimal digits, or it is not found again.
    #[must_use]
    pub fn new(id: impl Into<String>, place: StampPlace) -> Self {
        Self { id: id.into(), place }
    }

    /// `key` with this stamp in place of any that it has, for a key that replaces none: one that is made for a while, and
    /// that [`Stamped::of`] finds again.
    pub fn mark(&self, key: &NewKey) -> NewKey {
        let mut key = without(key.clone());
        match self.place {
            StampPlace::Nowhere => {}
            StampPlace::Metadata => {
                key.metadata.get_or_insert_with(Metadata::new).insert(ROTATION, self.id.clone());
            }
            StampPlace::Name => {
                let name = key.name.take().unwrap_or_default();
                key.name = Some(format!("{name}{OPEN}{}]", self.id));
            }
        }
        key
    }

    /// `key` with this stamp in place of any that it has.
    pub(super) fn on(&self, key: &NewKey, replaces: &KeyAddress) -> NewKey {
        let mut key = without(key.clone());
        let replaces = replaces.to_string();
        match self.place {
            StampPlace::Nowhere => {}
            StampPlace::Metadata => {
                let metadata = key.metadata.get_or_insert_with(Metadata::new);
                metadata.insert(ROTATION, self.id.clone());
                metadata.insert(REPLACES, replaces);
            }
            StampPlace::Name => {
                let name = key.name.take().unwrap_or_default();
                let fixed = OPEN.len() + self.id.len() + BETWEEN.len() + 1;
                let room = LONGEST_NAME.saturating_sub(fixed + name.chars().count());
                let replaces: String = replaces.chars().take(room).collect();
                key.name = Some(format!("{name}{OPEN}{}{BETWEEN}{replaces}]", self.id));
            }
        }
        key
    }
}

/// A key without the stamp of an earlier rotation.
fn without(mut key: NewKey) -> NewKey {
    if let Some(name) = &key.name {
        if Stamped::in_name(name).is_some() {
            key.name = name.rsplit_once(OPEN).map(|(name, _)| name.to_owned()).filter(|name| !name.is_empty());
        }
    }
    if let Some(metadata) = &mut key.metadata {
        metadata.remove(ROTATION);
        metadata.remove(REPLACES);
    }
    key
}

/// Whether a record may be that of `key`, by its name alone.
pub(super) fn is_named_like(record: &KeyRecord, key: &NewKey) -> bool {
    match (&record.name, &key.name) {
        (Fact::Known(name), Some(asked)) => name == asked,
        (Fact::Known(name), None) => name.is_empty(),
        (_, asked) => asked.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(id: &str, place: StampPlace) -> Stamp {
        Stamp { id: id.to_owned(), place }
    }

    #[test]
    fn a_name_bears_one_stamp_and_keeps_what_stands_before_it() {
        let old = KeyAddress::new(["g", "old"]).unwrap();
        let first = stamp("0123456789abcdef", StampPlace::Name).on(&NewKey::default().with_name("ci"), &old);
        assert_eq!(first.name.as_deref(), Some("ci [keymux 0123456789abcdef replaces g/old]"));
        let second = stamp("fedcba9876543210", StampPlace::Name).on(&first, &old);
        assert_eq!(second.name.as_deref(), Some("ci [keymux fedcba9876543210 replaces g/old]"));
        assert_eq!(stamp("0", StampPlace::Nowhere).on(&second, &old).name.as_deref(), Some("ci"));
        let found = Stamped::in_name(second.name.as_deref().unwrap()).unwrap();
        assert_eq!((found.id.as_str(), found.replaces.as_str()), ("fedcba9876543210", "g/old"));
    }

    #[test]
    fn a_key_that_replaces_none_bears_the_id_alone_and_keeps_the_rest() {
        let id = "0123456789abcdef";
        let key = NewKey::default().with_name("ci").with_metadata([("team", "ml")].into_iter().collect::<Metadata>());
        let named = stamp(id, StampPlace::Name).mark(&key);
        assert_eq!(named.name.as_deref(), Some("ci [keymux 0123456789abcdef]"));
        assert_eq!(Stamped::in_name("ci [keymux 0123456789abcdef]").unwrap().replaces, "");
        let told = stamp(id, StampPlace::Metadata).mark(&named);
        assert_eq!(told.name.as_deref(), Some("ci"));
        assert_eq!(told.metadata.unwrap().to_string(), r#"{"keymux_rotation":"0123456789abcdef","team":"ml"}"#);
    }

    #[test]
    fn a_name_that_only_looks_like_a_stamp_is_a_name() {
        for name in ["ci [keymux ]", "ci [keymux rocks]", "ci [keymux 0123]", "[keymux 0123456789abcdef", "ci"] {
            assert_eq!(Stamped::in_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_stamped_name_fits_where_the_name_did() {
        let long = KeyAddress::new(["x".repeat(400)]).unwrap();
        let key = stamp("0123456789abcdef", StampPlace::Name).on(&NewKey::default().with_name("n".repeat(150)), &long);
        let name = key.name.unwrap();
        assert_eq!(name.chars().count(), 255);
        assert!(Stamped::in_name(&name).is_some());
    }
}
