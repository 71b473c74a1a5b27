//! Many calls at once: one outcome for each, as they finish.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::{self, SelectAll};
use keymux_core::{AccountName, ApiKeyProvider, Error, KeyRecord, KeyRef};

use crate::accounts::Accounts;

/// What became of one call of many.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "a failed call is told here and nowhere else"]
pub struct Outcome<T = KeyRecord> {
    /// The key that was meant.
    pub key: KeyRef,
    /// Its record or the like, or why there is none.
    pub result: Result<T, Error>,
}

/// The outcomes of [`Keymux::get_many`](crate::Keymux::get_many) and
/// [`Keymux::revoke_many`](crate::Keymux::revoke_many), as they finish. A [`Stream`] that needs no crate to
/// be read: see [`next`](Outcomes::next).
#[must_use = "nothing is sent before the stream is polled"]
pub struct Outcomes<T = KeyRecord> {
    accounts: SelectAll<BoxStream<Outcome<T>>>,
}

type BoxStream<T> = Pin<Box<dyn Stream<Item = T> + Send>>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<T: Send + 'static> Outcomes<T> {
    pub(crate) fn new(
        accounts: &Accounts,
        keys: impl IntoIterator<Item = KeyRef>,
        call: fn(Arc<dyn ApiKeyProvider>, KeyRef) -> BoxFuture<T>,
    ) -> Self {
        let mut queues: BTreeMap<AccountName, Vec<KeyRef>> = BTreeMap::new();
        for key in keys {
            match queues.get_mut(key.account()) {
                Some(queue) => queue.push(key),
                None => drop(queues.insert(key.account().clone(), vec![key])),
            }
        }
        let concurrency = accounts.concurrency.get();
        let mut streams = SelectAll::new();
        for (name, keys) in queues {
            let outcomes: BoxStream<Outcome<T>> = match accounts.get(&name) {
                Ok(account) => {
                    let account = Arc::clone(account);
                    let call = move |key: KeyRef| {
                        let result = call(Arc::clone(&account), key.clone());
                        async move { Outcome { key, result: result.await } }
                    };
                    Box::pin(stream::iter(keys).map(call).buffer_unordered(concurrency))
                }
                Err(error) => Box::pin(stream::iter(keys).map(move |key| Outcome { key, result: Err(error.clone()) })),
            };
            streams.push(outcomes);
        }
        Self { accounts: streams }
    }

    /// The next outcome, or `None` when every call has had its own.
    pub async fn next(&mut self) -> Option<Outcome<T>> {
        self.accounts.next().await
    }
}

impl<T> Stream for Outcomes<T> {
    type Item = Outcome<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outcome<T>>> {
        self.accounts.poll_next_unpin(context)
    }
}

impl<T> fmt::Debug for Outcomes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes").field("accounts", &self.accounts.len()).finish_non_exhaustive()
    }
}
