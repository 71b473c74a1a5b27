//! How long a server wants to be left alone: every form in which it may say so.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;

/// The delay that an answer names: `retry-after-ms`, then `Retry-After`, then `from_body`, where the vendor put it.
///
/// A form that cannot be read counts as absent; of several values of one header the longest counts. A date is measured
/// against the answer's own `Date`, if it has one, so that a wrong clock here does not shorten the wait; a date that is
/// past is a delay of nothing.
pub(crate) fn server_delay(headers: &HeaderMap, from_body: Option<Duration>, now: Timestamp) -> Option<Duration> {
    let longest = |name: &str, read: &dyn Fn(&str) -> Option<Duration>| {
        let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        texts.filter_map(|text| read(text.trim())).max()
    };
    let until = |text: &str| {
        let until = httpdate::parse_http_date(text).ok()?;
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        let from = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        // Only a platform with a narrower clock than `Timestamp`'s years has no such time.
        let from = from.or_else(|| SystemTime::try_from(now).ok())?;
        Some(until.duration_since(from).unwrap_or_default())
    };
    longest("retry-after-ms", &|text| decimal(text, 1e-3))
        .or_else(|| longest(RETRY_AFTER.as_str(), &|text| decimal(text, 1.0).or_else(|| until(text))))
        .or(from_body)
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
        server_delay(&map, from_body.map(Duration::from_secs), Timestamp::from_second(NOW).unwrap())
    }

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
        ];
        for (headers, from_body, expected) in table {
            assert_eq!(delay(headers, *from_body), *expected, "{headers:?} {from_body:?}");
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
            let _ = server_delay(&headers, None, Timestamp::from_second(NOW).unwrap());
        }

        #[test]
        fn every_number_of_seconds_is_obeyed_exactly(seconds in 0_u32..) {
            prop_assert_eq!(delay(&[("retry-after", &seconds.to_string())], None), Some(Duration::from_secs(seconds.into())));
        }
    }
}
