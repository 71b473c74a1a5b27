//! Verifying a plaintext: what is asked, and the verdict.

use std::fmt;

use serde::Serialize;

use crate::capability::{Operation, Parameter};
use crate::error::Error;
use crate::info::{ProviderInfo, check, given};
use crate::page::Scope;
use crate::record::{KeyRecord, Permission};

/// What to verify a key against.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
#[non_exhaustive]
pub struct VerifyRequest {
    /// The scope that the key should belong to; [`Scope::account`] where the vendor needs none.
    pub scope: Scope,
    /// What the key should be allowed to do.
    pub permissions: Vec<Permission>,
}

impl VerifyRequest {
    /// Whether the key is valid in `scope`.
    pub fn new(scope: Scope) -> Self {
        Self { scope, permissions: Vec::new() }
    }

    /// Whether the key may do this, too.
    pub fn with_permissions(mut self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.permissions = permissions.into_iter().collect();
        self
    }

    /// Refuses what the vendor of `info` cannot verify against, and what it needs and is not there, by name.
    pub fn check(&self, info: &ProviderInfo) -> Result<(), Error> {
        let uses = [
            (Parameter::Scope, given(!self.scope.is_account())),
            (Parameter::Permissions, given(!self.permissions.is_empty())),
        ];
        check(info, Operation::Verify, uses)
    }
}

/// What became of a verification.
#[derive(Debug, Clone)]
#[must_use = "a key that is not known to be valid must not be let in"]
#[non_exhaustive]
pub enum Verdict {
    /// The vendor says that the key is valid.
    Valid {
        /// What it says about the key, as far as it does.
        record: Option<Box<KeyRecord>>,
    },
    /// The vendor says that the key is not valid.
    Refused {
        /// Why.
        reason: Refusal,
        /// What it says about the key, as far as it does.
        record: Option<Box<KeyRecord>>,
    },
    /// The vendor did not say: it failed, was not reached, refused the caller's own credential, or answered unreadably.
    Inconclusive(Error),
}

impl Verdict {
    /// The verdict of a call: what `judge` says of its answer, or "could not tell" if it failed once it was under way.
    /// A call that was refused before is an error.
    pub fn of_call<T>(result: Result<T, Error>, judge: impl FnOnce(T) -> Self) -> Result<Self, Error> {
        match result {
            Ok(answer) => Ok(judge(answer)),
            Err(error) if error.attempts() == 0 => Err(error),
            Err(error) => Ok(Self::Inconclusive(error)),
        }
    }

    /// Whether the vendor said that the key is valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid { .. })
    }
}

/// Why a vendor says that a key is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Its time is over.
    Expired,
    /// It is switched off.
    Disabled,
    /// It was deleted.
    Deleted,
    /// It is used too fast.
    RateLimited,
    /// Its allowance is used up.
    UsageExceeded,
    /// It may not do what was asked.
    InsufficientScope,
    /// There is no such key.
    NoSuchKey,
    /// The vendor gives no reason, or one that is not documented.
    Unknown,
}

impl Refusal {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::RateLimited => "rate_limited",
            Self::UsageExceeded => "usage_exceeded",
            Self::InsufficientScope => "insufficient_scope",
            Self::NoSuchKey => "no_such_key",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
