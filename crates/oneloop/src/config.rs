//! How to reach Oneloop, and as whom.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use keymux_core::{ClientOptions, Error, SecretString, Setup, TimeUnit, Variables};

use crate::client::{Client, dialect};

/// Oneloop's API.
pub const DEFAULT_BASE_URL: &str = "https://prod.oneloop.ai";

/// The credential and the settings of a [`Client`]. Nothing is checked before [`build`](Config::build).
///
/// ```
/// # fn main() -> Result<(), keymux_core::Error> {
/// let client = keymux_oneloop::Config::new("sdk-key").with_base_url("http://127.0.0.1:8080").build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    setup: Setup,
    expiry_unit: Option<TimeUnit>,
}

impl Config {
    /// With an SDK key.
    pub fn new(credential: impl Into<SecretString>) -> Self {
        Self::with_setup(Setup::new(credential, DEFAULT_BASE_URL))
    }

    fn with_setup(setup: Setup) -> Self {
        Self { setup, expiry_unit: None }
    }

    /// From `ONELOOP_API_KEY`, and from `ONELOOP_BASE_URL` if it is set. A variable that is missing, empty or
    /// malformed is an error that names it.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::with_setup(Setup::from_env("ONELOOP", DEFAULT_BASE_URL)?))
    }

    /// Like [`from_env`](Self::from_env) with another source of variables; `None` if there is no credential.
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, Error> {
        Ok(Setup::from_variables(variables, "ONELOOP", DEFAULT_BASE_URL)?.map(Self::with_setup))
    }

    /// Another base URL; a path in it is kept. Default [`DEFAULT_BASE_URL`].
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.setup = self.setup.with_base_url(base_url);
        self
    }

    /// The unit in which [`ApiKeyProvider::create`](keymux_core::ApiKeyProvider::create) sends an expiry. No document
    /// states it, so that without this choice a key with an expiry is refused. The typed client sends the number that
    /// it is given.
    pub fn with_expiry_unit(mut self, unit: TimeUnit) -> Self {
        self.expiry_unit = Some(unit);
        self
    }

    /// Time-outs, limits, retries.
    pub fn with_options(mut self, options: ClientOptions) -> Self {
        self.setup = self.setup.with_options(options);
        self
    }

    /// Checks everything and sets the client up; sends nothing. Errors are
    /// [`ErrorKind::Config`](keymux_core::ErrorKind::Config).
    pub fn build(self) -> Result<Client, Error> {
        let pipeline = self.setup.connect(dialect(), (AUTHORIZATION, "Bearer "), HeaderMap::new(), "")?;
        Ok(Client::new(pipeline, self.expiry_unit))
    }
}
