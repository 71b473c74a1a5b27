//! What can be seen from inside alone: that each key takes effect, and that a command's time is limited.

use std::time::Duration;

use keymux_core::{ClientOptions, Error, ErrorKind, ProviderId};

use super::ConfigFile;
use super::credential::Source;
use super::keys::{KEYS, Of, nearest};
use crate::Keymux;

#[tokio::test]
async fn every_shared_key_changes_the_options() {
    let folder = std::env::temp_dir().join(format!("keymux-shared-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), "pem").unwrap();
    let value = |key: &str| match key {
        "attempt_timeout" => ("\"11s\"", "attempt_timeout: 11s"),
        "total_timeout" => ("\"1m 30s\"", "total_timeout: 90s"),
        "connect_timeout" => ("\"1500ms\"", "connect_timeout: 1.5s"),
        "max_attempts" => ("9", "max_attempts: 9"),
        "max_list_mib" => ("3", "max_list_body_bytes: 3145728"),
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
            let base = ClientOptions::new().with_raw(true);
            assert!(!format!("{base:?}").contains(seen), "{seen} is the default");
            let options = file.accounts[0].with_contents().await.unwrap().http(base).unwrap();
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
    let policy = ClientOptions::new().retry().with_max_delay(Duration::from_secs(77));
    let options = file.accounts[0].http(ClientOptions::new().with_retry(policy)).unwrap();
    assert_eq!(options.retry(), policy.with_max_attempts(9));
}

#[test]
fn a_setting_of_an_account_takes_the_place_of_the_default_in_that_account_alone() {
    let account = |name: &str| format!("[accounts.{name}]\nprovider = \"datkey\"\ncredential = {{ env = \"X\" }}\n");
    let text = format!("[defaults]\nmax_attempts = 7\n{}max_attempts = 2\n{}", account("a"), account("b"));
    let file = ConfigFile::parse(&text, "keymux.toml").unwrap();
    let attempts = |at: usize| file.accounts[at].http(ClientOptions::new()).unwrap().retry();
    let with = |attempts| ClientOptions::new().retry().with_max_attempts(attempts);
    assert_eq!((attempts(0), attempts(1)), (with(2), with(7)));
}

#[cfg(feature = "baseten")]
#[tokio::test]
async fn a_signing_key_is_read_and_a_build_that_cannot_sign_names_the_feature_that_it_lacks() {
    let text =
        "[accounts.a]\nprovider = \"baseten\"\ncredential = { env = \"X\" }\nsigning_key_file = \"/nowhere/x\"\n";
    let file = ConfigFile::parse(text, "keymux.toml").unwrap();
    let error = match file.accounts[0].with_contents().await {
        Ok(account) => account.client("k".into(), ClientOptions::new()).unwrap_err(),
        Err(error) => error,
    };
    let says = if cfg!(feature = "signing") {
        "`signing_key_file`: the file /nowhere/x cannot be read: "
    } else {
        "this build cannot sign, so that `signing_key_file` has no use; turn the Cargo feature `signing` of `keymux` on"
    };
    assert!(error.message().unwrap().contains(says), "{error}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_end_is_stopped() {
    // The virtual clock jumps to the limit as soon as nothing but the program is waited for.
    let source = Source::Command { program: "sleep".into(), arguments: vec!["600".to_owned()] };
    assert_eq!(
        source.fetch(&"a".parse().unwrap()).await.unwrap_err(),
        "the command `sleep` did not end within 60 s, and was stopped"
    );
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
        ("retry", "max_attempts"),
        ("workspace", "workspace_id"),
        ("signing_key", "signing_key_file"),
        ("impersonate", "impersonated_user"),
        ("proxy", "system_proxy"),
    ] {
        assert_eq!(nearest(unknown, KEYS.iter().map(|key| key.name)), Some(meant), "{unknown}");
    }
    for far in ["zone", "evn", "x", "sk-123", "accounts"] {
        assert_eq!(nearest(far, KEYS.iter().map(|key| key.name)), None, "{far}");
    }
}

/// Two accounts: the credential of `bad` is not to be had.
#[cfg(all(unix, feature = "datkey", feature = "mielto"))]
const ONE_BROKEN: &str = "[accounts.good]\nprovider = \"mielto\"\ncredential = { command = [\"echo\", \"k\"] }\n\
                          [accounts.bad]\nprovider = \"datkey\"\ncredential = { env = \"KEYMUX_TESTS_UNSET\" }\n";

#[cfg(all(unix, feature = "datkey", feature = "mielto"))]
#[tokio::test]
async fn a_broken_account_stays_an_account_that_fails_with_its_reason() {
    use keymux_core::{AccountName, KeyPatch, NewKey, Scope, SecretString, VerifyRequest};

    let file = ConfigFile::parse(ONE_BROKEN, "keymux.toml").unwrap();
    let says = "bad (datkey): configuration: keymux.toml:6:14: the environment variable KEYMUX_TESTS_UNSET is not set";
    assert_eq!(Keymux::from_config(&file).await.unwrap_err().to_string(), says, "the whole file or nothing");

    let keymux = Keymux::from_config_partial(&file).await.unwrap();
    let names: Vec<&str> = keymux.accounts().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bad", "good"]);
    let broken: Vec<String> = keymux.unavailable_accounts().map(|(name, error)| format!("{name}: {error}")).collect();
    assert_eq!(broken, [format!("bad: {says}")]);

    let (bad, key) = (AccountName::new("bad").unwrap(), "bad:x".parse().unwrap());
    let plaintext = SecretString::from("p");
    let new = NewKey::new(Scope::account());
    let errors = [
        keymux.get(&key).await.unwrap_err(),
        keymux.check(&bad).await.unwrap_err(),
        keymux.scopes(&bad).await.unwrap_err(),
        keymux.create(&bad, &new).await.unwrap_err(),
        keymux.register(&bad, &new, &plaintext).await.unwrap_err(),
        keymux.update(&key, &KeyPatch::new()).await.unwrap_err(),
        keymux.rotator().plan(&key).await.unwrap_err(),
        keymux.verify(&bad, &plaintext, &VerifyRequest::new(Scope::account())).await.unwrap_err(),
        keymux.revoke(&key).await.unwrap_err(),
        keymux.list(&bad, Scope::account(), None).unwrap().next().await.unwrap().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), says);
        assert_eq!(error.detail::<super::Place>().unwrap().line, 6);
    }
}

/// Datkey has no list, which would be told of the account if it were set up.
#[cfg(all(unix, feature = "datkey", feature = "mielto"))]
#[tokio::test]
async fn an_inventory_tells_a_broken_account_as_failed_and_one_that_was_mended_as_it_is() {
    use crate::{AccountName, AccountState, InventoryStream};

    let file = ConfigFile::parse(ONE_BROKEN, "keymux.toml").unwrap();
    let mended = ONE_BROKEN.replace("env = \"KEYMUX_TESTS_UNSET\"", "command = [\"echo\", \"k\"]");
    let mended = Keymux::from_config(&ConfigFile::parse(&mended, "keymux.toml").unwrap()).await.unwrap();
    let broken = Keymux::from_config_partial(&file).await.unwrap();
    let (bad, good) = (AccountName::new("bad").unwrap(), AccountName::new("good").unwrap());
    let state = |keys: &InventoryStream| keys.completeness().account(&bad).unwrap().state();

    let mut keys = broken.inventory().skip(good.clone()).stream().unwrap();
    let incomplete = keys.next().await.unwrap().unwrap_err();
    assert!(!incomplete.completeness.is_complete());
    assert_eq!(state(&keys), AccountState::Failed);
    let failures: Vec<_> = incomplete.completeness.failures().map(|(unit, why)| format!("{unit} {why}")).collect();
    assert!(failures.len() == 1 && failures[0].contains("KEYMUX_TESTS_UNSET is not set"), "{failures:?}");
    let skipped = broken.inventory().skip(good.clone()).skip(bad.clone()).stream().unwrap();
    assert_eq!(state(&skipped), AccountState::Skipped);

    let mut resumed = mended.inventory().resume(keys.checkpoint()).stream().unwrap();
    while resumed.next().await.is_some() {}
    assert_eq!(state(&resumed), AccountState::Unsupported, "{}", resumed.completeness());
    let mut resumed = broken.inventory().resume(resumed.checkpoint()).stream().unwrap();
    while resumed.next().await.is_some() {}
    assert_eq!(state(&resumed), AccountState::Failed, "{}", resumed.completeness());
}

/// Either command waits for the other: one writes what the other reads.
#[cfg(all(unix, feature = "datkey"))]
#[tokio::test]
async fn credentials_are_fetched_side_by_side() {
    let folder = std::env::temp_dir().join(format!("keymux-side-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let account = |name: &str, script: String| {
        let command = format!("[\"sh\", \"-c\", '{script}']");
        format!("[accounts.{name}]\nprovider = \"datkey\"\ncredential = {{ command = {command} }}\n")
    };
    let pipe = pipe.display();
    let text = account("a", format!("cat {pipe}")) + &account("b", format!("echo k > {pipe}; echo k"));
    let file = ConfigFile::parse(&text, "keymux.toml").unwrap();
    assert_eq!(Keymux::from_config(&file).await.unwrap().accounts().len(), 2);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_broken_account_of_a_vendor_that_this_build_lacks_has_its_name_and_its_error() {
    let error = Error::new(ErrorKind::Config).with_message("no such vendor");
    let keymux = Keymux::builder().with_unavailable_account("a", ProviderId::new("acme"), error).build().unwrap();
    let (name, provider) = keymux.accounts().next().unwrap();
    assert_eq!((name.as_str(), provider.info().id().as_str()), ("a", "acme"));
    let error = keymux.unavailable_accounts().next().unwrap().1;
    assert_eq!(error.to_string(), "a (acme): configuration: no such vendor");
}

#[test]
fn a_trail_names_one_file_and_what_else_it_says_is_told_by_its_place() {
    const ACCOUNT: &str = "[accounts.a]\nprovider = \"datkey\"\ncredential = { env = \"K\" }\n";
    let read = |trail: &str| ConfigFile::parse(&format!("{trail}\n{ACCOUNT}"), "/etc/keymux.toml");
    let trail = |text: &str| read(text).unwrap().trail().map(std::path::Path::to_owned);
    assert_eq!(trail(""), None);
    assert_eq!(trail("[trail]\npath = \"t.ndjson\""), Some("/etc/t.ndjson".into()));
    for (text, says) in [
        ("trail = \"t\"", "/etc/keymux.toml:1:9: `trail` is"),
        ("[trail]", "`path` is missing"),
        ("[trail]\npath = 7", "/etc/keymux.toml:2:8: `path` is"),
        ("[trail]\npath = \"\"", "write the path of a file"),
        ("[trail]\npaht = \"t\"", "the nearest known one is `path`"),
        ("[trial]\npath = \"t\"", "the nearest known one is `trail`"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}
