//! Rows that wait for the end of a listing. Each is one block of bytes: what it is sorted by, and what will be written of it, so that a
//! million of them fit into memory.

use std::cmp::Ordering;

use keymux::{Fact, FactState, compare_numbers};

use crate::filter::Sort;
use crate::rows::{Cell, Decimal, Row};

/// The rows, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Held {
    by: Vec<Sort>,
    rows: Vec<Block>,
}

/// What a row is sorted by, and from `shown` on what is written of it.
#[derive(Debug)]
struct Block {
    bytes: Box<[u8]>,
    shown: u32,
}

impl Held {
    pub(super) fn new(by: Vec<Sort>) -> Self {
        Self { by, rows: Vec::new() }
    }

    /// Keeps `shown` of a row.
    pub(super) fn push<R: Row>(&mut self, row: &R, shown: &[u8]) {
        let mut bytes = Vec::with_capacity(shown.len() + 64);
        for sort in &self.by {
            write_key(&mut bytes, &row.cell(sort.column()));
        }
        // A row is smaller than the answer that it came from, which has a few megabytes.
        let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(shown);
        self.rows.push(Block { bytes: bytes.into_boxed_slice(), shown: start });
    }

    /// Orders the rows, each by the first field in which they differ. Without a known value a row comes last, whatever the direction.
    pub(super) fn sort(&mut self) {
        let by = &self.by;
        self.rows.sort_by(|one, other| order(by, &one.bytes, &other.bytes));
    }

    /// What was kept of each row.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.iter().map(|block| block.bytes.get(block.shown as usize..).unwrap_or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// The kinds of cells in the order in which they are sorted beside each other.
const DECIMAL: u8 = 0;
const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const TIME: u8 = 3;
const LIST: u8 = 4;

/// A rank, and for a known value its kind, its length and its bytes.
fn write_key(bytes: &mut Vec<u8>, fact: &Fact<Cell>) {
    let rank = match fact.state() {
        FactState::Known => 0,
        FactState::Empty => 1,
        FactState::Missing => 2,
        FactState::Unsupported => 3,
    };
    bytes.push(rank);
    let Some(cell) = fact.known() else { return };
    let mut value = |kind: u8, value: &[u8]| {
        bytes.push(kind);
        // Of longer values the beginning decides.
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&value[..usize::from(length)]);
    };
    match cell {
        Cell::Decimal(Decimal(digits)) => value(DECIMAL, digits.as_bytes()),
        Cell::Text(text) => value(TEXT, text.as_bytes()),
        Cell::Number(number) => value(NUMBER, &number.to_be_bytes()),
        Cell::Time(at) => {
            // With the sign turned, bytes compare as the numbers do.
            let nanoseconds = at.as_nanosecond() ^ i128::MIN;
            value(TIME, &nanoseconds.to_be_bytes());
        }
        Cell::List(all) => value(LIST, all.join("\0").as_bytes()),
    }
}

fn order(by: &[Sort], mut one: &[u8], mut other: &[u8]) -> Ordering {
    for sort in by {
        let (ranks, values) = ((read_byte(&mut one), read_byte(&mut other)), (one, other));
        let order = match ranks {
            (0, 0) => {
                let order = compare(read_value(&mut one), read_value(&mut other));
                if sort.is_reverse() { order.reverse() } else { order }
            }
            (0, other_rank) => {
                read_value(&mut one);
                0.cmp(&other_rank)
            }
            (one_rank, 0) => {
                read_value(&mut other);
                one_rank.cmp(&0)
            }
            (one_rank, other_rank) => {
                (one, other) = values;
                one_rank.cmp(&other_rank)
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn compare((kind, one): (u8, &[u8]), (other_kind, other): (u8, &[u8])) -> Ordering {
    let text = |digits| std::str::from_utf8(digits).unwrap_or_default();
    match kind.cmp(&other_kind) {
        Ordering::Equal if kind == DECIMAL => compare_numbers(text(one), text(other)).unwrap_or_else(|| one.cmp(other)),
        Ordering::Equal => one.cmp(other),
        order => order,
    }
}

/// Blocks are made by `write_key` alone, so that the bytes are there; a block that were shorter would sort first.
fn read_byte(bytes: &mut &[u8]) -> u8 {
    match bytes.split_first() {
        Some((first, rest)) => {
            *bytes = rest;
            *first
        }
        None => 0,
    }
}

fn read_value<'a>(bytes: &mut &'a [u8]) -> (u8, &'a [u8]) {
    let kind = read_byte(bytes);
    let length = usize::from(u16::from_be_bytes([read_byte(bytes), read_byte(bytes)]));
    let (value, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    *bytes = rest;
    (kind, value)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::rows::{Column, Kind};

    #[derive(Serialize)]
    struct Bean {
        #[serde(skip)]
        cells: Vec<Fact<Cell>>,
    }

    impl Row for Bean {
        const TYPE: &'static str = "bean";
        const COLUMNS: &'static [Column] = &[Column::new("uses", Kind::Number), Column::text("name")];
        const FREE: Option<&'static str> = Some("metadata.");

        fn cell(&self, column: &str) -> Fact<Cell> {
            self.cells[usize::from(column == "name")].clone()
        }
    }

    /// The cells of the first column, sorted.
    fn sorted(by: &[&str], rows: Vec<Vec<Fact<Cell>>>) -> Vec<usize> {
        let mut held = Held::new(by.iter().map(|sort| Sort::parse::<Bean>(sort).unwrap()).collect());
        for (index, cells) in rows.into_iter().enumerate() {
            held.push(&Bean { cells }, &[u8::try_from(index).unwrap()]);
        }
        held.sort();
        held.iter().map(|shown| usize::from(shown[0])).collect()
    }

    fn one_column(by: &str, cells: impl IntoIterator<Item = Fact<Cell>>) -> Vec<usize> {
        sorted(&[by], cells.into_iter().map(|cell| vec![cell, Fact::Empty]).collect())
    }

    #[test]
    fn rows_without_a_known_value_come_last_in_both_directions() {
        let number = |number| Fact::Known(Cell::Number(number));
        let given = || [Fact::Unsupported, number(2), Fact::Empty, Fact::Missing, number(1)];
        assert_eq!(one_column("uses", given()), [4, 1, 2, 3, 0]);
        assert_eq!(one_column("-uses", given()), [1, 4, 2, 3, 0]);
    }

    #[test]
    fn numbers_are_sorted_by_value_and_before_text() {
        let number = |digits: &str| Fact::Known(Cell::Decimal(Decimal(digits.to_owned())));
        let ordered = ["-2", "9", "10.0", "18446744073709551616", "18446744073709551617", "1e400"].map(number);
        let ordered: Vec<_> = ordered.into_iter().chain([Cell::text("1"), Cell::text("a"), Fact::Empty]).collect();
        assert_eq!(one_column("metadata.n", ordered.into_iter().rev()), [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn times_text_and_lists_are_sorted_as_they_compare() {
        let time = |text: &str| Fact::Known(Cell::Time(text.parse().unwrap()));
        let times =
            ["2026-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z"];
        assert_eq!(one_column("uses", times.map(time)), [1, 3, 2, 0]);
        assert_eq!(one_column("uses", ["b", "ab", "a", ""].map(Cell::text)), [3, 2, 1, 0]);
        assert_eq!(one_column("-uses", ["b", "ab", "a", ""].map(Cell::text)), [0, 1, 2, 3]);
        let list = |all: &[&str]| Fact::Known(Cell::List(all.iter().map(ToString::to_string).collect()));
        assert_eq!(one_column("uses", [list(&["a", "b"]), list(&["a"]), list(&[]), list(&["ab"])]), [2, 1, 0, 3]);
    }

    #[test]
    fn a_second_field_decides_where_the_first_is_alike_and_equal_rows_stay_as_they_came() {
        let row = |number: Option<u64>, name: &str| {
            vec![number.map_or(Fact::Missing, |number| Fact::Known(Cell::Number(number))), Cell::text(name)]
        };
        let rows = || vec![row(None, "b"), row(Some(1), "b"), row(Some(1), "a"), row(None, "a"), row(Some(1), "a")];
        assert_eq!(sorted(&["uses", "name"], rows()), [2, 4, 1, 3, 0]);
        assert_eq!(sorted(&["uses", "-name"], rows()), [1, 2, 4, 0, 3]);
    }

    #[test]
    fn a_row_that_waits_takes_its_bytes_and_little_more() {
        let mut held = Held::new(vec![Sort::parse::<Bean>("uses").unwrap()]);
        let time = Fact::Known(Cell::Time("2026-01-01T00:00:00Z".parse().unwrap()));
        held.push(&Bean { cells: vec![time, Fact::Empty] }, &[7; 100]);
        let block = &held.rows[0];
        assert!(block.bytes.len() + size_of::<Block>() <= 100 + 64, "{}", block.bytes.len());
        assert_eq!((held.len(), held.iter().next()), (1, Some(&[7; 100][..])));
    }
}
