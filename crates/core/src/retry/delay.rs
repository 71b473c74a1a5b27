//! How long a server wants to be left alone: every form in which it may say so.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// A header of a vendor's own that names a wait, and how its text reads. Of an answer with another status than 429 and
/// 503 it is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitHeader {
    /// The name, in lower case.
    pub name: &'static str,
    /// How its text reads.
    pub form: WaitForm,
}

/// How the text of a [`WaitHeader`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitForm {
    /// Milliseconds. It is looked at before `Retry-After`, which is coarser; headers of all other forms after it.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// The instant at which the wait ends, in seconds since 1970.
    UnixSeconds,
    /// The instant at which the wait ends, as RFC 3339 text.
    Instant,
    /// A duration with units: `1s`, `6m0s`, `20ms`.
    Duration,
}

/// What is longer than a year is no wait, but a date: the seconds, or the milliseconds, since 1970.
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// From here on a number of seconds since 1970 is one of milliseconds: it would be the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;

/// The delay that an answer names: `Retry-After`, which every vendor may send; then what the vendor's own `headers_of`
/// say, of which those in milliseconds come first; then `from_body`, where the vendor put it.
///
/// A form that cannot be read counts as absent; of several values of one header the longest counts. A date is measured
/// against the answer's own `Date`, if it has one, so that a wrong clock here does not shorten the wait; a date that is
/// past is a delay of nothing.
pub(crate) fn server_delay(
    headers: &HeaderMap,
    headers_of: &[WaitHeader],
    from_body: Option<Duration>,
    now: Timestamp,
) -> Option<Duration> {
    let now = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(date).unwrap_or(now);
    let longest = |name: &str, read: &dyn Fn(&str) -> Option<Duration>| {
        let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        texts.filter_map(|text| read(text.trim())).max()
    };
    let own = |precise: bool| {
        let mut own = headers_of.iter().filter(|header| (header.form == WaitForm::Milliseconds) == precise);
        own.find_map(|header| longest(header.name, &|text| header.form.read(text, now)))
    };
    own(true)
        .or_else(|| {
            longest(RETRY_AFTER.as_str(), &|text| {
                decimal(text, 1.0).map(|wait| wait_or_date(wait, now)).or_else(|| Some(until(date(text)?, now)))
            })
        })
        .or_else(|| own(false))
        .or_else(|| from_body.map(|wait| wait_or_date(wait, now)))
}

impl WaitForm {
    fn read(self, text: &str, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Milliseconds => decimal(text, 1e-3).map(|wait| wait_or_date(wait, now)),
            Self::Seconds => decimal(text, 1.0).map(|wait| wait_or_date(wait, now)),
            Self::UnixSeconds => Some(since_1970(decimal(text, 1.0)?, now)),
            Self::Instant => Some(until(text.parse().ok()?, now)),
            Self::Duration => Duration::try_from(text.parse::<SignedDuration>().ok()?).ok(),
        }
    }
}

/// A number that a server gave as a wait. Servers that mean a date write one in the same place.
fn wait_or_date(number: Duration, now: Timestamp) -> Duration {
    if number > YEAR { since_1970(number, now) } else { number }
}

fn since_1970(number: Duration, now: Timestamp) -> Duration {
    let at = if number.as_secs() >= MILLISECONDS { number / 1000 } else { number };
    let at = SignedDuration::try_from(at).ok().and_then(|at| Timestamp::UNIX_EPOCH.checked_add(at).ok());
    // What is beyond the calendar is a very long time, and not nothing.
    at.map_or(Duration::MAX, |at| until(at, now))
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// A date in any form that servers write: the three of RFC 9110, those of RFC 5322 with any of its zones, comments and
/// short years, with or without a weekday, which need not be the right one; and RFC 3339.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = httpdate::parse_http_date(text) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        return Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from(since).ok()?).ok();
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('T') {
        if let Ok(at) = text.parse() {
            return Some(at);
        }
    }
    let plain = without_comments(text)?;
    // The name of the weekday says nothing that the date does not.
    let day_first = match plain.split_once(',') {
        Some((weekday, rest)) if weekday.trim().bytes().all(|b| b.is_ascii_alphabetic()) => rest,
        _ => &plain,
    };
    let (day, rest) = day_first.trim().split_once(' ')?;
    // As in RFC 850: `06-Nov-94`.
    let day = day.replace('-', " ");
    DateTimeParser::new().parse_timestamp(format!("{day} {}", rest.trim())).ok()
}

/// `text` with a space in the place of each comment, which RFC 5322 allows wherever it allows white space. `None`: a
/// comment is not closed.
fn without_comments(text: &str) -> Option<String> {
    let (mut plain, mut depth, mut escaped) = (String::with_capacity(text.len()), 0_u32, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1)?;
                plain.push(' ');
            }
            c if depth == 0 => plain.push(if c.is_whitespace() { ' ' } else { c }),
            _ => {}
        }
    }
    (depth == 0).then_some(plain)
}

/// A plain decimal number of `unit` seconds: digits and at most one point. What is too large for a `Duration` is the
/// largest one: the server said "very long", not nothing.
pub(crate) fn decimal(text: &str, unit: f64) -> Option<Duration> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = if plain { text.parse().ok()? } else { return None };
    Some(Duration::try_from_secs_f64(number * unit).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const NOW: i64 = 784_111_777;

    fn delay(headers: &[(&'static str, &str)], from_body: Option<u64>) -> Option<Duration> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        server_delay(&map, OWN, from_body.map(Duration::from_secs), Timestamp::from_second(NOW).unwrap())
    }

    /// The headers of a vendor that documents one of each form.
    const OWN: &[WaitHeader] = &[
        WaitHeader { name: "x-retry-after", form: WaitForm::Seconds },
        WaitHeader { name: "retry-after-ms", form: WaitForm::Milliseconds },
        WaitHeader { name: "x-reset", form: WaitForm::UnixSeconds },
        WaitHeader { name: "x-reset-at", form: WaitForm::Instant },
        WaitHeader { name: "x-reset-in", form: WaitForm::Duration },
    ];

    /// Headers, the delay in the body, and what is read.
    type Row = (&'static [(&'static str, &'static str)], Option<u64>, Option<Duration>);

    #[test]
    fn every_form_is_read_in_its_order() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let table: &[Row] = &[
            (&[], None, None),
            (&[], Some(12), ms(12_000)),
            (&[("retry-after", "3")], None, ms(3000)),
            (&[("retry-after", " 3 ")], None, ms(3000)),
            (&[("retry-after", "0")], Some(9), ms(0)),
            (&[("retry-after", "1.5")], None, ms(1500)),
            (&[("retry-after", "3600")], None, ms(3_600_000)),
            (&[("retry-after-ms", "250")], None, ms(250)),
            (&[("retry-after-ms", "0.5")], None, Some(Duration::from_micros(500))),
            (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(9), ms(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "9")], None, ms(9000)),
            // The three date forms of RFC 9110, 10 s ahead.
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], None, ms(10_000)),
            (&[("retry-after", "Sunday, 06-Nov-94 08:49:47 GMT")], None, ms(10_000)),
            (&[("retry-after", "Sun Nov  6 08:49:47 1994")], None, ms(10_000)),
            // Past dates, and a server whose clock is an hour ahead of ours.
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")], None, ms(0)),
            (
                &[("retry-after", "Sun, 06 Nov 1994 09:49:47 GMT"), ("date", "Sun, 06 Nov 1994 09:49:37 GMT")],
                None,
                ms(10_000),
            ),
            // Of several, the longest.
            (&[("retry-after", "1"), ("retry-after", "30")], None, ms(30_000)),
            // What cannot be read counts as absent.
            (&[("retry-after", "soon")], Some(12), ms(12_000)),
            (&[("retry-after", "")], None, None),
            (&[("retry-after", "-5")], None, None),
            (&[("retry-after", "+5")], None, None),
            (&[("retry-after", "1e3")], None, None),
            (&[("retry-after", "inf")], None, None),
            (&[("retry-after", "NaN")], None, None),
            (&[("retry-after", "1.2.3")], None, None),
            (&[("retry-after", "5 seconds")], None, None),
            (&[("retry-after", "99999999999999999999999")], None, Some(Duration::MAX)),
            // More than a year is a date: Unix seconds, or milliseconds. So it is in a body.
            (&[("retry-after", "784111787")], None, ms(10_000)),
            (&[("retry-after", "784111787.5")], None, ms(10_500)),
            (&[("retry-after", "784111787000")], None, ms(10_000)),
            (&[("retry-after", "784111700")], None, ms(0)),
            (&[("retry-after", "31536000")], None, ms(31_536_000_000)),
            (&[("retry-after-ms", "784111787000")], None, ms(10_000)),
            (&[], Some(784_111_787), ms(10_000)),
            (&[], Some(784_111_787_000), ms(10_000)),
            // Headers that this vendor documents, after the one that everybody may send.
            (&[("x-retry-after", "7")], Some(9), ms(7000)),
            (&[("x-retry-after", "7"), ("retry-after", "3")], None, ms(3000)),
            (&[("x-reset", "784111787"), ("x-retry-after", "7")], None, ms(7000)),
            (&[("x-reset", "784111787")], None, ms(10_000)),
            (&[("x-reset", "12")], None, ms(0)),
            (&[("x-reset-at", "1994-11-06T08:49:47Z")], None, ms(10_000)),
            (&[("x-reset-in", "1m2s")], None, ms(62_000)),
            (&[("x-reset-in", "20ms")], None, ms(20)),
            (&[("x-reset-in", "soon")], None, None),
            (&[("x-ratelimit-reset", "9")], None, None),
        ];
        for (headers, from_body, expected) in table {
            assert_eq!(delay(headers, *from_body), *expected, "{headers:?} {from_body:?}");
        }
    }

    #[test]
    fn a_date_is_read_in_any_zone_and_form_that_servers_write() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:47 +0000", 10),
            ("Sun, 06 Nov 1994 08:49:47 -0000", 10),
            ("Sun, 06 Nov 1994 09:49:47 +0100", 10),
            ("Sun, 06 Nov 1994 14:19:47 +0530", 10),
            ("Sat, 05 Nov 1994 20:49:47 -1200", 10),
            ("Sun, 06 Nov 1994 08:49:47 UTC", 10),
            ("Sun, 06 Nov 1994 08:49:47 UT", 10),
            ("Sun, 06 Nov 1994 08:49:47 Z", 10),
            ("Sun, 06 Nov 1994 03:49:47 EST", 10),
            ("Sun, 06 Nov 1994 04:49:47 EDT", 10),
            ("Sun, 06 Nov 1994 02:49:47 CST", 10),
            ("Sun, 06 Nov 1994 03:49:47 CDT", 10),
            ("Sun, 06 Nov 1994 01:49:47 MST", 10),
            ("Sun, 06 Nov 1994 02:49:47 MDT", 10),
            ("Sun, 06 Nov 1994 00:49:47 PST", 10),
            ("Sun, 06 Nov 1994 01:49:47 PDT", 10),
            // RFC 5322 takes a military letter, and a zone that nobody knows, for UTC.
            ("Sun, 06 Nov 1994 08:49:47 A", 10),
            ("Sun, 06 Nov 1994 08:49:47 y", 10),
            ("Sun, 06 Nov 1994 08:49:47 +0000 (Coordinated (Universal) Time)", 10),
            ("Sun (day of rest), 06 Nov 1994 08:49:47 (UTC) gmt", 10),
            ("Sunday, 06 Nov 1994 08:49:47 +0000", 10),
            ("Sunday, 06-Nov-94 09:49:47 +0100", 10),
            ("6 Nov 94 08:49:47 +0000", 10),
            ("06 Nov 1994 08:49:47 GMT", 10),
            ("6 Nov 1994 08:50 GMT", 23),
            ("sun, 06 nov 1994 08:49:47 gmt", 10),
            ("Mon, 06 Nov 1994 08:49:47 GMT", 10),
            ("Sun,  06  Nov  1994  08:49:47  GMT", 10),
            ("1994-11-06T08:49:47Z", 10),
            ("1994-11-06T09:49:47.5+01:00", 10),
        ] {
            let wait = delay(&[("retry-after", text)], None);
            assert_eq!(wait.map(|wait| wait.as_secs()), Some(seconds), "{text}");
            let date = delay(&[("retry-after", "Sun, 06 Nov 1994 08:50:47 GMT"), ("date", text)], None);
            assert_eq!(
                date.map(|wait| wait.as_secs_f64().ceil()),
                Some(f64::from(u32::try_from(70 - seconds).unwrap())),
                "{text} as Date"
            );
        }
        for text in
            ["Sun, 06 Nov 1994", "Sun, 36 Nov 1994 08:49:47 GMT", "06 Nov 1994 08:49:47 ?", "(06 Nov 1994 08:49:47 GMT"]
        {
            assert_eq!(delay(&[("retry-after", text)], None), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_delay_or_none_and_never_panic(
            ms in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            after in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
            date in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        ) {
            let mut headers = HeaderMap::new();
            for (name, bytes) in [("retry-after-ms", ms), ("retry-after", after), ("date", date)] {
                if let Some(value) = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
                    headers.insert(name, value);
                }
            }
            let _ = server_delay(&headers, OWN, None, Timestamp::from_second(NOW).unwrap());
        }

        #[test]
        fn every_number_of_seconds_up_to_a_year_is_obeyed_exactly(seconds in 0_u32..=366 * 86_400) {
            prop_assert_eq!(delay(&[("retry-after", &seconds.to_string())], None), Some(Duration::from_secs(seconds.into())));
        }
    }
}
