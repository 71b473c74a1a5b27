//! Where a plaintext is, and where it never is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use keymux_emulator::{Fault, FaultRule};
use serde_json::Value;

use crate::stage::{NEW, OWN, Stage, WORKSPACE, folder, requests, run, sample, silent};

#[test]
fn a_secret_file_is_new_and_private_and_the_record_is_beside_it() {
    let stage = Stage::new();
    let file = folder("secret-file").join("key");
    let args = ["create", "mielto", "--name", "n", "--secret-file", file.to_str().unwrap()];
    let ran = stage.run(&args);
    assert_eq!((ran.status, &*ran.stdout), (Some(0), ""), "{ran:?}");
    let record: Value = serde_json::from_slice(&fs::read(file.with_extension("json")).unwrap()).unwrap();
    let address: Vec<String> = serde_json::from_value(record["address"].clone()).unwrap();
    let plaintext = fs::read_to_string(&file).unwrap();
    assert_eq!(plaintext, stage.emulator.mielto().plaintext(&address).unwrap());
    for path in [&file, &file.with_extension("json")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    assert!(!ran.stderr.contains(&plaintext) && !record.to_string().contains(&plaintext));

    let again = stage.run(&args);
    assert_eq!(again.status, Some(2), "{again:?}");
    assert!(again.stderr.contains("no file is overwritten"), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), plaintext);
    assert_eq!(stage.emulator.mielto().request_count(), 1);
}

#[test]
fn standard_output_is_no_secret_file() {
    let stage = Stage::new();
    let folder = folder("dash");
    let key = sample(stage.emulator.oneloop());
    for args in [&["create", "mielto", "--name", "n"][..], &["rotate", &key, "--yes"]] {
        let args = [args, &["--secret-file", "-"]].concat();
        let ran = run(stage.command(&args).current_dir(&folder), "");
        assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains("leave it out: the plaintext goes to standard output anyway"), "{ran:?}");
    }
    assert_eq!((requests(&stage), fs::read_dir(&folder).unwrap().count()), (0, 0));
}

#[test]
fn no_key_is_made_whose_plaintext_could_not_be_kept() {
    let stage = Stage::new();
    let folder = folder("no-place");
    let beside = folder.join("beside");
    fs::write(folder.join("beside.json"), "mine").unwrap();
    let create = |path: &str| stage.run(&["create", "mielto", "--name", "n", "--secret-file", path]);
    for (path, status) in [(folder.join("missing/key"), 1), (folder.clone(), 2), (beside.clone(), 2)] {
        let ran = create(path.to_str().unwrap());
        assert_eq!(ran.status, Some(status), "{ran:?}");
    }
    assert!(!beside.exists());
    assert_eq!(fs::read_to_string(folder.join("beside.json")).unwrap(), "mine");
    for args in [&["create", "mielto", "--name", "n"][..], &["rotate", &sample(stage.emulator.oneloop()), "--yes"]] {
        let output = stage.command(args).stdout(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("--secret-file"));
    }
    // Rust takes a write to it for done.
    let read_only = fs::File::open(folder.join("beside.json")).unwrap();
    let output = stage.command(&["create", "mielto", "--name", "n"]).stdout(read_only).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("--secret-file"));
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_disk_without_room_for_a_plaintext_is_seen_before_anything_is_sent() {
    let stage = Stage::new();
    let folder = folder("no-room");
    let file = folder.join("key");
    // A shell can keep a program from making files larger than nothing, as a full disk does.
    let args = ["create", "mielto", "--name", "n", "--secret-file", file.to_str().unwrap()];
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_keymux")]);
    let ran = run(command.args(args).env_clear().envs(stage.variables()), "");
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("making room for"), "{ran:?}");
    assert_eq!((requests(&stage), fs::read_dir(&folder).unwrap().count()), (0, 0));
}

#[test]
fn the_file_goes_where_no_plaintext_came() {
    let stage = Stage::new();
    let mielto = stage.emulator.mielto();
    let folder = folder("no-plaintext");
    let file = folder.join("key");
    for (fault, status, told) in
        [(Fault::status(403), 5, ""), (Fault::Reset { applied: true }, 7, "nobody has its plaintext")]
    {
        mielto.faults(FaultRule::new(fault)).unwrap();
        let ran = stage.run(&["create", "mielto", "--name", "n", "--secret-file", file.to_str().unwrap()]);
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_plaintext_that_cannot_be_written_is_told_with_the_way_to_end_the_key() {
    let stage = Stage::new();
    let mut command = stage.command(&["create", "mielto", "--name", "n"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("keymux revoke mielto:key_"), "{told}");

    let mut command = stage.command(&["create", "mielto", "--name", "n"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a reader that goes away takes the plaintext along: {output:?}");
}

#[test]
fn a_key_with_white_space_or_no_text_is_refused_before_anything_is_sent() {
    let stage = Stage::new();
    let file = folder("wrong-keys").join("key");
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    for (text, shape) in [
        ("", "is empty"),
        ("canary key\n", "white space (U+0020) at byte 7 of 10"),
        ("canary\n\n", "(U+000A) at byte 7 of 7"),
        ("canary\u{200b}\n", "(U+200B) at byte 7 of 9"),
        ("\u{feff}canary\u{2010}key\r\n", "(U+2010) at byte 7 of 12"),
        ("canary\0\n", "a control character (U+0000) at byte 7 of 7"),
    ] {
        let ran = run(&mut stage.command(&register), text);
        assert_eq!(ran.status, Some(2), "{text:?}: {ran:?}");
        assert!(ran.stderr.contains(shape) && !ran.stderr.contains("canary"), "{text:?}: {ran:?}");
        fs::write(&file, text).unwrap();
        let ran = stage.run(&[&register[..], &["--key-file", file.to_str().unwrap()]].concat());
        assert!(ran.status == Some(2) && ran.stderr.contains(shape), "{text:?}: {ran:?}");
    }
    let ran = stage.run(&[&register[..], &["--key-file", "/nowhere/key"]].concat());
    assert!(ran.status == Some(1) && ran.stderr.contains("reading /nowhere/key"), "{ran:?}");
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_byte_order_mark_before_a_plaintext_a_credential_or_a_reference_is_taken_off() {
    let stage = Stage::new();
    let own = format!("\u{feff}{}\r\n", OWN.trim_end());
    let file = folder("marked").join("own");
    fs::write(&file, &own).unwrap();
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    assert_eq!(run(&mut stage.command(&register), &own).status, Some(0));
    for input in [&*own, OWN] {
        let ran = run(&mut stage.command(&["verify", "oneloop"]), input);
        assert_eq!((ran.status, &ran.lines()[0]["verdict"]), (Some(0), &"valid".into()), "{ran:?}");
    }
    let ran = stage.run(&["verify", "oneloop", "--key-file", file.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let key = sample(stage.emulator.mielto());
    let ran = run(&mut stage.command(&["get", "-"]), &format!("\u{feff}{key}\r\n{key}\r\n"));
    assert_eq!((ran.status, ran.of_type("key").len()), (Some(0), 2), "{ran:?}");
    let credential = format!("\u{feff}{}\n", stage.emulator.mielto().credential());
    let ran = run(stage.command(&["get", &key]).env("MIELTO_API_KEY", credential), "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[test]
fn plaintexts_and_credentials_are_in_no_output_or_log_or_file_that_is_not_for_them() {
    let stage = Stage::new();
    let oneloop = stage.emulator.oneloop();
    let own = OWN.trim_end();
    let folder = folder("canary");
    let key_file = folder.join("own");
    fs::write(&key_file, OWN).unwrap();
    let file = key_file.to_str().unwrap();
    let secret_file = folder.join("secret");
    let create = [&["create", WORKSPACE][..], &NEW].concat();
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    for args in [
        create.clone(),
        [&create[..], &["--secret-file", secret_file.to_str().unwrap()]].concat(),
        [&create[..], &["--dry-run"]].concat(),
        [&register[..], &["--key-file", file]].concat(),
        [&register[..], &["--key-file", file, "--dry-run"]].concat(),
        register.clone(),
        vec!["verify", "oneloop"],
        vec!["verify", "oneloop", "--key-file", file, "-o", "table"],
        vec!["update", &sample(oneloop), "--name", "renamed"],
        vec!["rotate", &sample(oneloop), "--native", "--yes"],
        vec!["revoke", &sample(oneloop), "--yes"],
        vec!["revoke", &sample(oneloop), "--yes"],
    ] {
        let ran = run(&mut stage.command(&[&args[..], &["-vv"]].concat()), OWN);
        assert!(ran.stderr.contains("oneloop"), "{args:?}: something is traced: {ran:?}");
        let mut secrets = vec![own.to_owned()];
        secrets.extend(stage.vendors().map(|vendor| vendor.credential().to_owned()));
        let shows = matches!(args[0], "create" | "rotate") && !args.contains(&"--dry-run");
        if shows && ran.status == Some(0) {
            let plaintext = if args.contains(&"--secret-file") {
                fs::read_to_string(&secret_file).unwrap()
            } else {
                ran.stdout.trim_end().to_owned()
            };
            assert!(plaintext.len() > 8 && !ran.stderr.contains(&plaintext), "{args:?}: {ran:?}");
            let beside = fs::read_to_string(folder.join("secret.json")).unwrap_or_default();
            assert!(!beside.contains(&plaintext));
        }
        for secret in &secrets {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{args:?}: {ran:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_secret_is_in_the_arguments_of_the_process() {
    use std::io::Write;

    let stage = Stage::new();
    let register = [&["register", WORKSPACE][..], &NEW].concat();
    for args in [register, vec!["verify", "oneloop"]] {
        let (url, told) = silent();
        let mut command = stage.command(&args);
        command.env("ONELOOP_BASE_URL", url).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(OWN.as_bytes()).unwrap();
        told.recv().unwrap();
        let line = String::from_utf8(fs::read(format!("/proc/{}/cmdline", child.id())).unwrap()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.contains(args[0]));
        for secret in [OWN.trim_end(), stage.emulator.oneloop().credential()] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn a_plaintext_given_as_an_argument_is_refused_and_not_shown() {
    let stage = Stage::new();
    let key = sample(stage.emulator.oneloop());
    for args in [
        &["register", "baseten:g7k2m9qx", "CANARY"][..],
        &["verify", "datkey", "--dry-run", "CANARY"],
        &["create", "mielto", "--name", "n", "CANARY"],
        &["rotate", &key, "CANARY", "--yes"],
    ] {
        let ran = stage.run(args);
        assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("from standard input or a file, never from an argument"), "{args:?}: {ran:?}");
        assert!(!ran.stderr.contains("CANARY"), "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_plaintext_in_the_place_of_an_account_a_key_or_a_command_is_not_shown() {
    const KEY: &str = "sk-live-4f9d0c21a7b36e58";
    let stage = Stage::new();
    for (args, says) in [
        (&["get", KEY][..], "[redacted]: invalid request: the key reference has no `:`"),
        (&["get", KEY, "-o", "json"], "[redacted]: invalid request: the key reference has no `:`"),
        (&["revoke", KEY, "--yes"], "[redacted]: invalid request: the key reference has no `:`"),
        (&["rotate", KEY, "--yes"], "invalid value '[redacted]' for '[REF]'"),
        (&["update", KEY, "--name", "n"], "[redacted]: invalid request: the key reference has no `:`"),
        (&["update", KEY, KEY, "--name", "n", "--yes"], "[redacted]: invalid request: the key reference has no `:`"),
        (&["run", "--create", "mielto", "--env", KEY, "--", "true"], "invalid value '[redacted]' for '--env <NAME>'"),
        (&["run", "--create", KEY, "--env", "A", "--", "true"], "there is no account `[redacted]`; there are: "),
        (&["list", KEY], "there is no account `[redacted]`; there are: "),
        (&["scopes", KEY], "there is no account `[redacted]`; there are: "),
        (&["verify", KEY], "there is no account `[redacted]`; there are: "),
        (&["create", KEY, "--name", "n"], "there is no account `[redacted]`; there are: "),
        (&["verify", "=sk-live-4f9d0c21a7b36e58"], "'=[redacted]' for '<ACCOUNT[:SCOPE]>'"),
        (&["accounts", KEY], "unrecognized subcommand '[redacted]'"),
        (&["accounts", "check", KEY], "unexpected argument '[redacted]' found"),
        (&["providers", KEY], "there is no vendor `[redacted]`; there are: "),
        (&["list", "--columns", KEY], "there is no field `[redacted]` here"),
        (&["list", "--sort", KEY], "there is no field `[redacted]` here"),
        (&["list", "--filter", KEY], "`[redacted]` is no filter"),
        (&["list", "--filter", &format!("expires<{KEY}")], "`[redacted]` is no point in time"),
        (&["list", "--filter", &format!("name~({KEY}")], "`([redacted]` is no pattern"),
        (&["create", "mielto", "--name", "n", "--expires", KEY], "`[redacted]` is no point in time"),
        (&["create", "mielto", "--name", "n", "--permission", &format!("a={KEY}")], "`[redacted]` is no action"),
        (&["list", "-o", KEY], "invalid value '[redacted]' for '--output <FORMAT>'"),
        (&[KEY], "unrecognized subcommand '[redacted]'"),
    ] {
        let ran = run(&mut stage.command(args), "sk_a_plaintext_of_32_characters_0\n");
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says), "{args:?}: {ran:?}");
        assert!(!ran.stdout.contains("4f9d0c21") && !ran.stderr.contains("4f9d0c21"), "{args:?}: {ran:?}");
    }
    // What is no key is shown.
    for (args, says) in [
        (&["list", "prod-baseten"][..], "there is no account `prod-baseten`"),
        (&["get", "prod-baseten/g7k2m9qx"], "prod-baseten/g7k2m9qx: invalid request"),
        (&["lst"], "unrecognized subcommand 'lst'"),
    ] {
        let ran = stage.run(args);
        assert!(ran.status == Some(2) && ran.stderr.contains(says), "{args:?}: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_line_of_standard_input_that_is_no_reference_is_told_by_its_place_and_shape_alone() {
    let stage = Stage::new();
    let told =
        "line 3 of standard input, 9 characters that are not shown, is no reference: the key reference has no `:`";
    let input = "mielto:key_000000001\n\n  sk_CANARY\n";
    for format in ["table", "json", "ndjson", "csv"] {
        let ran = run(&mut stage.command(&["get", "-", "-o", format]), input);
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert!(!ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"), "{ran:?}");
    }
    let before = requests(&stage);
    let ran = run(&mut stage.command(&["revoke", "-", "--yes"]), input);
    assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains(told) && ran.stderr.contains("; nothing was revoked"), "{ran:?}");
    assert!(!ran.stderr.contains("CANARY"), "{ran:?}");
    assert_eq!(requests(&stage), before);
}
