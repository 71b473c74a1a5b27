//! What leads a person: completions, help, suggestions, and the commands that write the configuration file.

use std::path::{Path, PathBuf};

use crate::stage::{Ran, Stage, bare, folder, run};

/// What a shell offers at the end of a line.
fn offered(variables: &[(&str, &str)], words: &[&str]) -> Vec<String> {
    let line: Vec<&str> = ["--", "keymux"].iter().chain(words).copied().collect();
    let mut command = bare(&line);
    command
        .env("KEYMUX_COMPLETE", "bash")
        .env("COMPLETE", "nothing of ours")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false").env("_CLAP_IFS", "\n");
    let ran = run(command.envs(variables.iter().copied()), "");
    assert_eq!(ran.status, Some(0), "{words:?}: {ran:?}");
    ran.stdout.lines().map(|word| word.trim().to_owned()).collect()
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = folder(name).join("keymux.toml");
    std::fs::write(&path, text).unwrap();
    path
}

const TWO: &str = "# mine\n[accounts.main]\nprovider = \"mielto\"\ncredential = { env = \"A\" }\n\n\
                   [accounts.other] # the other one\nprovider = \"datkey\"\ncredential = { env = \"B\" }\n";

#[test]
fn accounts_fields_and_words_are_completed() {
    let path = file("completions", TWO);
    let path = path.to_str().unwrap();
    let of_file = |words: &[&str]| offered(&[("KEYMUX_CONFIG", path)], words);
    assert_eq!(of_file(&["list", "m"]), ["main"]);
    assert_eq!(of_file(&["get", "o"]), ["other:"]);
    assert_eq!(of_file(&["list", "--columns", "ref,last"]), ["ref,last_used"]);
    assert_eq!(of_file(&["list", "--sort", "exp"]), ["expires"]);
    assert_eq!(of_file(&["list", "--group-by", "stat"]), ["status", "status.basis"]);
    assert_eq!(of_file(&["list", "--filter", "status=dis"]), ["status=disabled"]);
    assert_eq!(of_file(&["list", "--output", "t"]), ["table", "tsv"]);
    assert_eq!(of_file(&["providers", "b"]), ["baseten", "braintrust"]);
    assert_eq!(of_file(&["scopes", "--columns", "sc"]), ["scope"]);
    assert_eq!(offered(&[], &["--config", path, "revoke", "m"]), ["main:"]);
    assert_eq!(offered(&[("MIELTO_API_KEY", "x"), ("DATKEY_API_KEY", "")], &["list", ""])[0], "mielto");
    assert!(offered(&[("KEYMUX_CONFIG", "/nowhere")], &["list", "m"]).is_empty());
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&mut bare(&["completions", shell]), "");
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("keymux") && ran.stdout.contains("KEYMUX_COMPLETE"), "{shell}: {}", ran.stdout);
    }
}

#[test]
fn a_mistyped_command_is_never_told_to_mean_one_that_changes_keys() {
    for word in ["stats", "rotat", "revok", "creat", "updat", "regster", "verfy", "stat", "remove", "delete", "rm"] {
        let ran = run(&mut bare(&[word]), "");
        assert_eq!(ran.status, Some(2), "{ran:?}");
        for changes in ["'rotate'", "'revoke'", "'create'", "'update'", "'register'", "'verify'"] {
            assert!(!ran.stderr.contains(changes), "{word}: {ran:?}");
        }
    }
    assert!(run(&mut bare(&["lst"]), "").stderr.contains("'list'"));
}

#[test]
fn every_help_has_examples_and_the_list_of_commands_fits_80_columns() {
    for command in
        ["get", "list", "scopes", "create", "register", "update", "rotate", "verify", "revoke", "accounts", "init"]
    {
        let help = run(&mut bare(&[command, "--help"]), "").stdout;
        for part in ["Examples:\n  keymux ", "KEYMUX_CONFIG", "keymux.toml"] {
            assert!(help.contains(part), "{command}: {part}: {help}");
        }
    }
    for args in [&["help"] as &[&str], &["--help"], &["-h"], &["help", "list"]] {
        let help = run(bare(args).env("COLUMNS", "80"), "").stdout;
        let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(long.is_empty() && help.lines().count() > 20, "{args:?}: {long:?}");
    }
    let config = run(&mut bare(&["help", "config"]), "");
    assert_eq!(config.status, Some(0));
    let example = include_str!("../../../../docs/keymux.example.toml");
    assert!(config.stdout.ends_with(example) && config.stdout.contains("keymux accounts add"), "{config:?}");
}

#[test]
fn a_first_file_has_the_accounts_of_the_environment_and_no_value_of_it() {
    let home = folder("init");
    let init = || {
        let mut command = bare(&["init"]);
        command.env("XDG_CONFIG_HOME", &home).env("HOME", &home).env("APPDATA", &home);
        command.env("MIELTO_API_KEY", "CANARY").env("ONELOOP_API_KEY", "CANARY2").env("DATKEY_API_KEY", "");
        command.env("MIELTO_BASE_URL", "https://canary.example");
        command
    };
    let ran = run(&mut init(), "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("accounts: mielto, oneloop"), "{ran:?}");
    let path = find(&home).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("CANARY") && !text.contains("canary"), "{text}");
    assert!(text.contains("env = \"MIELTO_API_KEY\"") && !text.contains("\n[accounts.datkey]"), "{text}");
    assert!(text.contains("# attempt_timeout"), "{text}");
    // It is a file that works, and is not overwritten.
    let told = run(bare(&["accounts", "--config"]).arg(&path), "");
    assert_eq!(told.of_type("account").len(), 2, "{told:?}");
    let again = run(&mut init(), "");
    assert_eq!(again.status, Some(2));
    assert!(again.stderr.contains("is not overwritten"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

fn find(folder: &Path) -> Option<PathBuf> {
    std::fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { find(&path) } else { path.ends_with("keymux.toml").then_some(path) }
    })
}

fn add(path: &Path, args: &[&str]) -> Ran {
    run(bare(&["accounts", "add"]).args(args).env("KEYMUX_CONFIG", path), "")
}

#[test]
fn an_account_is_added_behind_what_is_there() {
    let path = file("add", TWO);
    let ran = add(
        &path,
        &[
            "third",
            "--provider",
            "braintrust",
            "--set",
            "region=eu",
            "--set",
            "max_attempts=2",
            "--credential-env",
            "C",
        ],
    );
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = add(
        &path,
        &["fourth", "--provider", "datkey", "--credential-command", "op", "read", "op://a/b", "--no-newline"],
    );
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    let added = "\n[accounts.\"third\"]\nprovider = \"braintrust\"\ncredential = { env = \"C\" }\nregion = \"eu\"\nmax_attempts = 2\n\
                 \n[accounts.\"fourth\"]\nprovider = \"datkey\"\n\
                 credential = { command = [\"op\", \"read\", \"op://a/b\", \"--no-newline\"] }\n";
    assert_eq!(text, format!("{TWO}{added}"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(add(&path, &["fifth", "--provider", "datkey", "--credential-env", "E"]).status, Some(0));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    let names: Vec<String> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["keymux.toml"], "nothing is left over");
}

#[test]
fn what_is_wrong_or_a_secret_is_not_added() {
    let path = file("add-wrong", TWO);
    let secret = "sk-proj-0123456789abcdefABCDEF0123456789";
    for (args, says) in [
        (&["main", "--provider", "mielto", "--credential-env", "C"] as &[&str], "already"),
        (&["new", "--provider", "mielt", "--credential-env", "C"], "mielto"),
        (&["new", "--provider", "mielto", "--credential-env", secret], "looks like a secret"),
        (
            &["new", "--provider", "mielto", "--credential-env", "C", "--set", &format!("workspace_id={secret}")],
            "looks like a secret",
        ),
        (&["new", "--provider", "mielto", "--credential-env", "C", "--set", "credential=x"], "no setting"),
        (&["new", "--provider", "mielto", "--credential-env", "C", "--set", "regoin=eu"], "regoin"),
        (&["new", "--provider", "mielto", "--credential-env", "C", "--set", "max_attempts=many"], "max_attempts"),
        (&["new", "--provider", "mielto"], "--credential-env"),
        (&["new", "--provider", "mielto", "--credential-env", "C", "--credential-file", "f"], "cannot be used with"),
    ] {
        let ran = add(&path, args);
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains(secret), "{args:?}: {ran:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), TWO, "{args:?}");
    }
    let missing = add(&path.with_file_name("none.toml"), &["new", "--provider", "mielto", "--credential-env", "C"]);
    assert_eq!(missing.status, Some(2));
    assert!(missing.stderr.contains("keymux init"), "{missing:?}");
}

#[test]
fn an_account_can_be_added_to_a_first_file_and_then_works() {
    let stage = Stage::new();
    let path = folder("add-first").join("keymux.toml");
    let init = run(bare(&["init", "--config"]).arg(&path), "");
    assert_eq!(init.status, Some(0), "{init:?}");
    assert!(init.stderr.contains("no credential is in the environment"), "{init:?}");
    let vendor = stage.emulator.mielto();
    let url = format!("base_url={}", vendor.base_url());
    let ran = add(&path, &["m", "--provider", "mielto", "--credential-env", "C", "--set", &url]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let ran = run(bare(&["accounts", "check"]).env("KEYMUX_CONFIG", &path).env("C", vendor.credential()), "");
    assert_eq!(ran.of_type("account")[0]["check"]["works"], true, "{ran:?}");
}
