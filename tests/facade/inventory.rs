//! The inventory: every key of every account, once, and an end that cannot be taken for the whole if it is not.

mod parts;
mod sockets;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use keymux::{
    AccountName, AccountState, ApiKeyProvider, Capabilities, Completeness, Cursor, Error, ErrorKind, Incomplete,
    InventoryStream, KeyAddress, KeyKind, KeyRecord, Keymux, Operation, Page, PartResult, ProviderId, ProviderInfo,
    Scope, ScopeInfo, UnitStatus, WorkUnit,
};

use super::Acme;

/// A vendor whose lists are pages of this many keys and scopes.
const PAGE: usize = 3;

/// A vendor whose keys live in scopes, or in the account itself, and whose pages fail or hang where a test says so.
#[derive(Debug, Clone)]
struct Shelf {
    info: ProviderInfo,
    keys: BTreeMap<Scope, Vec<String>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Pages that fail, by what [`asked`](Self::asked) calls them.
    failing: BTreeMap<String, ErrorKind>,
    /// Pages that never come.
    hanging: BTreeSet<String>,
    /// What was asked for: `scopes@0`, `g1@2`.
    asked: Vec<String>,
    /// How many calls are under way, and how many were at most.
    running: usize,
    most: usize,
}

struct Running(Arc<Mutex<State>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().unwrap().running -= 1;
    }
}

impl Shelf {
    /// `scopes` are names and numbers of keys.
    fn new(scopes: &[(&str, usize)]) -> Self {
        let keys = |name: &str, count| (0..count).map(|number| format!("{name}-{number}")).collect();
        let keys = scopes.iter().map(|(name, count)| (scope(name), keys(name, *count))).collect();
        Self::of(keys, [Operation::ListPage, Operation::ScopesPage])
    }

    /// All keys live in the account itself.
    fn flat(count: usize) -> Self {
        let keys = (0..count).map(|number| format!("k-{number}")).collect();
        Self::of(BTreeMap::from([(Scope::account(), keys)]), [Operation::ListPage])
    }

    fn of(keys: BTreeMap<Scope, Vec<String>>, can: impl IntoIterator<Item = Operation>) -> Self {
        let info = ProviderInfo::new(ProviderId::new("shelf"), "Shelf", ["scope", "id"]);
        let info = info.with_capabilities(Capabilities::default().with_native(can));
        Self { info, keys, state: Arc::default() }
    }

    fn narrower(mut self, reason: &'static str) -> Self {
        self.info = self.info.clone().with_capabilities(self.info.capabilities().clone().with_narrower_list(reason));
        self
    }

    fn failing(self, page: &str, kind: ErrorKind) -> Self {
        self.state.lock().unwrap().failing.insert(page.to_owned(), kind);
        self
    }

    fn hanging(self, page: &str) -> Self {
        self.state.lock().unwrap().hanging.insert(page.to_owned());
        self
    }

    fn mended(&self) {
        self.state.lock().unwrap().failing.clear();
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    fn most(&self) -> usize {
        self.state.lock().unwrap().most
    }

    fn running(&self) -> usize {
        self.state.lock().unwrap().running
    }

    async fn call(&self, what: &str) -> Result<(), Error> {
        let _running = Running(Arc::clone(&self.state));
        let (hangs, fails) = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(what.to_owned());
            state.running += 1;
            state.most = state.most.max(state.running);
            (state.hanging.contains(what), state.failing.get(what).copied())
        };
        if hangs {
            pending::<()>().await;
        }
        // An answer takes its time, so that others have their turn.
        for _ in 0..3 {
            yield_once().await;
        }
        fails.map_or(Ok(()), |kind| Err(Error::new(kind).with_message("not today")))
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Runs it to its end.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn page_of<T>(all: impl Iterator<Item = T>, cursor: Option<&Cursor>) -> (usize, Vec<T>, Option<Cursor>) {
    let number: usize = cursor.map_or(0, |cursor| cursor.as_str().parse().unwrap());
    let mut rest = all.skip(number * PAGE);
    let items: Vec<T> = rest.by_ref().take(PAGE).collect();
    let next = rest.next().map(|_| Cursor::new((number + 1).to_string()));
    (number, items, next)
}

#[async_trait]
impl ApiKeyProvider for Shelf {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, _: &KeyAddress) -> Result<KeyRecord, Error> {
        Err(Error::new(ErrorKind::NotFound))
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let Some(keys) = self.keys.get(scope) else { return Err(Error::new(ErrorKind::NotFound)) };
        let (number, keys, next) = page_of(keys.iter(), cursor);
        self.call(&format!("{scope}@{number}")).await?;
        let record = |id: &String| {
            let path = scope.segments().chain([id.as_str()]);
            KeyRecord::new(&self.info, KeyAddress::new(path).unwrap(), KeyKind::API_KEY)
        };
        Ok(Page::new(keys.into_iter().map(record).collect(), next, Vec::new()))
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let (number, scopes, next) = page_of(self.keys.keys().cloned(), cursor);
        self.call(&format!("scopes@{number}")).await?;
        Ok(Page::new(scopes.into_iter().map(|scope| ScopeInfo::new(scope, None)).collect(), next, Vec::new()))
    }
}

fn scope(name: &str) -> Scope {
    Scope::new([name]).unwrap()
}

fn name(account: &str) -> AccountName {
    AccountName::new(account).unwrap()
}

fn unit(text: &str) -> WorkUnit {
    text.parse().unwrap()
}

fn keymux(accounts: &[(&str, &Shelf)]) -> Keymux {
    let add =
        |builder: keymux::Builder, (name, shelf): &(&str, &Shelf)| builder.with_account(*name, Shelf::clone(shelf));
    accounts.iter().fold(Keymux::builder(), add).build().unwrap()
}

/// Every key that there is, as text.
fn all(accounts: &[(&str, &Shelf)]) -> Vec<String> {
    let mut keys: Vec<String> = accounts
        .iter()
        .flat_map(|(account, shelf)| {
            shelf.keys.iter().flat_map(move |(scope, ids)| {
                ids.iter().map(move |id| {
                    if scope.is_account() { format!("{account}:{id}") } else { format!("{account}:{scope}/{id}") }
                })
            })
        })
        .collect();
    keys.sort();
    keys
}

/// The keys that come to the end, sorted, and what the last item says.
async fn rest(stream: &mut InventoryStream) -> (Vec<String>, Option<Incomplete>) {
    let mut keys = Vec::new();
    let mut end = None;
    while let Some(item) = stream.next().await {
        assert!(end.is_none(), "nothing comes after the end");
        match item {
            Ok(record) => keys.push(record.key_ref().to_string()),
            Err(incomplete) => end = Some(incomplete),
        }
    }
    keys.sort();
    (keys, end)
}

/// The keys that come without anything else happening.
fn ready(stream: &mut InventoryStream) -> Vec<String> {
    let mut keys = Vec::new();
    for _ in 0..1000 {
        while let Some(Some(Ok(record))) = stream.next().now_or_never() {
            keys.push(record.key_ref().to_string());
        }
    }
    keys.sort();
    keys
}

fn state(completeness: &Completeness, account: &str) -> AccountState {
    completeness.account(&name(account)).unwrap().state()
}

fn at_most(scopes: usize) -> NonZeroUsize {
    NonZeroUsize::new(scopes).unwrap()
}

#[test]
fn every_key_of_every_scope_of_every_account_is_given_once_and_then_it_is_complete() {
    let (a, b, c) =
        (Shelf::new(&[("g1", 7), ("g2", 0), ("g3", 1), ("g4", 3), ("g5", 4)]), Shelf::flat(8), Shelf::new(&[]));
    let accounts = [("a", &a), ("b", &b), ("c", &c)];
    let mut stream = keymux(&accounts).inventory().stream().unwrap();
    assert!(!stream.completeness().is_complete(), "nothing was walked yet");
    let (keys, end) = now(rest(&mut stream));
    assert_eq!((keys, end.is_none()), (all(&accounts), true));
    let completeness = stream.completeness();
    assert!(completeness.is_complete());
    assert_eq!(completeness.records(), 23);
    let told: Vec<String> = completeness
        .accounts()
        .flat_map(|(name, account)| {
            account.units().map(move |(scope, unit)| format!("{name} {scope} {}/{}", unit.records, unit.pages))
        })
        .collect();
    assert_eq!(told, ["a g1 7/3", "a g2 0/1", "a g3 1/1", "a g4 3/1", "a g5 4/2", "b account 8/3"]);
}

#[test]
fn collecting_gives_both_halves_whether_it_is_complete_or_not() {
    let well = Shelf::flat(4);
    let inventory = now(keymux(&[("a", &well)]).inventory().stream().unwrap().collect()).unwrap();
    assert_eq!((inventory.records.len(), inventory.completeness.is_complete()), (4, true));
    let ill = Shelf::flat(9).failing("account@2", ErrorKind::Server);
    let incomplete = now(keymux(&[("a", &well), ("b", &ill)]).inventory().stream().unwrap().collect()).unwrap_err();
    assert_eq!((incomplete.records.len(), incomplete.completeness.records()), (10, 10));
    assert_eq!(
        incomplete.to_string(),
        "the inventory is not complete: b is failed; b: b (shelf): the vendor failed: not today"
    );
    let source = std::error::Error::source(&incomplete).unwrap();
    assert_eq!(source.downcast_ref::<Error>().unwrap().kind(), ErrorKind::Server);
}

#[test]
fn what_became_of_an_account_is_told_in_one_word() {
    let scopes = [("g1", 4), ("g2", 4)];
    #[rustfmt::skip]
    let table = [
        ("all was given",                   Shelf::new(&scopes),                                              AccountState::Done,        8),
        ("the vendor lists less",           Shelf::flat(4).narrower("the caller's own keys alone"),            AccountState::Narrower,    4),
        ("the vendor cannot list",          Shelf::of(BTreeMap::new(), []),                                    AccountState::Unsupported, 0),
        ("a scope failed at once",          Shelf::new(&scopes).failing("g1@0", ErrorKind::PermissionDenied),  AccountState::Failed,      4),
        ("a scope failed in the middle",    Shelf::new(&scopes).failing("g2@1", ErrorKind::RateLimited),       AccountState::Failed,      7),
        ("the list of scopes failed",       Shelf::new(&scopes).failing("scopes@0", ErrorKind::Unauthenticated), AccountState::Failed,    0),
        ("narrower, and it failed",         Shelf::flat(4).narrower("own").failing("account@1", ErrorKind::Timeout), AccountState::Failed, 3),
    ];
    for (case, shelf, expected, records) in table {
        let mut stream = keymux(&[("a", &shelf)]).inventory().stream().unwrap();
        let (keys, end) = now(rest(&mut stream));
        let completeness = stream.completeness();
        assert_eq!((state(&completeness, "a"), keys.len()), (expected, records), "{case}");
        assert_eq!(
            (end.is_none(), completeness.is_complete()),
            (expected == AccountState::Done, expected == AccountState::Done),
            "{case}"
        );
        assert_eq!(stream.progress()[0].ended, Some(expected), "{case}");
    }
}

#[test]
fn a_list_of_scopes_that_breaks_off_loses_no_scope_that_was_found() {
    let scopes = [("g1", 2), ("g2", 2), ("g3", 2), ("g4", 2)];
    let shelf = Shelf::new(&scopes).failing("scopes@1", ErrorKind::Timeout);
    let (keys, end) = now(rest(&mut keymux(&[("a", &shelf)]).inventory().stream().unwrap()));
    assert_eq!(keys.len(), 6, "the three scopes of the first page");
    let completeness = end.unwrap().completeness;
    let account = completeness.account(&name("a")).unwrap();
    assert!(matches!(account.scopes(), PartResult::Failed { error } if error.report().kind == ErrorKind::Timeout));
    assert!(account.units().all(|(_, unit)| unit.standing == UnitStatus::Done));
    let failures: Vec<String> = completeness.failures().map(|(unit, error)| format!("{unit}: {error}")).collect();
    assert_eq!(failures, ["a: a (shelf): timed out: not today"]);
}

#[test]
fn a_failure_keeps_the_typed_error_until_it_is_stored() {
    let shelf = Shelf::flat(4).failing("account@1", ErrorKind::RateLimited);
    let (_, end) = now(rest(&mut keymux(&[("a", &shelf)]).inventory().stream().unwrap()));
    let completeness = end.unwrap().completeness;
    let kind = |completeness: &Completeness| {
        completeness.failures().map(|(_, failure)| failure.error().map(Error::kind)).collect::<Vec<_>>()
    };
    assert_eq!(kind(&completeness), [Some(ErrorKind::RateLimited)]);
    let json = serde_json::to_value(&completeness).unwrap();
    assert_eq!(json["accounts"]["a"]["units"][0]["error"]["kind"], "rate_limited");
    let back: Completeness = serde_json::from_value(json).unwrap();
    assert_eq!((&back, kind(&back)), (&completeness, vec![None]));
    assert_eq!(back.to_string(), completeness.to_string());
}

#[test]
fn a_slow_account_delays_no_other_even_where_it_takes_all_places() {
    let slow = ["g1@0", "g2@0", "g3@0"]
        .iter()
        .fold(Shelf::new(&[("g1", 1), ("g2", 1), ("g3", 1)]), |shelf, page| shelf.hanging(page));
    let (well, deaf) = (Shelf::new(&[("g1", 7), ("g2", 5)]), Shelf::flat(4).hanging("account@0"));
    let accounts = [("a-slow", &slow), ("deaf", &deaf), ("well", &well)];
    for in_all in [1, 2, 3, 32] {
        let mut stream = keymux(&accounts).inventory().with_total_concurrency(at_most(in_all)).stream().unwrap();
        assert_eq!(ready(&mut stream), all(&[("well", &well)]), "{in_all}");
        let told: Vec<String> = stream.progress().iter().map(ToString::to_string).collect();
        assert_eq!(told[1..], ["deaf: walking, 0 keys, 0 of 1 scopes done", "well: done, 12 keys, 2 of 2 scopes done"]);
        assert_eq!(state(&stream.completeness(), "a-slow"), AccountState::Unfinished);
    }
}

#[test]
fn scopes_of_one_account_run_side_by_side_up_to_the_bound() {
    let scopes: Vec<(String, usize)> = (0..9).map(|number| (format!("g{number}"), 2)).collect();
    let scopes: Vec<(&str, usize)> = scopes.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    for (account, in_all, most) in [(1, 32, 1), (4, 32, 4), (4, 2, 2), (3, 9, 3)] {
        let shelf = Shelf::new(&scopes);
        let accounts = [("a", &shelf)];
        let builder =
            keymux(&accounts).inventory().with_concurrency(at_most(account)).with_total_concurrency(at_most(in_all));
        let (keys, _) = now(rest(&mut builder.stream().unwrap()));
        assert_eq!(keys, all(&accounts));
        // The list of scopes is beside them.
        assert!((most..=most + 1).contains(&shelf.most()), "{account} of {in_all}: {}", shelf.most());
    }
}

#[test]
fn no_page_is_fetched_before_the_one_before_it_is_used_up() {
    let shelf = Shelf::new(&[("g1", 30), ("g2", 30), ("g3", 30), ("g4", 30), ("g5", 30), ("g6", 30), ("g7", 30)]);
    let mut stream = keymux(&[("a", &shelf)]).inventory().with_concurrency(at_most(2)).stream().unwrap();
    now(stream.next()).unwrap().unwrap();
    for _ in 0..100 {
        // Requests that are under way come to their ends.
        let _ = now(async { stream.next().now_or_never() });
        if stream.progress()[0].records >= 2 {
            break;
        }
    }
    assert!(stream.progress()[0].pages <= 2, "a page for each scope that is walked: {:?}", shelf.asked());
    assert!(shelf.asked().iter().filter(|page| page.starts_with("scopes")).count() <= 2, "{:?}", shelf.asked());
    while stream.progress()[0].records < 100 {
        now(stream.next()).unwrap().unwrap();
        let progress = &stream.progress()[0];
        let in_hand = progress.pages * PAGE as u64 - progress.records;
        assert!(in_hand <= 2 * PAGE as u64, "{in_hand} keys in hand");
    }
}

#[test]
fn dropping_the_stream_ends_every_call() {
    let (a, b) = (Shelf::new(&[("g1", 9), ("g2", 9)]).hanging("g2@0"), Shelf::flat(5).hanging("account@0"));
    let mut stream = keymux(&[("a", &a), ("b", &b)]).inventory().stream().unwrap();
    assert_eq!((a.running(), b.running()), (0, 0), "nothing is sent before it is polled");
    now(stream.next()).unwrap().unwrap();
    assert!(a.running() + b.running() > 0);
    let asked = (a.asked(), b.asked());
    drop(stream);
    assert_eq!((a.running(), b.running()), (0, 0));
    assert_eq!((a.asked(), b.asked()), asked, "and nothing more is sent");
}

#[test]
fn dropping_the_future_of_one_key_loses_nothing() {
    let shelf = Shelf::new(&[("g1", 7), ("g2", 5)]);
    let accounts = [("a", &shelf)];
    let mut stream = keymux(&accounts).inventory().stream().unwrap();
    assert_eq!(ready(&mut stream), all(&accounts));
}

#[test]
fn what_is_left_out_by_request_is_told_and_is_not_complete() {
    let (a, b) = (Shelf::new(&[("g1", 2), ("g2", 2)]), Shelf::flat(2));
    let keymux = keymux(&[("a", &a), ("b", &b)]);
    #[rustfmt::skip]
    let table = [
        ("skip",     keymux.inventory().skip(name("b")),                   4, AccountState::Done,       AccountState::Skipped),
        ("accounts", keymux.inventory().accounts([name("b")]),             2, AccountState::Skipped,    AccountState::Done),
        ("none",     keymux.inventory().accounts([]),                      0, AccountState::Skipped,    AccountState::Skipped),
        ("only",     keymux.inventory().only([unit("a:g1"), unit("b")]),   4, AccountState::Unfinished, AccountState::Done),
        ("only one", keymux.inventory().only([unit("a:g2")]),              2, AccountState::Unfinished, AccountState::Skipped),
        ("except",   keymux.inventory().except([unit("a:g2")]),            4, AccountState::Unfinished, AccountState::Done),
        ("gone",     keymux.inventory().only([unit("a:gone"), unit("b")]), 2, AccountState::Failed,     AccountState::Done),
    ];
    for (case, builder, records, of_a, of_b) in table {
        let incomplete = now(builder.stream().unwrap().collect()).unwrap_err();
        let completeness = &incomplete.completeness;
        assert_eq!(
            (incomplete.records.len(), state(completeness, "a"), state(completeness, "b")),
            (records, of_a, of_b),
            "{case}"
        );
    }
}

#[test]
fn a_choice_that_cannot_be_is_refused_before_anything_is_sent() {
    let shelf = Shelf::flat(3);
    let keymux = keymux(&[("a", &shelf)]);
    let refused = [
        keymux.inventory().skip(name("nobody")),
        keymux.inventory().accounts([name("nobody")]),
        keymux.inventory().only([unit("nobody:g")]),
        keymux.inventory().except([unit("nobody")]),
        Keymux::builder().build().unwrap().inventory(),
    ];
    for builder in refused {
        let error = builder.stream().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("account"), "{error}");
    }
    assert_eq!(shelf.asked(), Vec::<String>::new());
}

#[test]
fn a_vendor_of_look_ups_alone_is_told_as_unsupported_with_what_to_do() {
    let keymux = Keymux::builder().with_account("acme", Acme::new()).build().unwrap();
    let incomplete = now(keymux.inventory().stream().unwrap().collect()).unwrap_err();
    let account = incomplete.completeness.account(&name("acme")).unwrap();
    assert_eq!(account.state(), AccountState::Unsupported);
    assert!(matches!(account.scopes(), PartResult::Unsupported { alternative } if !alternative.is_empty()));
    assert!(incomplete.completeness.to_string().contains("acme: cannot list: "), "{}", incomplete.completeness);
}

#[test]
fn the_table_shows_each_account_what_failed_and_the_sum() {
    let a = Shelf::new(&[("g1", 4), ("g2", 1)]).failing("g1@1", ErrorKind::RateLimited);
    let (b, c) = (Shelf::flat(2).narrower("own keys alone"), Shelf::of(BTreeMap::new(), []));
    let mut stream = keymux(&[("prod", &a), ("b", &b), ("c", &c)]).inventory().stream().unwrap();
    now(rest(&mut stream));
    assert_eq!(
        stream.completeness().to_string(),
        "account  vendor       keys       scopes  outcome\n\
         b        shelf           2          1/1  narrower\n\
         c        shelf           0            -  unsupported\n\
         prod     shelf           4          1/2  failed\n\
         b: narrower: own keys alone\n\
         c: cannot list: the vendor documents nothing in its place\n\
         prod:g1: broke off after 3 keys: prod (shelf): rate limited: not today\n\
         6 keys, not complete"
    );
}

#[test]
fn an_inventory_goes_to_other_threads() {
    fn is_sent<T: Send + 'static>(_: &T) {}
    fn future_is_sent<T: Send>(_: &T) {}
    let mut stream = keymux(&[("a", &Shelf::flat(1))]).inventory().stream().unwrap();
    is_sent(&stream);
    is_sent(&stream.checkpoint());
    is_sent(&stream.completeness());
    future_is_sent(&stream.next());
}

#[tokio::test]
async fn behind_a_vendor_that_does_not_answer_the_scopes_that_wait_fail_with_those_that_were_asked() {
    let names: Vec<String> = (0..40).map(|number| format!("g{number:02}")).collect();
    let scopes: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let dead = |kind, count: usize| {
        names.iter().take(count).fold(Shelf::new(&scopes), |shelf, name| shelf.failing(&format!("{name}@0"), kind))
    };
    for kind in [ErrorKind::Connect, ErrorKind::Timeout, ErrorKind::Transport, ErrorKind::RateLimited] {
        let shelf = dead(kind, 40);
        let keymux = Keymux::builder().with_account("shelf", shelf.clone()).build().unwrap();
        let incomplete = keymux.inventory().with_concurrency(ONE).stream().unwrap().collect().await.unwrap_err();
        let asked = shelf.asked().iter().filter(|page| page.starts_with('g')).count();
        assert_eq!(asked, 3, "{kind:?}");
        let failures: Vec<_> = incomplete.completeness.failures().collect();
        assert!(failures.len() >= 3, "{kind:?}");
        for (unit, failure) in &failures {
            let error = failure.error().unwrap();
            assert!(error.kind() == kind && error.message().unwrap().contains("not today"), "{unit}: {error}");
        }
        // What was not asked is asked when the inventory goes on.
        assert!(!incomplete.completeness.is_complete());
    }
    // What is about one scope, and what passes between, is no sign of it.
    for (kind, count) in [(ErrorKind::Server, 40), (ErrorKind::PermissionDenied, 40), (ErrorKind::Timeout, 2)] {
        let shelf = dead(kind, count);
        let keymux = Keymux::builder().with_account("shelf", shelf.clone()).build().unwrap();
        let incomplete = keymux.inventory().with_concurrency(ONE).stream().unwrap().collect().await.unwrap_err();
        assert_eq!(incomplete.completeness.failures().count(), count, "{kind:?}");
        assert_eq!(incomplete.records.len(), 40 - count);
    }
}

/// One scope after the other.
const ONE: NonZeroUsize = NonZeroUsize::MIN;
