//! Tables for eyes: aligned, fitted to the terminal, with times in words.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell as Boxed, Color, ColumnConstraint, ContentArrangement, presets};
use jiff::Timestamp;
use keymux::Fact;

use super::fit::{self, Fit, Need};
use super::held::Held;

use crate::console::Console;
use crate::rows::{Cell, Column, Cut, Decimal, Row};
use crate::text::printable;
use crate::when;

/// Rows for eyes. Each is kept as the bytes of its cells until the widths are known.
#[derive(Debug)]
pub(super) struct Table {
    now: Timestamp,
    /// The widest cell of each column.
    widest: Vec<usize>,
}

impl Table {
    pub(super) fn new(columns: &[Column], now: Timestamp) -> Self {
        Self { now, widest: vec![0; columns.len()] }
    }

    /// Appends the cells of a row as [`cells`] reads them.
    pub(super) fn write_row<R: Row>(&mut self, row: &R, columns: &[Column], bytes: &mut Vec<u8>) {
        for (column, widest) in columns.iter().zip(&mut self.widest) {
            let shown = show(row, column, self.now);
            *widest = (*widest).max(fit::width(&shown.text));
            bytes.push(shown.look as u8);
            // A cell that does not fit into a column of 2^32 characters fits on no screen.
            let length = u32::try_from(shown.text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&shown.text.as_bytes()[..length as usize]);
        }
    }

    /// Writes a line for each row, where the terminal is wide enough; else columns are cut or left out as [`fit`](super::fit) says, or
    /// each row takes several lines. What is not shown whole is returned, for a note.
    pub(super) fn write(
        &self,
        rows: &Held,
        columns: &[Column],
        console: &Console,
        out: &mut impl Write,
    ) -> io::Result<Option<String>> {
        if rows.len() == 0 {
            return Ok(None);
        }
        let titles: Vec<String> = columns.iter().map(|column| title(&column.name)).collect();
        let needs: Vec<Need> = columns
            .iter()
            .zip(&titles)
            .zip(&self.widest)
            .map(|((column, title), widest)| need(column, title, *widest))
            .collect();
        let unlimited = || Fit::Columns(needs.iter().map(|need| Some(need.whole)).collect());
        let widths = match console.width().map_or_else(unlimited, |width| fit::fit(&needs, usize::from(width))) {
            Fit::Columns(widths) if are_told_apart(rows, columns, &widths) => widths,
            Fit::Columns(_) | Fit::Rows => {
                write_lines(rows, &titles, console, out)?;
                return Ok(None);
            }
        };
        out.write_all(header(&titles, &widths, console).as_bytes())?;
        let mut cut = vec![false; columns.len()];
        for row in rows.iter() {
            let mut line = Line::default();
            for (index, (look, text)) in cells(row).enumerate() {
                let Some(&Some(width)) = widths.get(index) else { continue };
                let shown = fit::cut(text, width, columns[index].cut);
                cut[index] |= shown != text;
                line.push(&shown, width, look, console);
            }
            line.text.push('\n');
            out.write_all(line.text.as_bytes())?;
        }
        Ok(note(columns, &widths, &cut))
    }
}

/// The cells that [`Table::write_row`] wrote.
fn cells(mut bytes: &[u8]) -> impl Iterator<Item = (Look, &str)> {
    std::iter::from_fn(move || {
        let (look, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        bytes = rest;
        Some((Look::of(*look), std::str::from_utf8(text).unwrap_or_default()))
    })
}

/// Whether no two references look alike once they are cut.
fn are_told_apart(rows: &Held, columns: &[Column], widths: &[Option<usize>]) -> bool {
    let cut = |index: &usize| columns[*index].cut == Cut::Middle && widths[*index].is_some();
    (0..columns.len()).filter(cut).all(|index| {
        let width = widths[index].unwrap_or_default();
        let hasher = RandomState::new();
        // What each is cut to, with the one that it stands for.
        let mut seen: HashMap<u64, u64> = HashMap::new();
        rows.iter().filter_map(|row| cells(row).nth(index)).all(|(_, text)| {
            let shown = fit::cut(text, width, Cut::Middle);
            shown == text || {
                let whole = hasher.hash_one(text);
                *seen.entry(hasher.hash_one(shown)).or_insert(whole) == whole
            }
        })
    })
}

/// What of the columns is not shown whole, and where it is.
fn note(columns: &[Column], widths: &[Option<usize>], cut: &[bool]) -> Option<String> {
    let named = |is: &dyn Fn(usize) -> bool| {
        let names: Vec<&str> =
            columns.iter().enumerate().filter(|(index, _)| is(*index)).map(|(_, column)| column.short_name()).collect();
        names.join(", ")
    };
    let parts = [
        ("not shown in this width", named(&|index| widths[index].is_none())),
        ("shortened", named(&|index| cut[index])),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {names}"))
        .collect();
    (!parts.is_empty()).then(|| format!("{}; `-o csv` and `-o ndjson` give all", parts.join("; ")))
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
            line.push(lines.get(index).map_or("", String::as_str), *width, Look::Bold, console);
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
fn write_lines(rows: &Held, titles: &[String], console: &Console, out: &mut impl Write) -> io::Result<()> {
    let width = console.width().map_or(usize::MAX, usize::from);
    for row in rows.iter() {
        let mut text = String::new();
        let mut used = 0;
        for ((look, cell), title) in cells(row).zip(titles) {
            if text.is_empty() {
                text = styled(cell, look, console);
                used = usize::MAX;
                continue;
            }
            let title = title.to_lowercase();
            let needed = fit::width(&title) + 1 + fit::width(cell);
            if used.saturating_add(3 + needed) > width {
                text.push_str("\n  ");
                used = 2 + needed;
            } else {
                text.push_str(" · ");
                used += 3 + needed;
            }
            text.push_str(&title);
            text.push(' ');
            text.push_str(&styled(cell, look, console));
        }
        text.push('\n');
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// A line of cells beside each other.
#[derive(Default)]
struct Line {
    text: String,
    /// The spaces that the cells so far leave before the next.
    owed: usize,
}

impl Line {
    fn push(&mut self, cell: &str, width: usize, look: Look, console: &Console) {
        let taken = fit::width(cell);
        if taken > 0 {
            self.text.extend(std::iter::repeat_n(' ', self.owed));
            self.owed = 0;
            self.text.push_str(&styled(cell, look, console));
        }
        self.owed += width.saturating_sub(taken) + fit::GAP;
    }
}

fn styled(text: &str, look: Look, console: &Console) -> String {
    let style = look.style();
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

fn plain(console: &Console) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
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

fn fit(table: &mut comfy_table::Table, whole: impl IntoIterator<Item = bool>) {
    for (column, whole) in table.column_iter_mut().zip(whole) {
        column.set_padding((0, 2));
        if whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

fn text(table: &comfy_table::Table) -> String {
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
    look: Look,
}

/// How a cell looks where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Bold,
    /// What is not known.
    Dim,
    Good,
    Halted,
    Bad,
}

impl Look {
    const ALL: [Self; 6] = [Self::Plain, Self::Bold, Self::Dim, Self::Good, Self::Halted, Self::Bad];

    fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Plain)
    }

    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Bold => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Halted => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }
}

impl Shown {
    fn plain(text: String) -> Self {
        Self { text, look: Look::Plain }
    }

    fn dim(text: &str) -> Self {
        Self { text: text.to_owned(), look: Look::Dim }
    }

    /// For the tables of the library.
    fn boxed(self) -> Boxed {
        let shown = Boxed::new(self.text);
        match self.look {
            Look::Plain => shown,
            Look::Bold => shown.add_attribute(Attribute::Bold),
            Look::Dim => shown.add_attribute(Attribute::Dim),
            Look::Good => shown.fg(Color::Green),
            Look::Halted => shown.fg(Color::Yellow),
            Look::Bad => shown.fg(Color::Red),
        }
    }
}

/// A cell beside others.
fn show<R: Row>(row: &R, column: &Column, now: Timestamp) -> Shown {
    match row.cell(&column.name) {
        Fact::Known(Cell::Text(text)) => Shown { text: printable(&text), look: look(column, &text) },
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
        // It was sent; `drift` says what is odd about it.
        Fact::Missing if row.is_odd(&column.name) => Shown::dim("unreadable"),
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

fn look(column: &Column, text: &str) -> Look {
    match text {
        _ if column.name != "status" && column.name != "check" => Look::Plain,
        "active" | "works" => Look::Good,
        "disabled" | "exhausted" => Look::Halted,
        "unknown" => Look::Plain,
        _ => Look::Bad,
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

    /// A table and its note.
    fn shown(rows: &[KeyRecord], columns: &[&str], width: u16, whole: bool) -> (String, String) {
        let columns: Vec<Column> = columns
            .iter()
            .map(|name| KeyRecord::COLUMNS.iter().find(|column| column.name == *name).unwrap().clone())
            .map(|column| if whole { column.cut(Cut::Never) } else { column })
            .collect();
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        let (mut table, mut held, mut out) = (Table::new(&columns, now), Held::new(Vec::new()), Vec::new());
        for row in rows {
            let mut cells = Vec::new();
            table.write_row(row, &columns, &mut cells);
            assert!(cells.len() < 500, "{}", cells.len());
            held.push(row, &cells);
        }
        let note = table.write(&held, &columns, &Console::of_width(width), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), note.unwrap_or_default())
    }

    #[test]
    fn a_list_is_readable_at_every_width() {
        let list = ["ref", "name", "status", "expires_at", "last_used_at", "created_at"];
        let asked = ["ref", "name", "status", "expires_at", "last_used_at"];
        for width in [60, 80, 100, 120, 200] {
            let list = shown(&keys(), &list, width, false);
            let asked = shown(&keys(), &asked, width, true);
            let text = format!("{}-- note: {}\n\n{}-- note: {}\n", list.0, list.1, asked.0, asked.1);
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/list.{width}.txt"));
            snapbox::assert_data_eq!(
                text,
                snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw()
            );
            assert!(list.0.lines().all(|line| fit::width(line) <= usize::from(width.max(83))), "{}", list.0);
            for state in ["exhausted", "disabled", "in 12 days", "in 30 minutes"] {
                assert!(list.0.contains(state), "{state} is not whole at {width}: {}", list.0);
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
            list.0.contains("550e8400-e29b-41d4-aaaa-446655440000/6ba7b811-9dad-11d1-80b4-00c04fd430c9\n"),
            "{}",
            list.0
        );
    }
}
