//! Accounts from a file: `keymux.toml`.
//!
//! ```toml
//! [accounts.prod-baseten]
//! provider = "baseten"
//! credential = { env = "BASETEN_API_KEY" } # or { file = "…" }, or { command = ["op", "read", "…"] }
//! attempt_timeout = "10s"
//! ```
//!
//! ```no_run
//! use keymux::Keymux;
//! use keymux::config::ConfigFile;
//!
//! # async fn run() -> Result<(), keymux::Error> {
//! let keymux = match ConfigFile::locate(&|name| std::env::var_os(name))? {
//!     Some(path) => Keymux::from_config(&ConfigFile::read(path)?).await?,
//!     None => Keymux::from_env()?,
//! };
//! # Ok(())
//! # }
//! ```
//!
//! The file holds no secret: it says where one is to be had. A literal credential is refused, and no error repeats the
//! value of anything that could be one. `docs/keymux.example.toml` shows every key, and `docs/keymux.schema.json` is
//! the JSON Schema for editors.
//!
//! Every error is [`ErrorKind::Config`], names file, line and account in its message,
//! and has the [`Place`] as its [`detail`](Error::detail).

mod command;
mod credential;
mod files;
mod keys;
mod parse;
mod permissions;
mod runs;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
mod vendors;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use keymux_core::{AccountName, ApiKeyProvider, ClientOptions, Credential, Error, ErrorKind, ProviderId, Variables};
use zeroize::Zeroizing;

use self::credential::{MAX_CONFIG_BYTES, Source, shown_path};
use self::files::{read_config, read_regular};
use self::keys::Value;
pub use self::permissions::{Exposure, Warning};
use self::runs::{Renewal, Runs};

/// The variable that names the file.
const VARIABLE: &str = "KEYMUX_CONFIG";

/// How many accounts of a file are built at once. Each may run a command.
const BUILT_AT_ONCE: usize = 8;

/// A configuration file that was read and checked. Its credentials were not looked at yet.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    accounts: Vec<AccountConfig>,
    trail: Option<PathBuf>,
}

impl ConfigFile {
    /// Where the file is: what `KEYMUX_CONFIG` says, else [`default_path`](Self::default_path) if there is such a file.
    /// A variable that is set but empty is an error, and so is a folder that cannot be looked into: who has a
    /// configuration there would be surprised by the accounts of the environment.
    pub fn locate(variables: Variables<'_>) -> Result<Option<PathBuf>, Error> {
        match variables(VARIABLE) {
            Some(path) if path.is_empty() => Err(Error::new(ErrorKind::Config)
                .with_message(format!("the environment variable {VARIABLE} is set but empty; unset it"))),
            Some(path) => Ok(Some(path.into())),
            None => match Self::default_path(variables) {
                Some(path) => Ok(is_there(&path)?.then_some(path)),
                None => Ok(None),
            },
        }
    }

    /// `keymux/keymux.toml` in the platform's folder of configurations: `$XDG_CONFIG_HOME` where it is set, else
    /// `~/.config`, on macOS `~/Library/Application Support`, on Windows `%APPDATA%`. `None` if the environment does not
    /// tell it.
    #[must_use]
    pub fn default_path(variables: Variables<'_>) -> Option<PathBuf> {
        let folder = |name: &str| variables(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = if cfg!(windows) {
            folder("APPDATA")
        } else {
            let below_home = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
            folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(below_home)))
        };
        Some(folder?.join("keymux").join("keymux.toml"))
    }

    /// Reads and checks a file of at most 1 MiB. No credential is looked at, and nothing is run.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let error = |message: String| {
            let place = Place { file: path.clone(), line: 1, column: 1 };
            Error::new(ErrorKind::Config)
                .with_message(format!("{}: {message}", path.display()))
                .with_detail(Some(Arc::new(place)))
        };
        let bytes =
            read_config(&path, MAX_CONFIG_BYTES).map_err(|reason| error(format!("cannot be read: {reason}")))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, path),
            Err(reason) => {
                let line = 1 + bytes.iter().take(reason.valid_up_to()).filter(|byte| **byte == b'\n').count();
                Err(error(format!("is not UTF-8, first on line {line}")))
            }
        }
    }

    /// Like [`read`](Self::read) with the text at hand. `path` names it in errors, and relative paths start at its
    /// folder.
    pub fn parse(text: &str, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let (accounts, trail) = parse::read(text, &path)?;
        Ok(Self { path, accounts, trail })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The accounts, by name. There is at least one.
    #[must_use]
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &AccountConfig> {
        self.accounts.iter()
    }

    /// One account.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.name == *name)
    }

    /// Where `[trail]` asks for a line about every change; `None`: nowhere. The library writes none by itself: the command
    /// does. A relative path starts at the folder of this file.
    #[must_use]
    pub fn trail(&self) -> Option<&Path> {
        self.trail.as_deref()
    }

    /// What is unsafe about the files, as they are now: a credential or signing key that others can read or write, a
    /// configuration that others can write. On Unix alone; elsewhere there are none.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        permissions::warnings(self)
    }
}

/// Whether there is such a file, or a link in its place.
fn is_there(path: &Path) -> Result<bool, Error> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let error = match path.symlink_metadata() {
        Ok(_) => return Ok(true),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(false),
        Err(error) => error,
    };
    Err(Error::new(ErrorKind::Config).with_message(format!(
        "whether there is a configuration file {} cannot be seen: {error}; mend that, or name a file with {VARIABLE}",
        path.display()
    )))
}

/// Builds the accounts of a file, some side by side, since a command may take its time. They come in their order.
pub(crate) async fn build_all<'a>(
    file: &'a ConfigFile,
    options: &'a ClientOptions,
) -> Vec<(&'a AccountConfig, Result<Arc<dyn ApiKeyProvider>, Error>)> {
    let build = |account: &'a AccountConfig| async move { (account, account.build(options).await) };
    let builds: Vec<_> = file.accounts().map(build).collect();
    stream::iter(builds).buffered(BUILT_AT_ONCE).collect().await
}

/// One account of a [`ConfigFile`].
///
/// Printing it shows where its credential comes from, and neither arguments of a command nor vendor options.
#[derive(Clone)]
pub struct AccountConfig {
    name: AccountName,
    vendor: &'static str,
    place: Place,
    source: Source,
    source_place: Place,
    settings: BTreeMap<&'static str, Setting>,
    /// What the files hold that the settings name, once they were read.
    contents: BTreeMap<&'static str, Zeroizing<Vec<u8>>>,
    /// Those of all accounts of the file.
    runs: Arc<Runs>,
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
struct Setting {
    value: Value,
    place: Place,
}

impl AccountConfig {
    /// The user's name for it.
    #[must_use]
    pub fn name(&self) -> &AccountName {
        &self.name
    }

    /// The vendor.
    #[must_use]
    pub fn provider(&self) -> ProviderId {
        ProviderId::new(self.vendor)
    }

    /// Where its table begins.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where the credential comes from, fit to be shown: "the environment variable BASETEN_API_KEY".
    #[must_use]
    pub fn credential_source(&self) -> impl fmt::Display + '_ {
        &self.source
    }

    /// Fetches the credential and sets the vendor's client up, for [`Builder::with_account`](crate::Builder::with_account).
    /// Nothing is sent. What the file says takes the place of what `options` say.
    ///
    /// A command runs now, without a shell and with nothing on its standard input; one that several accounts of the file
    /// have runs once for those that are built within seconds of each other. It has 60 s; one that fails, prints nothing
    /// or takes longer is an error. Once it has ended, what it printed counts, whatever it left running. What it writes
    /// to standard error goes on to that of this process. One line break at the end of its output or of a file is left
    /// out.
    ///
    /// It prints the key alone, or JSON with the key and its end: `{"secret": "…", "expires_at":
    /// "2030-01-31T12:00:00Z"}`. Then it runs again ahead of that end. After the vendor refused the credential a command
    /// runs again, and a file is read again, once.
    pub async fn build(&self, options: &ClientOptions) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let (run, fetched) = self.runs.fetch(&self.source, &self.name, 0).await;
        let credential = fetched.map_err(|message| self.error(&self.source_place, &message))?;
        let account = self.with_contents().await?;
        account.build_with(credential, run, options)
    }

    /// The same with what its files hold.
    async fn with_contents(&self) -> Result<Self, Error> {
        let mut account = self.clone();
        for (key, Setting { value, place }) in &self.settings {
            let Value::File(path) = value else { continue };
            if !cfg!(feature = "signing") && *key == "signing_key_file" {
                // That it has no use here is told first.
                continue;
            }
            let content = read_regular(path, MAX_CONFIG_BYTES).await.map_err(|why| {
                self.error(place, &format!("`{key}`: the file {} cannot be read: {why}", shown_path(path)))
            })?;
            account.contents.insert(key, content);
        }
        Ok(account)
    }

    fn build_with(
        &self,
        credential: Credential,
        run: u64,
        options: &ClientOptions,
    ) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let at_place = |error: Error| {
            let message = error.message().unwrap_or("cannot be set up");
            self.error(self.place_of(message), message)
        };
        let mut options = options.clone().with_account_name(self.name.clone());
        options = options.with_trust_setting("`root_certificates_file` of the account in the configuration file");
        options = options.with_list_size_setting("`max_list_mib` of the account in the configuration file");
        if self.source.can_renew() {
            options = options.with_credential_source(Arc::new(Renewal {
                runs: Arc::clone(&self.runs),
                source: self.source.clone(),
                account: self.name.clone(),
                place: self.source_place.clone(),
                run: run.into(),
            }));
        }
        if let Some(ends) = credential.ends {
            options = options.with_credential_end(ends);
        }
        let options = self.http(options).map_err(at_place)?;
        self.client(credential.secret, options).map_err(at_place)
    }

    /// The place of the value that a message is about, as its first words tell, or else of the account.
    fn place_of(&self, message: &str) -> &Place {
        const WORDS: [(&str, &str); 6] = [
            ("the root certificates", "root_certificates_file"),
            ("`root_certificates_file`", "root_certificates_file"),
            ("the signing key", "signing_key_file"),
            ("`signing_key_file`", "signing_key_file"),
            ("the workspace id", "workspace_id"),
            ("the impersonated user", "impersonated_user"),
        ];
        if message.starts_with("the credential") {
            return &self.source_place;
        }
        let of = WORDS.iter().find(|(words, _)| message.starts_with(words));
        of.and_then(|(_, key)| self.settings.get(key)).map_or(&self.place, |setting| &setting.place)
    }

    fn error(&self, place: &Place, message: &str) -> Error {
        place.error(message).with_account(self.name.clone()).with_provider(self.provider())
    }
}

impl fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> = self.settings.keys().copied().collect();
        f.debug_struct("AccountConfig")
            .field("name", &self.name)
            .field("provider", &self.vendor)
            .field("place", &self.place)
            .field("credential", &self.source.to_string())
            .field("set", &set)
            .finish_non_exhaustive()
    }
}

/// A place in a configuration file. Printed, it is `file:line:column`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
}

impl Place {
    fn error(&self, message: &str) -> Error {
        Error::new(ErrorKind::Config)
            .with_message(format!("{self}: {message}"))
            .with_detail(Some(Arc::new(self.clone())))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}
