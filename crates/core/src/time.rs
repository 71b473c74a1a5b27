//! Times as vendors write them, and as the record has them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer};

use crate::drift::{DriftKind, Notes, TimeUnit};
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
}

/// What a reading of a [`VendorTime`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The instant, if the form could be read.
    pub instant: Option<Timestamp>,
    /// Text without a zone, read as UTC.
    pub zone_assumed: bool,
    /// The unit of a number, told by its magnitude: from 10^11 milliseconds, below seconds.
    pub unit: Option<TimeUnit>,
}

/// From here on a number is read as milliseconds: as seconds it would lie in the year 5138 or later.
const MILLISECONDS_FROM: f64 = 1e11;

impl VendorTime {
    /// Reads the time leniently: RFC 3339 and its relatives, text without a zone as UTC, seconds and milliseconds as
    /// numbers or as digits in text.
    #[must_use]
    pub fn read(&self) -> Reading {
        let number = match self {
            Self::Text(text) => match text.trim().parse::<f64>() {
                Ok(number) => number,
                Err(_) => return read_text(text.trim()),
            },
            #[expect(clippy::cast_precision_loss, reason = "exact up to the year 285,000,000")]
            Self::Integer(number) => *number as f64,
            Self::Float(number) => *number,
        };
        let (unit, milliseconds) = if number.abs() >= MILLISECONDS_FROM {
            (TimeUnit::Milliseconds, number)
        } else {
            (TimeUnit::Seconds, number * 1000.0)
        };
        // The cast saturates, and jiff refuses what lies outside its range.
        #[expect(clippy::cast_possible_truncation, reason = "fractions below a millisecond carry no meaning here")]
        let instant = Timestamp::from_millisecond(milliseconds.round() as i64).ok();
        Reading { instant: instant.filter(|_| number.is_finite()), zone_assumed: false, unit: Some(unit) }
    }

    /// The instant as a fact of the record, with a drift note at `path` for everything that `documented` does not say.
    pub fn resolve(&self, path: &str, documented: TimeForm, notes: &mut Notes) -> Fact<Timestamp> {
        let reading = self.read();
        let Some(instant) = reading.instant else {
            notes.add(path, DriftKind::UnreadableTime);
            return Fact::Missing;
        };
        if reading.zone_assumed {
            notes.add(path, DriftKind::ZoneAssumed);
        }
        let is_text = matches!(self, Self::Text(_));
        match (documented, reading.unit) {
            (TimeForm::UnitlessInteger, Some(unit)) if !is_text => notes.add(path, DriftKind::UnitAssumed(unit)),
            (TimeForm::UnixSeconds, Some(TimeUnit::Seconds)) if matches!(self, Self::Integer(_)) => {}
            (TimeForm::Text, None) => {}
            _ => notes.add(path, DriftKind::TimeForm),
        }
        Fact::Known(instant)
    }
}

fn read_text(text: &str) -> Reading {
    let zoned = text.parse::<Timestamp>().ok();
    let instant = zoned.or_else(|| {
        // jiff reads a date-time that has an offset as a civil one too; such text was refused above for a reason.
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    });
    Reading { instant, zone_assumed: zoned.is_none() && instant.is_some(), unit: None }
}

/// Turns a vendor's field into the record's, keeping the state of a field without a value.
pub fn resolve_time(fact: &Fact<VendorTime>, path: &str, documented: TimeForm, notes: &mut Notes) -> Fact<Timestamp> {
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

    #[test]
    fn every_form_that_a_vendor_may_send_gives_the_instant_and_its_note() {
        let unit = |unit| vec![DriftKind::UnitAssumed(unit)];
        let odd = || vec![DriftKind::TimeForm];
        let table: &[(VendorTime, TimeForm, Vec<DriftKind>)] = &[
            (text("2024-12-03T14:45:53Z"), TimeForm::Text, vec![]),
            (text("2024-12-03T14:45:53.000000Z"), TimeForm::Text, vec![]),
            (text("2024-12-03T15:45:53+01:00"), TimeForm::Text, vec![]),
            (text("2024-12-03T14:45:53.000000"), TimeForm::Text, vec![DriftKind::ZoneAssumed]),
            (text("2024-12-03 14:45:53"), TimeForm::Text, vec![DriftKind::ZoneAssumed]),
            (text("1733237153"), TimeForm::Text, odd()),
            (VendorTime::Integer(1_733_237_153), TimeForm::Text, odd()),
            (VendorTime::Integer(1_733_237_153), TimeForm::UnixSeconds, vec![]),
            (VendorTime::Integer(1_733_237_153_000), TimeForm::UnixSeconds, odd()),
            (VendorTime::Float(1_733_237_153.0), TimeForm::UnixSeconds, odd()),
            (text("2024-12-03T14:45:53Z"), TimeForm::UnixSeconds, odd()),
            (VendorTime::Integer(1_733_237_153), TimeForm::UnitlessInteger, unit(TimeUnit::Seconds)),
            (VendorTime::Integer(1_733_237_153_000), TimeForm::UnitlessInteger, unit(TimeUnit::Milliseconds)),
            (text("2024-12-03T14:45:53Z"), TimeForm::UnitlessInteger, odd()),
        ];
        let expected: Timestamp = "2024-12-03T14:45:53Z".parse().unwrap();
        for (time, documented, drift) in table {
            let mut notes = Notes::default();
            assert_eq!(time.resolve("at", *documented, &mut notes), Fact::Known(expected), "{time:?}");
            let kinds: Vec<_> = notes.into_drift().into_iter().map(|note| note.kind).collect();
            assert_eq!(&kinds, drift, "{time:?} against {documented:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_missing_and_noted() {
        for time in [
            text("soon"),
            text(""),
            text("2024-13-01T00:00:00Z"),
            text("NaN"),
            VendorTime::Integer(i64::MAX),
            VendorTime::Float(f64::INFINITY),
        ] {
            let mut notes = Notes::default();
            assert_eq!(time.resolve("at", TimeForm::Text, &mut notes), Fact::Missing, "{time:?}");
            assert_eq!(notes.into_drift(), [crate::Drift::new("at", DriftKind::UnreadableTime)]);
        }
    }

    proptest! {
        #[test]
        fn reading_any_text_never_panics(any in ".{0,60}") {
            let _ = text(&any).read();
        }
    }
}
