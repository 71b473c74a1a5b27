//! What a rule is, and how it comes out.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use keymux_core::{Operation, ProviderInfo};
use serde::{Deserialize, Serialize};

use crate::stage::Stage;
use crate::verdict::Miss;

pub(crate) type Check = fn(&Stage) -> Pin<Box<dyn Future<Output = Result<(), Miss>> + '_>>;

/// One thing that [`ApiKeyProvider`](keymux_core::ApiKeyProvider) promises, and that the suite tries.
#[derive(Clone, Copy)]
pub struct Rule {
    pub(crate) name: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) operation: Option<Operation>,
    pub(crate) check: Check,
}

impl Rule {
    /// The name, which stays as it is from version to version: `an_unknown_key_is_not_found`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The rule, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        self.sentence
    }

    /// The operation that it is about, without which it is not tried; `None`: all that the vendor has.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// Whether the vendor of `info` has what the rule is about.
    #[must_use]
    pub fn applies_to(&self, info: &ProviderInfo) -> bool {
        self.operation.is_none_or(|operation| info.capabilities().is_native(operation))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// How a rule came out for a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The provider keeps it.
    Passed,
    /// The provider breaks it.
    Failed {
        /// What the rule says should be seen.
        expected: String,
        /// What was seen.
        seen: String,
    },
    /// It was not tried.
    NotApplicable {
        /// Why not.
        why: String,
    },
}

impl Outcome {
    /// Whether the provider breaks the rule.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

impl From<Result<(), Miss>> for Outcome {
    fn from(result: Result<(), Miss>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(Miss::Failed { expected, seen }) => Self::Failed { expected, seen },
            Err(Miss::NotApplicable(why)) => Self::NotApplicable { why },
        }
    }
}
