//! `--dry-run`: what would be sent, and nothing sent.

use serde_json::{Value, json};

use crate::stage::{NEW, OWN, Stage, WORKSPACE, requests, run, sample};

#[test]
fn a_dry_run_shows_the_request_that_would_be_sent_and_sends_nothing() {
    let (rehearsed, real) = (Stage::new(), Stage::new());
    let of_oneloop = sample(rehearsed.emulator.oneloop());
    let of_mielto = sample(rehearsed.emulator.mielto());
    let create = [&["create", WORKSPACE][..], &NEW].concat();
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    for (vendor, args, body) in [
        (4, &create as &[&str], Some(("name", json!("nightly")))),
        (4, &register, Some(("key", json!("[masked]")))),
        (4, &["rotate", &of_oneloop, "--native", "--yes"], None),
        (4, &["update", &of_oneloop, "--disable"], Some(("enabled", json!(false)))),
        (4, &["verify", "oneloop"], Some(("key", json!("[masked]")))),
        (3, &["verify", "datkey:api_example_1"], Some(("key", json!("[masked]")))),
        (2, &["update", &of_mielto, "--clear", "expires"], Some(("expires_at", Value::Null))),
        (2, &["revoke", &of_mielto, "--yes"], None),
    ] {
        let ran = run(&mut rehearsed.command(&[args, &["--dry-run"]].concat()), OWN);
        assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
        let shown = &ran.of_type("request")[0];
        if let Some((member, value)) = body {
            let sent = &shown["body"];
            assert_eq!(sent.pointer(&format!("/{member}")), Some(&value), "{args:?}: {shown}");
        }
        run(&mut real.command(args), OWN);
        let sent = real.vendors()[vendor].requests().pop().unwrap();
        let url = format!("{}{}", rehearsed.vendors()[vendor].base_url(), sent.path());
        assert_eq!((&shown["method"], &shown["url"]), (&json!(sent.method()), &json!(url)), "{args:?}");
        for secret in [rehearsed.vendors()[vendor].credential(), OWN.trim_end()] {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{args:?}: {ran:?}");
        }
        assert!(ran.stdout.contains("[masked]"), "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&rehearsed), 0);
}

#[test]
fn a_rotation_shows_its_plan_and_its_three_requests_and_looks_the_key_up_alone() {
    let stage = Stage::new();
    let ran = stage.run(&["rotate", &sample(stage.emulator.baseten()), "--dry-run"]);
    let rows = ran.of_type("request");
    let methods: Vec<&Value> = rows.iter().map(|row| &row["method"]).collect();
    assert_eq!(methods, ["GET", "POST", "DELETE"]);
    assert!(rows[1]["body"].is_object() && rows[2]["note"].as_str().unwrap().contains("is stored"), "{ran:?}");
    assert!(ran.stderr.contains("revoked once the new plaintext is stored"), "{ran:?}");
    assert!(ran.stderr.lines().all(|line| line.chars().count() <= 80), "{ran:?}");
    assert_eq!(requests(&stage), 1);
    assert!(stage.states().is_empty());
}

#[test]
fn a_dry_run_refuses_what_would_be_refused() {
    let stage = Stage::new();
    let ran = stage.run(&["create", "mielto", "--name", "n", "--customer", "c", "--dry-run"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("`--customer`"), "{ran:?}");
}

#[test]
fn a_dry_run_makes_no_file() {
    let stage = Stage::new();
    let file = crate::stage::folder("dry-run").join("key");
    let args = ["create", "mielto", "--name", "n", "--dry-run", "--secret-file", file.to_str().unwrap()];
    assert_eq!(stage.run(&args).status, Some(0));
    assert!(!file.exists());
}

#[test]
fn an_end_that_is_told_by_a_span_is_sent_in_whole_seconds() {
    let stage = Stage::new();
    let mielto = sample(stage.emulator.mielto());
    for args in [&["create", "mielto", "--name", "n"][..], &["update", &mielto]] {
        // That `now` has no parts of a second by chance, three times, is not to be expected.
        for span in ["90d", "1y", "12h"] {
            let ran = stage.run(&[args, &["--expires", span, "--dry-run"]].concat());
            let end = &ran.of_type("request")[0]["body"]["expires_at"];
            assert_eq!(end.as_str().map(str::len), Some("2026-01-31T12:00:00Z".len()), "{args:?} {span}: {end}");
        }
    }
}

#[test]
fn a_dry_run_shows_the_members_in_the_order_in_which_they_are_sent() {
    let stage = Stage::new();
    let ran = stage.run(&["create", "mielto", "--name", "n", "--ip", "192.0.2.1", "--permission", "z", "--dry-run"]);
    let at = |member: &str| ran.stdout.find(&format!("\"{member}\":")).unwrap_or_else(|| panic!("{member}: {ran:?}"));
    assert!(at("label") < at("ip_whitelist"), "{ran:?}");
}
