//! JSON: one document, or an object a line.

use std::io::{self, Write};

use serde::Serialize;

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

pub(super) fn write(out: &mut impl Write, place: Place, value: &impl Serialize) -> io::Result<()> {
    match place {
        Place::First => out.write_all(b"[\n")?,
        Place::Next => out.write_all(b",\n")?,
        Place::Line | Place::Document => {}
    }
    match place {
        Place::Document => serde_json::to_writer_pretty(&mut *out, value)?,
        Place::Line | Place::First | Place::Next => serde_json::to_writer(&mut *out, value)?,
    }
    match place {
        Place::Line | Place::Document => out.write_all(b"\n"),
        Place::First | Place::Next => Ok(()),
    }
}
