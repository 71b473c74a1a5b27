//! What stands between the program and its vendors on people's machines: proxies, certificates, commands that print
//! credentials, files that are none, and variables that are not what they should be.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::stage::{Ran, Stage, bare, folder, requests, run};

/// A proxy that answers each tunnel with `answer`, and a channel that tells what it was asked.
fn proxy(answer: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&bytes[..count]).into_owned());
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, told)
}

/// A look-up at a vendor over HTTPS, with these variables.
fn over_https(variables: &[(&str, &str)]) -> Ran {
    let mut command = bare(&["get", "mielto:key_1"]);
    command.env("MIELTO_API_KEY", "EXAMPLE0000000001").env("MIELTO_BASE_URL", "https://127.0.0.1:1");
    command.envs(variables.iter().copied());
    run(&mut command, "")
}

#[test]
fn a_proxy_variable_that_cannot_be_used_is_wrong_usage_and_nothing_is_sent_past_it() {
    let (address, told) = proxy("HTTP/1.1 403 Forbidden\r\n\r\n");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for text in [
            format!("http://u:pwCANARY@{address} "),
            format!("\"http://u:pwCANARY@{address}\""),
            format!("htp://u:pwCANARY@{address}"),
        ] {
            let ran = over_https(&[(variable, &text)]);
            assert_eq!(ran.status, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(variable) && !ran.stderr.contains("pwCANARY"), "{ran:?}");
        }
    }
    assert!(told.try_recv().is_err());
    let ran = over_https(&[("HTTPS_PROXY", "socks5://u:pwCANARY@127.0.0.1:1080")]);
    if !cfg!(feature = "socks") {
        assert!(ran.status == Some(2) && ran.stderr.contains("`socks`") && !ran.stderr.contains("CANARY"), "{ran:?}");
    }
}

#[test]
fn an_error_of_connecting_says_which_proxy_is_in_the_way_and_what_it_said() {
    for (answer, says) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "refused the tunnel to 127.0.0.1:1"),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "(HTTP 407)"),
        ("", "ended the connection"),
    ] {
        let (address, told) = proxy(answer);
        let ran = over_https(&[("HTTPS_PROXY", &format!("http://user:pwCANARY@{address}"))]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        let named = format!("the proxy {address} (HTTPS_PROXY)");
        assert!(ran.stderr.contains(&named) && ran.stderr.contains(says), "{ran:?}");
        assert!(!ran.stderr.contains("pwCANARY"), "{ran:?}");
        assert!(told.recv().unwrap().starts_with("CONNECT 127.0.0.1:1 "));
        if says.contains("407") {
            assert!(ran.stderr.contains("1 attempt"), "another one would hear the same: {ran:?}");
        }
    }
    let nobody = over_https(&[("all_proxy", "127.0.0.1:1")]);
    assert!(nobody.stderr.contains("the proxy 127.0.0.1:1 (all_proxy) cannot be reached"), "{nobody:?}");
    let past = over_https(&[("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "*")]);
    assert!(past.stderr.contains("without a proxy"), "{past:?}");
}

#[test]
fn a_store_of_certificates_that_cannot_be_read_is_named_in_words_of_the_program() {
    let ran = over_https(&[("SSL_CERT_FILE", "/nosuch/ca.pem")]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    for says in ["SSL_CERT_FILE", "/nosuch/ca.pem", "`root_certificates_file`"] {
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    assert!(!ran.stderr.contains("with_root"), "{ran:?}");
}

/// A file with accounts of the emulator's Mielto, each with this credential.
fn file(name: &str, stage: &Stage, accounts: &[&str], credential: &str) -> String {
    let folder = folder(name);
    let path = folder.join("keymux.toml");
    let url = stage.emulator.mielto().base_url();
    let table = |account: &&str| {
        format!("[accounts.{account}]\nprovider = \"mielto\"\nbase_url = \"{url}\"\ncredential = {credential}\n")
    };
    std::fs::write(&path, accounts.iter().map(table).collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn shell(script: &str) -> String {
    format!("{{ command = [\"/bin/sh\", \"-c\", '''{script}'''] }}")
}

fn get(path: &str, account: &str) -> Ran {
    let mut command = bare(&["--config", path, "get", &format!("{account}:key_000000001")]);
    command.env("PATH", "/usr/bin:/bin");
    run(&mut command, "")
}

#[test]
fn a_command_counts_once_it_has_ended_whatever_it_leaves_running() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let path = file("left-behind", &stage, &["a"], &shell(&format!("sleep 30 & echo {key}")));
    let started = Instant::now();
    let ran = get(&path, "a");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_a_command_asks_is_seen_and_so_is_why_it_fails() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let asks = file("asks", &stage, &["a"], &shell(&format!("echo Touch your security key >&2; echo {key}")));
    let ran = get(&asks, "a");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("Touch your security key"), "{ran:?}");
    let fails = file("fails", &stage, &["a"], &shell("echo sk-EXAMPLE0001 is locked >&2; exit 3"));
    let ran = get(&fails, "a");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    let told = ran.stderr.lines().last().unwrap();
    assert!(told.contains("failed (exit status: 3): [redacted] is locked"), "{ran:?}");
}

#[test]
fn accounts_with_one_command_run_it_once_and_those_with_another_their_own() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let marks = folder("marks").join("runs");
    let script = format!("echo run >> {}; sleep 0.2; echo {key}", marks.display());
    let accounts = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let path = file("equal", &stage, &accounts, &shell(&script));
    let ran = run(bare(&["--config", &path, "accounts", "check"]).env("PATH", "/usr/bin:/bin"), "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&marks).unwrap().lines().count(), 1);
}

#[test]
fn a_command_may_print_the_key_with_its_end_and_runs_again_when_it_is_near_or_refused() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let json = |end: &str| format!("echo \"{{\\\"secret\\\": \\\"{key}\\\", \\\"expires_at\\\": \\\"{end}\\\"}}\"");
    let path = file("json", &stage, &["a"], &shell(&json("2099-01-31T12:00:00Z")));
    assert_eq!(get(&path, "a").status, Some(0));
    for (script, says) in [
        (json("soon"), "`expires_at` is not an instant"),
        ("echo \"{\\\"key\\\": \\\"EXAMPLE\\\"}\"".to_owned(), "without the member `secret`"),
    ] {
        let ran = get(&file("json-bad", &stage, &["a"], &shell(&script)), "a");
        assert!(ran.status == Some(2) && ran.stderr.contains(says) && !ran.stderr.contains("EXAMPLE"), "{ran:?}");
    }
    // The first time an old key, which the vendor refuses, then the new one.
    let old = folder("rotated").join("old");
    let script = format!("if [ -e {0} ]; then echo {key}; else : > {0}; echo EXAMPLEOLD0001; fi", old.display());
    let ran = get(&file("rotated-file", &stage, &["a"], &shell(&script)), "a");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let script = format!(
        "if [ -e {0} ]; then echo vault is sealed >&2; exit 1; else : > {0}; echo EXAMPLEOLD0001; fi",
        old.with_extension("2").display()
    );
    let ran = get(&file("sealed-file", &stage, &["a"], &shell(&script)), "a");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("could not be renewed") && ran.stderr.contains("vault is sealed"), "{ran:?}");
    assert!(!ran.stderr.contains("401"), "{ran:?}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_hangs_nobody() {
    let stage = Stage::new();
    let folder = folder("pipe");
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let of = |line: &str| {
        let path = folder.join("keymux.toml");
        let url = stage.emulator.mielto().base_url();
        let text = format!("[accounts.a]\nprovider = \"mielto\"\nbase_url = \"{url}\"\n{line}\n");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for line in [
        format!("credential = {{ file = \"{}\" }}", pipe.display()),
        format!("credential = {{ file = \"{}\" }}", folder.display()),
        format!("root_certificates_file = \"{}\"\ncredential = {{ command = [\"/bin/echo\", \"k\"] }}", pipe.display()),
    ] {
        let started = Instant::now();
        let ran = get(&of(&line), "a");
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("cannot be read: it is "), "{ran:?}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_configuration_that_another_program_writes_is_read() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let path = file("substituted", &stage, &["a"], "{ env = \"KEY\" }");
    let script = format!("{} --config <(sleep 0.2; cat {path}) get a:key_000000001", env!("CARGO_BIN_EXE_keymux"));
    let mut command = Command::new("/bin/bash");
    command.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").env("KEY", key);
    let ran = run(&mut command, "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[test]
fn what_is_no_key_for_certain_is_refused_by_its_shape_before_anything_is_sent() {
    let stage = Stage::new();
    for (text, says) in [
        ("\"EXAMPLE0000000001\"", "quotation marks"),
        ("${MIELTO_API_KEY}", "names a variable"),
        ("op://vault/mielto/key", "reference"),
        ("MIELTO_API_KEY=EXAMPLE0000000001", "NAME=value"),
        ("{\"key\":\"EXAMPLE0000000001\"}", "JSON"),
    ] {
        let path = file("shapes", &stage, &["a"], "{ env = \"KEY\" }");
        let ran = run(bare(&["--config", &path, "get", "a:key_1"]).env("KEY", text), "");
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("EXAMPLE"), "{ran:?}");
    }
    assert_eq!(requests(&stage), 0);
    // What may be one is sent, and the refusal has a hint.
    let path = file("odd-sign", &stage, &["a"], "{ env = \"KEY\" }");
    let ran = run(bare(&["--config", &path, "get", "a:key_1"]).env("KEY", "KEY1=EXAMPLE0001"), "");
    assert!(ran.status == Some(5) && ran.stderr.contains("NAME=value"), "{ran:?}");
}

#[test]
fn a_bad_variable_costs_its_own_account_and_an_empty_one_is_none() {
    let stage = Stage::new();
    let reference = "datkey:00000000-0000-4000-8000-000000000001";
    let reference = stage
        .vendors()
        .into_iter()
        .find(|vendor| vendor.name() == "Datkey")
        .map_or_else(|| reference.to_owned(), |vendor| format!("datkey:{}", vendor.sample_address().join("/")));
    for (name, value, note) in [
        ("MIELTO_API_KEY", "", true),
        ("MIELTO_API_KEY", " ", true),
        ("MIELTO_BASE_URL", "", true),
        ("MIELTO_BASE_URL", "not a url", false),
        ("MIELTO_API_KEY", "\"quoted\"", false),
        ("MIELTO_API_KEY", "two words", false),
    ] {
        let mut command = stage.command(&["get", &reference]);
        let ran = run(command.env(name, value), "");
        assert_eq!(ran.status, Some(0), "{name}={value:?}: {ran:?}");
        assert_eq!(ran.stderr.contains(&format!("{name} is set but empty")), note, "{ran:?}");
        if !note {
            let mut command = stage.command(&["get", "mielto:key_1"]);
            let ran = run(command.env(name, value), "");
            assert!(ran.status == Some(2) && ran.stderr.contains(name), "{ran:?}");
        }
    }
}

#[test]
fn what_others_can_change_or_replace_is_warned_about() {
    let stage = Stage::new();
    let folder = folder("open");
    let program = folder.join("print");
    let authority = folder.join("ca.pem");
    std::fs::write(&program, "#!/bin/sh\necho k\n").unwrap();
    std::fs::write(&authority, "none").unwrap();
    let path = folder.join("keymux.toml");
    let url = stage.emulator.mielto().base_url();
    let text = format!(
        "[accounts.a]\nprovider = \"mielto\"\nbase_url = \"{url}\"\ncredential = {{ command = [\"./print\"] }}\n\
         root_certificates_file = \"ca.pem\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let warned = || run(&mut bare(&["--config", path.to_str().unwrap(), "accounts"]), "").stderr;
    set(&program, 0o755);
    set(&authority, 0o644);
    set(&path, 0o644);
    set(&folder, 0o755);
    assert_eq!(warned(), "");
    set(&program, 0o757);
    assert!(warned().contains("print is run for account `a` and can be changed by others (mode 0757)"), "{}", warned());
    set(&program, 0o755);
    set(&authority, 0o666);
    assert!(warned().contains("ca.pem says whom account `a` trusts and can be changed by others"), "{}", warned());
    set(&authority, 0o644);
    set(&folder, 0o777);
    assert_eq!(warned().matches("its folder is open (mode 0777)").count(), 3, "{}", warned());
    set(&folder, 0o1777);
    assert_eq!(warned(), "", "there nobody can replace what is another's");
    set(&folder, 0o755);
}

#[test]
fn at_a_terminal_what_a_command_asks_begins_with_the_name_of_its_account() {
    let stage = Stage::new();
    let key = stage.emulator.mielto().credential().to_owned();
    let script = format!("printf \"Touch the key? \" >&2; echo one more >&2; echo {key}");
    let path = file("asks-terminal", &stage, &["prod"], &shell(&script));
    let mut command = bare(&["--config", &path, "get", "prod:key_000000001", "--quiet"]);
    command.env("PATH", "/usr/bin:/bin").env("TERM", "dumb");
    let mut session = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    let shown = session.exp_eof().unwrap();
    assert!(shown.contains("prod: Touch the key? one more\r\n"), "{shown:?}");
}

/// A server that lists forty groups and then does `then` with every request for their keys; and how many there were.
fn forty_groups(then: &'static str) -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let groups: Vec<String> = (0..40).map(|number| format!("{{\"id\":\"g{number:02}\",\"name\":\"n\"}}")).collect();
        let body = format!("{{\"items\":[{}],\"pagination\":{{\"has_more\":false}}}}", groups.join(","));
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let head = String::from_utf8_lossy(&bytes[..count]).into_owned();
            let answer = if head.contains("/api_keys") {
                let _ = tell.send(());
                then.to_owned()
            } else {
                let length = body.len();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            };
            if answer.is_empty() {
                kept.push(stream);
            } else {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    (url, told)
}

#[test]
fn an_inventory_behind_a_vendor_that_does_not_answer_ends_in_seconds() {
    for (then, says) in [
        (
            "HTTP/1.1 429 Too Many\r\nretry-after: 3600\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
            "rate_limited",
        ),
        ("", "timeout"),
    ] {
        let (url, told) = forty_groups(then);
        let folder = folder("forty");
        let path = folder.join("keymux.toml");
        let text = format!(
            "[accounts.b]\nprovider = \"baseten\"\nbase_url = \"{url}\"\ncredential = {{ env = \"KEY\" }}\n\
             attempt_timeout = \"500ms\"\ntotal_timeout = \"1500ms\"\n"
        );
        std::fs::write(&path, text).unwrap();
        let started = Instant::now();
        let ran =
            run(bare(&["--config", path.to_str().unwrap(), "list", "b", "-o", "json"]).env("KEY", "EXAMPLE1"), "");
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        assert!(
            ran.stdout.contains(says)
                || ran.stderr.contains(&says.replace('_', " "))
                || ran.stderr.contains("timed out"),
            "{ran:?}"
        );
        assert_ne!(ran.status, Some(0), "{ran:?}");
        assert!(told.try_iter().count() <= 32, "not each of forty several times");
    }
}
