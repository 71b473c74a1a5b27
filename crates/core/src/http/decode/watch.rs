//! Decodes an object and tells which of its members the model does not know, and which does not decode, at no cost where
//! there is none: names are borrowed from the text, and a path is put together only for what is told.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// The steps from the key object to one of its members: names, and the indices of lists.
pub(crate) type Steps = Vec<String>;

/// Where the decoder is.
#[derive(Debug)]
pub(super) enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Element(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// The steps from the root.
    pub(super) fn steps(&self) -> Steps {
        let (parent, step) = match self {
            Self::Root => return Steps::new(),
            Self::Member(parent, name) => (parent, (*name).to_owned()),
            Self::Element(parent, index) => (parent, index.to_string()),
        };
        let mut steps = parent.steps();
        steps.push(step);
        steps
    }
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anomaly {
    /// A member that no model knows.
    Unknown,
    /// A member or element that does not decode; then, one after the other, those that hold it.
    Undecodable,
}

/// Is told of each oddity, and where it is.
pub(super) type Found<'a> = &'a mut dyn FnMut(Anomaly, &Path<'_>);

/// The name of a member: a copy only where it is escaped.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Decodes an object, and nothing but an object: serde alone would read a list, too, member by member in their order.
pub(super) fn object<'de, T, D>(deserializer: D, found: Found<'_>) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Object { found, model: PhantomData }.deserialize(deserializer)
}

/// Decodes the members of an object that was begun.
pub(super) fn members<'de, T, A>(map: A, found: Found<'_>) -> Result<T, A::Error>
where
    T: Deserialize<'de>,
    A: MapAccess<'de>,
{
    T::deserialize(MapAccessDeserializer::new(Members {
        inner: map,
        name: Cow::Borrowed(""),
        path: &Path::Root,
        found,
    }))
}

/// What [`object`] does, for a value inside of something.
pub(super) struct Object<'a, T> {
    pub(super) found: Found<'a>,
    pub(super) model: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Object<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        members(map, self.found)
    }
}

/// A deserializer, a visitor or a seed at `path` whose ignored values are told.
struct RecordingDeserializer<'a, X> {
    inner: X,
    path: &'a Path<'a>,
    found: Found<'a>,
}

impl<'de, X: Deserializer<'de>> Deserializer<'de> for RecordingDeserializer<'_, X> {
    type Error = X::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, X::Error> {
        self.inner.deserialize_any(RecordingDeserializer { inner: visitor, path: self.path, found: self.found })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, X::Error> {
        self.inner.deserialize_option(RecordingDeserializer { inner: visitor, path: self.path, found: self.found })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, X::Error> {
        self.inner.deserialize_newtype_struct(
            name,
            RecordingDeserializer { inner: visitor, path: self.path, found: self.found },
        )
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, X::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, X::Error> {
        (self.found)(Anomaly::Unknown, self.path);
        self.inner.deserialize_ignored_any(visitor)
    }

    // JSON says itself what it is.
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for RecordingDeserializer<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.inner.visit_borrowed_str(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(RecordingDeserializer { inner: value, path: self.path, found: self.found })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(RecordingDeserializer { inner: value, path: self.path, found: self.found })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements { inner: elements, index: 0, path: self.path, found: self.found })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Members { inner: map, name: Cow::Borrowed(""), path: self.path, found: self.found })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for RecordingDeserializer<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(RecordingDeserializer { inner: deserializer, path: self.path, found: self.found })
    }
}

struct Members<'a, 'de, A> {
    inner: A,
    /// Of the member that is being read.
    name: Cow<'de, str>,
    path: &'a Path<'a>,
    found: Found<'a>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(Name(name)) = self.inner.next_key()? else { return Ok(None) };
        self.name = name;
        let name: &str = &self.name;
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let path = Path::Member(self.path, &self.name);
        let value = self.inner.next_value_seed(RecordingDeserializer { inner: seed, path: &path, found: self.found });
        if value.is_err() {
            (self.found)(Anomaly::Undecodable, &path);
        }
        value
    }
}

struct Elements<'a, A> {
    inner: A,
    index: usize,
    path: &'a Path<'a>,
    found: Found<'a>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let path = Path::Element(self.path, self.index);
        self.index += 1;
        let element =
            self.inner.next_element_seed(RecordingDeserializer { inner: seed, path: &path, found: self.found });
        if element.is_err() {
            (self.found)(Anomaly::Undecodable, &path);
        }
        element
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}
