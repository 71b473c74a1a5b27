//! An account that could not be set up: it stands in its place, and every call to it fails with the reason.

use async_trait::async_trait;
use keymux_core::{
    ApiKeyProvider, Cursor, Error, IssuedKey, KeyAddress, KeyPatch, KeyRecord, Likeness, NewKey, Page, ProviderId,
    ProviderInfo, Revoked, Scope, ScopeInfo, SecretString, Verdict, VerifyRequest,
};

use crate::vendors::providers;

/// A provider that has nothing but an error.
#[derive(Debug)]
pub(crate) struct UnavailableAccount {
    info: ProviderInfo,
    error: Error,
}

impl UnavailableAccount {
    /// What the vendor can do is known if this build has it.
    pub(crate) fn new(provider: ProviderId, error: Error) -> Self {
        let known = providers().into_iter().find(|info| *info.id() == provider).cloned();
        Self { info: known.unwrap_or_else(|| ProviderInfo::new(provider, "a vendor that this build lacks", [])), error }
    }

    fn fail<T>(&self) -> Result<T, Error> {
        Err(self.error.clone())
    }
}

#[async_trait]
impl ApiKeyProvider for UnavailableAccount {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, _address: &KeyAddress) -> Result<KeyRecord, Error> {
        self.fail()
    }

    async fn list_page(&self, _scope: &Scope, _cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        self.fail()
    }

    async fn scopes_page(&self, _cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        self.fail()
    }

    async fn check(&self) -> Result<(), Error> {
        self.fail()
    }

    async fn create(&self, _key: &NewKey) -> Result<IssuedKey, Error> {
        self.fail()
    }

    fn new_key_like(&self, _record: &KeyRecord) -> Result<Likeness, Error> {
        self.fail()
    }

    async fn register(&self, _key: &NewKey, _plaintext: &SecretString) -> Result<KeyRecord, Error> {
        self.fail()
    }

    async fn update(&self, _address: &KeyAddress, _patch: &KeyPatch) -> Result<KeyRecord, Error> {
        self.fail()
    }

    async fn rotate(&self, _address: &KeyAddress) -> Result<IssuedKey, Error> {
        self.fail()
    }

    async fn verify(&self, _plaintext: &SecretString, _request: &VerifyRequest) -> Result<Verdict, Error> {
        self.fail()
    }

    async fn revoke(&self, _address: &KeyAddress) -> Result<Revoked, Error> {
        self.fail()
    }
}
