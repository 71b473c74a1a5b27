//! Rotation at vendors that have no such operation: a second key like the first.

use keymux_core::{
    Error, ErrorKind, Fact, IssuedKey, KeyRecord, NewKey, Operation, Parameter, ProviderInfo, Revoked, Scope,
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

/// A key to be made that is like `record`, as far as the vendor takes parameters. Its scope is the record's address
/// without its last part.
pub(crate) fn like(record: &KeyRecord, info: &ProviderInfo) -> Result<NewKey, Error> {
    fn value<T: Clone>(fact: &Fact<T>) -> Option<T> {
        fact.known().cloned()
    }
    let parents: Vec<&str> = record.address.segments().take(record.address.segments().len() - 1).collect();
    let scope = if parents.is_empty() { Scope::account() } else { Scope::new(parents)? };
    let mut key = NewKey::new(scope);
    for (parameter, _) in info.capabilities().parameters(Operation::Create) {
        match parameter {
            Parameter::Scope => {}
            Parameter::Name => key.name = value(&record.name),
            Parameter::ExpiresAt => key.expires_at = value(&record.expires_at),
            Parameter::Permissions => key.permissions = value(&record.permissions),
            Parameter::IpAllowlist => key.ip_allowlist = value(&record.ip_allowlist),
            Parameter::MaxUses => key.max_uses = value(&record.limits.max_uses),
            Parameter::Metadata => key.metadata = value(&record.metadata),
            Parameter::Customer => key.customer = value(&record.owner.customer),
            other => {
                return Err(Error::new(ErrorKind::Unsupported)
                    .with_account(record.account.clone())
                    .with_provider(record.provider.clone())
                    .with_operation(Operation::Rotate.as_str())
                    .with_message(format!(
                        "a record does not tell `{other}`, so that no second key is like the first"
                    )));
            }
        }
    }
    Ok(key)
}
