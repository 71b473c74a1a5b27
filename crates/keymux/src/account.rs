//! One account: a provider whose every record and error carries the user's name for it.

use std::sync::Arc;

use async_trait::async_trait;
use keymux_core::{
    AccountName, ApiKeyProvider, Cursor, Error, IssuedKey, KeyAddress, KeyPatch, KeyRecord, KeyRows, Likeness, NewKey,
    Operation, Page, ProviderInfo, RateLimiterState, Revoked, Scope, ScopeInfo, SecretString, Verdict, VerifyRequest,
};

/// A provider under the name of an account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: AccountName,
    provider: Arc<dyn ApiKeyProvider>,
}

impl Account {
    pub(crate) fn new(name: AccountName, provider: Arc<dyn ApiKeyProvider>) -> Self {
        Self { name, provider }
    }

    fn name_record(&self, mut record: KeyRecord) -> KeyRecord {
        record.account = self.name.clone();
        record
    }

    fn name_issued(&self, mut issued: IssuedKey) -> IssuedKey {
        issued.record = issued.record.map(|record| self.name_record(record));
        issued
    }

    fn name_error(&self, error: Error) -> Error {
        let error = match error.provider() {
            Some(_) => error,
            None => error.with_provider(self.provider.info().id().clone()),
        };
        error.with_account(self.name.clone())
    }

    /// A page's own errors name the account, too.
    fn name_page<T>(&self, mut page: Page<T>) -> Page<T> {
        page.unreadable = page.unreadable.into_iter().map(|error| self.name_error(error)).collect();
        page.cut_short = page.cut_short.map(|error| self.name_error(error));
        page
    }

    fn name_boxed(&self, record: Option<Box<KeyRecord>>) -> Option<Box<KeyRecord>> {
        record.map(|record| Box::new(self.name_record(*record)))
    }
}

#[async_trait]
impl ApiKeyProvider for Account {
    fn info(&self) -> &ProviderInfo {
        self.provider.info()
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let result = self.provider.get(address).await;
        result.map(|record| self.name_record(record)).map_err(|error| self.name_error(error))
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let mut page = self.provider.list_page(scope, cursor).await.map_err(|error| self.name_error(error))?;
        for record in &mut page.items {
            record.account = self.name.clone();
        }
        Ok(self.name_page(page))
    }

    async fn list_rows(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<KeyRows, Error> {
        let rows = self.provider.list_rows(scope, cursor).await.map_err(|error| self.name_error(error))?;
        let account = self.clone();
        Ok(rows.map(
            |mut page| {
                for record in &mut page.items {
                    record.account = self.name.clone();
                }
                self.name_page(page)
            },
            move |row| row.map(|record| account.name_record(record)).map_err(|error| account.name_error(error)),
        ))
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let page = self.provider.scopes_page(cursor).await.map_err(|error| self.name_error(error))?;
        Ok(self.name_page(page))
    }

    async fn check(&self) -> Result<(), Error> {
        self.provider.check().await.map_err(|error| self.name_error(error))
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        let issued = self.provider.create(key).await.map_err(|error| self.name_error(error))?;
        Ok(self.name_issued(issued).asked(key))
    }

    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        self.provider.new_key_like(record).map_err(|error| self.name_error(error))
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        let result = self.provider.register(key, plaintext).await;
        result.map(|record| self.name_record(record)).map_err(|error| self.name_error(error))
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        let result = self.provider.update(address, patch).await;
        result.map(|record| self.name_record(record)).map_err(|error| self.name_error(error))
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        let issued = self.provider.rotate(address).await.map_err(|error| self.name_error(error))?;
        Ok(self.name_issued(issued))
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        let verdict = self.provider.verify(plaintext, request).await.map_err(|error| self.name_error(error))?;
        Ok(match verdict {
            Verdict::Valid { record } => Verdict::Valid { record: self.name_boxed(record) },
            Verdict::Refused { reason, record } => Verdict::Refused { reason, record: self.name_boxed(record) },
            Verdict::Inconclusive(error) => Verdict::Inconclusive(self.name_error(error)),
            other => other,
        })
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        let mut revoked = self.provider.revoke(address).await.map_err(|error| self.name_error(error))?;
        revoked.record = revoked.record.map(|record| self.name_record(record));
        Ok(revoked)
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.provider.rate_limiter_state(operation)
    }
}
