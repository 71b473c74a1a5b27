//! Accounts of the environment and of a file, and whether their credentials work.

use crate::stage::{Stage, bare, folder, run, scripted};

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
