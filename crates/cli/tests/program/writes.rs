//! What the commands that change keys do and tell, and with which status they end.

use keymux_emulator::{Fault, FaultAnswer, FaultRule, baseten_signing_key};
use serde_json::{Value, json};

use crate::stage::{NEW, OWN, Stage, WORKSPACE, requests, run, sample};

#[test]
fn create_writes_the_plaintext_alone_to_standard_output_and_the_record_to_standard_error() {
    let stage = Stage::new();
    let group = format!("baseten:{}", stage.emulator.baseten().sample_address()[0]);
    let oneloop = [&["create", WORKSPACE][..], &NEW].concat();
    for (vendor, args) in [
        (stage.emulator.baseten(), &["create", &group, "--name", "nightly"][..]),
        (stage.emulator.mielto(), &["create", "mielto", "--name", "nightly", "--disabled"]),
        (stage.emulator.datkey(), &["create", "datkey:api_example_1", "--name", "nightly", "--meta", "team=search"]),
        (stage.emulator.oneloop(), &oneloop),
    ] {
        let ran = stage.run(args);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let record: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((&record["type"], &record["name"]), (&json!("key"), &json!("nightly")));
        let address: Vec<String> = serde_json::from_value(record["address"].clone()).unwrap();
        assert_eq!(ran.stdout, vendor.plaintext(&address).unwrap() + "\n", "{}", vendor.name());
    }
}

#[test]
fn what_a_vendor_does_not_take_or_have_is_refused_before_anything_is_sent() {
    let stage = Stage::new();
    for (args, status, names) in [
        (&["create", "mielto", "--name", "n", "--max-uses", "3"] as &[&str], 1, "`--max-uses`"),
        (&["create", "mielto"], 2, "`--name`"),
        (&["create", "mielto", "--name", "n", "--expires", "2020-01-01"], 2, "is past"),
        (&["create", "mielto", "--name", "n", "--meta", "a=1", "--meta", "a=2"], 2, "`a` is given twice"),
        (&["create", "nowhere", "--name", "n"], 2, "no account `nowhere`"),
        (&["register", "mielto", "--name", "n"], 1, "Mielto makes every plaintext itself"),
        (&["rotate", "braintrust:00000000-0000-4000-8000-000000000001", "--yes"], 1, "no rotate at Braintrust"),
        (&["update", "mielto:key_000000001"], 2, "nothing is to be changed"),
        (&["update", "mielto:key_000000001", "--name", "n", "--clear", "name"], 2, "--name sets what --clear clears"),
        (&["update", "mielto:key_000000001", "--max-uses", "3"], 1, "`--max-uses`"),
        (&["verify", "mielto"], 1, "no verify at Mielto"),
    ] {
        let ran = run(&mut stage.command(args), OWN);
        assert_eq!(ran.status, Some(status), "{args:?}: {ran:?}");
        // An object that tells the failure is for those that print records.
        let tells = matches!(args[0], "update" | "verify") && status == 1;
        assert!(ran.stderr.contains(names) && ran.stdout.is_empty() != tells, "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn register_reads_the_key_from_standard_input_and_it_works_from_then_on() {
    let stage = Stage::new();
    let ran = run(&mut stage.command(&[&["register", WORKSPACE][..], &NEW].concat()), OWN);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.of_type("key")[0]["name"], "nightly");
    let verified = run(&mut stage.command(&["verify", "oneloop", "--permission", "documents=read"]), OWN);
    assert_eq!((verified.status, &verified.lines()[0]["verdict"]), (Some(0), &json!("valid")), "{verified:?}");
}

#[test]
fn register_signs_where_the_vendor_wants_it() {
    let stage = Stage::new();
    let baseten = stage.emulator.baseten();
    let folder = crate::stage::folder("signed");
    let (pem, file) = (folder.join("signing.pem"), folder.join("keymux.toml"));
    std::fs::write(&pem, baseten_signing_key()).unwrap();
    let url = baseten.base_url();
    let account = format!(
        "[accounts.prod]\nprovider = \"baseten\"\ncredential = {{ env = \"BASETEN_API_KEY\" }}\nbase_url = \"{url}\"\n\
         signing_key_file = {pem:?}\n"
    );
    std::fs::write(&file, account).unwrap();
    let unit = format!("prod:{}", baseten.sample_address()[0]);
    let args = ["register", &unit, "--name", "mine", "--config", file.to_str().unwrap()];
    let ran = run(&mut stage.command(&args), OWN);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.of_type("key")[0]["ref"], format!("{unit}/canaryKeyOfMyOwn"), "its prefix is its address");
    let shown = run(&mut stage.command(&[&args[..], &["--dry-run"]].concat()), OWN).of_type("request");
    assert_eq!(shown[0]["headers"]["x-baseten-signature"], "[masked]");
}

#[test]
fn update_sets_switches_and_clears() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    for (args, field, value) in [
        (&["--name", "renamed"] as &[&str], "name", json!("renamed")),
        (&["--disable"], "status", json!("disabled")),
        (&["--enable"], "status", json!("active")),
        (&["--expires", "2099-01-31"], "expires_at", json!("2099-01-31T23:59:59Z")),
        (&["--ip", "192.0.2.1", "--ip", "192.0.2.2"], "ip_allowlist", json!(["192.0.2.1", "192.0.2.2"])),
        (&["--clear", "expires,ip_allowlist"], "expires_at", Value::Null),
    ] {
        let ran = stage.run(&[&["update", &key], args].concat());
        assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
        let record = &ran.lines()[0];
        let found = if field == "status" { &record["status"]["state"] } else { &record[field] };
        assert_eq!(*found, value, "{args:?}");
    }
}

#[test]
fn rotate_makes_a_second_key_and_replaces_the_plaintext_where_that_is_asked_for() {
    let stage = Stage::new();
    let oneloop = stage.emulator.oneloop();
    let before = oneloop.plaintext(oneloop.sample_address()).unwrap();
    let ran = stage.run(&["rotate", &sample(oneloop), "--native", "--yes"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_ne!(ran.stdout.trim_end(), before);
    assert_eq!(ran.stdout.trim_end(), oneloop.plaintext(oneloop.sample_address()).unwrap());
    assert!(ran.stderr.contains("in place of the old one"), "{ran:?}");

    let old = sample(stage.emulator.baseten());
    let file = crate::stage::folder("second-key").join("key");
    let ran = stage.run(&["rotate", &old, "--yes", "--secret-file", file.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains(&format!("takes the place of {old}, which is revoked")), "{ran:?}");
    assert_eq!(stage.run(&["get", &old]).status, Some(4));
}

#[test]
fn a_rotation_that_leaves_the_old_key_is_partial_and_says_so() {
    let stage = Stage::new();
    let baseten = stage.emulator.baseten();
    baseten.faults(FaultRule::new(Fault::status(403)).on("revoke_api_key")).unwrap();
    let file = crate::stage::folder("left").join("key");
    let ran = stage.run(&["rotate", &sample(baseten), "--yes", "--secret-file", file.to_str().unwrap()]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(file.exists() && ran.stderr.contains("Both keys may work"), "{ran:?}");
}

#[test]
fn a_verdict_is_an_object_and_an_exit_status() {
    let stage = Stage::new();
    let datkey = stage.emulator.datkey();
    let valid = datkey.plaintext(datkey.sample_address()).unwrap();
    let of = |plaintext: &str| run(&mut stage.command(&["verify", "datkey:api_example_1"]), plaintext);
    for (plaintext, status, verdict) in [(&*valid, 0, "valid"), ("canary-nobody-has", 8, "refused")] {
        let ran = of(plaintext);
        assert_eq!(ran.status, Some(status), "{ran:?}");
        let object = &ran.lines()[0];
        assert_eq!((&object["type"], &object["verdict"]), (&json!("verdict"), &json!(verdict)));
    }
    for (answer, status, kind) in [(401, 5, "unauthenticated"), (500, 1, "server"), (429, 6, "rate_limited")] {
        let answer = FaultAnswer::new(answer).with_header("Retry-After", "3600");
        datkey.faults(FaultRule::new(answer)).unwrap();
        let ran = of(&valid);
        assert_eq!(ran.status, Some(status), "{ran:?}");
        let object = &ran.lines()[0];
        assert_eq!((&object["verdict"], &object["error"]["kind"]), (&json!("could_not_tell"), &json!(kind)));
    }
}

#[test]
fn revoke_tells_what_became_of_each_key() {
    let stage = Stage::new();
    let (mielto, datkey) = (sample(stage.emulator.mielto()), sample(stage.emulator.datkey()));
    let ran = stage.run(&["revoke", &mielto, &datkey, &mielto, "mielto:nope", "--yes"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let mut gone: Vec<Value> = ran.of_type("revoked").iter().map(|row| row["ref"].clone()).collect();
    gone.sort_by_key(Value::to_string);
    assert_eq!(gone, [json!(datkey), json!(mielto)], "a key that is named twice is revoked once");
    assert_eq!(ran.of_type("error")[0]["ref"], "mielto:nope");
    assert_eq!(stage.run(&["get", &mielto]).status, Some(4));

    let all = format!("{mielto}\n\n{datkey}\n");
    assert_eq!(run(&mut stage.command(&["revoke", "-", "--yes"]), &all).status, Some(4), "both are gone");
    assert_eq!(run(&mut stage.command(&["revoke", "-", "--yes"]), "\n").status, Some(0), "nothing to do");
}

#[test]
fn nothing_is_revoked_on_a_mistake_or_without_consent() {
    let stage = Stage::new();
    let good = sample(stage.emulator.mielto());
    for (args, names) in [
        (&["revoke", &good] as &[&str], "add --yes"),
        (&["revoke", &good, "--quiet"], "--quiet asks nothing"),
        (&["rotate", "oneloop:w/k"], "add --yes"),
        (&["revoke", &good, "mielto", "--yes"], "nothing was revoked"),
        (&["revoke", &good, "nowhere:k", "--yes"], "no account `nowhere`"),
        (&["revoke", &good, "nowhere:k", "--yes"], "; nothing was revoked"),
    ] {
        let ran = stage.run(args);
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(names) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_key_that_is_gone_after_a_lost_answer_is_told_as_such() {
    let stage = Stage::new();
    let mielto = stage.emulator.mielto();
    mielto.faults(FaultRule::new(Fault::Reset { applied: true }).on("delete_api_key").nth(1)).unwrap();
    let ran = stage.run(&["revoke", &sample(mielto), "--yes"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.lines()[0]["after_lost_answer"], true);
    assert!(ran.stderr.contains("the answer was lost"), "{ran:?}");
}

#[test]
fn a_lost_answer_to_a_create_is_an_unknown_outcome_with_a_way_to_find_out() {
    let stage = Stage::new();
    let mielto = stage.emulator.mielto();
    mielto.faults(FaultRule::new(Fault::Reset { applied: true }).on("create_api_key")).unwrap();
    let ran = stage.run(&["create", "mielto", "--name", "n"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(7), ""), "{ran:?}");
    assert!(ran.stderr.contains("outcome unknown") && ran.stderr.contains("list"), "{ran:?}");
    assert_eq!(mielto.request_count(), 1);
}
