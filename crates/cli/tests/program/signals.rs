//! Signals as terminals, wrappers and supervisors send them: twice, together, ignored, and to a program that waits.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use keymux_emulator::Emulator;
use serde_json::Value;

use crate::ends::Running;
use crate::stage::{APART, Stage, folder, held, names, sample, silent, under_shell};

const MADE: &str = r#"{"id": "key_2", "label": "n", "status": "active", "secret": "sk_EXAMPLEheldBack0001"}"#;
const CREATE: [&str; 4] = ["create", "mielto", "--name", "n"];

/// Sends the signal twice within two milliseconds, as a wrapper does that forwards what the terminal has sent.
fn twice(running: &Running, signal: &str) {
    let script = "kill $1 $2; sleep 0.002; kill $1 $2";
    let args = ["-c", script, "sh", signal, &running.child.id().to_string()];
    assert!(Command::new("sh").args(args).status().unwrap().success());
}

#[test]
fn a_signal_that_comes_twice_at_once_is_one() {
    let stage = Stage::new();
    let (url, told, go) = held(MADE);
    let mut command = stage.command(&CREATE);
    command.env("MIELTO_BASE_URL", url);
    let mut running = Running::new(command);
    told.recv().unwrap();
    twice(&running, "-INT");
    running.says("its answer is waited for");
    sleep(APART);
    go.send(()).unwrap();
    let ran = running.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), "sk_EXAMPLEheldBack0001\n"), "{ran:?}");

    let folder = folder("twice");
    let file = folder.join("key");
    let args = [&CREATE[..], &["--secret-file", file.to_str().unwrap()]].concat();
    for (signal, status) in [("-TERM", 143), ("-HUP", 129)] {
        let (url, told) = silent();
        let mut command = stage.command(&args);
        command.env("MIELTO_BASE_URL", url);
        let running = Running::new(command);
        told.recv().unwrap();
        twice(&running, signal);
        let ran = running.end();
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.contains("look with: keymux list mielto"), "{ran:?}");
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    }
}

#[test]
fn under_a_wrapper_that_sends_its_signal_to_the_child_and_to_the_group_no_file_stays() {
    let stage = Stage::new();
    let folder = folder("timeout");
    for _ in 0..3 {
        let (url, _told) = silent();
        let mut command = Command::new("timeout");
        command.args(["0.6", env!("CARGO_BIN_EXE_keymux")]).args(CREATE);
        command.arg("--secret-file").arg(folder.join("key")).envs(stage.variables()).env("MIELTO_BASE_URL", url);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(124), "{output:?}");
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    }
}

#[test]
fn a_document_is_closed_and_summed_up_whatever_signal_ends_the_listing() {
    let stage = Stage::new();
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129), ("-QUIT", 131)] {
        for format in ["json", "ndjson"] {
            let (url, told) = silent();
            let mut command = stage.command(&["list", "-o", format]);
            command.env("ONELOOP_BASE_URL", url);
            let running = Running::new(command);
            told.recv().unwrap();
            twice(&running, signal);
            let ran = running.end();
            assert_eq!(ran.status, Some(status), "{signal} {format}: {ran:?}");
            let objects: Vec<Value> =
                if format == "json" { serde_json::from_str(&ran.stdout).unwrap() } else { ran.lines() };
            let summary = objects.last().unwrap();
            assert_eq!(
                (&summary["type"], &summary["complete"], &summary["interrupted"]),
                (&"summary".into(), &false.into(), &true.into()),
                "{signal} {format}"
            );
        }
    }
    for (args, summed) in [
        (&["accounts", "check", "-o", "json"] as &[&str], true),
        (&["scopes", "-o", "json"], true),
        (&["get", "mielto:key_000000001", "oneloop:w/a", "-o", "json"], false),
    ] {
        let (url, told) = silent();
        let mut command = stage.command(args);
        command.env("ONELOOP_BASE_URL", url);
        let running = Running::new(command);
        told.recv().unwrap();
        running.signal("-TERM");
        let ran = running.end();
        assert_eq!(ran.status, Some(143), "{args:?}: {ran:?}");
        let objects: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
        let last = objects.last().map(|object| object["type"] == "summary");
        assert_eq!(last.unwrap_or(false), summed, "{args:?}: {ran:?}");
    }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let stage = Stage::new();
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let (url, told, go) = held(MADE);
        let mut command = under_shell(&stage, &format!("trap '' {signal};"), &CREATE);
        command.env("MIELTO_BASE_URL", url);
        let running = Running::new(command);
        told.recv().unwrap();
        running.signal(&format!("-{signal}"));
        sleep(Duration::from_millis(50));
        go.send(()).unwrap();
        let ran = running.end();
        assert_eq!(ran.status, Some(0), "{signal}: {ran:?}");
        assert!(ran.stderr.starts_with('{') && !ran.stderr.contains("keymux:"), "the record alone: {ran:?}");
    }
}

#[test]
fn a_reader_that_reads_no_more_does_not_hold_the_end_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let emulator = runtime.block_on(Emulator::builder().with_keys(1000).start()).unwrap();
    let stage = Stage { emulator };
    for (signals, most) in [(&["-TERM"] as &[&str], 10), (&["-TERM", "-TERM"], 2), (&["-INT", "-INT"], 2)] {
        let mut command = stage.command(&["list", "mielto", "-o", "ndjson"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // The pipe is full by then.
        sleep(Duration::from_millis(700));
        let begun = Instant::now();
        for signal in signals.iter().copied() {
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
            sleep(APART);
        }
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(if signals[0] == "-INT" { 130 } else { 143 }));
        assert!(begun.elapsed() < Duration::from_secs(most), "{signals:?}: {:?}", begun.elapsed());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_core_file() {
    let stage = Stage::new();
    let (url, told) = silent();
    let key = sample(stage.emulator.mielto());
    let mut command = under_shell(&stage, "ulimit -S -c unlimited 2>/dev/null;", &["get", &key]);
    command.env("MIELTO_BASE_URL", url);
    let running = Running::new(command);
    told.recv().unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.child.id())).unwrap();
    running.signal("-KILL");
    assert_eq!(running.end().status, None);
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{line}");
}
