//! The trait that every vendor implements.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::address::KeyAddress;
use crate::capability::Operation;
use crate::error::Error;
use crate::info::ProviderInfo;
use crate::issued::IssuedKey;
use crate::likeness::Likeness;
use crate::page::{Cursor, KeyRows, Page, Scope, ScopeInfo};
use crate::rate_limit::RateLimiterState;
use crate::record::KeyRecord;
use crate::verify::{Verdict, VerifyRequest};
use crate::write::{KeyPatch, NewKey, Revoked};

/// One account at one vendor: looks its API keys up, and does what else the vendor can.
///
/// The trait is object-safe, so that an application holds any vendor as `Arc<dyn ApiKeyProvider>`. Implement it in a
/// crate of its own to add a vendor; nothing else has to know. [`info`](ApiKeyProvider::info) and
/// [`get`](ApiKeyProvider::get) are required; every other operation is
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) unless it is implemented, before anything is sent, and the
/// error names the alternative that [`Capabilities`](crate::Capabilities) tells.
///
/// For all operations:
///
/// - Dropping the future ends the request, and nothing more is sent.
/// - An address or scope of another shape than the vendor's is
///   [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is sent. A scope at a vendor that takes
///   none is [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
/// - An id goes out as exactly itself, in its own place, whatever characters it holds.
/// - The credential goes to the configured origin alone; a redirect is an error.
/// - No result, error or log prints the credential or a plaintext.
/// - A 429 is obeyed: the request is not sent again before the time that the vendor tells. A longer wait than the
///   options allow ends the call with it, in [`Error::retry_after`].
///
/// The suite `keymux-conformance` has a test for each of these rules and of those below, for any provider.
#[async_trait]
pub trait ApiKeyProvider: fmt::Debug + Send + Sync {
    /// What this vendor is and can say and do. Plain data, the same at every call.
    fn info(&self) -> &ProviderInfo;

    /// Looks one key up.
    ///
    /// - The record's [`address`](KeyRecord::address) is the one that was asked for.
    /// - Every field that [`info`](ApiKeyProvider::info) does not list is
    ///   [`Fact::Unsupported`](crate::Fact::Unsupported), and no listed field is.
    /// - A key that the vendor does not know is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), and nothing else
    ///   is. A vendor that answers the same for revoked keys does not turn that into "revoked".
    /// - The call changes nothing at the vendor; it is safe to repeat.
    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error>;

    /// Fetches one page of the keys in `scope`: the first, or the one that `cursor` tells.
    ///
    /// - Records are as from [`get`](ApiKeyProvider::get); only how the status is known may differ.
    /// - The pages hold each key once. A cursor can be stored, and leads another client of the account to the same page.
    /// - [`Page::next`] is `None` on the last page and there alone; an empty page may have one.
    /// - A row that cannot be read is in [`Page::unreadable`] with its place, and the other rows are given; so no list is
    ///   shorter than it says. A page that says there is more, and not where, gives its rows and is
    ///   [cut short](Page::cut_short).
    /// - The call changes nothing at the vendor; it is safe to repeat.
    async fn list_page(&self, _scope: &Scope, _cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        Err(self.info().unsupported(Operation::ListPage))
    }

    /// Fetches one page of a scope's keys, whose records may be made when they are asked for.
    ///
    /// The rules are those of [`list_page`](ApiKeyProvider::list_page), which it is by default. It is for vendors without
    /// pages, whose lists may be long.
    async fn list_rows(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<KeyRows, Error> {
        self.list_page(scope, cursor).await.map(KeyRows::from)
    }

    /// Fetches one page of the account's scopes: groups, workspaces.
    ///
    /// A vendor whose keys live in the account itself does not have this operation; its one scope is
    /// [`Scope::account`].
    async fn scopes_page(&self, _cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        Err(self.info().unsupported(Operation::ScopesPage))
    }

    /// Asks whether the credential works, with the cheapest read that the vendor has.
    ///
    /// - Success says that the vendor accepted the credential for that read, and no more than that.
    /// - The call changes nothing at the vendor; it is safe to repeat.
    /// - By default it is the first page of the scopes, or of the keys of the account. A vendor with neither has to
    ///   implement it, or it is [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    async fn check(&self) -> Result<(), Error> {
        let capabilities = self.info().capabilities();
        if capabilities.is_native(Operation::ScopesPage) {
            return self.scopes_page(None).await.map(drop);
        }
        self.list_page(&Scope::account(), None).await.map(drop)
    }

    /// Makes a key.
    ///
    /// - What the vendor does not take is refused by name before anything is sent; nothing is dropped in silence.
    /// - The plaintext is in [`IssuedKey::plaintext`] and nowhere else, and no later call gives it. It is given whatever
    ///   else the answer lacks: without the key's id the address is unknown, and [`IssuedKey::find_out`] says how to find
    ///   it.
    /// - [`IssuedKey::unconfirmed`] names what was asked for and the answer does not confirm
    ///   ([`IssuedKey::asked`] finds it).
    /// - The request is not sent again once it may have left. A lost answer is
    ///   [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), and the error says how to find out. A refused
    ///   connection and a 429 are retried.
    async fn create(&self, _key: &NewKey) -> Result<IssuedKey, Error> {
        Err(self.info().unsupported(Operation::Create))
    }

    /// A key to be made that is like that of `record`, and what the record does not tell. Nothing is sent.
    ///
    /// By default it is what the record itself tells ([`Likeness::of`]). A vendor whose own model tells more than the
    /// record reads it from [`KeyRecord::native`], which a record that was read from JSON does not have.
    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        Likeness::of(record, self.info())
    }

    /// Brings a key of one's own: from now on the vendor accepts `plaintext`.
    ///
    /// The rules are those of [`create`](ApiKeyProvider::create). A plaintext that is not visible ASCII is refused before
    /// anything is sent, as [`ProviderId::refuse_plaintext`](crate::ProviderId::refuse_plaintext) does.
    async fn register(&self, _key: &NewKey, _plaintext: &SecretString) -> Result<KeyRecord, Error> {
        Err(self.info().unsupported(Operation::Register))
    }

    /// Changes a key.
    ///
    /// - The request holds the named fields alone, with absolute values; it is safe to repeat.
    /// - What the vendor cannot change or clear, and a patch that changes nothing, is refused before anything is sent.
    /// - A key that the vendor does not know is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    async fn update(&self, _address: &KeyAddress, _patch: &KeyPatch) -> Result<KeyRecord, Error> {
        Err(self.info().unsupported(Operation::Update))
    }

    /// Gives a key a new plaintext, at a vendor that has this as one operation.
    ///
    /// The record has the address that was asked for, whatever the answer says. The old plaintext ends at once: after a
    /// lost answer nobody has one that works.
    ///
    /// Not sent again once it may have left, as with [`create`](ApiKeyProvider::create).
    async fn rotate(&self, _address: &KeyAddress) -> Result<IssuedKey, Error> {
        Err(self.info().unsupported(Operation::Rotate))
    }

    /// Asks whether `plaintext` is a valid key. May count as a use of the key, and is sent once: a repeat is tried only
    /// where no connection came about.
    ///
    /// - Once something was sent the result is a verdict: a vendor that fails or is not reached is
    ///   [`Verdict::Inconclusive`], never "invalid".
    /// - An error is a call that was refused before anything was sent: what the vendor cannot verify against, and what it
    ///   needs and is not given.
    async fn verify(&self, _plaintext: &SecretString, _request: &VerifyRequest) -> Result<Verdict, Error> {
        Err(self.info().unsupported(Operation::Verify))
    }

    /// Ends a key for good.
    ///
    /// A key that the vendor does not know is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), unless an earlier
    /// attempt of this very call was sent and its answer lost: then a 404 is success, and every other refusal is
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown). A key that was revoked is then not
    /// found, or is found and not active.
    async fn revoke(&self, _address: &KeyAddress) -> Result<Revoked, Error> {
        Err(self.info().unsupported(Operation::Revoke))
    }

    /// How requests of `operation` stand at the account's [rate limiter](crate::RateLimiter): whether the account is stopped and
    /// for how long, at which pace they leave, how many wait. For progress lines; nothing is sent.
    ///
    /// By default nothing is known. A provider on a [`Pipeline`](crate::Pipeline) has it from
    /// [`Pipeline::rate_limiter_state`](crate::Pipeline::rate_limiter_state).
    fn rate_limiter_state(&self, _operation: Operation) -> RateLimiterState {
        RateLimiterState::default()
    }
}

#[async_trait]
impl<P: ApiKeyProvider + ?Sized> ApiKeyProvider for Arc<P> {
    fn info(&self) -> &ProviderInfo {
        (**self).info()
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        (**self).get(address).await
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        (**self).list_page(scope, cursor).await
    }

    async fn list_rows(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<KeyRows, Error> {
        (**self).list_rows(scope, cursor).await
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        (**self).scopes_page(cursor).await
    }

    async fn check(&self) -> Result<(), Error> {
        (**self).check().await
    }

    async fn create(&self, key: &NewKey) -> Result<IssuedKey, Error> {
        (**self).create(key).await
    }

    fn new_key_like(&self, record: &KeyRecord) -> Result<Likeness, Error> {
        (**self).new_key_like(record)
    }

    async fn register(&self, key: &NewKey, plaintext: &SecretString) -> Result<KeyRecord, Error> {
        (**self).register(key, plaintext).await
    }

    async fn update(&self, address: &KeyAddress, patch: &KeyPatch) -> Result<KeyRecord, Error> {
        (**self).update(address, patch).await
    }

    async fn rotate(&self, address: &KeyAddress) -> Result<IssuedKey, Error> {
        (**self).rotate(address).await
    }

    async fn verify(&self, plaintext: &SecretString, request: &VerifyRequest) -> Result<Verdict, Error> {
        (**self).verify(plaintext, request).await
    }

    async fn revoke(&self, address: &KeyAddress) -> Result<Revoked, Error> {
        (**self).revoke(address).await
    }

    fn rate_limiter_state(&self, operation: Operation) -> RateLimiterState {
        (**self).rate_limiter_state(operation)
    }
}
