//! Members that stand twice in one object: JSON leaves open which of them is meant.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::{Steps, members};

/// How deep it is looked: deeper than the models of all vendors.
const MAX_DEPTH: usize = 8;

/// How many are told.
const MAX: usize = 100;

/// The paths of the members that stand twice, and whether their values are alike, byte for byte.
pub(super) fn find(members: &[(String, &RawValue)]) -> Vec<(Steps, bool)> {
    let mut found = Vec::new();
    in_object(members, &mut Steps::new(), &mut found);
    found
}

fn in_object(members: &[(String, &RawValue)], path: &mut Steps, found: &mut Vec<(Steps, bool)>) {
    let mut before: HashMap<&str, (&str, bool)> = HashMap::new();
    for (name, value) in members {
        path.push(name.clone());
        let entry = before.entry(name).or_insert((value.get(), true));
        entry.1 &= entry.0 == value.get();
        in_value(value.get(), path, found);
        path.pop();
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let mut twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    for name in twice {
        let alike = before.get(name).is_some_and(|(_, alike)| *alike);
        if found.len() < MAX {
            found.push((path.iter().cloned().chain([name.to_owned()]).collect(), alike));
        }
    }
}

fn in_value(text: &str, path: &mut Steps, found: &mut Vec<(Steps, bool)>) {
    if path.len() >= MAX_DEPTH {
        return;
    }
    if text.starts_with('{') {
        if let Ok(inner) = members(text) {
            in_object(&inner, path, found);
        }
    } else if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            path.push(index.to_string());
            in_value(item.get(), path, found);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_stand_twice_are_found_where_they_are() {
        let table: [(&str, &[(&str, bool)]); 6] = [
            (r#"{"a":1,"b":2}"#, &[]),
            (r#"{"a":1,"a":1}"#, &[("a", true)]),
            (r#"{"a":1,"a":2}"#, &[("a", false)]),
            (r#"{"a":1,"a":2,"a":1}"#, &[("a", false)]),
            (r#"{"a":{"b":[{"c":1,"c":2}]}}"#, &[("a.b.0.c", false)]),
            (r#"{"a":1,"\u0061":2}"#, &[("a", false)]),
        ];
        for (text, expected) in table {
            let found: Vec<_> =
                find(&members(text).unwrap()).into_iter().map(|(path, alike)| (path.join("."), alike)).collect();
            let expected: Vec<_> = expected.iter().map(|(path, alike)| ((*path).to_owned(), *alike)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
