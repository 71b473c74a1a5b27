//! A key like another one: what its record tells, and what it does not.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capability::{Operation, Parameter};
use crate::error::{Error, ErrorKind};
use crate::fact::Fact;
use crate::info::ProviderInfo;
use crate::page::Scope;
use crate::record::{KeyRecord, KeyState};
use crate::write::NewKey;

/// A key to be made that is like another one, and what of the other one its record does not tell.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Likeness {
    /// The key to be made.
    pub key: NewKey,
    /// What could not be copied. While something in it [may widen](Untold::may_widen) what the key is allowed, a second
    /// key is made only if the caller says what it should be.
    pub untold: Vec<Untold>,
}

/// A setting of a key that its record does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Untold {
    /// The setting: the name of a [`Parameter`], or the vendor's own name of one of its [settings](NewKey::settings).
    pub setting: Cow<'static, str>,
    /// Whether a key without it may be allowed more than the first one: later, more often, from more places, or to do
    /// more. Otherwise something is lost, such as metadata.
    pub may_widen: bool,
    /// Why it is not told.
    pub reason: Cow<'static, str>,
}

impl Untold {
    /// A setting without which a key may be allowed more than the first one.
    #[must_use]
    pub fn widening(setting: &'static str, reason: &'static str) -> Self {
        Self { setting: setting.into(), may_widen: true, reason: reason.into() }
    }

    /// A setting that is lost, and allows nothing more.
    #[must_use]
    pub fn lost(setting: &'static str, reason: &'static str) -> Self {
        Self { setting: setting.into(), may_widen: false, reason: reason.into() }
    }
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.reason)
    }
}

const UNTOLD: &str = "the record does not tell it";

impl Likeness {
    /// A key like that of `record`, in all that the vendor of `info` takes when it makes one, as far as the record itself
    /// tells. Its scope is the record's address without its last part. Of a limited number of uses the key gets those
    /// that are left.
    ///
    /// A key that does not work any more is [`ErrorKind::Conflict`].
    pub fn of(record: &KeyRecord, info: &ProviderInfo) -> Result<Self, Error> {
        let takes = |parameter| info.capabilities().takes(Operation::Create, parameter).is_some();
        if !matches!(record.status.state, KeyState::Active | KeyState::Unknown) {
            return Err(Error::new(ErrorKind::Conflict)
                .with_account(record.account.clone())
                .with_provider(record.provider.clone())
                .with_operation(Operation::Rotate.as_str())
                .with_message(format!("the key is {}; make a new one", record.status.state)));
        }
        let parents: Vec<&str> = record.address.segments().take(record.address.segments().len() - 1).collect();
        let scope = if parents.is_empty() { Scope::account() } else { Scope::new(parents)? };
        let mut like = Self { key: NewKey::new(scope), untold: Vec::new() };
        if takes(Parameter::Scope) && like.key.scope.is_account() && record.address.segments().len() == 1 {
            like.untold.push(Untold::widening(Parameter::Scope.as_str(), UNTOLD));
        }
        if takes(Parameter::Name) {
            // A key without a name is like one with it in all that it may do.
            like.key.name = record.name.known().cloned();
            if record.name.is_missing() {
                like.untold.push(Untold::lost(Parameter::Name.as_str(), UNTOLD));
            }
        }
        let mut untold = Vec::new();
        let mut copy = Copy { takes: &takes, untold: &mut untold };
        like.key.expires_at = copy.limit(Parameter::ExpiresAt, &record.expires_at);
        like.key.permissions = copy.limit(Parameter::Permissions, &record.permissions);
        like.key.ip_allowlist = copy.limit(Parameter::IpAllowlist, &record.ip_allowlist);
        like.key.max_uses = copy.limit(Parameter::MaxUses, &uses_left(record));
        like.key.customer = copy.limit(Parameter::Customer, &record.owner.customer);
        like.key.metadata = copy.rest(Parameter::Metadata, &record.metadata);
        like.untold.extend(untold);
        if takes(Parameter::Prefix) {
            like.untold.push(Untold::lost(Parameter::Prefix.as_str(), UNTOLD));
        }
        // A key that works is switched on, which is what a new one is.
        if takes(Parameter::Enabled) && record.status.state == KeyState::Unknown {
            like.untold.push(Untold::widening(Parameter::Enabled.as_str(), "whether the key works is not known"));
        }
        Ok(like)
    }

    /// Says that a setting is told after all: by the caller, or by the vendor's own model.
    pub fn told(mut self, setting: &str) -> Self {
        self.untold.retain(|untold| untold.setting != setting);
        self
    }

    /// Adds a setting that is not told.
    pub fn with_untold(mut self, untold: Untold) -> Self {
        self.untold.push(untold);
        self
    }
}

/// How many uses the key has left. One that may be used any number of times has no limit to copy.
fn uses_left(record: &KeyRecord) -> Fact<u64> {
    match (&record.limits.max_uses, &record.limits.uses) {
        (Fact::Known(max), Fact::Known(uses)) => Fact::Known(max.saturating_sub(*uses)),
        (Fact::Known(max), Fact::Unsupported) => Fact::Known(*max),
        (Fact::Known(_), Fact::Empty | Fact::Missing) => Fact::Missing,
        (none, _) => *none,
    }
}

struct Copy<'a> {
    takes: &'a dyn Fn(Parameter) -> bool,
    untold: &'a mut Vec<Untold>,
}

impl Copy<'_> {
    /// What a key is limited by: the value, or that there is none.
    fn limit<T: Clone>(&mut self, parameter: Parameter, fact: &Fact<T>) -> Option<T> {
        self.copy(fact, parameter, Untold::widening(parameter.as_str(), UNTOLD))
    }

    /// What a key has beside.
    fn rest<T: Clone>(&mut self, parameter: Parameter, fact: &Fact<T>) -> Option<T> {
        self.copy(fact, parameter, Untold::lost(parameter.as_str(), UNTOLD))
    }

    fn copy<T: Clone>(&mut self, fact: &Fact<T>, parameter: Parameter, untold: Untold) -> Option<T> {
        if !(self.takes)(parameter) {
            return None;
        }
        match fact {
            Fact::Known(value) => Some(value.clone()),
            Fact::Empty => None,
            Fact::Missing | Fact::Unsupported => {
                self.untold.push(untold);
                None
            }
        }
    }
}
