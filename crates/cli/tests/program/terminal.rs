//! A person at a terminal: tables, colour, Ctrl-C, and a reader that goes away.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use rexpect::session::spawn_command;

use crate::stage::{Stage, silent};

fn on_a_terminal(command: Command) -> String {
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    // The library gives each byte as a character.
    let bytes = session.exp_eof().unwrap().chars().map(|byte| u8::try_from(byte).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_terminal_gets_a_table_with_colour_unless_it_is_not_wanted() {
    let stage = Stage::new();
    // Without the lines that are drawn while it runs.
    let args = ["list", "mielto", "--columns", "ref,status", "--quiet"];
    let mut command = stage.command(&args);
    command.env("TERM", "xterm");
    let shown = on_a_terminal(command);
    assert!(shown.contains("REF") && shown.contains("\u{1b}["), "{shown:?}");
    let mut command = stage.command(&args);
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let shown = on_a_terminal(command);
    assert!(shown.contains("REF") && !shown.contains('\u{1b}'), "{shown:?}");
}

/// What a terminal of this many columns shows.
fn at_width(columns: u16, stage: &Stage, args: &str) -> String {
    let mut command = Command::new("sh");
    let run = format!("stty rows 24 cols {columns}; {} {args}", env!("CARGO_BIN_EXE_keymux"));
    command.args(["-c", &run]).envs(stage.variables()).env("NO_COLOR", "1").env_remove("KEYMUX_CONFIG");
    on_a_terminal(command)
}

#[test]
fn no_line_of_a_table_is_wider_than_the_terminal() {
    let stage = Stage::new();
    for (columns, args, lines) in [
        (80, "list mielto --quiet", 5),
        (60, "list mielto --quiet", 5),
        (80, "list --quiet", 15),
        (80, "providers --quiet", 6),
        (80, "scopes --quiet", 4),
        (80, "accounts --quiet", 6),
    ] {
        let shown = at_width(columns, &stage, args);
        assert_eq!(shown.lines().count(), lines, "{args}: {shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= usize::from(columns)), "{args}: {shown}");
    }
}

#[test]
fn a_dry_run_shows_every_request_whole_at_80_columns() {
    let stage = Stage::new();
    let shown = at_width(80, &stage, "rotate baseten:g7k2m9qx/sky_Qm4tZp0Lw8Rk --dry-run");
    for path in ["/v1/gateway/groups/g7k2m9qx/api_keys/sky_Qm4tZp0Lw8Rk", "/v1/gateway/groups/g7k2m9qx/api_keys"] {
        assert!(shown.contains(path), "{path}: {shown}");
    }
    assert!(!shown.contains('…'), "{shown}");
}

#[test]
fn no_format_gives_a_terminal_what_it_would_obey_and_a_pipe_gets_the_text_as_it_is() {
    let stage = Stage::new();
    let name = "a\u{1b}[31m\u{9b}32m\u{202e}b";
    assert_eq!(stage.run(&["create", "mielto", "--name", name]).status, Some(0));
    for format in ["table", "csv", "json", "ndjson"] {
        let args = ["list", "mielto", "--quiet", "--output", format];
        let mut command = stage.command(&args);
        command.env("NO_COLOR", "1");
        let shown = on_a_terminal(command);
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{format}: {shown:?}");
        assert!(shown.contains("9b") && shown.contains("202e"), "{format}: {shown:?}");
        if format == "csv" {
            assert!(stage.run(&args).stdout.contains(name));
        }
    }
}

#[test]
fn ctrl_c_ends_a_listing_with_what_came_and_status_130() {
    let stage = Stage::new();
    let (url, told) = silent();
    let mut command = stage.command(&["list", "-o", "ndjson"]);
    command.env("ONELOOP_BASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    told.recv().unwrap();
    signal(child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["type"], &summary["complete"]), (&"summary".into(), &false.into()));
    assert_eq!(summary["interrupted"], true);
}

#[test]
fn ctrl_c_names_the_references_that_were_not_looked_up() {
    let stage = Stage::new();
    let (url, told) = silent();
    let mut command = stage.command(&["get", "mielto:key_000000001", "oneloop:w/%61", "oneloop:w/b", "oneloop:w/b"]);
    command.env("ONELOOP_BASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdout, mut record) = (BufReader::new(child.stdout.take().unwrap()), String::new());
    stdout.read_line(&mut record).unwrap();
    assert!(record.contains("mielto:key_000000001"), "{record}");
    told.recv().unwrap();
    signal(child.id());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = "keymux: interrupted; these keys were not looked up:\noneloop:w/%61\noneloop:w/b\n";
    assert_eq!((output.status.code(), &*stderr), (Some(130), expected));
    assert_eq!(stdout.lines().count(), 0);
}

#[test]
fn ctrl_c_ends_a_table_with_one_line_of_how_many_keys_there_are() {
    let stage = Stage::new();
    for (filter, end) in [("name!~^$", " keys shown; interrupted"), ("", " keys; interrupted")] {
        let (url, told) = silent();
        let filter = if filter.is_empty() { vec![] } else { vec!["--filter", filter] };
        let mut command = stage.command(&[&["list", "-o", "table"], &*filter].concat());
        command.env("ONELOOP_BASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        told.recv().unwrap();
        signal(child.id());
        let stderr = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        assert!(stderr.lines().last().unwrap().ends_with(end), "{stderr}");
        assert!(!stderr.contains("not complete"), "{stderr}");
    }
}

fn signal(process: u32) {
    assert!(Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let stage = Stage::new();
    let mut command = stage.command(&["list"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal(), told.as_str()), (Some(0), None, ""));
}
