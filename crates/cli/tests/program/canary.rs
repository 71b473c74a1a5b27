//! No credential is in any output, however much of it is asked for.

use crate::stage::{Stage, run};

#[test]
fn a_credential_is_in_no_output_of_any_command_even_when_everything_is_traced() {
    let stage = Stage::new();
    for args in [
        &["list"] as &[&str],
        &["get", "mielto:key_000000001", "mielto:nope", "-o", "table"],
        &["scopes"],
        &["accounts", "-o", "csv"],
        &["accounts", "check"],
    ] {
        for level in ["-v", "-vv"] {
            for wrong in [false, true] {
                let mut command = stage.command(&[args, &[level]].concat());
                let mut secrets: Vec<String> = stage.vendors().map(|vendor| vendor.credential().to_owned()).into();
                if wrong {
                    command.env("MIELTO_API_KEY", "canary-of-mielto");
                    secrets.push("canary-of-mielto".to_owned());
                }
                let ran = run(&mut command, "");
                for secret in &secrets {
                    assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{args:?}: {secret}");
                }
            }
        }
    }
}

#[test]
fn verbose_shows_each_request_once_with_method_path_status_and_attempt() {
    let ran = Stage::new().run(&["get", "mielto:key_000000001", "-v"]);
    let line = ran.stderr.lines().next().unwrap();
    assert!(line.starts_with("mielto: GET /api/v1/api-keys/key_000000001 -> 200 (attempt 1, "), "{line}");
    assert_eq!(ran.stderr.lines().count(), 1);
}
