//! x
mod clock;
mod harness;
mod log;
mod proxy;
mod report;
mod rule;
mod rules;
mod run;
mod stage;
mod table;

pub use harness::{Harness, Seeded, Subject, Wiring};
pub use report::{ProviderReport, Report};
pub use rule::{Outcome, Rule};
pub use run::{main, run};
