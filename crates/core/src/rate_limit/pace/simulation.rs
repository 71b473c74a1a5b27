//! Whole fan-outs against whole limiters, in virtual time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::{Ask, Pace, Permit};

/// How a vendor counts to its limit of requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limiter {
    /// By the second of its clock.
    Windows,
    /// In any second.
    Sliding,
    /// With a bucket of one second's requests.
    Bucket,
}

/// What a vendor tells whom it refuses.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    /// When there is room again, in whole seconds.
    Seconds,
    /// When there is room again.
    Exactly,
    /// Nothing.
    Nothing,
}

#[derive(Debug)]
struct Vendor {
    limiter: Limiter,
    limit: f64,
    told: Told,
    /// When requests passed: all of this window, or of the last second.
    passed: VecDeque<f64>,
    tokens: f64,
    at: f64,
    /// The windows of the vendor do not begin with ours.
    ahead: f64,
}

impl Vendor {
    fn new(limiter: Limiter, limit: f64, told: Told, ahead: f64) -> Self {
        Self { limiter, limit, told, passed: VecDeque::new(), tokens: limit, at: 0.0, ahead }
    }

    /// Takes a request at `now`, or refuses it: with how long the vendor wants to be left alone, if it says so.
    fn take(&mut self, now: Duration) -> Result<(), Option<Duration>> {
        let now = now.as_secs_f64() + self.ahead;
        let begin = if self.limiter == Limiter::Windows { now.floor() } else { now - 1.0 };
        while self.passed.front().is_some_and(|&at| at < begin) {
            self.passed.pop_front();
        }
        self.tokens = (self.tokens + (now - self.at) * self.limit).min(self.limit);
        self.at = now;
        let (full, wait) = match self.limiter {
            Limiter::Windows => (self.passed.len() as f64 >= self.limit, begin + 1.0 - now),
            Limiter::Sliding => {
                let first = self.passed.front().copied().unwrap_or(now);
                (self.passed.len() as f64 >= self.limit, first + 1.0 - now)
            }
            Limiter::Bucket => (self.tokens < 1.0, (1.0 - self.tokens) / self.limit),
        };
        if full {
            let wait = match self.told {
                Told::Seconds => Some(wait.ceil().max(1.0)),
                Told::Exactly => Some(wait.max(0.0)),
                Told::Nothing => None,
            };
            return Err(wait.map(Duration::from_secs_f64));
        }
        self.tokens -= 1.0;
        self.passed.push_back(now);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
struct FanOut {
    vendor: (Limiter, Told, f64),
    ahead: f64,
    declared: bool,
    requests: u32,
    tasks: u32,
    latency: Duration,
    /// How much longer the way there may take, as a part of the latency.
    jitter: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wake,
    Arrives(u32, bool),
    Passes(u32, bool),
    Refused(u32, bool, Option<Duration>),
}

impl FanOut {
    /// How many seconds it takes, how many it takes at least, and which part of the requests is refused.
    fn run(self) -> (f64, f64, f64) {
        let (limiter, told, limit) = self.vendor;
        let mut vendor = Vendor::new(limiter, limit, told, self.ahead);
        let mut pace = Pace::new(self.declared.then_some(limit), false);
        let mut random = fastrand::Rng::with_seed(7);
        let mut events = BinaryHeap::new();
        let (mut now, mut stop, mut wake) = (Duration::ZERO, Duration::ZERO, None);
        let mut untold = 0_u32;
        let (mut sent, mut refused, mut done) = (0_u32, 0_u32, 0);
        let mut waiting = self.tasks;
        while done < self.requests {
            while waiting > 0 {
                match pace.ask(now, stop) {
                    Ask::Go(permit) => {
                        waiting -= 1;
                        sent += 1;
                        let late = self.latency.mul_f64(self.jitter * random.f64());
                        events.push(Reverse((
                            now + self.latency / 2 + late,
                            Event::Arrives(permit.refusals, permit.held),
                        )));
                    }
                    Ask::At(at) | Ask::AfterAnswer(at) => {
                        if wake != Some(at) {
                            wake = Some(at);
                            events.push(Reverse((at, Event::Wake)));
                        }
                        break;
                    }
                }
            }
            let Reverse((at, event)) = events.pop().unwrap();
            now = at;
            match event {
                Event::Wake => wake = wake.filter(|wake| *wake > at),
                Event::Arrives(refusals, held) => {
                    let event = match vendor.take(now) {
                        Ok(()) => Event::Passes(refusals, held),
                        Err(wait) => Event::Refused(refusals, held, wait),
                    };
                    events.push(Reverse((now + self.latency / 2, event)));
                }
                Event::Passes(refusals, held) => {
                    untold = 0;
                    pace.passed(Permit { refusals, held }, now);
                    done += 1;
                    waiting += 1;
                }
                Event::Refused(refusals, held, wait) => {
                    refused += 1;
                    // As the rate limiter does.
                    untold = if wait.is_some() { 0 } else { untold + 1 };
                    let own = Duration::from_secs(1 << (untold.saturating_sub(1)).min(3));
                    let unknown = if stop > now { Duration::ZERO } else { own };
                    stop = stop.max(now + wait.unwrap_or(unknown));
                    let spread = (stop.saturating_sub(now) / 10).mul_f64(random.f64());
                    pace.refused(Permit { refusals, held }, now, stop, spread);
                    waiting += 1;
                }
            }
        }
        (now.as_secs_f64(), f64::from(self.requests) / limit, f64::from(refused) / f64::from(sent))
    }

    /// Every fan-out of a table that is able to reach the limit by a third more, for `seconds` at the limit.
    fn all(declared: bool, seconds: u32) -> Vec<Self> {
        let mut all = Vec::new();
        for limit in [10, 100, 1000] {
            let requests = seconds * limit;
            let limit = f64::from(limit);
            for (limiter, ahead) in
                [(Limiter::Windows, 0.37), (Limiter::Windows, 0.8), (Limiter::Sliding, 0.0), (Limiter::Bucket, 0.0)]
            {
                for told in [Told::Seconds, Told::Exactly, Told::Nothing] {
                    for tasks in [1, 8, 64, 512] {
                        for (latency, jitter) in [(0, 0.0), (5, 0.0), (5, 0.3), (100, 0.0), (100, 0.3)] {
                            let latency = Duration::from_millis(latency);
                            if f64::from(tasks) > 1.33 * limit * latency.as_secs_f64() {
                                let vendor = (limiter, told, limit);
                                all.push(Self { vendor, ahead, declared, requests, tasks, latency, jitter });
                            }
                        }
                    }
                }
            }
        }
        all
    }
}

#[test]
fn a_declared_limit_is_kept_without_a_refusal() {
    for fan_out in FanOut::all(true, 50) {
        let (time, least, refused) = fan_out.run();
        assert!(time <= 1.10 * least, "{time} s of {least} s: {fan_out:?}");
        assert!(refused <= 0.0, "{refused}: {fan_out:?}");
    }
}

#[test]
fn an_undeclared_limit_is_learned_with_few_refusals_and_nearly_used_whole() {
    let table = [
        // seconds at the limit, how much longer it may take, which part may be refused
        (50, 1.22, 0.02),
        (160, 1.10, 0.01),
    ];
    for (seconds, longer, refusals) in table {
        for fan_out in FanOut::all(false, seconds) {
            let (time, least, refused) = fan_out.run();
            assert!(time <= longer * least, "{time} s of {least} s: {fan_out:?}");
            assert!(refused < refusals, "{refused}: {fan_out:?}");
        }
    }
}
