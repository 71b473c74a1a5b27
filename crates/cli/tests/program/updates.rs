//! Many keys changed alike: each has an outcome of its own.

use crate::stage::{Stage, requests, run, sample};

/// Keys of Mielto that are there.
fn some(stage: &Stage, count: usize) -> Vec<String> {
    let made = |number: usize| {
        let ran = stage.run(&["create", "mielto", "--name", &format!("n{number}"), "-o", "ndjson"]);
        let record: serde_json::Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        record["ref"].as_str().unwrap().to_owned()
    };
    (0..count).map(made).collect()
}

#[test]
fn one_failure_stops_no_other_key_and_each_has_its_row() {
    let stage = Stage::new();
    let keys = some(&stage, 3);
    let input = format!("{}\nmielto:nope\n{}\n{}\n{}\n", keys[0], keys[1], keys[2], keys[0]);
    let ran = run(&mut stage.command(&["update", "-", "--disable", "--yes"]), &input);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let mut updated: Vec<String> =
        ran.of_type("updated").iter().map(|row| row["ref"].as_str().unwrap().to_owned()).collect();
    updated.sort();
    let mut all = keys.clone();
    all.sort();
    assert_eq!(updated, all);
    assert!(ran.of_type("updated").iter().all(|row| row["key"]["status"]["state"] == "disabled"), "{ran:?}");
    let [error] = &ran.of_type("error")[..] else { panic!("{ran:?}") };
    assert_eq!((&error["ref"], &error["kind"]), (&"mielto:nope".into(), &"not_found".into()));
}

#[test]
fn after_so_many_failures_nothing_more_is_sent_and_the_rest_is_named() {
    let stage = Stage::new();
    let input = (0..40).map(|number| format!("mielto:nope_{number:02}")).collect::<Vec<_>>().join("\n");
    let ran = run(&mut stage.command(&["update", "-", "--disable", "--yes", "--stop-after", "1"]), &input);
    assert_eq!(ran.status, Some(4), "{ran:?}");
    let (_, rest) = ran.stderr.split_once("these keys are not changed:\n").unwrap();
    let sent = ran.of_type("error").len();
    assert!((1..=8).contains(&sent) && sent + rest.lines().count() == 40, "{sent}: {ran:?}");
    assert_eq!(requests(&stage), sent as u64);
}

#[test]
fn a_mistake_changes_nothing_and_a_question_is_needed_for_many_alone() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    for (args, input, says) in [
        (&["update", "-", "--disable", "--yes"][..], format!("{key}\nnowhere:key\n"), "nothing was changed"),
        (&["update", "-", "--disable", "--yes"], format!("{key}\nx\n"), "line 2 of standard input"),
        (&["update", "-", "--disable"], format!("{key}\n"), "add --yes"),
        (&["update", &key, "mielto:other", "--disable"], String::new(), "add --yes"),
        (&["update", "-", "--yes"], format!("{key}\n"), "nothing is to be changed"),
    ] {
        let ran = run(&mut stage.command(args), &input);
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says), "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
    let none = run(&mut stage.command(&["update", "-", "--disable", "--yes"]), "\n");
    assert_eq!((none.status, requests(&stage)), (Some(0), 0), "{none:?}");
    assert_eq!(stage.run(&["update", &key, "--disable"]).status, Some(0), "one key needs no question");
}

#[test]
fn a_rehearsal_shows_each_request_and_sends_none() {
    let stage = Stage::new();
    let ran = run(&mut stage.command(&["update", "-", "--name", "q", "--dry-run"]), "mielto:a\nmielto:b\n");
    assert_eq!((ran.status, ran.of_type("request").len(), requests(&stage)), (Some(0), 2, 0), "{ran:?}");
}
