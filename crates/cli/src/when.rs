//! Points in time as people write them: a span from now, a date, or a time. A text is read whole or refused.

use jiff::civil::{Date, DateTime, ISOWeekDate};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ZonedDateTime};

use crate::text::shown;

/// A point in time as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// `now`.
    Now,
    /// A span from or before now.
    Span(Span),
    /// A day, in UTC.
    Day(Date),
    /// A time.
    At(Timestamp),
}

impl When {
    /// Reads `now`, a span (`30d`, `2w`, `1y 6mo`), a date, or a time; a time without a zone is one in UTC.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("now") {
            return Ok(Self::Now);
        }
        if let Some(point) = read_point(text) {
            return point;
        }
        if let Some(number) = minutes_or_months(text) {
            return Err(format!("`{}` may mean minutes or months; write {number}min or {number}mo", shown(text)));
        }
        text.parse().map(Self::Span).map_err(|_| {
            format!(
                "`{}` is no point in time; write a span (30d, 12h), a date (2027-01-31) or a time (2027-01-31T12:00:00Z)",
                shown(text)
            )
        })
    }

    /// The instant at which something is to end, a span being counted from `now` on. What ends on a day lasts that day.
    pub(crate) fn ahead_of(self, now: Timestamp) -> Result<Timestamp, String> {
        match self {
            Self::Now => Ok(now),
            Self::At(at) => Ok(at),
            Self::Day(day) => day_in_utc(day).map(|(_, last)| whole_second(last)),
            Self::Span(span) => counted(now, span),
        }
    }

    /// The first and the last instant that are meant: a day has many. A span is counted by `count`.
    pub(crate) fn bounds(self, now: Timestamp, count: Count) -> Result<(Timestamp, Timestamp), String> {
        let at = match self {
            Self::Day(day) => return day_in_utc(day),
            Self::Now => now,
            Self::At(at) => at,
            Self::Span(span) => counted(now, if count == Count::Back { -span } else { span })?,
        };
        Ok((at, at))
    }
}

/// In which direction a span is counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Ahead,
    Back,
}

/// For clap: a point in time that a key can end at.
pub(crate) fn parse_ahead(text: &str) -> Result<When, String> {
    let when = When::parse(text)?;
    when.ahead_of(Timestamp::now())?;
    Ok(when)
}

/// A date or a time; `None`: the text is none.
fn read_point(text: &str) -> Option<Result<When, String>> {
    if let Ok(week) = text.parse::<ISOWeekDate>() {
        return Some(Ok(When::Day(week.date())));
    }
    let pieces = Pieces::parse(text).ok()?;
    if pieces.date() == Date::MAX {
        return Some(Err(beyond()));
    }
    if pieces.time_zone_annotation().is_some() {
        // It has to agree with the offset, if there is one.
        let zoned = text.parse::<ZonedDateTime>().map(|zoned| When::At(zoned.timestamp()));
        return Some(zoned.map_err(|_| {
            format!(
                "the time zone of `{}` cannot be told; write its offset, as in 2027-01-31T12:00:00+01:00",
                shown(text)
            )
        }));
    }
    let Some(time) = pieces.time() else { return Some(Ok(When::Day(pieces.date()))) };
    let zone = TimeZone::fixed(pieces.to_numeric_offset().unwrap_or(Offset::UTC));
    let at = zone.to_timestamp(DateTime::from_parts(pieces.date(), time));
    Some(at.map(When::At).map_err(|_| beyond()))
}

fn beyond() -> String {
    format!(
        "that is beyond the last time that can be told, {}; what never ends is written without an end",
        whole_second(Timestamp::MAX)
    )
}

/// The first and the last instant of a day in UTC.
fn day_in_utc(day: Date) -> Result<(Timestamp, Timestamp), String> {
    let at = |civil| TimeZone::UTC.to_timestamp(civil).map_err(|_| beyond());
    Ok((at(day.to_datetime(jiff::civil::Time::MIN))?, at(day.to_datetime(jiff::civil::Time::MAX))?))
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The number before a lone `m`, which some take for minutes and some for months. Beside hours or seconds it is minutes.
fn minutes_or_months(text: &str) -> Option<&str> {
    let mut parts: Vec<(&str, &str)> = Vec::new();
    let mut rest = text.trim_start_matches(['-', '+', ' ']);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[start..];
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit = rest[number..].trim_start();
        let end = unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len());
        parts.push((&rest[..number], &unit[..end]));
        rest = &unit[end..];
    }
    if text.trim_start_matches(['-', '+']).starts_with(['P', 'p']) {
        return None;
    }
    let begins = |part: Option<&(&str, &str)>, letter| part.is_some_and(|(_, unit)| unit.starts_with(letter));
    let lone = parts.iter().enumerate().find(|(index, (_, unit))| {
        let beside_hours = *index > 0 && begins(parts.get(index - 1), 'h');
        matches!(*unit, "m" | "M") && !beside_hours && !begins(parts.get(index + 1), 's')
    });
    lone.map(|(_, (number, _))| *number)
}

/// Days, months and years are those of the calendar in UTC. Nobody who writes a span means the parts of a second that
/// `now` has, and not every vendor takes them: they are cut off.
fn counted(now: Timestamp, span: Span) -> Result<Timestamp, String> {
    let then = now.to_zoned_datetime(TimeZone::UTC).checked_add(span).map_err(|_| beyond())?;
    Ok(whole_second(then.timestamp()))
}

/// How far `at` is from `now`, in words and in its largest unit: `in 12 days`, `3 hours ago`, `now`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    const UNITS: [(i64, &str); 6] = [
        (365 * 86_400, "year"),
        (30 * 86_400, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let seconds = at.as_second() - now.as_second();
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| seconds.abs() >= *size) else {
        return "now".to_owned();
    };
    let count = seconds.abs() / size;
    let plural = if count == 1 { "" } else { "s" };
    if seconds > 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_of_a_point_in_time_is_read_whole() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, ahead) in [
            ("now", "2026-01-31T12:00:00Z"),
            ("30d", "2026-03-02T12:00:00Z"),
            ("2w", "2026-02-14T12:00:00Z"),
            ("12h", "2026-02-01T00:00:00Z"),
            ("6min", "2026-01-31T12:06:00Z"),
            ("6 minutes", "2026-01-31T12:06:00Z"),
            ("1h30m", "2026-01-31T13:30:00Z"),
            ("1h 30m", "2026-01-31T13:30:00Z"),
            ("5m30s", "2026-01-31T12:05:30Z"),
            ("PT6M", "2026-01-31T12:06:00Z"),
            ("P6M", "2026-07-31T12:00:00Z"),
            ("6mo", "2026-07-31T12:00:00Z"),
            ("1mo", "2026-02-28T12:00:00Z"),
            ("1y 1d", "2027-02-01T12:00:00Z"),
            // What ends on a day lasts that day.
            ("2027-01-31", "2027-01-31T23:59:59Z"),
            (" 2027-01-31 ", "2027-01-31T23:59:59Z"),
            ("20270131", "2027-01-31T23:59:59Z"),
            ("2027-W04-7", "2027-01-31T23:59:59Z"),
            ("2027-01-31T12:00:00+01:00", "2027-01-31T11:00:00Z"),
            ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
            ("2027-01-31t12:00:00z", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12:00Z", "2027-01-31T12:00:00Z"),
            ("20270131T120000Z", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12:00:00-00:00", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12:00:00+01:00[+01:00]", "2027-01-31T11:00:00Z"),
            // Without a zone it is UTC.
            ("2027-01-31T12:00", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12", "2027-01-31T12:00:00Z"),
            ("2027-01-31 12:00:30", "2027-01-31T12:00:30Z"),
            ("2027-01-31T12:00:00.5", "2027-01-31T12:00:00.5Z"),
            ("20270131T235959", "2027-01-31T23:59:59Z"),
            ("20270131T2359", "2027-01-31T23:59:00Z"),
            ("20270131 235959", "2027-01-31T23:59:59Z"),
            ("2027-01-31T23:59:60", "2027-01-31T23:59:59Z"),
            ("2027-01-31T00:00", "2027-01-31T00:00:00Z"),
        ] {
            assert_eq!(When::parse(text).and_then(|when| when.ahead_of(now)), Ok(at(ahead)), "{text}");
        }
    }

    #[test]
    fn a_span_is_counted_back_and_a_day_has_a_first_and_a_last_instant() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, first, last) in [
            ("30d", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"),
            ("1mo", "2025-12-31T12:00:00Z", "2025-12-31T12:00:00Z"),
            ("now", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z", "2027-01-31T23:59:59.999999999Z"),
            ("2027-01-31T12:00", "2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ] {
            let bounds = When::parse(text).unwrap().bounds(now, Count::Back);
            assert_eq!(bounds, Ok((at(first), at(last))), "{text}");
        }
    }

    #[test]
    fn a_span_ends_at_a_whole_second_and_a_time_stays_as_it_was_written() {
        let now = at("2026-01-31T12:00:00.987654321Z");
        let ahead = |text| When::parse(text).unwrap().ahead_of(now);
        assert_eq!(ahead("90d"), Ok(at("2026-05-01T12:00:00Z")));
        assert_eq!(ahead("2027-01-31T12:00:00.5Z"), Ok(at("2027-01-31T12:00:00.5Z")));
    }

    #[test]
    fn what_is_no_point_in_time_is_refused_with_examples() {
        for text in [
            "",
            "soon",
            "30",
            "30 parsecs",
            "2027-13-01",
            "2027-02-29",
            "2027-01-31T25:00:00Z",
            "2027-01-31T12:00:00.1234567890Z",
            "2027-01-31Z",
            "2027-01-31T12:00 or so",
            "2027-01",
            "2027",
            "1801439999",
        ] {
            assert!(When::parse(text).unwrap_err().contains("30d"), "{text}");
        }
        for text in
            ["2027-01-31T12:00[Nowhere/Atlantis]", "2027-01-31[Nowhere/Atlantis]", "2027-01-31T12:00+05:00[UTC]"]
        {
            assert!(When::parse(text).unwrap_err().contains("write its offset"), "{text}");
        }
    }

    #[test]
    fn minutes_and_months_are_not_taken_for_each_other() {
        for (text, number) in [
            ("6m", "6"),
            ("6M", "6"),
            ("-6m", "6"),
            ("1y6m", "6"),
            ("1y 6m", "6"),
            ("1d12m", "12"),
            ("1.5m", "1.5"),
            ("6 m", "6"),
        ] {
            let error = When::parse(text).unwrap_err();
            assert!(error.contains(&format!("{number}min or {number}mo")), "{text}: {error}");
        }
    }

    #[test]
    fn what_lies_beyond_the_calendar_is_refused_in_plain_words() {
        for text in ["9999-12-31", "99991231", "9999-12-31T23:59:59Z", "9999-12-30", "9999-12-30T23:00:00Z", "19000y"] {
            let error = parse_ahead(text).unwrap_err();
            assert!(error.contains("without an end") && error.contains("9999-12-30T22:00:00Z"), "{text}: {error}");
        }
    }

    #[test]
    fn a_distance_in_time_is_told_in_its_largest_unit() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, words) in [
            ("2026-01-31T12:00:00Z", "now"),
            ("2026-01-31T12:00:01Z", "in 1 second"),
            ("2026-01-31T11:58:01Z", "1 minute ago"),
            ("2026-02-12T12:00:00Z", "in 12 days"),
            ("2026-01-31T09:00:00Z", "3 hours ago"),
            ("2026-05-01T12:00:00Z", "in 3 months"),
            ("2024-01-31T12:00:00Z", "2 years ago"),
        ] {
            assert_eq!(relative(at(text), now), words, "{text}");
        }
    }
}
