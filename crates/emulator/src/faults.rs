//! What may go wrong, when, and how it is done.

mod drift;
mod fault;
mod plan;
mod strike;

pub use drift::Drift;
pub use fault::{Fault, FaultAnswer, FaultBody};
pub use plan::{FaultPlan, FaultRule, Pick};

pub(crate) use drift::Drifting;
pub(crate) use plan::{Fate, Faults};
pub(crate) use strike::strike;
