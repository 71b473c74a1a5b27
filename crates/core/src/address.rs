//! How a key is named: typed ids, the address at its vendor, the account, and the reference in text.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::names::{AccountName, ProviderId};

/// Everything but RFC 3986's unreserved characters is encoded, so that a segment is one segment at any server.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest id that is sent, in bytes. No vendor documents a length near it; servers refuse long paths in ways
/// that do not name the reason.
pub const MAX_SEGMENT_BYTES: usize = 1024;

/// Percent-encodes `segment` as exactly one path segment.
pub(crate) fn encode_segment(segment: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(segment, ENCODED)
}

/// Refuses what cannot be one path segment. `what` names the id in the error.
fn check_segment(what: &str, text: &str) -> Result<(), Error> {
    let reason = match text {
        "" => "is empty".to_owned(),
        "." | ".." => "is a dot segment, which a URL would resolve to another address".to_owned(),
        _ if text.len() > MAX_SEGMENT_BYTES => {
            format!("has {} bytes; at most {MAX_SEGMENT_BYTES} are sent", text.len())
        }
        _ => return Ok(()),
    };
    Err(Error::invalid(format!("{what} {reason}")))
}

/// The kind of an [`Id`]: its name in errors, and what the vendor documents about its form.
pub trait IdKind {
    /// The vendor's own name for the id, as in its path: `group_id`.
    const NAME: &'static str;

    /// Refuses an id that the vendor documents as malformed; the message says what a right one looks like.
    fn check(_text: &str) -> Result<(), &'static str> {
        Ok(())
    }
}

/// A validated id: it is one path segment, and ids of different kinds do not mix.
///
/// It is never empty, `.` or `..`, and holds at most [`MAX_SEGMENT_BYTES`] bytes; it may hold any other character,
/// which is percent-encoded when sent.
pub struct Id<K> {
    text: Box<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K: IdKind> Id<K> {
    /// Checks `text`. The error is [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) and names the id.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        check_segment(K::NAME, &text)?;
        K::check(&text).map_err(|reason| Error::invalid(format!("{} {reason}", K::NAME)))?;
        Ok(Self { text: text.into_boxed_str(), kind: PhantomData })
    }
}

impl<K> Id<K> {
    /// The id as the vendor writes it, not percent-encoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// Reads what a vendor sent: it must be addressable, and need not have the documented form.
impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check_segment(K::NAME, &text).map_err(serde::de::Error::custom)?;
        Ok(Self { text: text.into_boxed_str(), kind: PhantomData })
    }
}

/// Where a key lives at its vendor: one or more path segments, in the order of
/// [`ProviderInfo::address`](crate::ProviderInfo).
///
/// Cheap to clone. Printed and parsed as percent-encoded segments joined by `/`.
///
/// ```
/// use keymux_core::KeyAddress;
///
/// let address = KeyAddress::new(["abc123hash", "any/char?"])?;
/// assert_eq!(address.to_string(), "abc123hash/any%2Fchar%3F");
/// assert_eq!(address.to_string().parse::<KeyAddress>()?, address);
/// assert!(KeyAddress::new(["abc123hash", ".."]).is_err());
/// # Ok::<(), keymux_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyAddress {
    segments: Arc<[Box<str>]>,
}

impl KeyAddress {
    /// An address of these segments, given as they are (not percent-encoded).
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let segments: Vec<Box<str>> = segments.into_iter().map(|segment| segment.into().into_boxed_str()).collect();
        if segments.is_empty() {
            return Err(Error::invalid("the key's address is empty"));
        }
        for (index, segment) in segments.iter().enumerate() {
            check_segment(&format!("segment {} of the key's address", index + 1), segment)?;
        }
        Ok(Self { segments: segments.into() })
    }

    /// Stands where an address will be, in a record that nobody sees.
    pub(crate) fn placeholder() -> Self {
        Self { segments: Arc::from([Box::from("unknown")]) }
    }

    /// The segments as they are, not percent-encoded. There is at least one.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.segments.iter().map(AsRef::as_ref)
    }

    /// The id of an address of one part. An error names `provider` and the shape that it wants.
    pub fn one<K: IdKind>(&self, provider: &ProviderId) -> Result<Id<K>, Error> {
        let id = match &*self.segments {
            [only] => Id::new(only.as_ref()),
            _ => Err(self.wrong_shape(&[K::NAME])),
        };
        id.map_err(|error| error.with_provider(provider.clone()))
    }

    /// The ids of an address of two parts. An error names `provider` and the shape that it wants.
    pub fn two<A: IdKind, B: IdKind>(&self, provider: &ProviderId) -> Result<(Id<A>, Id<B>), Error> {
        let ids = match &*self.segments {
            [first, second] => Id::new(first.as_ref()).and_then(|first| Ok((first, Id::new(second.as_ref())?))),
            _ => Err(self.wrong_shape(&[A::NAME, B::NAME])),
        };
        ids.map_err(|error| error.with_provider(provider.clone()))
    }

    fn wrong_shape(&self, parts: &[&str]) -> Error {
        Error::invalid(format!(
            "the key's address has {} segment{}, and the vendor's is {}; a `/` within a segment is written `%2F`",
            self.segments.len(),
            if self.segments.len() == 1 { "" } else { "s" },
            parts.join("/"),
        ))
    }
}

impl fmt::Display for KeyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            write!(f, "{}", encode_segment(segment))?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyAddress({self})")
    }
}

impl FromStr for KeyAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text.split('/').map(decode_segment).collect::<Result<Vec<_>, _>>()?)
    }
}

impl Serialize for KeyAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.segments())
    }
}

impl<'de> Deserialize<'de> for KeyAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<String>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Strict: a `%` that does not begin an encoded byte is an error, so that nothing is read two ways.
fn decode_segment(text: &str) -> Result<String, Error> {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let is_hex = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
        if byte == b'%' && !(is_hex(rest.next()) && is_hex(rest.next())) {
            return Err(Error::invalid(
                "the key reference holds a `%` that is not followed by two hexadecimal digits; write `%25` for a percent sign",
            ));
        }
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(Error::invalid("a percent-encoded segment of the key reference is not UTF-8")),
    }
}

/// One key of one account, as text: `account:segment/segment`, each segment percent-encoded.
///
/// Parsing and printing lose nothing.
///
/// ```
/// use keymux_core::KeyRef;
///
/// let key: KeyRef = "prod-baseten:abc123hash/aBcDeFg".parse()?;
/// assert_eq!(key.account().as_str(), "prod-baseten");
/// assert_eq!(key.address().segments().collect::<Vec<_>>(), ["abc123hash", "aBcDeFg"]);
/// # Ok::<(), keymux_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyRef {
    account: AccountName,
    address: KeyAddress,
}

impl KeyRef {
    /// The key at `address` of `account`.
    #[must_use]
    pub fn new(account: AccountName, address: KeyAddress) -> Self {
        Self { account, address }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// The address at the account's vendor.
    #[must_use]
    pub fn address(&self) -> &KeyAddress {
        &self.address
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.account, self.address)
    }
}

impl fmt::Debug for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRef({self})")
    }
}

impl FromStr for KeyRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some((account, address)) = text.split_once(':') else {
            return Err(Error::invalid(
                "the key reference has no `:`; write `account:id`, or `account:group/prefix` where the vendor's address has two parts",
            ));
        };
        Ok(Self { account: account.parse()?, address: address.parse()? })
    }
}

impl TryFrom<String> for KeyRef {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<KeyRef> for String {
    fn from(key: KeyRef) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    struct GroupKind;
    impl IdKind for GroupKind {
        const NAME: &'static str = "group_id";
    }

    proptest! {
        #[test]
        fn a_reference_is_printed_and_parsed_without_loss(segments in prop::collection::vec(".{1,40}", 1..4)) {
            prop_assume!(segments.iter().all(|s| s != "." && s != ".."));
            let key = KeyRef::new(AccountName::new("prod-1").unwrap(), KeyAddress::new(segments).unwrap());
            prop_assert_eq!(key.to_string().parse::<KeyRef>().unwrap(), key);
        }

        #[test]
        fn parsing_any_text_never_panics(text in ".{0,80}") {
            let _ = text.parse::<KeyRef>();
        }
    }

    #[test]
    fn hostile_segments_are_refused_by_name() {
        for hostile in ["", ".", "..", &"x".repeat(MAX_SEGMENT_BYTES + 1)] {
            let error = Id::<GroupKind>::new(hostile).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains("group_id"), "{error}");
            assert!(KeyAddress::new([hostile]).is_err());
        }
    }

    #[test]
    fn references_that_could_be_read_two_ways_are_refused() {
        for text in [
            "",
            "baseten",
            "baseten:",
            ":id",
            "a b:id",
            "baseten:a//b",
            "baseten:%",
            "baseten:%2",
            "baseten:%zz",
            "baseten:%ff",
            "baseten:a/..",
            "baseten:%2e%2e",
        ] {
            assert!(text.parse::<KeyRef>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_of_the_wrong_length_names_the_right_shape() {
        let error = KeyAddress::new(["a", "b"]).unwrap().one::<GroupKind>(&ProviderId::new("acme")).unwrap_err();
        assert!(error.to_string().contains("group_id"), "{error}");
    }
}
