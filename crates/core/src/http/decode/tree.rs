//! An object that members can be taken out of. What is not taken out stays the text that came, digit for digit, whether
//! `serde_json` has a value for it or not.

use std::collections::HashMap;
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
}

impl<'a> Tree<'a> {
    /// Takes the members of an object apart. Of those that share a name the last one counts, and `repeated` hears of
    /// it.
    pub(super) fn of(members: Vec<(String, &'a RawValue)>, repeated: &mut Vec<Steps>) -> Self {
        Self::object(members, &mut Steps::new(), repeated)
    }

    fn object(members: Vec<(String, &'a RawValue)>, path: &mut Steps, repeated: &mut Vec<Steps>) -> Self {
        let mut object: Vec<(String, Self)> = Vec::with_capacity(members.len());
        let mut places = HashMap::new();
        for (name, value) in members {
            path.push(name);
            let value = Self::value(value.get(), path, repeated);
            let name = path.pop().unwrap_or_default();
            match places.get(&name).and_then(|place: &usize| object.get_mut(*place)) {
                Some(member) => {
                    member.1 = value;
                    repeated.push([path.as_slice(), &[name]].concat());
                }
                None => {
                    places.insert(name.clone(), object.len());
                    object.push((name, value));
                }
            }
        }
        Self::Object(object)
    }

    fn value(text: &'a str, path: &mut Steps, repeated: &mut Vec<Steps>) -> Self {
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

    /// Takes out what is at `path`, or what holds it where that cannot be taken apart, and tells how many steps led to it.
    pub(super) fn remove(&mut self, path: &[String]) -> Option<usize> {
        let (step, rest) = path.split_first()?;
        let child = match self {
            Self::Text(_) => return None,
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            Self::Object(members) => members.iter_mut().find(|(name, _)| name == step).map(|(_, value)| value)?,
        };
        if let Some(steps) = child.remove(rest) {
            return Some(steps + 1);
        }
        match self {
            Self::Text(_) => return None,
            Self::List(items) => {
                items.remove(step.parse().ok()?);
            }
            Self::Object(members) => {
                members.retain(|(name, _)| name != step);
            }
        }
        Some(1)
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// What is at `path`.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, step| match tree {
            Self::Text(_) => None,
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
                for (index, (name, value)) in members.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{}:{value}", serde_json::Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}
