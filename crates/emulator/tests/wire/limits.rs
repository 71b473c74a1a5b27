//! Refusals of requests that are too many: by a plan, and by a limit on a clock that only the test moves.

use std::time::{Duration, UNIX_EPOCH};

use keymux_emulator::{DelayForm, Emulator, Fault, RateLimit, RecordedRequest, Vendor};
use serde_json::{Value, json};

use crate::raw::{Answer, Caller, emulator, get, send};

/// Sunday, 7 November 2094, 02:03:04.25 UTC.
const START: Duration = Duration::from_millis(3_939_933_784_250);

/// An emulator whose clock stands still at [`START`].
async fn stopped() -> Emulator {
    let emulator = emulator().await;
    emulator.stop_clock();
    emulator.advance(START.checked_sub(emulator.now().duration_since(UNIX_EPOCH).unwrap()).unwrap());
    assert_eq!(emulator.now(), UNIX_EPOCH + START);
    emulator
}

async fn sample(emulator: &Emulator) -> Answer {
    let datkey = emulator.datkey();
    get(datkey, &format!("/keys/{}", datkey.sample_address()[0]), &[("x-api-key", datkey.credential())]).await
}

/// What is asked of each vendor, with its credential: its operation with the fewest needs.
fn asked(emulator: &Emulator) -> [(&Vendor, &'static str, &'static str, &'static str); 5] {
    [
        (emulator.baseten(), "Authorization", "Api-Key ", "/v1/gateway/groups"),
        (emulator.braintrust(), "Authorization", "Bearer ", "/v1/api_key"),
        (emulator.mielto(), "X-API-Key", "", "/api/v1/api-keys"),
        (emulator.datkey(), "x-api-key", "", "/workspace"),
        (emulator.oneloop(), "Authorization", "Bearer ", "/api/v1/workspace"),
    ]
}

#[tokio::test]
async fn a_429_tells_its_delay_in_every_form() {
    let emulator = stopped().await;
    let text = |text: &str| DelayForm::Text(text.to_owned());
    for (form, millis, header, value) in [
        (DelayForm::Own, 1500, "retry-after", None),
        (DelayForm::None, 1500, "retry-after", None),
        (DelayForm::Seconds, 1500, "retry-after", Some("2")),
        (DelayForm::Seconds, 3_600_000, "retry-after", Some("3600")),
        (DelayForm::Seconds, 0, "retry-after", Some("0")),
        (DelayForm::Fraction, 1500, "retry-after", Some("1.5")),
        (DelayForm::Fraction, 250, "retry-after", Some("0.25")),
        (DelayForm::ImfFixdate, 1500, "retry-after", Some("Sun, 07 Nov 2094 02:03:06 GMT")),
        (DelayForm::Rfc850Date, 1500, "retry-after", Some("Sunday, 07-Nov-94 02:03:06 GMT")),
        (DelayForm::AsctimeDate, 1500, "retry-after", Some("Sun Nov  7 02:03:06 2094")),
        (DelayForm::ImfFixdate, 750, "retry-after", Some("Sun, 07 Nov 2094 02:03:05 GMT")),
        (DelayForm::ImfFixdate, 751, "retry-after", Some("Sun, 07 Nov 2094 02:03:06 GMT")),
        (DelayForm::Millis, 1500, "retry-after-ms", Some("1500")),
        (text("soon"), 1500, "retry-after", Some("soon")),
        (text("-1"), 1500, "retry-after", Some("-1")),
    ] {
        emulator.datkey().faults(Fault::rate_limited(form.clone(), Duration::from_millis(millis))).unwrap();
        let answer = sample(&emulator).await;
        assert_eq!((answer.status, answer.json()), (429, json!({"message": "too many requests"})), "{form:?}");
        assert_eq!(answer.header(header), value, "{form:?} {millis}");
        let other = if header == "retry-after" { "retry-after-ms" } else { "retry-after" };
        assert_eq!(answer.header(other), None, "{form:?}");
        assert_eq!(answer.header("date"), Some("Sun, 07 Nov 2094 02:03:04 GMT"), "on the same clock");
    }
    assert_eq!((emulator.datkey().refusals(), emulator.datkey().served()), (0, 0));
}

#[tokio::test]
async fn each_vendor_refuses_in_its_own_words_and_way() {
    let emulator = stopped().await;
    for (vendor, header, scheme, path) in asked(&emulator) {
        vendor.faults(Fault::rate_limited(DelayForm::Own, Duration::from_millis(11_001))).unwrap();
        let answer = Caller::new(vendor, header, scheme).ask("GET", path, json!(null)).await;
        assert_eq!(answer.status, 429);
        let is_seconds = vendor.name() == "braintrust";
        assert_eq!(answer.header("retry-after"), is_seconds.then_some("12"), "{}", vendor.name());
        let expected: Value = match vendor.name() {
            "baseten" => json!({"error": "rate limited", "retry_after": 12}),
            "mielto" => json!({"detail": "Too many requests"}),
            "datkey" => json!({"message": "too many requests"}),
            "oneloop" => json!({"error": {"code": 429, "message": "too many requests"}}),
            _ => {
                assert!(answer.text().starts_with("Too many requests [user_email=dev@example.com]"), "{answer:?}");
                continue;
            }
        };
        assert_eq!(answer.json(), expected);
    }
    emulator.baseten().faults(Fault::rate_limited(DelayForm::None, Duration::from_secs(1))).unwrap();
    let answer = get(emulator.baseten(), "/", &[]).await;
    assert_eq!(answer.json(), json!({"error": "rate limited"}));
}

#[tokio::test]
async fn a_limit_admits_exactly_so_many_in_any_second() {
    let emulator = stopped().await;
    for (vendor, header, scheme, path) in asked(&emulator) {
        let caller = Caller::new(vendor, header, scheme);
        vendor.limit(3).unwrap();
        let mut seen = Vec::new();
        // At 0, 300, 600, … 2100 ms, twice each.
        for _ in 0..8 {
            for _ in 0..2 {
                seen.push(caller.status("GET", path, json!(null)).await);
            }
            emulator.advance(Duration::from_millis(300));
        }
        let (yes, no) = (200, 429);
        let expected = [yes, yes, yes, no, no, no, no, no, yes, yes, yes, no, no, no, no, no];
        assert_eq!(seen, expected, "{}", vendor.name());
        assert_eq!((vendor.served(), vendor.refusals()), (6, 10), "{}", vendor.name());
        let limited: Vec<_> = vendor.requests().iter().map(RecordedRequest::was_limited).collect();
        assert_eq!(limited, expected.map(|status| status == no), "{}", vendor.name());
        assert!(vendor.requests().iter().all(|request| request.faults().count() == 0));
        vendor.lift_limit();
        assert_eq!(caller.status("GET", path, json!(null)).await, 200);
    }
}

#[tokio::test]
async fn a_refusal_tells_the_wait_after_which_a_request_is_admitted() {
    let emulator = stopped().await;
    let datkey = emulator.datkey();
    datkey.limit(RateLimit::new(1, Duration::from_millis(2500)).with_delay(DelayForm::Fraction)).unwrap();
    assert_eq!(sample(&emulator).await.status, 200);
    emulator.advance(Duration::from_millis(1250));
    let refused = sample(&emulator).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1.25")));
    emulator.advance(Duration::from_micros(1_249_999));
    assert_eq!(sample(&emulator).await.header("retry-after"), Some("0.000001"));
    emulator.advance(Duration::from_micros(1));
    assert_eq!(sample(&emulator).await.status, 200);

    let baseten = Caller::new(emulator.baseten(), "Authorization", "Api-Key ");
    emulator.baseten().limit(1).unwrap();
    let mut last = Value::Null;
    for _ in 0..2 {
        last = baseten.ask("GET", "/v1/api_keys", json!(null)).await.json();
    }
    assert_eq!(last, json!({"error": "rate limited", "retry_after": 1}));
}

#[tokio::test]
async fn each_credential_and_each_endpoint_has_a_limit_of_its_own() {
    let emulator = stopped().await;
    let mielto = emulator.mielto();
    mielto.accept_credential("mk_test_SECOND");
    mielto.limit(1).unwrap();
    let all = "/api/v1/api-keys";
    let [one, other] = [0, 1].map(|place| format!("{all}/{}", mielto.seeded()[place][0]));
    let first = format!("Bearer {}", mielto.credential());
    let mut seen = Vec::new();
    for (method, path, name, value) in [
        ("GET", all, "Authorization", first.as_str()),
        ("GET", all, "X-API-Key", mielto.credential()),
        ("GET", &one, "Authorization", &first),
        ("GET", &other, "Authorization", &first),
        ("DELETE", &other, "Authorization", &first),
        ("GET", all, "X-API-Key", "mk_test_SECOND"),
        ("GET", all, "X-API-Key", "mk_test_SECOND"),
        ("GET", all, "X-API-Key", "mk_test_THIRD"),
        ("GET", all, "X-API-Key", "mk_test_THIRD"),
        ("GET", "/nowhere", "Authorization", &first),
    ] {
        seen.push(send(mielto, method, path, &[(name, value), ("X-Note", "mk_test_SECOND")], "").await.status);
    }
    assert_eq!(seen, [200, 429, 200, 429, 200, 200, 429, 401, 401, 404]);
    assert_eq!((mielto.served(), mielto.refusals()), (4, 3));
    assert!(!format!("{:?}", mielto.requests()).contains("SECOND"));
}

#[tokio::test]
async fn a_limit_counts_what_is_carried_out_and_nothing_else() {
    let emulator = stopped().await;
    let datkey = emulator.datkey();
    datkey.limit(1).unwrap();
    datkey.faults(Fault::status(503)).unwrap();
    for _ in 0..3 {
        assert_eq!(sample(&emulator).await.status, 503);
    }
    assert_eq!((datkey.served(), datkey.refusals()), (0, 0));
    datkey.faults(Fault::NotJson).unwrap();
    assert_eq!((sample(&emulator).await.status, sample(&emulator).await.status), (200, 429));
    assert_eq!((datkey.served(), datkey.refusals()), (1, 1));
    let last = datkey.requests().pop().unwrap();
    assert!(last.was_limited() && last.faults().eq([&Fault::NotJson]));
}

#[tokio::test]
async fn a_limit_that_cannot_be_is_refused_in_words() {
    let emulator = emulator().await;
    for (limit, wrong) in [
        (RateLimit::per_second(0), "a limit of 0 requests; it has to admit at least 1"),
        (RateLimit::new(1, Duration::ZERO), "a window below a microsecond"),
        (
            RateLimit::per_second(1).with_delay(DelayForm::Body),
            "delay form `body`: this vendor's answers have no place for it",
        ),
    ] {
        assert_eq!(emulator.mielto().limit(limit).unwrap_err().to_string(), format!("mielto: {wrong}"));
    }
}
