//! The record of a request, without its credential.

use std::collections::VecDeque;

use axum::http::{HeaderMap, HeaderName, Method, Uri};

/// What stands in place of a credential.
const MASKED: &str = "[masked]";

/// Schemes that are shown in front of a masked credential.
const SCHEMES: [&str; 3] = ["Api-Key", "Bearer", "Basic"];

/// The last requests, and how many there were.
#[derive(Debug)]
pub(crate) struct Recorder {
    last: VecDeque<RecordedRequest>,
    capacity: usize,
    count: u64,
}

impl Recorder {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { last: VecDeque::new(), capacity, count: 0 }
    }

    pub(crate) fn push(&mut self, request: RecordedRequest) {
        self.count += 1;
        if self.last.len() >= self.capacity {
            self.last.pop_front();
        }
        if self.capacity > 0 {
            self.last.push_back(request);
        }
    }

    pub(crate) fn last(&self) -> Vec<RecordedRequest> {
        self.last.iter().cloned().collect()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// A request that arrived at a vendor.
///
/// Headers that carry credentials keep their scheme and lose the rest, whether the vendor accepted them or not, and
/// the vendor's own credential is masked wherever else it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

impl RecordedRequest {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, credential: &str) -> Self {
        let without = |text: &str| text.replace(credential, MASKED);
        let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
        let headers = headers.iter().map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), if is_secret(name) { masked(&text) } else { without(&text) })
        });
        Self { method: without(method.as_str()), path: without(path), headers: headers.collect() }
    }

    /// The method, in upper case: `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its query, encoded as it arrived.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names, in lower case, and values of all headers. A header that came twice is there twice.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header of this name, whose case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn is_secret(name: &HeaderName) -> bool {
    ["authorization", "cookie", "proxy-authorization", "x-api-key"].contains(&name.as_str())
}

fn masked(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, _)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => {
            format!("{scheme} {MASKED}")
        }
        _ => MASKED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_credential_is_masked_wherever_it_stands() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer CANARY"),
            ("x-api-key", "CANARY"),
            ("x-api-key", "Bearer CANARY"),
            ("proxy-authorization", "CANARY other"),
            ("x-note", "say CANARY twice: CANARY"),
            ("accept", "application/json"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let uri = Uri::from_static("/keys/CANARY?key=CANARY&limit=1");
        let request = RecordedRequest::new(&Method::GET, &uri, &headers, "CANARY");
        assert!(!format!("{request:?}").contains("CANARY"), "{request:?}");
        assert_eq!(request.path(), "/keys/[masked]?key=[masked]&limit=1");
        assert_eq!(request.header("Authorization"), Some("Bearer [masked]"));
        assert_eq!(request.header("proxy-authorization"), Some("[masked]"));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.headers().iter().filter(|(name, _)| name == "x-api-key").count(), 2);
    }

    #[test]
    fn another_credential_is_masked_in_its_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Api-Key somebody-elses"));
        headers.insert("x-api-key", HeaderValue::from_static("somebody-elses"));
        let request = RecordedRequest::new(&Method::GET, &Uri::from_static("/"), &headers, "CANARY");
        assert!(!format!("{request:?}").contains("somebody"), "{request:?}");
    }
}
