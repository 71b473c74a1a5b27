//! An account whose changes are written to the trail, whoever asks for them: a command, or the library within a rotation.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use keymux::{
    AccountName, ApiKeyProvider, Cursor, Error, IssuedKey, KeyAddress, KeyPatch, KeyRecord, KeyRef, Keymux, Likeness,
    NewKey, Operation, Page, ProviderInfo, RateLimiterState, Revoked, Scope, ScopeInfo, SecretString, Verdict,
    VerifyRequest, WorkUnit,
};

use crate::trail::{Change, Trail};

/// The same account, with the trail.
#[derive(Debug)]
pub(crate) struct Trailed {
    name: AccountName,
    provider: Arc<dyn ApiKeyProvider>,
    trail: Arc<Trail>,
}

impl Trailed {
    pub(crate) fn new(name: AccountName, provider: Arc<dyn ApiKeyProvider>, trail: &Arc<Trail>) -> Self {
        Self { name, provider, trail: Arc::clone(trail) }
    }

    /// Every account with the trail.
    pub(crate) fn all(keymux: &Keymux, trail: &Arc<Trail>) -> Result<Keymux, Error> {
        let broken: BTreeMap<_, _> = keymux.unavailable_accounts().collect();
        let mut builder = Keymux::builder();
        for (name, account) in keymux.accounts() {
            builder = match broken.get(name) {
                Some(&error) => {
                    builder.with_unavailable_account(name.as_str(), account.info().id().clone(), error.clone())
                }
                None => builder.with_account(name.as_str(), Self::new(name.clone(), Arc::clone(account), trail)),
            };
        }
        builder.build()
    }

    /// What `call` gives, with a line before and after it. `made` is where the key is that it made.
    async fn written<T>(
        &self,
        operation: Operation,
        (key, scope): (Option<&KeyAddress>, Option<&Scope>),
        call: impl Future<Output = Result<T, Error>>,
        made: impl Fn(&T) -> Option<KeyAddress>,
    ) -> Result<T, Error> {
        let reference = |address: &KeyAddress| KeyRef::new(self.name.clone(), address.clone()).to_string();
        let begun = self.trail.begin(Change {
            account: self.name.clone(),
            provider: self.provider.info().id().clone(),
            operation: operation.as_str(),
            r#ref: key.map(reference),
            scope: scope.map(|scope| WorkUnit::new(self.name.clone(), scope.clone()).to_string()),
        })?;
        let result = call.await;
        let made = result.as_ref().ok().and_then(made);
        begun.end(result.as_ref().map(drop), made.as_ref().map(reference));
        result
    }
}

#[async_trait]
impl ApiKeyProvider for Trailed {
    fn info(&self) -> &ProviderInfo {
        self.provider.info()
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        self.provider.get(address).await
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        self.provider.list_page(scope, cursor).await
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        self.provider.scopes_page(cursor).await
    }

    async fn check(&self) -> Result<(), Error> {
        self.provider.check().await
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        let made = |issued: &IssuedKey| issued.address().cloned();
        self.written(Operation::Create, (None, Some(&key.scope)), self.provider.create(key), made).await
    }

    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        self.provider.new_key_like(record)
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        let made = |record: &KeyRecord| Some(record.address.clone());
        let call = self.provider.register(key, plaintext);
        self.written(Operation::Register, (None, Some(&key.scope)), call, made).await
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        self.written(Operation::Update, (Some(address), None), self.provider.update(address, patch), |_| None).await
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        self.written(Operation::Rotate, (Some(address), None), self.provider.rotate(address), |_| None).await
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        self.provider.verify(plaintext, request).await
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        self.written(Operation::Revoke, (Some(address), None), self.provider.revoke(address), |_| None).await
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        self.provider.rate_limiter_state(operation)
    }
}
