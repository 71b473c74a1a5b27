//! Many look-ups at once: one outcome for each, as they finish.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::{self, SelectAll};
use keymux_core::{AccountName, Error, KeyRecord, KeyRef};

use crate::accounts::Keymux;

/// What became of one look-up of many.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "a failed look-up is told here and nowhere else"]
pub struct Outcome {
    /// The key that was asked for.
    pub key: KeyRef,
    /// Its record, or why there is none.
    pub result: Result<KeyRecord, Error>,
}

/// The outcomes of [`Keymux::get_many`], as they finish. A [`Stream`] that needs no crate to be read: see
/// [`next`](Outcomes::next).
#[must_use = "nothing is looked up before the stream is polled"]
pub struct Outcomes {
    accounts: SelectAll<Pin<Box<dyn Stream<Item = Outcome> + Send>>>,
}

impl Outcomes {
    pub(crate) fn new(keymux: &Keymux, keys: impl IntoIterator<Item = KeyRef>) -> Self {
        let mut queues: BTreeMap<AccountName, Vec<KeyRef>> = BTreeMap::new();
        for key in keys {
            match queues.get_mut(key.account()) {
                Some(queue) => queue.push(key),
                None => drop(queues.insert(key.account().clone(), vec![key])),
            }
        }
        let mut accounts = SelectAll::new();
        for (name, keys) in queues {
            let outcomes: Pin<Box<dyn Stream<Item = Outcome> + Send>> = match keymux.account(&name) {
                Ok(account) => {
                    let account = account.clone();
                    let concurrency = account.concurrency.get();
                    let look_up = move |key: KeyRef| {
                        let account = account.clone();
                        async move {
                            let result = account.get(&key).await;
                            Outcome { key, result }
                        }
                    };
                    Box::pin(stream::iter(keys).map(look_up).buffer_unordered(concurrency))
                }
                Err(error) => Box::pin(stream::iter(keys).map(move |key| Outcome { key, result: Err(error.clone()) })),
            };
            accounts.push(outcomes);
        }
        Self { accounts }
    }

    /// The next outcome, or `None` when every look-up has had its own.
    pub async fn next(&mut self) -> Option<Outcome> {
        self.accounts.next().await
    }
}

impl Stream for Outcomes {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        self.accounts.poll_next_unpin(context)
    }
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes").field("accounts", &self.accounts.len()).finish_non_exhaustive()
    }
}
