//! What can be seen from inside alone: that each key takes effect, and that a command's time is limited.

use std::time::Duration;

use keymux_core::HttpOptions;

use super::ConfigFile;
use super::credential::Source;
use super::keys::{KEYS, Of, nearest};

#[test]
fn every_shared_key_changes_the_options() {
    let folder = std::env::temp_dir().join(format!("keymux-shared-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), "pem").unwrap();
    let value = |key: &str| match key {
        "attempt_timeout" => ("\"11s\"", "attempt_timeout: 11s"),
        "total_timeout" => ("\"1m 30s\"", "total_timeout: 90s"),
        "connect_timeout" => ("\"1500ms\"", "connect_timeout: 1.5s"),
        "max_attempts" => ("9", "max_attempts: 9"),
        "application" => ("\"my-service/1.4\"", "application: Some(\"my-service/1.4\")"),
        "pace" => ("2.5", "rate_limit: Some(RateLimit { requests: 25, per: 10s })"),
        "system_proxy" => ("false", "system_proxy: false"),
        "root_certificates_file" => ("\"ca.pem\"", "root_certificates: Some(3 bytes)"),
        other => panic!("`{other}` is not tried"),
    };
    for key in KEYS.iter().filter(|key| key.of == Of::Shared) {
        let (written, seen) = value(key.name);
        let account = "provider = \"datkey\"\ncredential = { env = \"X\" }\n";
        let line = format!("{} = {written}\n", key.name);
        let in_account = format!("[accounts.a]\n{account}{line}");
        let in_defaults = format!("[defaults]\n{line}[accounts.a]\n{account}");
        for text in [in_account, in_defaults] {
            let file = ConfigFile::parse(&text, folder.join("keymux.toml")).unwrap();
            let base = HttpOptions::new().with_raw(true);
            assert!(!format!("{base:?}").contains(seen), "{seen} is the default");
            let options = file.accounts[0].http(base).unwrap();
            let shown = format!("{options:?}");
            assert!(shown.contains(seen) && shown.contains("raw: true"), "{text}: {shown}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_policy_of_the_caller_is_kept_where_the_file_says_nothing() {
    let text = "[accounts.a]\nprovider = \"datkey\"\ncredential = { env = \"X\" }\nmax_attempts = 9\n";
    let file = ConfigFile::parse(text, "keymux.toml").unwrap();
    let policy = HttpOptions::new().retry().with_max_delay(Duration::from_secs(77));
    let options = file.accounts[0].http(HttpOptions::new().with_retry(policy)).unwrap();
    assert_eq!(options.retry(), policy.with_max_attempts(9));
}

#[test]
fn a_setting_of_an_account_takes_the_place_of_the_default_in_that_account_alone() {
    let account = |name: &str| format!("[accounts.{name}]\nprovider = \"datkey\"\ncredential = {{ env = \"X\" }}\n");
    let text = format!("[defaults]\nmax_attempts = 7\n{}max_attempts = 2\n{}", account("a"), account("b"));
    let file = ConfigFile::parse(&text, "keymux.toml").unwrap();
    let attempts = |at: usize| file.accounts[at].http(HttpOptions::new()).unwrap().retry();
    let with = |attempts| HttpOptions::new().retry().with_max_attempts(attempts);
    assert_eq!((attempts(0), attempts(1)), (with(2), with(7)));
}

#[cfg(feature = "baseten")]
#[test]
fn a_signing_key_is_read_and_a_build_that_cannot_sign_names_the_feature_that_it_lacks() {
    let text =
        "[accounts.a]\nprovider = \"baseten\"\ncredential = { env = \"X\" }\nsigning_key_file = \"/nowhere/x\"\n";
    let file = ConfigFile::parse(text, "keymux.toml").unwrap();
    let error = file.accounts[0].client("k".into(), HttpOptions::new()).unwrap_err();
    let says = if cfg!(feature = "signing") {
        "`signing_key_file`: the file /nowhere/x cannot be read: "
    } else {
        "this build cannot sign, so that `signing_key_file` has no use; turn the Cargo feature `signing` of `keymux` on"
    };
    assert!(error.message().unwrap().starts_with(says), "{error}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_end_is_stopped() {
    // The virtual clock jumps to the limit as soon as nothing but the program is waited for.
    let source = Source::Command { program: "sleep".into(), arguments: vec!["600".to_owned()] };
    assert_eq!(source.fetch().await.unwrap_err(), "the command `sleep` did not end within 60 s, and was stopped");
}

#[test]
fn the_nearest_key_is_what_was_meant() {
    for (unknown, meant) in [
        ("api_key", "credential"),
        ("API-KEY", "credential"),
        ("baseten_api_key", "credential"),
        ("token", "credential"),
        ("env", "credential"),
        ("workspce_id", "workspace_id"),
        ("credentials", "credential"),
        ("baseurl", "base_url"),
        ("url", "base_url"),
        ("timeout", "total_timeout"),
        ("attempt-timeout", "attempt_timeout"),
        ("max_retries", "max_attempts"),
        ("workspace", "workspace_id"),
        ("signing_key", "signing_key_file"),
        ("impersonate", "impersonated_user"),
        ("proxy", "system_proxy"),
    ] {
        assert_eq!(nearest(unknown, KEYS.iter().map(|key| key.name)), meant, "{unknown}");
    }
}
