//! What is read out of a request: the credential, the ids of its path, its query and its body.

use std::convert::Infallible;
use std::ops::RangeBounds;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

/// Where a vendor takes its credential from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// `Authorization`, after this scheme and a space.
    Scheme(&'static str),
    /// A header that holds the credential alone. Its name is in lower case.
    Header(&'static str),
}

/// Whether `credential` stands in one of the `places`. As in HTTP, the case of a scheme does not matter.
pub(crate) fn carries(headers: &HeaderMap, places: &[Place], credential: &str) -> bool {
    places.iter().any(|place| match place {
        Place::Scheme(scheme) => headers
            .get(header::AUTHORIZATION)
            .and_then(text)
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(given, rest)| given.eq_ignore_ascii_case(scheme) && rest == credential),
        Place::Header(name) => headers.get(*name).and_then(text) == Some(credential),
    })
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// The ids of the path, each percent-decoded once. Empty if one of them is not UTF-8: no key has such an id.
#[derive(Debug)]
pub(crate) struct Ids(pub(crate) Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ids = Path::<Vec<String>>::from_request_parts(parts, state).await;
        Ok(Self(ids.map(|Path(ids)| ids).unwrap_or_default()))
    }
}

/// The query, decoded: the names and values of all parameters, in their order.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn new(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(n, v)| (decoded(n), decoded(v)))
                .collect(),
        )
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A whole number, `default` if it is not given, and nothing if it is not a number of the range.
    pub(crate) fn number(&self, name: &str, default: usize, range: impl RangeBounds<usize>) -> Option<usize> {
        self.first(name).map_or(Some(default), |text| text.parse().ok().filter(|number| range.contains(number)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::new(parts.uri.query().unwrap_or_default()))
    }
}

/// Text of a query: a plus is a space, and what is wrongly encoded stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match after.get(..2).and_then(hex) {
                Some(byte) => {
                    rest = after.get(2..).unwrap_or_default();
                    byte
                }
                None => b'%',
            },
            other => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.iter().try_fold(0, |sum: u8, byte| Some((sum << 4) | digit(byte)?))
}

/// The body, if it is a JSON object.
pub(crate) fn object(body: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(body).ok()
}

/// A member of a body that is absent or null.
pub(crate) fn is_unset(body: &Map<String, Value>, name: &str) -> bool {
    body.get(name).is_none_or(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_once() {
        let query = Query::new("a=1&ids=x%2By&b&ids=%2541+z&&bad=%G1%");
        assert_eq!(query.all("ids").collect::<Vec<_>>(), ["x+y", "%41 z"]);
        assert_eq!((query.first("a"), query.first("b"), query.first("c")), (Some("1"), Some(""), None));
        assert_eq!(query.first("bad"), Some("%G1%"));
        assert_eq!((query.number("a", 9, 1..=5), query.number("c", 9, 1..=5)), (Some(1), Some(9)));
        assert_eq!((query.number("a", 9, 2..=5), query.number("bad", 9, ..)), (None, None));
    }

    #[test]
    fn a_credential_counts_in_its_places_and_as_a_whole() {
        const PLACES: [Place; 2] = [Place::Scheme("Api-Key"), Place::Header("x-api-key")];
        for (name, value, expected) in [
            ("authorization", "Api-Key abc", true),
            ("authorization", "api-key abc", true),
            ("authorization", "Bearer abc", false),
            ("authorization", "abc", false),
            ("authorization", "Api-Key", false),
            ("authorization", "Api-Key  abc", false),
            ("authorization", "Api-Key abcd", false),
            ("authorization", "Api-Key ab", false),
            ("x-api-key", "abc", true),
            ("x-api-key", "Api-Key abc", false),
            ("x-api-key", "", false),
            ("cookie", "abc", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(carries(&headers, &PLACES, "abc"), expected, "{name}: {value}");
        }
        assert!(!carries(&HeaderMap::new(), &PLACES, "abc"));
    }
}
