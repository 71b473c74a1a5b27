//! The time that all vendors of one emulator share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Real time, and what it was moved ahead by.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: AtomicU64,
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        Instant(real.saturating_add(self.ahead.load(Ordering::SeqCst)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        // The closure never refuses, so that neither does the update.
        let _ =
            self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_add(millis(by))));
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) u64);

impl Instant {
    pub(crate) fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// `2026-02-03T10:20:30` and then `fraction`, in UTC.
    fn text(self, fraction: &str) -> String {
        let seconds = self.seconds();
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }

    /// `2026-02-03T10:20:30Z`.
    pub(crate) fn whole(self) -> String {
        self.text("")
    }

    /// `2026-02-03T10:20:30.123Z`.
    pub(crate) fn with_millis(self) -> String {
        self.text(&format!(".{:03}", self.0 % 1000))
    }

    /// `2026-02-03T10:20:30.123000Z`.
    pub(crate) fn with_micros(self) -> String {
        self.text(&format!(".{:03}000", self.0 % 1000))
    }
}

/// Year, month and day of a day since 1970, counted in eras of 400 years that begin in March.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_three_ways() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_733_237_153_007, "2024-12-03T14:45:53.007Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Instant(millis).with_millis(), text);
        }
        assert_eq!(Instant(1_733_237_153_007).whole(), "2024-12-03T14:45:53Z");
        assert_eq!(Instant(1_733_237_153_007).with_micros(), "2024-12-03T14:45:53.007000Z");
    }

    #[test]
    fn the_clock_goes_ahead_and_never_overflows() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() >= Instant(before.0 + 3_600_000));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Instant(u64::MAX));
    }
}
