//! A person at a terminal who is asked, and who sees how far a listing is.

use std::process::{Command, Stdio};

use rexpect::session::{PtySession, spawn_command};

use crate::stage::{APART, NEW, OWN, Stage, WORKSPACE, held, requests, sample, silent};

fn at_a_terminal(mut command: Command) -> PtySession {
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    spawn_command(command, Some(60_000)).unwrap()
}

/// What is still shown, and the exit status.
fn end(session: PtySession) -> (String, i32) {
    let mut session = session;
    let shown = session.exp_eof().unwrap();
    // The crate does not name its type of a status: `Exited(Pid(7), 0)`.
    let status = format!("{:?}", session.process().wait().unwrap());
    let code =
        status.strip_prefix("Exited(").and_then(|rest| rest.trim_end_matches(')').rsplit(' ').next()?.parse().ok());
    assert!(code.is_some(), "{status}: {shown}");
    (shown, code.unwrap())
}

#[test]
fn revoke_shows_the_key_and_asks_and_everything_but_yes_is_no() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    for answer in ["n", "", "yep"] {
        let mut session = at_a_terminal(stage.command(&["revoke", &key]));
        let shown = session.exp_string(&format!("Revoke {key}? [y/N] ")).unwrap();
        assert!(shown.contains("name") && shown.contains("status"), "{shown}");
        session.send_line(answer).unwrap();
        let (shown, status) = end(session);
        assert!(status == 1 && shown.contains("Nothing was done."), "{answer:?}: {status} {shown}");
    }
    assert_eq!(stage.run(&["get", &key]).status, Some(0));
    for answer in ["y", "YES"] {
        let key = sample(if answer == "y" { stage.emulator.mielto() } else { stage.emulator.datkey() });
        let mut session = at_a_terminal(stage.command(&["revoke", &key]));
        session.exp_string("[y/N] ").unwrap();
        session.send_line(answer).unwrap();
        let (shown, status) = end(session);
        assert!(status == 0 && shown.contains("revoked"), "{status} {shown}");
        assert_eq!(stage.run(&["get", &key]).status, Some(4));
    }
}

#[test]
fn several_keys_are_asked_for_once_and_one_that_is_not_there_is_told() {
    let stage = Stage::new();
    let (mielto, datkey) = (sample(stage.emulator.mielto()), sample(stage.emulator.datkey()));
    let mut session = at_a_terminal(stage.command(&["revoke", &mielto, &datkey, "mielto:nope"]));
    let shown = session.exp_string("Revoke these 3 keys? [y/N] ").unwrap();
    assert!(shown.contains(&mielto) && shown.contains(&datkey) && shown.contains("mielto:nope: "), "{shown}");
    session.send_line("y").unwrap();
    assert_eq!(end(session).1, 3);
}

#[test]
fn a_key_that_is_not_there_is_not_asked_for() {
    let stage = Stage::new();
    let (shown, status) = end(at_a_terminal(stage.command(&["revoke", "mielto:nope"])));
    assert!(status == 4 && !shown.contains("[y/N]"), "{status} {shown}");
}

#[test]
fn rotate_asks_and_tells_that_the_plaintext_is_shown_this_once() {
    let stage = Stage::new();
    let oneloop = stage.emulator.oneloop();
    let key = sample(oneloop);
    let mut session = at_a_terminal(stage.command(&["rotate", &key, "--native"]));
    session.exp_string(&format!("Rotate {key}? [y/N] ")).unwrap();
    session.send_line("y").unwrap();
    let (shown, status) = end(session);
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains(&oneloop.plaintext(oneloop.sample_address()).unwrap()), "{shown}");
    assert!(shown.contains("shown this once"), "{shown}");
}

#[test]
fn ctrl_c_at_a_question_does_nothing_and_ends_with_130() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    let mut session = at_a_terminal(stage.command(&["revoke", &key]));
    session.exp_string("[y/N] ").unwrap();
    session.send_control('c').unwrap();
    assert_eq!(end(session).1, 130);
    assert_eq!(stage.run(&["get", &key]).status, Some(0));
}

#[test]
fn a_key_that_is_typed_is_not_shown_and_the_terminal_is_as_before() {
    let stage = Stage::new();
    for (answer, status) in [(Some(OWN.trim_end()), 0), (None, 130)] {
        let register = [&["register", WORKSPACE][..], &NEW].concat();
        // A shell that shows what is typed, and tells before and after whether it does.
        let mut shell = Command::new("sh");
        let script =
            "trap : INT; stty echo; \"$@\"; echo \"status=$?\"; stty -a | grep -q -e -echo\\  || echo shown again";
        shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_keymux")]).args(&register);
        shell.env_clear().env("PATH", "/usr/bin:/bin").envs(stage.variables());
        let mut session = at_a_terminal(shell);
        session.exp_string("Key (it is not shown): ").unwrap();
        match answer {
            Some(key) => drop(session.send_line(key).unwrap()),
            None => session.send_control('c').unwrap(),
        }
        let (shown, _) = end(session);
        assert!(shown.contains(&format!("status={status}")), "{shown}");
        assert!(!shown.contains(OWN.trim_end()) && shown.contains("shown again"), "{shown}");
    }
    assert_eq!(requests(&stage), 1);
}

#[test]
fn a_call_that_makes_a_key_is_waited_for_through_one_ctrl_c_and_not_through_two() {
    const MADE: &str = r#"{"id": "key_2", "label": "n", "status": "active", "secret": "sk_EXAMPLEheldBack0001"}"#;
    let stage = Stage::new();
    for twice in [false, true] {
        let (url, told, go) = held(MADE);
        let mut command = stage.command(&["create", "mielto", "--name", "n"]);
        command.env("MIELTO_BASE_URL", url);
        let mut session = at_a_terminal(command);
        told.recv().unwrap();
        session.send_control('c').unwrap();
        session.exp_string("leaves unknown whether there is a new key").unwrap();
        if twice {
            // Two that come together are one.
            std::thread::sleep(APART);
            session.send_control('c').unwrap();
        } else {
            go.send(()).unwrap();
        }
        let (shown, status) = end(session);
        assert_eq!((status, shown.contains("sk_EXAMPLEheldBack0001")), if twice { (130, false) } else { (0, true) });
        // The server need not wait for ever.
        let _ = go.send(());
    }
}

#[test]
fn a_listing_at_a_terminal_has_a_line_for_each_account_and_ctrl_c_ends_it_with_what_came() {
    let stage = Stage::new();
    let (url, _told) = silent();
    let mut command = stage.command(&["list", "baseten", "oneloop"]);
    command.env("ONELOOP_BASE_URL", url);
    let mut session = at_a_terminal(command);
    session
        .exp_regex("baseten: [1-9][0-9]* keys, ([0-9]+) of ([0-9]+) scopes(, 1 failed)?; (done|partial|complete)")
        .unwrap();
    session.exp_string("oneloop: 0 keys, 0 of 0+ scopes; ").unwrap();
    session.send_control('c').unwrap();
    let (shown, status) = end(session);
    assert_eq!(status, 130, "{shown}");
    assert!(shown.contains(&sample(stage.emulator.baseten())), "the table has what came: {shown}");
    assert!(shown.contains("interrupted"), "{shown}");
}

#[test]
fn a_wait_that_a_vendor_asks_for_is_shown_at_its_account() {
    use std::time::Duration;

    use keymux_emulator::{DelayForm, Fault, FaultRule};

    let stage = Stage::new();
    let wait = Fault::rate_limited(DelayForm::Seconds, Duration::from_secs(50));
    stage.emulator.mielto().faults(FaultRule::new(wait)).unwrap();
    let mut session = at_a_terminal(stage.command(&["list", "mielto"]));
    let (before, _) = session.exp_regex("mielto: 0 keys, 0 of 1 scopes; throttled, resumes in [0-9]+ s").unwrap();
    assert!(!before.contains("skipped"), "an account that was not asked for has no line: {before}");
    session.send_control('c').unwrap();
    assert_eq!(end(session).1, 130);
}

#[test]
fn nothing_is_drawn_into_a_pipe() {
    let stage = Stage::new();
    let (url, told) = silent();
    let mut command = stage.command(&["list", "-o", "table"]);
    command.env("ONELOOP_BASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    told.recv().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains('\u{1b}') && !told.contains('\r'), "{told:?}");
}

/// A shell that shows what is typed, tells its number before it becomes the program, and is in a session of its own.
fn hidden_prompt(stage: &Stage) -> (PtySession, String) {
    let mut shell = Command::new("sh");
    let script = "stty echo; sh -c 'echo pid=$$; exec \"$0\" \"$@\"' \"$@\"; echo \"status=$?\"; \
                  stty -a | grep -q -e -echo\\  || echo shown again";
    let script = format!("trap : INT TERM HUP QUIT; {script}");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_keymux"), "verify", "oneloop"]);
    shell.env_clear().env("PATH", "/usr/bin:/bin").envs(stage.variables());
    let mut session = at_a_terminal(shell);
    let (_, told) = session.exp_regex("pid=[0-9]+").unwrap();
    session.exp_string("Key (it is not shown): ").unwrap();
    (session, told.trim_start_matches("pid=").to_owned())
}

#[test]
fn the_terminal_shows_again_what_is_typed_whatever_ends_the_question() {
    let stage = Stage::new();
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129), ("-QUIT", 131)] {
        let (session, process) = hidden_prompt(&stage);
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let (shown, _) = end(session);
        assert!(shown.contains(&format!("status={status}")) && shown.contains("shown again"), "{signal}: {shown}");
    }
    // Ctrl-C and Ctrl-\\ go to all of the terminal, the shell among them.
    for (key, status) in [('c', 130), ('\\', 131)] {
        let (mut session, _) = hidden_prompt(&stage);
        session.send_control(key).unwrap();
        let (shown, _) = end(session);
        assert!(shown.contains(&format!("status={status}")) && shown.contains("shown again"), "{key}: {shown}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn while_the_program_is_stopped_the_terminal_shows_what_is_typed_and_afterwards_not() {
    let stage = Stage::new();
    let mut shell = Command::new("bash");
    let script = "set -m; stty echo; \"$@\"; echo stopped; stty -a | grep -q -e -echo\\  || echo shown; fg; echo \"status=$?\"; \
                  stty -a | grep -q -e -echo\\  || echo shown again";
    shell.args(["--norc", "-c", script, "bash", env!("CARGO_BIN_EXE_keymux"), "register", WORKSPACE]).args(NEW);
    shell.env_clear().env("PATH", "/usr/bin:/bin").envs(stage.variables());
    let mut session = at_a_terminal(shell);
    session.exp_string("Key (it is not shown): ").unwrap();
    session.send("half").unwrap();
    session.flush().unwrap();
    session.send_control('z').unwrap();
    session.exp_string("stopped").unwrap();
    session.exp_string("shown").unwrap();
    session.exp_string("Key (it is not shown): ").unwrap();
    session.send_line(OWN.trim_end()).unwrap();
    let (shown, _) = end(session);
    assert!(shown.contains("status=0") && shown.contains("shown again"), "{shown}");
    assert!(!shown.contains(OWN.trim_end()), "{shown}");
}

#[test]
fn references_come_through_a_pipe_and_the_answer_from_the_terminal() {
    let stage = Stage::new();
    let key = sample(stage.emulator.mielto());
    for (answer, status, after) in [("n", 1, 0), ("y", 0, 4)] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf '%s\n' \"$2\" | \"$1\" revoke -", "sh", env!("CARGO_BIN_EXE_keymux"), &key]);
        shell.env_clear().env("PATH", "/usr/bin:/bin").envs(stage.variables());
        let mut session = at_a_terminal(shell);
        session.exp_string(&format!("Revoke {key}? [y/N] ")).unwrap();
        session.send_line(answer).unwrap();
        let (shown, ended) = end(session);
        assert_eq!(ended, status, "{shown}");
        assert_eq!(stage.run(&["get", &key]).status, Some(after));
    }
}

#[test]
fn many_updates_are_shown_whole_and_asked_for_once() {
    let stage = Stage::new();
    let (mielto, oneloop) = (sample(stage.emulator.mielto()), sample(stage.emulator.oneloop()));
    for (answer, status) in [("n", 1), ("y", 3)] {
        let mut session = at_a_terminal(stage.command(&["update", &mielto, &oneloop, "mielto:nope", "--disable"]));
        let shown = session.exp_string("Update these 3 keys? [y/N] ").unwrap();
        assert!(shown.contains(&mielto) && shown.contains(&oneloop) && shown.contains("mielto:nope: "), "{shown}");
        session.send_line(answer).unwrap();
        assert_eq!(end(session).1, status);
        let disabled = stage.run(&["get", &mielto]).lines()[0]["status"]["state"] == "disabled";
        assert_eq!(disabled, answer == "y");
    }
}

#[test]
fn ctrl_c_reaches_the_command_of_a_lease_once_and_its_key_is_revoked() {
    let (stage, home) = (Stage::new(), crate::stage::folder("lease-terminal"));
    let script = "trap 'echo heard' INT; echo ready; n=0; while [ $n -lt 10 ]; do sleep 0.1; n=$((n+1)); done; exit 4";
    let args = ["run", "--create", "mielto", "--env", "LEASED", "--name", "n", "--", "sh", "-c", script];
    let mut command = stage.command(&args);
    command.env("PATH", "/usr/bin:/bin").env("XDG_STATE_HOME", home);
    let mut session = at_a_terminal(command);
    session.exp_string("ready").unwrap();
    session.send_control('c').unwrap();
    let (shown, status) = end(session);
    assert_eq!((status, shown.matches("heard").count()), (4, 1), "{shown}");
    assert!(!stage.run(&["list", "mielto"]).stdout.contains("[keymux "));
}
