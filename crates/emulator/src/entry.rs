//! One object of a vendor.

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
