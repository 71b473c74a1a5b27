//! Rotations as users begin them, keep old keys, prove new ones, go on, and rotate many.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use keymux_emulator::{Fault, FaultRule};
use serde_json::Value;

use crate::ends::Running;
use crate::stage::{APART, Stage, folder, names, run, sample};

fn works(stage: &Stage, key: &str) -> bool {
    stage.run(&["get", key]).status == Some(0)
}

/// The reference of the new key in what was written beside its plaintext.
fn made(file: &std::path::Path) -> String {
    let beside = fs::read_to_string(file.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&beside).unwrap()["ref"].as_str().unwrap().to_owned()
}

#[test]
fn a_pipe_keeps_the_old_key_until_its_reader_has_stored_the_plaintext_and_says_so() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let ran = stage.run(&["rotate", &key, "--yes"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let next = format!("keymux rotate --resume {key} --stored");
    assert!(ran.stdout.len() > 8 && ran.stderr.contains(&next), "{ran:?}");
    assert!(works(&stage, &key));
    let text = fs::read_to_string(&stage.states()[0]).unwrap();
    assert!(!text.contains(ran.stdout.trim_end()), "no secret is in it");
    let ran = stage.run(&["rotate", "--resume", &key, "--stored"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!works(&stage, &key) && stage.states().is_empty(), "{ran:?}");
    assert_eq!(stage.run(&["rotate", "--resume", &key]).status, Some(2), "there is none any more");
}

#[test]
fn standard_output_that_is_a_file_is_a_store() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let path = folder("stdout-file").join("key");
    let file = fs::File::create(&path).unwrap();
    let status = stage.command(&["rotate", &key, "--yes", "-q"]).stdout(file).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(fs::read_to_string(&path).unwrap().len() > 8 && !works(&stage, &key));
}

#[test]
fn a_store_command_has_the_plaintext_on_standard_input_and_the_keys_in_its_environment() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let folder = folder("store-command");
    let script =
        format!("cat > {0}/key && printenv KEYMUX_REF KEYMUX_OLD_REF KEYMUX_ACCOUNT > {0}/env", folder.display());
    let mut command = stage.command(&["rotate", &key, "--yes", "--store", "--", "/bin/sh", "-c", &script]);
    let ran = run(command.env("PATH", "/usr/bin:/bin"), "");
    assert_eq!((ran.status, &*ran.stdout), (Some(0), ""), "{ran:?}");
    let env = fs::read_to_string(folder.join("env")).unwrap();
    let lines: Vec<&str> = env.lines().collect();
    assert_eq!(lines[1..], [&*key, "mielto"]);
    let address = [lines[0].split_once(':').unwrap().1.to_owned()];
    assert_eq!(stage.emulator.mielto().plaintext(&address), Some(fs::read_to_string(folder.join("key")).unwrap()));
}

#[test]
fn a_signal_while_a_plaintext_is_stored_waits_for_it_and_the_next_run_goes_on() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let kept = folder("signal-store").join("key");
    let script = format!("echo storing >&2; sleep 1; cat > {}", kept.display());
    let mut command = stage.command(&["rotate", &key, "--yes", "--store", "--", "/bin/sh", "-c", &script]);
    command.env("PATH", "/usr/bin:/bin");
    let mut running = Running::new(command);
    running.says("storing");
    running.signal("-TERM");
    std::thread::sleep(APART);
    running.signal("-TERM");
    assert_eq!(running.end().status, Some(143));
    assert!(fs::read_to_string(&kept).unwrap().len() > 8 && works(&stage, &key));
    assert_eq!(stage.run(&["rotate", "--resume", &key]).status, Some(0));
    assert!(!works(&stage, &key));
}

#[test]
fn an_old_key_is_kept_for_as_long_as_it_is_asked() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let folder = folder("kept");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let ran = stage.run(&["rotate", &key, "--yes", "--keep-old", "--secret-file", &file("a")]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("--revoke-old") && works(&stage, &key), "{ran:?}");
    assert_eq!(stage.run(&["rotate", "--resume", &key]).status, Some(0));
    assert!(works(&stage, &key));
    assert_eq!(stage.run(&["rotate", "--resume", &key, "--revoke-old"]).status, Some(0));
    assert!(!works(&stage, &key) && stage.states().is_empty());

    let second = made(&folder.join("a"));
    let ran = stage.run(&["rotate", &second, "--yes", "--revoke-old-after", "24h", "--secret-file", &file("b")]);
    assert!(ran.status == Some(0) && ran.stderr.contains("is kept until"), "{ran:?}");
    assert_eq!(stage.run(&["rotate", &second, "--yes"]).status, Some(0), "it goes on, and it is not time");
    assert!(works(&stage, &second));
}

#[test]
fn a_new_key_that_is_not_seen_to_work_leaves_both() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let folder = folder("proof");
    let (file, tried) = (folder.join("key"), folder.join("tried"));
    let path = file.to_str().unwrap();
    let fails = ["--prove", "--prove-within", "1s", "--", "/bin/false"];
    let ran = stage.run(&[&["rotate", &key, "--yes", "--secret-file", path][..], &fails].concat());
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(works(&stage, &key) && works(&stage, &made(&file)));
    assert_eq!(stage.run(&["rotate", "--resume", &key]).status, Some(3), "the plan wants a proof");
    let script = format!("cat > {}", tried.display());
    let proves = ["rotate", "--resume", &key, "--prove", "--", "/bin/sh", "-c", &script];
    let ran = run(stage.command(&proves).env("PATH", "/usr/bin:/bin"), "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(fs::read(&tried).unwrap(), fs::read(&file).unwrap());
    assert!(!works(&stage, &key));
}

#[test]
fn an_old_key_that_somebody_has_ended_already_is_no_failure() {
    let stage = Stage::new();
    let mielto = stage.emulator.mielto();
    mielto.faults(FaultRule::new(Fault::status(404)).on("delete_api_key")).unwrap();
    let file = folder("gone").join("key");
    let ran = stage.run(&["rotate", &sample(mielto), "--yes", "--secret-file", file.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("which is gone already") && stage.states().is_empty(), "{ran:?}");
}

#[test]
fn a_state_that_was_named_stays_and_running_it_again_changes_nothing() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let folder = folder("named-state");
    let (path, file) = (folder.join("state.ndjson"), folder.join("key"));
    let args = ["rotate", &key, "--yes", "--state", path.to_str().unwrap(), "--secret-file", file.to_str().unwrap()];
    assert_eq!(stage.run(&args).status, Some(0));
    let asked = stage.emulator.mielto().request_count();
    assert_eq!(stage.run(&args).status, Some(0));
    assert_eq!(stage.run(&["rotate", "--resume", path.to_str().unwrap()]).status, Some(0));
    assert_eq!(stage.emulator.mielto().request_count(), asked);
    let ran = stage.run(&["rotate", "mielto:another", "--yes", "--state", path.to_str().unwrap()]);
    assert!(ran.status == Some(2) && ran.stderr.contains("name another file"), "{ran:?}");
}

#[test]
fn a_second_run_on_one_rotation_is_refused() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let args = ["rotate", &key, "--yes", "--store", "--", "/bin/sh", "-c", "echo storing >&2; sleep 1; cat >/dev/null"];
    let mut command = stage.command(&args);
    command.env("PATH", "/usr/bin:/bin");
    let mut running = Running::new(command);
    running.says("storing");
    let ran = stage.run(&["rotate", &key, "--yes"]);
    assert!(ran.status == Some(2) && ran.stderr.contains("another keymux (process "), "{ran:?}");
    assert_eq!(running.end().status, Some(0));
}

#[test]
fn many_keys_are_planned_in_a_file_and_rotated_by_it() {
    let stage = Stage::new();
    let (baseten, mielto, braintrust) =
        (sample(stage.emulator.baseten()), sample(stage.emulator.mielto()), sample(stage.emulator.braintrust()));
    let folder = folder("many");
    let (plan, secrets) = (folder.join("plan.json"), folder.join("secrets"));
    let (plan_path, secrets_path) = (plan.to_str().unwrap(), secrets.to_str().unwrap());
    let refs = format!("{baseten}\n{mielto}\n{braintrust}\n");
    let ran = run(&mut stage.command(&["rotate", "-", "--plan", plan_path]), &refs);
    assert_eq!(ran.status, Some(3), "one cannot be rotated: {ran:?}");
    let text = fs::read_to_string(&plan).unwrap();
    let object: Value = serde_json::from_str(&text).unwrap();
    let entry = |number: usize| &object["rotations"][number];
    assert!(entry(2)["action"] == "skip" && entry(2)["why"].as_str().unwrap().contains("Braintrust"), "{text}");
    assert!(entry(0)["old_key"] == "revoke" && entry(0)["copied"].is_object(), "{text}");
    assert!(stage.vendors().iter().all(|vendor| vendor.requests().iter().all(|request| request.method() == "GET")));

    stage.emulator.baseten().faults(FaultRule::new(Fault::status(403)).on("create_api_key")).unwrap();
    let apply = ["rotate", "--apply", plan_path, "--yes", "--secret-dir", secrets_path];
    let ran = stage.run(&apply);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let rows = ran.of_type("rotation");
    assert!(rows.len() == 1 && rows[0]["ref"] == *mielto && rows[0]["old_key"] == "revoked", "{ran:?}");
    assert_eq!(ran.of_type("error")[0]["ref"], *baseten);
    assert!(ran.stderr.contains("1 rotated, 0 with the old key kept, 1 failed, 0 not begun"), "{ran:?}");
    assert!(works(&stage, &baseten) && !works(&stage, &mielto));

    stage.emulator.baseten().faults(keymux_emulator::FaultPlan::default()).unwrap();
    let asked = stage.emulator.mielto().request_count();
    let ran = stage.run(&apply);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(stage.emulator.mielto().request_count(), asked, "what is done stays done");
    assert!(!works(&stage, &baseten));
    assert_eq!(names(&secrets).len(), 4, "a plaintext and a record each");
    assert_eq!(stage.run(&apply).status, Some(0));
}

#[test]
fn a_plan_with_a_mistake_stops_before_anything_is_sent() {
    let stage = Stage::new();
    let plan = folder("wrong-plan").join("plan.json");
    let secrets = folder("wrong-plan-secrets");
    for entry in [
        r#"{"ref": "mielto:key_000000001", "action": "rotate", "old_key": "later"}"#,
        r#"{"ref": "mielto:key_000000001", "action": "rotate", "oldkey": "keep"}"#,
        r#"{"ref": "nowhere:k", "action": "rotate"}"#,
    ] {
        fs::write(&plan, format!("{{\"keymux_rotation_plan\": 1, \"rotations\": [{entry}]}}")).unwrap();
        let ran = stage.run(&[
            "rotate",
            "--apply",
            plan.to_str().unwrap(),
            "--yes",
            "--secret-dir",
            secrets.to_str().unwrap(),
        ]);
        assert_eq!(ran.status, Some(2), "{ran:?}");
    }
    assert_eq!(crate::stage::requests(&stage), 0);
}

#[test]
fn a_key_is_made_like_another_which_is_left() {
    let stage = Stage::new();
    let key = sample(stage.emulator.baseten());
    let file = folder("like").join("key");
    let ran = stage.run(&["create", "--like", &key, "--name", "second", "--secret-file", file.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let (first, second) = (stage.run(&["get", &key]), stage.run(&["get", &made(&file)]));
    let field = |ran: &crate::stage::Ran, name: &str| ran.lines()[0][name].clone();
    assert_eq!(field(&second, "name"), "second");
    assert_eq!(field(&first, "owner")["group"], field(&second, "owner")["group"]);
}

#[test]
fn commands_that_are_not_said_what_for_are_refused() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let (store, both) = (&["--store"] as &[&str], &["--store", "--prove", "--", "cat"] as &[&str]);
    for args in [&["--", "cat"] as &[&str], store, both] {
        let ran = stage.run(&[&["rotate", &key, "--yes"], args].concat());
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
    }
    let mut child = stage.command(&["rotate", "-", "--yes"]);
    let mut child: std::process::Child =
        Command::spawn(child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped())).unwrap();
    let _ = child.stdin.take().unwrap().write_all(key.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--plan"));
    assert_eq!(crate::stage::requests(&stage), 0);
}
