//! How to reach Braintrust, and as whom.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use keymux_core::{ClientOptions, Error, ErrorKind, ExposeSecret, SecretString, Setup, Variables};

use crate::client::{Client, ID, dialect};

/// Braintrust's API in the United States.
pub const DEFAULT_BASE_URL: &str = "https://api.braintrust.dev";

/// Where Braintrust keeps an organization; fixed when the organization is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// The United States: `https://api.braintrust.dev`.
    Us,
    /// The European Union: `https://api-eu.braintrust.dev`.
    Eu,
}

impl Region {
    /// The base URL.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Us => DEFAULT_BASE_URL,
            Self::Eu => "https://api-eu.braintrust.dev",
        }
    }
}

/// The credential and the settings of a [`Client`]. Nothing is checked before [`build`](Config::build).
///
/// ```
/// use keymux_braintrust::{Config, Region};
///
/// # fn main() -> Result<(), keymux_core::Error> {
/// let client = Config::new("key").with_region(Region::Eu).build()?;
/// let self_hosted = Config::new("key").with_base_url("https://bt.example.com/data-plane").build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    setup: Setup,
    /// Personal data, kept as a secret so that nothing prints it.
    impersonated_user: Option<SecretString>,
}

impl Config {
    /// With an API key, a service token or a JWT.
    pub fn new(credential: impl Into<SecretString>) -> Self {
        Self::with_setup(Setup::new(credential, DEFAULT_BASE_URL))
    }

    fn with_setup(setup: Setup) -> Self {
        Self { setup, impersonated_user: None }
    }

    /// From `BRAINTRUST_API_KEY`, and from `BRAINTRUST_BASE_URL` if it is set. A variable that is missing, empty or
    /// malformed is an error that names it.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::with_setup(Setup::from_env("BRAINTRUST", DEFAULT_BASE_URL)?))
    }

    /// Like [`from_env`](Self::from_env) with another source of variables; `None` if there is no credential.
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, Error> {
        Ok(Setup::from_variables(variables, "BRAINTRUST", DEFAULT_BASE_URL)?.map(Self::with_setup))
    }

    /// Another region than [`Region::Us`].
    pub fn with_region(self, region: Region) -> Self {
        self.with_base_url(region.base_url())
    }

    /// Another base URL, such as that of a data plane of one's own; a path in it is kept. Default
    /// [`DEFAULT_BASE_URL`].
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.setup = self.setup.with_base_url(base_url);
        self
    }

    /// Acts as another user, given by id or e-mail address and sent as `x-bt-impersonate-user` with every request: the
    /// way to that user's keys. The caller must be an owner of every organization that the user belongs to.
    ///
    /// Nothing prints it.
    pub fn with_impersonated_user(mut self, id_or_email: impl Into<SecretString>) -> Self {
        self.impersonated_user = Some(id_or_email.into());
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
        let mut headers = HeaderMap::new();
        if let Some(user) = &self.impersonated_user {
            let user = user.expose_secret();
            let value = HeaderValue::try_from(user).ok().filter(|_| !user.trim().is_empty());
            let mut value = value.ok_or_else(|| {
                Error::new(ErrorKind::Config)
                    .with_provider(ID)
                    .with_message("the impersonated user is empty or holds a character that no header can carry")
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-bt-impersonate-user"), value);
        }
        let pipeline = self.setup.connect(dialect(), (AUTHORIZATION, "Bearer "), headers, "")?;
        Ok(Client::new(pipeline))
    }
}
