//! When a call is sent again, and when not: the whole pipeline against a scripted vendor, on a clock that nobody waits
//! for. All times are counted from the start of the first call.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::fake::{Bench, Journal, Step, VirtualClock, ok, status, told};
use common::{OPERATION, call, look_up, ms, seconds};
use keymux_core::{Call, ClientOptions, ErrorKind, RetryPolicy, StopReason, TransportErrorKind};

/// Polls `future` once, and expects it not to be over.
fn start<F: Future>(future: std::pin::Pin<&mut F>) {
    let over = future.poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(!over, "the call is over already");
}

fn attempts(attempts: u32) -> ClientOptions {
    ClientOptions::new().with_retry(RetryPolicy::default().with_max_attempts(attempts))
}

// ---- When the vendor names no delay ----

#[tokio::test]
async fn the_waits_double_and_the_jitter_shortens_them() {
    let table = [
        // jitter, when the four requests are sent
        (1.0, [ms(0), ms(500), ms(1500), ms(3500)]),
        (0.5, [ms(0), ms(250), ms(750), ms(1750)]),
        (0.0, [ms(0); 4]),
    ];
    for (fraction, times) in table {
        let bench = Bench::new([status(503), status(502), status(500), ok()], fraction);
        look_up(&bench.pipeline).await.unwrap();
        assert_eq!(bench.transport.sent(), times, "jitter {fraction}");
    }
}

#[tokio::test]
async fn the_delays_of_the_policy_are_kept() {
    let policy = RetryPolicy::default().with_max_attempts(6).with_base_delay(seconds(1)).with_max_delay(seconds(3));
    let bench = Bench::always(status(503), 1.0, ClientOptions::new().with_retry(policy));
    let error = call(&bench.pipeline).await.unwrap_err();
    assert_eq!(bench.transport.sent(), [0, 1, 3, 6, 9, 12].map(seconds));
    assert_eq!(error.attempts(), 6);
}

#[tokio::test]
async fn the_first_attempt_is_made_whatever_the_policy() {
    for policy in [RetryPolicy::never(), RetryPolicy::default().with_max_attempts(0)] {
        let bench = Bench::always(status(503), 1.0, ClientOptions::new().with_retry(policy));
        assert_eq!(call(&bench.pipeline).await.unwrap_err().attempts(), 1);
        assert_eq!(bench.transport.count(), 1);
    }
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_slept() {
    let bench = Bench::always(status(503), 1.0, ClientOptions::new().with_total_timeout(ms(1500)));
    let error = call(&bench.pipeline).await.unwrap_err();
    assert_eq!(bench.transport.sent(), [ms(0), ms(500)], "the next wait would end at 1500 ms");
    assert_eq!((error.kind(), error.attempts(), bench.clock.elapsed()), (ErrorKind::Server, 2, ms(500)));
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline_even_if_a_sleep_took_too_long() {
    let clock = VirtualClock::oversleeping(seconds(60));
    let options = ClientOptions::new().with_total_timeout(seconds(10));
    let bench = Bench::on(clock, [told(429, "retry-after", "2")], Some(ok()), 0.0, options);
    let outcome = call(&bench.pipeline).await;
    assert_eq!(bench.transport.sent(), [ms(0)], "at 62 s the call has been over for 52 s");
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(seconds(2))));
}

#[tokio::test]
async fn a_random_source_that_breaks_its_promise_breaks_no_call() {
    for fraction in [f64::NAN, -1.0, 7.0, f64::INFINITY] {
        for first in [status(503), told(503, "retry-after", "2")] {
            let bench = Bench::new([first, ok()], fraction);
            assert!(call(&bench.pipeline).await.is_ok(), "{fraction}");
        }
    }
}

// ---- When the vendor names a delay ----

/// A header or a body that names a delay, the delay, and when the second request is sent at most.
type Told = (&'static [(&'static str, &'static str)], &'static str, Duration, Duration);

#[tokio::test]
async fn a_delay_that_the_vendor_names_is_obeyed_exactly_and_jitter_only_adds() {
    let table: &[Told] = &[
        // "At once" is no delay: the wait is the client's own.
        (&[("retry-after", "0")], "", ms(0), ms(500)),
        (&[("retry-after", "1")], "", seconds(1), ms(1100)),
        (&[("retry-after", "30")], "", seconds(30), seconds(31)),
        (&[("retry-after", "60")], "", seconds(60), seconds(61)),
        (&[("retry-after", "0.25")], "", ms(250), ms(275)),
        (&[("retry-after", "7.001")], "", ms(7001), Duration::from_micros(7_701_100)),
        (&[("retry-after-ms", "40")], "", ms(40), ms(44)),
        (&[("retry-after-ms", "40"), ("retry-after", "9")], "", ms(40), ms(44)),
        // The three forms of a date, 20 s after the start of the clock.
        (&[("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT")], "", seconds(20), seconds(21)),
        (&[("retry-after", "Sunday, 06-Nov-94 08:49:57 GMT")], "", seconds(20), seconds(21)),
        (&[("retry-after", "Sun Nov  6 08:49:57 1994")], "", seconds(20), seconds(21)),
        // A vendor whose clock is a day ahead.
        (
            &[("retry-after", "Mon, 07 Nov 1994 08:49:57 GMT"), ("date", "Mon, 07 Nov 1994 08:49:37 GMT")],
            "",
            seconds(20),
            seconds(21),
        ),
        (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], "", ms(0), ms(500)),
        // Where the vendor puts it into the body.
        (&[], r#"{"retry_after":12}"#, seconds(12), seconds(13)),
        (&[], r#"{"retry_after":0.5}"#, ms(500), ms(550)),
        (&[("retry-after", "3")], r#"{"retry_after":12}"#, seconds(3), ms(3300)),
        (&[("retry-after", "soon")], r#"{"retry_after":12}"#, seconds(12), seconds(13)),
    ];
    for code in [429, 503] {
        for &(headers, body, exactly, at_most) in table {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            let refusal = Step::Answer(code, headers.clone(), body.to_owned());
            for (fraction, expected) in [(0.0, exactly), (1.0, at_most)] {
                let bench = Bench::new([refusal.clone(), ok()], fraction);
                call(&bench.pipeline).await.unwrap();
                assert_eq!(bench.transport.sent(), [ms(0), expected], "{code} {headers:?} {body} jitter {fraction}");
            }
        }
    }
}

#[tokio::test]
async fn a_date_is_measured_when_the_answer_came() {
    // The answer takes 5 s, and the date is 20 s after the start.
    let refusal = told(429, "retry-after", "Sun, 06 Nov 1994 08:49:57 GMT");
    let bench = Bench::new([Step::Late(seconds(5), Box::new(refusal)), ok()], 0.0);
    call(&bench.pipeline).await.unwrap();
    assert_eq!(bench.transport.sent(), [seconds(0), seconds(20)]);
    assert_eq!(bench.clock.sleeps(), [seconds(15)]);
}

#[tokio::test]
async fn a_delay_in_a_body_with_a_byte_order_mark_is_obeyed() {
    let refusal = Step::Answer(429, Vec::new(), "\u{feff}{\"retry_after\":12}".to_owned());
    let bench = Bench::new([refusal, ok()], 0.0);
    call(&bench.pipeline).await.unwrap();
    assert_eq!(bench.transport.sent(), [seconds(0), seconds(12)]);
}

#[tokio::test]
async fn a_delay_above_the_cap_is_returned_not_slept() {
    let table = [
        ("3600", seconds(3600)),
        ("60.001", ms(60_001)),
        ("Sun, 06 Nov 1994 09:49:37 GMT", seconds(3600)),
        ("99999999999999999999999", Duration::MAX),
    ];
    for (value, delay) in table {
        let bench = Bench::new([told(429, "retry-after", value)], 0.0);
        let error = call(&bench.pipeline).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{value}");
        assert_eq!(error.retry_after(), Some(delay), "{value}");
        assert!(error.is_retryable() && !error.may_have_executed(), "{value}");
        assert_eq!(bench.clock.elapsed(), ms(0), "{value}");
    }
}

#[tokio::test]
async fn a_delay_past_the_deadline_is_returned_not_slept() {
    let table = [
        // how long the first attempt takes, the delay it is told, of 20 s in all; whether it is slept
        (0, "20", false),
        (0, "19", true),
        (15, "5", false),
        (15, "4", true),
        (19, "30", false),
    ];
    for (took, delay, slept) in table {
        let refusal = Step::Late(seconds(took), Box::new(told(429, "retry-after", delay)));
        let bench = Bench::with([refusal, ok()], 0.0, ClientOptions::new().with_total_timeout(seconds(20)));
        let outcome = call(&bench.pipeline).await;
        assert_eq!(outcome.is_ok(), slept, "{took} s, then told {delay} s");
        if let Err(error) = outcome {
            assert_eq!((error.kind(), bench.clock.elapsed()), (ErrorKind::RateLimited, seconds(took)));
            assert_eq!(error.retry_after(), Some(seconds(delay.parse().unwrap())));
        }
    }
}

#[tokio::test]
async fn jitter_never_carries_a_wait_past_the_deadline() {
    let options = ClientOptions::new().with_total_timeout(ms(10_100));
    let bench = Bench::with([told(429, "retry-after", "10"), ok()], 1.0, options);
    call(&bench.pipeline).await.unwrap();
    assert_eq!(bench.transport.sent(), [ms(0), ms(10_040)], "half of what remains beside the shortest attempt is left");
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_or_hangs_is_obeyed() {
    let told = vec![("retry-after", "7".to_owned())];
    let broken = Bench::new([Step::BreakInBody(429, told.clone()), ok()], 0.0);
    call(&broken.pipeline).await.unwrap();
    assert_eq!(broken.transport.sent(), [seconds(0), seconds(7)]);

    let hangs = Bench::new([Step::HangInBody(429, told), ok()], 0.0);
    call(&hangs.pipeline).await.unwrap();
    assert_eq!(hangs.transport.sent(), [seconds(0), seconds(30 + 7)], "30 s are the limit of the attempt");
}

#[tokio::test]
async fn the_delay_in_an_error_is_that_of_the_last_answer() {
    let script = [told(429, "retry-after", "2"), Step::Fail(TransportErrorKind::Connect)];
    let bench = Bench::with(script, 0.0, attempts(2));
    let error = call(&bench.pipeline).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after(), error.attempts()), (ErrorKind::Connect, None, 2));
}

// ---- Time limits ----

/// The limit of an attempt and of the call, the jitter, and when requests are sent and cut; in milliseconds.
type Cut = (u64, u64, f64, &'static [u64], &'static [u64]);

#[tokio::test]
async fn an_attempt_that_hangs_is_cut_at_its_limit_and_the_call_at_its_own() {
    let table: &[Cut] = &[
        (30_000, 70_000, 0.0, &[0, 30_000, 60_000], &[30_000, 30_000, 10_000]),
        (30_000, 70_000, 1.0, &[0, 30_500, 61_500], &[30_000, 30_000, 8_500]),
        (30_000, 20_000, 1.0, &[0], &[20_000]),
        (30_000, 30_000, 1.0, &[0], &[30_000]),
        (1_000, 120_000, 0.0, &[0, 1_000, 2_000, 3_000], &[1_000; 4]),
    ];
    for &(attempt, total, fraction, sent, cuts) in table {
        let options = ClientOptions::new().with_attempt_timeout(ms(attempt)).with_total_timeout(ms(total));
        let bench = Bench::always(Step::Hang, fraction, options);
        let error = call(&bench.pipeline).await.unwrap_err();
        assert_eq!(bench.transport.sent(), sent.iter().copied().map(ms).collect::<Vec<_>>());
        assert_eq!(bench.clock.cuts(), cuts.iter().copied().map(ms).collect::<Vec<_>>());
        assert!(bench.clock.elapsed() <= ms(total), "{:?} of {total} ms", bench.clock.elapsed());
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, u32::try_from(sent.len()).unwrap()));
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn an_attempt_that_is_cut_is_over_before_the_next_one_begins() {
    let bench = Bench::new([Step::Hang, Step::Hang, ok()], 0.5);
    call(&bench.pipeline).await.unwrap();
    assert_eq!(bench.transport.in_flight(), (0, 1), "now, and at most at once");
}

#[tokio::test]
async fn a_time_out_names_its_phase_and_its_limit() {
    let options = || attempts(1).with_attempt_timeout(ms(1500));
    let head = Bench::with([Step::Hang], 0.0, options());
    let error = call(&head.pipeline).await.unwrap_err();
    assert_eq!(error.message(), Some("no answer came within 1.5 s"));
    assert_eq!(error.to_string(), "acme get_key: timed out: no answer came within 1.5 s; 1 attempt");

    let body = Bench::with([Step::HangInBody(200, Vec::new())], 0.0, options());
    let error = call(&body.pipeline).await.unwrap_err();
    assert_eq!(error.message(), Some("the body of the answer did not end within 1.5 s"));
}

#[tokio::test]
async fn a_slow_success_within_its_limit_is_a_success() {
    let slow = Step::Late(ms(29_999), Box::new(ok()));
    let bench = Bench::new([slow], 0.0);
    look_up(&bench.pipeline).await.unwrap();
    assert_eq!(bench.clock.elapsed(), ms(29_999));
}

// ---- What is sent again ----

#[tokio::test]
async fn only_what_may_pass_is_sent_again() {
    use ErrorKind as Kind;
    let broken = |code| Step::BreakInBody(code, Vec::new());
    let hangs = |code| Step::HangInBody(code, Vec::new());
    let table = [
        // what happens, what it is called, whether it is sent again
        (Step::Fail(TransportErrorKind::Connect), Kind::Connect, true),
        (Step::Fail(TransportErrorKind::Head), Kind::Transport, true),
        (Step::Fail(TransportErrorKind::Body), Kind::Transport, true),
        (broken(200), Kind::Transport, true),
        (Step::Hang, Kind::Timeout, true),
        (hangs(200), Kind::Timeout, true),
        (status(408), Kind::Timeout, true),
        (status(429), Kind::RateLimited, true),
        (status(500), Kind::Server, true),
        (status(502), Kind::Server, true),
        (status(503), Kind::Server, true),
        (status(504), Kind::Server, true),
        (broken(503), Kind::Server, true),
        (hangs(503), Kind::Server, true),
        (status(501), Kind::Server, false),
        (status(505), Kind::Server, false),
        (status(520), Kind::Server, true),
        (status(522), Kind::Server, true),
        (status(524), Kind::Server, true),
        (status(529), Kind::Server, true),
        (status(599), Kind::Server, true),
        (status(425), Kind::Conflict, true),
        (status(400), Kind::InvalidRequest, false),
        (status(401), Kind::Unauthenticated, false),
        (status(402), Kind::QuotaExhausted, false),
        (status(403), Kind::PermissionDenied, false),
        (status(404), Kind::NotFound, false),
        (broken(404), Kind::NotFound, false),
        (hangs(404), Kind::NotFound, false),
        (status(405), Kind::InvalidRequest, false),
        (status(409), Kind::Conflict, false),
        (status(410), Kind::NotFound, false),
        (status(422), Kind::InvalidRequest, false),
        (status(300), Kind::Redirected, false),
        (status(301), Kind::Redirected, false),
        (status(302), Kind::Redirected, false),
        (status(303), Kind::Redirected, false),
        (status(304), Kind::Redirected, false),
        (status(307), Kind::Redirected, false),
        (status(308), Kind::Redirected, false),
        (broken(302), Kind::Redirected, false),
        (status(600), Kind::Decode, false),
        (status(999), Kind::Decode, false),
        (Step::Fail(TransportErrorKind::BodyTooLarge), Kind::TooLarge, false),
        // A delay invites nobody to repeat what cannot pass.
        (told(400, "retry-after", "1"), Kind::InvalidRequest, false),
        (told(404, "retry-after", "1"), Kind::NotFound, false),
        (told(501, "retry-after", "1"), Kind::Server, false),
    ];
    for (step, kind, again) in table {
        let what = format!("{step:?}");
        let once = Bench::with([step.clone()], 0.0, attempts(1));
        let error = call(&once.pipeline).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{what}");

        let bench = Bench::new([step, ok()], 0.0);
        assert_eq!(call(&bench.pipeline).await.is_ok(), again, "{what}");
        assert_eq!(bench.transport.count(), if again { 2 } else { 1 }, "{what}");
    }
}

#[tokio::test]
async fn what_is_never_sent_again_is_not_called_retryable() {
    for (code, retryable) in [(501, false), (505, false), (404, false), (500, true), (503, true), (429, true)] {
        let bench = Bench::with([status(code)], 0.0, attempts(1));
        assert_eq!(call(&bench.pipeline).await.unwrap_err().is_retryable(), retryable, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_asked_for_again() {
    let page = Step::Answer(200, Vec::new(), "<html>".to_owned());
    let bench = Bench::new([status(503), page], 0.0);
    let error = look_up(&bench.pipeline).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Decode, Some(200), 2));
    assert_eq!(bench.transport.count(), 2);
}

#[tokio::test]
async fn an_oversized_body_of_another_transport_is_refused_too() {
    let options = || ClientOptions::new().with_max_body_bytes(10);
    let long = "x".repeat(11);
    let bench = Bench::with([Step::Answer(200, Vec::new(), long.clone())], 0.0, options());
    let error = call(&bench.pipeline).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));

    let bench = Bench::with([Step::Answer(404, Vec::new(), long)], 0.0, options());
    assert_eq!(call(&bench.pipeline).await.unwrap_err().kind(), ErrorKind::NotFound, "a refusal is one all the same");

    let bench = Bench::with([Step::Answer(200, Vec::new(), "x".repeat(10))], 0.0, options());
    assert!(call(&bench.pipeline).await.is_ok(), "exactly as large as allowed");
}

// ---- The budget ----

const BURST: usize = 20;

#[tokio::test]
async fn a_vendor_that_is_down_gets_at_most_the_burst_beyond_the_calls() {
    let journal = Arc::new(Journal::default());
    let bench = Bench::always(status(503), 0.5, ClientOptions::new().with_observer(journal.clone()));
    for _ in 0..200 {
        assert_eq!(call(&bench.pipeline.clone()).await.unwrap_err().kind(), ErrorKind::Server);
    }
    assert_eq!(bench.transport.count(), 200 + BURST);
    let last = journal.lines().pop().unwrap();
    assert_eq!(last, "acme get_key give up after attempt 1: Server BudgetEmpty");
}

#[tokio::test]
async fn calls_at_the_same_time_share_the_budget() {
    let options = ClientOptions::new().with_total_timeout(Duration::MAX);
    let bench = Bench::always(Step::Fail(TransportErrorKind::Connect), 0.5, options);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let pipeline = bench.pipeline.clone();
        calls.spawn(async move { call(&pipeline).await.unwrap_err().kind() });
    }
    assert!(calls.join_all().await.into_iter().all(|kind| kind == ErrorKind::Connect));
    assert_eq!(bench.transport.count(), 200 + BURST);
}

#[tokio::test]
async fn ten_successes_bring_one_retry_back_and_never_more_than_the_burst() {
    let policy = RetryPolicy::default().with_max_attempts(100);
    let table = [(0, 0), (9, 0), (10, 1), (25, 2), (1000, BURST)];
    for (successes, retries) in table {
        let script = vec![status(503); 1 + BURST].into_iter().chain(vec![ok(); successes]);
        let options = ClientOptions::new().with_retry(policy).with_total_timeout(Duration::MAX);
        let bench = Bench::on(VirtualClock::new(), script, Some(status(503)), 0.5, options);
        assert_eq!(call(&bench.pipeline).await.unwrap_err().attempts() as usize, 1 + BURST, "the bucket is empty");
        for _ in 0..successes {
            call(&bench.pipeline).await.unwrap();
        }
        let error = call(&bench.pipeline).await.unwrap_err();
        assert_eq!(error.attempts() as usize, 1 + retries, "after {successes} successes");
    }
}

#[tokio::test]
async fn a_retry_whose_delay_the_vendor_named_is_free() {
    let script = vec![[told(429, "retry-after", "1"), ok()]; 100].into_iter().flatten();
    let bench = Bench::on(VirtualClock::new(), script, Some(status(503)), 0.5, ClientOptions::new());
    for _ in 0..100 {
        call(&bench.pipeline).await.unwrap();
    }
    let before = bench.transport.count();
    for _ in 0..100 {
        call(&bench.pipeline).await.unwrap_err();
    }
    assert_eq!(bench.transport.count() - before, 100 + BURST, "the whole burst is still there");
}

#[tokio::test]
async fn a_refusal_without_a_delay_is_free_where_a_gate_stops_the_account() {
    let table = [("a limiter", ClientOptions::new(), BURST), ("none", ClientOptions::new().without_rate_limiter(), 0)];
    for (case, options, left) in table {
        let script = vec![[status(429), ok()]; BURST].into_iter().flatten();
        let policy = RetryPolicy::default().with_budget(u32::try_from(BURST).unwrap(), 0.0);
        let bench = Bench::on(VirtualClock::new(), script, Some(status(503)), 0.5, options.with_retry(policy));
        for _ in 0..BURST {
            call(&bench.pipeline).await.unwrap();
        }
        let before = bench.transport.count();
        for _ in 0..100 {
            call(&bench.pipeline).await.unwrap_err();
        }
        assert_eq!(bench.transport.count() - before, 100 + left, "{case}");
    }
}

#[tokio::test]
async fn a_success_that_needed_a_retry_brings_none_back() {
    let policy = RetryPolicy::default().with_budget(1, 0.1);
    let invited = vec![[told(429, "retry-after", "1"), ok()]; 10].into_iter().flatten();
    let script = [status(503), status(503)].into_iter().chain(invited);
    let options = ClientOptions::new().with_retry(policy);
    let bench = Bench::on(VirtualClock::new(), script, Some(status(503)), 0.5, options);
    assert_eq!(call(&bench.pipeline).await.unwrap_err().attempts(), 2, "the only retry");
    for _ in 0..10 {
        call(&bench.pipeline).await.unwrap();
    }
    assert_eq!(call(&bench.pipeline).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn two_clients_have_a_budget_each() {
    for _ in 0..2 {
        let bench = Bench::always(status(503), 0.5, ClientOptions::new());
        assert_eq!(call(&bench.pipeline).await.unwrap_err().attempts(), 4);
    }
}

// ---- What is seen ----

#[tokio::test]
async fn every_attempt_every_retry_and_every_end_is_told() {
    let table: [(Vec<Step>, f64, &[&str]); 3] = [
        (
            vec![Step::Late(ms(20), Box::new(status(503))), told(429, "retry-after", "2"), ok()],
            0.5,
            &[
                "acme get_key attempt 1: GET /keys/a status Some(503) error Some(Server) took 20ms",
                "acme get_key retry after attempt 1: Server delay 250ms told None",
                "acme get_key attempt 2: GET /keys/a status Some(429) error Some(RateLimited) took 0ns",
                "acme get_key retry after attempt 2: RateLimited delay 2.1s told Some(2s)",
                "acme get_key attempt 3: GET /keys/a status Some(200) error None took 0ns",
            ],
        ),
        (
            vec![Step::Hang, status(404)],
            0.0,
            &[
                "acme get_key attempt 1: GET /keys/a status None error Some(Timeout) took 30s",
                "acme get_key retry after attempt 1: Timeout delay 0ns told None",
                "acme get_key attempt 2: GET /keys/a status Some(404) error Some(NotFound) took 0ns",
                "acme get_key give up after attempt 2: NotFound Permanent",
            ],
        ),
        (
            vec![told(503, "retry-after", "61")],
            0.0,
            &[
                "acme get_key attempt 1: GET /keys/a status Some(503) error Some(Server) took 0ns",
                "acme get_key give up after attempt 1: Server DelayAboveCap",
            ],
        ),
    ];
    for (script, fraction, expected) in table {
        let journal = Arc::new(Journal::default());
        let bench = Bench::with(script, fraction, ClientOptions::new().with_observer(journal.clone()));
        let _ = call(&bench.pipeline).await;
        assert_eq!(journal.lines(), expected);
    }
}

#[tokio::test]
async fn the_end_of_a_call_says_why_there_is_no_other_attempt() {
    let few = || ClientOptions::new().with_total_timeout(seconds(1));
    let none = || ClientOptions::new().with_retry(RetryPolicy::default().with_budget(0, 0.0));
    let table = [
        // what the vendor always does, the options, why it ends
        (status(400), ClientOptions::new(), StopReason::Permanent),
        (status(503), attempts(2), StopReason::AttemptsUsed),
        (told(429, "retry-after", "61"), ClientOptions::new(), StopReason::DelayAboveCap),
        (told(429, "retry-after", "1"), few(), StopReason::DeadlineTooNear),
        (Step::Hang, few(), StopReason::DeadlineTooNear),
        (status(503), none(), StopReason::BudgetEmpty),
    ];
    for (step, options, reason) in table {
        let journal = Arc::new(Journal::default());
        let bench = Bench::always(step.clone(), 0.5, options.with_observer(journal.clone()));
        call(&bench.pipeline).await.unwrap_err();
        let last = journal.lines().pop().unwrap();
        assert!(last.contains("give up") && last.ends_with(&format!("{reason:?}")), "{step:?}: {last}");
    }
}

#[tokio::test]
async fn an_error_counts_the_attempts_of_its_call() {
    for number in 1..=4 {
        let script = vec![status(503); number - 1].into_iter().chain([status(404)]);
        let bench = Bench::new(script, 0.5);
        let error = call(&bench.pipeline).await.unwrap_err();
        assert_eq!(error.attempts() as usize, number);
        assert_eq!(bench.transport.count(), number);
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_put_into_a_url_is_refused_before_anything_is_sent() {
    let bench = Bench::new([], 0.5);
    for dots in [".", ".."] {
        let path = ["keys", dots];
        let error = bench.pipeline.send(Call::get(OPERATION, &path)).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0));
    }
}

// ---- Cancellation ----

#[test]
fn a_call_that_is_dropped_between_two_attempts_sends_nothing_more() {
    let clock = VirtualClock::frozen();
    let bench = Bench::on(clock, [status(503)], None, 0.5, ClientOptions::new());
    {
        let mut call = pin!(call(&bench.pipeline));
        start(call.as_mut());
        start(call.as_mut());
    }
    assert_eq!(bench.transport.count(), 1);
    assert_eq!(bench.transport.in_flight(), (0, 1));
}

#[test]
fn a_call_that_is_dropped_within_an_attempt_ends_the_request_and_sends_nothing_more() {
    for step in [Step::Hang, Step::HangInBody(200, Vec::new()), Step::HangInBody(503, Vec::new())] {
        let bench = Bench::on(VirtualClock::frozen(), [step], None, 0.5, ClientOptions::new());
        {
            let mut call = pin!(call(&bench.pipeline));
            start(call.as_mut());
            assert_eq!(bench.transport.in_flight(), (1, 1));
        }
        assert_eq!(bench.transport.in_flight(), (0, 1), "the transport's future is dropped with the call");
        assert_eq!(bench.transport.count(), 1);
    }
}

#[test]
fn a_call_that_is_never_polled_sends_nothing() {
    let bench = Bench::new([], 0.5);
    drop(call(&bench.pipeline));
    assert_eq!(bench.transport.count(), 0);
}

#[test]
fn a_dropped_call_takes_nothing_from_the_next_one() {
    let bench = Bench::on(VirtualClock::frozen(), [Step::Hang, ok()], None, 0.5, ClientOptions::new());
    {
        let mut dropped = pin!(call(&bench.pipeline));
        start(dropped.as_mut());
    }
    let mut next = pin!(call(&bench.pipeline));
    let over = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(over, Poll::Ready(Ok(_))));
}
