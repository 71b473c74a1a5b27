//! What comes of listing accounts and scopes: keys, and the end of each.

use std::collections::HashSet;
use std::sync::Arc;

use keymux::{AccountName, ApiKeyProvider, Error, ErrorKind, KeyRecord, Keymux, Operation, Scope, ScopeInfo};
use tokio::sync::mpsc;

use crate::args::Place;
use crate::rows::Outcome;

/// How many keys may wait for the reader of the output.
const WAITING: usize = 256;

pub(crate) enum Event {
    Key(Box<KeyRecord>),
    /// An account or a scope is at its end.
    Ended(Outcome, Option<Error>),
}

/// Lists the places, all accounts at once. Dropping the receiver ends what is under way.
pub(crate) fn keys(keymux: &Keymux, places: Vec<Place>) -> mpsc::Receiver<Event> {
    let (send, events) = mpsc::channel(WAITING);
    for place in places {
        let (keymux, send) = (keymux.clone(), send.clone());
        tokio::spawn(async move {
            // An error is a receiver that was dropped.
            let _ = list_place(&keymux, place, &send).await;
        });
    }
    events
}

type Sent = Result<(), mpsc::error::SendError<Event>>;

async fn list_place(keymux: &Keymux, place: Place, send: &mpsc::Sender<Event>) -> Sent {
    let account = place.account;
    let provider = match keymux.account(&account) {
        Ok(provider) => Arc::clone(provider),
        Err(error) => return failed(send, account, place.scope, 0, error).await,
    };
    let walks = provider.info().capabilities().is_native(Operation::ScopesPage);
    let scopes = match place.scope {
        Some(scope) => vec![scope],
        None if walks => match scopes(&*provider).await {
            Ok(scopes) => scopes.into_iter().map(|info| info.scope).collect(),
            Err(error) => return failed(send, account, None, 0, error).await,
        },
        None => vec![Scope::account()],
    };
    for scope in scopes {
        let named = Some(scope.clone()).filter(|scope| !scope.is_account());
        let mut keys = match keymux.list(&account, scope, None) {
            Ok(keys) => keys,
            Err(error) => return failed(send, account, named, 0, error).await,
        };
        let mut count = 0;
        loop {
            match keys.next().await {
                Some(Ok(key)) => {
                    count += 1;
                    send.send(Event::Key(Box::new(key))).await?;
                }
                Some(Err(error)) => {
                    failed(send, account.clone(), named, count, error).await?;
                    break;
                }
                None => {
                    send.send(Event::Ended(Outcome::complete(account.clone(), named, count), None)).await?;
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn failed(send: &mpsc::Sender<Event>, account: AccountName, scope: Option<Scope>, count: u64, error: Error) -> Sent {
    let outcome = Outcome::failed(account, scope, count, &error);
    send.send(Event::Ended(outcome, Some(error))).await
}

/// All scopes of an account.
pub(crate) async fn scopes(provider: &dyn ApiKeyProvider) -> Result<Vec<ScopeInfo>, Error> {
    let (mut all, mut followed, mut cursor) = (Vec::new(), HashSet::new(), None);
    loop {
        let page = provider.scopes_page(cursor.as_ref()).await?;
        all.extend(page.items);
        let Some(next) = page.next else { return Ok(all) };
        if !followed.insert(next.clone()) {
            return Err(Error::new(ErrorKind::Decode)
                .with_provider(provider.info().id().clone())
                .with_operation("scopes_page")
                .with_message("the vendor gave a cursor again that it gave before; the list would never end"));
        }
        cursor = Some(next);
    }
}

