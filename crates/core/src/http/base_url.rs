//! Where a vendor's API lives: checked once, joined without surprises.

use std::fmt;

use url::{Host, Url};

use super::ClientOptions;
use crate::address::encode_segment;
use crate::error::Error;
use crate::page::MAX_CURSOR_BYTES;

/// The root of a vendor's API. It may carry a path, which every request keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    /// Without a slash at its end.
    text: String,
}

impl BaseUrl {
    /// Checks `text`, which `name` names in errors: the setting or the environment variable that it came from.
    ///
    /// It is `https` or `http` with a host, and without user, password, query and fragment. A slash at its end makes
    /// no difference.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        // The text may hold a password, so that no error repeats it.
        let fail =
            |reason: &str| Err(Error::config(format!("{name} {reason}; it looks like `https://api.example.com`")));
        let text = text.trim();
        if text.is_empty() {
            return fail("is empty");
        }
        let Ok(url) = Url::parse(text) else {
            return fail("is not a URL");
        };
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return fail("is not an `https` or `http` URL with a host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return fail("holds a user name or a password, which do not belong into a base URL");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fail("has a query or a fragment");
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The same base without `suffix` at the end of its path, for vendors whose API prefix may or may not be in it.
    #[must_use]
    pub fn without_suffix(self, suffix: &str) -> Self {
        match self.text.strip_suffix(suffix).and_then(|text| Some((Url::parse(text).ok()?, text))) {
            Some((url, text)) => Self { url, text: text.to_owned() },
            None => self,
        }
    }

    /// The URL as text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Refuses plain HTTP to another machine, unless `options` allow it. `name` names the URL in the error.
    pub fn check_scheme(&self, name: &str, options: &ClientOptions) -> Result<(), Error> {
        if self.is_https() || self.is_loopback() || options.plain_http {
            return Ok(());
        }
        Err(Error::config(format!(
            "{name} is plain HTTP to another machine, which would show the credential to the network; use `https`"
        )))
    }

    /// What `reference` in an answer's header points at.
    pub(crate) fn resolve(&self, reference: &str) -> Option<Url> {
        self.url.join(reference).ok()
    }

    pub(crate) fn origin(&self) -> url::Origin {
        self.url.origin()
    }

    pub(crate) fn origin_text(&self) -> &str {
        &self.url[..url::Position::BeforePath]
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.host(), self.url.port_or_known_default().unwrap_or_default())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is a name that stands for this machine, if the resolver agrees.
    pub(crate) fn is_localhost(&self) -> bool {
        self.url.host() == Some(Host::Domain("localhost"))
    }

    /// Whether the host is this machine by definition: nothing that is sent there leaves it.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// The URL of `path` below this base, each part of it one path segment.
    pub(crate) fn join(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Error> {
        if let Some((name, value)) = query.iter().find(|(_, value)| value.len() > MAX_CURSOR_BYTES) {
            return Err(Error::invalid(format!(
                "the query parameter `{name}` has {} bytes; at most {MAX_CURSOR_BYTES} are sent",
                value.len()
            )));
        }
        let base = self.url.path().trim_end_matches('/');
        let mut whole = String::with_capacity(base.len() + path.iter().map(|part| part.len() + 1).sum::<usize>());
        whole.push_str(base);
        for part in path {
            whole.push('/');
            whole.extend(encode_segment(part));
        }
        // Host and port are not parsed again.
        let mut url = self.url.clone();
        url.set_path(&whole);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        // The parts are encoded and are no dot segments, so that there is nothing to resolve. If a caller of this crate
        // hands in one all the same, nothing is sent.
        if url.path().len() < whole.len() {
            return Err(Error::invalid("an id is a dot segment, which a URL would resolve to another address"));
        }
        Ok(url)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bad_base_urls_are_refused_by_name_and_without_their_text() {
        for bad in [
            "",
            " ",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://u:CANARY@example.com",
            "https://example.com?CANARY=1",
            "https://example.com#CANARY",
            "data:text/plain,CANARY",
        ] {
            let error = BaseUrl::parse("ACME_BASE_URL", bad).unwrap_err().to_string();
            assert!(error.contains("ACME_BASE_URL") && !error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn a_path_is_kept_and_the_last_slash_does_not_matter() {
        for base in ["https://x.example/a/b", "https://x.example/a/b/"] {
            let base = BaseUrl::parse("base_url", base).unwrap();
            let url = base.join(&["v1", "a/b ?#%.."], &[("cursor", "a=&")]).unwrap();
            assert_eq!(url.as_str(), "https://x.example/a/b/v1/a%2Fb%20%3F%23%25..?cursor=a%3D%26");
        }
    }

    #[test]
    fn a_dot_segment_never_becomes_a_url() {
        let base = BaseUrl::parse("base_url", "https://x.example/a").unwrap();
        for dots in [".", ".."] {
            assert!(base.join(&["v1", dots], &[]).is_err());
        }
    }

    #[test]
    fn loopback_is_told_from_what_only_looks_like_it() {
        let is = |text: &str| BaseUrl::parse("base_url", text).unwrap().is_loopback();
        assert!(["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]:80"].into_iter().all(is));
        assert!(
            ![
                "http://localhost.example.com",
                "http://128.0.0.1",
                "http://10.0.0.1",
                "http://[::2]",
                "http://notlocalhost",
                "http://a.localhost"
            ]
            .into_iter()
            .any(is)
        );
    }

    proptest! {
        #[test]
        fn every_id_is_exactly_one_segment_of_the_same_origin(id in "\\PC{1,60}") {
            prop_assume!(id != "." && id != "..");
            let base = BaseUrl::parse("base_url", "https://x.example/base").unwrap();
            let url = base.join(&["keys", &id], &[]).unwrap();
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 3);
            let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, id);
            prop_assert_eq!(url.host_str(), Some("x.example"));
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
    }
}
