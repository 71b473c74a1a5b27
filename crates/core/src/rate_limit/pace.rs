//! The pace of one endpoint class: a state machine without a clock, fed with the time and with what happened.
//!
//! A vendor's undeclared limit is found as TCP finds a path's: few requests in flight at first, more with each success.
//! The first refusal shows how many passed in the last second, which becomes the pace; from then on requests are spaced
//! evenly. A bucket of requests, or two windows of the vendor's clock, make that first estimate too high, at most twofold.
//! So each refusal narrows the limit from above, and what passed since the refusal before, stops included, or a pace
//! held for a while, from below. The next pace lies between, is held, and then rises to the one refused and past it:
//! a refusal now and then is the price of knowing. A declared limit is a pace from the start, and is never passed.

use std::time::Duration;

/// How many requests may be in flight once the vendor has answered one. Until then it is one, so that a credential that
/// is refused costs one request.
const FIRST_WINDOW: f64 = 2.0;

/// How much the window grows with each success, up to which window: how many requests are refused when the limit is met is
/// how many are in flight then, so that the window stays a small part of what has passed.
const GROWTH: [(f64, f64); 3] = [(4.0, 0.12), (96.0, 0.25), (f64::INFINITY, 0.1)];

/// So long after the last request another one may go even if none was answered: requests that hang hold up no others.
const STALL: Duration = Duration::from_millis(100);

/// How far a request that is late, because a timer was, is made up for.
const CATCH_UP: Duration = Duration::from_millis(5);

/// What is used of a declared limit: requests that leave evenly do not arrive so.
const MARGIN: f64 = 0.96;

/// The pace after a refusal, as a part of the one that was refused: of the first estimate, of a pace that had come to its
/// ceiling again, of one that had come near, of one between two bounds at most, and of one that no bucket explains.
const FIRST: f64 = 0.92;
const AT_CEILING: f64 = 0.96;
const NEAR_CEILING: f64 = 0.96;
const BETWEEN_AT_MOST: f64 = 0.97;
const OF_WINDOWS: f64 = 0.95;

/// A pace below this part of its ceiling rises soon.
const WIDE: f64 = 0.93;

/// So long, in units of the vendor's time, a pace is held before it rises, and so long it takes to rise far.
const HOLD: f64 = 2.0;
const RISE: f64 = 50.0;

/// The longest rise, in seconds.
const LONGEST_RISE: f64 = 300.0;

/// A refusal so soon after a stop, in units of the vendor's time, belongs to the one before: not all room is back at once.
const TOO_SOON: f64 = 0.3;

/// So long a learned pace begins after a refusal at least, even if the vendor names less: what is in flight arrives first.
const LULL: Duration = Duration::from_millis(250);

/// What a request that wants to leave is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ask {
    /// It leaves now.
    Go(Permit),
    /// It asks again at this time.
    At(Duration),
    /// It asks again after the next answer, or at this time.
    AfterAnswer(Duration),
}

/// What the pace has to know of a request when its answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permit {
    /// How many refusals had been obeyed when it left: of a volley only the first refusal counts.
    pub(super) refusals: u32,
    /// Whether the rate limiter, and not the application, set the pace.
    pub(super) held: bool,
}

#[derive(Debug)]
pub(super) struct Pace {
    /// Requests a second, as much as is used of what is declared.
    cap: Option<f64>,
    mode: Mode,
    /// Whether the vendor has answered.
    proven: bool,
    in_flight: u32,
    refusals: u32,
    /// When the last request left.
    last: Duration,
    /// Since when, but for stops, requests have been leaving, and how many have passed since.
    since: Option<Duration>,
    passed: u32,
    recent: Recent,
    cycle: Cycle,
    /// Requests a second that passed for a while since anything was refused below.
    low: f64,
    /// Whether a refusal came too soon after the one before to say anything.
    too_soon: bool,
}

/// From one refusal to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Cycle {
    began: Duration,
    passed: u32,
    /// How many requests a second passed in the one before.
    before: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    /// No limit is known: at most this many in flight.
    Opening {
        window: f64,
    },
    Paced {
        next: Duration,
        curve: Curve,
    },
}

/// The pace after a refusal, over the time in which it is used.
#[derive(Debug, Clone, Copy)]
struct Curve {
    /// Requests a second at first.
    start: f64,
    /// Requests a second that were refused.
    ceiling: f64,
    /// For how many seconds it stays at the start.
    hold: f64,
    /// In how many seconds it reaches the ceiling then.
    stretch: f64,
    /// For how many seconds it was used.
    used: f64,
    /// Over how many seconds a first estimate was measured: answers from before the stop are still counted in.
    span: Option<f64>,
}

impl Curve {
    /// Requests a second: even, then rising to the ceiling, and beyond it slowly first.
    fn pace(&self) -> f64 {
        let x = (self.used - self.hold).max(0.0) / self.stretch - 1.0;
        if x < 0.0 { self.ceiling + (self.ceiling - self.start) * x } else { self.ceiling * (1.0 + BEYOND * x.powi(3)) }
    }
}

/// The time between two requests.
fn gap(per_second: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
}

/// How steep the curve is beyond the ceiling.
const BEYOND: f64 = 0.2;

/// Of so many requests, and of so many stops, a refusal may cost one: the pace reaches its ceiling again no sooner.
const REQUESTS: f64 = 700.0;
const STOPS: f64 = 40.0;

/// How many passed in each eighth of the last second, and of the one eighth before.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    eighth: u64,
    counts: [u32; 9],
}

impl Recent {
    fn add(&mut self, now: Duration) {
        *self.at(now) += 1;
    }

    /// The count of the eighth that `now` is in.
    fn at(&mut self, now: Duration) -> &mut u32 {
        let eighth = now.as_secs() * 8 + u64::from(now.subsec_millis()) / 125;
        for old in (self.eighth + 1..=eighth).rev().take(9) {
            *self.count(old) = 0;
        }
        self.eighth = self.eighth.max(eighth);
        self.count(eighth)
    }

    fn count(&mut self, eighth: u64) -> &mut u32 {
        // Below 9.
        &mut self.counts[(eighth % 9) as usize]
    }

    fn per_second(&mut self, now: Duration) -> f64 {
        self.at(now);
        let part = f64::from(now.subsec_millis() % 125) / 125.0;
        let oldest = *self.count(self.eighth + 1);
        f64::from(self.counts.iter().sum::<u32>()) - part * f64::from(oldest)
    }
}

impl Pace {
    /// `declared` is in requests a second; `proven`: the vendor has answered a call of this account.
    pub(super) fn new(declared: Option<f64>, proven: bool) -> Self {
        let cap = declared.map(|limit| limit * MARGIN);
        let mode = match cap {
            Some(cap) => {
                let curve = Curve { start: cap, ceiling: cap, hold: 0.0, stretch: 1.0, used: 1.0, span: None };
                Mode::Paced { next: Duration::ZERO, curve }
            }
            None => Mode::Opening { window: FIRST_WINDOW },
        };
        let zero = Duration::ZERO;
        Self {
            cap,
            mode,
            proven,
            in_flight: 0,
            refusals: 0,
            last: zero,
            since: None,
            passed: 0,
            recent: Recent::default(),
            cycle: Cycle::default(),
            low: 0.0,
            too_soon: false,
        }
    }

    /// Requests a second, if there is a pace.
    pub(super) fn per_second(&self) -> Option<f64> {
        match &self.mode {
            Mode::Opening { .. } => None,
            Mode::Paced { curve, .. } => Some(self.cap.map_or(curve.pace(), |cap| curve.pace().min(cap))),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// A request wants to leave at `now`, in an account that is stopped until `stop`. It is counted as in flight if it
    /// may, until [`passed`](Self::passed), [`refused`](Self::refused) or [`lost`](Self::lost) tells its end.
    pub(super) fn ask(&mut self, now: Duration, stop: Duration) -> Ask {
        if now < stop {
            return Ask::At(stop);
        }
        let per_second = self.per_second();
        let window = match self.mode {
            _ if !self.proven => 1.0,
            Mode::Opening { window } => window,
            Mode::Paced { .. } => f64::INFINITY,
        };
        let stalled = self.last + STALL;
        if f64::from(self.in_flight) + 1.0 > window && now < stalled {
            return Ask::AfterAnswer(stalled);
        }
        let mut held = f64::from(self.in_flight + 1) * 2.0 > window;
        if let (Mode::Paced { next, .. }, Some(per_second)) = (&mut self.mode, per_second) {
            if now < *next {
                return Ask::At(*next);
            }
            let gap = gap(per_second);
            held = now.saturating_sub(*next) <= CATCH_UP.saturating_add(gap / 4);
            *next = (*next).max(now.saturating_sub(CATCH_UP)).saturating_add(gap);
        }
        self.since.get_or_insert(now);
        self.last = now;
        self.in_flight += 1;
        Ask::Go(Permit { refusals: self.refusals, held })
    }

    /// The vendor's limiter let the request pass.
    pub(super) fn passed(&mut self, permit: Permit, now: Duration) {
        self.lost();
        self.proven = true;
        let per_second = self.per_second();
        self.cycle.passed += 1;
        if permit.refusals != self.refusals {
            if let Mode::Paced { curve: Curve { start, ceiling, span: Some(span), .. }, .. } = &mut self.mode {
                *ceiling += 1.0 / *span;
                *start += FIRST / *span;
            }
            return;
        }
        self.passed += 1;
        self.recent.add(now);
        match &mut self.mode {
            _ if !permit.held => {}
            Mode::Opening { window } => {
                *window += GROWTH.iter().find(|(up_to, _)| *window < *up_to).map_or(0.0, |&(_, growth)| growth);
            }
            Mode::Paced { curve, .. } => {
                curve.span = None;
                curve.used += per_second.map_or(0.0, |pace| 1.0 / pace);
            }
        }
    }

    /// The vendor's limiter refused the request, and the account is stopped until `stop`; the pace begins `spread` later.
    pub(super) fn refused(&mut self, permit: Permit, now: Duration, stop: Duration, spread: Duration) {
        self.lost();
        self.proven = true;
        if permit.refusals != self.refusals {
            return;
        }
        self.refusals += 1;
        let told = stop.saturating_sub(now).as_secs_f64();
        // What passes uses a quota up. It is of a second or more, and of no less than the time until there is a new one.
        let unit = told.max(1.0);
        let ran = now.saturating_sub(self.since.unwrap_or(now)).as_secs_f64();
        let since_refusal = now.saturating_sub(self.cycle.began).as_secs_f64();
        let from = stop.saturating_add(spread).max(now + LULL);
        let curve = match &mut self.mode {
            // Too few to learn from: somebody else used the quota up, or the vendor has an odd moment.
            Mode::Opening { window } if self.passed < 4 && !self.too_soon => {
                *window = (*window / 2.0).max(1.0);
                self.too_soon = true;
                self.begin_cycle(now, None);
                self.since = None;
                return;
            }
            Mode::Paced { next, .. } if !self.too_soon && ran < TOO_SOON * unit && since_refusal < 1.5 * unit => {
                self.too_soon = true;
                *next = from.max(now + 2 * LULL);
                (self.since, self.passed) = (Some(stop), 0);
                return;
            }
            Mode::Opening { .. } => None,
            Mode::Paced { curve, .. } => Some(*curve),
        };
        self.too_soon = false;
        let span = ran.max(unit);
        let mut measured = f64::from(self.passed.max(1)) / span;
        if told <= ran.max(1.0) {
            measured = measured.max(self.recent.per_second(now));
        }
        let cycle = f64::from(self.cycle.passed) / since_refusal.max(unit);
        let (start, ceiling) = match curve {
            None => (FIRST * measured, measured),
            Some(curve) => self.between(curve, permit.held, measured, cycle, (ran, unit)),
        };
        self.begin_cycle(now, curve.map(|_| cycle));
        // After each stop the vendor is ready for one request.
        let (start, ceiling) = (start.max(1.0 / unit), ceiling.max(1.0 / unit));
        let stretch = if curve.is_none() || start < WIDE * ceiling {
            (RISE * unit).min(LONGEST_RISE)
        } else {
            (REQUESTS / ceiling).max(STOPS * told).clamp(10.0, LONGEST_RISE)
        };
        let span = curve.is_none().then_some(span);
        let curve = Curve { start, ceiling, hold: HOLD * unit, stretch, used: 0.0, span };
        self.mode = Mode::Paced { next: from.max(now.saturating_add(gap(start))), curve };
        self.since = Some(stop);
    }

    /// Where the pace starts again after a refusal, and its ceiling.
    fn between(&mut self, curve: Curve, held: bool, measured: f64, cycle: f64, (ran, unit): (f64, f64)) -> (f64, f64) {
        let pace = self.cap.map_or(curve.pace(), |cap| curve.pace().min(cap));
        let change = self.cycle.before.map_or(0.0, |before| cycle / before - 1.0);
        // What passes between two moments in which a bucket is empty is what it is filled with. A window of the vendor's
        // clock would have refused a pace too high by its second end.
        let is_bucket = self.cycle.before.is_some()
            && change.abs() < 0.04
            && cycle > 0.97 * self.low
            && ran > 2.05 * unit
            && pace < 1.05 * curve.start;
        if pace <= self.low * 1.01 {
            self.low = 0.0;
        }
        let mut low = cycle.max(self.low).min(pace);
        if ran > HOLD * unit {
            low = low.max(curve.start);
            self.low = low;
        }
        let ceiling = if held { pace } else { pace.min(measured.max(low)) };
        if is_bucket && ran < curve.stretch {
            return (cycle, 1.03 * cycle);
        }
        let start = match () {
            () if ran >= curve.stretch => AT_CEILING * ceiling,
            () if ran >= curve.stretch / 4.0 && curve.start > 0.9 * ceiling => NEAR_CEILING * ceiling,
            () if change < -0.1 => (OF_WINDOWS * ceiling).max(low.min(BETWEEN_AT_MOST * ceiling)),
            () => f64::midpoint(low, ceiling).clamp(0.5 * ceiling, BETWEEN_AT_MOST * ceiling),
        };
        (start, ceiling)
    }

    fn begin_cycle(&mut self, now: Duration, before: Option<f64>) {
        self.cycle = Cycle { began: now, passed: 0, before };
        self.passed = 0;
    }

    /// The request ended without a word of the vendor's limiter.
    pub(super) fn lost(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "a limit's worth of requests")]
mod simulation;
