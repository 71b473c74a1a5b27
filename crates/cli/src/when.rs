//! Points in time as people write them: a span from now, a date, or a time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::text::shown;

/// A point in time as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// A span from or before now.
    Span(Span),
    /// A date or a time.
    At(Timestamp),
}

impl When {
    /// Reads a span (`30d`, `2w`, `1y 6mo`), a date (midnight in UTC) or an RFC 3339 time.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        if let Ok(date) = text.parse::<Date>() {
            let midnight = date.to_zoned_datetime(TimeZone::UTC).map_err(|error| error.to_string())?;
            return Ok(Self::At(midnight.timestamp()));
        }
        text.parse().map(Self::Span).map_err(|_| {
            format!("`{}` is no point in time; write a span (30d, 12h), a date (2027-01-31) or a time (2027-01-31T12:00:00Z)", shown(text))
        })
    }

    /// The instant, a span being counted from `now` on.
    pub(crate) fn ahead_of(self, now: Timestamp) -> Result<Timestamp, String> {
        match self {
            Self::At(at) => Ok(at),
            Self::Span(span) => counted(now, span),
        }
    }

    /// The instant, a span being counted back from `now`.
    pub(crate) fn before(self, now: Timestamp) -> Result<Timestamp, String> {
        match self {
            Self::At(at) => Ok(at),
            Self::Span(span) => counted(now, -span),
        }
    }
}

/// For clap: a point in time that a key can end at.
pub(crate) fn parse_ahead(text: &str) -> Result<When, String> {
    let when = When::parse(text)?;
    when.ahead_of(Timestamp::now())?;
    Ok(when)
}

/// Days, months and years are those of the calendar in UTC. Nobody who writes a span means the parts of a second that
/// `now` has, and not every vendor takes them: they are cut off.
fn counted(now: Timestamp, span: Span) -> Result<Timestamp, String> {
    let then = now.to_zoned_datetime(TimeZone::UTC).checked_add(span).map_err(|error| error.to_string())?;
    Timestamp::from_second(then.timestamp().as_second()).map_err(|error| error.to_string())
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
    fn spans_dates_and_times_are_read() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, ahead, before) in [
            ("30d", "2026-03-02T12:00:00Z", "2026-01-01T12:00:00Z"),
            ("2w", "2026-02-14T12:00:00Z", "2026-01-17T12:00:00Z"),
            ("12h", "2026-02-01T00:00:00Z", "2026-01-31T00:00:00Z"),
            ("1mo", "2026-02-28T12:00:00Z", "2025-12-31T12:00:00Z"),
            ("1y 1d", "2027-02-01T12:00:00Z", "2025-01-30T12:00:00Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z", "2027-01-31T00:00:00Z"),
            ("2027-01-31T12:00:00+01:00", "2027-01-31T11:00:00Z", "2027-01-31T11:00:00Z"),
        ] {
            let when = When::parse(text).unwrap();
            assert_eq!(when.ahead_of(now), Ok(at(ahead)), "{text}");
            assert_eq!(when.before(now), Ok(at(before)), "{text}");
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
        for text in ["", "soon", "30", "30 parsecs", "2027-13-01", "2027-01-31T25:00:00Z"] {
            assert!(When::parse(text).unwrap_err().contains("30d"), "{text}");
        }
        assert!(parse_ahead("19000y").is_err(), "beyond the calendar");
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
