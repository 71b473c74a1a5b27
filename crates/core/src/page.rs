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
    /// Rows of this page that cannot be read, one error each, which names the row's place. They are not among the items:
    /// a list with such rows is not whole.
    pub unreadable: Vec<Error>,
    /// Why the list ends with this page though the vendor says that there is more, or contradicts itself. Such a list is
    /// not whole. Looked at where [`next`](Self::next) is `None`.
    pub cut_short: Option<Error>,
}

impl<T> Page<T> {
    /// A page all of whose rows were read.
    #[must_use]
    pub fn new(items: Vec<T>, next: Option<Cursor>, drift: Vec<Drift>) -> Self {
        Self { items, next, drift, unreadable: Vec::new(), cut_short: None }
    }

    /// With rows that cannot be read: [`Answer::unread_rows`](crate::Answer::unread_rows) makes the errors.
    #[must_use]
    pub fn with_unreadable(mut self, rows: Vec<Error>) -> Self {
        self.unreadable.extend(rows);
        self
    }

    /// With the reason why the list cannot go on though there is more.
    #[must_use]
    pub fn with_cut_short(self, reason: Option<Error>) -> Self {
        Self { cut_short: reason, ..self }
    }

    /// The page with other items.
    #[must_use]
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Page<U> {
        self.try_map(|item| Ok(change(item)))
    }

    /// The page with other items. What makes an error of an item makes it a row that cannot be read.
    #[must_use]
    pub fn try_map<U>(self, change: impl FnMut(T) -> Result<U, Error>) -> Page<U> {
        let (mut items, mut unreadable) = (Vec::with_capacity(self.items.len()), self.unreadable);
        for item in self.items.into_iter().map(change) {
            match item {
                Ok(item) => items.push(item),
                Err(error) => unreadable.push(error),
            }
        }
        Page { items, next: self.next, drift: self.drift, unreadable, cut_short: self.cut_short }
    }
}

/// Where a list stands, to the key: what [`KeyStream::position`] tells and [`KeyStream::resume`] takes. It can be
/// stored, and holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// The page in hand; `None`: the first.
    cursor: Option<Cursor>,
    /// How many of its keys were passed, and which they were.
    passed: usize,
    passed_hash: u64,
}

/// A hash over addresses in their order, the same in every build and on every machine. It keeps to 53 bits, so that no
/// reader of JSON rounds it. (FNV-1a; each segment is ended by a byte that UTF-8 does not have.)
fn hash_on(hash: u64, address: &KeyAddress) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = address.segments().flat_map(|segment| segment.bytes().chain([0xff])).chain([0xfe]);
    bytes.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME) & ((1 << 53) - 1))
}

/// After so many pages in a row without a new key a list is taken for endless: a vendor that does not look at where a
/// page is to begin gives the first one for ever.
const MAX_FRUITLESS: u32 = 100;

/// A page that is being fetched. It owns what it needs, so that the stream holding it can move.
type Fetch = Pin<Box<dyn Future<Output = Result<Page<KeyRecord>, Error>> + Send>>;

/// All keys of a scope, page by page as they are asked for.
///
/// - Nothing is sent before the stream is polled, and no page before the one before it is used up.
/// - It ends after the last page, or after the error of a page; what came before the error was given. A row that cannot be
///   read is an error, too, which names its place, and the stream goes on: a list without errors is whole.
/// - A cursor that comes again is an error, not an endless list. An empty page that says there is more is not the end;
///   after 100 pages in a row that are empty or hold the keys of the page before alone, that is an error, too.
/// - A key that was on this page or the one before already, because the list moved while it was read, is given once.
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
    /// The rows of the page in hand that cannot be read.
    unreadable: std::vec::IntoIter<Error>,
    /// How many keys of the page in hand are behind, given or left out, and the hash over them.
    passed: usize,
    passed_hash: u64,
    /// Where the first page is to be resumed.
    resumed: Option<ListPosition>,
    pages: u64,
    next: Option<Cursor>,
    /// Cursors that were followed, as hashes: eight bytes for each page.
    followed: HashSet<u64>,
    /// The identities on the page before, and on this one.
    before: HashSet<KeyAddress>,
    here: HashSet<KeyAddress>,
    /// How many pages in a row brought no new key.
    fruitless: u32,
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
            unreadable: Vec::new().into_iter(),
            passed: 0,
            passed_hash: 0,
            resumed: None,
            pages: 0,
            next: from,
            followed: HashSet::new(),
            before: HashSet::new(),
            here: HashSet::new(),
            fruitless: 0,
        }
    }

    /// Names the account in the errors of the stream itself; those of the provider name it or not.
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.account = Some(account);
        self
    }

    /// Goes on where another stream of the same scope stood. Only before the first poll.
    ///
    /// The page that it was in is fetched again, and its keys that were given are left out, if they are still the first
    /// of that page and in the same order. If not, the list has moved, and the whole page is given: a key may come
    /// again, none is missed.
    pub fn resume(mut self, position: ListPosition) -> Self {
        self.current.clone_from(&position.cursor);
        self.next.clone_from(&position.cursor);
        self.resumed = Some(position).filter(|position| position.passed > 0);
        self
    }

    /// Where the stream stands, to the key. While a page is fetched or after it failed, that page is what comes next.
    #[must_use]
    pub fn position(&self) -> ListPosition {
        match (&self.resumed, &self.state) {
            (Some(position), _) => position.clone(),
            (None, State::Idle) if self.is_used_up() => {
                ListPosition { cursor: self.next.clone(), ..ListPosition::default() }
            }
            (None, _) => {
                ListPosition { cursor: self.current.clone(), passed: self.passed, passed_hash: self.passed_hash }
            }
        }
    }

    /// Whether all of the page in hand was given, its rows that cannot be read included.
    fn is_used_up(&self) -> bool {
        self.items.len() == 0 && self.unreadable.len() == 0
    }

    /// How many pages were read.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// The next key of the page in hand. `None`: there is none left on it, and nothing was sent.
    pub fn next_in_hand(&mut self) -> Option<KeyRecord> {
        for record in self.items.by_ref() {
            self.passed += 1;
            self.passed_hash = hash_on(self.passed_hash, &record.address);
            if self.here.insert(record.address.clone()) && !self.before.contains(&record.address) {
                return Some(record);
            }
        }
        None
    }

    /// The next row of the page in hand that cannot be read. `None`: there is none left on it, and nothing was sent.
    pub fn next_unreadable(&mut self) -> Option<Error> {
        self.unreadable.next()
    }

    /// Where to begin again without missing a key: at the next page if all keys of the page in hand were given, else at
    /// this page, whose keys are then given again. `None`: at the beginning.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Cursor> {
        if self.is_used_up() && matches!(self.state, State::Idle) {
            return self.next.as_ref();
        }
        self.current.as_ref()
    }

    /// The next key, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<KeyRecord, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Has a page in hand: the one that is, until it is used up, else the next one that is not empty. `None` at the end.
    /// After a page whose keys were all left out, as those of the page before, [`next_in_hand`](Self::next_in_hand)
    /// has none.
    pub async fn next_page(&mut self) -> Option<Result<(), Error>> {
        std::future::poll_fn(|context| self.poll_page(context)).await
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        while self.is_used_up() {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Last(error) => {
                    let error = error.take();
                    self.state = State::Ended;
                    if let Some(error) = error {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                State::Idle => {
                    let fetch = self.fetch();
                    self.state = State::Fetching(fetch);
                }
                State::Fetching(fetch) => {
                    let Poll::Ready(page) = fetch.as_mut().poll(context) else { return Poll::Pending };
                    self.state = match page {
                        Ok(page) => self.turn(page),
                        Err(error) => State::Last(Some(error)),
                    };
                }
            }
        }
        Poll::Ready(Some(Ok(())))
    }

    fn fetch(&mut self) -> Fetch {
        let (provider, scope, cursor) = (Arc::clone(&self.provider), self.scope.clone(), self.next.take());
        self.current.clone_from(&cursor);
        (self.passed, self.passed_hash) = (0, 0);
        Box::pin(async move { provider.list_page(&scope, cursor.as_ref()).await })
    }

    /// Takes a page in hand. Its keys are given before anything else happens.
    fn turn(&mut self, page: Page<KeyRecord>) -> State {
        self.before = std::mem::take(&mut self.here);
        self.pages += 1;
        let brings_none = page.items.iter().all(|record| self.before.contains(&record.address));
        self.fruitless = if brings_none { self.fruitless + 1 } else { 0 };
        self.items = page.items.into_iter();
        self.unreadable = page.unreadable.into_iter();
        if let Some(position) = self.resumed.take() {
            self.leave_out(&position);
        }
        let Some(next) = page.next else { return State::Last(page.cut_short) };
        // The page that the stream began at counts as followed.
        self.followed.extend(self.current.as_ref().map(hash));
        if !self.followed.insert(hash(&next)) {
            return self.endless("the vendor gave a cursor again that it gave before; the list would never end");
        }
        if self.fruitless >= MAX_FRUITLESS {
            return self.endless("the vendor says that there is more, and the last 100 pages brought no new key");
        }
        self.next = Some(next);
        State::Idle
    }

    /// The page in hand is the last, since the vendor would give pages for ever.
    fn endless(&self, reason: &str) -> State {
        let error = Error::new(ErrorKind::Decode)
            .with_provider(self.provider.info().id().clone())
            .with_operation("list_page")
            .with_message(reason);
        State::Last(Some(match &self.account {
            Some(account) => error.with_account(account.clone()),
            None => error,
        }))
    }

    /// Passes the first keys of the page in hand, if they are those that `position` has behind it.
    fn leave_out(&mut self, position: &ListPosition) {
        let Some(given) = self.items.as_slice().get(..position.passed) else { return };
        if given.iter().fold(0, |hash, record| hash_on(hash, &record.address)) != position.passed_hash {
            return;
        }
        self.here.extend(self.items.by_ref().take(position.passed).map(|record| record.address));
        (self.passed, self.passed_hash) = (position.passed, position.passed_hash);
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
            if let Some(record) = this.next_in_hand() {
                return Poll::Ready(Some(Ok(record)));
            }
            if let Some(error) = this.next_unreadable() {
                return Poll::Ready(Some(Err(error)));
            }
            match this.poll_page(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(()))) => {}
            }
        }
    }
}

impl fmt::Debug for KeyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStream").field("scope", &self.scope).field("current", &self.current).finish_non_exhaustive()
    }
}
