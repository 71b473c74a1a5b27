//! What a vendor says about one field: a value, "none", nothing, or that it has no such field.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

/// One field of a record, with the reason when there is no value.
///
/// The four states are never merged. "When was this key last used?" has four different answers: an instant
/// ([`Known`](Fact::Known)), "never" ([`Empty`](Fact::Empty)), "the vendor did not say this time"
/// ([`Missing`](Fact::Missing)) and "this vendor cannot say" ([`Unsupported`](Fact::Unsupported)).
///
/// In a vendor's own model a field that may be absent is a `Fact` too; it is never `Unsupported` there. Decoding
/// gives `Known` for a value, `Empty` for `null`, and `Missing`, with `#[serde(default)]`, for an absent member.
///
/// ```
/// use keymux_core::Fact;
///
/// let last_used: Fact<&str> = Fact::Unsupported;
/// assert_eq!(last_used.known(), None);
/// assert_eq!(last_used.state().as_str(), "unsupported");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fact<T> {
    /// The vendor gave this value.
    Known(T),
    /// The vendor says that there is none: `null` where `null` is an answer.
    Empty,
    /// The vendor can say, and did not; or it sent something unreadable, and a drift note tells so.
    #[default]
    Missing,
    /// This vendor has no such field.
    Unsupported,
}

/// Which of the four states a [`Fact`] is in, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactState {
    /// See [`Fact::Known`].
    Known,
    /// See [`Fact::Empty`].
    Empty,
    /// See [`Fact::Missing`].
    Missing,
    /// See [`Fact::Unsupported`].
    Unsupported,
}

impl FactState {
    /// The name in JSON: `known`, `empty`, `missing` or `unsupported`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Empty => "empty",
            Self::Missing => "missing",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for FactState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<T> Fact<T> {
    /// The value, if there is one. The three reasons for its absence are told apart by [`state`](Fact::state).
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Empty | Self::Missing | Self::Unsupported => None,
        }
    }

    /// The value itself, if there is one.
    #[must_use]
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Empty | Self::Missing | Self::Unsupported => None,
        }
    }

    /// The value itself, or `default` where there is none.
    #[must_use]
    pub fn unwrap_or(self, default: T) -> T {
        self.into_known().unwrap_or(default)
    }

    /// The state alone.
    #[must_use]
    pub fn state(&self) -> FactState {
        match self {
            Self::Known(_) => FactState::Known,
            Self::Empty => FactState::Empty,
            Self::Missing => FactState::Missing,
            Self::Unsupported => FactState::Unsupported,
        }
    }

    /// The same state with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        self.and_then(|value| Fact::Known(change(value)))
    }

    /// The same state, or what `change` makes of the value.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Known(value) => change(value),
            Self::Empty => Fact::Empty,
            Self::Missing => Fact::Missing,
            Self::Unsupported => Fact::Unsupported,
        }
    }

    /// A `Fact` that borrows from this one.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Empty => Fact::Empty,
            Self::Missing => Fact::Missing,
            Self::Unsupported => Fact::Unsupported,
        }
    }

    /// A `Fact` that borrows what the value stands for: `Fact<&str>` of `Fact<String>`.
    pub fn as_deref(&self) -> Fact<&T::Target>
    where
        T: Deref,
    {
        self.as_ref().map(Deref::deref)
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// Whether the vendor left the field out.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// The value alone: why there is none is lost.
impl<T> From<Fact<T>> for Option<T> {
    fn from(fact: Fact<T>) -> Self {
        fact.into_known()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Empty, Self::Known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        name: Fact<String>,
    }

    #[test]
    fn absent_null_and_value_stay_apart_when_decoded() {
        let read = |text: &str| serde_json::from_str::<Wire>(text).unwrap().name;
        assert_eq!(read("{}"), Fact::Missing);
        assert_eq!(read(r#"{"name":null}"#), Fact::Empty);
        assert_eq!(read(r#"{"name":""}"#), Fact::Known(String::new()));
    }

    #[test]
    fn map_keeps_the_reason_for_absence() {
        for fact in [Fact::<u8>::Empty, Fact::Missing, Fact::Unsupported] {
            assert_eq!(fact.map(u16::from).state(), fact.state());
        }
        assert_eq!(Fact::Known(7_u8).map(u16::from), Fact::Known(7_u16));
    }

    #[test]
    fn a_value_is_taken_out_with_or_without_a_default() {
        let name = Fact::Known("ci".to_owned());
        assert_eq!((name.as_deref(), name.is_known()), (Fact::Known("ci"), true));
        assert_eq!(Option::from(name.clone()), Some("ci".to_owned()));
        assert_eq!(name.unwrap_or("x".to_owned()), "ci");
        for fact in [Fact::<u8>::Empty, Fact::Missing, Fact::Unsupported] {
            assert_eq!((fact.unwrap_or(9), fact.is_known(), Option::<u8>::from(fact)), (9, false, None));
        }
    }
}
