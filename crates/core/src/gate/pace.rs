//! The pace of one endpoint class: a state machine without a clock, fed with the time and with what happened.
//!
//! A vendor's undeclared limit is found as TCP finds a path's: few requests in flight at first, more with each success.
//! The first refusal shows how many passed in how long, which becomes the pace. From then on requests are spaced
//! evenly: from just below the pace that was refused, back to it after a while, then past it, slowly first. A declared
//! limit is a pace from the start, and is never passed.

use std::time::Duration;

/// How many requests may be in flight once the vendor has answered one. Until then it is one, so that a credential that
/// is refused costs one request.
const FIRST_WINDOW: f64 = 2.0;

/// Up to here the window grows by a quarter in each round trip, and above by a twentieth: how many requests are refused
/// when the limit is met is how many are in flight then.
const WIDE_WINDOW: f64 = 64.0;

/// So long after the last request another one may go even if none was answered: requests that hang hold up no others.
const STALL: Duration = Duration::from_millis(100);

/// How far a request that is late, because a timer was, is made up for.
const CATCH_UP: Duration = Duration::from_millis(5);

/// What is used of a declared limit: requests that leave evenly do not arrive so.
const MARGIN: f64 = 0.96;

/// The pace after a refusal, as a part of the one that was refused.
const AFTER_REFUSAL: f64 = 0.97;

/// So long a learned pace begins after a refusal at least, even if the vendor names less: what is in flight arrives first.
const LULL: Duration = Duration::from_millis(250);

/// What a request that wants to leave is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ask {
    /// It leaves now.
    Go(Turn),
    /// It asks again at this time.
    At(Duration),
    /// It asks again after the next answer, or at this time.
    AfterAnswer(Duration),
}

/// What the pace has to know of a request when its answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// How many refusals had been obeyed when it left: of a volley only the first refusal counts.
    pub(super) refusals: u32,
    /// Whether the gate, and not the application, set the pace.
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
    /// How many passed in the last second or so.
    recent: Recent,
    /// How many refusals came shortly after the one before.
    quick: u32,
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
    /// Requests a second.
    ceiling: f64,
    /// After how many seconds it reaches the ceiling again.
    stretch: f64,
    /// For how many seconds it was used.
    used: f64,
    /// Whether the ceiling is a rough estimate: the first one, or one that was refused at once.
    rough: bool,
    /// Over how many seconds the ceiling was measured: answers from before the stop are still counted in.
    span: Option<f64>,
}

impl Curve {
    /// Requests a second: a cubic curve, steep at first, flat near the ceiling, steep again beyond it.
    fn pace(&self) -> f64 {
        let x = self.used / self.stretch - 1.0;
        let bend = if x < 0.0 { 1.0 - AFTER_REFUSAL } else { BEYOND };
        self.ceiling * (1.0 + bend * x.powi(3))
    }
}

/// The time between two requests.
fn gap(per_second: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
}

/// How steep the curve is beyond the ceiling.
const BEYOND: f64 = 0.2;

/// Of so many requests, and of so many stops, a refusal may cost one: the pace reaches its ceiling again no sooner.
const REQUESTS: f64 = 500.0;
const STOPS: f64 = 40.0;

/// A rough estimate is gone beyond sooner, by this factor.
const ROUGH: f64 = 0.5;

/// Counts by the second, this one and the one before.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    second: u64,
    this: u32,
    before: u32,
}

impl Recent {
    fn add(&mut self, now: Duration) {
        self.turn(now);
        self.this += 1;
    }

    fn turn(&mut self, now: Duration) {
        let second = now.as_secs();
        if second != self.second {
            self.before = if second == self.second + 1 { self.this } else { 0 };
            (self.second, self.this) = (second, 0);
        }
    }

    fn per_second(&mut self, now: Duration) -> f64 {
        self.turn(now);
        let part = f64::from(now.subsec_millis()) / 1000.0;
        f64::from(self.before) * (1.0 - part) + f64::from(self.this)
    }
}

impl Pace {
    /// `declared` is in requests a second; `proven`: the vendor has answered a call of this account.
    pub(super) fn new(declared: Option<f64>, proven: bool) -> Self {
        let cap = declared.map(|limit| limit * MARGIN);
        let mode = match cap {
            Some(cap) => {
                let curve = Curve { ceiling: cap, stretch: 1.0, used: 1.0, rough: false, span: None };
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
            quick: 0,
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
        Ask::Go(Turn { refusals: self.refusals, held })
    }

    /// The vendor's limiter let the request pass.
    pub(super) fn passed(&mut self, turn: Turn, now: Duration) {
        self.lost();
        self.proven = true;
        let per_second = self.per_second();
        if turn.refusals != self.refusals {
            if let Mode::Paced { curve: Curve { ceiling, span: Some(span), .. }, .. } = &mut self.mode {
                *ceiling += 1.0 / *span;
            }
            return;
        }
        self.passed += 1;
        self.recent.add(now);
        match &mut self.mode {
            _ if !turn.held => {}
            Mode::Opening { window } => *window += if *window < WIDE_WINDOW { 0.25 } else { 0.05 },
            Mode::Paced { curve, .. } => {
                curve.span = None;
                curve.used += per_second.map_or(0.0, |pace| 1.0 / pace);
            }
        }
    }

    /// The vendor's limiter refused the request, and the account is stopped until `stop`; the pace begins `spread` later.
    pub(super) fn refused(&mut self, turn: Turn, now: Duration, stop: Duration, spread: Duration) {
        self.lost();
        self.proven = true;
        if turn.refusals != self.refusals {
            return;
        }
        self.refusals += 1;
        let told = stop.saturating_sub(now).as_secs_f64();
        let ran = now.saturating_sub(self.since.unwrap_or(now)).as_secs_f64();
        // What passed used a quota up. It is of a second or more, and of no less than the time until there is a new one.
        let span = ran.max(told).max(1.0);
        let mut measured = f64::from(self.passed.max(1)) / span;
        if told <= ran.max(1.0) {
            measured = measured.max(self.recent.per_second(now));
        }
        let (ceiling, span) = match (&mut self.mode, self.cap) {
            // Too few to learn from: somebody else used the quota up, or the vendor has an odd moment.
            (Mode::Opening { window }, _) if self.passed < 4 && self.quick == 0 => {
                *window = (*window / 2.0).max(1.0);
                self.quick = 1;
                self.restart(None);
                return;
            }
            (Mode::Opening { .. }, _) => (measured, Some(span)),
            (Mode::Paced { curve, .. }, cap) => {
                let pace = cap.map_or(curve.pace(), |cap| curve.pace().min(cap));
                let is_quick = ran < 1.5 * told.max(1.0);
                self.quick = if is_quick { self.quick + 1 } else { 0 };
                let known = match self.quick {
                    _ if ran >= curve.stretch => pace,
                    _ if ran >= curve.stretch / 4.0 => 0.95 * pace,
                    0 | 1 if curve.rough => measured.clamp(0.5 * pace, 0.95 * pace),
                    0 | 1 => 0.95 * pace,
                    _ => measured.clamp(0.5 * pace, 0.9 * pace),
                };
                (if turn.held { known } else { known.min(measured) }, None)
            }
        };
        // After each stop the vendor is ready for one request.
        let ceiling = ceiling.max(1.0 / told.max(1.0));
        let rough = span.is_some() || self.quick > 0;
        let stretch = (REQUESTS / ceiling).max(STOPS * told).clamp(10.0, 300.0) * if rough { ROUGH } else { 1.0 };
        let curve = Curve { ceiling, stretch, used: 0.0, rough, span };
        let next = stop.saturating_add(spread).max(now + LULL).max(now.saturating_add(gap(curve.pace())));
        self.mode = Mode::Paced { next, curve };
        self.restart(Some(stop));
    }

    /// The request ended without a word of the vendor's limiter.
    pub(super) fn lost(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn restart(&mut self, since: Option<Duration>) {
        self.since = since;
        self.passed = 0;
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "a limit's worth of requests")]
mod simulation;
