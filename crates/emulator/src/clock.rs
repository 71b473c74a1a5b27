//! The time that all vendors of one emulator share.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::lock::locked;

const MICROS: u64 = 1_000_000;

/// Real time and what it was moved ahead by, or a time that stands still.
#[derive(Debug)]
pub(crate) struct Clock {
    started: std::time::Instant,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Goes on from this time, which it showed when it was started.
    Running(Micros),
    Stopped(Micros),
}

impl Default for Clock {
    fn default() -> Self {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).map_or(Micros(0), Micros::from);
        // Counted from here by a clock that cannot be set back.
        Self { started: std::time::Instant::now(), state: Mutex::new(State::Running(real)) }
    }
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        self.micros().instant()
    }

    pub(crate) fn micros(&self) -> Micros {
        self.read(*locked(&self.state))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let (State::Running(time) | State::Stopped(time)) = &mut *locked(&self.state);
        *time = time.plus(Micros::from(by));
    }

    pub(crate) fn stop(&self) {
        let mut state = locked(&self.state);
        *state = State::Stopped(self.read(*state));
    }

    fn read(&self, state: State) -> Micros {
        match state {
            State::Running(began) => began.plus(Micros::from(self.started.elapsed())),
            State::Stopped(at) => at,
        }
    }
}

/// Microseconds: since 1970, or of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Micros(pub(crate) u64);

impl From<Duration> for Micros {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

impl Micros {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(crate) fn instant(self) -> Instant {
        Instant(self.0 / 1000)
    }

    /// The next whole second.
    pub(crate) fn rounded_up(self) -> Instant {
        Instant(self.0.div_ceil(MICROS) * 1000)
    }

    /// Seconds with what is there of a fraction: `1.5`.
    pub(crate) fn decimal(self) -> String {
        let text = format!("{}.{:06}", self.0 / MICROS, self.0 % MICROS);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
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

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(crate) fn imf_fixdate(self) -> String {
        let ((year, month, day), weekday, time) = self.parts();
        format!("{weekday:.3}, {day:02} {month} {year:04} {time} GMT")
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`.
    pub(crate) fn rfc850_date(self) -> String {
        let ((year, month, day), weekday, time) = self.parts();
        format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100)
    }

    /// `Sun Nov  6 08:49:37 1994`.
    pub(crate) fn asctime_date(self) -> String {
        let ((year, month, day), weekday, time) = self.parts();
        format!("{weekday:.3} {month} {day:2} {time} {year:04}")
    }

    /// Year, name of the month and day; name of the weekday; and the time of the day.
    fn parts(self) -> ((u64, &'static str, u64), &'static str, String) {
        let seconds = self.seconds();
        let days = seconds / 86_400;
        let (year, month, day) = date(days);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let named = |names: &'static [&'static str], number: u64| {
            usize::try_from(number).ok().and_then(|number| names.get(number)).copied().unwrap_or_default()
        };
        // 1970 began on a Thursday.
        let (weekday, month) = (named(&WEEKDAYS, days % 7), named(&MONTHS, month - 1));
        ((year, month, day), weekday, format!("{hour:02}:{minute:02}:{second:02}"))
    }

    /// `2026-02-03T10:20:30.123000Z`.
    pub(crate) fn with_micros(self) -> String {
        self.text(&format!(".{:03}000", self.0 % 1000))
    }
}

const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
    fn instants_are_written_in_the_three_forms_of_http() {
        for (seconds, imf, rfc850, asctime) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT", "Thursday, 01-Jan-70 00:00:00 GMT", "Thu Jan  1 00:00:00 1970"),
            (
                784_111_777,
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov  6 08:49:37 1994",
            ),
            (
                1_798_761_599,
                "Thu, 31 Dec 2026 23:59:59 GMT",
                "Thursday, 31-Dec-26 23:59:59 GMT",
                "Thu Dec 31 23:59:59 2026",
            ),
        ] {
            let instant = Instant(seconds * 1000);
            assert_eq!(
                (instant.imf_fixdate().as_str(), instant.rfc850_date().as_str(), instant.asctime_date().as_str()),
                (imf, rfc850, asctime)
            );
        }
    }

    #[test]
    fn waits_are_rounded_up_and_written_exactly() {
        for (micros, seconds, decimal) in [
            (0, 0, "0"),
            (1, 1, "0.000001"),
            (1_000_000, 1, "1"),
            (1_500_000, 2, "1.5"),
            (10_000_000, 10, "10"),
            (3_600_000_000, 3600, "3600"),
        ] {
            assert_eq!((Micros(micros).rounded_up().seconds(), Micros(micros).decimal().as_str()), (seconds, decimal));
        }
    }

    #[test]
    fn the_clock_goes_ahead_and_never_overflows() {
        let clock = Clock::default();
        let before = clock.micros();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.micros() >= before.plus(Micros(3_600_000_000)));
        clock.advance(Duration::MAX);
        assert_eq!(clock.micros(), Micros(u64::MAX));
    }

    #[test]
    fn a_stopped_clock_moves_by_what_it_is_moved() {
        let clock = Clock::default();
        clock.stop();
        let stopped = clock.micros();
        clock.advance(Duration::from_micros(1));
        clock.stop();
        assert_eq!(clock.micros(), stopped.plus(Micros(1)));
    }
}
