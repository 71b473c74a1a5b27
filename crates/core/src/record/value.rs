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
