//! Lists, whose cursors are ids.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Fault, bad, invalid, is_uuid, missing};
use crate::entry::Entry;
use crate::generated::Generated;
use crate::request::Query;
use crate::table::Table;

/// The largest page. Braintrust documents none; here a page is to stay small even where there are a million keys.
const LARGEST: usize = 1000;

/// One page, newest first. `name` is the parameter that looks for a name.
pub(super) fn page(table: &Table, query: &Query, name: &str) -> Result<Value, Fault> {
    for parameter in ["ids", "starting_after", "ending_before"] {
        if query.all(parameter).any(|id| !is_uuid(id)) {
            return Err(invalid("uuid", "invalid_string", "Invalid uuid", parameter));
        }
    }
    let limit = query.number("limit", LARGEST, ..);
    let limit = limit.ok_or_else(|| invalid("integer", "invalid_type", "Expected a number of at least 0", "limit"))?;
    let (after, before) = (query.first("starting_after"), query.first("ending_before"));
    if after.is_some() && before.is_some() {
        return Err(bad("starting_after and ending_before exclude each other".to_owned()));
    }

    let order = Order::new(table);
    let rank = |id: &str| order.rank(id).ok_or_else(|| missing("read", "cursor", id));
    let start = after.map(rank).transpose()?.map_or(0, |last| last + 1);
    let end = before.map(rank).transpose()?.unwrap_or(order.len());

    let (ids, wanted): (Vec<_>, _) = (query.all("ids").collect(), query.first(name));
    // A filter names the few that can pass, so that not all have to be made and looked at.
    let mut ranks: Box<dyn DoubleEndedIterator<Item = u64>> = match (ids.as_slice(), wanted) {
        ([], None) => Box::new(start..end),
        ([], Some(wanted)) => Box::new(order.ranks_named(wanted).into_iter()),
        (ids, _) => Box::new(ids.iter().filter_map(|id| order.rank(id)).collect::<BTreeSet<_>>().into_iter()),
    };
    if before.is_some() {
        ranks = Box::new(ranks.rev());
    }
    let is_meant = |entry: &Cow<'_, Entry>| {
        let named = entry.value.get("name").and_then(Value::as_str);
        wanted.is_none_or(|wanted| named == Some(wanted))
    };
    let found = ranks.filter(|rank| (start..end).contains(rank)).filter_map(|rank| order.at(rank)).filter(is_meant);
    let mut objects: Vec<_> = found.take(limit.min(LARGEST)).collect();
    if before.is_some() {
        objects.reverse();
    }
    let objects: Vec<_> = objects.iter().map(|entry| &entry.value).collect();
    Ok(json!({"objects": objects}))
}

/// All keys, newest first, by rank. The rank of a generated key that was removed is no key's.
struct Order<'a> {
    table: &'a Table,
    /// How many keys were generated. They are in order already.
    generated: u64,
    /// The others in this order, each with its rank and its place.
    added: Vec<(u64, u64, &'a Entry)>,
}

impl<'a> Order<'a> {
    fn new(table: &'a Table) -> Self {
        let generated = table.generated().map_or(0, Generated::count);
        let mut added: Vec<_> = table.added(0).map(|(place, entry)| (0, place, entry)).collect();
        added.sort_by_key(|(_, place, entry)| Reverse((created(entry), *place)));
        for (before, (rank, _, entry)) in (0..).zip(&mut added) {
            *rank = before + newer(table, created(entry));
        }
        Self { table, generated, added }
    }

    fn len(&self) -> u64 {
        self.added.iter().fold(self.generated, |sum, _| sum + 1)
    }

    fn rank(&self, id: &str) -> Option<u64> {
        let place = self.table.place_of(&[id.to_owned()])?;
        if place > self.generated {
            return self.added.iter().find(|(_, added, _)| *added == place).map(|(rank, ..)| *rank);
        }
        Some(self.added.iter().fold(place - 1, |rank, (added, ..)| if *added <= rank { rank + 1 } else { rank }))
    }

    fn at(&self, rank: u64) -> Option<Cow<'a, Entry>> {
        let before = self.added.partition_point(|(added, ..)| *added < rank);
        match self.added.get(before) {
            Some((added, _, entry)) if *added == rank => Some(Cow::Borrowed(entry)),
            _ => self.table.at(rank + 1 - u64::try_from(before).ok()?),
        }
    }

    /// The ranks of keys that may have a name: that of a generated key ends in its index.
    fn ranks_named(&self, name: &str) -> BTreeSet<u64> {
        let index = name.rsplit(' ').next().and_then(|index| index.parse().ok());
        let generated = || self.table.generated()?.address(index?);
        let generated = generated().and_then(|address| self.rank(address.first()?));
        self.added.iter().map(|(rank, ..)| *rank).chain(generated).collect()
    }
}

/// How many generated keys are newer.
fn newer(table: &Table, than: &str) -> u64 {
    let Some(generated) = table.generated() else { return 0 };
    let (mut low, mut high) = (0, generated.count());
    while low < high {
        let middle = low.midpoint(high);
        if generated.entry(middle).is_some_and(|entry| created(&entry) > than) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// All instants have one form, in which text sorts like time. No instant is older than any.
fn created(entry: &Entry) -> &str {
    entry.value.get("created").and_then(Value::as_str).unwrap_or_default()
}
