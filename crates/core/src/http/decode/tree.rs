//! An object that members can be taken out of. What is not taken out stays the text that came, digit for digit, whether
//! `serde_json` has a value for it or not.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::value::RawValue;

use super::{Steps, members};

/// How many levels are taken apart; what lies deeper goes with its parent. No model is that deep, and each level costs
/// another look at the text.
const LEVELS: usize = 24;

/// A JSON value, as far as it can be taken apart.
#[derive(Debug)]
pub(super) enum Tree<'a> {
    Text(&'a str),
    List(Vec<Tree<'a>>),
    /// In the order in which they came.
    Object(Vec<(String, Tree<'a>)>),
    /// The value of a member that stands in its object with different values: nobody knows which of them is meant. The
    /// member is not printed.
    Disputed,
}

/// A member that stands in its object more than once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    pub(super) path: Steps,
    /// Whether its values are alike, byte for byte. If not, the tree has none of them.
    pub(super) alike: bool,
}

impl<'a> Tree<'a> {
    /// Takes the members of an object apart. `repeated` hears of those that stand more than once.
    pub(super) fn of(members: Vec<(String, &'a RawValue)>, repeated: &mut Vec<Repeated>) -> Self {
        Self::object(members, &mut Steps::new(), repeated)
    }

    fn object(members: Vec<(String, &'a RawValue)>, path: &mut Steps, repeated: &mut Vec<Repeated>) -> Self {
        let mut values: Vec<(String, &str)> = Vec::with_capacity(members.len());
        let mut places = HashMap::new();
        // The places of the members that stand more than once, and whether their values are alike.
        let mut twice: BTreeMap<usize, bool> = BTreeMap::new();
        for (name, value) in members {
            if let Some((place, (_, first))) =
                places.get(&name).and_then(|place: &usize| Some((*place, values.get(*place)?)))
            {
                let alike = *first == value.get();
                twice.entry(place).and_modify(|all| *all &= alike).or_insert(alike);
            } else {
                places.insert(name.clone(), values.len());
                values.push((name, value.get()));
            }
        }
        let mut object = Vec::with_capacity(values.len());
        for (place, (name, value)) in values.into_iter().enumerate() {
            path.push(name);
            let twice = twice.get(&place).copied();
            let value = if twice == Some(false) { Self::Disputed } else { Self::value(value, path, repeated) };
            if let Some(alike) = twice {
                repeated.push(Repeated { path: path.clone(), alike });
            }
            object.push((path.pop().unwrap_or_default(), value));
        }
        Self::Object(object)
    }

    fn value(text: &'a str, path: &mut Steps, repeated: &mut Vec<Repeated>) -> Self {
        if path.len() >= LEVELS {
            return Self::Text(text);
        }
        match text.as_bytes().first() {
            Some(b'{') => members(text).map_or(Self::Text(text), |members| Self::object(members, path, repeated)),
            Some(b'[') => {
                let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return Self::Text(text) };
                let item = |(index, item): (usize, &'a RawValue)| {
                    path.push(index.to_string());
                    let item = Self::value(item.get(), path, repeated);
                    path.pop();
                    item
                };
                Self::List(items.into_iter().enumerate().map(item).collect())
            }
            _ => Self::Text(text),
        }
    }

    /// Takes out what is at `path`, or what holds it where that cannot be taken apart; returns it, and how many steps led
    /// to it.
    pub(super) fn remove(&mut self, path: &[String]) -> Option<(usize, Self)> {
        let (step, rest) = path.split_first()?;
        let child = match self {
            Self::Text(_) | Self::Disputed => return None,
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            Self::Object(members) => members.iter_mut().find(|(name, _)| name == step).map(|(_, value)| value)?,
        };
        if let Some((steps, taken)) = child.remove(rest) {
            return Some((steps + 1, taken));
        }
        let taken = match self {
            Self::Text(_) | Self::Disputed => return None,
            // The place is one of the list's: something was found there above.
            Self::List(items) => items.remove(step.parse().ok()?),
            Self::Object(members) => members.remove(members.iter().position(|(name, _)| name == step)?).1,
        };
        Some((1, taken))
    }

    /// Puts `null` where nobody knows which of several values is meant: so the member is there, and has no value.
    pub(super) fn put_nulls(&mut self) {
        match self {
            Self::Text(_) => {}
            Self::List(items) => items.iter_mut().for_each(Self::put_nulls),
            Self::Object(members) => members.iter_mut().for_each(|(_, value)| value.put_nulls()),
            Self::Disputed => *self = Self::Text("null"),
        }
    }

    /// A number, or text of at most two characters: an odd value that may be shown. Longer text may be anything.
    pub(super) fn brief(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        match serde_json::from_str(text).ok()? {
            serde_json::Value::Number(_) => Some(text.chars().take(64).collect()),
            serde_json::Value::String(text) if text.len() <= 2 => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// What is at `path`.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, step| match tree {
            Self::Text(_) | Self::Disputed => None,
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            Self::Object(members) => members.iter().find(|(name, _)| name == step).map(|(_, value)| value),
        })
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                let sure = members.iter().filter(|(_, value)| !matches!(value, Self::Disputed));
                for (index, (name, value)) in sure.enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{}:{value}", serde_json::Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
            Self::Disputed => f.write_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

    use super::*;

    #[test]
    fn members_that_stand_twice_are_found_where_they_are_and_not_taken_unless_alike() {
        type Case = (&'static str, &'static [(&'static str, bool)], &'static str);
        let table: [Case; 6] = [
            (r#"{"a":1,"b":2}"#, &[], r#"{"a":1,"b":2}"#),
            (r#"{"a":1,"a":1}"#, &[("a", true)], r#"{"a":1}"#),
            (r#"{"a":1,"b":3,"a":2}"#, &[("a", false)], r#"{"b":3}"#),
            (r#"{"a":1,"a":2,"a":1}"#, &[("a", false)], "{}"),
            (r#"{"a":{"b":[{"c":1,"c":2}]}}"#, &[("a.b.0.c", false)], r#"{"a":{"b":[{}]}}"#),
            (r#"{"a":1,"\u0061":2}"#, &[("a", false)], "{}"),
        ];
        for (text, expected, left) in table {
            let mut repeated = Vec::new();
            let mut tree = Tree::of(members(text).unwrap(), &mut repeated);
            let found: Vec<_> = repeated.iter().map(|member| (member.path.join("."), member.alike)).collect();
            let expected: Vec<_> = expected.iter().map(|(path, alike)| ((*path).to_owned(), *alike)).collect();
            assert_eq!((found, tree.to_string().as_str()), (expected, left), "{text}");
            tree.put_nulls();
            let nulls = repeated.iter().filter(|member| !member.alike).count();
            assert_eq!(tree.to_string().matches("null").count(), nulls, "{text}");
        }
    }
}
