//! Whoever runs the command need not know in what it is written: nothing that is printed names an item of code.

use std::path::Path;

use crate::stage::{Stage, bare, run, scripted};

/// What only somebody who writes code would understand.
const CODE: [&str; 6] = ["::", "with_", "list_page", "scopes_page", "keymux_", "`scope`"];

#[track_caller]
fn plain(what: &str, text: &str) {
    for word in CODE {
        // The addresses of examples are no paths of code.
        let text = text.replace("2001:db8::", "");
        assert!(!text.contains(word), "{what}: `{word}` in {text}");
    }
}

#[test]
fn no_golden_file_names_an_item_of_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        plain(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn no_output_names_an_item_of_code() {
    let stage = Stage::new();
    for args in [
        &["list"] as &[&str],
        &["list", "-o", "table"],
        &["list", "datkey"],
        &["list", "baseten", "braintrust", "mielto", "-o", "table"],
        &["list", "mielto:somewhere"],
        &["scopes", "datkey", "mielto", "braintrust", "-o", "table"],
        &["create", "baseten", "--name", "n"],
        &["create", "braintrust", "--name", "n"],
        &["create", "mielto", "--name", "n", "--customer", "c"],
        &["create", "oneloop", "--name", "n"],
        &["create", "oneloop:ws_0123456789abcdef0123456789abcdef", "--name", "n", "--expires", "9d"],
        &["create", "mielto", "--name", "n", "--permission", "a=read"],
        &["update", "baseten:a/b", "--name", "n"],
        &["update", "mielto:key_000000001", "--max-uses", "3"],
        &["rotate", "mielto:key_000000001", "--yes"],
        &["verify", "baseten"],
        &["verify", "braintrust"],
        &["register", "baseten:g7k2m9qx", "--name", "n"],
    ] {
        let ran = run(&mut stage.command(args), "0123456789abcdefghijklmnopqrstuvwxyzABCDEF");
        plain(&args.join(" "), &format!("{}{}", ran.stdout, ran.stderr));
    }
    for info in keymux::providers() {
        for format in ["table", "json", "csv", "ndjson"] {
            let ran = stage.run(&["providers", info.id().as_str(), "-o", format]);
            plain(info.id().as_str(), &ran.stdout);
        }
    }
}

#[test]
fn no_help_names_an_item_of_code() {
    let commands = [
        "",
        "get",
        "list",
        "scopes",
        "create",
        "register",
        "update",
        "rotate",
        "verify",
        "revoke",
        "providers",
        "accounts",
        "emulate",
        "completions",
        "man",
    ];
    for command in commands {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let ran = run(&mut bare(&args), "");
        assert_eq!(ran.status, Some(0), "{command}: {ran:?}");
        plain(command, &ran.stdout);
    }
}

#[test]
fn a_mistake_is_told_in_options_and_commands() {
    let stage = Stage::new();
    for (args, says) in [
        (&["create", "baseten", "--name", "n"] as &[&str], "`ACCOUNT:SCOPE`"),
        (&["create", "mielto", "--name", "n", "--customer", "c"], "`--customer`"),
        (&["list", "datkey"], "datkey list: not supported: no list at Datkey"),
        (&["update", "mielto:key_000000001", "--max-uses", "3"], "`--max-uses`"),
        (&["create", "oneloop", "--name", "n"], "Oneloop needs"),
    ] {
        let ran = stage.run(args);
        assert!(ran.stderr.contains(says), "{args:?}: {ran:?}");
    }
}

#[test]
fn what_is_traced_of_requests_names_no_item_of_code() {
    let stage = Stage::new();
    let mut command = stage.command(&["get", "mielto:key_000000001", "-v"]);
    let ran = run(command.env("MIELTO_BASE_URL", scripted(404, "")), "");
    plain("get -v", &ran.stderr);
}
