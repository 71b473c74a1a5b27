//! The version of a stored plan or state.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The version of what is stored. Another one is refused, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version;

const VERSION: u32 = 1;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(de::Error::custom(format!(
                "the rotation is stored in version {other}, and this build reads version {VERSION}"
            ))),
        }
    }
}
