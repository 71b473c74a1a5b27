//! The proxies of the environment: which one is in the way of a vendor, and whether it can be used at all.

use std::ffi::OsString;
use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use super::BaseUrl;
use crate::error::Error;
use crate::setup::Variables;

/// The variables that name a proxy, and that one is used for HTTPS. Of two spellings the first counts that is not empty.
const VARIABLES: [([&str; 2], bool); 3] = [
    (["HTTPS_PROXY", "https_proxy"], true),
    (["ALL_PROXY", "all_proxy"], true),
    // Plain HTTP never goes through a proxy. Who set this one expects to be told that it cannot be read all the same.
    (["HTTP_PROXY", "http_proxy"], false),
];

/// Which proxy is in the way of a vendor.
#[derive(Debug)]
pub(super) enum Way {
    /// None: requests go to the vendor itself.
    Direct,
    /// None that the environment names; the settings of the system may have one.
    System,
    /// This one.
    Through(Proxy),
}

/// A proxy that the environment names. Printed, it shows no password: `10.0.0.1:3128 (HTTPS_PROXY)`.
pub(super) struct Proxy {
    /// With user and password, if it has them.
    pub(super) url: Url,
    variable: &'static str,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.url.port_or_known_default().unwrap_or(SOCKS_PORT);
        write!(f, "{}:{port} ({})", self.url.host_str().unwrap_or_default(), self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a SOCKS proxy listens if nothing else is said.
const SOCKS_PORT: u16 = 1080;

/// The way to `base`. A variable that cannot be used is an error that names it and its shape, never what is in it: a
/// password may be. Ignored, it would let the credential out past the proxy.
pub(super) fn way(variables: Variables<'_>, base: &BaseUrl) -> Result<Way, Error> {
    // A server that runs programs for its requests (CGI) lets a client of it set `HTTP_PROXY`: the HTTP library then
    // looks at none of them, and neither do we.
    if !base.is_https() || variables("REQUEST_METHOD").is_some() {
        return Ok(Way::Direct);
    }
    if is_exempt(variables, base) {
        return Ok(Way::Direct);
    }
    let mut first = None;
    for (names, is_used) in VARIABLES {
        let set = names.into_iter().find_map(|name| Some((name, variables(name).filter(|text| !text.is_empty())?)));
        let Some((variable, text)) = set else { continue };
        let proxy = parse(variable, text)?;
        if is_used {
            first.get_or_insert(proxy);
        }
    }
    Ok(first.map_or(Way::System, Way::Through))
}

/// Whether `NO_PROXY` takes `base` out, by the rules of the HTTP library; `*` is everything, IP addresses too.
fn is_exempt(variables: Variables<'_>, base: &BaseUrl) -> bool {
    let text = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| variables(name)?.into_string().ok());
    let Some(text) = text else { return false };
    if text.split(',').any(|entry| entry.trim() == "*") {
        return true;
    }
    let Ok(uri) = base.as_str().parse() else { return false };
    // Any proxy will do to ask whether one would be used.
    Matcher::builder().all("http://proxy.invalid").no(text).build().intercept(&uri).is_none()
}

fn parse(variable: &'static str, text: OsString) -> Result<Proxy, Error> {
    let fail = |shape: String| {
        Err(Error::config(format!(
            "the environment variable {variable} cannot be used, and no request is sent past the proxy: it {shape}; it \
             looks like `http://proxy.example.com:3128`"
        )))
    };
    let Ok(text) = text.into_string() else { return fail("is not UTF-8".to_owned()) };
    if text.trim().is_empty() {
        return fail("holds white space alone".to_owned());
    }
    let quotes = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    if text.trim().starts_with(quotes) || text.trim().ends_with(quotes) {
        return fail("is in quotation marks".to_owned());
    }
    if let Some(position) = text.bytes().position(|byte| !(0x21..=0x7e).contains(&byte)) {
        let length = text.len();
        let what = "holds white space, a control or a non-ASCII character at byte";
        return fail(format!("{what} {} of {length}", position + 1));
    }
    let (scheme, rest) = text.split_once("://").map_or(("http", &*text), |(scheme, rest)| (scheme, rest));
    let scheme = scheme.to_ascii_lowercase();
    match &*scheme {
        "http" | "https" => {}
        "socks4" | "socks4a" | "socks5" | "socks5h" if cfg!(feature = "socks") => {}
        "socks4" | "socks4a" | "socks5" | "socks5h" => {
            return Err(Error::config(format!(
                "the environment variable {variable} names a SOCKS proxy, which this build cannot use; build it with \
                 the Cargo feature `socks`, or name an HTTP proxy"
            )));
        }
        // What stands there may be the beginning of a password.
        other if other.len() <= 5 && other.bytes().all(|b| b.is_ascii_alphabetic()) => {
            return fail(format!("has the scheme `{other}`, which is none of a proxy"));
        }
        _ => return fail("has a scheme that is none of a proxy".to_owned()),
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return fail("names no host".to_owned());
    }
    // `http:/proxy` and `http:proxy` would be a host named `http`.
    let is_scheme = |host: &str| ["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(&host);
    if !text.contains("://") && host.split(':').next().is_some_and(is_scheme) {
        return fail("has a scheme without `//` behind it".to_owned());
    }
    // As HTTP, whose hosts are checked; the port is then none of HTTP's own.
    let checked = Url::parse(&format!("http://{rest}")).ok();
    let is_host = |url: &Url| match url.host() {
        Some(Host::Domain(name)) => name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    };
    let is_good = checked.as_ref().is_some_and(is_host) && checked.as_ref().is_some_and(|url| url.port() != Some(0));
    match Url::parse(&format!("{scheme}://{rest}")) {
        Ok(url) if is_good && url.has_host() => Ok(Proxy { url, variable }),
        _ => fail("is not a URL with a host and, if need be, a port".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_to(base: &str, pairs: &[(&str, &str)]) -> Result<String, String> {
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value));
        match way(&get, &BaseUrl::parse("base_url", base).unwrap()) {
            Ok(Way::Through(proxy)) => Ok(proxy.to_string()),
            Ok(way) => Ok(format!("{way:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    const VENDOR: &str = "https://api.acme.example";

    #[test]
    fn the_proxy_that_is_in_the_way_is_found_as_the_http_library_finds_it() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], "System"),
            (&[("HTTPS_PROXY", "")], "System"),
            (&[("HTTPS_PROXY", "http://10.0.0.1:3128")], "10.0.0.1:3128 (HTTPS_PROXY)"),
            (&[("https_proxy", "http://10.0.0.1:3128/")], "10.0.0.1:3128 (https_proxy)"),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "10.0.0.1:3128")], "10.0.0.1:3128 (https_proxy)"),
            (&[("ALL_PROXY", "proxy.example")], "proxy.example:80 (ALL_PROXY)"),
            (&[("ALL_PROXY", "http://a:1"), ("HTTPS_PROXY", "https://b")], "b:443 (HTTPS_PROXY)"),
            (&[("HTTPS_PROXY", "http://user:p%40ss@a:1")], "a:1 (HTTPS_PROXY)"),
            (&[("HTTPS_PROXY", "user:pass@a:1")], "a:1 (HTTPS_PROXY)"),
            (&[("HTTPS_PROXY", "HTTP://[::1]:8080")], "[::1]:8080 (HTTPS_PROXY)"),
            (&[("HTTP_PROXY", "http://a:1")], "System"),
            (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "acme.example")], "Direct"),
            (&[("HTTPS_PROXY", "http://a:1"), ("no_proxy", ".acme.example,x")], "Direct"),
            (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "*")], "Direct"),
            (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "example")], "Direct"),
            (&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "other.example")], "a:1 (HTTPS_PROXY)"),
            (&[("HTTPS_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")], "Direct"),
        ];
        for (pairs, expected) in table {
            assert_eq!(way_to(VENDOR, pairs).as_deref(), Ok(*expected), "{pairs:?}");
        }
    }

    #[test]
    fn an_address_is_exempt_by_itself_its_network_and_the_star() {
        for (no_proxy, expected) in [
            ("*", "Direct"),
            ("x, *", "Direct"),
            ("10.1.2.3", "Direct"),
            ("10.0.0.0/8", "Direct"),
            ("10.2.0.0/16", "a:1 (HTTPS_PROXY)"),
        ] {
            let pairs = [("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", no_proxy)];
            assert_eq!(way_to("https://10.1.2.3:8443", &pairs).as_deref(), Ok(expected), "{no_proxy}");
        }
    }

    #[test]
    fn plain_http_asks_no_variable() {
        assert_eq!(way_to("http://127.0.0.1:1", &[("HTTPS_PROXY", "\" no\"")]).as_deref(), Ok("Direct"));
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named_by_its_shape_and_never_ignored() {
        let secret = "pwCANARY";
        for (text, says) in [
            ("http://127.0.0.1:9 ", "at byte 19 of 19"),
            (" http://127.0.0.1:9", "at byte 1 of 19"),
            ("http://127.0.0.1:9\n", "at byte 19 of 19"),
            ("   ", "white space alone"),
            ("\"http://127.0.0.1:9\"", "quotation marks"),
            ("'http://127.0.0.1:9'", "quotation marks"),
            ("http://127.0.0.1:9\"", "quotation marks"),
            ("htp://127.0.0.1:9", "scheme `htp`"),
            ("ftp://127.0.0.1:9", "scheme `ftp`"),
            ("pwCANARY://127.0.0.1:9", "scheme"),
            ("http:/127.0.0.1:9", "without `//`"),
            ("http:127.0.0.1:9", "without `//`"),
            ("http://", "names no host"),
            ("http://:3128", "names no host"),
            ("http://user:pwCANARY@", "names no host"),
            ("http://user:pwCANARY@a:x", "is not a URL"),
            ("http://127.0.0.1:99999", "is not a URL"),
            ("http://127.0.0.1:0", "is not a URL"),
            ("${PROXY}", "is not a URL"),
            ("http://{{ proxy }}", "white space"),
            ("http://caf\u{e9}:1", "at byte 11"),
        ] {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"] {
                let error = way_to(VENDOR, &[(variable, text)]).unwrap_err();
                assert!(error.contains(variable) && error.contains(says), "{text:?}: {error}");
                assert!(!error.contains(secret) && !error.contains(&secret.to_lowercase()), "{error}");
            }
        }
    }

    #[cfg(not(feature = "socks"))]
    #[test]
    fn a_socks_proxy_names_the_feature_that_it_needs() {
        for text in ["socks5://u:pwCANARY@127.0.0.1:1080", "socks5h://a", "socks4://a:1", "SOCKS4A://a:1"] {
            let error = way_to(VENDOR, &[("ALL_PROXY", text)]).unwrap_err();
            assert!(error.contains("ALL_PROXY") && error.contains("`socks`") && !error.contains("CANARY"), "{error}");
        }
    }

    #[cfg(feature = "socks")]
    #[test]
    fn a_socks_proxy_is_used_and_has_its_own_port() {
        assert_eq!(way_to(VENDOR, &[("ALL_PROXY", "socks5h://u:p@a")]).as_deref(), Ok("a:1080 (ALL_PROXY)"));
    }
}
