//! JSON: one document, or an object a line.

use std::io;

use serde::Serialize;

use crate::text::{is_plain, printable_json};

/// Appends an object: over several lines if it is a whole document. What is hidden in it is escaped, wherever it goes: a reader of
/// JSON has the same text, and whoever looks at the bytes sees what they are.
pub(super) fn write(text: &mut Vec<u8>, document: bool, value: &impl Serialize) -> io::Result<()> {
    let start = text.len();
    if document {
        serde_json::to_writer_pretty(&mut *text, value)?;
    } else {
        serde_json::to_writer(&mut *text, value)?;
    }
    if !is_plain(&text[start..]) {
        // It is UTF-8, as all JSON that serde writes.
        let clean = printable_json(&String::from_utf8_lossy(&text[start..]));
        text.truncate(start);
        text.extend_from_slice(clean.as_bytes());
    }
    Ok(())
}
