//! Lists: scopes, pages, and the one stream over pages that all vendors share.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::address::{AccountName, Id, IdKind, KeyAddress};
use crate::drift::Drift;
use crate::error::{Error, ErrorKind};
use crate::provider::{ApiKeyProvider, ProviderInfo};
use crate::record::KeyRecord;

/// Where keys live inside an account: a group, a workspace, an API; or the account itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope {
    path: Option<KeyAddress>,
}

impl Scope {
    /// The account itself, at vendors whose keys live nowhere else.
    #[must_use]
    pub fn account() -> Self {
        Self::default()
    }

    /// The scope of these segments, given as they are (not percent-encoded).
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        Ok(Self { path: Some(KeyAddress::new(segments)?) })
    }

    /// Whether it is the account itself.
    #[must_use]
    pub fn is_account(&self) -> bool {
        self.path.is_none()
    }

    /// The segments as they are; none for the account itself.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.iter().flat_map(KeyAddress::segments)
    }

    /// The id of a scope of one part. An error names the vendor of `info` and what it wants.
    pub fn one<K: IdKind>(&self, info: &ProviderInfo) -> Result<Id<K>, Error> {
        match &self.path {
            Some(path) => path.one(info.id()),
            None => Err(Error::new(ErrorKind::InvalidRequest).with_provider(info.id().clone()).with_message(format!(
                "{} needs a scope: its {}",
                info.name(),
                K::NAME
            ))),
        }
    }

    /// Refuses a scope at a vendor that has none.
    pub fn none(&self, info: &ProviderInfo) -> Result<(), Error> {
        if self.is_account() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unsupported)
            .with_provider(info.id().clone())
            .with_message(format!("{} takes no `scope` here; leave it out", info.name())))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => path.fmt(f),
            None => f.write_str("account"),
        }
    }
}

/// A scope that a vendor lists, with the name that people gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// The scope.
    pub scope: Scope,
    /// Its name, if the vendor tells one.
    pub name: Option<String>,
}

impl ScopeInfo {
    /// A scope and its name.
    #[must_use]
    pub fn new(scope: Scope, name: Option<String>) -> Self {
        Self { scope, name }
    }
}

/// Where a list goes on: the vendor's own text, opaque. It can be stored, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor from a vendor's answer, or from where it was stored.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on this page. It may be empty though there is more.
    pub items: Vec<T>,
    /// Where the list goes on; `None`: this was the last page.
    pub next: Option<Cursor>,
    /// What was odd about the page itself, beside what is noted on its items.
    pub drift: Vec<Drift>,
}

impl<T> Page<T> {
    /// A page.
    #[must_use]
    pub fn new(items: Vec<T>, next: Option<Cursor>, drift: Vec<Drift>) -> Self {
        Self { items, next, drift }
    }
}

/// A page that is being fetched. It owns what it needs, so that the stream holding it can move.
type Fetch = Pin<Box<dyn Future<Output = Result<Page<KeyRecord>, Error>> + Send>>;

/// All keys of a scope, page by page as they are asked for.
///
/// - Nothing is sent before the stream is polled, and no page before the one before it is used up.
/// - It ends after the last page, or after an error; what came before the error was given.
/// - A cursor that comes again is an error, not an endless list. An empty page that says there is more is not the end.
/// - A key that was on the page before already, because the list moved while it was read, is given once.
#[must_use = "nothing is listed before the stream is polled"]
pub struct KeyStream {
    provider: Arc<dyn ApiKeyProvider>,
    scope: Scope,
    /// What the stream's own errors name, beside the provider.
    account: Option<AccountName>,
    state: State,
    /// Where the page in hand began: what [`checkpoint`](KeyStream::checkpoint) tells.
    current: Option<Cursor>,
    items: std::vec::IntoIter<KeyRecord>,
    next: Option<Cursor>,
    /// Cursors that were followed, as hashes: eight bytes for each page.
    followed: HashSet<u64>,
    /// The identities on the page before, and on this one.
    before: HashSet<KeyAddress>,
    here: HashSet<KeyAddress>,
}

enum State {
    /// The page in hand is used up; `next` says where to go on.
    Idle,
    Fetching(Fetch),
    /// The page in hand was the last one, or the last one before this error.
    Last(Option<Error>),
    Ended,
}

impl KeyStream {
    /// All keys of `scope`, from the beginning or from a [`checkpoint`](KeyStream::checkpoint).
    pub fn new(provider: Arc<dyn ApiKeyProvider>, scope: Scope, from: Option<Cursor>) -> Self {
        Self {
            provider,
            scope,
            account: None,
            state: State::Idle,
            current: from.clone(),
            items: Vec::new().into_iter(),
            next: from,
            followed: HashSet::new(),
            before: HashSet::new(),
            here: HashSet::new(),
        }
    }

    /// Names the account in the errors of the stream itself; those of the provider name it or not.
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.account = Some(account);
        self
    }

    /// Where to begin again without missing a key: at the next page if all keys of the page in hand were given, else at
    /// this page, whose keys are then given again. `None`: at the beginning.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Cursor> {
        if self.items.len() == 0 && matches!(self.state, State::Idle) {
            return self.next.as_ref();
        }
        self.current.as_ref()
    }

    /// The next key, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<KeyRecord, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn fetch(&mut self) -> Fetch {
        let (provider, scope, cursor) = (Arc::clone(&self.provider), self.scope.clone(), self.next.take());
        self.current.clone_from(&cursor);
        Box::pin(async move { provider.list_page(&scope, cursor.as_ref()).await })
    }

    /// Takes a page in hand. Its keys are given before anything else happens.
    fn turn(&mut self, page: Page<KeyRecord>) -> State {
        self.before = std::mem::take(&mut self.here);
        self.items = page.items.into_iter();
        let Some(next) = page.next else { return State::Last(None) };
        // The page that the stream began at counts as followed.
        self.followed.extend(self.current.as_ref().map(hash));
        if !self.followed.insert(hash(&next)) {
            let error = Error::new(ErrorKind::Decode)
                .with_provider(self.provider.info().id().clone())
                .with_operation("list_page")
                .with_message("the vendor gave a cursor again that it gave before; the list would never end");
            return State::Last(Some(match &self.account {
                Some(account) => error.with_account(account.clone()),
                None => error,
            }));
        }
        self.next = Some(next);
        State::Idle
    }
}

fn hash(cursor: &Cursor) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}

impl Stream for KeyStream {
    type Item = Result<KeyRecord, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            for record in this.items.by_ref() {
                this.here.insert(record.address.clone());
                if !this.before.contains(&record.address) {
                    return Poll::Ready(Some(Ok(record)));
                }
            }
            match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Last(error) => {
                    let error = error.take();
                    this.state = State::Ended;
                    if let Some(error) = error {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                State::Idle => {
                    let fetch = this.fetch();
                    this.state = State::Fetching(fetch);
                }
                State::Fetching(fetch) => {
                    let Poll::Ready(page) = fetch.as_mut().poll(context) else { return Poll::Pending };
                    this.state = match page {
                        Ok(page) => this.turn(page),
                        Err(error) => State::Last(Some(error)),
                    };
                }
            }
        }
    }
}

impl fmt::Debug for KeyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStream").field("scope", &self.scope).field("current", &self.current).finish_non_exhaustive()
    }
}
