//! Every request and every write of a rotation, at every vendor that can rotate, met by everything that can go wrong; and
//! then the same command once more. No key is ever lost.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use keymux_emulator::{DelayForm, Fault, FaultRule, Vendor};
use serde_json::Value;

use crate::ends::Running;
use crate::stage::{APART, NEW, Ran, Stage, WORKSPACE, folder, run, sample};

/// What meets a request.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    Reset(bool),
    TooMany,
    Status(u16),
    /// The request is not answered, the server having acted or not, and these signals come.
    Signals(bool, &'static [&'static str]),
}

const MISHAPS: [Mishap; 9] = [
    Mishap::Reset(false),
    Mishap::Reset(true),
    Mishap::TooMany,
    Mishap::Status(500),
    Mishap::Signals(false, &["-TERM"]),
    Mishap::Signals(true, &["-TERM"]),
    Mishap::Signals(true, &["-INT", "-INT"]),
    Mishap::Signals(false, &["-KILL"]),
    Mishap::Signals(true, &["-KILL"]),
];

/// A vendor by its place in [`Stage::vendors`], and how it is to rotate.
const ROTATES: [(usize, &[&str]); 5] =
    [(0, &[]), (2, &[]), (3, &["--set", "scope=api_example_1"]), (4, &[]), (4, &["--native"])];

fn rotate<'a>(key: &'a str, how: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["rotate", key, "--yes"], how, more].concat()
}

/// The references of the vendor's keys that work. Datkey lists none: there, those of the old key and of the one whose record
/// is beside `file`.
fn working(stage: &Stage, vendor: &Vendor, file: &Path) -> Vec<String> {
    let keys = if vendor.name() == "datkey" {
        let made = fs::read_to_string(file.with_extension("json")).ok();
        let made =
            made.and_then(|text| serde_json::from_str::<Value>(&text).unwrap()["ref"].as_str().map(str::to_owned));
        let both: Vec<String> = [Some(sample(vendor)), made].into_iter().flatten().collect();
        let gets = [vec!["get"], both.iter().map(String::as_str).collect(), vec!["-o", "ndjson"]].concat();
        stage.run(&gets).of_type("key")
    } else {
        stage.run(&["list", vendor.name(), "-o", "ndjson"]).of_type("key")
    };
    let keys = keys.into_iter().filter(|key| key["status"]["state"] != "revoked");
    keys.map(|key| key["ref"].as_str().unwrap().to_owned()).collect()
}

/// The key that is rotated: at Oneloop a new one without an end, whose unit would have to be configured.
fn old_key(stage: &Stage, vendor: &Vendor) -> String {
    if vendor.name() == "oneloop" {
        let ran = stage.run(&[&["create", WORKSPACE][..], &NEW].concat());
        let record: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        return record["ref"].as_str().unwrap().to_owned();
    }
    sample(vendor)
}

fn plaintext_of(vendor: &Vendor, key: &str) -> Option<String> {
    let address: Vec<String> = key.split_once(':').unwrap().1.split('/').map(str::to_owned).collect();
    vendor.plaintext(&address)
}

/// Whether the plaintext is that of a key that works.
fn works(vendor: &Vendor, keys: &[String], plaintext: &str) -> bool {
    keys.iter().any(|key| plaintext_of(vendor, key).as_deref() == Some(plaintext))
}

/// How many requests a rotation has, when nothing goes wrong.
fn steps(number: usize, how: &[&str]) -> u64 {
    let stage = Stage::new();
    let vendor = stage.vendors()[number];
    let file = folder(&format!("sweep-steps-{number}-{}", how.len())).join("key");
    let old = old_key(&stage, vendor);
    let before = vendor.request_count();
    let ran = stage.run(&rotate(&old, how, &["--secret-file", file.to_str().unwrap()]));
    assert_eq!(ran.status, Some(0), "{}: {ran:?}", vendor.name());
    vendor.request_count() - before
}

fn met(stage: &Stage, vendor: &Vendor, step: u64, mishap: Mishap, args: &[&str]) {
    let fault = match mishap {
        Mishap::Reset(applied) => Fault::Reset { applied },
        Mishap::TooMany => Fault::rate_limited(DelayForm::Seconds, Duration::from_secs(3600)),
        Mishap::Status(status) => Fault::status(status),
        Mishap::Signals(applied, _) => Fault::Hang { applied },
    };
    vendor.faults(FaultRule::new(fault).nth(step)).unwrap();
    if let Mishap::Signals(_, signals) = mishap {
        let mut running = Running::new(stage.command(args));
        let begun = Instant::now();
        while vendor.open_requests() == 0 && running.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no request");
            sleep(Duration::from_millis(5));
        }
        // That the server has acted.
        sleep(Duration::from_millis(20));
        for (number, signal) in signals.iter().enumerate() {
            if number > 0 {
                sleep(APART);
            }
            let _ =
                Command::new("kill").args([*signal, &*running.child.id().to_string()]).stderr(Stdio::null()).status();
        }
        running.end();
    } else {
        stage.run(args);
    }
    vendor.faults(keymux_emulator::FaultPlan::default()).unwrap();
}

/// The same command again, until it has come to its end.
fn again(stage: &Stage, args: &[&str], about: &str) -> Ran {
    let mut told = String::new();
    for _ in 0..3 {
        let mut ran = stage.run(args);
        told += &ran.stderr;
        let over = ran.status == Some(0) || ran.stderr.contains("there may be a key") || stage.states().is_empty();
        if over {
            ran.stderr = told;
            return ran;
        }
    }
    unreachable!("{about}: it does not come to its end: {told}")
}

fn check(number: usize, how: &[&str], step: u64, mishap: Mishap) {
    let about = format!("{number} {how:?}, request {step}, {mishap:?}");
    let stage = Stage::new();
    let vendor = stage.vendors()[number];
    let old = old_key(&stage, vendor);
    let plaintext = plaintext_of(vendor, &old);
    let old_works = |keys: &[String]| keys.contains(&old) && plaintext_of(vendor, &old) == plaintext;
    let file = folder(&format!("sweep-{number}-{}-{step}-{mishap:?}", how.len()).replace(['"', ' '], "")).join("key");
    let before = working(&stage, vendor, &file);
    let path = file.to_str().unwrap().to_owned();
    let args = rotate(&old, how, &["--secret-file", &path]);
    met(&stage, vendor, step, mishap, &args);

    let native = how == ["--native"];
    let stored = |keys: &[String]| fs::read_to_string(&file).is_ok_and(|new| works(vendor, keys, &new));
    let keys = working(&stage, vendor, &file);
    assert!(native || old_works(&keys) || stored(&keys), "{about}: no key works");

    let ran = if stage.states().is_empty() && file.exists() { None } else { Some(again(&stage, &args, &about)) };
    let keys = working(&stage, vendor, &file);
    assert!(stored(&keys) || (old_works(&keys) && !file.exists()), "{about}: {ran:?}");
    let orphaned = ran.as_ref().is_some_and(|ran| ran.stderr.contains("there may be a key"));
    assert!(keys.len() == before.len() || orphaned, "{about}: {before:?} {keys:?} {ran:?}");
    assert!(stage.states().is_empty() || orphaned, "{about}: {ran:?}");
}

#[test]
fn no_request_of_a_rotation_can_fail_so_that_no_key_works() {
    let mut cases = Vec::new();
    for (number, how) in ROTATES {
        for step in 1..=steps(number, how) {
            cases.extend(MISHAPS.map(|mishap| (number, how, step, mishap)));
        }
    }
    assert!(cases.len() >= 100, "{}", cases.len());
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((number, how, step, mishap)) = cases.lock().unwrap().pop() else { return };
                    check(number, how, step, mishap);
                }
            });
        }
    });
}

/// Ways in which a plaintext is not stored.
#[derive(Debug, Clone, Copy)]
enum Unstored {
    FullDisk,
    ClosedPipe,
    FailingCommand,
    KilledCommand,
    NoCommand,
}

fn unstored(stage: &Stage, key: &str, settings: &[&str], how: Unstored) -> Ran {
    let store: &[&str] = match how {
        Unstored::FailingCommand => &["--store", "--", "/bin/false"],
        Unstored::KilledCommand => &["--store", "--store-within", "1s", "--", "/bin/sleep", "60"],
        Unstored::NoCommand => &["--store", "--", "/nosuch/program"],
        Unstored::FullDisk | Unstored::ClosedPipe => &[],
    };
    let mut command = stage.command(&rotate(key, settings, store));
    let stdout = match how {
        Unstored::FullDisk => Stdio::from(fs::OpenOptions::new().write(true).open(Path::new("/dev/full")).unwrap()),
        Unstored::ClosedPipe => Stdio::piped(),
        _ => return run(&mut command, ""),
    };
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_plaintext_that_is_not_stored_leaves_the_old_key_and_the_next_run_tidies_up() {
    use Unstored::{ClosedPipe, FailingCommand, FullDisk, KilledCommand, NoCommand};

    // Datkey lists no keys, by which it could be told.
    let ways = [FullDisk, ClosedPipe, FailingCommand, KilledCommand, NoCommand];
    for (number, how) in ROTATES.into_iter().filter(|(number, how)| *number != 3 && *how != ["--native"]) {
        for way in ways.into_iter().filter(|_| cfg!(target_os = "linux")) {
            let stage = Stage::new();
            let vendor = stage.vendors()[number];
            let old = old_key(&stage, vendor);
            let file = folder(&format!("unstored-{number}-{way:?}")).join("key");
            let before = working(&stage, vendor, &file);
            let ran = unstored(&stage, &old, how, way);
            assert!(ran.status.is_some_and(|status| status != 0), "{way:?}: {ran:?}");
            assert!(ran.stderr.contains(&format!("{old} still works")), "{way:?}: {ran:?}");
            assert!(vendor.requests().iter().all(|request| request.method() != "DELETE"), "{way:?}: {ran:?}");
            let keys = working(&stage, vendor, &file);
            assert!(keys.contains(&old) && keys.len() == before.len() + 1, "{way:?}: {keys:?}");
            assert_eq!(stage.states().len(), 1, "{way:?}");

            let ran = stage.run(&rotate(&old, &[], &["--secret-file", file.to_str().unwrap()]));
            assert_eq!(ran.status, Some(0), "{way:?}: {ran:?}");
            let keys = working(&stage, vendor, &file);
            assert!(!keys.contains(&old) && keys.len() == before.len(), "{way:?}: {keys:?}");
            assert!(works(vendor, &keys, &fs::read_to_string(&file).unwrap()) && stage.states().is_empty());
        }
    }
}
