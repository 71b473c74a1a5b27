//! Drift: what a vendor sent that its documentation does not say.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fact::Fact;

/// One oddity of an answer that was still read.
///
/// A drift note never carries the value of a field, save the text of an unknown status or the like, so that it can be
/// logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The member, as a dotted path from the key object: `status`, `scopes.0.representation`. Empty for the whole body.
    pub path: String,
    /// What is odd about it.
    #[serde(flatten)]
    pub kind: DriftKind,
}

/// What is odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DriftKind {
    /// The vendor does not document this member. It is in the raw JSON alone, and its text is not.
    UnknownField,
    /// The vendor does not document this value of the member. The detail is the value, at most 64 characters.
    UnknownValue(String),
    /// The member is not of the documented type, and was read as missing.
    WrongType,
    /// The member is documented as always present, and is absent.
    RequiredMissing,
    /// The member is documented as never `null`, and is `null`.
    UnexpectedNull,
    /// A time has no zone, and was read as UTC.
    ZoneAssumed,
    /// A time is a number whose unit no document states; the detail is the unit that its magnitude tells.
    UnitAssumed(TimeUnit),
    /// A time has another form than the documented one, and could be read.
    TimeForm,
    /// A time has a form that could not be read, and was read as missing.
    UnreadableTime,
    /// The key object is wrapped, or not wrapped, against the documentation.
    Envelope,
    /// The member stands twice. If its values differ, it was read as missing.
    Repeated,
    /// The answer's identity is not the one that was asked for. The record keeps the address that was asked.
    IdentityMismatch,
    /// The member is documented as masked and does not look masked, so that it was withheld.
    NotMasked,
    /// There is more that is odd than there are notes.
    Omitted,
    /// The body is not valid UTF-8, or begins with a byte-order mark; the rest was read.
    Encoding,
}

/// The unit of a number that stands for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds since the Unix epoch.
    Seconds,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
}

impl DriftKind {
    /// Whether decoding notes it of members that it takes out.
    fn drops(&self) -> bool {
        matches!(self, Self::WrongType | Self::Repeated | Self::UnknownValue(_))
    }
}

impl Drift {
    /// A note about `path`.
    pub fn new(path: impl Into<String>, kind: DriftKind) -> Self {
        Self { path: path.into(), kind }
    }

    /// A note that `path` has the undocumented value `value`, cut to 64 characters.
    pub fn unknown_value(path: impl Into<String>, value: &str) -> Self {
        Self::new(path, DriftKind::UnknownValue(value.chars().take(64).collect()))
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the body" } else { &self.path };
        match &self.kind {
            DriftKind::UnknownField => write!(f, "{path} is not documented"),
            DriftKind::UnknownValue(value) => write!(f, "{path} has the undocumented value {value:?}"),
            DriftKind::WrongType => write!(f, "{path} has another type than documented"),
            DriftKind::RequiredMissing => write!(f, "{path} is documented as required and is absent"),
            DriftKind::UnexpectedNull => write!(f, "{path} is documented as never null and is null"),
            DriftKind::ZoneAssumed => write!(f, "{path} has no time zone; read as UTC"),
            DriftKind::UnitAssumed(TimeUnit::Seconds) => write!(f, "{path} has no documented unit; read as seconds"),
            DriftKind::UnitAssumed(TimeUnit::Milliseconds) => {
                write!(f, "{path} has no documented unit; read as milliseconds")
            }
            DriftKind::TimeForm => write!(f, "{path} is a time in another form than documented"),
            DriftKind::UnreadableTime => write!(f, "{path} is not a readable time"),
            DriftKind::Envelope => write!(f, "{path} is wrapped in another way than documented"),
            DriftKind::Repeated => write!(f, "{path} stands twice"),
            DriftKind::IdentityMismatch => write!(f, "{path} is not the identity that was asked for"),
            DriftKind::NotMasked => write!(f, "{path} does not look masked; withheld"),
            DriftKind::Omitted => write!(f, "{path} is odd in more places than are noted"),
            DriftKind::Encoding => write!(f, "{path} is not plain UTF-8"),
        }
    }
}

/// Collects the drift notes of one answer while it is turned into a record.
#[derive(Debug, Clone, Default)]
pub struct DriftNotes {
    drift: Vec<Drift>,
    /// How many of the notes decoding made.
    decoding: usize,
}

/// How many notes one record has at most: a body full of oddities must not fill the memory with notes about them.
const MAX_NOTES: usize = 200;

impl DriftNotes {
    /// Continues with the notes that decoding made.
    #[must_use]
    pub fn of(drift: Vec<Drift>) -> Self {
        Self { decoding: drift.len(), drift }
    }

    /// Adds a note, unless there are 200 already.
    pub fn add(&mut self, path: &str, kind: DriftKind) {
        match self.drift.len() {
            ..MAX_NOTES => self.drift.push(Drift::new(path, kind)),
            MAX_NOTES => self.drift.push(Drift::new("", DriftKind::Omitted)),
            _ => {}
        }
    }

    /// Notes an undocumented value of an open enumeration.
    pub fn unknown_value(&mut self, path: &str, value: &str) {
        let Drift { path, kind } = Drift::unknown_value(path, value);
        self.add(&path, kind);
    }

    /// Whether decoding took the member at `path` out: it was there, and could not be read.
    #[must_use]
    pub fn was_dropped(&self, path: &str) -> bool {
        self.drift.iter().take(self.decoding).any(|drift| drift.path == path && drift.kind.drops())
    }

    /// Whether the time at `path` was there and says nothing: it was dropped, or its form could not be read. An odd
    /// value is none of these.
    #[must_use]
    pub fn is_unreadable(&self, path: &str) -> bool {
        let unreadable = |drift: &Drift| drift.kind == DriftKind::UnreadableTime && drift.path == path;
        self.was_dropped(path) || self.drift.iter().any(unreadable)
    }

    /// Whether the value at `path` was there and is not one that the vendor documents.
    #[must_use]
    pub fn is_odd(&self, path: &str) -> bool {
        self.drift.iter().any(|drift| matches!(drift.kind, DriftKind::UnknownValue(_)) && drift.path == path)
    }

    /// Where the elements of `list` stood in the answer: decoding may have taken some out of between them.
    pub fn places(&self, list: &str) -> impl Iterator<Item = usize> + use<> {
        let element = |drift: &Drift| drift.path.strip_prefix(list)?.strip_prefix('.')?.parse().ok();
        let decoding = self.drift.iter().take(self.decoding);
        let removed: std::collections::HashSet<usize> =
            decoding.filter(|drift| drift.kind.drops()).filter_map(element).collect();
        (0..).filter(move |place| !removed.contains(place))
    }

    /// Notes a field that the vendor documents as always there and never null, when it is not so. A member that was dropped for its
    /// type has its own note already.
    pub fn required<T>(&mut self, path: &str, fact: &Fact<T>) {
        self.present(path, fact);
        self.not_null(path, fact);
    }

    /// Notes a field that the vendor documents as always there, be it null, when it is not.
    pub fn present<T>(&mut self, path: &str, fact: &Fact<T>) {
        if fact.is_missing() && !self.was_dropped(path) {
            self.add(path, DriftKind::RequiredMissing);
        }
    }

    /// Notes a `null` in a field that the vendor documents as never null.
    pub fn not_null<T>(&mut self, path: &str, fact: &Fact<T>) {
        if matches!(fact, Fact::Empty) {
            self.add(path, DriftKind::UnexpectedNull);
        }
    }

    /// The notes.
    #[must_use]
    pub fn into_drift(self) -> Vec<Drift> {
        self.drift
    }
}
