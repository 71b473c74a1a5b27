//! Objects of one kind, in the order in which they came.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Address, Entry};
use crate::generated::Generated;

/// Generated objects, and over them those that were changed, removed or added.
///
/// An object has a place, from 1 on. Generated ones have the first places and are made at each look, until they are
/// changed: then they are stored.
#[derive(Debug, Default)]
pub(crate) struct Table {
    generated: Option<Generated>,
    /// The places of generated objects that are not there any more.
    gone: BTreeSet<u64>,
    /// Where the objects are that were added.
    places: BTreeMap<Address, u64>,
    /// The objects that were added or changed.
    stored: BTreeMap<u64, Entry>,
    last: u64,
}

/// Every so many places: the generated objects of one owner, or of all.
#[derive(Debug, Clone, Copy)]
struct Lane {
    first: u64,
    step: u64,
}

impl Table {
    /// For a table that nothing was added to.
    pub(crate) fn generate(&mut self, generated: Generated) {
        self.last = generated.count();
        self.generated = Some(generated);
    }

    pub(crate) fn generated(&self) -> Option<&Generated> {
        self.generated.as_ref()
    }

    pub(crate) fn get(&self, address: &[String]) -> Option<Cow<'_, Entry>> {
        self.at(self.place_of(address)?)
    }

    pub(crate) fn get_mut(&mut self, address: &[String]) -> Option<&mut Entry> {
        let place = self.place_of(address)?;
        if !self.stored.contains_key(&place) {
            self.stored.insert(place, self.made(place)?);
        }
        self.stored.get_mut(&place)
    }

    /// Adds an object. One that was added with the same address before leaves its place to it.
    pub(crate) fn put(&mut self, entry: Entry) {
        let place = self.places.get(&entry.address).copied().unwrap_or_else(|| {
            self.remove(&entry.address);
            self.last += 1;
            self.last
        });
        self.places.insert(entry.address.clone(), place);
        self.stored.insert(place, entry);
    }

    pub(crate) fn remove(&mut self, address: &[String]) -> Option<Entry> {
        let place = self.place_of(address)?;
        let entry = self.stored.remove(&place).or_else(|| self.made(place));
        if self.places.remove(address).is_none() {
            self.gone.insert(place);
        }
        entry
    }

    /// The place of an object that is there.
    pub(crate) fn place_of(&self, address: &[String]) -> Option<u64> {
        let generated = || Some(self.generated.as_ref()?.index_of(address)? + 1);
        self.places.get(address).copied().or_else(generated).filter(|place| !self.gone.contains(place))
    }

    /// The object at a place.
    pub(crate) fn at(&self, place: u64) -> Option<Cow<'_, Entry>> {
        let stored = self.stored.get(&place).map(Cow::Borrowed);
        stored.or_else(|| self.made(place).filter(|_| !self.gone.contains(&place)).map(Cow::Owned))
    }

    fn made(&self, place: u64) -> Option<Entry> {
        self.generated.as_ref()?.entry(place.checked_sub(1)?)
    }

    /// The objects after a place, oldest first, each with its place; all, or those that an owner has by their address.
    pub(crate) fn after<'a>(
        &'a self,
        place: u64,
        owner: Option<&'a str>,
    ) -> impl Iterator<Item = (u64, Cow<'a, Entry>)> {
        let added = self.added(place).filter(move |(_, entry)| owner.is_none_or(|owner| entry.is_in(owner)));
        self.starters(place, owner).chain(added.map(|(place, entry)| (place, Cow::Borrowed(entry))))
    }

    /// The generated objects after a place, as they are now; all, or those that an owner had at the start.
    pub(crate) fn starters(
        &self,
        place: u64,
        owner: Option<&str>,
    ) -> impl Iterator<Item = (u64, Cow<'_, Entry>)> + use<'_> {
        let places = self.lane(owner).and_then(|Lane { first, step }| {
            let first = if place < first { first } else { first + (place - first) / step * step + step };
            Some((first..=self.count()).step_by(usize::try_from(step).ok()?))
        });
        places.into_iter().flatten().filter_map(|place| Some((place, self.at(place)?)))
    }

    /// The place before the generated object that follows so many others of its owner.
    pub(crate) fn place_before(&self, skipped: u64, owner: Option<&str>) -> u64 {
        let Some(Lane { first, step }) = self.lane(owner) else { return self.count() };
        let mut place = first.saturating_add(skipped.saturating_mul(step));
        for gone in self.gone.iter().filter(|gone| *gone % step == first % step) {
            if *gone > place {
                break;
            }
            place = place.saturating_add(step);
        }
        place - 1
    }

    /// How many of the generated objects are still there.
    pub(crate) fn left(&self, owner: Option<&str>) -> u64 {
        let Some(Lane { first, step }) = self.lane(owner) else { return 0 };
        let all = (self.count() + step).saturating_sub(first) / step;
        let gone = self.gone.iter().filter(|gone| *gone % step == first % step).count();
        all.saturating_sub(u64::try_from(gone).unwrap_or(u64::MAX))
    }

    /// The objects after a place that were added, oldest first.
    pub(crate) fn added(&self, place: u64) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        self.stored.range(place.max(self.count()).saturating_add(1)..).map(|(place, entry)| (*place, entry))
    }

    /// The key with this plaintext.
    pub(crate) fn opened_by(&self, plaintext: &str) -> Option<Cow<'_, Entry>> {
        let fits = |entry: &Entry| entry.plaintext.as_deref() == Some(plaintext);
        let told = || self.at(self.generated.as_ref()?.index_in(plaintext)? + 1).filter(|entry| fits(entry));
        told().or_else(|| self.stored.values().find(|entry| fits(entry)).map(Cow::Borrowed))
    }

    /// Whether the address of an object ends in this id.
    pub(crate) fn has_last(&self, id: &str) -> bool {
        let ends = |entry: &Entry| entry.address.last().is_some_and(|last| last == id);
        let told = || self.at(self.generated.as_ref()?.index_in(id)? + 1).filter(|entry| ends(entry));
        told().is_some() || self.added(0).any(|(_, entry)| ends(entry))
    }

    fn count(&self) -> u64 {
        self.generated.as_ref().map_or(0, Generated::count)
    }

    fn lane(&self, owner: Option<&str>) -> Option<Lane> {
        let owners = self.generated.as_ref()?.owners();
        let Some(owner) = owner else { return Some(Lane { first: 1, step: 1 }) };
        let number = owners.iter().position(|known| known == owner)?;
        Some(Lane { first: u64::try_from(number).ok()? + 1, step: u64::try_from(owners.len()).ok()? })
    }
}
