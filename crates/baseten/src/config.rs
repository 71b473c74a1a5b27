//! How to reach Baseten, and as whom.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use keymux_core::{ClientOptions, Error, SecretString, Setup, Variables};

use crate::client::{Client, dialect};
use crate::registration::Sign;

/// Baseten's management API. No regional hosts are documented.
pub const DEFAULT_BASE_URL: &str = "https://api.baseten.co";

/// The scheme of `Authorization` that carries the credential. Baseten's management API takes either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AuthScheme {
    /// `Authorization: Api-Key …`, which every document of Baseten's shows.
    #[default]
    ApiKey,
    /// `Authorization: Bearer …`, which the newer ones show first.
    Bearer,
}

/// The credential and the settings of a [`Client`]. Nothing is checked before [`build`](Config::build).
///
/// ```
/// # fn main() -> Result<(), keymux_core::Error> {
/// let client = keymux_baseten::Config::new("workspace-key").with_base_url("http://127.0.0.1:8080").build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    setup: Setup,
    auth_scheme: AuthScheme,
    pub(crate) signer: Option<Arc<dyn Sign>>,
}

impl Config {
    /// With a workspace key that has management scope.
    pub fn new(credential: impl Into<SecretString>) -> Self {
        Self::with_setup(Setup::new(credential, DEFAULT_BASE_URL))
    }

    fn with_setup(setup: Setup) -> Self {
        Self { setup, auth_scheme: AuthScheme::default(), signer: None }
    }

    /// From `BASETEN_API_KEY`, and from `BASETEN_BASE_URL` if it is set. A variable that is missing, empty or
    /// malformed is an error that names it.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::with_setup(Setup::from_env("BASETEN", DEFAULT_BASE_URL)?))
    }

    /// Like [`from_env`](Self::from_env) with another source of variables; `None` if there is no credential.
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, Error> {
        Ok(Setup::from_variables(variables, "BASETEN", DEFAULT_BASE_URL)?.map(Self::with_setup))
    }

    /// Another base URL; a path in it is kept. Default [`DEFAULT_BASE_URL`].
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.setup = self.setup.with_base_url(base_url);
        self
    }

    /// Another scheme for the credential than [`AuthScheme::ApiKey`].
    pub fn with_auth_scheme(mut self, scheme: AuthScheme) -> Self {
        self.auth_scheme = scheme;
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
        let scheme = match self.auth_scheme {
            AuthScheme::ApiKey => "Api-Key ",
            AuthScheme::Bearer => "Bearer ",
        };
        let pipeline = self.setup.connect(dialect(), (AUTHORIZATION, scheme), HeaderMap::new(), "")?;
        Ok(Client::new(pipeline, self.signer))
    }
}
