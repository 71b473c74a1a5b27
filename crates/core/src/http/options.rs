//! Everything about requests that an application may tune, in one place.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::transport::Transport;
use crate::clock::{Clock, Randomness, SystemClock, SystemRandomness};
use crate::credential::{CredentialSource, Source};
use crate::error::Error;
use crate::names::AccountName;
use crate::observe::Observer;
use crate::rate_limit::{LimiterChoice, RateLimit, RateLimiter};
use crate::retry::RetryPolicy;

/// Time-outs, limits, retries and the parts that can be handed in. The defaults suit an application that waits for
/// the answer; each setter tells its own and why.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientOptions {
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) pool_idle_timeout: Duration,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_list_body_bytes: usize,
    pub(crate) list_size_setting: Cow<'static, str>,
    pub(crate) retry: RetryPolicy,
    pub(crate) raw: bool,
    pub(crate) application: Option<String>,
    pub(crate) plain_http: bool,
    pub(crate) system_proxy: bool,
    pub(crate) root_certificates: Option<Pem>,
    pub(crate) trust_setting: Cow<'static, str>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) limiter: LimiterChoice,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) account: Option<AccountName>,
    pub(crate) credential_recheck: Duration,
    pub(crate) credential_source: Option<Source>,
    pub(crate) credential_end: Option<Timestamp>,
    pub(crate) unknown_keys: Duration,
}

/// Certificates as text. Printing shows how much of it there is.
#[derive(Clone)]
pub(crate) struct Pem(pub(crate) Vec<u8>);

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(10),
            pool_idle_timeout: Duration::from_secs(50),
            max_body_bytes: 8 * 1024 * 1024,
            max_list_body_bytes: 64 * 1024 * 1024,
            list_size_setting: Cow::Borrowed("`ClientOptions::with_max_list_body_bytes`"),
            retry: RetryPolicy::default(),
            raw: false,
            application: None,
            plain_http: false,
            system_proxy: true,
            root_certificates: None,
            trust_setting: Cow::Borrowed("`ClientOptions::with_root_certificates_pem`"),
            transport: None,
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            observer: None,
            limiter: LimiterChoice::Local,
            rate_limit: None,
            account: None,
            credential_recheck: Duration::from_secs(60),
            credential_source: None,
            credential_end: None,
            unknown_keys: Duration::ZERO,
        }
    }
}

impl ClientOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The longest that one attempt may take, from connecting to the last byte of the body. Default 30 s: a look-up
    /// takes well under a second, and a server that has not answered by then rarely does.
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The longest that one call may take, with all its attempts and waits. Default 120 s: three slow attempts, or one
    /// wait of a minute as told and an attempt after it.
    pub fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The longest that connecting may take, TLS included. Default 10 s. What is not connected by then was not sent,
    /// and is tried again whatever the call.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an unused connection is kept. Default 50 s: less than the 60 s after which common load balancers close
    /// one, so that a request rarely meets a closing connection.
    pub fn with_pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// The largest body that is read, in bytes, save of lists. Default 8 MiB: a key has a few thousand bytes. A larger
    /// body ends the call with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), and no more of it is read.
    pub fn with_max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// The largest body of a list that is read, in bytes. Default 64 MiB: some vendors have no pages, and 25,000 keys with
    /// their permissions have 10 MB. A larger body ends the call as one of
    /// [another call](Self::with_max_body_bytes) does.
    pub fn with_max_list_body_bytes(mut self, bytes: usize) -> Self {
        self.max_list_body_bytes = bytes;
        self
    }

    /// What errors call the setting that [`with_max_list_body_bytes`](Self::with_max_list_body_bytes) is to the user: the
    /// key of a file, say. Default: the name of that method.
    pub fn with_list_size_setting(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.list_size_setting = words.into();
        self
    }

    /// How large the body of an answer may be.
    pub(super) fn body_limit(&self, is_list: bool) -> usize {
        if is_list { self.max_list_body_bytes } else { self.max_body_bytes }
    }

    /// How often and how fast a failed call is sent again.
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How often and how fast a failed call is sent again, as set by now.
    pub fn retry(&self) -> RetryPolicy {
        self.retry
    }

    /// Whether each record keeps the vendor's JSON, scrubbed, in [`KeyRecord::raw`](crate::KeyRecord::raw). Default
    /// no: it costs a second decoding.
    pub fn with_raw(mut self, keep: bool) -> Self {
        self.raw = keep;
        self
    }

    /// The application's own product token, put before Keymux's in `User-Agent`: `my-service/1.4`. An error if it is
    /// not `name` or `name/version` of RFC 9110 token characters.
    pub fn with_application(mut self, product: &str) -> Result<Self, Error> {
        let token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        };
        let is_product = match product.split_once('/') {
            Some((name, version)) => token(name) && token(version),
            None => token(product),
        };
        if !is_product {
            return Err(Error::config("the application's product token is not of the form `name/version`"));
        }
        self.application = Some(product.to_owned());
        Ok(self)
    }

    /// Lets the credential travel unencrypted to any host. Default no: plain HTTP goes to loopback alone.
    pub fn dangerously_send_credentials_over_plain_http(mut self, allow: bool) -> Self {
        self.plain_http = allow;
        self
    }

    /// Whether the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY` and their kind) are used. Default yes, for
    /// HTTPS; plain HTTP never goes through a proxy, which would read the credential.
    pub fn with_system_proxy(mut self, use_it: bool) -> Self {
        self.system_proxy = use_it;
        self
    }

    /// Trusts these certificates (PEM, one or more) in place of the operating system's store: for a private authority,
    /// or a machine without a store.
    pub fn with_root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(Pem(pem.into()));
        self
    }

    /// What errors call the setting that [`with_root_certificates_pem`](Self::with_root_certificates_pem) is to the user:
    /// the key of a file, say. Default: the name of that method.
    pub fn with_trust_setting(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.trust_setting = words.into();
        self
    }

    /// Sends requests through `transport` in place of the built-in HTTP client. The settings about connections,
    /// proxies and certificates are then the transport's own matter; time-outs, limits and retries stay in force.
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Tells the time and waits in place of the operating system.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Tells the jitter of waits in place of the built-in generator.
    pub fn with_randomness(mut self, randomness: Arc<dyn Randomness>) -> Self {
        self.randomness = randomness;
        self
    }

    /// How many requests of each operation are sent in which time. Default: what the vendor declares, else what its
    /// refusals teach. A client uses 96 % of it, so that requests which arrive unevenly are not refused. Where several
    /// processes use one credential, give each its part.
    pub fn with_rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// Paces requests by `rate limiter` in place of the built-in one, which stands in where `rate limiter` fails. Give each account a
    /// [name](Self::with_account_name) if they share one rate limiter, or a rate limiter of its own.
    pub fn with_rate_limiter(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.limiter = LimiterChoice::Own(limiter);
        self
    }

    /// The name of the account, for a rate limiter that many accounts share: in all processes the same. Accounts of a
    /// configuration file have it from there. Default: none.
    pub fn with_account_name(mut self, name: AccountName) -> Self {
        self.account = Some(name);
        self
    }

    /// Paces no requests. Only for vendors that limit nothing, and where somebody else paces all calls.
    pub fn without_rate_limiter(mut self) -> Self {
        self.limiter = LimiterChoice::Off;
        self
    }

    /// For how long a credential that the vendor refused (401) is not sent again. Until then all calls of the client
    /// and its clones fail at once with the same error and 0 attempts; then one call finds out, and the others follow
    /// its answer. Default 60 s: a bad credential burns no quota, and a vendor's short lapse ends without a new client.
    /// [`Duration::MAX`]: never again; zero: no credential is held back. A 401 to a verification says nothing about the
    /// credential, since it may be about the key that is verified.
    pub fn with_credential_recheck(mut self, after: Duration) -> Self {
        self.credential_recheck = after;
        self
    }

    /// Where the credential is had anew, ahead of its end and after the vendor refused it. For one client and its clones
    /// alone. The credential that the client is made with is used until then; if it is empty, the source is asked at the
    /// first call. Default: none, and the credential is the one that the client was made with.
    pub fn with_credential_source(mut self, source: Arc<dyn CredentialSource>) -> Self {
        self.credential_source = Some(Source(source));
        self
    }

    /// When the credential that the client is made with ends, so that a
    /// [source](Self::with_credential_source) is asked ahead of it. Default: not known.
    pub fn with_credential_end(mut self, ends: Timestamp) -> Self {
        self.credential_end = Some(ends);
        self
    }

    /// For how long a look-up that found nothing is answered again without a request, with 0 attempts. Default zero:
    /// each look-up is sent. At most 4,096 are remembered; any call of this client or its clones that may make or
    /// change a key forgets them all. What others make in that time is not seen.
    pub fn with_unknown_keys_remembered(mut self, time: Duration) -> Self {
        self.unknown_keys = time;
        self
    }

    /// Is told of every attempt and retry.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_token_is_checked() {
        for good in ["svc", "my-service/1.4.0"] {
            assert!(ClientOptions::new().with_application(good).is_ok(), "{good}");
        }
        for bad in ["", "/1", "a/", "a b", "a/1/2", "a\r\nx: y", "\u{e9}"] {
            assert!(ClientOptions::new().with_application(bad).is_err(), "{bad}");
        }
    }
}
