//! When something goes wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, header};
use serde::Deserialize;

use super::{Fault, FaultAnswer};
use crate::delay::DelayForm;

/// What goes wrong at one vendor, and when.
///
/// A request is shown to the rules in their order, and the first that chooses it decides; a
/// [latency](Fault::Latency) delays, and lets the rules after it decide too. Each rule counts all requests of its
/// operation from the moment the plan is set, whatever other rules do with them.
///
/// As JSON:
///
/// ```
/// # use keymux_emulator::FaultPlan;
/// # fn main() -> Result<(), serde_json::Error> {
/// let plan: FaultPlan = serde_json::from_str(r#"{
///     "seed": 7,
///     "rules": [
///         {"operation": "create_api_key", "pick": {"nth": 1}, "fault": {"reset": {"applied": true}}},
///         {"pick": {"share": 0.1}, "times": 5, "fault": {"rate_limited": {"form": "imf_fixdate", "wait_millis": 2000}}},
///         {"pick": {"every": 3}, "fault": {"answer": {"status": 503, "body": {"json": {"message": "down"}}}}},
///         {"fault": {"latency": {"millis": 20}}}
///     ]
/// }"#)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    #[serde(default)]
    seed: u64,
    rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// A plan without rules: nothing goes wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule after the others. A fault alone is a rule that chooses every request.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Into<FaultRule>) -> Self {
        self.rules.push(rule.into());
        self
    }

    /// Sets what [shares](FaultRule::share) of requests are drawn from. Default 0. Plans with the same seed choose the
    /// same requests.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl From<FaultRule> for FaultPlan {
    fn from(rule: FaultRule) -> Self {
        Self::new().with_rule(rule)
    }
}

/// Every request fails in this way.
impl From<Fault> for FaultPlan {
    fn from(fault: Fault) -> Self {
        Self::new().with_rule(fault)
    }
}

/// One fault, and the requests that it befalls: every one, if nothing else is said.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    operation: Option<String>,
    #[serde(default)]
    pick: Pick,
    times: Option<u64>,
    fault: Fault,
}

impl FaultRule {
    /// A rule that chooses every request.
    pub fn new(fault: impl Into<Fault>) -> Self {
        Self { operation: None, pick: Pick::All, times: None, fault: fault.into() }
    }

    /// Chooses among the requests of this operation alone, one of [`Vendor::operations`](crate::Vendor::operations).
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Chooses one request, counted from 1.
    #[must_use]
    pub fn nth(self, number: u64) -> Self {
        self.pick(Pick::Nth(number))
    }

    /// Chooses every request whose number is a multiple of this one.
    #[must_use]
    pub fn every(self, number: u64) -> Self {
        self.pick(Pick::Every(number))
    }

    /// Chooses this share of the requests, from 0 to 1, at random, and the same ones each time.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        self.pick(Pick::Share(share))
    }

    /// Sets which requests are chosen.
    #[must_use]
    pub fn pick(mut self, pick: Pick) -> Self {
        self.pick = pick;
        self
    }

    /// Ends the rule after its fault befell so many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn check(&self, operations: &[&'static str], own: &DelayForm) -> Result<(), String> {
        if let Some(operation) = self.operation.as_deref().filter(|operation| !operations.contains(operation)) {
            return Err(format!("no operation `{operation}`; there are {}", operations.join(", ")));
        }
        match self.pick {
            Pick::Nth(0) | Pick::Every(0) => return Err("a number of requests of 0; they count from 1".to_owned()),
            Pick::Share(share) if !(0.0..=1.0).contains(&share) => {
                return Err(format!("a share of {share}; it goes from 0 to 1"));
            }
            _ => {}
        }
        match &self.fault {
            Fault::Answer(answer) => check_answer(answer),
            Fault::RateLimited { form, .. } => form.check(own),
            Fault::WrongContentLength { by: 0 } => Err("a content length that is wrong by 0 bytes".to_owned()),
            Fault::Redirect { status, .. } if !(300..=399).contains(status) => {
                Err(format!("a redirect with status {status}; it goes from 300 to 399"))
            }
            Fault::Redirect { location, .. } if HeaderValue::from_str(location).is_err() => {
                Err("a location that is no header value".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Every request fails in this way.
impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

/// Which of the requests that a rule sees it chooses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// All of them.
    #[default]
    All,
    /// One, counted from 1.
    Nth(u64),
    /// Each whose number is a multiple of this one.
    Every(u64),
    /// About this share of them, from 0 to 1. Whether a request is chosen depends on the plan's seed, the place of the
    /// rule in it and the number of the request, and on nothing else.
    Share(f64),
}

impl Pick {
    fn chooses(self, number: u64, luck: impl FnOnce() -> f64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(chosen) => number == chosen,
            Self::Every(step) => number % step.max(1) == 0,
            Self::Share(share) => luck() < share,
        }
    }
}

fn check_answer(answer: &FaultAnswer) -> Result<(), String> {
    if !(200..=599).contains(&answer.status) {
        return Err(format!("status {}; it goes from 200 to 599", answer.status));
    }
    for (name, value) in &answer.headers {
        let known = HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is no name of a header"))?;
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(&known) {
            return Err(format!("header `{name}`: it frames the message, and is the server's"));
        }
        HeaderValue::from_str(value).map_err(|_| format!("header `{name}`: characters that a header cannot hold"))?;
    }
    Ok(())
}

/// A plan at work.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Counted>,
}

#[derive(Debug)]
struct Counted {
    rule: FaultRule,
    fault: Arc<Fault>,
    seen: u64,
    struck: u64,
}

/// What befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// All that befalls it, latencies first.
    pub(crate) faults: Vec<Arc<Fault>>,
    /// How long it is held back.
    pub(crate) latency: Duration,
}

impl Fate {
    /// The fault that decides, if there is one.
    pub(crate) fn end(&self) -> Option<&Arc<Fault>> {
        self.faults.last().filter(|fault| !matches!(***fault, Fault::Latency { .. }))
    }
}

impl Faults {
    /// A plan's beginning, or what is wrong with it at a vendor with these operations and this form of delays.
    pub(crate) fn new(plan: FaultPlan, operations: &[&'static str], own: &DelayForm) -> Result<Self, String> {
        for (place, rule) in (1..).zip(&plan.rules) {
            rule.check(operations, own).map_err(|wrong| format!("rule {place}: {wrong}"))?;
        }
        let counted = |rule: FaultRule| Counted { fault: Arc::new(rule.fault.clone()), rule, seen: 0, struck: 0 };
        Ok(Self { seed: plan.seed, rules: plan.rules.into_iter().map(counted).collect() })
    }

    /// Counts a request and says what befalls it.
    pub(crate) fn choose(&mut self, operation: Option<&str>) -> Fate {
        let (mut fate, mut decided) = (Fate::default(), false);
        for (place, Counted { rule, fault, seen, struck }) in (0..).zip(&mut self.rules) {
            if rule.operation.as_deref().is_some_and(|wanted| Some(wanted) != operation) {
                continue;
            }
            *seen += 1;
            let is_over = rule.times.is_some_and(|times| *struck >= times);
            if decided || is_over || !rule.pick.chooses(*seen, || drawn(self.seed, place, *seen)) {
                continue;
            }
            *struck += 1;
            match &**fault {
                Fault::Latency { by } => fate.latency = fate.latency.saturating_add(*by),
                _ => decided = true,
            }
            fate.faults.push(Arc::clone(fault));
        }
        fate
    }
}

/// A number from 0 to below 1 that is always the same, and looks like chance: the SplitMix64 generator's output.
fn drawn(seed: u64, place: u64, number: u64) -> f64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = |mut state: u64| {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    let stream = mixed(seed ^ mixed(place.wrapping_add(STEP)));
    let random = mixed(stream.wrapping_add(number.wrapping_mul(STEP)));
    u32::try_from(random >> 32).map_or(0.0, |upper| f64::from(upper) / 4_294_967_296.0)
}
