//! The trail: a line before and after every change, on the disk, without secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use boon::{Compiler, Schemas};
use keymux_emulator::{Fault, FaultRule};
use serde_json::Value;

use crate::ends::Running;
use crate::stage::{NEW, OWN, Ran, Stage, WORKSPACE, folder, requests, run, sample, silent};

/// The lines of a trail, each as its schema says.
fn lines(path: &Path) -> Vec<Value> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trail.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("trail.json", schema).unwrap();
    let schema = compiler.compile("trail.json", &mut schemas).unwrap();
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "{text:?}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert!(schemas.validate(line, schema).is_ok(), "{line}: {}", schemas.validate(line, schema).unwrap_err());
    }
    lines
}

/// What a trail tells: phase, operation, reference and outcome.
fn told(path: &Path) -> Vec<[String; 4]> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    lines(path).iter().map(|line| ["phase", "operation", "ref", "outcome"].map(|name| text(&line[name]))).collect()
}

fn trail(name: &str) -> PathBuf {
    folder(name).join("trail.ndjson")
}

fn with(trail: &Path, args: &[&str]) -> Vec<String> {
    let more = ["--trail", trail.to_str().unwrap(), "--reason", "drill 7"];
    args.iter().copied().chain(more).map(str::to_owned).collect()
}

fn ran(stage: &Stage, trail: &Path, args: &[&str], input: &str) -> Ran {
    let args = with(trail, args);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run(&mut stage.command(&args), input)
}

#[test]
fn every_change_has_a_line_before_and_after_it_and_none_holds_a_secret() {
    let (stage, path) = (Stage::new(), trail("trail-all"));
    let (mielto, oneloop, baseten) =
        (sample(stage.emulator.mielto()), sample(stage.emulator.oneloop()), sample(stage.emulator.baseten()));
    let create = [&["create", WORKSPACE][..], &NEW].concat();
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    let mut secrets = vec![OWN.trim().to_owned()];
    secrets.extend(stage.vendors().map(|vendor| vendor.credential().to_owned()));
    for (args, input) in [
        (&create[..], ""),
        (&register, OWN),
        (&["update", &mielto, "--name", "renamed"], ""),
        (&["rotate", &oneloop, "--native", "--yes"], ""),
        (&["rotate", &baseten, "--yes"], ""),
        (&["revoke", &mielto, "mielto:nope", "--yes"], ""),
    ] {
        let ran = ran(&stage, &path, args, input);
        assert!(matches!(ran.status, Some(0 | 3)), "{args:?}: {ran:?}");
        if matches!(args[0], "create" | "rotate") {
            secrets.push(ran.stdout.trim().to_owned());
        }
    }
    let lines = lines(&path);
    let mut by_id = std::collections::BTreeMap::<&str, Vec<&Value>>::new();
    for line in &lines {
        by_id.entry(line["id"].as_str().unwrap()).or_default().push(line);
        assert_eq!(line["reason"], "drill 7");
        assert!(line["program"].as_str().unwrap().starts_with("keymux-cli/"));
    }
    let mut operations: Vec<&str> = Vec::new();
    for pair in by_id.values() {
        assert_eq!((&pair[0]["phase"], &pair[1]["phase"], pair.len()), (&"sent".into(), &"ended".into(), 2));
        assert!(pair[1]["ref"].is_string(), "{pair:?}");
        operations.push(pair[0]["operation"].as_str().unwrap());
    }
    operations.sort_unstable();
    // A pipe stores nothing, so that Baseten's rotation is a new key beside the old one.
    assert_eq!(operations, ["create", "create", "register", "revoke", "revoke", "rotate", "update"]);
    let nope = lines.iter().find(|line| line["ref"] == "mielto:nope" && line["phase"] == "ended").unwrap();
    assert_eq!(
        (&nope["outcome"], &nope["error"], &nope["status"]),
        (&"failed".into(), &"not_found".into(), &404.into())
    );
    let text = fs::read_to_string(&path).unwrap();
    for secret in &secrets {
        assert!(secret.len() > 8 && !text.contains(secret.as_str()), "{secret}");
    }
}

#[test]
fn the_trail_is_its_owners_alone_and_reading_and_rehearsing_write_none() {
    let (stage, path) = (Stage::new(), trail("trail-private"));
    let key = sample(stage.emulator.mielto());
    for args in [&["get", &key][..], &["list", "mielto"], &["update", &key, "--name", "q", "--dry-run"]] {
        assert_eq!(ran(&stage, &path, args, "").status, Some(0), "{args:?}");
        assert!(!path.exists(), "{args:?}");
    }
    assert_eq!(ran(&stage, &path, &["update", &key, "--name", "q"], "").status, Some(0));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // What looks like a key is not one for the trail, wherever it was typed.
    let typed = "sk-proj-0123456789abcdefABCDEF0123456789";
    let args = ["update", &key, "--name", "q", "--trail", path.to_str().unwrap(), "--reason", typed];
    assert_eq!(stage.run(&args).status, Some(0));
    assert!(!fs::read_to_string(&path).unwrap().contains(typed));
}

#[test]
fn the_configuration_names_the_trail_and_its_folder_is_where_a_relative_path_starts() {
    let (stage, folder) = (Stage::new(), folder("trail-config"));
    let config = folder.join("keymux.toml");
    let vendor = stage.emulator.mielto();
    let text = format!(
        "[trail]\npath = \"changes.ndjson\"\n[accounts.mielto]\nprovider = \"mielto\"\nbase_url = \"{}\"\n\
         credential = {{ env = \"MIELTO_API_KEY\" }}\n",
        vendor.base_url()
    );
    fs::write(&config, text).unwrap();
    let key = sample(vendor);
    let args = ["update", &key, "--name", "q", "--config", config.to_str().unwrap()];
    assert_eq!(stage.run(&args).status, Some(0));
    let line = |phase: &str, outcome: &str| [phase, "update", &key, outcome].map(str::to_owned);
    assert_eq!(told(&folder.join("changes.ndjson")), [line("sent", "-"), line("ended", "done")]);
}

#[test]
fn what_cannot_be_written_before_is_not_sent() {
    let stage = Stage::new();
    let folder = folder("trail-unwritable");
    let key = sample(stage.emulator.mielto());
    let revoke = ["revoke", &key, "--yes"];
    let create = [&["create", WORKSPACE][..], &NEW].concat();
    let mut places = vec![folder.join("missing/trail"), folder.clone()];
    if cfg!(target_os = "linux") {
        // A full disk, and what no disk keeps.
        places.extend(["/dev/full", "/dev/null"].map(PathBuf::from));
    }
    for place in places {
        for args in [&revoke[..], &create] {
            let ran = ran(&stage, &place, args, "");
            assert_eq!(ran.status, Some(2), "{place:?}: {ran:?}");
            assert!(ran.stderr.contains("no change is sent without it"), "{ran:?}");
        }
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_change_whose_end_cannot_be_written_is_told_and_the_status_says_so() {
    let (stage, path) = (Stage::new(), trail("trail-second"));
    let vendor = stage.emulator.mielto();
    vendor.faults(FaultRule::new(Fault::latency(std::time::Duration::from_millis(800)))).unwrap();
    let args = with(&path, &["create", "mielto", "--name", "n"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let running = Running::new(stage.command(&args));
    while vendor.open_requests() == 0 {
        std::thread::yield_now();
    }
    // The first line is there, and now there is no file any more that could take a second.
    assert_eq!(told(&path).len(), 1);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let ran = running.end();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(!ran.stdout.is_empty(), "the plaintext is given: {ran:?}");
    assert!(ran.stderr.contains("it lacks how this change ended: create of mielto:key_"), "{ran:?}");
}

#[test]
fn an_end_at_once_is_in_the_trail_and_a_kill_leaves_the_first_line() {
    let stage = Stage::new();
    for (signal, ends) in [("-TERM", 2), ("-KILL", 1)] {
        let path = trail("trail-ends");
        let (url, heard) = silent();
        let args = with(&path, &["revoke", "mielto:key_1", "--yes"]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = stage.command(&args);
        command.env("MIELTO_BASE_URL", url);
        let running = Running::new(command);
        heard.recv().unwrap();
        running.signal(signal);
        running.end();
        let lines = lines(&path);
        assert_eq!(lines.len(), ends, "{signal}");
        assert!(ends == 1 || (lines[1]["outcome"] == "abandoned" && lines[1]["may_have_executed"] == true));
    }
}

#[test]
fn a_lost_answer_is_unknown_in_the_trail() {
    let (stage, path) = (Stage::new(), trail("trail-lost"));
    stage.emulator.mielto().faults(FaultRule::new(Fault::Reset { applied: true })).unwrap();
    assert_eq!(ran(&stage, &path, &["create", "mielto", "--name", "n"], "").status, Some(7));
    let lines = lines(&path);
    assert_eq!((&lines[1]["outcome"], &lines[1]["may_have_executed"]), (&"unknown".into(), &true.into()));
    assert_eq!((&lines[1]["error"], &lines[1]["scope"]), (&"outcome_unknown".into(), &"mielto".into()));
}

#[test]
fn processes_that_append_at_once_lose_no_line_and_half_a_line_harms_no_other() {
    let (stage, path) = (Stage::new(), trail("trail-many"));
    fs::write(&path, "{\"half\":").unwrap();
    let of = |number: usize| -> Command {
        let keys: Vec<String> = (0..25).map(|key| format!("mielto:key_{number}_{key}")).collect();
        let mut args = vec!["revoke", "--yes", "--trail", path.to_str().unwrap()];
        args.extend(keys.iter().map(String::as_str));
        stage.command(&args)
    };
    let running: Vec<_> = (0..2)
        .map(|number| {
            std::thread::spawn({
                let mut command = of(number);
                move || run(&mut command, "")
            })
        })
        .collect();
    for ran in running {
        assert_eq!(ran.join().unwrap().status, Some(4));
    }
    let text = fs::read_to_string(&path).unwrap();
    let (half, whole) = text.split_once('\n').unwrap();
    assert_eq!(half, "{\"half\":");
    fs::write(&path, whole).unwrap();
    let told = told(&path);
    assert_eq!(told.len(), 100);
    let ended: std::collections::BTreeSet<&String> =
        told.iter().filter(|line| line[0] == "ended").map(|[_, _, key, _]| key).collect();
    assert_eq!(ended.len(), 50);
}
