//! What a wait is made of: the time that the server named, how it is spread, and what has to be left for the attempt.

use std::time::Duration;

use crate::clock::Randomness;

/// No vendor answers in less. A wait that would leave no more than this for the attempt after it is not begun: the
/// attempt could only turn what is known now into a time-out.
pub(crate) const SHORTEST_ATTEMPT: Duration = Duration::from_millis(20);

/// To a wait up to a tenth is added, at most this much, so that clients which were told the same do not come back
/// together.
const MAX_SPREAD: Duration = Duration::from_secs(1);

/// Whether enough of `remaining` is left for an attempt after `wait`.
pub(crate) fn leaves_time(wait: Duration, remaining: Duration) -> bool {
    wait.saturating_add(SHORTEST_ATTEMPT) < remaining
}

/// How long the server wants to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerDelay(Duration);

impl ServerDelay {
    /// The delay of an error that names a time at which the server wants to be asked again: an invitation. "Now" is no
    /// such time: without a wait of our own, a failing server would be asked as fast as it fails.
    pub(crate) fn invited(retry_after: Option<Duration>) -> Option<Self> {
        retry_after.filter(|delay| !delay.is_zero()).map(Self)
    }

    /// What remains of a stop.
    pub(crate) fn of_stop(remaining: Duration) -> Self {
        Self(remaining)
    }

    pub(crate) fn as_duration(self) -> Duration {
        self.0
    }

    /// What is added to the delay, never more than `most`.
    pub(crate) fn spread(self, random: Fraction, most: Duration) -> Duration {
        random.of((self.0 / 10).min(MAX_SPREAD).min(most))
    }
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fraction(f64);

impl Fraction {
    /// Draws one. The source may be the application's own, and its mistake must not panic here: what is no such number
    /// counts as 1.
    pub(crate) fn draw(source: &dyn Randomness) -> Self {
        Self::new(source.fraction())
    }

    pub(crate) fn new(number: f64) -> Self {
        Self(if (0.0..=1.0).contains(&number) { number } else { 1.0 })
    }

    /// This part of `whole`.
    pub(crate) fn of(self, whole: Duration) -> Duration {
        Duration::try_from_secs_f64(whole.as_secs_f64() * self.0).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_delay_is_spread_by_a_tenth_a_second_or_what_there_is_room_for() {
        let spread = |delay: Duration, random, most| ServerDelay(delay).spread(Fraction::new(random), most);
        assert_eq!(spread(5 * SECOND, 1.0, Duration::MAX), SECOND / 2);
        assert_eq!(spread(5 * SECOND, 0.5, Duration::MAX), SECOND / 4);
        assert_eq!(spread(3600 * SECOND, 1.0, Duration::MAX), SECOND);
        assert_eq!(spread(Duration::MAX, 1.0, SECOND / 8), SECOND / 8);
        assert_eq!(spread(Duration::ZERO, 1.0, Duration::MAX), Duration::ZERO);
    }

    #[test]
    fn a_random_number_that_is_none_counts_as_one() {
        for wrong in [f64::NAN, f64::INFINITY, -0.5, 7.0] {
            assert_eq!(Fraction::new(wrong), Fraction(1.0));
        }
        assert_eq!(Fraction::new(1.0).of(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn now_is_no_invitation() {
        assert_eq!(ServerDelay::invited(None), None);
        assert_eq!(ServerDelay::invited(Some(Duration::ZERO)), None);
        assert_eq!(ServerDelay::invited(Some(SECOND)), Some(ServerDelay(SECOND)));
    }

    #[test]
    fn a_wait_leaves_time_for_an_attempt() {
        assert!(!leaves_time(SECOND, SECOND + SHORTEST_ATTEMPT));
        assert!(leaves_time(SECOND, SECOND + 2 * SHORTEST_ATTEMPT));
        assert!(!leaves_time(Duration::MAX, Duration::MAX));
    }
}
