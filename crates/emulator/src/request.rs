//! What is read out of a request: the credential, and the ids of its path.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

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

#[cfg(test)]
mod tests {
    use super::*;

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
