//! A key that was just made: its plaintext, and what is known of the rest.

use std::borrow::Cow;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::address::{KeyAddress, KeyRef};
use crate::capability::Parameter;
use crate::fact::Fact;
use crate::record::{KeyRecord, KeyState, Permission};
use crate::write::NewKey;

/// A key that was made or rotated: its plaintext, which no vendor shows again, and its record.
///
/// The plaintext is always here, whatever else the answer lacks: an answer without the key's id costs the
/// [`record`](Self::record), and [`find_out`](Self::find_out) says how to find the key.
#[derive(Debug, Clone)]
#[must_use = "the plaintext is given once"]
#[non_exhaustive]
pub struct IssuedKey {
    /// What the vendor says about the key. `None`: the answer does not tell where the key is, so that it has no address
    /// yet.
    pub record: Option<KeyRecord>,
    /// The key itself.
    pub plaintext: SecretString,
    /// The vendor's name of the member that the plaintext was taken from, at a vendor where two members could be it.
    pub member: Option<Cow<'static, str>>,
    /// How to find the key whose address the answer does not tell.
    pub find_out: Option<Cow<'static, str>>,
    /// What was asked for and the answer does not confirm, although this vendor can tell it: it is absent, or it is
    /// something else. Look the key up before trusting that it is so. What a vendor has no field for is not listed.
    pub unconfirmed: Vec<Parameter>,
    /// The same of the vendor's own [settings](NewKey::settings), by name.
    pub unconfirmed_settings: Vec<String>,
}

impl IssuedKey {
    /// Joins a record and a plaintext.
    pub fn new(record: KeyRecord, plaintext: SecretString) -> Self {
        Self {
            record: Some(record),
            plaintext,
            member: None,
            find_out: None,
            unconfirmed: Vec::new(),
            unconfirmed_settings: Vec::new(),
        }
    }

    /// A key that was made as `asked`, and whose answer does not tell its address. `draft` makes the record that the
    /// answer would give with an address: it shows what the answer confirms, and is dropped.
    pub fn without_address(
        plaintext: SecretString,
        find_out: impl Into<Cow<'static, str>>,
        asked: &NewKey,
        draft: impl FnOnce(KeyAddress) -> KeyRecord,
    ) -> Self {
        let draft = draft(KeyAddress::placeholder());
        let issued = Self::new(draft, plaintext).asked(asked);
        Self { record: None, find_out: Some(find_out.into()), ..issued }
    }

    /// Notes what of `asked` the record does not confirm. Every provider's `create` ends with it.
    pub fn asked(mut self, asked: &NewKey) -> Self {
        if let Some(record) = &self.record {
            self.unconfirmed = unconfirmed(asked, record, &self.plaintext);
        }
        self
    }

    /// Says which member of the answer the plaintext was taken from.
    pub fn with_member(mut self, member: &'static str) -> Self {
        self.member = Some(Cow::Borrowed(member));
        self
    }

    /// Notes that a setting of the vendor's own was asked for and is not confirmed.
    pub fn with_unconfirmed_setting(mut self, name: impl Into<String>) -> Self {
        self.unconfirmed_settings.push(name.into());
        self
    }

    /// Where the key is, if the answer tells.
    #[must_use]
    pub fn address(&self) -> Option<&KeyAddress> {
        self.record.as_ref().map(|record| &record.address)
    }

    /// The reference by which the key is found again, if the answer tells its address.
    #[must_use]
    pub fn key_ref(&self) -> Option<KeyRef> {
        self.record.as_ref().map(KeyRecord::key_ref)
    }
}

/// What of `asked` the record does not confirm.
fn unconfirmed(asked: &NewKey, record: &KeyRecord, plaintext: &SecretString) -> Vec<Parameter> {
    fn says<A, T>(asked: Option<&A>, fact: &Fact<T>, same: impl FnOnce(&A, &T) -> bool) -> bool {
        match (asked, fact) {
            (None, _) | (_, Fact::Unsupported) => true,
            (Some(asked), Fact::Known(told)) => same(asked, told),
            (Some(_), Fact::Empty | Fact::Missing) => false,
        }
    }
    let enabled = match (asked.enabled, record.status.state) {
        (None, _) => true,
        (Some(true), state) => !matches!(state, KeyState::Disabled | KeyState::Unknown),
        (Some(false), state) => state == KeyState::Disabled,
    };
    // Behind it stands the vendor's own separator.
    let prefix = asked.prefix.as_ref().is_none_or(|prefix| plaintext.expose_secret().starts_with(prefix));
    let confirmed = [
        (Parameter::Name, says(asked.name.as_ref(), &record.name, |asked, told| asked == told)),
        (Parameter::ExpiresAt, says(asked.expires_at.as_ref(), &record.expires_at, same_second)),
        (
            Parameter::Permissions,
            says(asked.permissions.as_ref(), &record.permissions, |asked, told| same_permissions(asked, told)),
        ),
        (
            Parameter::IpAllowlist,
            says(asked.ip_allowlist.as_ref(), &record.ip_allowlist, |asked, told| same_set(asked, told)),
        ),
        (Parameter::MaxUses, says(asked.max_uses.as_ref(), &record.limits.max_uses, |asked, told| asked == told)),
        (Parameter::Metadata, says(asked.metadata.as_ref(), &record.metadata, |asked, told| asked == told)),
        (Parameter::Customer, says(asked.customer.as_ref(), &record.owner.customer, |asked, told| asked == told)),
        (Parameter::Prefix, prefix),
        (Parameter::Enabled, enabled),
    ];
    confirmed.into_iter().filter(|(_, confirmed)| !confirmed).map(|(parameter, _)| parameter).collect()
}

/// Vendors keep whole seconds.
fn same_second(asked: &Timestamp, told: &Timestamp) -> bool {
    asked.as_second() == told.as_second()
}

fn same_set(asked: &[String], told: &[String]) -> bool {
    asked.len() == told.len() && asked.iter().all(|one| told.contains(one))
}

/// Neither the order of permissions nor that of their actions says anything.
fn same_permissions(asked: &[Permission], told: &[Permission]) -> bool {
    let same = |one: &Permission, other: &Permission| {
        one.name == other.name
            && match (&one.actions, &other.actions) {
                (None, None) => true,
                (Some(one), Some(other)) => {
                    one.iter().all(|action| other.contains(action)) && other.iter().all(|action| one.contains(action))
                }
                _ => false,
            }
    };
    asked.len() == told.len() && asked.iter().all(|one| told.iter().any(|other| same(one, other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;
    use crate::info::ProviderInfo;
    use crate::names::ProviderId;
    use crate::record::{Action, KeyKind, Status};

    fn record(info: &ProviderInfo) -> KeyRecord {
        let address = KeyAddress::new(["k"]).unwrap();
        let mut record = KeyRecord::new(info, address, KeyKind::API_KEY);
        record.status = Status::stated(KeyState::Active, "status");
        record
    }

    fn asked() -> NewKey {
        let actions = Some(vec![Action::Read, Action::Create]);
        NewKey::default()
            .with_name("n")
            .with_expires_at("2100-01-01T00:00:00.7Z".parse().unwrap())
            .with_permissions([Permission { name: "p".to_owned(), actions }])
            .with_ip_allowlist(["192.0.2.1", "192.0.2.2"])
            .with_max_uses(3)
            .with_prefix("demo")
            .with_enabled(true)
    }

    #[test]
    fn what_was_asked_and_the_answer_lacks_is_told() {
        let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]).with_fields(Field::ALL.iter().copied());
        let silent = IssuedKey::new(record(&info), "demo_x".into()).asked(&asked());
        let expected =
            [Parameter::Name, Parameter::ExpiresAt, Parameter::Permissions, Parameter::IpAllowlist, Parameter::MaxUses];
        assert_eq!(silent.unconfirmed, expected);
        let mut full = record(&info);
        full.name = Fact::Known("n".to_owned());
        full.expires_at = Fact::Known("2100-01-01T00:00:00Z".parse().unwrap());
        let actions = Some(vec![Action::Create, Action::Read]);
        full.permissions = Fact::Known(vec![Permission { name: "p".to_owned(), actions }]);
        full.ip_allowlist = Fact::Known(vec!["192.0.2.2".to_owned(), "192.0.2.1".to_owned()]);
        full.limits.max_uses = Fact::Known(3);
        assert_eq!(IssuedKey::new(full.clone(), "demo_x".into()).asked(&asked()).unconfirmed, []);
        full.status.state = KeyState::Disabled;
        full.limits.max_uses = Fact::Known(4);
        let odd = IssuedKey::new(full, "other_x".into()).asked(&asked());
        assert_eq!(odd.unconfirmed, [Parameter::MaxUses, Parameter::Prefix, Parameter::Enabled]);
    }

    #[test]
    fn what_a_vendor_has_no_field_for_is_not_expected_of_its_answer() {
        let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]);
        assert_eq!(IssuedKey::new(record(&info), "demo_x".into()).asked(&asked()).unconfirmed, []);
    }

    #[test]
    fn a_key_without_an_address_tells_what_its_answer_confirms() {
        let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]).with_fields([Field::Name]);
        let asked = NewKey::default().with_name("n");
        let issued = IssuedKey::without_address("p".into(), "list the keys", &asked, |address| {
            let mut record = KeyRecord::new(&info, address, KeyKind::API_KEY);
            record.name = Fact::Known("n".to_owned());
            record
        });
        assert_eq!((issued.address(), issued.key_ref(), issued.unconfirmed.len()), (None, None, 0));
        assert_eq!(issued.find_out.as_deref(), Some("list the keys"));
    }
}
