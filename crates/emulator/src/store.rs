//! What a vendor remembers.

use std::collections::BTreeMap;

use crate::table::Table;

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
