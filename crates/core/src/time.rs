//! Times as vendors write them, and as the record has them.

mod text;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use self::text::Place;
use crate::drift::{DriftKind, DriftNotes, TimeUnit};
use crate::fact::Fact;

/// A time exactly as a vendor sent it. [`read`](VendorTime::read) tells the instant.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum VendorTime {
    /// Text, in whatever form.
    Text(String),
    /// A whole number, in whatever unit.
    Integer(i64),
    /// A number with a fraction, or one too large for the variant above.
    Float(f64),
}

impl fmt::Display for VendorTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
        }
    }
}

/// The form in which a vendor documents a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeForm {
    /// RFC 3339 text, or text whose form is not stated.
    Text,
    /// Whole seconds since the Unix epoch.
    UnixSeconds,
    /// A whole number whose unit is documented nowhere.
    UnitlessInteger,
    /// The same, where the user has chosen the unit.
    ChosenUnit(TimeUnit),
}

/// What a reading of a [`VendorTime`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The instant, if the form could be read and the value stands for one.
    pub instant: Option<Timestamp>,
    /// Text without a zone, read as UTC.
    pub zone_assumed: bool,
    /// The unit of a number: the documented or chosen one, else the one that its magnitude tells.
    pub unit: Option<TimeUnit>,
    /// The form could be read, and the value is not taken at its word: at or before 1970-01-01T00:00:00Z, where there is
    /// no instant; or on the last day of the year 9999 or behind the calendar, where the instant is
    /// [`Timestamp::MAX`]. Software writes such values for "never".
    pub odd: bool,
}

/// From here on a number without a documented unit is read as milliseconds: as seconds it would lie in the year 5138 or
/// later.
const MILLISECONDS_FROM: f64 = 1e11;

/// The last day of the year 9999 in seconds, which stands for "never" and not for milliseconds of 1978.
const LAST_DAY: std::ops::Range<f64> = 253_402_214_400.0..253_402_300_800.0;

/// Below this, a number is no Unix time where none is documented: it has fewer than nine digits, and lies before 1973.
const UNIX_TIME_FROM: f64 = 1e8;

impl VendorTime {
    /// Reads the time leniently against the documented form.
    ///
    /// - Text is RFC 3339 or a relative of it (basic forms, a space or lower case letters as separators, dates alone,
    ///   week dates); without a zone it is UTC. More than nine digits of a fraction are cut off.
    /// - A number has the documented unit, or the one that the user chose. Its magnitude decides where there is neither: from
    ///   10^11 on it is milliseconds, below seconds. Where text is documented, a number of fewer than nine digits is no time.
    /// - Digits in text are a number where a number is documented; where text is, they are a date if there are eight,
    ///   and cannot be read otherwise.
    #[must_use]
    pub fn read(&self, documented: TimeForm) -> Reading {
        match self {
            Self::Text(text) => read_text(text.trim(), documented),
            #[expect(clippy::cast_precision_loss, reason = "exact up to the year 285,000,000")]
            Self::Integer(number) => read_number(*number as f64, documented),
            Self::Float(number) => read_number(*number, documented),
        }
    }

    /// The instant as a fact of the record, with a drift note at `path` for everything that `documented` does not say.
    ///
    /// What is not taken at its word ([`Reading::odd`]) is noted as an undocumented value.
    pub fn resolve(&self, path: &str, documented: TimeForm, notes: &mut DriftNotes) -> Fact<Timestamp> {
        let reading = self.read(documented);
        if reading.odd {
            // What stands behind the time itself is not needed to see what it is.
            notes.unknown_value(path, self.to_string().split('[').next().unwrap_or_default());
            return reading.instant.map_or(Fact::Missing, Fact::Known);
        }
        let Some(instant) = reading.instant else {
            notes.add(path, DriftKind::UnreadableTime);
            return Fact::Missing;
        };
        if reading.zone_assumed {
            notes.add(path, DriftKind::ZoneAssumed);
        }
        let is_text = matches!(self, Self::Text(_));
        match (documented, reading.unit) {
            (TimeForm::UnitlessInteger | TimeForm::ChosenUnit(_), Some(unit)) if !is_text => {
                notes.add(path, DriftKind::UnitAssumed(unit));
            }
            (TimeForm::UnixSeconds, Some(_)) if matches!(self, Self::Integer(_)) => {}
            (TimeForm::Text, None) => {}
            _ => notes.add(path, DriftKind::TimeForm),
        }
        Fact::Known(instant)
    }
}

const UNREADABLE: Reading = Reading { instant: None, zone_assumed: false, unit: None, odd: false };

/// Behind everything that is taken at its word.
const BEYOND: Reading = Reading { instant: Some(Timestamp::MAX), odd: true, ..UNREADABLE };

/// At or before the epoch.
const BEFORE: Reading = Reading { odd: true, ..UNREADABLE };

fn read_number(number: f64, documented: TimeForm) -> Reading {
    if !number.is_finite() {
        return UNREADABLE;
    }
    if number <= 0.0 {
        return BEFORE;
    }
    let unit = match documented {
        TimeForm::UnixSeconds => TimeUnit::Seconds,
        TimeForm::ChosenUnit(unit) => unit,
        TimeForm::Text if number < UNIX_TIME_FROM => return UNREADABLE,
        TimeForm::Text | TimeForm::UnitlessInteger if LAST_DAY.contains(&number) => return BEYOND,
        TimeForm::Text | TimeForm::UnitlessInteger if number < MILLISECONDS_FROM => TimeUnit::Seconds,
        TimeForm::Text | TimeForm::UnitlessInteger => TimeUnit::Milliseconds,
    };
    let milliseconds = if unit == TimeUnit::Seconds { number * 1000.0 } else { number };
    // The cast saturates, and jiff refuses what lies outside its range.
    #[expect(clippy::cast_possible_truncation, reason = "fractions below a millisecond carry no meaning here")]
    match Timestamp::from_millisecond(milliseconds.round() as i64) {
        Ok(at) if at > Timestamp::UNIX_EPOCH => Reading { instant: Some(at), unit: Some(unit), ..UNREADABLE },
        Ok(_) => BEFORE,
        Err(_) => BEYOND,
    }
}

fn read_text(text: &str, documented: TimeForm) -> Reading {
    if let Some(number) = digits(text).filter(|number| documented != TimeForm::Text || *number <= 0.0) {
        // A date has eight digits, and a Unix time has more.
        if number <= 0.0 || number >= UNIX_TIME_FROM {
            return read_number(number, documented);
        }
    }
    match text::place(text) {
        Some(Place::At(at, _)) if at <= Timestamp::UNIX_EPOCH => BEFORE,
        Some(Place::At(at, zone_assumed)) => Reading { instant: Some(at), zone_assumed, ..UNREADABLE },
        Some(Place::Before) => BEFORE,
        Some(Place::Beyond) => BEYOND,
        None => UNREADABLE,
    }
}

/// The number that a text of digits is, with a sign or a fraction at most.
fn digits(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (all(whole) && all(fraction)).then(|| text.parse().ok()).flatten()
}

/// Turns a vendor's field into the record's, keeping the state of a field without a value.
pub fn resolve_time(
    fact: &Fact<VendorTime>,
    path: &str,
    documented: TimeForm,
    notes: &mut DriftNotes,
) -> Fact<Timestamp> {
    fact.as_ref().and_then(|time| time.resolve(path, documented, notes))
}

impl<'de> Deserialize<'de> for VendorTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = VendorTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as text or as a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<VendorTime, E> {
                Ok(VendorTime::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<VendorTime, E> {
                Ok(VendorTime::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<VendorTime, E> {
                #[expect(clippy::cast_precision_loss, reason = "beyond every instant that can be read")]
                Ok(i64::try_from(number).map_or(VendorTime::Float(number as f64), VendorTime::Integer))
            }

            fn visit_f64<E>(self, number: f64) -> Result<VendorTime, E> {
                Ok(VendorTime::Float(number))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> VendorTime {
        VendorTime::Text(text.to_owned())
    }

    /// The fact and the kinds of the notes.
    fn resolved(time: &VendorTime, documented: TimeForm) -> (Fact<Timestamp>, Vec<DriftKind>) {
        let mut notes = DriftNotes::default();
        let fact = time.resolve("at", documented, &mut notes);
        (fact, notes.into_drift().into_iter().map(|note| note.kind).collect())
    }

    const MILLISECONDS: TimeForm = TimeForm::ChosenUnit(TimeUnit::Milliseconds);

    const FORMS: [TimeForm; 4] = [TimeForm::Text, TimeForm::UnixSeconds, MILLISECONDS, TimeForm::UnitlessInteger];

    #[test]
    fn every_form_that_a_vendor_may_send_gives_the_instant_and_its_note() {
        use TimeForm::{Text, UnitlessInteger, UnixSeconds};
        let unit = |unit| vec![DriftKind::UnitAssumed(unit)];
        let odd = || vec![DriftKind::TimeForm];
        let zone = || vec![DriftKind::ZoneAssumed];
        let table: &[(VendorTime, TimeForm, Vec<DriftKind>)] = &[
            (text("2024-12-03T14:45:53Z"), Text, vec![]),
            (text(" 2024-12-03T14:45:53Z\n"), Text, vec![]),
            (text("2024-12-03t14:45:53z"), Text, vec![]),
            (text("2024-12-03 14:45:53Z"), Text, vec![]),
            (text("20241203T144553Z"), Text, vec![]),
            (text("20241203T154553+0100"), Text, vec![]),
            (text("2024-W49-2T14:45:53Z"), Text, vec![]),
            (text("2024-12-03T14:45:53.000000Z"), Text, vec![]),
            (text("2024-12-03T14:45:53,000Z"), Text, vec![]),
            (text("2024-12-03T14:45:53.0000000000000001Z"), Text, vec![]),
            (text("2024-12-03T15:45:53+01:00"), Text, vec![]),
            (text("2024-12-03T15:45:53+01"), Text, vec![]),
            (text("2024-12-03T14:45:53-00:00"), Text, vec![]),
            (text("2024-12-03T14:45:53+00:00"), Text, vec![]),
            (text("2024-12-03T15:45:53+01:00[Europe/Berlin]"), Text, vec![]),
            (text("2024-12-03T14:45:53.000000"), Text, zone()),
            (text("2024-12-03 14:45:53"), Text, zone()),
            (text("20241203T144553"), Text, zone()),
            (VendorTime::Integer(1_733_237_153), Text, odd()),
            (VendorTime::Integer(1_733_237_153_000), Text, odd()),
            (VendorTime::Integer(1_733_237_153), UnixSeconds, vec![]),
            (text("1733237153"), UnixSeconds, odd()),
            (text("1733237153.0"), UnixSeconds, odd()),
            (VendorTime::Float(1_733_237_153.0), UnixSeconds, odd()),
            (text("2024-12-03T14:45:53Z"), UnixSeconds, odd()),
            (VendorTime::Integer(1_733_237_153_000), MILLISECONDS, unit(TimeUnit::Milliseconds)),
            (text("1733237153000"), MILLISECONDS, odd()),
            (VendorTime::Integer(1_733_237_153), UnitlessInteger, unit(TimeUnit::Seconds)),
            (VendorTime::Integer(1_733_237_153), TimeForm::ChosenUnit(TimeUnit::Seconds), unit(TimeUnit::Seconds)),
            (VendorTime::Integer(1_733_237_153_000), UnitlessInteger, unit(TimeUnit::Milliseconds)),
            (text("1733237153"), UnitlessInteger, odd()),
            (text("2024-12-03T14:45:53Z"), UnitlessInteger, odd()),
        ];
        let expected: Timestamp = "2024-12-03T14:45:53Z".parse().unwrap();
        for (time, documented, drift) in table {
            assert_eq!(resolved(time, *documented), (Fact::Known(expected), drift.clone()), "{time:?} {documented:?}");
        }
    }

    #[test]
    fn a_fraction_is_kept_to_the_nanosecond_and_a_leap_second_is_the_last_one() {
        for (written, instant) in [
            ("2024-12-03T14:45:53.1234567899Z", "2024-12-03T14:45:53.123456789Z"),
            ("2024-12-03T14:45:53.12345678901234567890+00:00", "2024-12-03T14:45:53.123456789Z"),
            ("2024-12-03T14:45:53.9999999999", "2024-12-03T14:45:53.999999999Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("2024-12-03", "2024-12-03T00:00:00Z"),
            ("20241203", "2024-12-03T00:00:00Z"),
            ("2024-W49-2", "2024-12-03T00:00:00Z"),
            ("2024-12-03T14", "2024-12-03T14:00:00Z"),
            ("2024-12-03T14:45", "2024-12-03T14:45:00Z"),
        ] {
            for documented in FORMS {
                let expected = Fact::Known(instant.parse().unwrap());
                assert_eq!(resolved(&text(written), documented).0, expected, "{written} {documented:?}");
            }
        }
    }

    #[test]
    fn the_documented_unit_is_used_whatever_the_magnitude() {
        let table = [
            (VendorTime::Integer(8), TimeForm::UnixSeconds, "1970-01-01T00:00:08Z"),
            (VendorTime::Integer(101_932_646_400), TimeForm::UnixSeconds, "5200-02-13T00:00:00Z"),
            (VendorTime::Integer(1_733_237_153), MILLISECONDS, "1970-01-21T01:27:17.153Z"),
            (VendorTime::Float(1.5), MILLISECONDS, "1970-01-01T00:00:00.002Z"),
            (text("101932646400"), TimeForm::UnixSeconds, "5200-02-13T00:00:00Z"),
        ];
        for (time, documented, instant) in table {
            let at = time.read(documented).instant.map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some(instant), "{time:?} {documented:?}");
        }
    }

    #[test]
    fn no_instant_until_the_epoch_is_taken_at_its_word() {
        let texts = [
            "0",
            "-1",
            "0.0",
            "0001-01-01T00:00:00Z",
            "0001-01-01",
            "00010101",
            "0000-00-00 00:00:00",
            "0000-00-00",
            "1970-01-01T00:00:00Z",
            "1970-01-01",
            "1970-01-01T01:00:00+01:00",
            "1969-12-31T23:59:59.999999999Z",
            "1601-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "-009999-01-01T00:00:00Z",
        ];
        let numbers = [0, -1, -62_135_596_800, i64::MIN];
        let floats = [0.0, -0.0, -1.5, 0.000_1];
        let all = texts.iter().map(|written| text(written)).chain(numbers.map(VendorTime::Integer));
        for time in all.chain(floats.map(VendorTime::Float)) {
            for documented in FORMS {
                // Less than a unit is no number of them.
                if time == VendorTime::Float(0.000_1) && documented == TimeForm::Text {
                    continue;
                }
                let (fact, notes) = resolved(&time, documented);
                assert_eq!(fact, Fact::Missing, "{time:?} {documented:?}");
                assert_eq!(notes, [DriftKind::UnknownValue(time.to_string())], "{time:?} {documented:?}");
            }
        }
    }

    #[test]
    fn the_last_day_and_what_lies_behind_it_is_held_at_the_last_instant() {
        let texts = [
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999999Z",
            "9999-12-31",
            "99991231",
            "9999-12-31 00:00:00",
            "9999-12-31T23:59:59+14:00",
            "9999-12-30T23:30:00Z",
            "9999-12-30T23:30:00-12:00",
        ];
        let numbers = [253_402_300_799_000, 8_640_000_000_000_000, i64::MAX];
        let all = texts.iter().map(|written| text(written)).chain(numbers.map(VendorTime::Integer));
        for time in all.chain([VendorTime::Float(1e300)]) {
            for documented in FORMS {
                let (fact, notes) = resolved(&time, documented);
                assert_eq!(fact, Fact::Known(Timestamp::MAX), "{time:?} {documented:?}");
                assert!(matches!(&*notes, [DriftKind::UnknownValue(_)]), "{time:?} {documented:?}: {notes:?}");
            }
        }
        for documented in [TimeForm::Text, TimeForm::UnixSeconds, TimeForm::UnitlessInteger] {
            for number in [253_402_214_400, 253_402_300_799] {
                let (fact, notes) = resolved(&VendorTime::Integer(number), documented);
                assert_eq!(fact, Fact::Known(Timestamp::MAX), "{number} {documented:?}");
                assert_eq!(notes, [DriftKind::UnknownValue(number.to_string())], "{number} {documented:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_missing_and_noted() {
        let everywhere = [
            "soon",
            "",
            "never",
            "2024-13-01T00:00:00Z",
            "2024-02-30",
            "2024-12-03T25:00:00Z",
            "2024-12-03T14:45:53Z and more",
            "2024-12-03T14:45:53+26:00",
            "2024-12-03T14:45:53[Nowhere/Atlantis]",
            "2024",
            "8",
            "2024-12",
            "NaN",
            "inf",
            "1e9",
            "1e300",
            "+1733237153",
            "0x6750",
            "1_733_237_153",
        ];
        let all = everywhere.iter().map(|written| text(written)).chain([VendorTime::Float(f64::INFINITY)]);
        for time in all {
            for documented in FORMS {
                let expected = (Fact::Missing, vec![DriftKind::UnreadableTime]);
                assert_eq!(resolved(&time, documented), expected, "{time:?} {documented:?}");
            }
        }
        // Digits are no text of a time, and few digits are no time where text is documented.
        let expected = (Fact::Missing, vec![DriftKind::UnreadableTime]);
        for digits in ["1733237153", "1733237153000", "20241203144553"] {
            assert_eq!(resolved(&text(digits), TimeForm::Text), expected, "{digits}");
        }
        for number in [1, 8, 3600, 20_241_203, 99_999_999] {
            assert_eq!(resolved(&VendorTime::Integer(number), TimeForm::Text), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn reading_any_text_never_panics(any in ".{0,60}") {
            for documented in FORMS {
                let _ = text(&any).read(documented);
            }
        }

        #[test]
        fn reading_anything_like_a_time_never_panics(any in "[-+]?[0-9]{0,9}[-W:.,]?[0-9]{0,4}[-:.,]?[0-9]{0,12}[TtZz +-]?[0-9:.,]{0,20}[\\[\\]A-Za-z/é-]{0,6}") {
            for documented in FORMS {
                let _ = text(&any).read(documented);
            }
        }
    }
}
