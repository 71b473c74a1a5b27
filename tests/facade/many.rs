//! Many look-ups at once: every reference has its outcome, and none waits for what it need not.

use std::collections::BTreeMap;
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keymux::{
    ApiKeyProvider, Error, ErrorKind, KeyAddress, KeyKind, KeyRecord, KeyRef, Keymux, Outcome, ProviderId, ProviderInfo,
};
use tokio::sync::Semaphore;

use super::{Acme, key, ready};

/// A vendor whose every look-up waits until the test lets it go, and that counts them.
#[derive(Debug, Clone)]
struct Gate {
    info: ProviderInfo,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    limiter: Semaphore,
    started: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    order: Mutex<Vec<String>>,
}

impl Gate {
    fn new() -> Self {
        let state = State {
            limiter: Semaphore::new(0),
            started: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            order: Mutex::default(),
        };
        Self { info: ProviderInfo::new(ProviderId::new("limiter"), "Gate", ["id"]), state: Arc::new(state) }
    }

    /// Lets this many look-ups go.
    fn open(&self, lookups: usize) {
        self.state.limiter.add_permits(lookups);
    }

    fn started(&self) -> usize {
        self.state.started.load(Ordering::SeqCst)
    }

    fn running(&self) -> usize {
        self.state.running.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

/// Counts a look-up as running until its future is done or dropped.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ApiKeyProvider for Gate {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let state = &self.state;
        state.started.fetch_add(1, Ordering::SeqCst);
        state.order.lock().unwrap().push(address.to_string());
        state.most.fetch_max(state.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _running = Running(Arc::clone(state));
        match address.segments().next().unwrap() {
            "never" => pending().await,
            "at-once" => {}
            _ => state.limiter.acquire().await.unwrap().forget(),
        }
        Ok(KeyRecord::new(&self.info, address.clone(), KeyKind::API_KEY))
    }
}

fn keys(account: &str, count: usize) -> Vec<KeyRef> {
    (0..count).map(|number| key(&format!("{account}:k{number}"))).collect()
}

fn with_concurrency(accounts: &[(&str, &Gate)], lookups: usize) -> Keymux {
    let mut builder = Keymux::builder().with_concurrency(NonZeroUsize::new(lookups).unwrap());
    for (name, limiter) in accounts {
        builder = builder.with_account(*name, Gate::clone(limiter));
    }
    builder.build().unwrap()
}

#[test]
fn every_reference_has_one_outcome_duplicates_and_unknown_accounts_too() {
    let keymux = Keymux::builder().with_account("a", Acme::new()).with_account("b", Acme::new()).build().unwrap();
    let asked = ["a:1", "a:1", "b:1", "a:gone", "nobody:1", "a:1", "nobody:1", "other:2", "b:gone", "b:elsewhere"];
    let outcomes = ready(&mut keymux.get_many(asked.map(key)));
    let mut seen: Vec<String> = outcomes.iter().map(|outcome| outcome.key.to_string()).collect();
    let mut expected = asked.map(str::to_owned);
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    for Outcome { key, result, .. } in outcomes {
        let expected = match key.to_string().as_str() {
            "a:1" | "b:1" => None,
            "a:gone" | "b:gone" => Some(ErrorKind::NotFound),
            "b:elsewhere" => Some(ErrorKind::Server),
            _ => Some(ErrorKind::Config),
        };
        assert_eq!(result.as_ref().err().map(Error::kind), expected, "{key}");
        match result {
            Ok(record) => assert_eq!(record.key_ref(), key),
            Err(error) => assert_eq!(error.account(), Some(key.account())),
        }
    }
}

#[test]
fn an_unknown_account_among_many_lists_the_known() {
    let keymux = Keymux::builder().with_account("known", Acme::new()).build().unwrap();
    let outcomes = ready(&mut keymux.get_many([key("unknown:1")]));
    let error = outcomes.into_iter().next().unwrap().result.unwrap_err();
    assert!(error.to_string().contains("`unknown`") && error.to_string().contains("known"), "{error}");
    assert_eq!(error.to_string(), super::now(keymux.get(&key("unknown:1"))).unwrap_err().to_string());
}

#[test]
fn no_reference_has_no_outcome() {
    let keymux = Keymux::builder().build().unwrap();
    let mut outcomes = keymux.get_many([]);
    assert!(super::now(outcomes.next()).is_none());
    assert!(super::now(outcomes.next()).is_none(), "a stream that ended stays ended");
}

#[test]
fn as_many_look_ups_of_an_account_run_at_once_as_allowed_and_never_more() {
    for allowed in [1, 2, 8, 50] {
        let limiter = Gate::new();
        let keymux = with_concurrency(&[("a", &limiter)], allowed);
        let mut outcomes = keymux.get_many(keys("a", 30));
        let mut done = 0;
        loop {
            done += ready(&mut outcomes).len();
            assert_eq!(limiter.running(), allowed.min(30 - done), "as many as allowed, while there are any");
            if done == 30 {
                break;
            }
            limiter.open(1);
        }
        assert_eq!((limiter.most(), limiter.started()), (allowed.min(30), 30));
    }
}

#[test]
fn eight_look_ups_of_an_account_run_at_once_by_default() {
    let limiter = Gate::new();
    let keymux = Keymux::builder().with_account("a", limiter.clone()).build().unwrap();
    let mut outcomes = keymux.get_many(keys("a", 30));
    assert!(ready(&mut outcomes).is_empty());
    assert_eq!(limiter.running(), 8);
}

#[test]
fn the_bound_is_for_each_account_even_at_one_provider() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter), ("b", &limiter)], 3);
    let mut outcomes = keymux.get_many([keys("a", 10), keys("b", 10)].concat());
    assert!(ready(&mut outcomes).is_empty());
    assert_eq!(limiter.running(), 6);
    limiter.open(20);
    assert_eq!(ready(&mut outcomes).len(), 20);
    assert_eq!(limiter.most(), 6);
}

#[test]
fn the_look_ups_of_an_account_start_in_the_order_they_were_given() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter)], 2);
    limiter.open(10);
    assert_eq!(ready(&mut keymux.get_many(keys("a", 10))).len(), 10);
    let expected: Vec<String> = (0..10).map(|number| format!("k{number}")).collect();
    assert_eq!(*limiter.state.order.lock().unwrap(), expected);
}

#[test]
fn an_account_that_hangs_delays_no_other() {
    let (hung, fine) = (Gate::new(), Gate::new());
    let keymux = with_concurrency(&[("a-hung", &hung), ("b-fine", &fine)], 2);
    let asked = (0..20).flat_map(|_| [key("a-hung:never"), key("b-fine:at-once"), key("c-unknown:1")]);
    let mut outcomes = keymux.get_many(asked);
    let seen = ready(&mut outcomes);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &seen {
        *counts.entry(outcome.key.account().as_str()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([("b-fine", 20), ("c-unknown", 20)]));
    assert_eq!((hung.running(), fine.running()), (2, 0));
}

#[test]
fn outcomes_come_as_they_finish_not_as_they_were_asked() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter)], 3);
    let mut outcomes = keymux.get_many(["a:never", "a:slow", "a:at-once"].map(key));
    let address = |seen: Vec<Outcome>| seen.iter().map(|outcome| outcome.key.to_string()).collect::<Vec<_>>();
    assert_eq!(address(ready(&mut outcomes)), ["a:at-once"]);
    limiter.open(1);
    assert_eq!(address(ready(&mut outcomes)), ["a:slow"]);
    assert_eq!(limiter.running(), 1);
}

#[test]
fn nothing_runs_before_the_stream_is_polled() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter)], 3);
    let outcomes = keymux.get_many(keys("a", 10));
    assert_eq!(limiter.started(), 0);
    drop(outcomes);
    assert_eq!(limiter.started(), 0);
}

#[test]
fn dropping_the_stream_ends_what_is_under_way_and_starts_nothing_more() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter)], 3);
    let mut outcomes = keymux.get_many(keys("a", 10));
    limiter.open(1);
    assert_eq!(ready(&mut outcomes).len(), 1);
    assert_eq!((limiter.running(), limiter.started()), (3, 4));
    drop(outcomes);
    limiter.open(10);
    assert_eq!((limiter.running(), limiter.started()), (0, 4));
}

#[test]
fn the_stream_outlives_the_facade_it_came_from() {
    let limiter = Gate::new();
    let mut outcomes = with_concurrency(&[("a", &limiter)], 3).get_many(keys("a", 5));
    limiter.open(5);
    assert_eq!(ready(&mut outcomes).len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_look_ups_run_on_a_runtime_with_several_threads() {
    let limiter = Gate::new();
    let keymux = with_concurrency(&[("a", &limiter), ("b", &limiter)], 4);
    limiter.open(200);
    let outcomes = tokio::spawn(async move {
        let mut outcomes = keymux.get_many([keys("a", 100), keys("b", 100)].concat());
        let mut count = 0;
        while let Some(outcome) = outcomes.next().await {
            outcome.result.unwrap();
            count += 1;
        }
        count
    });
    assert_eq!(outcomes.await.unwrap(), 200);
    assert!(limiter.most() <= 8);
}

#[test]
fn printing_the_stream_tells_how_many_accounts_are_not_done() {
    let keymux = Keymux::builder().with_account("a", Acme::new()).build().unwrap();
    let mut outcomes = keymux.get_many(["a:1", "b:1"].map(key));
    assert_eq!(format!("{outcomes:?}"), "Outcomes { accounts: 2, .. }");
    assert_eq!(ready(&mut outcomes).len(), 2);
    assert_eq!(format!("{outcomes:?}"), "Outcomes { accounts: 0, .. }");
}
