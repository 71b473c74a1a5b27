//! A limit of requests: an exact window that slides on the emulator's clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Micros;
use crate::delay::DelayForm;

/// How many requests a vendor carries out, for each credential and each operation.
///
/// In no window of this length on the emulator's clock, wherever it begins, are there more of them, and there is no
/// burst beyond: all of a window's requests may come at once, and the next is admitted exactly one window after the
/// first of them. A refused request counts nothing. The wait that a refusal tells is how long it takes until a request
/// would be admitted.
///
/// ```
/// use std::time::Duration;
///
/// use keymux_emulator::{DelayForm, RateLimit};
///
/// let bursty = RateLimit::per_second(100);
/// let smooth = RateLimit::new(1, Duration::from_millis(10)).with_delay(DelayForm::Millis);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    requests: u32,
    window: Duration,
    delay: DelayForm,
}

impl RateLimit {
    /// So many requests in each second.
    #[must_use]
    pub fn per_second(requests: u32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    /// So many requests in each window. Windows are as fine as a microsecond.
    #[must_use]
    pub fn new(requests: u32, window: Duration) -> Self {
        Self { requests, window, delay: DelayForm::Own }
    }

    /// Sets how refusals tell the wait. Default: as the vendor does.
    #[must_use]
    pub fn with_delay(mut self, form: DelayForm) -> Self {
        self.delay = form;
        self
    }

    pub(crate) fn check(&self, own: &DelayForm) -> Result<(), String> {
        if self.requests == 0 {
            return Err("a limit of 0 requests; it has to admit at least 1".to_owned());
        }
        if Micros::from(self.window) == Micros(0) {
            return Err("a window below a microsecond".to_owned());
        }
        self.delay.check(own)
    }
}

/// So many requests in each second.
impl From<u32> for RateLimit {
    fn from(requests: u32) -> Self {
        Self::per_second(requests)
    }
}

/// A limit at work.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: RateLimit,
    /// When the last requests were admitted, oldest first, no more of them than the limit. By the credential's place
    /// and the operation.
    admitted: HashMap<(usize, &'static str), VecDeque<Micros>>,
}

/// A request that is too early, and how that is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooEarly {
    pub(crate) wait: Micros,
    pub(crate) form: DelayForm,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, admitted: HashMap::new() }
    }

    /// Admits a request, or says how long it would have to wait.
    pub(crate) fn admit(&mut self, credential: usize, operation: &'static str, now: Micros) -> Result<(), TooEarly> {
        let admitted = self.admitted.entry((credential, operation)).or_default();
        let is_full = u32::try_from(admitted.len()).map_or(true, |count| count >= self.limit.requests);
        if let Some(oldest) = admitted.front().filter(|_| is_full) {
            let free = oldest.plus(Micros::from(self.limit.window));
            if now < free {
                return Err(TooEarly { wait: free.minus(now), form: self.limit.delay.clone() });
            }
            admitted.pop_front();
        }
        admitted.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn limiter(requests: u32) -> Limiter {
        Limiter::new(RateLimit::per_second(requests))
    }

    #[test]
    fn no_window_of_a_second_holds_more_than_the_limit() {
        let mut limiter = limiter(7);
        // Asked every 10 ms for five seconds, from an odd moment on.
        let asked = (0..500).map(|step| Micros(123_457 + step * 10_000));
        let admitted: Vec<_> = asked.filter(|at| limiter.admit(0, "get", *at).is_ok()).collect();
        assert_eq!(admitted.len(), 35);
        for (place, first) in admitted.iter().enumerate() {
            let window = admitted[place..].iter().take_while(|at| at.0 < first.0 + SECOND).count();
            assert!(window <= 7, "{window} from {first:?} on");
        }
    }

    #[test]
    fn the_wait_that_is_told_is_exact() {
        let mut limiter = limiter(2);
        let at = |micros| Micros(5 * SECOND + micros);
        assert_eq!(limiter.admit(0, "get", at(0)), Ok(()));
        assert_eq!(limiter.admit(0, "get", at(300_000)), Ok(()));
        let wait = |micros| Err(TooEarly { wait: Micros(micros), form: DelayForm::Own });
        assert_eq!(limiter.admit(0, "get", at(300_001)), wait(699_999));
        assert_eq!(limiter.admit(0, "get", at(SECOND - 1)), wait(1));
        assert_eq!(limiter.admit(0, "get", at(SECOND)), Ok(()));
        assert_eq!(limiter.admit(0, "get", at(SECOND)), wait(300_000));
    }

    #[test]
    fn each_credential_and_operation_has_its_own_window() {
        let mut limiter = limiter(1);
        for (credential, operation) in [(0, "get"), (0, "list"), (1, "get")] {
            assert!(limiter.admit(credential, operation, Micros(0)).is_ok());
            assert!(limiter.admit(credential, operation, Micros(0)).is_err());
        }
    }
}
