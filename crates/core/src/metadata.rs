//! What a key's owner attached to it, digit for digit.

mod decimal;
mod value;

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use self::decimal::compare_numbers;
pub use self::value::MetadataValue;

/// The members that a key's owner attached to it, sorted by name, each value as the JSON text that was sent.
///
/// Nothing is rounded: `123456789012345678901234`, `31.245270191439438` and `1e400` stay what they are, from the
/// vendor's answer to the record's JSON. Two are equal if they mean the same: `1` is `1.0`, and `"\u00e9"` is `"é"`.
///
/// ```
/// use keymux_core::Metadata;
///
/// let metadata: Metadata = serde_json::from_str(r#"{"seats": 18446744073709551616, "plan": "pro"}"#)?;
/// assert_eq!(metadata.get("seats").and_then(|seats| seats.as_number()), Some("18446744073709551616"));
/// assert_eq!(metadata.to_string(), r#"{"plan":"pro","seats":18446744073709551616}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Serde
///
/// JSON is written without white space between tokens, and a value at most 100 levels deep. A member that is there twice is refused.
/// A number that no integer and no float writes alike (and text with an unusual escape) goes through `serde_json`'s raw
/// values: `serde_json::to_value` fails on a number beyond every float, and other formats than JSON write its text in
/// a wrapper. Where serde holds values back before they are read (`flatten`, tagged enums), numbers are
/// rounded to floats.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, MetadataValue>);

impl Metadata {
    /// No members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MetadataValue> {
        self.0.get(name)
    }

    /// Puts a member in, and gives back the value that it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<MetadataValue>) -> Option<MetadataValue> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a member out, and gives back its value.
    pub fn remove(&mut self, name: &str) -> Option<MetadataValue> {
        self.0.remove(name)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members by name.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &MetadataValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The members as `serde_json` has them. Numbers are rounded: see [`MetadataValue::to_value`].
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, value)| (name.clone(), value.to_value())).collect()
    }
}

/// The values as their JSON.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

/// The JSON object, on one line.
impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl<K: Into<String>, V: Into<MetadataValue>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        Self(members.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<Map<String, Value>> for Metadata {
    fn from(members: Map<String, Value>) -> Self {
        members.into_iter().collect()
    }
}

impl IntoIterator for Metadata {
    type Item = (String, MetadataValue);
    type IntoIter = btree_map::IntoIter<String, MetadataValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a String, &'a MetadataValue);
    type IntoIter = btree_map::Iter<'a, String, MetadataValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, MetadataValue>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Metadata(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn read<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_value_is_written_as_it_was_sent() {
        for text in [
            "123456789012345678901234",
            "31.245270191439438",
            "18446744073709551616",
            "18446744073709551615",
            "-9223372036854775808",
            "1e400",
            "-0",
            "1.0",
            "1.50",
            "1E+2",
            "1e-7",
            "0.1",
            "true",
            "null",
            r#""""#,
            r#""caf\u00e9 é \/ \u0000\u001b\u009b\n""#,
            r#""half of a pair: \ud800""#,
            r#"{"b":[1,2.50,{"c":123456789012345678901234}],"a":"x"}"#,
            "[]",
            "{}",
        ] {
            let json = format!(r#"{{"n":{text}}}"#);
            let metadata: Metadata = read(&json);
            assert_eq!(metadata.to_string(), json);
            assert_eq!(metadata.get("n").unwrap().as_json(), text);
            let spaced: Metadata = read(&format!(" {{ \"n\" :\r\n\t{text} }} "));
            assert_eq!(spaced, metadata);
            assert_eq!(spaced.to_string(), json);
            let pretty = serde_json::to_string_pretty(&metadata).unwrap();
            assert_eq!(read::<Metadata>(&pretty).to_string(), json);
        }
    }

    #[test]
    fn white_space_is_taken_from_between_tokens_and_left_in_text() {
        let metadata: Metadata = read("{\"n\": [ 1 ,\n {\"a b\" : \"x \\\" y\\\\\" } ]}");
        assert_eq!(metadata.to_string(), r#"{"n":[1,{"a b":"x \" y\\"}]}"#);
    }

    #[test]
    fn what_means_the_same_is_equal() {
        let same = |one: &str, other: &str| {
            read::<Metadata>(&format!(r#"{{"n":{one}}}"#)) == read::<Metadata>(&format!(r#"{{"n":{other}}}"#))
        };
        for (one, other, equal) in [
            ("1", "1.0", true),
            ("100", "1e2", true),
            ("18446744073709551616", "18446744073709551617", false),
            (r#""\u00e9""#, r#""é""#, true),
            (r#""1""#, "1", false),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            ("[1,2]", "[2,1]", false),
            ("null", "false", false),
        ] {
            assert_eq!(same(one, other), equal, "{one} {other}");
        }
    }

    #[test]
    fn a_member_that_is_there_twice_and_a_value_that_is_too_deep_are_refused() {
        assert!(serde_json::from_str::<Metadata>(r#"{"a":1,"a":2}"#).is_err());
        let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(serde_json::from_str::<Metadata>(&deep(100)).is_ok());
        assert!(serde_json::from_str::<Metadata>(&deep(101)).is_err());
        assert!(serde_json::from_str::<Metadata>(&deep(100_000)).is_err());
    }

    #[test]
    fn serdes_own_detours_are_read_too() {
        #[derive(Deserialize)]
        #[serde(tag = "type")]
        enum Line {
            Key { metadata: Metadata },
        }
        let text = r#"{"type":"Key","metadata":{"n":1,"f":2.5,"l":[null,true,{"a":-3}],"s":"x\ny"}}"#;
        let Line::Key { metadata } = read(text);
        assert_eq!(metadata.to_string(), r#"{"f":2.5,"l":[null,true,{"a":-3}],"n":1,"s":"x\ny"}"#);
        let value = serde_json::to_value(&metadata).unwrap();
        assert_eq!(value, serde_json::json!({"n": 1, "f": 2.5, "l": [null, true, {"a": -3}], "s": "x\ny"}));
        assert_eq!(serde_json::from_value::<Metadata>(value).unwrap(), metadata);
    }

    #[test]
    fn a_value_tells_what_it_is() {
        let metadata: Metadata = read(r#"{"s":"a\u00e9","n":1e400,"i":7,"b":true,"z":null,"l":[1]}"#);
        let get = |name| metadata.get(name).unwrap();
        assert_eq!(get("s").as_str().as_deref(), Some("aé"));
        assert_eq!((get("s").as_text(), get("l").as_text()), ("aé".into(), "[1]".into()));
        assert_eq!((get("n").as_number(), get("s").as_number()), (Some("1e400"), None));
        assert_eq!((get("b").as_bool(), get("i").as_bool()), (Some(true), None));
        assert!(get("z").is_null() && !get("b").is_null());
        assert_eq!((get("i").to_value(), get("n").to_value()), (7.into(), "1e400".into()));
        assert_eq!(metadata.len(), 6);
        assert_eq!(format!("{:?}", Metadata::from_iter([("a", "b")])), r#"{"a": "b"}"#);
    }
}
