//! Limits as the emulator keeps them: exact ones, on its own clock. Only counts and that clock are looked at.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use keymux::{
    AccountState, Admission, ApiKeyProvider, AttemptEvent, ClientOptions, Error, Feedback, InventoryStream, KeyAddress,
    KeyRef, Keymux, Observer, Operation, Permit, PermitRequest, RateLimit, RateLimiter, RateLimiterState, RetryPolicy,
    Scope, Support, mielto,
};
use keymux_emulator::{DelayForm, Emulator, Fault, FaultRule, Vendor};
use tokio::task::JoinSet;

use super::clock::Stage;

/// An account at each vendor, named after it.
pub(super) fn five(emulator: &Emulator, options: &ClientOptions) -> Keymux {
    let variables: HashMap<String, String> = emulator.variables().into_iter().collect();
    let variable = |name: &str| variables.get(name).map(OsString::from);
    Keymux::builder().with_variables(&variable, options).unwrap().build().unwrap()
}

fn vendor<'a>(emulator: &'a Emulator, name: &str) -> &'a Vendor {
    emulator.vendors().into_iter().find(|vendor| vendor.name() == name).unwrap()
}

/// The first generated keys of a vendor.
pub(super) fn generated(account: &str, vendor: &Vendor, keys: usize) -> Vec<KeyRef> {
    let address = |index| KeyAddress::new(vendor.generated(index).unwrap()).unwrap();
    (0..keys).map(|index| KeyRef::new(account.parse().unwrap(), address(index))).collect()
}

/// Looks keys up from as many tasks as told, and gives back what failed.
async fn look_up(keymux: Keymux, keys: Vec<KeyRef>, tasks: usize) -> Vec<Error> {
    let (keys, next): (Arc<[KeyRef]>, _) = (keys.into(), Arc::<AtomicUsize>::default());
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let (keymux, keys, next) = (keymux.clone(), Arc::clone(&keys), Arc::clone(&next));
        set.spawn(async move {
            let mut failed = Vec::new();
            while let Some(key) = keys.get(next.fetch_add(1, Ordering::SeqCst)) {
                failed.extend(keymux.get(key).await.err());
            }
            failed
        });
    }
    set.join_all().await.into_iter().flatten().collect()
}

/// Looks keys up at a vendor that allows `limit` requests a second: each once, in at most 110 % of the time that it takes
/// at the limit, with less than 1 % of the requests refused.
async fn look_up_at_a_limit(
    name: &str,
    limit: u32,
    keys: u32,
    tasks: usize,
    options: impl FnOnce(ClientOptions) -> ClientOptions,
) {
    let count = usize::try_from(keys).unwrap();
    let stage = Stage::with_keys(count).await;
    let vendor = vendor(&stage, name);
    vendor.limit(limit).unwrap();
    let keymux = five(&stage, &options(stage.options()));
    let failed = look_up(keymux, generated(name, vendor, count), tasks).await;
    let case = format!("{name}, {limit} a second, {keys} keys, {tasks} tasks");
    assert!(failed.is_empty(), "{case}: {} failed, first {:?}", failed.len(), failed.first());
    let (served, refused) = (vendor.served(), vendor.refusals());
    assert_eq!((served, served + refused), (u64::from(keys), vendor.request_count()), "{case}");
    assert!(refused * 100 < served + refused, "{case}: {refused} refused");
    let ideal = Duration::from_secs(keys.into()) / limit;
    assert!(stage.elapsed() <= ideal.mul_f64(1.10), "{case}: {:?} of {ideal:?}", stage.elapsed());
}

#[tokio::test]
async fn a_limit_that_is_declared_by_vendor_or_application_is_used_nearly_whole() {
    let set = |limit| move |options: ClientOptions| options.with_rate_limit(RateLimit::per_second(limit));
    look_up_at_a_limit("baseten", 10, 200, 64, set(10)).await;
    look_up_at_a_limit("oneloop", 100, 1000, 8, set(100)).await;
    look_up_at_a_limit("baseten", 1000, 3000, 256, set(1000)).await;
    // Its documented one, which the client knows.
    look_up_at_a_limit("baseten", 100, 1000, 256, |options| options).await;
}

#[tokio::test]
async fn a_limit_of_10_that_nobody_declared_is_found_and_used_nearly_whole() {
    // The one tells how long to wait, and the other does not.
    look_up_at_a_limit("braintrust", 10, 1000, 64, |options| options).await;
    look_up_at_a_limit("datkey", 10, 1000, 8, |options| options).await;
}

#[tokio::test]
async fn a_limit_of_100_that_nobody_declared_is_found_and_used_nearly_whole() {
    look_up_at_a_limit("mielto", 100, 3000, 256, |options| options).await;
}

#[tokio::test]
async fn a_limit_of_1000_that_nobody_declared_is_found_and_used_nearly_whole() {
    look_up_at_a_limit("oneloop", 1000, 5000, 32, |options| options).await;
}

#[tokio::test]
async fn refusals_without_a_time_lose_no_look_up_even_where_the_retry_budget_is_empty() {
    let stage = Stage::with_keys(500).await;
    let vendor = stage.oneloop();
    vendor.limit(100).unwrap();
    let options = stage.options().with_retry(RetryPolicy::default().with_budget(0, 0.0));
    let failed = look_up(five(&stage, &options), generated("oneloop", vendor, 500), 256).await;
    assert!(vendor.refusals() > 0);
    assert_eq!((failed.len(), vendor.served()), (0, 500));
}

/// Notes when attempts are made.
#[derive(Debug)]
struct Times(Stage, Mutex<Vec<Duration>>);

impl Times {
    fn new(stage: &Stage) -> Arc<Self> {
        Arc::new(Self(stage.clone(), Mutex::default()))
    }

    fn noted(&self) -> Vec<Duration> {
        self.1.lock().unwrap().clone()
    }
}

impl Observer for Times {
    fn on_attempt(&self, _: &AttemptEvent<'_>) {
        // The clock stood still since it began.
        self.1.lock().unwrap().push(self.0.elapsed());
    }
}

#[tokio::test]
async fn one_refusal_stops_all_tasks_of_its_account_for_the_time_told_and_no_other_account_of_the_vendor() {
    const STOP: Duration = Duration::from_secs(2);
    let stage = Stage::with_keys(200).await;
    let vendor = stage.mielto();
    vendor.accept_credential("another-credential");
    let once = FaultRule::new(Fault::rate_limited(DelayForm::Seconds, STOP)).nth(20);
    vendor.faults(once).unwrap();
    let (refused, other) = (Times::new(&stage), Times::new(&stage));
    let client = |credential: &str, times: &Arc<Times>| {
        let http = stage.options().with_observer(times.clone());
        mielto::Config::new(credential).with_base_url(vendor.base_url()).with_options(http).build().unwrap()
    };
    let builder = Keymux::builder().with_account("refused", client(vendor.credential(), &refused));
    let keymux = builder.with_account("other", client("another-credential", &other)).build().unwrap();
    let stop = |account: &str| {
        keymux.account(&account.parse().unwrap()).unwrap().rate_limiter_state(Operation::Get).stopped_for
    };

    let held = stage.hold();
    let stopped = tokio::spawn(look_up(keymux.clone(), generated("refused", vendor, 200), 64));
    while stop("refused").is_none() {
        tokio::task::yield_now().await;
    }
    // All within the stop.
    assert!(look_up(keymux.clone(), generated("other", vendor, 200), 64).await.is_empty());
    assert_eq!((stop("refused"), stop("other")), (Some(STOP), None));
    assert_eq!(other.noted(), [Duration::ZERO; 200]);
    let before = refused.noted().len();
    assert!((20..40).contains(&before), "what was on its way: {before}");

    drop(held);
    assert!(stopped.await.unwrap().is_empty());
    let times = refused.noted();
    assert_eq!(times.len(), 201);
    assert!(times[before..].iter().all(|at| *at >= STOP), "{times:?}");
    assert!(times[before..].iter().filter(|at| **at < STOP.mul_f64(1.1)).count() < 20, "nobody stampedes: {times:?}");
}

/// The lines of the accounts, once one of them tells a stop.
async fn throttled(stream: &mut InventoryStream) -> Vec<String> {
    loop {
        let _ = stream.next().now_or_never();
        let progress = stream.progress();
        if progress.iter().any(|account| account.throttled_for().is_some()) {
            return progress.iter().map(ToString::to_string).collect();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_account_that_waits_for_its_vendor_says_how_long_and_at_which_pace_it_goes_on() {
    let stage = Stage::with_keys(400).await;
    for (vendor, operation) in [(stage.braintrust(), "list_api_keys"), (stage.baseten(), "list_groups")] {
        let first = Fault::rate_limited(DelayForm::Own, Duration::from_secs(4));
        vendor.faults(FaultRule::new(first).on(operation).nth(1)).unwrap();
    }
    let keymux = five(&stage, &stage.options());
    for (account, pace, scopes) in [("baseten", ", at most ", "0+"), ("braintrust", "", "1")] {
        let held = stage.hold();
        let mut stream = keymux.inventory().accounts([account.parse().unwrap()]).stream().unwrap();
        let line = throttled(&mut stream).await.into_iter().find(|line| line.starts_with(account)).unwrap();
        let begin = format!("{account}: throttled, resumes in 4 s, 0 keys, 0 of {scopes} scopes done{pace}");
        assert!(line.starts_with(&begin), "{line}");
        stage.advance(Duration::from_millis(1500));
        let line = throttled(&mut stream).await.into_iter().find(|line| line.starts_with(account)).unwrap();
        assert!(line.contains("throttled, resumes in 3 s, "), "{line}");
        drop(held);
        while stream.next().await.is_some() {}
        let progress = stream.progress().into_iter().find(|progress| progress.account.as_str() == account).unwrap();
        assert!(matches!(progress.ended, Some(AccountState::Done | AccountState::Narrower)));
        assert_eq!((progress.throttled_for(), progress.limiter), (None, RateLimiterState::default()));
    }
}

/// Notes what it is asked for, and what it is asked about.
#[derive(Debug, Default)]
struct Asked {
    sent: Mutex<BTreeSet<&'static str>>,
    about: Mutex<BTreeSet<&'static str>>,
}

impl RateLimiter for Asked {
    fn admit<'a>(&'a self, request: &PermitRequest<'_>) -> Admission<'a> {
        self.sent.lock().unwrap().insert(request.operation);
        Admission::Go(Permit::default())
    }

    fn answered(&self, _: &PermitRequest<'_>, _: Permit, _: Feedback) {}

    fn state(&self, operation: &'static str) -> RateLimiterState {
        self.about.lock().unwrap().insert(operation);
        RateLimiterState::default()
    }
}

#[tokio::test]
async fn the_gate_is_asked_about_an_operation_by_the_vendors_own_name_of_it() {
    use Operation::{Get, ListPage, ScopesPage};
    let emulator = Emulator::start().await.unwrap();
    for vendor in emulator.vendors() {
        let limiter = Arc::new(Asked::default());
        let keymux = five(&emulator, &ClientOptions::new().with_rate_limiter(limiter.clone()));
        let account = keymux.account(&vendor.name().parse().unwrap()).unwrap();
        let capabilities = account.info().capabilities();
        let is_native = |operation: &Operation| matches!(capabilities.support(*operation), Support::Native);
        let address = KeyAddress::new(vendor.sample_address().iter().cloned()).unwrap();
        account.get(&address).await.unwrap();
        if is_native(&ListPage) {
            let scope = match account.scopes_page(None).await {
                Ok(page) => page.items[0].scope.clone(),
                Err(_) => Scope::account(),
            };
            account.list_page(&scope, None).await.unwrap();
        }
        let ask =
            |operation: &Operation| assert_eq!(account.rate_limiter_state(*operation), RateLimiterState::default());
        [Get, ListPage, ScopesPage].iter().filter(|op| is_native(op)).for_each(ask);
        assert_eq!(*limiter.about.lock().unwrap(), *limiter.sent.lock().unwrap(), "{}", vendor.name());

        Operation::ALL.iter().filter(|op| is_native(op)).for_each(ask);
        let about = limiter.about.lock().unwrap();
        assert_eq!(about.len(), Operation::ALL.iter().filter(|op| is_native(op)).count(), "{}", vendor.name());
        assert!(about.iter().all(|name| vendor.operations().contains(name)), "{}: {about:?}", vendor.name());
    }
}
