//! CSV as in RFC 4180, and lines of cells with tabs between them. Both are for people and their spreadsheets: what is not known has the
//! words of a table, and no cell begins a formula. With `--raw-cells` they are for programs.

use std::io;

use ::csv::{Terminator, WriterBuilder};
use keymux::Fact;

use crate::exit::Failure;
use crate::rows::{Cell, Column, Decimal};

pub(super) fn line(cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Failure> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let failed = |error: ::csv::Error| Failure::output(io::Error::other(error));
    writer.write_record(cells.map(String::into_bytes)).map_err(failed)?;
    writer.into_inner().map_err(|error| Failure::output(io::Error::other(error.to_string())))
}

/// A line with tabs between its cells. What would end a cell is written as `\t`, `\n`, `\r`, and a backslash as `\\`.
pub(super) fn tab_line(cells: impl Iterator<Item = String>) -> Vec<u8> {
    let escaped =
        |cell: String| cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r");
    let mut line = cells.map(escaped).collect::<Vec<_>>().join("\t");
    line.push('\n');
    line.into_bytes()
}

/// A cell for eyes: what is not known in the words of a table, and an apostrophe before what a spreadsheet would compute. A number
/// of ours is none.
pub(super) fn shown(fact: Fact<Cell>, column: &Column) -> String {
    let is_text = matches!(fact, Fact::Known(Cell::Text(_) | Cell::List(_)));
    match fact.state() {
        keymux::FactState::Known if is_text => inert(raw(fact)),
        keymux::FactState::Known => raw(fact),
        keymux::FactState::Empty => column.none.to_owned(),
        keymux::FactState::Missing => "not sent".to_owned(),
        keymux::FactState::Unsupported => "cannot say".to_owned(),
    }
}

/// Text that no spreadsheet takes for a formula, which begins with one of these, white space before it or not.
pub(super) fn inert(text: String) -> String {
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if text.starts_with(['\t', '\r', '\n']) || begins(text.trim_start()) { format!("'{text}") } else { text }
}

/// The value alone; a list is its JSON, and what is not known is nothing.
pub(super) fn raw(fact: Fact<Cell>) -> String {
    match fact {
        Fact::Known(Cell::Text(text)) => text,
        Fact::Known(Cell::Decimal(Decimal(digits))) => digits,
        Fact::Known(Cell::Number(number)) => number.to_string(),
        Fact::Known(Cell::Time(at)) => at.to_string(),
        Fact::Known(Cell::List(all)) => serde_json::Value::from(all).to_string(),
        Fact::Empty | Fact::Missing | Fact::Unsupported => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Kind;

    #[test]
    fn no_cell_begins_a_formula_and_numbers_stay_numbers() {
        let name = Column::text("name");
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u{ff1d}1", "=HYPERLINK(\"http://x\")"] {
            assert_eq!(shown(Cell::text(text), &name), format!("'{text}"));
            assert_eq!(raw(Cell::text(text)), text);
        }
        for text in ["a=1", "2026-01-31", "'=1", ""] {
            assert_eq!(shown(Cell::text(text), &name), text);
        }
        assert_eq!(shown(Fact::Known(Cell::Decimal(Decimal("-5".to_owned()))), &name), "-5");
    }

    #[test]
    fn what_is_not_known_is_told_apart() {
        let expires = Column::new("expires_at", Kind::Future).none("never");
        let words = [Fact::Empty, Fact::Missing, Fact::Unsupported].map(|fact| shown(fact, &expires));
        assert_eq!(words, ["never", "not sent", "cannot say"]);
        assert_eq!(raw(Fact::Missing), "");
    }

    #[test]
    fn no_cell_has_a_tab_or_a_line_break_of_its_own() {
        let cells = ["a\tb", "c\nd\\", "e"].map(str::to_owned);
        assert_eq!(tab_line(cells.into_iter()), b"a\\tb\tc\\nd\\\\\te\n");
    }
}
