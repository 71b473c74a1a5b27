//! What the author of a provider implements, and what the suite hands in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_core::{
    ApiKeyProvider, ClientOptions, Error, KeyAddress, Metadata, NewKey, Operation, Parameter, ParameterSupport,
    Permission, ProviderInfo, Scope, SecretString,
};

/// One provider and a stand-in of its vendor: a server on loopback that speaks the vendor's wire.
///
/// Each rule is tried on a harness of its own, so that nothing that one rule does is seen by another. What goes wrong
/// while a stand-in is set up may panic: the rule then fails with that message.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Where the stand-in is reached, over plain HTTP: `http://127.0.0.1:49152`, with the base path if it has one.
    fn base_url(&self) -> String;

    /// The credential that the stand-in accepts. The suite looks for it in everything that is printed, so that it has to
    /// be text that stands nowhere else.
    fn credential(&self) -> SecretString;

    /// Makes the provider, with everything that `wiring` tells.
    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error>;

    /// Puts a key into the stand-in, in [`scope`](Harness::scope), and says where it is. `number` counts from 0, and each
    /// number is another key. The record of number 0 should have as much as the vendor can tell.
    async fn seed(&self, number: usize) -> Seeded;

    /// An address of the vendor's form that no key has.
    fn unknown(&self) -> KeyAddress;

    /// The scope that keys are seeded and made in. Default: the account itself.
    fn scope(&self) -> Scope {
        Scope::account()
    }

    /// A key that the vendor takes, in `scope`, with as many parameters as it can be given: what is asked for must come
    /// back. Parameters that an operation does not take are left out where it is called.
    ///
    /// Default: a name if the vendor takes one, and of everything else what `info` says is required.
    fn new_key(&self, info: &ProviderInfo, scope: Scope) -> NewKey {
        let takes = |parameter| info.capabilities().takes(Operation::Create, parameter);
        let required = |parameter| takes(parameter) == Some(ParameterSupport::Required);
        let mut key = NewKey::new(scope);
        key.name = takes(Parameter::Name).map(|_| "conformance".to_owned());
        key.expires_at = required(Parameter::ExpiresAt).then(|| Timestamp::from_second(4_102_444_800).ok()).flatten();
        key.permissions =
            required(Parameter::Permissions).then(|| vec![Permission { name: "read".to_owned(), actions: None }]);
        key.ip_allowlist = required(Parameter::IpAllowlist).then(|| vec!["192.0.2.1".to_owned()]);
        key.max_uses = required(Parameter::MaxUses).then_some(1000);
        key.metadata = required(Parameter::Metadata).then(Metadata::new);
        key.customer = required(Parameter::Customer).then(|| "customer-1".to_owned());
        key.prefix = required(Parameter::Prefix).then(|| "conf".to_owned());
        key.enabled = required(Parameter::Enabled).then_some(true);
        key
    }

    /// A plaintext that the vendor takes as a key of one's own; each `number` is another one. Default: 40 letters and
    /// digits, of which the first differ.
    fn own_plaintext(&self, number: usize) -> String {
        format!("{number:04}xK7pQ2vR9sWm4tZaB6nYc8LdE3fGhJ5uT1oP")
    }

    /// The answer to making a key that holds this plaintext and nothing else, in the vendor's form. Default: none is known,
    /// and the rule about it is not tried.
    fn bare_plaintext(&self, _plaintext: &str) -> Option<serde_json::Value> {
        None
    }

    /// How many keys a page holds at most, as the provider asks for them: two pages and one key are seeded. Default 2.
    fn page_size(&self) -> usize {
        2
    }
}

/// What a provider is made with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Wiring {
    /// Where the requests go: to the suite, which passes them on to the stand-in.
    pub base_url: String,
    /// What the provider authenticates with.
    pub credential: SecretString,
    /// The options, with the suite's clock.
    pub http: ClientOptions,
}

impl Wiring {
    pub(crate) fn new(base_url: String, credential: SecretString, http: ClientOptions) -> Self {
        Self { base_url, credential, http }
    }
}

/// A key in a stand-in.
#[derive(Debug, Clone)]
pub struct Seeded {
    pub(crate) address: KeyAddress,
    pub(crate) plaintext: Option<SecretString>,
}

impl Seeded {
    /// A key that has this address.
    #[must_use]
    pub fn new(address: KeyAddress) -> Self {
        Self { address, plaintext: None }
    }

    /// Tells its plaintext. Needed where keys can be verified and not made, and good everywhere: the suite looks for it in
    /// everything that is printed.
    #[must_use]
    pub fn with_plaintext(mut self, plaintext: impl Into<SecretString>) -> Self {
        self.plaintext = Some(plaintext.into());
        self
    }
}

type Start = dyn Fn() -> Pin<Box<dyn Future<Output = Box<dyn Harness>>>> + Send + Sync;

/// A provider that is tested: what it says of itself, and how a harness for it is made.
#[derive(Clone)]
pub struct Subject {
    pub(crate) info: ProviderInfo,
    pub(crate) start: Arc<Start>,
}

impl Subject {
    /// A provider of which `info` says what it can do, and for which `start` makes a harness, once for each rule.
    pub fn new<H, F>(info: &ProviderInfo, start: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        H: Harness + 'static,
        F: Future<Output = H> + 'static,
    {
        let start = move || -> Pin<Box<dyn Future<Output = Box<dyn Harness>>>> {
            let started = start();
            Box::pin(async move { Box::new(started.await) as Box<dyn Harness> })
        };
        Self { info: info.clone(), start: Arc::new(start) }
    }

    /// What the provider says of itself.
    #[must_use]
    pub fn info(&self) -> &ProviderInfo {
        &self.info
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("info", &self.info).finish_non_exhaustive()
    }
}
