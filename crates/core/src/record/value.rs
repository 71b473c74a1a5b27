//! The value of any field of a record.

use std::fmt;

use jiff::Timestamp;

use super::Permission;
use crate::metadata::Metadata;

/// What [`KeyRecord::field`](super::KeyRecord::field) knows of a field. Printed it is text for people, the elements of a
/// list with commas between them, or semicolons where they have commas of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FieldValue<'a> {
    /// Text.
    Text(&'a str),
    /// An instant; printed as RFC 3339 in UTC.
    Time(Timestamp),
    /// A whole number.
    Number(u64),
    /// A list of text.
    Texts(&'a [String]),
    /// What the key may do.
    Permissions(&'a [Permission]),
    /// What the key's owner attached to it; printed as JSON.
    Metadata(&'a Metadata),
}

impl fmt::Display for FieldValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Time(at) => write!(f, "{at}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Texts(list) => f.pad(&list.join(", ")),
            Self::Permissions(list) => {
                let names: Vec<String> = list.iter().map(ToString::to_string).collect();
                let between = if names.iter().any(|name| name.contains(',')) { "; " } else { ", " };
                f.pad(&names.join(between))
            }
            Self::Metadata(members) => write!(f, "{members}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::record::{Action, KeyState, Status};
    use crate::{Basis, Fact, Field, FieldValue, KeyAddress, KeyKind, KeyRecord, Permission, ProviderId, ProviderInfo};

    #[test]
    fn every_field_prints_and_keeps_its_state() {
        let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]).with_fields([Field::Name]);
        let mut record = KeyRecord::new(&info, KeyAddress::new(["a"]).unwrap(), KeyKind::API_KEY);
        assert_eq!((record.field(Field::Name), record.field(Field::Metadata)), (Fact::Missing, Fact::Unsupported));
        record.expires_at = Fact::Known("2030-01-02T03:04:05Z".parse().unwrap());
        record.permissions = Fact::Known(vec![
            Permission { name: "logs".to_owned(), actions: Some(vec![Action::Read, Action::Delete]) },
            Permission { name: "admin".to_owned(), actions: None },
        ]);
        record.ip_allowlist = Fact::Known(vec!["::1".to_owned(), "192.0.2.0/24".to_owned()]);
        record.metadata = Fact::Known(serde_json::from_str(r#"{"n": 1.50}"#).unwrap());
        record.limits.uses = Fact::Empty;
        for (field, printed) in [
            (Field::ExpiresAt, "2030-01-02T03:04:05Z"),
            (Field::Permissions, "logs=read,delete; admin"),
            (Field::IpAllowlist, "::1, 192.0.2.0/24"),
            (Field::Metadata, r#"{"n":1.50}"#),
        ] {
            assert_eq!(record.field(field).map(|value| value.to_string()), Fact::Known(printed.to_owned()));
        }
        assert_eq!(record.field(Field::LimitsUses), Fact::<FieldValue<'_>>::Empty);
    }

    #[test]
    fn a_status_prints_how_it_is_known() {
        let none = Status { state: KeyState::Unknown, basis: Basis::None };
        for (status, printed) in [
            (none, "unknown"),
            (Status::stated(KeyState::Active, "status"), "active (stated in `status`)"),
            (Status::derived(KeyState::Expired, &["end"], "its time is over"), "expired (derived: its time is over)"),
        ] {
            assert_eq!(status.to_string(), printed);
        }
    }
}
