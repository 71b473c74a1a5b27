//! Calls that change something and whose answer is lost, or that Ctrl-C and SIGTERM meet.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::sleep;

use keymux_emulator::{Fault, FaultRule, Vendor};
use serde_json::Value;

use crate::stage::{APART, Ran, Stage, folder, names, sample, scripted, silent};

/// A program that runs, and what it writes to standard error.
pub(crate) struct Running {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Reads on until a line holds `text`.
    pub(crate) fn says(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "it ended and did not say {text:?}");
        }
    }

    pub(crate) fn end(mut self) -> Ran {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Ran { status: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
    }
}

/// The URL of a server that takes requests and closes their connections without an answer once the sender is dropped;
/// and a channel that tells of each.
fn lossy() -> (String, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Arc::new(Mutex::new(gone));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, tell, gone) = (stream.unwrap(), tell.clone(), Arc::clone(&gone));
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = tell.send(());
                let _ = gone.lock().unwrap().recv();
            });
        }
    });
    (url, told, go)
}

#[test]
fn a_change_whose_answers_are_all_lost_is_an_unknown_outcome_with_the_command_that_finds_out() {
    let stage = Stage::new();
    let loses = |vendor: &Vendor| vendor.faults(FaultRule::new(Fault::Reset { applied: true })).unwrap();
    loses(stage.emulator.mielto());
    loses(stage.emulator.oneloop());
    let (mielto, oneloop) = (sample(stage.emulator.mielto()), sample(stage.emulator.oneloop()));
    for (args, key) in [
        (&["update", &mielto, "--name", "q"] as &[&str], &mielto),
        (&["update", &oneloop, "--name", "q"], &oneloop),
        (&["revoke", &oneloop, "--yes"], &oneloop),
    ] {
        let ran = stage.run(&[args, &["-o", "json"]].concat());
        let hint = format!("it may have been done all the same; look with: keymux get {key}");
        assert_eq!(ran.status, Some(7), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(&hint), "{args:?}: {ran:?}");
        let object: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            (&object["type"], &object["kind"], &object["ref"]),
            (&"error".into(), &"transport".into(), &(**key).into())
        );
        assert!(object["message"].as_str().unwrap().contains(&hint), "{object}");
    }
}

#[test]
fn a_change_that_was_refused_is_no_unknown_outcome() {
    let stage = Stage::new();
    stage.emulator.mielto().faults(FaultRule::new(Fault::status(403))).unwrap();
    let key = sample(stage.emulator.mielto());
    for args in [&["update", &key, "--name", "q"] as &[&str], &["revoke", &key, "--yes"]] {
        let ran = stage.run(args);
        assert!(ran.status == Some(5) && !ran.stderr.contains("look with"), "{args:?}: {ran:?}");
    }
}

#[test]
fn a_lost_answer_that_may_hold_a_key_names_the_command_that_lists() {
    let stage = Stage::new();
    let (mielto, baseten) = (stage.emulator.mielto(), stage.emulator.baseten());
    mielto.faults(FaultRule::new(Fault::Reset { applied: true })).unwrap();
    baseten.faults(FaultRule::new(Fault::Reset { applied: true }).on("create_api_key")).unwrap();
    let (old, group) = (sample(baseten), format!("baseten:{}", baseten.sample_address()[0]));
    for (args, look) in [
        (&["create", "mielto", "--name", "n"] as &[&str], "keymux list mielto"),
        (&["create", &group, "--name", "n"], &format!("keymux list {group}")),
        (&["rotate", &old, "--yes"], &format!("keymux list {group}")),
    ] {
        let ran = stage.run(args);
        assert_eq!((ran.status, &*ran.stdout), (Some(7), ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(&format!("; look with: {look}; 1 attempt")), "{args:?}: {ran:?}");
        assert_eq!(ran.stderr.matches("it may have been done all the same").count(), 1, "{ran:?}");
    }
}

#[test]
fn after_one_ctrl_c_the_answer_under_way_is_waited_for_and_nothing_new_is_sent() {
    let stage = Stage::new();
    for args in [&["update", "mielto:key_1", "--name", "q"] as &[&str], &["revoke", "mielto:key_1", "--yes"]] {
        let (url, told, go) = lossy();
        let mut command = stage.command(args);
        command.env("MIELTO_BASE_URL", url);
        let mut running = Running::new(command);
        told.recv().unwrap();
        running.signal("-INT");
        running.says("its answer is waited for");
        drop(go);
        let ran = running.end();
        assert_eq!(ran.status, Some(7), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("look with: keymux get mielto:key_1"), "{ran:?}");
        assert_eq!(ran.lines()[0]["kind"], "transport", "{ran:?}");
        assert!(told.try_recv().is_err(), "{args:?}: nothing new is sent");
    }
}

#[test]
fn ctrl_c_during_a_wait_between_attempts_ends_it_with_nothing_changed() {
    let stage = Stage::new();
    for args in [&["update", "mielto:key_1", "--name", "q"] as &[&str], &["revoke", "mielto:key_1", "--yes"]] {
        let mut command = stage.command(&[args, &["-v"]].concat());
        command.env("MIELTO_BASE_URL", scripted(429, "retry-after: 50\r\n"));
        let mut running = Running::new(command);
        running.says("; waits 5");
        running.signal("-INT");
        let ran = running.end();
        assert_eq!(ran.status, Some(130), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("interrupted; nothing was changed"), "{ran:?}");
        assert_eq!(ran.lines()[0]["kind"], "rate_limited", "{ran:?}");
    }
}

#[test]
fn after_one_ctrl_c_no_other_key_is_revoked_and_each_is_named() {
    let stage = Stage::new();
    let (url, told, go) = lossy();
    let keys: Vec<String> = (0..30).map(|number| format!("mielto:key_{number}")).collect();
    let mut args: Vec<&str> = keys.iter().map(String::as_str).collect();
    args.extend(["--yes", "-o", "ndjson"]);
    let mut command = stage.command(&[&["revoke"], &args[..]].concat());
    command.env("MIELTO_BASE_URL", url);
    let mut running = Running::new(command);
    told.recv().unwrap();
    running.signal("-INT");
    running.says("its answer is waited for");
    drop(go);
    let ran = running.end();
    assert_eq!(ran.status, Some(130), "{ran:?}");
    let lost = ran.of_type("error");
    let (_, undone) = ran.stderr.split_once("these keys are not revoked:\n").unwrap();
    let asked = 1 + told.try_iter().count();
    assert!(asked < keys.len() && lost.len() == asked, "{asked}: {ran:?}");
    let mut told: Vec<&str> = lost.iter().map(|object| object["ref"].as_str().unwrap()).chain(undone.lines()).collect();
    told.sort_unstable();
    let mut all: Vec<&str> = keys.iter().map(String::as_str).collect();
    all.sort_unstable();
    assert_eq!(told, all);
}

#[test]
fn an_end_at_once_leaves_no_file_and_says_how_to_find_out() {
    let stage = Stage::new();
    let folder = folder("ended");
    let file = folder.join("key");
    let old = sample(stage.emulator.oneloop());
    let create = ["create", "mielto", "--name", "n"];
    let rotate = ["rotate", &old, "--native", "--yes"];
    for (args, look) in [(&create[..], "keymux list mielto".to_owned()), (&rotate, format!("keymux get {old}"))] {
        for (signals, status) in
            [(&["-TERM"] as &[&str], 143), (&["-HUP"], 129), (&["-INT", "-INT"], 130), (&["-INT", "-TERM"], 143)]
        {
            let (url, told) = silent();
            let mut command = stage.command(&[args, &["--secret-file", file.to_str().unwrap()]].concat());
            command.env("MIELTO_BASE_URL", &url).env("ONELOOP_BASE_URL", &url);
            let mut running = Running::new(command);
            told.recv().unwrap();
            assert_eq!(names(&folder), [".key.json.keymux-0", ".key.keymux-0"], "{args:?}: room, and no name yet");
            for (number, signal) in signals.iter().enumerate() {
                if number > 0 {
                    running.says("its answer is waited for");
                    // Those that come together are one.
                    sleep(APART);
                }
                running.signal(signal);
            }
            let ran = running.end();
            assert_eq!(ran.status, Some(status), "{args:?} {signals:?}: {ran:?}");
            assert!(ran.stderr.contains("outcome unknown") && ran.stderr.contains(&look), "{ran:?}");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "{args:?} {signals:?}");
        }
    }
}

#[test]
fn a_listing_ends_at_sigterm() {
    let stage = Stage::new();
    let (url, told) = silent();
    let mut command = stage.command(&["list", "oneloop"]);
    command.env("ONELOOP_BASE_URL", url);
    let running = Running::new(command);
    told.recv().unwrap();
    running.signal("-TERM");
    assert_eq!(running.end().status, Some(143));
}

#[test]
fn after_one_ctrl_c_a_rotation_that_waits_to_revoke_stops_and_goes_on_later() {
    let stage = Stage::new();
    let baseten = stage.emulator.baseten();
    let wait = Fault::rate_limited(keymux_emulator::DelayForm::Seconds, std::time::Duration::from_secs(5));
    baseten.faults(FaultRule::new(wait).on("revoke_api_key").nth(1)).unwrap();
    let file = folder("one-ctrl-c").join("key");
    let key = sample(baseten);
    let mut running =
        Running::new(stage.command(&["rotate", &key, "--yes", "-v", "--secret-file", file.to_str().unwrap()]));
    running.says("; waits ");
    running.signal("-INT");
    let ran = running.end();
    assert_eq!(ran.status, Some(130), "{ran:?}");
    assert!(file.exists() && ran.stderr.contains(&format!("keymux rotate --resume {key}")), "{ran:?}");
    baseten.faults(keymux_emulator::FaultPlan::default()).unwrap();
    let ran = stage.run(&["rotate", "--resume", &key]);
    assert!(ran.status == Some(0) && ran.stderr.contains("which is revoked"), "{ran:?}");
}
