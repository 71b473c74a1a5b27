//! The accounts: which vendor is asked, with which credential, under which name.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use keymux_core::{
    AccountName, ApiKeyProvider, Cursor, Error, ErrorKind, HttpOptions, IssuedKey, KeyPatch, KeyRecord, KeyRef,
    KeyStream, NewKey, Operation, ProviderId, Revoked, Scope, ScopeInfo, SecretString, Support, Variables, Verdict,
    VerifyRequest, scrub_text,
};

use crate::account::Account;
use crate::broken::Broken;
use crate::env;
use crate::inventory::InventoryBuilder;
use crate::outcomes::Outcomes;
use crate::rotate::{self, Rotated};

/// How many calls of one account run at once in one stream of outcomes unless the builder is told otherwise. Baseten, the one vendor that
/// documents a limit, allows 100 requests a second; 8 at once stay below that where an answer takes 80 ms or more.
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).unwrap(); // the compiler sees that 8 is not 0

/// The scopes of an account, as far as they can be read.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct FoundScopes {
    /// The scopes that were read.
    pub scopes: Vec<ScopeInfo>,
    /// Why there may be more: an error for each row that cannot be read, and that of a list that broke off.
    pub errors: Vec<Error>,
}

/// Accounts at any number of vendors, asked in one way. Cheap to clone; clones share accounts and connections.
#[derive(Debug, Clone)]
pub struct Keymux {
    accounts: Arc<Accounts>,
}

#[derive(Debug)]
struct Accounts {
    by_name: BTreeMap<AccountName, Arc<dyn ApiKeyProvider>>,
    /// Those of them that could not be set up, and why.
    broken: BTreeMap<AccountName, Error>,
    concurrency: NonZeroUsize,
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

    /// The accounts of a configuration file, with the default options where the file says nothing.
    ///
    /// Credentials are fetched now, side by side, and commands are run; see
    /// [`AccountConfig::build`](crate::config::AccountConfig::build). The first account that cannot be set up is the
    /// error; [`from_config_partial`](Self::from_config_partial) goes on without it.
    #[cfg(feature = "config")]
    pub async fn from_config(file: &crate::config::ConfigFile) -> Result<Self, Error> {
        Self::builder().with_config(file, &HttpOptions::default()).await?.build()
    }

    /// Like [`from_config`](Self::from_config), but an account that cannot be set up costs itself alone.
    ///
    /// It stays an account, every call to it fails with the reason ([`ErrorKind::Config`]), and an inventory tells it as
    /// failed and is not complete. [`broken_accounts`](Self::broken_accounts) names them.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), keymux::Error> {
    /// let file = keymux::config::ConfigFile::read("keymux.toml")?;
    /// let keymux = keymux::Keymux::from_config_partial(&file).await?;
    /// for (_, error) in keymux.broken_accounts() {
    ///     eprintln!("{error}");
    /// }
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "config")]
    pub async fn from_config_partial(file: &crate::config::ConfigFile) -> Result<Self, Error> {
        Self::builder().with_config_partial(file, &HttpOptions::default()).await.build()
    }

    /// The accounts, by name.
    #[must_use]
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &Arc<dyn ApiKeyProvider>)> {
        self.accounts.by_name.iter()
    }

    /// The accounts that could not be set up, by name, and why. They are among [`accounts`](Self::accounts).
    #[must_use]
    pub fn broken_accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &Error)> {
        self.accounts.broken.iter()
    }

    pub(crate) fn broken(&self, name: &AccountName) -> Option<&Error> {
        self.accounts.broken.get(name)
    }

    /// One account, as a provider whose records and errors carry the account's name. An account that does not exist is
    /// [`ErrorKind::Config`].
    pub fn account(&self, name: &AccountName) -> Result<&Arc<dyn ApiKeyProvider>, Error> {
        self.accounts.by_name.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.accounts.by_name.keys().map(AccountName::as_str).collect();
            let mend = if known.is_empty() {
                format!("there are none; set one of {}", env::credential_names().join(", "))
            } else {
                format!("there are: {}", known.join(", "))
            };
            // A plaintext may have been put in the place of the name.
            let shown = scrub_text(name.as_str(), &SecretString::default());
            let error = Error::new(ErrorKind::Config).with_message(format!("there is no account `{shown}`; {mend}"));
            if shown == name.as_str() { error.with_account(name.clone()) } else { error }
        })
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.accounts.concurrency.get()
    }

    /// Looks one key up. The record and the error name the account as the reference does.
    ///
    /// An account that does not exist is [`ErrorKind::Config`]; everything else is what the vendor's
    /// [`get`](ApiKeyProvider::get) says.
    pub async fn get(&self, key: &KeyRef) -> Result<KeyRecord, Error> {
        self.account(key.account())?.get(key.address()).await
    }

    /// Looks many keys up, and gives back their outcomes as they finish, in no particular order.
    ///
    /// Every reference has exactly one outcome, and no failure hides another's success. Accounts do not wait for each
    /// other; in each, as many calls run at once as [`Builder::with_concurrency`] says. Nothing runs before the
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
        Outcomes::new(self, keys, |account, key| Box::pin(async move { account.get(key.address()).await }))
    }

    /// Lists the keys of one scope of an account: a stream, page by page as it is read. `from` is a
    /// [`checkpoint`](KeyStream::checkpoint) of an earlier one.
    pub fn list(&self, account: &AccountName, scope: Scope, from: Option<Cursor>) -> Result<KeyStream, Error> {
        Ok(KeyStream::new(Arc::clone(self.account(account)?), scope, from).with_account(account.clone()))
    }

    /// Makes an inventory: the keys of every scope of every account, as they come, and what is known of their
    /// completeness. Choose what goes into it, then call [`stream`](InventoryBuilder::stream).
    ///
    /// ```no_run
    /// # async fn run(keymux: keymux::Keymux) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut keys = keymux.inventory().stream()?;
    /// while let Some(key) = keys.next().await {
    ///     println!("{}", key?.key_ref()); // the last item is the error, if that was not everything
    /// }
    /// println!("{}", keys.completeness());
    /// # Ok(()) }
    /// ```
    pub fn inventory(&self) -> InventoryBuilder {
        InventoryBuilder::new(self.clone())
    }

    /// The scopes of an account: its groups or workspaces, all pages of them. A vendor that has none is
    /// [`ErrorKind::Unsupported`]; a cursor that comes again is [`ErrorKind::Decode`], not an endless list.
    ///
    /// A scope that cannot be read is an error of the whole, so that no list is shorter than it says;
    /// [`find_scopes`](Self::find_scopes) gives those that can.
    pub async fn scopes(&self, account: &AccountName) -> Result<Vec<ScopeInfo>, Error> {
        let mut found = self.find_scopes(account).await?;
        if found.errors.is_empty() { Ok(found.scopes) } else { Err(found.errors.swap_remove(0)) }
    }

    /// The scopes of an account as far as they can be read, and the errors of those that cannot.
    pub async fn find_scopes(&self, account: &AccountName) -> Result<FoundScopes, Error> {
        let provider = self.account(account)?;
        let (mut found, mut followed, mut cursor) = (FoundScopes::default(), HashSet::new(), None);
        loop {
            let page = match provider.scopes_page(cursor.as_ref()).await {
                // What came before is not lost.
                Err(error) if cursor.is_some() => {
                    found.errors.push(error);
                    return Ok(found);
                }
                page => page?,
            };
            found.scopes.extend(page.items);
            found.errors.extend(page.unreadable);
            let Some(next) = page.next else {
                found.errors.extend(page.cut_short);
                return Ok(found);
            };
            if !followed.insert(next.clone()) {
                return Err(Error::new(ErrorKind::Decode)
                    .with_provider(provider.info().id().clone())
                    .with_account(account.clone())
                    .with_operation(Operation::ScopesPage.as_str())
                    .with_message("the vendor gave a cursor again that it gave before; the list would never end"));
            }
            cursor = Some(next);
        }
    }

    /// Asks whether the credential of an account works, with one cheap read. The rules are those of
    /// [`ApiKeyProvider::check`].
    pub async fn check(&self, account: &AccountName) -> Result<(), Error> {
        self.account(account)?.check().await
    }

    /// Makes a key at an account. The rules are those of [`ApiKeyProvider::create`].
    pub async fn create(&self, account: &AccountName, key: &NewKey) -> Result<IssuedKey, Error> {
        self.account(account)?.create(key).await
    }

    /// Brings a key of one's own to an account. The rules are those of [`ApiKeyProvider::register`].
    pub async fn register(
        &self,
        account: &AccountName,
        key: &NewKey,
        plaintext: &SecretString,
    ) -> Result<KeyRecord, Error> {
        self.account(account)?.register(key, plaintext).await
    }

    /// Changes a key. The rules are those of [`ApiKeyProvider::update`].
    pub async fn update(&self, key: &KeyRef, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        self.account(key.account())?.update(key.address(), patch).await
    }

    /// Gives a key a new plaintext: by the vendor, or, where [`Capabilities`](keymux_core::Capabilities) say that the
    /// facade does it, by making a second key like the first and revoking the first.
    ///
    /// In the second case the key has a new address, and [`Rotated::old`] tells whether the first one was revoked. Until
    /// then both work.
    pub async fn rotate(&self, key: &KeyRef) -> Result<Rotated, Error> {
        let account = self.account(key.account())?;
        let capabilities = account.info().capabilities();
        if !matches!(capabilities.support(Operation::Rotate), Support::Emulated { .. }) {
            return Ok(Rotated { issued: account.rotate(key.address()).await?, old: None });
        }
        let like = rotate::like(&account.get(key.address()).await?, account.info())?;
        let issued = account.create(&like).await?;
        Ok(Rotated { issued, old: Some(account.revoke(key.address()).await) })
    }

    /// Asks an account whether `plaintext` is a valid key. The rules are those of [`ApiKeyProvider::verify`].
    pub async fn verify(
        &self,
        account: &AccountName,
        plaintext: &SecretString,
        request: &VerifyRequest,
    ) -> Result<Verdict, Error> {
        self.account(account)?.verify(plaintext, request).await
    }

    /// Ends a key for good. The rules are those of [`ApiKeyProvider::revoke`].
    pub async fn revoke(&self, key: &KeyRef) -> Result<Revoked, Error> {
        self.account(key.account())?.revoke(key.address()).await
    }

    /// Ends many keys for good, and gives back their outcomes as they finish. The rules are those of
    /// [`get_many`](Keymux::get_many); a revocation that was begun when the stream is dropped may have happened.
    pub fn revoke_many(&self, keys: impl IntoIterator<Item = KeyRef>) -> Outcomes<Revoked> {
        Outcomes::new(self, keys, |account, key| Box::pin(async move { account.revoke(key.address()).await }))
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
    /// [`Keymux::broken_accounts`].
    pub fn with_broken_account(mut self, name: impl Into<String>, provider: ProviderId, error: Error) -> Self {
        let name = name.into();
        let error = if error.provider().is_some() { error } else { error.with_provider(provider.clone()) };
        self.broken.insert(name.clone(), error.clone());
        self.with_account(name, Broken::new(provider, error))
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

    /// Adds the accounts of [`Keymux::from_config`]. What the file says takes the place of what `options` say.
    #[cfg(feature = "config")]
    pub async fn with_config(mut self, file: &crate::config::ConfigFile, options: &HttpOptions) -> Result<Self, Error> {
        for (account, built) in crate::config::build_all(file, options).await {
            self = self.with_account(account.name().as_str(), built?);
        }
        Ok(self)
    }

    /// Adds the accounts of [`Keymux::from_config_partial`]. What the file says takes the place of what `options` say.
    #[cfg(feature = "config")]
    pub async fn with_config_partial(mut self, file: &crate::config::ConfigFile, options: &HttpOptions) -> Self {
        for (account, built) in crate::config::build_all(file, options).await {
            let name = account.name().as_str();
            self = match built {
                Ok(provider) => self.with_account(name, provider),
                Err(error) => self.with_broken_account(name, account.provider(), error),
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
