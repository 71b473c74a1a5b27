//! Times written as text: RFC 3339 and its relatives.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};

/// Where a text lies on the time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At this instant; the flag says that the text has no zone and was read as UTC.
    At(Timestamp, bool),
    /// On the last day of the calendar, or behind the last instant that can be told.
    Beyond,
    /// Before the first instant that can be told, or on a date of zeros.
    Before,
}

/// The last day that text can name: software writes it for "never".
const LAST_DAY: Date = Date::constant(9999, 12, 31);

/// `None`: no form of a time. Digits alone are a date if there are eight, and nothing else.
pub(super) fn place(text: &str) -> Option<Place> {
    let text = text.trim();
    // The date of zeros that databases write for none; no calendar has it.
    if text.starts_with("0000-00-00") || text == "00000000" {
        return Some(Place::Before);
    }
    let text = of_week_date(with_nine_digits(text));
    let pieces = Pieces::parse(&*text).ok()?;
    let civil = DateTime::from_parts(pieces.date(), pieces.time().unwrap_or(Time::midnight()));
    if pieces.date() == LAST_DAY {
        return Some(Place::Beyond);
    }
    let (zone, assumed) = match (pieces.to_numeric_offset(), pieces.time_zone_annotation()) {
        (Some(offset), _) => (TimeZone::fixed(offset), false),
        // A named zone that this build does not know leaves the instant open.
        (None, Some(zone)) => (zone.to_time_zone().ok()?, false),
        (None, None) => (TimeZone::fixed(Offset::UTC), true),
    };
    Some(match zone.to_timestamp(civil) {
        Ok(at) => Place::At(at, assumed),
        Err(_) if civil.year() > 0 => Place::Beyond,
        Err(_) => Place::Before,
    })
}

/// The text with no more than nine digits of a fraction of a second, which is as fine as an instant is.
fn with_nine_digits(text: &str) -> Cow<'_, str> {
    let Some(point) = text.find(['.', ',']) else { return Cow::Borrowed(text) };
    let (before, fraction) = text.split_at(point + 1);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{before}{}{}", &fraction[..9], &fraction[digits..]))
}

/// The text with the date of a week (`2024-W49-2`) as a date of a month.
fn of_week_date(text: Cow<'_, str>) -> Cow<'_, str> {
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    match text[..end].parse::<ISOWeekDate>() {
        Ok(week) => Cow::Owned(format!("{}{}", week.date(), &text[end..])),
        Err(_) => text,
    }
}
