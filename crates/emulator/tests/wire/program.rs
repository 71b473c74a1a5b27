//! The program, as a shell sees it.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::raw::send_to;

fn program(options: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keymux-emulator"));
    command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_exports_serves_and_ends_when_it_is_asked_to() {
    for signal in ["TERM", "INT"] {
        let mut program = program(&["--keys", "1000", "--seed", "7"]);
        let mut exports = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut notes = BufReader::new(program.stderr.take().unwrap()).lines();
        let mut names = Vec::new();
        let mut oneloop = Vec::new();
        for _ in 0..10 {
            let line = exports.next_line().await.unwrap().unwrap();
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte)), "{line}");
            names.push(name.to_owned());
            if name.starts_with("ONELOOP") {
                oneloop.push(value.to_owned());
            }
        }
        let vendors = ["BASETEN", "BRAINTRUST", "MIELTO", "DATKEY", "ONELOOP"];
        let expected = vendors.map(|vendor| [format!("{vendor}_API_KEY"), format!("{vendor}_BASE_URL")]);
        assert_eq!(names, expected.concat());

        let mut samples = Vec::new();
        for _ in 0..6 {
            samples.push(notes.next_line().await.unwrap().unwrap());
        }
        assert!(samples[0].contains("Ctrl-C"), "{samples:?}");
        let (workspace, key) = samples[5].trim().strip_prefix("oneloop:").unwrap().split_once('/').unwrap();
        let path = format!("/api/v1/workspace/{workspace}/api-key/{key}");
        let [credential, base_url] = oneloop.as_slice() else { panic!("{oneloop:?}") };
        let header = format!("Bearer {credential}");
        let host = base_url.strip_prefix("http://").unwrap();
        let answer = send_to(host, "GET", &path, &[("Authorization", &header)], "").await;
        assert_eq!((answer.status, &answer.json()["apiKey"]["id"]), (200, &json!(key)));

        let id = program.id().unwrap().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().await.unwrap().success());
        assert_eq!(program.wait().await.unwrap().code(), Some(0), "{signal}");
        assert_eq!(exports.next_line().await.unwrap(), None, "nothing but exports");
        assert!(tokio::net::TcpStream::connect(host).await.is_err());
    }
}

#[tokio::test]
async fn a_wrong_option_or_a_taken_port_ends_it_with_a_reason() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let plans = [plan("no-rules", "{\"datkey\": {}}"), plan("no-vendor", "{\"nobody\": {\"rules\": []}}")];
    let plans = plans.each_ref().map(String::as_str);
    for (options, status, reasons) in [
        (vec!["--keys", "1000001"], 1, ["1000001", "1000000"]),
        (vec!["--keys", "many"], 2, ["--keys", "many"]),
        (vec!["--port", "65535"], 1, ["65535", "65536"]),
        (vec!["--port", &port], 1, [port.as_str(), "baseten"]),
        (vec!["--seed", "3"], 2, ["--keys", "--seed"]),
        (vec!["--limit", "0"], 2, ["--limit", "0"]),
        (vec!["--faults", "/no/such/file"], 1, ["/no/such/file", "No such file"]),
        (vec!["--faults", plans[0]], 1, [plans[0], "rules"]),
        (vec!["--faults", plans[1]], 1, ["nobody", "oneloop"]),
    ] {
        let mut program = program(&options);
        assert_eq!(program.wait().await.unwrap().code(), Some(status), "{options:?}");
        let mut text = String::new();
        program.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        assert!(reasons.iter().all(|reason| text.contains(reason)), "{options:?}: {text}");
        let mut exports = String::new();
        program.stdout.take().unwrap().read_to_string(&mut exports).await.unwrap();
        assert_eq!(exports, "");
    }
}

/// A file in the folder for what tests make.
fn plan(name: &str, text: &str) -> String {
    let path = format!("{}/{name}-{}.json", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn the_program_limits_and_fails_as_it_is_told() {
    let plan = plan("faults", r#"{"mielto": {"rules": [{"fault": {"answer": {"status": 503}}}]}}"#);
    let mut program = program(&["--limit", "1", "--faults", &plan]);
    let mut exports = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut values = Vec::new();
    for _ in 0..10 {
        let line = exports.next_line().await.unwrap().unwrap();
        values.push(line.split_once('=').unwrap().1.trim_start_matches("http://").to_owned());
    }
    let [_, _, _, _, mielto_key, mielto, datkey_key, datkey, ..] = values.as_slice() else { panic!("{values:?}") };
    let answer = send_to(mielto, "GET", "/api/v1/api-keys", &[("X-API-Key", mielto_key)], "").await;
    assert_eq!(answer.status, 503);
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(send_to(datkey, "GET", "/workspace", &[("x-api-key", datkey_key)], "").await.status);
    }
    assert!(seen[0] == 200 && seen.contains(&429), "{seen:?}");
}
