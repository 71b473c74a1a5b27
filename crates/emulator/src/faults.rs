//! What may go wrong, and when.

mod drift;
mod fault;
mod plan;

pub use drift::Drift;
pub use fault::{Fault, FaultAnswer, FaultBody};
pub use plan::{FaultPlan, FaultRule, Pick};

pub(crate) use drift::Drifting;
pub(crate) use plan::{Fate, Faults};
