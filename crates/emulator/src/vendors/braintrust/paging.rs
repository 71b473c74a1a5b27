//! Lists, whose cursors are ids.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Fault, bad, invalid, is_uuid, missing};
use crate::request::Query;
use crate::store::{Entry, Table};

/// One page, newest first. `name` is the parameter that looks for a name.
pub(super) fn page(table: &Table, query: &Query, name: &str) -> Result<Value, Fault> {
    for parameter in ["ids", "starting_after", "ending_before"] {
        if query.all(parameter).any(|id| !is_uuid(id)) {
            return Err(invalid("uuid", "invalid_string", "Invalid uuid", parameter));
        }
    }
    let limit = query.number("limit", usize::MAX, ..);
    let limit = limit.ok_or_else(|| invalid("integer", "invalid_type", "Expected a number of at least 0", "limit"))?;
    let (after, before) = (query.first("starting_after"), query.first("ending_before"));
    if after.is_some() && before.is_some() {
        return Err(bad("starting_after and ending_before exclude each other".to_owned()));
    }

    let mut entries: Vec<_> = table.iter().rev().collect();
    entries.sort_by_key(|entry| Reverse(created(entry)));
    let (ids, wanted): (Vec<_>, _) = (query.all("ids").collect(), query.first(name));
    entries.retain(|entry| {
        let is_asked = ids.is_empty() || ids.iter().any(|id| entry.is_in(id));
        let named = entry.value.get("name").and_then(Value::as_str);
        is_asked && wanted.is_none_or(|wanted| named == Some(wanted))
    });
    let place =
        |id: &str| entries.iter().position(|entry| entry.is_in(id)).ok_or_else(|| missing("read", "cursor", id));
    let (start, end) = match (after, before) {
        (Some(id), _) => {
            let start = place(id)? + 1;
            (start, start.saturating_add(limit).min(entries.len()))
        }
        (None, Some(id)) => {
            let end = place(id)?;
            (end.saturating_sub(limit), end)
        }
        (None, None) => (0, limit.min(entries.len())),
    };
    let objects: Vec<_> = entries.iter().take(end).skip(start).map(|entry| &entry.value).collect();
    Ok(json!({"objects": objects}))
}

/// All instants have one form, in which text sorts like time. No instant is older than any.
fn created(entry: &Entry) -> &str {
    entry.value.get("created").and_then(Value::as_str).unwrap_or_default()
}
