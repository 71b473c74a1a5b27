//! Tables for eyes: aligned, fitted to the terminal, with times in words.

use comfy_table::{Attribute, Cell as Shown, Color, ColumnConstraint, ContentArrangement, Row as Line, Table, presets};
use jiff::Timestamp;
use keymux::Fact;

use crate::console::{Console, printable};
use crate::rows::{Cell, Column, Row};
use crate::when;

/// A line for each row. The column that names it is never cut; other cells are, where the terminal is too narrow.
pub(super) fn many<R: Row>(rows: &[R], columns: &[Column], console: &Console) -> String {
    let now = Timestamp::now();
    let mut table = plain(console);
    let titles = columns.iter().map(|column| Shown::new(title(&column.name)).add_attribute(Attribute::Bold));
    let mut header = Line::from(titles.collect::<Vec<_>>());
    header.max_height(1);
    table.set_header(header);
    for row in rows {
        let mut line = Line::from(columns.iter().map(|column| show(row, column, now, false)).collect::<Vec<_>>());
        line.max_height(1);
        table.add_row(line);
    }
    fit(&mut table, columns.iter().map(|column| column.name == R::COLUMNS[0].name));
    text(&table)
}

/// A line for each column of one row.
pub(super) fn one<R: Row>(row: &R, columns: &[Column], console: &Console) -> String {
    let now = Timestamp::now();
    let mut table = plain(console);
    for column in columns {
        let name = Shown::new(&column.name).add_attribute(Attribute::Bold);
        table.add_row(vec![name, show(row, column, now, true)]);
    }
    fit(&mut table, [true, false]);
    text(&table)
}

/// A table of text with a header, for what is no listing.
pub(super) fn of_text(header: &[&str], rows: &[Vec<String>], console: &Console) -> String {
    let mut table = plain(console);
    table.set_header(header.iter().map(|title| Shown::new(title).add_attribute(Attribute::Bold)));
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    fit(&mut table, header.iter().enumerate().map(|(index, _)| index + 1 < header.len()));
    text(&table)
}

fn plain(console: &Console) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_truncation_indicator("…");
    if console.color() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if let Some(width) = console.width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

fn fit(table: &mut Table, whole: impl IntoIterator<Item = bool>) {
    for (column, whole) in table.column_iter_mut().zip(whole) {
        column.set_padding((0, 2));
        if whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

fn text(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// `LAST USED` of `last_used_at`.
fn title(name: &str) -> String {
    name.strip_suffix("_at").unwrap_or(name).replace('_', " ").to_uppercase()
}

fn show<R: Row>(row: &R, column: &Column, now: Timestamp, whole: bool) -> Shown {
    let text = match row.cell(&column.name) {
        Fact::Known(Cell::Text(text)) => {
            let color = if column.name == "status" || column.name == "check" { state_color(&text) } else { None };
            let shown = Shown::new(printable(&text));
            return match color {
                Some(color) => shown.fg(color),
                None => shown,
            };
        }
        Fact::Known(Cell::Number(number)) => number.to_string(),
        Fact::Known(Cell::Time(at)) if whole => format!("{at} ({})", when::relative(at, now)),
        Fact::Known(Cell::Time(at)) => when::relative(at, now),
        // Not "none": the vendor sent a list, and nothing is in it.
        Fact::Known(Cell::List(all)) if all.is_empty() => "[]".to_owned(),
        // Permissions have commas of their own: `invoices=create,read; customers=read`.
        Fact::Known(Cell::List(all)) if all.iter().any(|one| one.contains(',')) => printable(&all.join("; ")),
        Fact::Known(Cell::List(all)) => printable(&all.join(", ")),
        Fact::Empty => column.none.to_owned(),
        // It was sent; `drift` says what is odd about it.
        Fact::Missing if row.is_odd(&column.name) => return Shown::new("unreadable").add_attribute(Attribute::Dim),
        Fact::Missing => return Shown::new("not sent").add_attribute(Attribute::Dim),
        Fact::Unsupported => return Shown::new("cannot say").add_attribute(Attribute::Dim),
    };
    Shown::new(text)
}

fn state_color(state: &str) -> Option<Color> {
    match state {
        "active" | "works" => Some(Color::Green),
        "disabled" | "exhausted" => Some(Color::Yellow),
        "unknown" => None,
        _ => Some(Color::Red),
    }
}
