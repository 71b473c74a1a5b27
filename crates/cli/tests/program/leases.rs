//! A key for one command: made before, in the command's environment alone, revoked after, and found after a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;

use keymux_emulator::{Fault, FaultRule};
use serde_json::Value;

use crate::ends::Running;
use crate::stage::{APART, Ran, Stage, folder, names, requests, run, silent};

const RUN: [&str; 8] = ["run", "--create", "mielto", "--env", "LEASED", "--name", "nightly", "--"];

/// The program with a state folder of its own, and with commands to run.
fn command(stage: &Stage, home: &Path, args: &[&str]) -> Command {
    let mut command = stage.command(args);
    command.env("PATH", "/usr/bin:/bin").env("XDG_STATE_HOME", home);
    command
}

fn lease(stage: &Stage, home: &Path, script: &str) -> Ran {
    run(&mut command(stage, home, &[&RUN[..], &["sh", "-c", script]].concat()), "")
}

fn leases(home: &Path) -> Vec<PathBuf> {
    let folder = home.join("keymux");
    if !folder.exists() {
        return Vec::new();
    }
    names(&folder).into_iter().filter(|name| name.starts_with("lease-")).map(|name| folder.join(name)).collect()
}

/// The keys of Mielto by name and reference.
fn keys(stage: &Stage) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let keys = stage.run(&["list", "mielto"]).of_type("key");
    let all = keys.iter().map(|key| (text(&key["name"]), text(&key["ref"])));
    all.filter(|(name, _)| name.contains("[keymux ")).collect()
}

#[test]
fn the_command_has_the_plaintext_in_its_environment_and_the_key_ends_with_it() {
    let (stage, home) = (Stage::new(), folder("lease"));
    let script = "printf %s \"$LEASED\"; tr '\\0' '\\n' </proc/$PPID/environ | grep -c LEASED; cat \"$XDG_STATE_HOME\"/keymux/lease-*";
    let ran = lease(&stage, &home, script);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let (plaintext, rest) = ran.stdout.split_once("0\n").expect("it is not in the environment of its parent");
    assert!(plaintext.len() > 12, "{ran:?}");
    assert!(!rest.contains(plaintext) && !ran.stderr.contains(plaintext), "{ran:?}");
    let lines: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{rest}");
    assert!(lines[0]["address"].is_null() && lines[1]["address"].is_array(), "{rest}");
    assert_eq!((keys(&stage), leases(&home)), (vec![], vec![]));
    assert_eq!(fs::metadata(home.join("keymux")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn the_state_is_its_owners_alone_and_there_before_the_key_is() {
    let (stage, home) = (Stage::new(), folder("lease-home"));
    let (url, told) = silent();
    let mut command = command(&stage, &home, &[&RUN[..], &["true"]].concat());
    command.env("MIELTO_BASE_URL", url);
    let running = Running::new(command);
    told.recv().unwrap();
    let [path] = &leases(&home)[..] else { panic!("one lease is begun") };
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    running.signal("-KILL");
    running.end();
    let orphans = run(&mut crate::leases::command(&stage, &home, &["orphans", "mielto"]), "");
    let [orphan] = &orphans.of_type("orphan")[..] else { panic!("{orphans:?}") };
    let id = orphan["id"].as_str().unwrap();
    assert_eq!((&orphan["ref"], &orphan["revoke"], &orphan["found_by"]), (&Value::Null, &Value::Null, &"lease".into()));
    assert_eq!(orphan["acknowledge"], format!("keymux orphans --acknowledge {id}"));
    let acknowledged = run(&mut crate::leases::command(&stage, &home, &["orphans", "--acknowledge", id]), "");
    assert_eq!((acknowledged.status, leases(&home)), (Some(0), vec![]), "{acknowledged:?}");
}

#[test]
fn the_status_is_the_commands_own_and_a_command_that_is_not_there_gets_no_key() {
    let (stage, home) = (Stage::new(), folder("lease-status"));
    for (script, status) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(lease(&stage, &home, script).status, Some(status), "{script}");
    }
    assert_eq!((keys(&stage), leases(&home)), (vec![], vec![]));
    let before = requests(&stage);
    let ran = run(&mut command(&stage, &home, &[&RUN[..], &["no-such-command"]].concat()), "");
    assert_eq!((ran.status, requests(&stage)), (Some(127), before), "{ran:?}");
    let plain = folder("lease-plain").join("plain");
    fs::write(&plain, "echo").unwrap();
    let ran = run(&mut command(&stage, &home, &[&RUN[..], &[plain.to_str().unwrap()]].concat()), "");
    assert_eq!((ran.status, keys(&stage), leases(&home)), (Some(126), vec![], vec![]), "{ran:?}");
}

#[test]
fn signals_are_passed_on_and_a_command_that_ignores_them_is_waited_for() {
    let (stage, home) = (Stage::new(), folder("lease-signals"));
    for (signal, trap, status) in [
        ("-TERM", "", 143),
        ("-HUP", "", 129),
        ("-USR1", "", 138),
        ("-INT", "trap 'exit 9' INT;", 9),
        ("-TERM", "trap '' TERM;", 5),
    ] {
        let script = format!("{trap} echo ready >&2; n=0; while [ $n -lt 8 ]; do sleep 0.1; n=$((n+1)); done; exit 5");
        let mut running = Running::new(command(&stage, &home, &[&RUN[..], &["sh", "-c", &script]].concat()));
        running.says("ready");
        running.signal(signal);
        let ran = running.end();
        assert_eq!(ran.status, Some(status), "{signal} {trap}: {ran:?}");
        assert_eq!((keys(&stage), leases(&home)), (vec![], vec![]), "{signal} {trap}");
    }
}

#[test]
fn many_signals_do_not_end_it_before_the_command_does() {
    let (stage, home) = (Stage::new(), folder("lease-many"));
    let script = "trap '' TERM INT; echo ready >&2; sleep 1.2; exit 0";
    let mut running = Running::new(command(&stage, &home, &[&RUN[..], &["sh", "-c", script]].concat()));
    running.says("ready");
    for signal in ["-TERM", "-INT", "-TERM"] {
        running.signal(signal);
        sleep(APART);
    }
    let ran = running.end();
    assert_eq!((ran.status, keys(&stage), leases(&home)), (Some(0), vec![], vec![]), "{ran:?}");
}

#[test]
fn after_a_kill_the_key_is_an_orphan_until_it_is_revoked() {
    let (stage, home) = (Stage::new(), folder("lease-killed"));
    let script = "echo ready >&2; sleep 1";
    let mut running = Running::new(command(&stage, &home, &[&RUN[..], &["sh", "-c", script]].concat()));
    running.says("ready");
    let orphans = || run(&mut command(&stage, &home, &["orphans", "mielto"]), "");
    assert!(orphans().of_type("orphan").is_empty(), "its run goes on");
    running.signal("-KILL");
    running.end();
    let found = orphans();
    let [orphan] = &found.of_type("orphan")[..] else { panic!("{found:?}") };
    let [(name, key)] = &keys(&stage)[..] else { panic!("one key is left") };
    assert_eq!((orphan["ref"].as_str(), orphan["found_by"].as_str()), (Some(&**key), Some("lease")));
    assert_eq!(orphan["revoke"], format!("keymux revoke {key}"));
    assert!(name.starts_with("nightly [keymux "), "{name}");

    // On another machine the stamp alone tells.
    let elsewhere = folder("lease-elsewhere");
    let found = run(&mut command(&stage, &elsewhere, &["orphans", "-o", "csv"]), "");
    assert!(found.stdout.contains(&format!("{key},mielto,mielto,mielto,")), "{found:?}");
    assert!(found.stdout.contains(",stamp,"), "{found:?}");
    let acknowledged = run(&mut command(&stage, &elsewhere, &["orphans", "--acknowledge", key]), "");
    assert_eq!(acknowledged.status, Some(0), "{acknowledged:?}");
    assert!(run(&mut command(&stage, &elsewhere, &["orphans"]), "").of_type("orphan").is_empty());

    let revoked = run(&mut command(&stage, &home, &["revoke", key, "--yes"]), "");
    assert_eq!((revoked.status, leases(&home)), (Some(0), vec![]), "{revoked:?}");
    assert!(orphans().of_type("orphan").is_empty());
}

#[test]
fn a_key_whose_answer_was_lost_is_found_by_its_stamp() {
    let (stage, home) = (Stage::new(), folder("lease-lost"));
    let lost = Fault::Reset { applied: true };
    stage.emulator.mielto().faults(FaultRule::new(lost).on("create_api_key")).unwrap();
    let ran = lease(&stage, &home, "echo ran");
    assert_eq!((ran.status, &*ran.stdout), (Some(7), ""), "{ran:?}");
    assert!(ran.stderr.contains("`keymux orphans mielto` shows it"), "{ran:?}");
    let [(_, key)] = &keys(&stage)[..] else { panic!("one key is made") };
    let found = run(&mut command(&stage, &home, &["orphans", "mielto"]), "");
    let [orphan] = &found.of_type("orphan")[..] else { panic!("{found:?}") };
    assert_eq!((orphan["ref"].as_str(), &orphan["found_by"]), (Some(&**key), &"lease".into()));
    let acknowledged =
        run(&mut command(&stage, &home, &["orphans", "--acknowledge", orphan["id"].as_str().unwrap()]), "");
    assert_eq!((acknowledged.status, leases(&home)), (Some(0), vec![]));
    assert!(run(&mut command(&stage, &home, &["orphans", "mielto"]), "").of_type("orphan").is_empty());
}

#[test]
fn a_lease_whose_key_is_gone_is_over() {
    let (stage, home) = (Stage::new(), folder("lease-gone"));
    let mut running =
        Running::new(command(&stage, &home, &[&RUN[..], &["sh", "-c", "echo ready >&2; sleep 1"]].concat()));
    running.says("ready");
    running.signal("-KILL");
    running.end();
    let [(_, key)] = &keys(&stage)[..] else { panic!("one key is left") };
    assert_eq!(stage.run(&["revoke", key, "--yes"]).status, Some(0), "by somebody else");
    let found = run(&mut command(&stage, &home, &["orphans", "mielto"]), "");
    assert!(found.of_type("orphan").is_empty() && found.stderr.contains("is over"), "{found:?}");
    assert!(leases(&home).is_empty());
}

#[test]
fn a_key_that_could_not_be_revoked_is_told_and_the_status_says_so_if_the_command_was_well() {
    for (script, status) in [("exit 0", 3), ("exit 7", 7)] {
        let (stage, home) = (Stage::new(), folder("lease-unrevoked"));
        stage.emulator.mielto().faults(FaultRule::new(Fault::status(403)).on("delete_api_key")).unwrap();
        let ran = lease(&stage, &home, script);
        let [(_, key)] = &keys(&stage)[..] else { panic!("one key is left: {ran:?}") };
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.contains(&format!("end it with `keymux revoke {key}`")), "{ran:?}");
        assert_eq!(leases(&home).len(), 1);
    }
}

#[test]
fn while_the_key_is_revoked_one_signal_is_told_and_a_second_leaves_the_key_with_its_state() {
    for signals in [1, 2] {
        let (stage, home) = (Stage::new(), folder("lease-revoking"));
        let slow = Fault::latency(std::time::Duration::from_millis(1500));
        stage.emulator.mielto().faults(FaultRule::new(slow).on("delete_api_key")).unwrap();
        let mut running = Running::new(command(&stage, &home, &[&RUN[..], &["sh", "-c", "echo over >&2"]].concat()));
        running.says("over");
        for number in 0..signals {
            sleep(APART);
            running.signal("-TERM");
            if number == 0 {
                running.says("the key is being revoked");
            }
        }
        let ran = running.end();
        let left = usize::from(signals == 2);
        assert_eq!((ran.status, leases(&home).len()), (Some(if left == 0 { 0 } else { 3 }), left), "{ran:?}");
        assert!(left == 0 || ran.stderr.contains("may not be revoked"), "{ran:?}");
    }
}

#[test]
fn a_signal_while_the_key_is_made_keeps_the_command_from_being_run() {
    let (stage, home) = (Stage::new(), folder("lease-making"));
    let slow = Fault::latency(std::time::Duration::from_millis(900));
    stage.emulator.mielto().faults(FaultRule::new(slow).on("create_api_key")).unwrap();
    let mut running = Running::new(command(&stage, &home, &[&RUN[..], &["echo", "ran"]].concat()));
    while stage.emulator.mielto().open_requests() == 0 {
        std::thread::yield_now();
    }
    running.signal("-INT");
    running.says("its answer is waited for");
    let ran = running.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(130), ""), "{ran:?}");
    assert_eq!((keys(&stage), leases(&home)), (vec![], vec![]));
}

#[test]
fn no_key_is_made_without_a_place_for_the_state_or_by_a_vendor_that_makes_none() {
    let (stage, home) = (Stage::new(), folder("lease-refused"));
    let file = home.join("file");
    fs::write(&file, "").unwrap();
    let create = [&RUN[..], &["true"]].concat();
    let mut nowhere = command(&stage, &home, &create);
    nowhere.env_remove("XDG_STATE_HOME");
    let braintrust = ["run", "--create", "braintrust", "--env", "X", "--", "true"];
    for (mut command, status) in [
        (command(&stage, &file, &create), 1),
        (nowhere, 2),
        (command(&stage, &home, &braintrust), 1),
        (command(&stage, &home, &["run", "--create", "mielto", "--env", "A=B", "--", "true"]), 2),
        (command(&stage, &home, &[&["run", "--disabled"], &RUN[1..], &["true"]].concat()), 2),
    ] {
        let ran = run(&mut command, "");
        assert_eq!(ran.status, Some(status), "{ran:?}");
    }
    assert_eq!((requests(&stage), leases(&home)), (0, vec![]));
    // What the vendor refused leaves nothing.
    stage.emulator.mielto().faults(FaultRule::new(Fault::status(403))).unwrap();
    let ran = lease(&stage, &home, "exit 0");
    assert_eq!((ran.status, leases(&home)), (Some(5), vec![]), "{ran:?}");
}

#[test]
fn a_lease_is_in_the_trail() {
    let (stage, home) = (Stage::new(), folder("lease-trail"));
    let trail = home.join("trail");
    let args = [&["--trail", trail.to_str().unwrap()], &RUN[..], &["true"]].concat();
    assert_eq!(run(&mut command(&stage, &home, &args), "").status, Some(0));
    let text = fs::read_to_string(trail).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["operation"].as_str(), line["outcome"].as_str())).collect();
    let (create, revoke) = (Some("create"), Some("revoke"));
    assert_eq!(told, [(create, None), (create, Some("done")), (revoke, None), (revoke, Some("done"))]);
    assert_eq!(lines[1]["ref"], lines[2]["ref"]);
}

#[test]
fn a_stamped_key_whose_plaintext_was_kept_is_no_orphan_here() {
    let (stage, home) = (Stage::new(), folder("lease-stamped"));
    let args = ["create", "mielto", "--name", "n", "--stamp", "name"];
    assert_eq!(run(&mut command(&stage, &home, &args), "").status, Some(0));
    let [(name, key)] = &keys(&stage)[..] else { panic!("one key is made") };
    assert!(name.starts_with("n [keymux "), "{name}");
    assert!(run(&mut command(&stage, &home, &["orphans"]), "").of_type("orphan").is_empty());
    let elsewhere = run(&mut command(&stage, &folder("lease-not-here"), &["orphans", "mielto"]), "");
    assert_eq!(elsewhere.of_type("orphan")[0]["ref"], key.as_str(), "{elsewhere:?}");
}
