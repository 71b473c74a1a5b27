//! Files that are right: found, read and run against the five vendors on loopback.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use keymux::config::ConfigFile;
use keymux::{ErrorKind, KeyRef, Keymux};

use super::{GOOD, parse};

/// A folder of a test's own, removed with what is in it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("keymux-tests-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Writes a file that its owner alone can read.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        #[cfg(unix)]
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
const CHILD: &str = "KEYMUX_TESTS_KEYS";

/// The credentials come from the environment, from files and from a command. The environment of this process is not
/// changed: the test runs itself once more as a child that has the variables.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn five_accounts_of_a_file_are_asked() {
    if let Ok(keys) = std::env::var(CHILD) {
        let path = ConfigFile::locate(&|name| std::env::var_os(name)).unwrap().unwrap();
        let file = ConfigFile::read(path).unwrap();
        assert_eq!(file.warnings(), []);
        let keymux = Keymux::from_config(&file).await.unwrap();
        for key in keys.split_whitespace() {
            let key: KeyRef = key.parse().unwrap();
            assert_eq!(keymux.get(&key).await.unwrap().key_ref(), key);
        }
        return;
    }
    let emulator = keymux_emulator::Emulator::start().await.unwrap();
    let (baseten, braintrust, mielto) = (emulator.baseten(), emulator.braintrust(), emulator.mielto());
    let (datkey, oneloop) = (emulator.datkey(), emulator.oneloop());
    let vendors = [baseten, braintrust, mielto, datkey, oneloop];
    let folder = Folder::new("five");
    folder.write("secrets/mielto", format!("{}\n", mielto.credential()));
    folder.write("secrets/oneloop", format!("{}\r\n", oneloop.credential()));
    let print = folder.write("print", "#!/bin/sh\nprintf '%s' \"$1$2\"\n");
    set_mode(&print, 0o700);
    let (front, back) = braintrust.credential().split_at(3);
    let sources = [
        "{ env = \"KEYMUX_TESTS_BASETEN\" }\nauth_scheme = \"bearer\"".to_owned(),
        format!("{{ command = [\"./print\", \"{front}\", \"{back}\"] }}\nimpersonated_user = \"u-1\""),
        "{ file = \"secrets/mielto\" }\nauth_header = \"x-api-key\"\nworkspace_id = \"wsp_000000001\"".to_owned(),
        "{ env = \"KEYMUX_TESTS_DATKEY\" }\nmax_attempts = 1".to_owned(),
        "{ file = \"~/secrets/oneloop\" }\nexpiry_unit = \"seconds\"".to_owned(),
    ];
    let mut tables = vec!["[defaults]\napplication = \"tests/1\"\n".to_owned()];
    let mut keys = Vec::new();
    for (vendor, source) in vendors.iter().zip(&sources) {
        let (name, url) = (vendor.name().to_lowercase(), vendor.base_url());
        tables.push(format!(
            "[accounts.my-{name}]\nprovider = \"{name}\"\nbase_url = \"{url}\"\ncredential = {source}\n"
        ));
        keys.push(format!("my-{name}:{}", vendor.sample_address().join("/")));
    }
    let path = folder.write("keymux.toml", tables.concat());
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "config::run::five_accounts_of_a_file_are_asked", "--nocapture"])
        .env(CHILD, keys.join(" "))
        .env("KEYMUX_CONFIG", path)
        .env("HOME", &folder.0)
        .env("KEYMUX_TESTS_BASETEN", baseten.credential())
        .env("KEYMUX_TESTS_DATKEY", datkey.credential())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let seen = vendors.map(|vendor| {
        let requests = vendor.requests();
        assert_eq!(requests.len(), 1, "{}", vendor.name());
        let agent = requests[0].header("user-agent").unwrap();
        assert!(agent.starts_with("tests/1 "), "{agent}");
        requests[0].clone()
    });
    assert!(seen[0].header("authorization").unwrap().starts_with("Bearer "));
    assert_eq!(seen[1].header("x-bt-impersonate-user"), Some("u-1"));
    assert_eq!((seen[2].header("x-workspace-id"), seen[2].header("authorization")), (Some("wsp_000000001"), None));
    assert!(seen[2].header("x-api-key").is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn one_bad_account_fails_the_whole_and_the_others_can_be_set_up_alone() {
    let text = "[accounts.a]\nprovider = \"datkey\"\ncredential = { command = [\"echo\", \"k\"] }\n\
                [accounts.b]\nprovider = \"datkey\"\ncredential = { command = [\"false\"] }\n";
    let file = parse(text).unwrap();
    let error = Keymux::from_config(&file).await.unwrap_err();
    assert_eq!(error.account().unwrap().as_str(), "b");
    let mut outcomes = Vec::new();
    for account in file.accounts() {
        let result = account.build(&keymux::ClientOptions::new()).await;
        outcomes.push((account.name().as_str(), result.is_ok()));
    }
    assert_eq!(outcomes, [("a", true), ("b", false)]);
}

#[test]
fn an_account_tells_where_it_stands_and_where_its_credential_comes_from() {
    let text = format!(
        "{GOOD}[accounts.dev]\nprovider = \"mielto\"\ncredential = {{ command = [\"op\", \"read\", \"CANARY\"] }}\n\
         impersonated_user = \"CANARY\"\n"
    );
    assert!(parse(&text).is_err(), "an option of another vendor");
    let file = parse(&text.replace("mielto", "braintrust")).unwrap();
    let told: Vec<String> = file
        .accounts()
        .map(|account| {
            let (name, provider) = (account.name(), account.provider());
            format!("{name} {} {} {}", provider.as_str(), account.place(), account.credential_source())
        })
        .collect();
    assert_eq!(
        told,
        [
            "dev braintrust keymux.toml:4:11 the command `op`",
            "prod baseten keymux.toml:1:11 the environment variable X"
        ]
    );
    let shown = format!("{file:?} {file:#?}");
    assert!(!shown.contains("CANARY") && shown.contains("impersonated_user"), "{shown}");
    assert!(file.account(&"dev".parse().unwrap()).is_some() && file.account(&"x".parse().unwrap()).is_none());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::new("unreadable");
    let read = |path: &Path| {
        let error = ConfigFile::read(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string().replace(&path.display().to_string(), "FILE")
    };
    let missing = read(&folder.0.join("keymux.toml"));
    assert!(missing.starts_with("configuration: FILE: cannot be read: "), "{missing}");
    assert!(read(&folder.0).starts_with("configuration: FILE: cannot be read: "), "a folder");
    let text = folder.write("latin1.toml", b"[accounts.a]\n\n# caf\xe9\n");
    assert_eq!(read(&text), "configuration: FILE: is not UTF-8, first on line 3");
    let large = folder.write("large.toml", vec![b'#'; 1024 * 1024 + 1]);
    assert_eq!(read(&large), "configuration: FILE: cannot be read: it has more than 1048576 bytes");
    let bom = folder.write("bom.toml", format!("\u{feff}{}", GOOD.replace('\n', "\r\n")));
    assert_eq!(ConfigFile::read(bom).unwrap().accounts().len(), 1, "as some editors write it");
}

#[test]
fn the_file_is_where_the_variable_says_or_in_the_platforms_folder() {
    let folder = Folder::new("located");
    let home = folder.0.clone();
    let locate = |set: &[(&str, OsString)]| {
        ConfigFile::locate(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone()))
    };
    let base = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    assert_eq!(locate(&[]).unwrap(), None);
    assert_eq!(locate(&[(base, home.clone().into())]).unwrap(), None, "there is no such file");
    let path = folder.write("keymux/keymux.toml", GOOD);
    assert_eq!(locate(&[(base, home.clone().into())]).unwrap(), Some(path));
    assert_eq!(locate(&[(base, "relative".into())]).unwrap(), None);
    if !cfg!(any(windows, target_os = "macos")) {
        let path = folder.write(".config/keymux/keymux.toml", GOOD);
        assert_eq!(locate(&[("HOME", home.clone().into())]).unwrap(), Some(path));
    }
    let named = [("KEYMUX_CONFIG", OsString::from("missing.toml")), (base, home.into())];
    assert_eq!(locate(&named).unwrap(), Some("missing.toml".into()), "what is named is read or is an error");
    let error = locate(&[("KEYMUX_CONFIG", OsString::new())]).unwrap_err();
    assert!(error.to_string().contains("KEYMUX_CONFIG is set but empty"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_looked_into_is_told_and_not_taken_for_an_empty_one() {
    let folder = Folder::new("hidden");
    let locate =
        |base: &Path| ConfigFile::locate(&|name| (name == "XDG_CONFIG_HOME").then(|| base.as_os_str().to_owned()));
    let place = folder.0.join("keymux");
    std::os::unix::fs::symlink(&place, &place).unwrap();
    if !cfg!(target_os = "macos") {
        let error = locate(&folder.0).unwrap_err();
        assert!(error.to_string().contains("cannot be seen") && error.to_string().contains("KEYMUX_CONFIG"), "{error}");
        std::fs::remove_file(&place).unwrap();
        std::fs::create_dir(&place).unwrap();
        assert_eq!(locate(&folder.0).unwrap(), None);
        let path = place.join("keymux.toml");
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert_eq!(locate(&folder.0).unwrap(), Some(path), "a link to nothing is read, and told");
    }
    assert_eq!(locate(Path::new("/dev/null")).unwrap(), None, "no folder at all");
}

#[cfg(unix)]
#[test]
fn files_that_others_can_reach_are_warned_about() {
    let folder = Folder::new("modes");
    let credential = folder.write("credential", "k");
    let signing = folder.write("signing.pem", "k");
    let text = "[accounts.prod]\nprovider = \"baseten\"\ncredential = { file = \"credential\" }\n\
                signing_key_file = \"signing.pem\"\n";
    let config = folder.write("keymux.toml", text);
    let file = ConfigFile::read(&config).unwrap();
    let warned = |path: &Path, mode: u32| {
        set_mode(path, mode);
        let warnings = file.warnings();
        set_mode(path, 0o600);
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for path in [&credential, &signing] {
        for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
            let file = path.display();
            let line = format!(
                "{file} holds a secret of account `prod` and is open to others (mode {mode:04o}); run: chmod 600 {file}"
            );
            assert_eq!(warned(path, mode), line);
        }
        assert_eq!(warned(path, 0o400), "");
    }
    for mode in [0o664, 0o646, 0o622] {
        let file = config.display();
        let line = format!(
            "{file} says which commands are run and can be changed by others (mode {mode:04o}); run: chmod go-w {file}"
        );
        assert_eq!(warned(&config, mode), line);
    }
    assert_eq!(warned(&config, 0o644), "", "it holds no secret");
    std::fs::remove_file(&credential).unwrap();
    assert_eq!(file.warnings(), [], "what is not there is an error when the account is set up");
}

#[test]
fn the_file_of_the_readme_is_right() {
    let readme = include_str!("../../README.md");
    let blocks: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [text] = blocks[..] else { panic!("one file is what this test reads: {blocks:?}") };
    let file = parse(text).unwrap();
    let accounts: Vec<_> = file.accounts().map(|account| (account.name().as_str(), account.provider())).collect();
    let accounts: Vec<_> = accounts.iter().map(|(name, provider)| (*name, provider.as_str())).collect();
    assert_eq!(accounts, [("eu-braintrust", "braintrust"), ("mielto", "mielto"), ("prod-baseten", "baseten")]);
}
