//! The accounts: which vendor is asked, with which credential, under which name.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use keymux_core::{AccountName, ApiKeyProvider, Error, ErrorKind, HttpOptions, KeyRecord, KeyRef, Variables};

use crate::env;
use crate::outcomes::Outcomes;

/// How many look-ups of one account run at once unless the builder is told otherwise. Baseten, the one vendor that
/// documents a limit, allows 100 requests a second; 8 at once stay below that where an answer takes 80 ms or more.
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).unwrap(); // the compiler sees that 8 is not 0

/// Accounts at any number of vendors, asked in one way. Cheap to clone; clones share accounts and connections.
#[derive(Debug, Clone)]
pub struct Keymux {
    accounts: Arc<Accounts>,
}

type Accounts = BTreeMap<AccountName, Account>;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) provider: Arc<dyn ApiKeyProvider>,
    pub(crate) concurrency: NonZeroUsize,
}

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
        Self::builder().with_env(&HttpOptions::default())?.build()
    }

    /// The accounts, by name.
    #[must_use]
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &Arc<dyn ApiKeyProvider>)> {
        self.accounts.iter().map(|(name, account)| (name, &account.provider))
    }

    /// The provider of one account, for what only this vendor can do.
    #[must_use]
    pub fn provider(&self, account: &AccountName) -> Option<&Arc<dyn ApiKeyProvider>> {
        Some(&self.accounts.get(account)?.provider)
    }

    /// Looks one key up. The record and the error name the account as the reference does.
    ///
    /// An account that does not exist is [`ErrorKind::Config`]; everything else is what the vendor's
    /// [`get`](ApiKeyProvider::get) says.
    pub async fn get(&self, key: &KeyRef) -> Result<KeyRecord, Error> {
        self.account(key.account())?.get(key).await
    }

    /// Looks many keys up, and gives back their outcomes as they finish, in no particular order.
    ///
    /// Every reference has exactly one outcome, and no failure hides another's success. Accounts do not wait for each
    /// other; in each, as many look-ups run at once as [`Builder::with_concurrency`] says. Nothing runs before the
    /// stream is polled, and dropping it ends what is under way.
    ///
    /// ```no_run
    /// # async fn run(keymux: keymux::Keymux, keys: Vec<keymux::KeyRef>) {
    /// let mut outcomes = keymux.get_many(keys);
    /// while let Some(outcome) = outcomes.next().await {
    ///     match outcome.result {
    ///         Ok(record) => println!("{}: {}", outcome.key, record.status.state),
    ///         Err(error) => eprintln!("{}: {error}", outcome.key),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn get_many(&self, keys: impl IntoIterator<Item = KeyRef>) -> Outcomes {
        Outcomes::new(self, keys)
    }

    pub(crate) fn account(&self, name: &AccountName) -> Result<&Account, Error> {
        self.accounts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.accounts.keys().map(AccountName::as_str).collect();
            let mend = if known.is_empty() {
                format!("there are none; set one of {}", env::credential_names().join(", "))
            } else {
                format!("there are: {}", known.join(", "))
            };
            Error::new(ErrorKind::Config)
                .with_account(name.clone())
                .with_message(format!("there is no account `{name}`; {mend}"))
        })
    }
}

impl Account {
    pub(crate) async fn get(&self, key: &KeyRef) -> Result<KeyRecord, Error> {
        match self.provider.get(key.address()).await {
            Ok(mut record) => {
                record.account = key.account().clone();
                Ok(record)
            }
            Err(error) => {
                let provider = error.provider().is_none().then(|| self.provider.info().id().clone());
                let error = error.with_account(key.account().clone());
                Err(match provider {
                    Some(provider) => error.with_provider(provider),
                    None => error,
                })
            }
        }
    }
}

/// Collects the accounts of a [`Keymux`].
///
/// ```
/// use keymux::{HttpOptions, Keymux};
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
    concurrency: NonZeroUsize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { accounts: Vec::new(), concurrency: DEFAULT_CONCURRENCY }
    }
}

impl Builder {
    /// Adds an account: a vendor's client, or a provider of one's own. A name that is not an [`AccountName`], or is
    /// taken, is an error of [`build`](Builder::build).
    pub fn with_account(mut self, name: impl Into<String>, provider: impl ApiKeyProvider + 'static) -> Self {
        self.accounts.push((name.into(), Arc::new(provider)));
        self
    }

    /// Adds an account that is named after its vendor.
    pub fn with_provider(self, provider: impl ApiKeyProvider + 'static) -> Self {
        let name = provider.info().default_account().as_str().to_owned();
        self.with_account(name, provider)
    }

    /// Adds the accounts of [`Keymux::from_env`], with these options.
    pub fn with_env(self, options: &HttpOptions) -> Result<Self, Error> {
        self.with_variables(&|name| std::env::var_os(name), options)
    }

    /// Like [`with_env`](Builder::with_env), with another source of variables.
    pub fn with_variables(self, variables: Variables<'_>, options: &HttpOptions) -> Result<Self, Error> {
        env::add_accounts(self, variables, options)
    }

    /// How many look-ups of one account run at once in one [`get_many`](Keymux::get_many). Default 8.
    pub fn with_concurrency(mut self, lookups: NonZeroUsize) -> Self {
        self.concurrency = lookups;
        self
    }

    /// Checks the names. Errors are [`ErrorKind::Config`].
    pub fn build(self) -> Result<Keymux, Error> {
        let mut accounts = Accounts::new();
        for (name, provider) in self.accounts {
            let name = AccountName::new(name)?;
            let account = Account { provider, concurrency: self.concurrency };
            if accounts.insert(name.clone(), account).is_some() {
                return Err(Error::new(ErrorKind::Config)
                    .with_message(format!("two accounts are named `{name}`; give one of them another name")));
            }
        }
        Ok(Keymux { accounts: Arc::new(accounts) })
    }
}
