//! CSV as in RFC 4180. What is not known is an empty cell; the column `coverage` of a key tells why.

use std::io;

use ::csv::{Terminator, WriterBuilder};
use keymux::Fact;

use crate::exit::Failure;
use crate::rows::{Cell, Decimal};

pub(super) fn line(cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Failure> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let failed = |error: ::csv::Error| Failure::output(io::Error::other(error));
    writer.write_record(cells.map(String::into_bytes)).map_err(failed)?;
    writer.into_inner().map_err(|error| Failure::output(io::Error::other(error.to_string())))
}

/// A list is its JSON.
pub(super) fn cell(fact: Fact<Cell>) -> String {
    match fact {
        Fact::Known(Cell::Text(text)) => text,
        Fact::Known(Cell::Decimal(Decimal(digits))) => digits,
        Fact::Known(Cell::Number(number)) => number.to_string(),
        Fact::Known(Cell::Time(at)) => at.to_string(),
        Fact::Known(Cell::List(all)) => serde_json::Value::from(all).to_string(),
        Fact::Empty | Fact::Missing | Fact::Unsupported => String::new(),
    }
}
