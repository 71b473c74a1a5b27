//! Rotation at vendors that have no such operation: a second key like the first.

use keymux_core::{
    Error, ErrorKind, Fact, IssuedKey, KeyRecord, KeyState, NewKey, Operation, Parameter, ProviderInfo, Revoked, Scope,
};

/// A key that was rotated.
#[derive(Debug)]
#[must_use = "the plaintext is given once, and the old key may still work"]
#[non_exhaustive]
pub struct Rotated {
    /// The key with its new plaintext.
    pub issued: IssuedKey,
    /// `None`: the vendor replaced the plaintext, and the address is the same. Else a second key was made, and this is
    /// what became of revoking the first one; after an error both keys work.
    pub old: Option<Result<Revoked, Error>>,
}

/// A key to be made that is like `record`, in all that the vendor takes. Its scope is the record's address without its last
/// part. Refused: a key that does not work any more, and one of which the record does not tell something that the vendor
/// takes, since the second key might then be allowed more than the first.
pub(crate) fn like(record: &KeyRecord, info: &ProviderInfo) -> Result<NewKey, Error> {
    let refused = |kind, reason: String| {
        Error::new(kind)
            .with_account(record.account.clone())
            .with_provider(record.provider.clone())
            .with_operation(Operation::Rotate.as_str())
            .with_message(reason)
    };
    if !matches!(record.status.state, KeyState::Active | KeyState::Unknown) {
        return Err(refused(ErrorKind::Conflict, format!("the key is {}; make a new one", record.status.state)));
    }
    let untold = |parameter: Parameter| {
        let reason = format!("the record does not tell `{parameter}`, so that no second key is like the first");
        refused(ErrorKind::Unsupported, reason)
    };
    let parents: Vec<&str> = record.address.segments().take(record.address.segments().len() - 1).collect();
    let scope = if parents.is_empty() { Scope::account() } else { Scope::new(parents)? };
    let mut key = NewKey::new(scope);
    for (parameter, _) in info.capabilities().parameters(Operation::Create) {
        let untold = || untold(parameter);
        match parameter {
            Parameter::Scope => {}
            // A key without a name is like one with it in all that it may do.
            Parameter::Name => key.name = record.name.known().cloned(),
            Parameter::ExpiresAt => key.expires_at = told(&record.expires_at, untold)?,
            Parameter::Permissions => key.permissions = told(&record.permissions, untold)?,
            Parameter::IpAllowlist => key.ip_allowlist = told(&record.ip_allowlist, untold)?,
            Parameter::MaxUses => key.max_uses = told(&record.limits.max_uses, untold)?,
            Parameter::Metadata => key.metadata = told(&record.metadata, untold)?,
            Parameter::Customer => key.customer = told(&record.owner.customer, untold)?,
            _ => return Err(untold()),
        }
    }
    Ok(key)
}

/// The value, or that there is none; the error if the vendor did not say or cannot.
fn told<T: Clone>(fact: &Fact<T>, untold: impl FnOnce() -> Error) -> Result<Option<T>, Error> {
    match fact {
        Fact::Known(value) => Ok(Some(value.clone())),
        Fact::Empty => Ok(None),
        Fact::Missing | Fact::Unsupported => Err(untold()),
    }
}
