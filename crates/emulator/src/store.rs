//! What a vendor remembers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The ids of an object, in the order of the vendor's path.
pub(crate) type Address = Vec<String>;

/// One object of a vendor.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    /// The object as the vendor tells of it.
    pub(crate) value: Value,
    /// The plaintext of a key.
    pub(crate) plaintext: Option<String>,
    /// What the vendor knows of the object and tells elsewhere or nowhere.
    pub(crate) aside: Map<String, Value>,
}

impl Entry {
    pub(crate) fn new<A>(address: A, value: Value) -> Self
    where
        A: IntoIterator,
        A::Item: Into<String>,
    {
        let address = address.into_iter().map(Into::into).collect();
        Self { address, value, plaintext: None, aside: Map::new() }
    }

    pub(crate) fn plaintext(mut self, plaintext: impl Into<String>) -> Self {
        self.plaintext = Some(plaintext.into());
        self
    }

    pub(crate) fn aside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.aside.insert(name.to_owned(), value.into());
        self
    }

    /// Changes a member of the object. A seeded value that is no object stays as it is.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Value::Object(members) = &mut self.value {
            members.insert(name.to_owned(), value.into());
        }
    }

    /// The object with one more member.
    pub(crate) fn with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut more = self.clone();
        more.set(name, value);
        more.value
    }

    pub(crate) fn is_in(&self, owner: &str) -> bool {
        self.address.first().is_some_and(|first| first == owner)
    }
}

/// Objects of one kind, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Table {
    places: BTreeMap<Address, u64>,
    entries: BTreeMap<u64, Entry>,
    last: u64,
}

impl Table {
    pub(crate) fn get(&self, address: &[String]) -> Option<&Entry> {
        self.entries.get(self.places.get(address)?)
    }

    pub(crate) fn get_mut(&mut self, address: &[String]) -> Option<&mut Entry> {
        self.entries.get_mut(self.places.get(address)?)
    }

    /// Adds an object, or puts it in the place of the one with its address.
    pub(crate) fn put(&mut self, entry: Entry) {
        let place = *self.places.entry(entry.address.clone()).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.entries.insert(place, entry);
    }

    pub(crate) fn remove(&mut self, address: &[String]) -> Option<Entry> {
        self.entries.remove(&self.places.remove(address)?)
    }

    /// The objects, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    /// The objects after a place, oldest first, each with its place. Places begin at 1.
    pub(crate) fn after(&self, place: u64) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries.range(place.saturating_add(1)..).map(|(place, entry)| (*place, entry))
    }

    /// The key with this plaintext.
    pub(crate) fn opened_by(&mut self, plaintext: &str) -> Option<&mut Entry> {
        self.entries.values_mut().find(|entry| entry.plaintext.as_deref() == Some(plaintext))
    }
}

/// All objects of a vendor.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) keys: Table,
    others: BTreeMap<&'static str, Table>,
    minted: u64,
}

impl Store {
    /// Objects around the keys.
    pub(crate) fn table(&mut self, kind: &'static str) -> &mut Table {
        self.others.entry(kind).or_default()
    }

    /// A number for a new object: 1, 2, 3.
    pub(crate) fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }
}
