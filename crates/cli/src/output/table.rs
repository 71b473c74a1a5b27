//! Tables for eyes: aligned, fitted to the terminal, with times in words.

use std::collections::{BTreeSet, HashMap};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell as Boxed, ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;
use keymux::Fact;

use super::fit::{self, Fit, Need};

use crate::console::Console;
use crate::rows::{Cell, Column, Cut, Decimal, Row};
use crate::text::printable;
use crate::when;

/// Rows for eyes, and what of them is not shown whole.
#[derive(Debug, Default)]
pub(super) struct Many {
    pub(super) text: String,
    /// What is not shown whole, for a note below the table; empty if all is.
    pub(super) note: String,
}

/// A line for each row, where the terminal is wide enough; else columns are cut or left out as [`fit`](super::fit) says, or each row
/// takes several lines.
pub(super) fn many<R: Row>(rows: &[R], columns: &[Column], console: &Console, now: Timestamp) -> Many {
    let titles: Vec<String> = columns.iter().map(|column| title(&column.name)).collect();
    let cells: Vec<Vec<Shown>> =
        rows.iter().map(|row| columns.iter().map(|column| show(row, column, now)).collect()).collect();
    let widest = |index: usize| cells.iter().map(|line| fit::width(&line[index].text)).max().unwrap_or(0);
    let needs: Vec<Need> =
        columns.iter().enumerate().map(|(index, column)| need(column, &titles[index], widest(index))).collect();
    let unlimited = || Fit::Columns(needs.iter().map(|need| Some(need.whole)).collect());
    let widths = match console.width().map_or_else(unlimited, |width| fit::fit(&needs, usize::from(width))) {
        Fit::Columns(widths) => widths,
        Fit::Rows => return Many { text: lines(&cells, &titles, console), note: String::new() },
    };
    let mut text = header(&titles, &widths, console);
    let mut cut = BTreeSet::new();
    // What references are cut to, each with the one that it stands for.
    let mut references: HashMap<(usize, String), &str> = HashMap::new();
    for line in &cells {
        let mut end = Line::default();
        for (index, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let Some(width) = *width else { continue };
            let how = columns[index].cut;
            let shown = fit::cut(&cell.text, width, how);
            if shown != cell.text {
                cut.insert(index);
                if how == Cut::Middle && *references.entry((index, shown.clone())).or_insert(&cell.text) != cell.text {
                    // Cut, two keys would look like one.
                    return Many { text: lines(&cells, &titles, console), note: String::new() };
                }
            }
            end.push(&shown, width, cell.style, console);
        }
        text.push_str(&end.text);
        text.push('\n');
    }
    let named = |indexes: &mut dyn Iterator<Item = usize>| {
        indexes.map(|index| columns[index].short_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let left_out = named(&mut (0..columns.len()).filter(|&index| widths[index].is_none()));
    let shortened = named(&mut cut.into_iter());
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        notes.push(format!("not shown in this width: {left_out}"));
    }
    if !shortened.is_empty() {
        notes.push(format!("shortened: {shortened}"));
    }
    if !notes.is_empty() {
        notes.push("`-o csv` and `-o ndjson` give all".to_owned());
    }
    Many { text, note: notes.join("; ") }
}

fn need(column: &Column, title: &str, widest: usize) -> Need {
    /// What is kept of a name, and of a reference.
    const NAME: usize = 12;
    const REFERENCE: usize = 24;
    let word = title.split(' ').map(fit::width).max().unwrap_or(0);
    let least = match column.cut {
        Cut::Never => widest,
        Cut::End => widest.min(NAME),
        Cut::Middle => widest.min(REFERENCE),
    };
    Need { whole: widest.max(fit::width(title)), least: least.max(word), spare: column.spare }
}

/// The titles, on as many lines as the longest needs in its column.
fn header(titles: &[String], widths: &[Option<usize>], console: &Console) -> String {
    let wrapped: Vec<(Vec<String>, usize)> =
        titles.iter().zip(widths).filter_map(|(title, width)| width.map(|width| (wrap(title, width), width))).collect();
    let height = wrapped.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
    let mut text = String::new();
    for index in 0..height {
        let mut line = Line::default();
        for (lines, width) in &wrapped {
            line.push(lines.get(index).map_or("", String::as_str), *width, Style::new().bold(), console);
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// Words on lines of at most `width`.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => word.clone_into(line),
            Some(line) if fit::width(line) + 1 + fit::width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Each row on several lines: its first column, and below it the others with their titles. Nothing is cut.
fn lines(cells: &[Vec<Shown>], titles: &[String], console: &Console) -> String {
    let width = console.width().map_or(usize::MAX, usize::from);
    let mut text = String::new();
    for line in cells {
        let Some((first, rest)) = line.split_first() else { continue };
        let mut head = Line::default();
        head.push(&first.text, 0, first.style, console);
        text.push_str(&head.text);
        text.push('\n');
        let mut used = 0;
        for (cell, title) in rest.iter().zip(titles.iter().skip(1)) {
            let title = title.to_lowercase();
            let needed = fit::width(&title) + 1 + fit::width(&cell.text);
            if used > 0 && used + 3 + needed > width {
                text.push('\n');
                used = 0;
            }
            text.push_str(if used == 0 { "  " } else { " · " });
            used += if used == 0 { 2 } else { 3 } + needed;
            text.push_str(&title);
            text.push(' ');
            text.push_str(&styled(&cell.text, cell.style, console));
        }
        if !rest.is_empty() {
            text.push('\n');
        }
    }
    text
}

/// A line of cells beside each other.
#[derive(Default)]
struct Line {
    text: String,
    /// The spaces that the cells so far leave before the next.
    owed: usize,
}

impl Line {
    fn push(&mut self, cell: &str, width: usize, style: Style, console: &Console) {
        let taken = fit::width(cell);
        if taken > 0 {
            self.text.extend(std::iter::repeat_n(' ', self.owed));
            self.owed = 0;
            self.text.push_str(&styled(cell, style, console));
        }
        self.owed += width.saturating_sub(taken) + fit::GAP;
    }
}

fn styled(text: &str, style: Style, console: &Console) -> String {
    if console.color() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// A line for each column of one row.
pub(super) fn one<R: Row>(row: &R, columns: &[Column], console: &Console) -> String {
    let now = Timestamp::now();
    let mut table = plain(console);
    for column in columns {
        let name = Boxed::new(&column.name).add_attribute(Attribute::Bold);
        table.add_row(vec![name, whole(row, column, now).boxed()]);
    }
    fit(&mut table, [true, false]);
    text(&table)
}

/// A table of text with a header, for what is no listing.
pub(super) fn of_text(header: &[&str], rows: &[Vec<String>], console: &Console) -> String {
    let mut table = plain(console);
    table.set_header(header.iter().map(|title| Boxed::new(title).add_attribute(Attribute::Bold)));
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

/// A cell for eyes.
#[derive(Debug)]
struct Shown {
    text: String,
    style: Style,
}

impl Shown {
    fn plain(text: String) -> Self {
        Self { text, style: Style::new() }
    }

    fn dim(text: &str) -> Self {
        Self { text: text.to_owned(), style: Style::new().dimmed() }
    }

    /// For the tables of the library.
    fn boxed(self) -> Boxed {
        let shown = Boxed::new(self.text);
        let shown = match self.style.get_fg_color() {
            Some(anstyle::Color::Ansi(AnsiColor::Green)) => shown.fg(comfy_table::Color::Green),
            Some(anstyle::Color::Ansi(AnsiColor::Yellow)) => shown.fg(comfy_table::Color::Yellow),
            Some(anstyle::Color::Ansi(AnsiColor::Red)) => shown.fg(comfy_table::Color::Red),
            _ => shown,
        };
        if self.style.get_effects().contains(anstyle::Effects::DIMMED) {
            shown.add_attribute(Attribute::Dim)
        } else {
            shown
        }
    }
}

/// A cell beside others.
fn show<R: Row>(row: &R, column: &Column, now: Timestamp) -> Shown {
    match row.cell(&column.name) {
        Fact::Known(Cell::Text(text)) => Shown { text: printable(&text), style: style(column, &text) },
        Fact::Known(Cell::Decimal(Decimal(digits))) => Shown::plain(digits),
        Fact::Known(Cell::Number(number)) => Shown::plain(number.to_string()),
        Fact::Known(Cell::Time(at)) => Shown::plain(when::relative(at, now)),
        // Not "none": the vendor sent a list, and nothing is in it.
        Fact::Known(Cell::List(all)) if all.is_empty() => Shown::plain("[]".to_owned()),
        // Permissions have commas of their own: `invoices=create,read; customers=read`.
        Fact::Known(Cell::List(all)) if all.iter().any(|one| one.contains(',')) => {
            Shown::plain(printable(&all.join("; ")))
        }
        Fact::Known(Cell::List(all)) => Shown::plain(printable(&all.join(", "))),
        Fact::Empty => Shown::plain(column.none.to_owned()),
        Fact::Missing => Shown::dim("not sent"),
        Fact::Unsupported => Shown::dim("cannot say"),
    }
}

/// A cell on a line of its own, where an instant has room beside its words.
fn whole<R: Row>(row: &R, column: &Column, now: Timestamp) -> Shown {
    match row.cell(&column.name) {
        Fact::Known(Cell::Time(at)) => Shown::plain(format!("{at} ({})", when::relative(at, now))),
        _ => show(row, column, now),
    }
}

fn style(column: &Column, text: &str) -> Style {
    if column.name != "status" && column.name != "check" {
        return Style::new();
    }
    match text {
        "active" | "works" => AnsiColor::Green.on_default(),
        "disabled" | "exhausted" => AnsiColor::Yellow.on_default(),
        "unknown" => Style::new(),
        _ => AnsiColor::Red.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use keymux::{KeyAddress, KeyKind, KeyRecord, KeyState, Status};

    use super::*;

    /// Keys with the longest references that vendors give: a group of 20 characters, UUIDs, 32 hexadecimal digits.
    fn keys() -> Vec<KeyRecord> {
        let providers = keymux::providers();
        let key = |provider: &str, address: &[&str], name: &str, state: KeyState, ends: Option<&str>| {
            let info = providers.iter().find(|info| info.id().as_str() == provider).unwrap();
            let address = KeyAddress::new(address.iter().copied()).unwrap();
            let mut record = KeyRecord::new(info, address, KeyKind::API_KEY);
            record.name = Fact::Known(name.to_owned());
            record.status = Status::stated(state, "status");
            if let Some(ends) = ends {
                record.expires_at = Fact::Known(ends.parse().unwrap());
                record.last_used_at = Fact::Known("2026-10-30T12:00:00Z".parse().unwrap());
                record.created_at = Fact::Known("2025-12-01T00:00:00Z".parse().unwrap());
            }
            record
        };
        let workspace = "550e8400-e29b-41d4-a716-446655440000";
        vec![
            key(
                "baseten",
                &["abcdefghijklmnopqrst", "aBcDeFgH"],
                "deploy of the checkout service",
                KeyState::Active,
                None,
            ),
            key("braintrust", &["6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80"], "ci", KeyState::Unknown, None),
            key(
                "mielto",
                &["key_0123456789abcdef0123456789abcdef"],
                "nightly",
                KeyState::Exhausted,
                Some("2026-12-11T12:00:00Z"),
            ),
            key(
                "oneloop",
                &[workspace, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
                "billing",
                KeyState::Disabled,
                Some("2027-11-29T12:00:00Z"),
            ),
            key(
                "oneloop",
                &[workspace, "6ba7b811-9dad-11d1-80b4-00c04fd430c9"],
                "payments in Europe",
                KeyState::Active,
                Some("2026-11-29T12:30:00Z"),
            ),
        ]
    }

    fn shown(rows: &[KeyRecord], columns: &[&str], width: u16, whole: bool) -> Many {
        let columns: Vec<Column> = columns
            .iter()
            .map(|name| KeyRecord::COLUMNS.iter().find(|column| column.name == *name).unwrap().clone())
            .map(|column| if whole { column.cut(Cut::Never) } else { column })
            .collect();
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        many(rows, &columns, &Console::of_width(width), now)
    }

    #[test]
    fn a_list_is_readable_at_every_width() {
        let list = ["ref", "name", "status", "expires_at", "last_used_at", "created_at"];
        let asked = ["ref", "name", "status", "expires_at", "last_used_at"];
        for width in [60, 80, 100, 120, 200] {
            let list = shown(&keys(), &list, width, false);
            let asked = shown(&keys(), &asked, width, true);
            let text = format!("{}-- note: {}\n\n{}-- note: {}\n", list.text, list.note, asked.text, asked.note);
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/list.{width}.txt"));
            snapbox::assert_data_eq!(
                text,
                snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw()
            );
            assert!(list.text.lines().all(|line| fit::width(line) <= usize::from(width.max(83))), "{}", list.text);
            for state in ["exhausted", "disabled", "in 12 days", "in 30 minutes"] {
                assert!(list.text.contains(state), "{state} is not whole at {width}: {}", list.text);
            }
        }
    }

    #[test]
    fn two_references_that_would_look_alike_are_not_cut() {
        let mut keys = keys();
        let other =
            KeyAddress::new(["550e8400-e29b-41d4-aaaa-446655440000", "6ba7b811-9dad-11d1-80b4-00c04fd430c9"]).unwrap();
        keys[3].address = other;
        let list = shown(&keys, &["ref", "name", "status", "expires_at", "last_used_at", "created_at"], 80, false);
        assert!(
            list.text.contains("550e8400-e29b-41d4-aaaa-446655440000/6ba7b811-9dad-11d1-80b4-00c04fd430c9\n"),
            "{}",
            list.text
        );
    }
}
