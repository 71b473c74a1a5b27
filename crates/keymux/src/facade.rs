//! Every call, to accounts by their names.

use std::future::Future;
use std::sync::Arc;

use keymux_core::{
    AccountName, ApiKeyProvider, Error, ErrorKind, IssuedKey, KeyPatch, KeyRecord, KeyRef, KeyStream, Likeness,
    ListGuard, ListPosition, NewKey, Operation, Revoked, Scope, ScopeInfo, SecretString, Verdict, VerifyRequest,
};

use crate::accounts::Accounts;
use crate::inventory::InventoryBuilder;
use crate::outcomes::Outcomes;
use crate::rotation::{Rotated, RotationError, RotationPlan, Rotator};

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
    pub(crate) accounts: Arc<Accounts>,
}

impl Keymux {
    /// The accounts, by name.
    #[must_use]
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &Arc<dyn ApiKeyProvider>)> {
        self.accounts.by_name.iter()
    }

    /// The accounts that could not be set up, by name, and why. They are among [`accounts`](Self::accounts).
    #[must_use]
    pub fn unavailable_accounts(&self) -> impl ExactSizeIterator<Item = (&AccountName, &Error)> {
        self.accounts.broken.iter()
    }

    /// One account, as a provider whose records and errors carry the account's name. An account that does not exist is
    /// [`ErrorKind::Config`].
    pub fn account(&self, name: &AccountName) -> Result<&Arc<dyn ApiKeyProvider>, Error> {
        self.accounts.get(name)
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
    /// other; in each, as many calls run at once as [`Builder::with_concurrency`](crate::Builder::with_concurrency) says. Nothing runs before the
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
        Outcomes::new(&self.accounts, keys, |account, key| Box::pin(async move { account.get(key.address()).await }))
    }

    /// Lists the keys of one scope of an account: a stream, page by page as it is read. `from` is the
    /// [`position`](KeyStream::position) of an earlier one.
    pub fn list(&self, account: &AccountName, scope: Scope, from: Option<ListPosition>) -> Result<KeyStream, Error> {
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
        InventoryBuilder::new(Arc::clone(&self.accounts))
    }

    /// The scopes of an account: its groups or workspaces, all pages of them. A vendor that has none is
    /// [`ErrorKind::Unsupported`]; a list that would never end, and one of more than 100,000 scopes, is
    /// [`ErrorKind::Decode`].
    ///
    /// A scope that cannot be read is an error of the whole, so that no list is shorter than it says;
    /// [`find_scopes`](Self::find_scopes) gives those that can.
    pub async fn scopes(&self, account: &AccountName) -> Result<Vec<ScopeInfo>, Error> {
        let mut found = self.find_scopes(account).await?;
        if found.errors.is_empty() { Ok(found.scopes) } else { Err(found.errors.swap_remove(0)) }
    }

    /// The scopes of an account as far as they can be read, and the errors of those that cannot. An error of the first
    /// page is that of the call.
    pub async fn find_scopes(&self, account: &AccountName) -> Result<FoundScopes, Error> {
        let provider = self.account(account)?;
        let mut guard =
            ListGuard::new(Operation::ScopesPage, provider.info().id().clone()).with_account(account.clone());
        let (mut found, mut cursor) = (FoundScopes::default(), None);
        loop {
            let page = match provider.scopes_page(cursor.as_ref()).await {
                // What came before is not lost.
                Err(error) if cursor.is_some() => {
                    found.errors.push(error);
                    return Ok(found);
                }
                page => page?,
            };
            let next = guard.turn(cursor.as_ref(), page.items.iter().map(|info| &info.scope), page.next);
            found.scopes.extend(page.items);
            found.errors.extend(page.unreadable);
            match next {
                Ok(None) => {
                    found.errors.extend(page.cut_short);
                    return Ok(found);
                }
                Ok(next) => cursor = next,
                Err(error) => {
                    found.errors.push(error);
                    return Ok(found);
                }
            }
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

    /// A key to be made that is like that of `record`, and what the record does not tell. Nothing is sent. The rules are
    /// those of [`ApiKeyProvider::new_key_like`].
    pub fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        self.account(&record.account)?.new_key_like(record)
    }

    /// Makes a key like that of `record`, which is left as it is.
    ///
    /// [`ErrorKind::Unsupported`], naming the setting, if the record does not tell something that
    /// [may widen](keymux_core::Untold::may_widen) what the key is allowed: take
    /// [`new_key_like`](Self::new_key_like), say what it is, and [`create`](Self::create).
    pub async fn create_like(&self, record: &KeyRecord) -> Result<IssuedKey, Error> {
        let like = self.new_key_like(record)?;
        if let Some(untold) = like.untold.iter().find(|untold| untold.may_widen) {
            let reason = format!("`{}` may allow the new key more than the first: {}", untold.setting, untold.reason);
            return Err(Error::new(ErrorKind::Unsupported)
                .with_account(record.account.clone())
                .with_provider(record.provider.clone())
                .with_operation(Operation::Create.as_str())
                .with_message(reason));
        }
        self.create(&record.account, &like.key).await
    }

    /// What takes a rotation from step to step, for a caller that keeps its state: see [`rotation`](crate::rotation).
    pub fn rotator(&self) -> Rotator {
        Rotator::new(self.clone())
    }

    /// Gives a key a successor in one go: makes a second key like the first, hands it to `store`, and revokes the first
    /// one once `store` has returned `Ok`.
    ///
    /// The state is kept by nobody but the future and the error, so that a crash leaves a second key behind; who wants to
    /// go on after one uses the [`rotator`](Self::rotator). If `store` fails, the old key is left as it is. What the record
    /// does not tell, and could allow the second key more, is refused by name, and nothing is made.
    ///
    /// ```no_run
    /// # async fn run(keymux: keymux::Keymux, key: keymux::KeyRef) -> Result<(), Box<dyn std::error::Error>> {
    /// use keymux::ExposeSecret;
    ///
    /// let rotated = keymux
    ///     .rotate(&key, |issued| async move { std::fs::write("secret", issued.plaintext.expose_secret()) })
    ///     .await?;
    /// println!("{}", rotated.rotation);
    /// # Ok(()) }
    /// ```
    pub async fn rotate<F, Fut, E>(&self, key: &KeyRef, store: F) -> Result<Rotated, RotationError>
    where
        F: FnOnce(IssuedKey) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let rotator = self.rotator();
        let rotation = Box::pin(rotator.plan(key)).await.and_then(RotationPlan::begin)?;
        rotator.run(rotation, |_| std::future::ready(Ok::<_, std::convert::Infallible>(())), store).await
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
        Outcomes::new(&self.accounts, keys, |account, key| Box::pin(async move { account.revoke(key.address()).await }))
    }
}
