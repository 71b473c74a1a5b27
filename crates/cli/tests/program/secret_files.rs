//! A secret file is there when it is whole, whatever happens before.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::ends::Running;
use crate::stage::{Stage, folder, held, names};

const MADE: &str = r#"{"id": "key_2", "label": "n", "status": "active", "secret": "sk_EXAMPLEheldBack0001"}"#;
const PLAINTEXT: &str = "sk_EXAMPLEheldBack0001";
/// What there is while the answer is waited for.
const ROOM: [&str; 2] = [".key.json.keymux-0", ".key.keymux-0"];

fn create(stage: &Stage, file: &std::path::Path) -> std::process::Command {
    stage.command(&["create", "mielto", "--name", "n", "--secret-file", file.to_str().unwrap()])
}

#[test]
fn what_a_killed_run_leaves_is_no_secret_and_is_in_nobodys_way() {
    let stage = Stage::new();
    let folder = folder("killed");
    let file = folder.join("key");
    let (url, told, _go) = held(MADE);
    let mut command = create(&stage, &file);
    command.env("MIELTO_BASE_URL", url);
    let running = Running::new(command);
    told.recv().unwrap();
    running.signal("-KILL");
    assert_eq!(running.end().status, None);
    assert_eq!(names(&folder), ROOM);

    let ran = crate::stage::run(&mut create(&stage, &file), "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("earlier run"), "{ran:?}");
    assert_eq!(names(&folder), ["key", "key.json"], "what held nothing is gone");
}

#[test]
fn a_leftover_that_holds_a_plaintext_is_named_and_kept() {
    let stage = Stage::new();
    let folder = folder("leftover");
    let left = folder.join(".key.keymux-0");
    // As a run leaves it that is killed while it writes.
    let half = [PLAINTEXT.as_bytes(), &[0; 4074]].concat();
    for content in [PLAINTEXT.as_bytes(), &half] {
        fs::write(&left, content).unwrap();
        let ran = crate::stage::run(&mut create(&stage, &folder.join("key")), "");
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stderr.contains(left.to_str().unwrap()) && ran.stderr.contains("it is kept"), "{ran:?}");
        assert!(!ran.stderr.contains(PLAINTEXT), "{ran:?}");
        assert_eq!(names(&folder), [".key.keymux-0", "key", "key.json"]);
        assert_eq!(fs::read(&left).unwrap(), content);
        fs::remove_file(folder.join("key")).unwrap();
        fs::remove_file(folder.join("key.json")).unwrap();
    }
}

#[test]
fn killed_at_any_moment_after_the_answer_the_file_is_whole_or_not_there() {
    let stage = Stage::new();
    let folder = folder("killed-late");
    let file = folder.join("key");
    for moment in 0..12 {
        let (url, told, go) = held(MADE);
        let mut command = create(&stage, &file);
        command.env("MIELTO_BASE_URL", url);
        let running = Running::new(command);
        told.recv().unwrap();
        go.send(()).unwrap();
        sleep(Duration::from_micros(moment * 700));
        running.signal("-KILL");
        running.end();
        if let Ok(text) = fs::read_to_string(&file) {
            assert_eq!(text, PLAINTEXT, "at moment {moment}");
        }
        if let Ok(text) = fs::read_to_string(folder.join("key.json")) {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "at moment {moment}: {text}");
        }
        for name in names(&folder) {
            assert!(name.starts_with(".key.") || name.starts_with("key"), "{name}");
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced_and_the_plaintext_is_told_where_it_is() {
    let stage = Stage::new();
    let folder = folder("meanwhile");
    let file = folder.join("key");
    let (url, told, go) = held(MADE);
    let mut command = create(&stage, &file);
    command.env("MIELTO_BASE_URL", url);
    let running = Running::new(command);
    told.recv().unwrap();
    assert_eq!(names(&folder), ROOM);
    fs::write(&file, "mine").unwrap();
    go.send(()).unwrap();
    let ran = running.end();
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let left = folder.join(".key.keymux-0");
    assert!(ran.stderr.contains(&format!("it is whole in {}", left.display())), "{ran:?}");
    assert!(!ran.stderr.contains(PLAINTEXT), "{ran:?}");
    assert_eq!(
        (fs::read_to_string(&file).unwrap(), fs::read_to_string(&left).unwrap()),
        ("mine".into(), PLAINTEXT.into())
    );
    assert!(folder.join("key.json").exists());
}

#[test]
fn a_link_under_the_name_is_not_followed() {
    let stage = Stage::new();
    let folder = folder("link");
    std::os::unix::fs::symlink(folder.join("elsewhere"), folder.join("key")).unwrap();
    let ran = crate::stage::run(&mut create(&stage, &folder.join("key")), "");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert_eq!(names(&folder), ["key"]);
    assert_eq!(stage.emulator.mielto().request_count(), 0);
}
