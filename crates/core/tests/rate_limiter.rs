//! How requests are paced: the whole pipeline over real sockets against a vendor with a limiter, on a clock that moves
//! when nothing else can happen. Only counts and that clock are looked at.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::limited::{IdleClock, Vendor, answer, ok, refused, unauthenticated};
use common::{OPERATION, call, ms, seconds};
use http::Method;
use keymux_core::{
    Admission, AttemptEvent, Call, ClientOptions, Clock, Error, ErrorKind, Feedback, Observer, Permit, PermitRequest,
    PermitWait, Pipeline, RateLimit, RateLimiter, RateLimiterError, RetryPolicy, WaitEvent, WaitReason,
};
use tokio::task::JoinSet;

fn patient() -> ClientOptions {
    let retry = RetryPolicy::default().with_max_attempts(1000);
    ClientOptions::new().with_total_timeout(Duration::from_secs(100_000)).with_retry(retry)
}

/// Makes `calls` calls from as many tasks as told, and gives back how they end.
async fn fan_out(client: &Pipeline, tasks: usize, calls: usize) -> Vec<Result<(), Error>> {
    let left = Arc::new(AtomicUsize::new(calls));
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let (client, left) = (client.clone(), Arc::clone(&left));
        set.spawn(async move {
            let mut outcomes = Vec::new();
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                outcomes.push(call(&client).await.map(drop));
            }
            outcomes
        });
    }
    set.join_all().await.into_iter().flatten().collect()
}

/// Notes every wait.
#[derive(Debug, Default)]
struct Waits(Mutex<Vec<(WaitReason, Option<Duration>)>>);

impl Observer for Waits {
    fn on_wait(&self, event: &WaitEvent<'_>) {
        assert_eq!(event.operation, OPERATION);
        self.0.lock().unwrap().push((event.reason, event.expected));
    }
}

// ---- The pace ----

#[tokio::test]
async fn a_declared_limit_is_used_whole_and_meets_no_refusal() {
    for (limit, calls, tasks) in [(10, 200, 64), (100, 1000, 8), (1000, 3000, 256)] {
        let clock = IdleClock::new();
        let vendor = Vendor::limited(&clock, usize::try_from(limit).unwrap()).await;
        let client = vendor.client(patient().with_rate_limit(RateLimit::per_second(limit)));
        assert!(fan_out(&client, tasks, calls).await.iter().all(Result::is_ok));
        let ideal = seconds(1) * u32::try_from(calls).unwrap() / limit;
        assert_eq!(vendor.refusals(), 0, "{limit} a second");
        assert!(clock.elapsed() <= ideal.mul_f64(1.10), "{limit} a second: {:?} of {ideal:?}", clock.elapsed());
    }
}

#[tokio::test]
async fn an_undeclared_limit_is_found_and_nearly_used_whole_with_few_refusals() {
    for (limit, calls, tasks) in [(10, 1000, 64), (100, 3000, 256), (1000, 10_000, 16)] {
        let clock = IdleClock::new();
        let vendor = Vendor::limited(&clock, limit).await;
        let client = vendor.client(patient());
        assert!(fan_out(&client, tasks, calls).await.iter().all(Result::is_ok));
        let ideal = seconds(1) * u32::try_from(calls / limit).unwrap();
        let (sent, refusals) = (vendor.count(), vendor.refusals());
        assert_eq!(sent, calls + refusals, "a refusal costs one request");
        assert!(refusals * 100 < sent, "{limit} a second: {refusals} of {sent} refused");
        assert!(clock.elapsed() <= ideal.mul_f64(1.10), "{limit} a second: {:?} of {ideal:?}", clock.elapsed());
    }
}

#[tokio::test]
async fn a_vendor_without_a_limit_makes_nobody_wait_for_the_clock() {
    let clock = IdleClock::new();
    let vendor = Vendor::start(&clock, |_, _, _| ok()).await;
    let client = vendor.client(patient());
    assert!(fan_out(&client, 64, 1000).await.iter().all(Result::is_ok));
    assert_eq!((vendor.count(), clock.elapsed()), (1000, ms(0)));
    assert_eq!(client.rate_limiter_state(OPERATION), keymux_core::RateLimiterState::default());
}

// ---- The stop ----

#[tokio::test]
async fn one_refusal_stops_all_tasks_of_its_account_for_the_time_told_and_no_other_account() {
    let clock = IdleClock::new();
    let once = |number, _: Duration, _: &str| if number == 20 { refused("Retry-After: 2") } else { ok() };
    let (vendor, other) = (Vendor::start(&clock, once).await, Vendor::start(&clock, |_, _, _| ok()).await);
    let (client, untouched) = (vendor.client(patient()), other.client(patient()));
    assert!(fan_out(&client, 64, 200).await.iter().all(Result::is_ok));
    let times = vendor.times();
    let before = times.iter().filter(|at| at.is_zero()).count();
    assert!((21..40).contains(&before), "what was in flight: {before}");
    assert!(times.iter().skip(before).all(|at| *at >= seconds(2)), "{times:?}");
    assert!(times.iter().filter(|at| **at < ms(2200)).count() < before + 20, "nobody stampedes: {times:?}");

    assert_eq!(client.rate_limiter_state(OPERATION).stopped_for, None);
    let stopped = clock.elapsed();
    assert!(fan_out(&untouched, 64, 200).await.iter().all(Result::is_ok));
    assert_eq!(clock.elapsed(), stopped, "the other account waits for nothing");
}

#[tokio::test]
async fn a_stop_holds_for_all_operations_and_is_seen() {
    let clock = IdleClock::new();
    let first = |number, _: Duration, _: &str| if number == 0 { refused("Retry-After: 2") } else { ok() };
    let vendor = Vendor::start(&clock, first).await;
    let waits = Arc::new(Waits::default());
    let once = patient().with_retry(RetryPolicy::never()).with_observer(waits.clone());
    let client = vendor.client(once);
    client.send(Call::get("list_keys", &["keys"])).await.unwrap_err();
    let state = client.rate_limiter_state(OPERATION);
    assert_eq!((state.stopped_for, state.waiting), (Some(seconds(2)), 0));
    call(&client).await.unwrap();
    assert_eq!(vendor.times(), [seconds(0), seconds(2)]);
    assert_eq!(*waits.0.lock().unwrap(), [(WaitReason::Stopped, Some(seconds(2)))]);
}

#[tokio::test]
async fn a_503_stops_its_account_if_it_tells_a_time_and_leaves_the_pace_alone() {
    let table = [
        // the status, the header, when the next call leaves
        ("503 Service Unavailable", "Retry-After: 2", 2),
        ("503 Service Unavailable", "", 0),
        ("500 Internal Server Error", "Retry-After: 2", 0),
    ];
    for (status, header, next) in table {
        let clock = IdleClock::new();
        let first = move |number, _: Duration, _: &str| if number == 20 { answer(status, header, "") } else { ok() };
        let vendor = Vendor::start(&clock, first).await;
        let client = vendor.client(patient().with_retry(RetryPolicy::never()));
        let outcomes = fan_out(&client, 1, 22).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
        assert_eq!(vendor.times().last(), Some(&seconds(next)), "{status} {header}");
        assert_eq!(client.rate_limiter_state(OPERATION).per_second, None, "it taught no limit");
    }
}

#[tokio::test]
async fn a_call_whose_turn_comes_too_late_ends_at_once_and_is_not_sent() {
    let table = [
        // how long the stop is, the time for the call, whether it waits
        ("10", seconds(11), true),
        ("10", seconds(10), false),
    ];
    for (told, total, waits) in table {
        let clock = IdleClock::new();
        let header = format!("Retry-After: {told}");
        let first = move |number, _: Duration, _: &str| if number == 0 { refused(&header) } else { ok() };
        let vendor = Vendor::start(&clock, first).await;
        let options = ClientOptions::new().with_total_timeout(total).with_retry(RetryPolicy::never());
        let client = vendor.client(options);
        call(&client).await.unwrap_err();
        let outcome = call(&client).await;
        assert_eq!((outcome.is_ok(), vendor.count()), (waits, if waits { 2 } else { 1 }), "{told} s of {total:?}");
        if let Err(error) = outcome {
            assert_eq!((error.kind(), error.attempts(), clock.elapsed()), (ErrorKind::RateLimited, 0, ms(0)));
            assert_eq!(error.retry_after(), Some(seconds(told.parse().unwrap())));
            assert!(error.is_retryable() && !error.may_have_executed());
        }
    }
}

#[tokio::test]
async fn one_long_stop_is_not_taken_for_the_whole_account_and_three_in_a_row_are() {
    let clock = IdleClock::new();
    let passes = |number| number == 1;
    let first = move |number, _: Duration, _: &str| if passes(number) { ok() } else { refused("Retry-After: 3600") };
    let vendor = Vendor::start(&clock, first).await;
    let client = vendor.client(ClientOptions::new().with_total_timeout(seconds(1000)).with_retry(RetryPolicy::never()));
    let mut sent = Vec::new();
    for _ in 0..6 {
        let error = call(&client).await.err();
        sent.push((error.is_some(), error.map_or(1, |error| error.attempts())));
    }
    // What passed between two of them begins the count anew.
    assert_eq!(sent, [(true, 1), (false, 1), (true, 1), (true, 1), (true, 1), (true, 0)]);
    assert!(clock.elapsed() < seconds(10), "{:?}", clock.elapsed());
    let error = call(&client).await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait > seconds(3500)), "{error}");
}

#[tokio::test]
async fn waiting_calls_go_first_come_first_served_and_dropped_ones_leave_no_gap() {
    let clock = IdleClock::new();
    let vendor = Vendor::start(&clock, |_, _, _| ok()).await;
    // 96 % of 125 in 12 s: one each 100 ms.
    let client = vendor.client(patient().with_rate_limit(RateLimit::new(125, seconds(12))));
    call(&client).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for number in 0..10 {
        let (client, order) = (client.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            call(&client).await.unwrap();
            order.lock().unwrap().push(number);
        }));
    }
    tokio::task::yield_now().await;
    assert_eq!(client.rate_limiter_state(OPERATION).waiting, 10);
    for dropped in [0, 3, 4] {
        calls[dropped].abort();
    }
    for call in calls {
        let _ = call.await;
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 5, 6, 7, 8, 9]);
    let state = client.rate_limiter_state(OPERATION);
    assert_eq!((state.waiting, state.in_flight), (0, 0));
    assert_eq!(vendor.count(), 8);
    let last = vendor.times().pop().unwrap();
    assert!(last <= ms(701), "no permit is lost: {:?}", vendor.times());
}

// ---- A credential that is refused ----

#[tokio::test]
async fn after_the_first_401_nothing_is_sent_and_all_calls_end_with_the_same_error() {
    for declared in [None, Some(RateLimit::per_second(100))] {
        let clock = IdleClock::new();
        let vendor = Vendor::start(&clock, |_, _, _| unauthenticated()).await;
        let options = declared.map_or(patient(), |limit| patient().with_rate_limit(limit));
        let client = vendor.client(options);
        let outcomes = fan_out(&client, 64, 200).await;
        assert_eq!((vendor.count(), clock.elapsed()), (1, ms(0)), "one request tells");
        let errors: Vec<_> = outcomes.into_iter().map(Result::unwrap_err).collect();
        assert_eq!(errors.iter().filter(|error| error.attempts() == 1).count(), 1);
        for error in errors {
            assert_eq!(
                (error.kind(), error.status(), error.code()),
                (ErrorKind::Unauthenticated, Some(401), Some("BAD_TOKEN"))
            );
            assert!(error.message().unwrap().starts_with("who are you"));
            assert_eq!(error.attempts() == 0, error.message().unwrap().contains("not sent"));
        }
        assert!(call(&vendor.client(patient())).await.is_err_and(|error| error.attempts() == 1), "another client asks");
    }
}

#[tokio::test]
async fn a_refused_credential_is_tried_again_after_a_while_by_one_call() {
    let clock = IdleClock::new();
    let vendor = Vendor::start(&clock, |number, _, _| if number < 2 { unauthenticated() } else { ok() }).await;
    let client = vendor.client(patient());
    for (wait, sent) in [(0, 1), (59, 1), (1, 2), (59, 2)] {
        clock.sleep(seconds(wait)).await;
        call(&client).await.unwrap_err();
        assert_eq!(vendor.count(), sent, "{:?}", clock.elapsed());
    }
    clock.sleep(seconds(1)).await;
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(vendor.count(), 4);
}

#[tokio::test]
async fn neither_a_403_nor_a_refused_verification_holds_a_credential_back() {
    let clock = IdleClock::new();
    let forbidden = || answer("403 Forbidden", "", "");
    let vendor =
        Vendor::start(&clock, move |_, _, line| if line.starts_with("POST") { unauthenticated() } else { forbidden() })
            .await;
    let client = vendor.client(patient());
    for _ in 0..2 {
        assert_eq!(call(&client).await.unwrap_err().attempts(), 1);
        let verify = Call::new("verify", Method::POST, &["verify"]).counting_use();
        assert_eq!(client.send(verify).await.unwrap_err().attempts(), 1);
    }
    assert_eq!(vendor.count(), 4);
}

// ---- Unknown keys ----

#[tokio::test]
async fn an_unknown_key_is_remembered_for_the_time_set_and_until_something_is_made() {
    let clock = IdleClock::new();
    let missing =
        |_, _: Duration, line: &str| if line.starts_with("GET") { answer("404 Not Found", "", "") } else { ok() };
    let vendor = Vendor::start(&clock, missing).await;
    let off = vendor.client(patient());
    for sent in [1, 2] {
        call(&off).await.unwrap_err();
        assert_eq!(vendor.count(), sent, "off by default");
    }

    let client = vendor.client(patient().with_unknown_keys_remembered(seconds(5)));
    let verify = || Call::new("verify", Method::POST, &["verify"]).counting_use();
    let create = || Call::new("create", Method::POST, &["keys"]).making_key("look");
    for (wait, made, sent) in
        [(0, None, 3), (0, None, 3), (4, Some(verify()), 4), (1, None, 5), (0, Some(create()), 6), (0, None, 7)]
    {
        clock.sleep(seconds(wait)).await;
        let error = call(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
        if let Some(made) = made {
            client.send(made).await.unwrap();
        }
        assert_eq!(vendor.count(), sent, "{:?}", clock.elapsed());
    }
    client.send(Call::get(OPERATION, &["keys", "b"])).await.unwrap_err();
    assert_eq!(vendor.count(), 8, "another key");
}

// ---- A rate limiter of one's own ----

/// Lets every other request wait, and works until it is broken.
#[derive(Debug, Default)]
struct Shared {
    broken: bool,
    answers: Mutex<Vec<(u64, Feedback)>>,
    asked: AtomicUsize,
}

impl RateLimiter for Shared {
    fn admit<'a>(&'a self, request: &PermitRequest<'_>) -> Admission<'a> {
        assert_eq!(request.operation, OPERATION);
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        if self.broken {
            let permit = Box::pin(async { Err(RateLimiterError::Unavailable("no connection to the store".into())) });
            return Admission::Wait(PermitWait { reason: WaitReason::Paced, expected: None, permit });
        }
        Admission::Go(Permit(number as u64))
    }

    fn answered(&self, _: &PermitRequest<'_>, permit: Permit, answer: Feedback) {
        self.answers.lock().unwrap().push((permit.0, answer));
    }

    fn fair_share(&self) -> f64 {
        0.25
    }
}

#[tokio::test]
async fn an_own_gate_is_asked_before_each_attempt_and_told_after_each_answer() {
    let clock = IdleClock::new();
    let first = |number, _: Duration, _: &str| if number == 0 { refused("Retry-After: 2") } else { ok() };
    let vendor = Vendor::start(&clock, first).await;
    let limiter = Arc::new(Shared::default());
    call(&vendor.client(patient().with_rate_limiter(limiter.clone()))).await.unwrap();
    let refused = Feedback::Refused { retry_after: Some(seconds(2)) };
    assert_eq!(*limiter.answers.lock().unwrap(), [(0, refused), (1, Feedback::Passed)]);
}

/// Notes what it is asked for.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<String>>);

impl RateLimiter for Asked {
    fn admit<'a>(&'a self, request: &PermitRequest<'_>) -> Admission<'a> {
        let PermitRequest { provider, origin, account, operation, attempt, .. } = request;
        self.0.lock().unwrap().push(format!("{provider} {origin} {account:?} {operation} {attempt}"));
        Admission::Go(Permit(0))
    }

    fn answered(&self, _: &PermitRequest<'_>, _: Permit, _: Feedback) {}
}

/// The account of each attempt.
#[derive(Debug, Default)]
struct Accounts(Mutex<Vec<Option<String>>>);

impl Observer for Accounts {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        self.0.lock().unwrap().push(event.account.map(ToString::to_string));
    }
}

#[tokio::test]
async fn an_own_gate_and_an_observer_tell_the_accounts_apart_that_share_them() {
    let clock = IdleClock::new();
    let first = |number, _: Duration, _: &str| if number == 0 { refused("Retry-After: 2") } else { ok() };
    let vendor = Vendor::start(&clock, first).await;
    let (limiter, observer) = (Arc::new(Asked::default()), Arc::new(Accounts::default()));
    for name in [None, Some("main")] {
        let mut options = patient().with_rate_limiter(limiter.clone()).with_observer(observer.clone());
        if let Some(name) = name {
            options = options.with_account_name(name.parse().unwrap());
        }
        call(&vendor.client(options)).await.unwrap();
    }
    assert_eq!(*observer.0.lock().unwrap(), [None, None, Some("main".to_owned())]);
    let asked = limiter.0.lock().unwrap().clone();
    let ends = ["None get_key 1", "None get_key 2", "Some(AccountName(\"main\")) get_key 1"];
    assert_eq!(asked.len(), ends.len());
    for (asked, end) in asked.iter().zip(ends) {
        assert!(asked.starts_with("acme http://127.0.0.1:") && asked.ends_with(end), "{asked}");
    }
}

#[tokio::test]
async fn while_an_own_gate_fails_its_fair_share_of_the_limit_is_used() {
    let clock = IdleClock::new();
    let vendor = Vendor::start(&clock, |_, _, _| ok()).await;
    let limiter = Arc::new(Shared { broken: true, ..Shared::default() });
    let client =
        vendor.client(patient().with_rate_limiter(limiter.clone()).with_rate_limit(RateLimit::per_second(100)));
    assert!(fan_out(&client, 8, 97).await.iter().all(Result::is_ok));
    assert_eq!(limiter.asked.load(Ordering::SeqCst), 97);
    assert!(limiter.answers.lock().unwrap().is_empty());
    // 24 a second are 96 % of a quarter of the limit.
    assert!((ms(3980)..ms(4001)).contains(&clock.elapsed()), "{:?}", clock.elapsed());
}
