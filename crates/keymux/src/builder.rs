//! How the accounts of a [`Keymux`] are collected.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use keymux_core::{AccountName, ApiKeyProvider, ClientOptions, Error, ErrorKind, ProviderId, Variables};

use crate::account::Account;
use crate::accounts::Accounts;
use crate::env;
use crate::facade::Keymux;
use crate::unavailable::UnavailableAccount;

/// How many calls of one account run at once in one stream of outcomes unless the builder is told otherwise. Baseten, the one vendor that
/// documents a limit, allows 100 requests a second; 8 at once stay below that where an answer takes 80 ms or more.
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).unwrap(); // the compiler sees that 8 is not 0

impl Keymux {
    /// Starts without any account.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// One account for each vendor whose credential is set in the environment, named after the vendor.
    ///
    /// The variables are `BASETEN_API_KEY`, `BRAINTRUST_API_KEY`, `MIELTO_API_KEY`, `DATKEY_API_KEY` and
    /// `ONELOOP_API_KEY`, each with an optional base URL: `BASETEN_BASE_URL` and so on. One that is set but empty or
    /// malformed is an error that names it. Without any credential there are no accounts.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().with_env(&ClientOptions::default())?.build()
    }

    /// Like [`from_env`](Self::from_env), but an account that cannot be set up does not stop the others, as in
    /// [`from_config_partial`](Self::from_config_partial), and a variable that is set but empty counts as not set;
    /// [`empty_variables`](crate::empty_variables) names those.
    pub fn from_env_partial() -> Result<Self, Error> {
        Self::builder().with_env_partial(&ClientOptions::default()).build()
    }

    /// The accounts of a configuration file, with the default options where the file says nothing.
    ///
    /// Credentials are fetched now, side by side, and commands are run; see
    /// [`AccountConfig::build`](crate::config::AccountConfig::build). The first account that cannot be set up is the
    /// error; [`from_config_partial`](Self::from_config_partial) goes on without it.
    #[cfg(feature = "config")]
    pub async fn from_config(file: &crate::config::ConfigFile) -> Result<Self, Error> {
        Self::builder().with_config(file, &ClientOptions::default()).await?.build()
    }

    /// Like [`from_config`](Self::from_config), but an account that cannot be set up costs itself alone.
    ///
    /// It stays an account, every call to it fails with the reason ([`ErrorKind::Config`]), and an inventory tells it as
    /// failed and is not complete. [`unavailable_accounts`](Self::unavailable_accounts) names them.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), keymux::Error> {
    /// let file = keymux::config::ConfigFile::read("keymux.toml")?;
    /// let keymux = keymux::Keymux::from_config_partial(&file).await?;
    /// for (_, error) in keymux.unavailable_accounts() {
    ///     eprintln!("{error}");
    /// }
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "config")]
    pub async fn from_config_partial(file: &crate::config::ConfigFile) -> Result<Self, Error> {
        Self::builder().with_config_partial(file, &ClientOptions::default()).await.build()
    }
}

/// Collects the accounts of a [`Keymux`].
///
/// ```
/// use keymux::{ClientOptions, Keymux};
///
/// # #[cfg(all(feature = "baseten", feature = "rustls"))]
/// # fn main() -> Result<(), keymux::Error> {
/// use keymux::baseten;
///
/// let keymux = Keymux::builder()
///     .with_account("prod-baseten", baseten::Config::new("one-key").build()?)
///     .with_account("dev-baseten", baseten::Config::new("another-key").build()?)
///     .build()?;
/// assert_eq!(keymux.accounts().len(), 2);
/// # Ok(()) }
/// # #[cfg(not(all(feature = "baseten", feature = "rustls")))]
/// # fn main() {}
/// ```
#[derive(Debug)]
#[must_use]
pub struct Builder {
    accounts: Vec<(String, Arc<dyn ApiKeyProvider>)>,
    broken: BTreeMap<String, Error>,
    concurrency: NonZeroUsize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { accounts: Vec::new(), broken: BTreeMap::new(), concurrency: DEFAULT_CONCURRENCY }
    }
}

impl Builder {
    /// Adds an account: a vendor's client, or a provider of one's own. A name that is not an [`AccountName`], or is
    /// taken, is an error of [`build`](Builder::build).
    pub fn with_account(mut self, name: impl Into<String>, provider: impl ApiKeyProvider + 'static) -> Self {
        self.accounts.push((name.into(), Arc::new(provider)));
        self
    }

    /// Adds an account of a vendor that could not be set up: every call to it fails with `error`.
    ///
    /// So the others can be asked, and what is lacking is told wherever this one would have been asked. See
    /// [`Keymux::unavailable_accounts`].
    pub fn with_unavailable_account(mut self, name: impl Into<String>, provider: ProviderId, error: Error) -> Self {
        let name = name.into();
        let error = if error.provider().is_some() { error } else { error.with_provider(provider.clone()) };
        self.broken.insert(name.clone(), error.clone());
        self.with_account(name, UnavailableAccount::new(provider, error))
    }

    /// Adds an account that is named after its vendor.
    pub fn with_provider(self, provider: impl ApiKeyProvider + 'static) -> Self {
        let name = provider.info().default_account().as_str().to_owned();
        self.with_account(name, provider)
    }

    /// Adds the accounts of [`Keymux::from_env`], with these options.
    pub fn with_env(self, options: &ClientOptions) -> Result<Self, Error> {
        self.with_variables(&|name| std::env::var_os(name), options)
    }

    /// Like [`with_env`](Builder::with_env), with another source of variables.
    pub fn with_variables(mut self, variables: Variables<'_>, options: &ClientOptions) -> Result<Self, Error> {
        for (provider, account) in env::accounts(variables, options) {
            self.accounts.push((provider.as_str().to_owned(), account?));
        }
        Ok(self)
    }

    /// Adds the accounts of [`Keymux::from_env_partial`], with these options.
    pub fn with_env_partial(self, options: &ClientOptions) -> Self {
        self.with_variables_partial(&|name| std::env::var_os(name), options)
    }

    /// Like [`with_env_partial`](Builder::with_env_partial), with another source of variables.
    pub fn with_variables_partial(mut self, variables: Variables<'_>, options: &ClientOptions) -> Self {
        let variables = |name: &str| variables(name).filter(|value| !env::is_empty(value));
        for (provider, account) in env::accounts(&variables, options) {
            let name = provider.as_str().to_owned();
            match account {
                Ok(account) => self.accounts.push((name, account)),
                Err(error) => self = self.with_unavailable_account(name, provider, error),
            }
        }
        self
    }

    /// Adds the accounts of [`Keymux::from_config`]. What the file says takes the place of what `options` say.
    #[cfg(feature = "config")]
    pub async fn with_config(
        mut self,
        file: &crate::config::ConfigFile,
        options: &ClientOptions,
    ) -> Result<Self, Error> {
        for (account, built) in crate::config::build_all(file, options).await {
            self = self.with_account(account.name().as_str(), built?);
        }
        Ok(self)
    }

    /// Adds the accounts of [`Keymux::from_config_partial`]. What the file says takes the place of what `options` say.
    #[cfg(feature = "config")]
    pub async fn with_config_partial(mut self, file: &crate::config::ConfigFile, options: &ClientOptions) -> Self {
        for (account, built) in crate::config::build_all(file, options).await {
            let name = account.name().as_str();
            self = match built {
                Ok(provider) => self.with_account(name, provider),
                Err(error) => self.with_unavailable_account(name, account.provider(), error),
            };
        }
        self
    }

    /// How many calls of one account run at once in one [`get_many`](Keymux::get_many) or
    /// [`revoke_many`](Keymux::revoke_many). Default 8.
    pub fn with_concurrency(mut self, calls: NonZeroUsize) -> Self {
        self.concurrency = calls;
        self
    }

    /// Checks the names. Errors are [`ErrorKind::Config`].
    pub fn build(self) -> Result<Keymux, Error> {
        let mut by_name: BTreeMap<AccountName, Arc<dyn ApiKeyProvider>> = BTreeMap::new();
        let mut broken = BTreeMap::new();
        for (name, provider) in self.accounts {
            let name = AccountName::new(name)?;
            if let Some(error) = self.broken.get(name.as_str()) {
                broken.insert(name.clone(), error.clone().with_account(name.clone()));
            }
            let account = Account::new(name.clone(), provider);
            if by_name.insert(name.clone(), Arc::new(account)).is_some() {
                return Err(Error::new(ErrorKind::Config)
                    .with_message(format!("two accounts are named `{name}`; give one of them another name")));
            }
        }
        Ok(Keymux { accounts: Arc::new(Accounts { by_name, broken, concurrency: self.concurrency }) })
    }
}
