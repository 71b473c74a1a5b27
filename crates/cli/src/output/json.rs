//! JSON: one document, or an object a line.

use std::io::{self, Write};

use serde::Serialize;

use crate::console::Console;
use crate::text::printable_json;

/// Where an object stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// On a line of its own.
    Line,
    /// First in an array.
    First,
    /// After another in an array.
    Next,
    /// Alone.
    Document,
}

pub(super) fn write(out: &mut impl Write, place: Place, value: &impl Serialize, console: &Console) -> io::Result<()> {
    match place {
        Place::First => out.write_all(b"[\n")?,
        Place::Next => out.write_all(b",\n")?,
        Place::Line | Place::Document => {}
    }
    match (place, console.is_terminal()) {
        (Place::Document, true) => out.write_all(printable_json(&serde_json::to_string_pretty(value)?).as_bytes())?,
        (_, true) => out.write_all(printable_json(&serde_json::to_string(value)?).as_bytes())?,
        (Place::Document, false) => serde_json::to_writer_pretty(&mut *out, value)?,
        (_, false) => serde_json::to_writer(&mut *out, value)?,
    }
    match place {
        Place::Line | Place::Document => out.write_all(b"\n"),
        Place::First | Place::Next => Ok(()),
    }
}
