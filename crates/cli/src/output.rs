//! Rows on standard output, in the format that was asked for.

mod csv;
mod fit;
mod held;
mod json;
mod table;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::args::{Format, Listing};
use crate::condition::Condition;
use crate::console::Console;
use crate::exit::Failure;
use crate::filter::{self, Sort};
use crate::rows::{Column, Cut, GroupRow, Groups, Kind, Problem, Row, Summary, Typed};
use crate::text::printable;

use held::Held;
use table::Table;

/// What is shown of rows, read before anything is sent, so that a wrong argument costs no request.
#[derive(Debug)]
pub(crate) struct Plan {
    format: Format,
    columns: Vec<Column>,
    filters: Vec<Condition>,
    sort: Vec<Sort>,
    /// Cells are for programs.
    raw_cells: bool,
    counts: Counts,
}

/// Whether rows are counted in place of being shown.
#[derive(Debug, Default)]
enum Counts {
    #[default]
    No,
    All,
    /// By what they have in this column.
    By(Column),
}

impl Plan {
    /// Reads the arguments. `shown` are the columns of a table where none are chosen.
    pub(crate) fn read<R: Row>(listing: &Listing, console: &Console, shown: &[&str]) -> Result<Self, Failure> {
        // JSON has no columns: who chooses some, and no format, wants a table.
        let format = if listing.columns.is_empty() { console.format() } else { console.format_or(Format::Table) };
        if !listing.columns.is_empty() && matches!(format, Format::Json | Format::Ndjson) {
            return Err(Failure::Usage(
                "--columns is for tables, CSV and TSV; add `-o table` or `-o csv`, or leave it out, since JSON has every field"
                    .to_owned(),
            ));
        }
        let counts = match &listing.group_by {
            Some(name) => {
                let column = filter::column::<R>(name);
                Counts::By(column.map_err(|error| Failure::Usage(format!("--group-by: {error}")))?)
            }
            None if listing.count => Counts::All,
            None => Counts::No,
        };
        let chosen: Vec<&str> = match (listing.columns.is_empty(), format) {
            (false, _) => listing.columns.iter().map(String::as_str).collect(),
            (true, Format::Table) => shown.to_vec(),
            (true, _) => R::COLUMNS.iter().map(|column| &*column.name).collect(),
        };
        let now = Timestamp::now();
        // What somebody asks for is not left out.
        let asked = !listing.columns.is_empty();
        let column = |name| filter::column::<R>(name).map(|column| Column { spare: column.spare && !asked, ..column });
        let columns = chosen.into_iter().map(column).collect::<Result<_, _>>();
        let filters = listing.filter.iter().map(|text| Condition::parse::<R>(text, now)).collect::<Result<_, _>>();
        let sort = listing.sort.iter().map(|text| Sort::parse::<R>(text)).collect::<Result<_, _>>();
        Ok(Self {
            format,
            columns: columns.map_err(|error| Failure::Usage(format!("--columns: {error}")))?,
            filters: filters.map_err(|error| Failure::Usage(format!("--filter: {error}")))?,
            sort: sort.map_err(|error| Failure::Usage(format!("--sort: {error}")))?,
            raw_cells: listing.raw_cells,
            counts,
        })
    }
}

impl Plan {
    /// One row with all that there is of it.
    pub(crate) fn of_one<R: Row>(console: &Console) -> Self {
        Self::of_many::<R>(console, &shown_of_one::<R>())
    }

    /// Rows with these columns in a table, and all columns elsewhere.
    pub(crate) fn of_many<R: Row>(console: &Console, shown: &[&str]) -> Self {
        let format = console.format();
        let mut columns = R::COLUMNS.to_vec();
        columns.retain(|column| format != Format::Table || shown.contains(&&*column.name));
        Self { format, columns, filters: Vec::new(), sort: Vec::new(), raw_cells: false, counts: Counts::No }
    }
}

impl Plan {
    /// Nothing is cut or left out: somebody decides on what is shown.
    pub(crate) fn whole(mut self) -> Self {
        let whole = |column: Column| Column { spare: false, ..column.cut(Cut::Never) };
        self.columns = self.columns.into_iter().map(whole).collect();
        self
    }
}

/// The columns that a table shows of one row: all but `coverage`, which the cells say themselves.
pub(crate) fn shown_of_one<R: Row>() -> Vec<&'static str> {
    R::COLUMNS.iter().map(|column| &*column.name).filter(|name| *name != "coverage").collect()
}

/// Writes rows and errors: as they come, or, for tables and where they are sorted, at the end.
pub(crate) struct Output<'a, R> {
    console: &'a Console,
    plan: Plan,
    out: BufWriter<Box<dyn Write>>,
    /// One object is the whole document, not an array of one.
    single: bool,
    /// The one thing that was asked for, in a table.
    only: Option<R>,
    /// Rows that are written at the end.
    held: Held,
    table: Table,
    /// Room for what is written of a row.
    text: Vec<u8>,
    /// How many objects or lines were written.
    written: u64,
    count: u64,
    /// How many rows no filter left out and some filter could not judge, and by which fields.
    unjudged: u64,
    unsaid: BTreeSet<String>,
    groups: Groups,
}

impl<'a, R: Row> Output<'a, R> {
    pub(crate) fn new(console: &'a Console, plan: Plan) -> Self {
        Self::onto(Box::new(io::stdout().lock()), console, plan)
    }

    /// Onto another stream than standard output.
    pub(crate) fn onto(stream: Box<dyn Write>, console: &'a Console, plan: Plan) -> Self {
        let out = BufWriter::new(stream);
        // Of rows that come in no order, eyes find none in a table.
        let by = if plan.sort.is_empty() { vec![Sort::first::<R>()] } else { plan.sort.clone() };
        let table = Table::new(&plan.columns, Timestamp::now());
        Self {
            console,
            plan,
            out,
            single: false,
            only: None,
            held: Held::new(by),
            table,
            text: Vec::new(),
            written: 0,
            count: 0,
            unjudged: 0,
            unsaid: BTreeSet::new(),
            groups: Groups::default(),
        }
    }

    /// For the one thing that was asked for: in JSON an object, in a table a line for each field.
    pub(crate) fn single(console: &'a Console, plan: Plan) -> Self {
        Self::new(console, plan).alone()
    }

    /// The one row is the whole document.
    pub(crate) fn alone(self) -> Self {
        Self { single: matches!(self.plan.counts, Counts::No), ..self }
    }

    /// Whether nothing is written before the end.
    pub(crate) fn holds(&self) -> bool {
        self.plan.format == Format::Table || !self.plan.sort.is_empty() || !matches!(self.plan.counts, Counts::No)
    }

    /// Takes a row. Those that a filter does not keep are gone.
    pub(crate) fn row(&mut self, row: R) -> Result<(), Failure> {
        let mut unsaid = BTreeSet::new();
        let judged = self.plan.filters.iter().map(|filter| filter.judge(&row, &mut unsaid));
        let mut all = Some(true);
        for judged in judged.collect::<Vec<_>>() {
            all = if all == Some(false) || judged == Some(false) { Some(false) } else { all.and(judged) };
        }
        if all.is_none() {
            self.unjudged += 1;
            self.unsaid.append(&mut unsaid);
        }
        if all != Some(true) {
            return Ok(());
        }
        self.count += 1;
        match &self.plan.counts {
            Counts::No => {}
            Counts::All => return Ok(()),
            Counts::By(column) => {
                self.groups.count(row.cell(&column.name));
                return Ok(());
            }
        }
        if self.plan.format == Format::Table && self.single && self.only.is_none() {
            self.only = Some(row);
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.write_row(&row, &mut text)?;
        if self.holds() {
            self.held.push(&row, &text);
        } else {
            self.put(&text)?;
        }
        self.text = text;
        Ok(())
    }

    /// What is written of a row, without what stands between rows.
    fn write_row(&mut self, row: &R, text: &mut Vec<u8>) -> Result<(), Failure> {
        match self.plan.format {
            Format::Table => self.table.write_row(row, &self.plan.columns, text),
            Format::Csv | Format::Tsv => {
                let cells = self.plan.columns.iter().map(|column| {
                    let cell = row.cell(&column.name);
                    if self.plan.raw_cells { csv::raw(cell) } else { csv::shown(cell, column) }
                });
                text.extend_from_slice(&self.line(cells)?);
            }
            Format::Json | Format::Ndjson => {
                json::write(text, self.is_document(), &Typed::new(R::TYPE, row)).map_err(Failure::output)?;
            }
        }
        Ok(())
    }

    /// A line of CSV or TSV.
    fn line(&self, cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Failure> {
        let cells = cells.map(|text| if self.console.is_terminal() { printable(&text) } else { text });
        if self.plan.format == Format::Tsv { Ok(csv::tab_line(cells)) } else { csv::line(cells) }
    }

    /// Takes a failure: an object in JSON; a line on standard error in every format is the caller's.
    pub(crate) fn problem(&mut self, problem: &Problem) -> Result<(), Failure> {
        match self.plan.format {
            // The number is all that is printed.
            _ if matches!(self.plan.counts, Counts::All) => Ok(()),
            Format::Json | Format::Ndjson => self.object(Problem::TYPE, problem),
            Format::Table | Format::Csv | Format::Tsv => Ok(()),
        }
    }

    /// Lets the reader have what was written.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::output)
    }

    /// Ends the output; a summary is for lists.
    pub(crate) fn finish(mut self, mut summary: Option<Summary>) -> Result<(), Failure> {
        if let Some(summary) = &mut summary {
            summary.count = self.count;
            summary.unjudged = (!self.plan.filters.is_empty()).then_some(self.unjudged);
        }
        match std::mem::take(&mut self.plan.counts) {
            Counts::No => self.finish_rows(summary),
            Counts::All => {
                writeln!(self.out, "{}", self.count).map_err(Failure::output)?;
                self.flush()?;
                // A count that lacks something is none without a word about it.
                let lines = summary.filter(|summary| !summary.complete).map(|summary| summary.lines::<R>(true));
                lines.into_iter().flatten().chain(self.unjudged_line::<R>()).for_each(|line| self.console.note(&line));
                Ok(())
            }
            Counts::By(column) => self.finish_groups(&column, summary),
        }
    }

    /// Writes a row for each group, in the place of those that were counted.
    fn finish_groups(self, by: &Column, summary: Option<Summary>) -> Result<(), Failure> {
        let columns = vec![by.clone(), Column::new("count", Kind::Number)];
        let plan = Plan { columns, sort: Vec::new(), filters: Vec::new(), counts: Counts::No, ..self.plan };
        let mut output = Output::<GroupRow> {
            console: self.console,
            table: Table::new(&plan.columns, Timestamp::now()),
            plan,
            out: self.out,
            single: false,
            only: None,
            // In the order in which they come.
            held: Held::new(Vec::new()),
            text: Vec::new(),
            written: self.written,
            count: 0,
            unjudged: self.unjudged,
            unsaid: self.unsaid,
            groups: Groups::default(),
        };
        for row in self.groups.rows(&by.name, csv::raw) {
            output.row(row)?;
        }
        output.finish_rows_of::<R>(summary, true)
    }

    fn finish_rows(self, summary: Option<Summary>) -> Result<(), Failure> {
        let filtered = !self.plan.filters.is_empty();
        self.finish_rows_of::<R>(summary, filtered)
    }

    /// The summary is one of rows `S`.
    fn finish_rows_of<S: Row>(mut self, summary: Option<Summary>, filtered: bool) -> Result<(), Failure> {
        self.held.sort();
        if self.plan.format == Format::Table {
            self.finish_table()?;
        } else {
            let held = std::mem::take(&mut self.held);
            held.iter().try_for_each(|text| self.put(text))?;
        }
        if self.is_separated() && self.written == 0 {
            self.header()?;
        }
        if let Some(summary) = summary {
            match self.plan.format {
                Format::Json | Format::Ndjson => self.object(Summary::TYPE, &summary)?,
                Format::Table | Format::Csv | Format::Tsv => {
                    self.flush()?;
                    summary.lines::<S>(filtered).iter().for_each(|line| self.console.note(line));
                }
            }
        }
        if let Some(line) = self.unjudged_line::<S>() {
            self.flush()?;
            self.console.note(&line);
        }
        // Where nothing is left of the one thing, an empty array is the document.
        if self.plan.format == Format::Json && (!self.single || self.written == 0) {
            let end = if self.written == 0 { "[]\n" } else { "\n]\n" };
            self.out.write_all(end.as_bytes()).map_err(Failure::output)?;
        }
        self.flush()
    }

    /// What the filters could not judge, and how to find it.
    fn unjudged_line<S: Row>(&self) -> Option<String> {
        let first = self.unsaid.first()?;
        let (count, plural) = (self.unjudged, if self.unjudged == 1 { "" } else { "s" });
        let fields: Vec<&str> = self.unsaid.iter().map(String::as_str).collect();
        Some(format!(
            "{count} {}{plural} not shown, since --filter cannot judge what does not say {}; see --filter {first}=missing and \
             --filter {first}=unsupported",
            S::TYPE,
            fields.join(" or "),
        ))
    }

    fn finish_table(&mut self) -> Result<(), Failure> {
        let note = match self.only.take() {
            Some(row) => {
                let table = table::one(&row, &self.plan.columns, self.console);
                self.out.write_all(table.as_bytes()).map_err(Failure::output)?;
                None
            }
            None => self
                .table
                .write(&self.held, &self.plan.columns, self.console, &mut self.out)
                .map_err(Failure::output)?,
        };
        if let Some(note) = note {
            self.flush()?;
            self.console.note(&note);
        }
        Ok(())
    }

    /// Whether cells are separated by commas or tabs.
    fn is_separated(&self) -> bool {
        matches!(self.plan.format, Format::Csv | Format::Tsv)
    }

    fn header(&mut self) -> Result<(), Failure> {
        self.written += 1;
        let line = self.line(self.plan.columns.iter().map(|column| column.name.clone().into_owned()))?;
        self.out.write_all(&line).map_err(Failure::output)
    }

    fn object<T: Serialize>(&mut self, r#type: &'static str, value: &T) -> Result<(), Failure> {
        let mut text = Vec::new();
        json::write(&mut text, self.is_document(), &Typed::new(r#type, value)).map_err(Failure::output)?;
        self.put(&text)
    }

    /// Whether an object is the whole document.
    fn is_document(&self) -> bool {
        self.plan.format == Format::Json && self.single
    }

    /// Writes an object or a line after those before it.
    fn put(&mut self, text: &[u8]) -> Result<(), Failure> {
        let (before, after): (&[u8], &[u8]) = match self.plan.format {
            Format::Table => (b"", b""),
            Format::Csv | Format::Tsv => {
                if self.written == 0 {
                    self.header()?;
                }
                (b"", b"")
            }
            Format::Json if !self.single && self.written == 0 => (b"[\n", b""),
            Format::Json if !self.single => (b",\n", b""),
            Format::Json | Format::Ndjson => (b"", b"\n"),
        };
        self.written += 1;
        [before, text, after].iter().try_for_each(|part| self.out.write_all(part)).map_err(Failure::output)
    }
}

/// Writes text to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::output)
}

/// A table of text, for what is no listing.
pub(crate) fn text_table(header: &[&str], rows: &[Vec<String>], console: &Console) -> String {
    table::of_text(header, rows, console)
}

impl Summary {
    /// For eyes: what became of each account, or `12 keys`.
    fn lines<R: Row>(&self, filtered: bool) -> Vec<String> {
        let mut lines: Vec<String> = self.text.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
        let told = !lines.is_empty();
        if self.interrupted {
            // The text ends with its sum, and the line below tells more.
            lines.pop();
        }
        if told && !filtered && !self.interrupted {
            return lines;
        }
        lines.extend_from_slice(&self.reasons);
        let plural = if self.count == 1 { "" } else { "s" };
        let shown = if told && filtered { " shown" } else { "" };
        let end = match (self.interrupted, self.complete) {
            (true, _) => "; interrupted",
            // The text has said it.
            (false, false) if !told => "; incomplete",
            _ => "",
        };
        lines.push(format!("{} {}{plural}{shown}{end}", self.count, R::TYPE));
        lines
    }
}
