//! A vendor as a row: what it can do and say.

use std::collections::BTreeMap;

use keymux::{Fact, Field, Operation, Parameter, ParameterSupport, ProviderInfo, Support};
use serde::Serialize;

use super::{Cell, Column, Cut, Kind, Row};

#[derive(Debug, Serialize)]
pub(crate) struct ProviderRow {
    id: String,
    name: String,
    /// The vendor's names of the segments of an address.
    address: Vec<String>,
    /// By the command's names of them.
    operations: BTreeMap<&'static str, Ability>,
    /// Of every field of a record, whether the vendor can say it.
    fields: BTreeMap<Field, bool>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Ability {
    #[serde(flatten)]
    pub(crate) support: Support,
    pub(crate) parameters: BTreeMap<Parameter, ParameterSupport>,
}

impl ProviderRow {
    pub(crate) fn new(info: &ProviderInfo) -> Self {
        let capabilities = info.capabilities();
        let ability = |&operation: &Operation| {
            let parameters = capabilities.parameters(operation).collect();
            (operation.verb(), Ability { support: capabilities.support(operation), parameters })
        };
        Self {
            id: info.id().to_string(),
            name: info.name().to_owned(),
            address: info.address().map(str::to_owned).collect(),
            operations: Operation::ALL.iter().map(ability).collect(),
            fields: Field::ALL.iter().map(|&field| (field, info.supports_field(field))).collect(),
        }
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = (&'static str, &Ability)> {
        Operation::ALL
            .iter()
            .filter_map(|operation| self.operations.get_key_value(operation.verb()))
            .map(|(name, ability)| (*name, ability))
    }

    /// The fields that the vendor can say, or those that it cannot.
    pub(crate) fn says(&self, says: bool) -> Vec<String> {
        self.fields.iter().filter(|(_, can)| **can == says).map(|(field, _)| field.to_string()).collect()
    }
}

impl Row for ProviderRow {
    const TYPE: &'static str = "provider";
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("name"),
        Column::text("address").cut(Cut::Never).spare(),
        Column::text("get").cut(Cut::Never),
        Column::text("list").cut(Cut::Never),
        Column::text("scopes").cut(Cut::Never),
        Column::text("create").cut(Cut::Never),
        Column::text("register").cut(Cut::Never),
        Column::text("update").cut(Cut::Never),
        Column::text("rotate").cut(Cut::Never),
        Column::text("verify").cut(Cut::Never),
        Column::text("revoke").cut(Cut::Never),
        Column::new("fields", Kind::List),
    ];

    fn cell(&self, column: &str) -> Fact<Cell> {
        match column {
            "id" => Cell::text(&self.id),
            "name" => Cell::text(&self.name),
            "address" => Cell::text(self.address.join("/")),
            "fields" => Fact::Known(Cell::List(self.says(true))),
            operation => {
                let found = self.operations.get(operation);
                found.map_or(Fact::Missing, |ability| Cell::text(word(&ability.support)))
            }
        }
    }
}

/// One word for a table.
pub(crate) fn word(support: &Support) -> &'static str {
    match support {
        Support::Native => "yes",
        Support::Emulated { .. } => "steps",
        _ => "no",
    }
}
