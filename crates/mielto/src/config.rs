//! How to reach Mielto, and as whom.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use keymux_core::{ClientOptions, Error, ErrorKind, SecretString, Setup, Variables};

use crate::client::{Client, ID, dialect};

/// Mielto's API.
pub const DEFAULT_BASE_URL: &str = "https://api.mielto.com";

/// The header that carries the credential. Mielto takes either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AuthHeader {
    /// `Authorization: Bearer …`.
    #[default]
    Bearer,
    /// `X-API-Key: …`.
    XApiKey,
}

/// The credential and the settings of a [`Client`]. Nothing is checked before [`build`](Config::build).
///
/// ```
/// use keymux_mielto::{AuthHeader, Config};
///
/// # fn main() -> Result<(), keymux_core::Error> {
/// let client = Config::new("key").with_auth_header(AuthHeader::XApiKey).with_workspace_id("wsp_1").build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    setup: Setup,
    auth_header: AuthHeader,
    workspace_id: Option<String>,
}

impl Config {
    /// With an API key.
    pub fn new(credential: impl Into<SecretString>) -> Self {
        Self::with_setup(Setup::new(credential, DEFAULT_BASE_URL))
    }

    fn with_setup(setup: Setup) -> Self {
        Self { setup, auth_header: AuthHeader::default(), workspace_id: None }
    }

    /// From `MIELTO_API_KEY`, and from `MIELTO_BASE_URL` if it is set. A variable that is missing, empty or malformed
    /// is an error that names it.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::with_setup(Setup::from_env("MIELTO", DEFAULT_BASE_URL)?))
    }

    /// Like [`from_env`](Self::from_env) with another source of variables; `None` if there is no credential.
    pub fn from_variables(variables: Variables<'_>) -> Result<Option<Self>, Error> {
        Ok(Setup::from_variables(variables, "MIELTO", DEFAULT_BASE_URL)?.map(Self::with_setup))
    }

    /// Another base URL, with or without `/api/v1` at its end; a path in it is kept. Default [`DEFAULT_BASE_URL`].
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.setup = self.setup.with_base_url(base_url);
        self
    }

    /// Another header for the credential than [`AuthHeader::Bearer`].
    pub fn with_auth_header(mut self, header: AuthHeader) -> Self {
        self.auth_header = header;
        self
    }

    /// The workspace that is meant, sent as `X-Workspace-Id`. Default: none, and Mielto takes the credential's.
    pub fn with_workspace_id(mut self, id: impl Into<String>) -> Self {
        self.workspace_id = Some(id.into());
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
        if let Some(id) = self.workspace_id {
            let value = HeaderValue::try_from(id.as_str()).ok().filter(|_| !id.trim().is_empty());
            let value = value.ok_or_else(|| {
                Error::new(ErrorKind::Config)
                    .with_provider(ID)
                    .with_message("the workspace id is empty or holds a character that no header can carry")
            })?;
            headers.insert(HeaderName::from_static("x-workspace-id"), value);
        }
        let auth = match self.auth_header {
            AuthHeader::Bearer => (AUTHORIZATION, "Bearer "),
            AuthHeader::XApiKey => (HeaderName::from_static("x-api-key"), ""),
        };
        Ok(Client::new(self.setup.connect(dialect(), auth, headers, "/api/v1")?))
    }
}
