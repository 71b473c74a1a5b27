//! One value of the metadata, as its JSON text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::compare_numbers;

/// How many levels a value may have. Together with the levels of the record and of a document around it they are
/// fewer than the 128 that `serde_json` reads.
const MAX_DEPTH: usize = 100;

/// The name under which `serde_json` hands over a value's text; a test pins it.
const RAW: &str = "$serde_json::private::RawValue";

/// One value of [`Metadata`](super::Metadata): the JSON text that was sent, without white space between its tokens.
#[derive(Clone)]
pub struct MetadataValue(Box<str>);

impl MetadataValue {
    /// The JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The characters, if it is text. Half a surrogate pair is shown as U+FFFD.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::Deserializer::from_str(&self.0).deserialize_bytes(Bytes).ok().map(Cow::Owned)
    }

    /// The digits, if it is a number.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(&*self.0)
    }

    /// The answer, if it is `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &*self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// For people: the characters of text, and the JSON of all else.
    #[must_use]
    pub fn as_text(&self) -> Cow<'_, str> {
        self.as_str().unwrap_or(Cow::Borrowed(&self.0))
    }

    /// As `serde_json` has it. A number that is no `i64` and no `u64` is rounded to a float, and one beyond every float
    /// is the text of its digits.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self.parts() {
            Parts::List(items) => items.iter().map(Self::to_value).collect(),
            Parts::Object(members) => {
                members.iter().map(|(name, value)| (name.to_string(), value.to_value())).collect()
            }
            Parts::Other => match (self.as_number(), self.as_str()) {
                (Some(digits), _) => {
                    let integer =
                        digits.parse::<u64>().map(Value::from).or_else(|_| digits.parse::<i64>().map(Value::from));
                    let number = integer.or_else(|_| digits.parse::<f64>().map(Value::from)).unwrap_or_default();
                    if number.is_null() { Value::from(digits) } else { number }
                }
                (None, Some(text)) => Value::from(text),
                (None, None) => serde_json::from_str(&self.0).unwrap_or_else(|_| Value::from(&*self.0)),
            },
        }
    }

    /// Takes the white space from between the tokens of `json`, which is JSON. `None`: it is too deep.
    fn compact(json: &str) -> Option<Self> {
        let (mut compact, mut depth) = (String::with_capacity(json.len()), 0_usize);
        let (mut in_text, mut escaped) = (false, false);
        for c in json.chars() {
            if in_text {
                in_text = c != '"' || escaped;
                escaped = c == '\\' && !escaped;
            } else {
                match c {
                    ' ' | '\t' | '\n' | '\r' => continue,
                    '"' => in_text = true,
                    '[' | '{' => depth += 1,
                    ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth > MAX_DEPTH {
                    return None;
                }
            }
            compact.push(c);
        }
        Some(Self(compact.into()))
    }

    fn parts(&self) -> Parts<'_> {
        match self.0.as_bytes().first() {
            Some(b'[') => serde_json::from_str(&self.0).map_or(Parts::Other, Parts::List),
            Some(b'{') => serde_json::from_str(&self.0).map_or(Parts::Other, |Members(members)| Parts::Object(members)),
            _ => Parts::Other,
        }
    }

    /// Whether serde's own types write exactly this text, so that every format can.
    fn plain(&self) -> Option<Plain<'_>> {
        if let Some(digits) = self.as_number() {
            let integer = digits.parse().map(Plain::Unsigned).or_else(|_| digits.parse().map(Plain::Signed)).ok();
            let plain = integer.or_else(|| digits.parse().ok().map(Plain::Float))?;
            return (serde_json::to_string(&plain).ok()? == digits).then_some(plain);
        }
        match &*self.0 {
            "null" => Some(Plain::Null),
            "true" => Some(Plain::Bool(true)),
            "false" => Some(Plain::Bool(false)),
            json if json.starts_with('"') => {
                let text = self.as_str()?;
                let same = matches!(text, Cow::Borrowed(_)) || serde_json::to_string(&text).ok()? == json;
                same.then_some(Plain::Text(text))
            }
            _ => None,
        }
    }
}

/// Bytes may hold half a pair, text may not.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// What a list or an object is made of.
enum Parts<'a> {
    List(Vec<MetadataValue>),
    Object(Vec<(Cow<'a, str>, MetadataValue)>),
    Other,
}

/// The members of an object as they came; a name is owned if it has an escape.
struct Members<'a>(Vec<(Cow<'a, str>, MetadataValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
}

/// By meaning: numbers by value, text by its characters, objects whatever the order of their members.
impl PartialEq for MetadataValue {
    fn eq(&self, other: &Self) -> bool {
        if self.0 == other.0 {
            return true;
        }
        match (self.parts(), other.parts()) {
            (Parts::List(one), Parts::List(other)) => one == other,
            (Parts::Object(one), Parts::Object(other)) => BTreeMap::from_iter(one) == BTreeMap::from_iter(other),
            (Parts::Other, Parts::Other) => {
                let numbers = self.as_number().zip(other.as_number());
                numbers.is_some_and(|(one, other)| compare_numbers(one, other).is_some_and(std::cmp::Ordering::is_eq))
                    || self.as_str().zip(other.as_str()).is_some_and(|(one, other)| one == other)
            }
            _ => false,
        }
    }
}

impl Eq for MetadataValue {}

/// The JSON text.
impl fmt::Debug for MetadataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Value> for MetadataValue {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        Value::from(text).into()
    }
}

impl From<String> for MetadataValue {
    fn from(text: String) -> Self {
        Value::from(text).into()
    }
}

impl From<bool> for MetadataValue {
    fn from(answer: bool) -> Self {
        Value::from(answer).into()
    }
}

impl From<i64> for MetadataValue {
    fn from(number: i64) -> Self {
        Value::from(number).into()
    }
}

impl From<u64> for MetadataValue {
    fn from(number: u64) -> Self {
        Value::from(number).into()
    }
}

impl Serialize for MetadataValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.parts() {
            Parts::List(items) => serializer.collect_seq(items),
            Parts::Object(members) if members.iter().all(|(name, _)| matches!(name, Cow::Borrowed(_))) => {
                serializer.collect_map(members)
            }
            _ => match self.plain() {
                Some(plain) => plain.serialize(serializer),
                None => serde_json::from_str::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, Reader)
    }
}

/// Reads the text of a value where `serde_json` hands it over, and makes it anew where something else reads.
struct Reader;

impl Reader {
    fn compact<E: serde::de::Error>(json: &str) -> Result<MetadataValue, E> {
        MetadataValue::compact(json).ok_or_else(|| E::custom(format!("a value has more than {MAX_DEPTH} levels")))
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = MetadataValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<MetadataValue, E> {
        Ok(Value::from(value).into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<MetadataValue, E> {
        Ok(Value::from(value).into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<MetadataValue, E> {
        Ok(Value::from(value).into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<MetadataValue, E> {
        Ok(Value::from(value).into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<MetadataValue, E> {
        Ok(Value::from(value).into())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<MetadataValue, E> {
        Ok(Value::Null.into())
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<MetadataValue, E> {
        Ok(Value::Null.into())
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<MetadataValue, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<MetadataValue, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MetadataValue, A::Error> {
        let mut json = String::from("[");
        while let Some(MetadataValue(item)) = items.next_element()? {
            let comma = if json.len() > 1 { "," } else { "" };
            json.extend([comma, &*item]);
        }
        Self::compact(&(json + "]"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<MetadataValue, A::Error> {
        let mut json = String::from("{");
        while let Some(name) = members.next_key::<String>()? {
            if name == RAW {
                return Self::compact(&members.next_value::<String>()?);
            }
            let MetadataValue(value) = members.next_value()?;
            let comma = if json.len() > 1 { "," } else { "" };
            json.extend([comma, &Value::from(name).to_string(), ":", &*value]);
        }
        Self::compact(&(json + "}"))
    }
}
