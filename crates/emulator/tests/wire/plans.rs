//! Which requests a plan of faults chooses.

use std::time::Duration;

use keymux_emulator::{DelayForm, Drift, Emulator, Fault, FaultAnswer, FaultPlan, FaultRule, Pick};
use serde_json::json;

use crate::raw::{Caller, emulator, get};

/// Statuses of so many look-ups of an unknown key. Without a fault that is a 404.
async fn statuses(emulator: &Emulator, requests: usize) -> Vec<u16> {
    let caller = Caller::new(emulator.datkey(), "x-api-key", "");
    let mut statuses = Vec::new();
    for _ in 0..requests {
        statuses.push(caller.status("GET", "/keys/nope", json!(null)).await);
    }
    statuses
}

fn down() -> FaultRule {
    FaultRule::new(Fault::status(503))
}

#[tokio::test]
async fn a_rule_chooses_by_number() {
    let emulator = emulator().await;
    for (rule, expected) in [
        (down(), [503, 503, 503, 503, 503, 503]),
        (down().times(2), [503, 503, 404, 404, 404, 404]),
        (down().nth(3), [404, 404, 503, 404, 404, 404]),
        (down().every(2), [404, 503, 404, 503, 404, 503]),
        (down().every(2).times(2), [404, 503, 404, 503, 404, 404]),
        (down().share(0.0), [404; 6]),
        (down().share(1.0), [503; 6]),
        (down().times(0), [404; 6]),
    ] {
        emulator.datkey().faults(rule.clone()).unwrap();
        assert_eq!(statuses(&emulator, 6).await, expected, "{rule:?}");
    }
}

#[tokio::test]
async fn a_rule_counts_and_chooses_within_its_operation() {
    let emulator = emulator().await;
    let caller = Caller::new(emulator.datkey(), "x-api-key", "");
    emulator.datkey().faults(down().on("get_key").nth(2)).unwrap();
    let mut seen = Vec::new();
    for (method, path) in
        [("GET", "/keys/a"), ("GET", "/workspace"), ("DELETE", "/keys/a"), ("GET", "/nowhere"), ("GET", "/keys/b")]
    {
        seen.push(caller.status(method, path, json!(null)).await);
    }
    assert_eq!(seen, [404, 200, 404, 404, 503]);
    let operations: Vec<_> =
        emulator.datkey().requests().iter().map(|request| request.operation().map(str::to_owned)).collect();
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(operations, [name("get_key"), name("get_workspace"), name("revoke_key"), None, name("get_key")]);
}

#[tokio::test]
async fn a_share_is_about_as_large_as_told_and_the_same_each_time() {
    let emulator = emulator().await;
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        emulator.datkey().faults(FaultPlan::new().with_seed(seed).with_rule(down().share(0.25))).unwrap();
        runs.push(statuses(&emulator, 200).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    for run in &runs {
        let struck = run.iter().filter(|status| **status == 503).count();
        assert!((30..=70).contains(&struck), "{struck} of 200");
    }
}

#[tokio::test]
async fn the_first_rule_that_chooses_decides_and_all_of_them_count() {
    let emulator = emulator().await;
    let plan = FaultPlan::new()
        .with_rule(FaultRule::new(Fault::status(500)).every(2))
        .with_rule(FaultRule::new(Fault::status(502)).every(3))
        .with_rule(FaultRule::new(Fault::status(504)).pick(Pick::All).times(2));
    emulator.datkey().faults(plan).unwrap();
    assert_eq!(statuses(&emulator, 7).await, [504, 500, 502, 500, 504, 500, 404]);
    let struck = |number: usize| emulator.datkey().requests()[number].faults().cloned().collect::<Vec<_>>();
    assert_eq!((struck(2), struck(6)), (vec![Fault::status(502)], vec![]));
}

#[tokio::test]
async fn a_plan_is_one_vendors_and_faults_need_no_credential() {
    let emulator = emulator().await;
    emulator.mielto().faults(Fault::status(503)).unwrap();
    assert_eq!(statuses(&emulator, 1).await, [404]);
    assert_eq!(get(emulator.mielto(), "/nowhere", &[]).await.status, 503);
}

#[tokio::test]
async fn a_plan_that_cannot_be_is_refused_in_words_and_changes_nothing() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    datkey.faults(down()).unwrap();
    let header = |name: &str, value: &str| FaultRule::new(FaultAnswer::new(200).with_header(name, value));
    for (rule, wrong) in [
        (
            down().on("get_api_key"),
            "no operation `get_api_key`; there are create_key, verify_key, get_key, update_key, revoke_key, get_workspace",
        ),
        (down().nth(0), "a number of requests of 0; they count from 1"),
        (down().every(0), "a number of requests of 0; they count from 1"),
        (down().share(1.5), "a share of 1.5; it goes from 0 to 1"),
        (down().share(f64::NAN), "a share of NaN; it goes from 0 to 1"),
        (FaultRule::new(Fault::status(101)), "status 101; it goes from 200 to 599"),
        (header("a b", "c"), "`a b` is no name of a header"),
        (header("a", "b\n"), "header `a`: characters that a header cannot hold"),
        (header("Content-Length", "3"), "header `Content-Length`: it frames the message, and is the server's"),
        (FaultRule::new(Fault::WrongContentLength { by: 0 }), "a content length that is wrong by 0 bytes"),
        (
            FaultRule::new(Fault::Redirect { status: 200, location: String::new() }),
            "a redirect with status 200; it goes from 300 to 399",
        ),
        (FaultRule::new(Fault::redirect("\n")), "a location that is no header value"),
        (
            FaultRule::new(Fault::rate_limited(DelayForm::Body, Duration::ZERO)),
            "delay form `body`: this vendor's answers have no place for it",
        ),
        (
            FaultRule::new(Fault::rate_limited(DelayForm::Text("\n".to_owned()), Duration::ZERO)),
            "delay form `text`: it holds characters that a header cannot",
        ),
    ] {
        let plan = FaultPlan::new().with_rule(Fault::status(200)).with_rule(rule);
        assert_eq!(datkey.faults(plan).unwrap_err().to_string(), format!("datkey: rule 2: {wrong}"));
    }
    assert_eq!(statuses(&emulator, 1).await, [503]);
}

#[tokio::test]
async fn a_plan_is_read_from_json() {
    let text = r#"{
        "seed": 7,
        "rules": [
            {"operation": "get_key", "pick": {"nth": 1}, "times": 4, "fault": {"reset": {"applied": true}}},
            {"pick": {"every": 2}, "fault": {"hang": {}}},
            {"pick": {"share": 0.5}, "fault": "truncated_body"},
            {"fault": {"rate_limited": {"form": {"text": "soon"}, "wait_millis": 1500}}},
            {"fault": {"rate_limited": {"wait_millis": 0}}},
            {"fault": {"latency": {"millis": 20}}},
            {"fault": {"wrong_content_length": {"by": -3}}},
            {"fault": {"drift": {"set": {"pointer": "/a", "value": null}}}},
            {"fault": {"drift": "new_member"}},
            {"fault": {"redirect": {"location": "http://localhost/"}}},
            {"fault": {"answer": {"status": 503, "headers": [["a", "b"]], "body": {"json": {"x": 1}}, "applied": true}}},
            {"fault": {"answer": {"status": 502, "body": {"text": "down"}}}}
        ]
    }"#;
    let plan: FaultPlan = serde_json::from_str(text).unwrap();
    let emulator = emulator().await;
    emulator.datkey().faults(plan.clone()).unwrap();
    let millis = Duration::from_millis;
    let expected = FaultPlan::new()
        .with_seed(7)
        .with_rule(FaultRule::new(Fault::Reset { applied: true }).on("get_key").nth(1).times(4))
        .with_rule(FaultRule::new(Fault::Hang { applied: false }).every(2))
        .with_rule(FaultRule::new(Fault::TruncatedBody).share(0.5))
        .with_rule(Fault::rate_limited(DelayForm::Text("soon".to_owned()), millis(1500)))
        .with_rule(Fault::rate_limited(DelayForm::Own, millis(0)))
        .with_rule(Fault::latency(millis(20)))
        .with_rule(Fault::WrongContentLength { by: -3 })
        .with_rule(Fault::Drift(Drift::Set { pointer: "/a".to_owned(), value: json!(null) }))
        .with_rule(Fault::Drift(Drift::NewMember))
        .with_rule(Fault::redirect("http://localhost/"))
        .with_rule(Fault::from(FaultAnswer::new(503).with_header("a", "b").with_body(json!({"x": 1})).after_applying()))
        .with_rule(Fault::from(FaultAnswer::new(502).with_body("down")));
    assert_eq!(plan, expected);
    for (wrong, named) in [
        (r#"{"rules": [{"fault": "hang up"}]}"#, "hang up"),
        (r#"{"rules": [{"fault": {"hang": {"aplied": true}}}]}"#, "aplied"),
        (r#"{"rules": [{"fault": "not_json", "operatoin": "get_key"}]}"#, "operatoin"),
        (r#"{"rule": []}"#, "rule"),
    ] {
        let error = serde_json::from_str::<FaultPlan>(wrong).unwrap_err().to_string();
        assert!(error.contains(named), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn every_operation_has_a_documented_name_of_its_own() {
    let emulator = emulator().await;
    for vendor in [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()]
    {
        let mut names = vendor.operations();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{}", vendor.name());
        for name in names {
            assert!(include_str!("../../src/lib.rs").contains(&format!("| `{name}` |")), "{name} is not documented");
        }
    }
}
