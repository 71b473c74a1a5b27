//! The one stream over the keys of a scope that all vendors share.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::address::KeyAddress;
use crate::capability::Operation;
use crate::error::Error;
use crate::list_guard::ListGuard;
use crate::names::AccountName;
use crate::page::{Cursor, KeyRows, ListPosition, Scope};
use crate::provider::ApiKeyProvider;
use crate::record::KeyRecord;

/// A hash over addresses in their order, the same in every build and on every machine. It keeps to 53 bits, so that no
/// reader of JSON rounds it. (FNV-1a; each segment is ended by a byte that UTF-8 does not have.)
fn hash_on(hash: u64, address: &KeyAddress) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = address.segments().flat_map(|segment| segment.bytes().chain([0xff])).chain([0xfe]);
    bytes.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME) & ((1 << 53) - 1))
}

/// A page that is being fetched. It owns what it needs, so that the stream holding it can move.
type Fetch = Pin<Box<dyn Future<Output = Result<KeyRows, Error>> + Send>>;

/// Keys that are made when they are asked for.
type Later = Box<dyn Iterator<Item = Result<KeyRecord, Error>> + Send>;

/// How many keys are made at once.
const AT_ONCE: usize = 64;

/// All keys of a scope, page by page as they are asked for.
///
/// - Nothing is sent before the stream is polled, and no page before the one before it is used up.
/// - It ends after the last page, or after the error of a page; what came before the error was given. A row that cannot be
///   read is an error, too, which names its place, and the stream goes on: a list without errors is whole.
/// - An empty page that says there is more is not the end. A list that would never end is an error, by the rules of
///   [`ListGuard`].
/// - A key that was on this page or the one before already, because the list moved while it was read, is given once.
#[must_use = "nothing is listed before the stream is polled"]
pub struct KeyStream {
    provider: Arc<dyn ApiKeyProvider>,
    scope: Scope,
    state: State,
    /// Where the page in hand began.
    current: Option<Cursor>,
    items: std::vec::IntoIter<KeyRecord>,
    /// The rows of the page in hand that cannot be read.
    unreadable: std::vec::IntoIter<Error>,
    /// The keys of the page in hand that are behind.
    here: HashSet<KeyAddress>,
    /// The keys of the page in hand that are not made, after those.
    later: Option<Later>,
    /// How many keys of the page in hand are behind, given or left out, and the hash over them.
    passed: usize,
    passed_hash: u64,
    /// Where the first page is to be resumed.
    resumed: Option<ListPosition>,
    pages: u64,
    next: Option<Cursor>,
    guard: ListGuard,
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
    /// All keys of `scope`, from the beginning or from where another stream of that scope [stood](KeyStream::position).
    ///
    /// The page that the other one was in is fetched again, and its keys that were given are left out, if they are still
    /// the first of that page and in the same order. If not, the list has moved, and the whole page is given: a key may
    /// come again, none is missed.
    pub fn new(provider: Arc<dyn ApiKeyProvider>, scope: Scope, from: Option<ListPosition>) -> Self {
        let from = from.unwrap_or_default();
        let guard = ListGuard::new(Operation::ListPage, provider.info().id().clone());
        Self {
            provider,
            scope,
            state: State::Idle,
            current: from.cursor.clone(),
            items: Vec::new().into_iter(),
            unreadable: Vec::new().into_iter(),
            here: HashSet::new(),
            later: None,
            passed: 0,
            passed_hash: 0,
            pages: 0,
            next: from.cursor.clone(),
            resumed: Some(from).filter(|from| from.passed > 0),
            guard,
        }
    }

    /// Names the account in the errors of the stream itself; those of the provider name it or not.
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.guard = self.guard.with_account(account);
        self
    }

    /// Where the stream stands, to the key. While a page is fetched or after it failed, that page is what comes next.
    #[must_use]
    pub fn position(&self) -> ListPosition {
        match (&self.resumed, &self.state) {
            (Some(position), _) => position.clone(),
            (None, State::Idle) if self.is_used_up() && self.later.is_none() => {
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
        loop {
            for record in self.items.by_ref() {
                self.passed += 1;
                self.passed_hash = hash_on(self.passed_hash, &record.address);
                if self.here.insert(record.address.clone()) && !self.guard.was_before(&record.address) {
                    return Some(record);
                }
            }
            // Rows that cannot be read are given before others are made.
            if self.unreadable.len() > 0 || !self.make() {
                return None;
            }
        }
    }

    /// Makes the next keys of the page in hand. `false`: there are none.
    fn make(&mut self) -> bool {
        let Some(later) = &mut self.later else { return false };
        let (mut made, mut unreadable) = (Vec::new(), Vec::new());
        for row in later.take(AT_ONCE) {
            match row {
                Ok(record) => made.push(record),
                Err(error) => unreadable.push(error),
            }
        }
        if made.is_empty() && unreadable.is_empty() {
            self.later = None;
            return false;
        }
        // Those of the rows before that were not given yet go first.
        let before = std::mem::replace(&mut self.unreadable, Vec::new().into_iter());
        self.unreadable = before.chain(unreadable).collect::<Vec<_>>().into_iter();
        self.items = made.into_iter();
        true
    }

    /// The next row of the page in hand that cannot be read. `None`: there is none left on it, and nothing was sent.
    pub fn next_unreadable(&mut self) -> Option<Error> {
        self.unreadable.next()
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
        while self.is_used_up() && !self.make() {
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
        // Whether a list has moved is judged by a whole page.
        let whole = self.resumed.is_some();
        Box::pin(async move {
            if whole {
                return provider.list_page(&scope, cursor.as_ref()).await.map(KeyRows::from);
            }
            provider.list_rows(&scope, cursor.as_ref()).await
        })
    }

    /// Takes a page in hand. Its keys are given before anything else happens.
    fn turn(&mut self, KeyRows { page, later }: KeyRows) -> State {
        self.pages += 1;
        let addresses = page.items.iter().map(|record| &record.address);
        let next = self.guard.turn(self.current.as_ref(), addresses, page.next);
        self.here.clear();
        self.items = page.items.into_iter();
        self.unreadable = page.unreadable.into_iter();
        self.later = Some(later);
        if let Some(position) = self.resumed.take() {
            self.leave_out(&position);
        }
        match next {
            Ok(Some(next)) => {
                self.next = Some(next);
                State::Idle
            }
            Ok(None) => State::Last(page.cut_short),
            Err(error) => State::Last(Some(error)),
        }
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
