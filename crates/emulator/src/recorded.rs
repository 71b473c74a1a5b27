//! The record of a request, without its credential.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, Method, Uri};

use crate::faults::Fault;

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

    /// Returns the number of the request.
    pub(crate) fn push(&mut self, request: RecordedRequest) -> u64 {
        self.count += 1;
        if self.last.len() >= self.capacity {
            self.last.pop_front();
        }
        if self.capacity > 0 {
            self.last.push_back(request);
        }
        self.count
    }

    /// The request with a number, if it is still there.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut RecordedRequest> {
        let later = usize::try_from(self.count.checked_sub(number)?).ok()?;
        self.last.iter_mut().rev().nth(later)
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
/// Headers that carry credentials keep their scheme and lose the rest, whether the vendor accepted them or not, and the
/// credentials that the vendor accepts are masked wherever else they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    operation: Option<&'static str>,
    faults: Vec<Arc<Fault>>,
    is_limited: bool,
}

impl RecordedRequest {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, credentials: &[String]) -> Self {
        let mask =
            |text: String, secret: &String| if text.contains(secret) { text.replace(secret, MASKED) } else { text };
        let without = |text: &str| credentials.iter().fold(text.to_owned(), mask);
        let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
        let headers = headers.iter().map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), if is_secret(name) { masked(&text) } else { without(&text) })
        });
        Self {
            method: without(method.as_str()),
            path: without(path),
            headers: headers.collect(),
            operation: None,
            faults: Vec::new(),
            is_limited: false,
        }
    }

    /// Adds what the vendor made of the request when it arrived.
    pub(crate) fn with_fate(mut self, operation: Option<&'static str>, faults: Vec<Arc<Fault>>) -> Self {
        (self.operation, self.faults) = (operation, faults);
        self
    }

    pub(crate) fn mark_limited(&mut self) {
        self.is_limited = true;
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

    /// The operation that method and path name, one of [`Vendor::operations`](crate::Vendor::operations). None if the
    /// vendor has no such path, or no such method on it.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation
    }

    /// The faults that befell the request: latencies, and then at most one other.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().map(|fault| &**fault)
    }

    /// Whether the vendor's [limit](crate::Vendor::limit) refused the request. A
    /// [429 of a plan](Fault::RateLimited) is a fault, and no refusal.
    #[must_use]
    pub fn was_limited(&self) -> bool {
        self.is_limited
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
        let request = RecordedRequest::new(&Method::GET, &uri, &headers, &["CANARY".to_owned()]);
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
        let request = RecordedRequest::new(&Method::GET, &Uri::from_static("/"), &headers, &["CANARY".to_owned()]);
        assert!(!format!("{request:?}").contains("somebody"), "{request:?}");
    }
}
