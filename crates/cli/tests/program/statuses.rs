//! The exit statuses, each with the failure that has it.

use crate::stage::{Stage, bare, run, scripted};

const NOT_FOUND: (u16, &str) = (404, "");

#[test]
fn each_kind_of_failure_has_its_exit_status() {
    let table: &[((u16, &str), i32)] = &[
        (NOT_FOUND, 4),
        ((401, ""), 5),
        ((403, ""), 5),
        ((429, "retry-after: 3600\r\n"), 6),
        ((400, ""), 1),
        ((302, ""), 1),
    ];
    for ((status, headers), exit) in table {
        let url = scripted(*status, headers);
        for format in ["table", "json", "ndjson", "csv"] {
            let mut command = bare(&["get", "mielto:key_1", "-o", format]);
            command.env("MIELTO_API_KEY", "k").env("MIELTO_BASE_URL", &url);
            let ran = run(&mut command, "");
            assert_eq!(ran.status, Some(*exit), "{status} {format}: {ran:?}");
            assert!(ran.stderr.starts_with("keymux: mielto:key_1: mielto "), "{ran:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        }
    }
}

#[test]
fn a_command_that_prints_records_prints_its_failure_as_an_object_in_json() {
    let stage = Stage::new();
    for (args, status, kind) in [
        (&["get", "mielto:nope"] as &[&str], 4, "not_found"),
        (&["update", "mielto:nope", "--name", "q"], 4, "not_found"),
        (&["update", "mielto:nope", "--max-uses", "3", "--dry-run"], 1, "unsupported"),
        (&["revoke", "mielto:nope", "--yes"], 4, "not_found"),
        (&["verify", "mielto"], 1, "unsupported"),
        (&["verify", "mielto", "--dry-run"], 1, "unsupported"),
    ] {
        for format in ["json", "ndjson", "table", "csv"] {
            let ran = run(&mut stage.command(&[args, &["-o", format]].concat()), "k");
            assert_eq!(ran.status, Some(status), "{args:?} {format}: {ran:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "{args:?} {format}: {ran:?}");
            if format.ends_with("json") {
                let object: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!((&object["type"], &object["kind"]), (&"error".into(), &kind.into()), "{args:?} {format}");
                let key = args.iter().find(|argument| argument.contains(':'));
                assert_eq!(object["ref"].as_str(), key.copied(), "{args:?} {format}");
            } else {
                assert!(!ran.stdout.contains(kind), "{args:?} {format}: {ran:?}");
            }
        }
    }
}

#[test]
fn a_rate_limit_says_until_when() {
    let mut command = bare(&["get", "mielto:key_1"]);
    command.env("MIELTO_API_KEY", "k").env("MIELTO_BASE_URL", scripted(429, "retry-after: 3600\r\n"));
    let ran = run(&mut command, "");
    assert!(ran.stderr.contains("; again at 2") && ran.stderr.contains("(in 1 hour)"), "{ran:?}");
    assert_eq!(ran.lines()[0]["retry_after_seconds"], 3600.0);
}

#[test]
fn something_that_failed_beside_something_that_came_is_partial() {
    let stage = Stage::new();
    let good = format!("mielto:{}", stage.emulator.mielto().sample_address()[0]);
    let ran = stage.run(&["get", &good, "mielto:nope"]);
    assert_eq!(ran.status, Some(3));
    assert_eq!((ran.of_type("key").len(), ran.of_type("error").len()), (1, 1));
    assert_eq!(stage.run(&["get", "mielto:nope", "mielto:neither"]).status, Some(4));
    assert_eq!(stage.run(&["get", &good]).status, Some(0));
}

#[test]
fn wrong_usage_and_configuration_are_told_with_the_mend_and_nothing_is_sent() {
    let stage = Stage::new();
    for (args, says) in [
        (&["get", "mielto"] as &[&str], "account:id"),
        (&["get", "nowhere:x"], "there are: baseten"),
        (&["get", "baseten:only-one"], "group_id/api_key_prefix"),
        (&["list", "nowhere"], "no account `nowhere`"),
        (&["list", "--filter", "expire<30d"], "did you mean `expires_at`"),
        (&["list", "--sort", "nam"], "did you mean `name`"),
        (&["list", "--columns", "ref,stat", "-o", "csv"], "did you mean `status`"),
        (&["list", "--columns", "ref", "-o", "json"], "JSON has every field"),
        (&["providers", "acme"], "there is no vendor `acme`"),
        (&["list", "--output", "yaml"], "possible values"),
        (&["--config", "/nowhere/keymux.toml", "list"], "/nowhere/keymux.toml"),
    ] {
        let ran = stage.run(args);
        assert_eq!(ran.status, Some(2), "{args:?} {ran:?}");
        assert!(ran.stderr.contains(says), "{args:?} {ran:?}");
    }
    for vendor in stage.vendors() {
        assert!(vendor.requests().is_empty(), "{}", vendor.name());
    }
}

#[test]
fn without_any_account_the_message_says_how_to_get_one() {
    for (args, status) in [(&["list"] as &[&str], 2), (&["scopes"], 2), (&["accounts", "check"], 2), (&["accounts"], 0)]
    {
        let ran = run(&mut bare(args), "");
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.contains("keymux.toml") && ran.stderr.contains("MIELTO_API_KEY"), "{ran:?}");
    }
}

#[test]
fn quiet_silences_notes_and_no_error() {
    let stage = Stage::new();
    for (args, status, says) in [
        (&["get", "mielto:nope"] as &[&str], 4, "keymux: mielto:nope: mielto get_api_key: not found"),
        (&["list", "--filter", "expire<30d"], 2, "did you mean `expires_at`"),
        (&["list", "nowhere"], 2, "no account `nowhere`"),
        (&["revoke", "mielto:nope", "--yes"], 4, "keymux: mielto:nope: mielto delete_api_key: not found"),
    ] {
        let ran = stage.run(&[args, &["--quiet", "-o", "table"]].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(status), ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says) && ran.stderr.lines().count() == 1, "{args:?}: {ran:?}");
    }
    let ran = stage.run(&["list", "mielto", "--quiet", "-o", "table"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
}
