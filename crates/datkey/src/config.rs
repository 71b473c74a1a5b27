//! How to reach Datkey, and as whom.

use http::{HeaderMap, HeaderName};

use keymux_core::{ClientOptions, Error, SecretString, Setup, Variables};

use crate::client::{Client, dialect};

/// Datkey's API.
pub const DEFAULT_BASE_URL: &str = "https://api.datkey.dev";

/// The credential and the settings of a [`Client`]. Nothing is checked before [`build`](Config::build).
///
/// ```
/// # fn main() -> Result<(), keymux_core::Error> {
/// let client = keymux_datkey::Config::new("workspace-key").with_base_url("http://127.0.0.1:8080").build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    setup: Setup,
}

impl Config {
    /// With the workspace's API key.
    pub fn new(credential: impl Into<SecretString>) -> Self {
        Self { setup: Setup::new(credential, DEFAULT_BASE_URL) }
    }

    /// From `DATKEY_API_KEY`, and from `DATKEY_BASE_URL` if it is set. A variable that is missing, empty or
    /// malformed is an error that names it.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self { setup: Setup::from_env("DATKEY", DEFAULT_BASE_URL)? })
    }

    /// Like [`from_env`](Self::from_env) with another source of variables; `None` if there is no credential.
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, Error> {
        Ok(Setup::from_variables(variables, "DATKEY", DEFAULT_BASE_URL)?.map(|setup| Self { setup }))
    }

    /// Another base URL; a path in it is kept. Default [`DEFAULT_BASE_URL`].
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.setup = self.setup.with_base_url(base_url);
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
        let pipeline =
            self.setup.connect(dialect(), (HeaderName::from_static("x-api-key"), ""), HeaderMap::new(), "")?;
        Ok(Client::new(pipeline))
    }
}
