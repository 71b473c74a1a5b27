//! JSON: one document, or an object a line.

use std::io;

use serde::Serialize;

use crate::console::Console;
use crate::text::printable_json;

/// Appends an object: over several lines if it is a whole document.
pub(super) fn write(text: &mut Vec<u8>, document: bool, value: &impl Serialize, console: &Console) -> io::Result<()> {
    match (document, console.is_terminal()) {
        (true, true) => text.extend_from_slice(printable_json(&serde_json::to_string_pretty(value)?).as_bytes()),
        (false, true) => text.extend_from_slice(printable_json(&serde_json::to_string(value)?).as_bytes()),
        (true, false) => serde_json::to_writer_pretty(text, value)?,
        (false, false) => serde_json::to_writer(text, value)?,
    }
    Ok(())
}
