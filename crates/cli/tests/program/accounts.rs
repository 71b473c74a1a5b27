//! Accounts of the environment and of a file, and whether their credentials work.

use std::path::PathBuf;

use keymux_emulator::Vendor;

use crate::stage::{OWN, Stage, bare, folder, requests, run, scripted};

#[test]
fn a_check_changes_nothing_and_tells_each_credential() {
    let stage = Stage::new();
    let mut command = stage.command(&["accounts", "check"]);
    command.env("DATKEY_API_KEY", "wrong");
    let ran = run(&mut command, "");
    assert_eq!(ran.status, Some(3), "{ran:?}");
    for account in ran.of_type("account") {
        assert_eq!(account["check"]["works"], account["account"] != "datkey", "{account}");
    }
    for vendor in stage.vendors() {
        let methods: Vec<String> = vendor.requests().iter().map(|request| request.method().to_string()).collect();
        assert_eq!(methods, ["GET"], "{}", vendor.name());
    }
}

#[test]
fn a_check_fails_where_the_path_is_wrong() {
    let mut command = bare(&["accounts", "check"]);
    command.env("DATKEY_API_KEY", "k").env("DATKEY_BASE_URL", scripted(404, ""));
    assert_eq!(run(&mut command, "").status, Some(4));
}

#[test]
fn accounts_of_a_file_are_told_without_their_credentials_and_asked_with_them() {
    let stage = Stage::new();
    let path = folder("accounts").join("keymux.toml");
    let mielto = stage.emulator.mielto();
    let text = format!(
        "[accounts.first]\nprovider = \"mielto\"\nbase_url = \"{0}\"\ncredential = {{ env = \"FIRST\" }}\n\
         [accounts.second]\nprovider = \"mielto\"\nbase_url = \"{0}\"\ncredential = {{ env = \"SECOND\" }}\n",
        mielto.base_url()
    );
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();

    let told = run(&mut bare(&["--config", path, "accounts"]), "");
    assert_eq!(told.status, Some(0), "{told:?}");
    assert_eq!(told.of_type("account")[1]["source"], "the environment variable SECOND");

    let mut command = bare(&["get", "first:key_000000001"]);
    command.env("KEYMUX_CONFIG", path).env("FIRST", mielto.credential());
    let ran = run(&mut command, "");
    assert_eq!(ran.status, Some(0), "the second account's credential is not needed: {ran:?}");
    assert_eq!(ran.of_type("key")[0]["ref"], "first:key_000000001");
}

#[cfg(unix)]
#[test]
fn a_warning_about_the_file_is_given_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let stage = Stage::new();
    let folder = folder("warning");
    let mielto = stage.emulator.mielto();
    std::fs::write(folder.join("secret"), mielto.credential()).unwrap();
    std::fs::set_permissions(folder.join("secret"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let url = mielto.base_url();
    let text =
        format!("[accounts.m]\nprovider = \"mielto\"\nbase_url = \"{url}\"\ncredential = {{ file = \"secret\" }}\n");
    let path = folder.join("keymux.toml");
    std::fs::write(&path, text).unwrap();
    for args in [&["accounts"][..], &["accounts", "check"], &["get", "m:key_000000001"], &["get", "wrong:key"]] {
        let ran = run(bare(args).env("KEYMUX_CONFIG", &path), "");
        assert_eq!(ran.stderr.matches("chmod 600").count(), 1, "{args:?}: {ran:?}");
    }
}

/// Five accounts in a file: `datkey` and `oneloop`, after their vendors, lack their credentials.
fn two_broken(stage: &Stage, test: &str) -> PathBuf {
    let path = folder(test).join("keymux.toml");
    let account = |vendor: &Vendor| {
        let (name, url) = (vendor.name(), vendor.base_url());
        let credential = match name {
            "datkey" => "{ env = \"NOT_SET\" }".to_owned(),
            "oneloop" => "{ file = \"missing\" }".to_owned(),
            name => format!("{{ env = \"{}_API_KEY\" }}", name.to_uppercase()),
        };
        format!("[accounts.{name}]\nprovider = \"{name}\"\nbase_url = \"{url}\"\ncredential = {credential}\n")
    };
    std::fs::write(&path, stage.vendors().map(account).concat()).unwrap();
    path
}

#[test]
fn a_broken_account_costs_itself_alone_in_every_command_that_reads() {
    let stage = Stage::new();
    let path = two_broken(&stage, "broken");
    let run = |args: &[&str]| run(stage.command(args).env("KEYMUX_CONFIG", &path), "");
    let not_set = ":16:14: the environment variable NOT_SET is not set";

    let ran = run(&["accounts", "check"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let accounts = ran.of_type("account");
    let broken = ["datkey", "oneloop"];
    assert_eq!(accounts.len(), 5, "{ran:?}");
    for account in &accounts {
        let name = account["account"].as_str().unwrap();
        assert_eq!(account["check"]["works"], !broken.contains(&name), "{account}");
        let kind = if broken.contains(&name) { "config" } else { "" };
        assert_eq!(account["check"]["error"]["kind"].as_str().unwrap_or_default(), kind, "{account}");
    }
    assert!(ran.stderr.contains(not_set) && ran.stderr.contains(":20:14: the file "), "{ran:?}");

    let ran = run(&["list"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    for name in ["baseten", "braintrust", "mielto"] {
        assert!(ran.of_type("key").iter().any(|key| key["account"] == name), "{name}: {ran:?}");
    }
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["complete"], false);
    let errors: Vec<_> = ran.of_type("error").iter().map(|error| error["account"].clone()).collect();
    assert_eq!(errors, broken, "{ran:?}");
    assert!(summary["accounts"]["datkey"].to_string().contains(not_set), "{summary}");
    assert!(summary["accounts"]["oneloop"].to_string().contains("\"failed\""), "{summary}");

    let ran = run(&["scopes"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert_eq!(ran.of_type("summary")[0]["complete"], false);
    let errors: Vec<_> = ran.of_type("error").iter().map(|error| error["account"].clone()).collect();
    assert_eq!(errors, broken, "{ran:?}");
    assert!(ran.of_type("scope").iter().any(|scope| scope["account"] == "baseten"), "{ran:?}");

    let ran = run(&["get", "mielto:key_000000001", "datkey:x"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert_eq!(ran.of_type("key")[0]["ref"], "mielto:key_000000001");
    assert_eq!(
        (&ran.of_type("error")[0]["ref"], &ran.of_type("error")[0]["kind"]),
        (&"datkey:x".into(), &"config".into())
    );
    assert_eq!((stage.emulator.datkey().request_count(), stage.emulator.oneloop().request_count()), (0, 0));
}

#[test]
fn where_nothing_but_broken_accounts_is_asked_the_configuration_is_the_failure() {
    let stage = Stage::new();
    let path = two_broken(&stage, "all-broken");
    for args in [&["list", "datkey", "oneloop"][..], &["scopes", "oneloop"], &["get", "datkey:x", "oneloop:w/k"]] {
        let ran = run(stage.command(args).env("KEYMUX_CONFIG", &path), "");
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(!ran.stdout.contains("\"complete\":true"), "{args:?}: {ran:?}");
        assert!(!ran.of_type("error").is_empty(), "{args:?}: {ran:?}");
    }
}

#[test]
fn what_changes_something_refuses_a_broken_account_before_anything_is_sent() {
    let stage = Stage::new();
    let path = two_broken(&stage, "broken-writes");
    let table: [&[&str]; 7] = [
        &["create", "datkey", "--name", "n"],
        &["register", "datkey", "--name", "n"],
        &["update", "datkey:x", "--name", "n"],
        &["rotate", "datkey:x", "--yes"],
        &["verify", "datkey"],
        &["revoke", "mielto:key_000000001", "datkey:x", "oneloop:w/k", "--yes"],
        &["revoke", "mielto:key_000000001", "datkey:x", "--dry-run"],
    ];
    for args in table {
        let ran = run(stage.command(args).env("KEYMUX_CONFIG", &path), OWN);
        assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(":16:14: the environment variable NOT_SET is not set"), "{args:?}: {ran:?}");
        let other = ran.stderr.contains(":20:14: the file ");
        assert_eq!(other, args.contains(&"oneloop:w/k"), "every broken account that is meant is told: {ran:?}");
    }
    assert_eq!(requests(&stage), 0);
}

#[test]
fn a_mistake_in_the_file_itself_stops_everything_and_shows_no_secret() {
    let path = folder("mistakes").join("keymux.toml");
    let forms = "a secret is never taken from this file; write `credential = { env = \"NAME\" }`";
    let table = [
        ("credential = { env = \"SET\" }\napi_key = \"sk-CANARY\"\n", 7, forms),
        ("credential = \"sk-CANARY\"\n", 6, forms),
        ("credential = { value = \"sk-CANARY\" }\n", 6, forms),
        ("credential = { env = \"SET\" }\npace = -1\n", 7, "`pace` is not above 0; write a number above 0\n"),
        (
            "credential = { env = \"SET\" }\nsigning_key_file = \"x\"\n",
            7,
            "`signing_key_file` is for provider `baseten`",
        ),
        ("credential = { env = \"SET\"\n", 6, "this is not TOML"),
    ];
    for (rest, line, says) in table {
        let good = "[accounts.good]\nprovider = \"mielto\"\ncredential = { env = \"SET\" }\n";
        std::fs::write(&path, format!("{good}[accounts.m]\nprovider = \"mielto\"\n{rest}")).unwrap();
        for args in [&["list"][..], &["accounts"], &["accounts", "check"], &["get", "good:x"]] {
            let ran = run(bare(args).env("KEYMUX_CONFIG", &path).env("SET", "k"), "");
            assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{args:?} {rest}: {ran:?}");
            let told = ran.stderr.contains(says) && ran.stderr.contains(&format!("keymux.toml:{line}:"));
            assert!(told && !ran.stderr.contains("CANARY"), "{args:?} {rest}: {ran:?}");
        }
    }
}

#[test]
fn a_credential_that_no_header_carries_is_told_at_its_own_line() {
    let path = folder("white-space").join("keymux.toml");
    std::fs::write(&path, "[accounts.m]\nprovider = \"mielto\"\ncredential = { env = \"SET\" }\n").unwrap();
    let ran = run(bare(&["accounts", "check"]).env("KEYMUX_CONFIG", &path).env("SET", "two CANARIES"), "");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("keymux.toml:3:14: the credential holds white space"), "{ran:?}");
    assert!(!(ran.stdout + &ran.stderr).contains("CANARIES"));
}

/// Either command waits for the other: one writes what the other reads.
#[cfg(unix)]
#[test]
fn commands_that_give_credentials_run_side_by_side() {
    let folder = folder("side-by-side");
    assert!(std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
    let pipe = folder.join("pipe").display().to_string();
    let account = |name: &str, script: String| {
        format!(
            "[accounts.{name}]\nprovider = \"datkey\"\nbase_url = \"http://127.0.0.1:9\"\n\
             credential = {{ command = [\"/bin/sh\", \"-c\", '{script}'] }}\n"
        )
    };
    let text = account("a", format!("/bin/cat {pipe}")) + &account("b", format!("echo k > {pipe}; echo k"));
    std::fs::write(folder.join("keymux.toml"), text).unwrap();
    // Datkey has no list, so that nothing is sent.
    let ran = run(bare(&["list"]).env("KEYMUX_CONFIG", folder.join("keymux.toml")), "");
    let told = &ran.of_type("summary")[0]["accounts"];
    assert_eq!(
        (&told["a"]["scopes"]["outcome"], &told["b"]["scopes"]["outcome"]),
        (&"unsupported".into(), &"unsupported".into())
    );
}
