//! `keymux emulate`, used by another `keymux`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::stage::{bare, run};

#[test]
fn emulate_prints_what_to_export_and_serves_until_it_is_stopped() {
    for signal in ["-INT", "-TERM"] {
        let mut command = bare(&["emulate", "--keys", "3", "--quiet"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(10);
        let exports: Vec<(String, String)> = lines
            .map(|line| {
                let line = line.unwrap();
                let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let listed = run(bare(&["list", "mielto"]).envs(exports), "");
        assert_eq!((listed.status, listed.of_type("key").len()), (Some(0), 3), "{listed:?}");
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{signal}: {output:?}");
    }
}

#[test]
fn more_keys_than_can_be_generated_are_wrong_usage() {
    let ran = run(&mut bare(&["emulate", "--keys", "1000001"]), "");
    assert!(ran.status == Some(2) && ran.stderr.contains("1000000"), "{ran:?}");
}
