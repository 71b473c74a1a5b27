//! How the columns of a table share the width of a terminal. What a person decides on is never cut: states, times and numbers are
//! whole or their column is left out and named.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::rows::Cut;

/// Spaces between two columns.
pub(super) const GAP: usize = 2;

/// What one column needs, in characters of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// So that nothing of it is cut.
    pub(super) whole: usize,
    /// So that it is still of use.
    pub(super) least: usize,
    /// Whether a table may do without it.
    pub(super) spare: bool,
}

/// How a table fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The width of each column; `None`: it is left out.
    Columns(Vec<Option<usize>>),
    /// The columns do not fit beside each other: each row takes several lines.
    Rows,
}

/// Gives each column its width: all that it needs if there is room, else the widest that can be cut are cut first; then spare columns are
/// left out, the last first.
pub(super) fn fit(needs: &[Need], width: usize) -> Fit {
    let mut kept: Vec<bool> = vec![true; needs.len()];
    loop {
        let columns = || needs.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(need, _)| need);
        let gaps = GAP * columns().count().saturating_sub(1);
        let least: usize = columns().map(|need| need.least).sum();
        if least + gaps <= width {
            // The width above which those that can be cut are cut.
            let room = |most: usize| columns().map(|need| need.whole.min(most.max(need.least))).sum::<usize>() + gaps;
            let widest = columns().map(|need| need.whole).max().unwrap_or(0);
            let most = (0..=widest).rev().find(|&most| room(most) <= width).unwrap_or(0);
            let mut left = width - room(most);
            let share = needs.iter().zip(&kept).map(|(need, kept)| {
                kept.then(|| {
                    let given = need.whole.min(most.max(need.least));
                    // What is left over of the last step goes to the first that has use for it.
                    let more = left.min(need.whole - given);
                    left -= more;
                    given + more
                })
            });
            return Fit::Columns(share.collect());
        }
        let Some(spare) = (0..needs.len()).rev().find(|&index| kept[index] && needs[index].spare) else {
            return Fit::Rows;
        };
        kept[spare] = false;
    }
}

/// How many columns of a terminal `text` takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `room` columns, with `…` where something is left out.
pub(super) fn cut(text: &str, room: usize, cut: Cut) -> String {
    if width(text) <= room || cut == Cut::Never {
        return text.to_owned();
    }
    let room = room.saturating_sub(1);
    let tail = if cut == Cut::Middle { room / 2 } else { 0 };
    let start: String = within(text.chars(), room - tail).collect();
    let mut end: Vec<char> = within(text.chars().rev(), tail).collect();
    end.reverse();
    format!("{start}…{}", end.into_iter().collect::<String>())
}

/// As many characters as fit.
fn within(chars: impl Iterator<Item = char>, room: usize) -> impl Iterator<Item = char> {
    let mut taken = 0;
    chars.take_while(move |c| {
        taken += c.width().unwrap_or(0);
        taken <= room
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(whole: usize, least: usize, spare: bool) -> Need {
        Need { whole, least, spare }
    }

    #[test]
    fn columns_share_the_width() {
        let reference = need(81, 24, false);
        let name = need(30, 12, false);
        let status = need(8, 8, false);
        let time = |spare| need(13, 13, spare);
        let table = [
            (vec![need(5, 5, false), need(7, 7, false)], 14, Fit::Columns(vec![Some(5), Some(7)])),
            // The widest is cut first, and only as far as it must be.
            (vec![reference, name, status], 100, Fit::Columns(vec![Some(58), Some(30), Some(8)])),
            (vec![reference, name, status], 60, Fit::Columns(vec![Some(24), Some(24), Some(8)])),
            // A spare column goes before anything that cannot be cut is cut.
            (
                vec![reference, name, status, time(false), time(true), time(true)],
                80,
                Fit::Columns(vec![Some(24), Some(14), Some(8), Some(13), Some(13), None]),
            ),
            (
                vec![reference, name, status, time(false), time(true), time(true)],
                66,
                Fit::Columns(vec![Some(24), Some(15), Some(8), Some(13), None, None]),
            ),
            (vec![reference, name, status, time(false)], 62, Fit::Rows),
            (vec![need(81, 81, false)], 80, Fit::Rows),
            (vec![], 80, Fit::Columns(vec![])),
        ];
        for (needs, width, expected) in table {
            assert_eq!(fit(&needs, width), expected, "{needs:?} in {width}");
        }
    }

    #[test]
    fn what_is_cut_has_a_mark_and_no_more_columns_than_there_is_room() {
        let table = [
            ("abcdef", 6, Cut::End, "abcdef"),
            ("abcdefg", 6, Cut::End, "abcde…"),
            ("abcdefg", 6, Cut::Middle, "abc…fg"),
            ("abcdefg", 6, Cut::Never, "abcdefg"),
            // Wide characters take two columns, and none is halved.
            ("日本語日本語", 6, Cut::End, "日本…"),
            ("日本語日本語", 6, Cut::Middle, "日…語"),
            ("ab", 1, Cut::Middle, "…"),
            ("ab", 0, Cut::End, "…"),
        ];
        for (text, room, how, expected) in table {
            assert_eq!(cut(text, room, how), expected, "{text} in {room}");
        }
    }
}
