//! Files that others on the machine can reach.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keymux_core::AccountName;

use super::ConfigFile;
use super::credential::Source;
use super::files::within;
use super::keys::Value;

/// How long a look at the files may take. A disk that does not answer is told when they are read.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A file that others on the machine can reach and should not. Printed, it says which, how, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The file.
    pub file: PathBuf,
    /// The Unix mode of what is exposed, the lower nine bits.
    pub mode: u32,
    /// The account that it is for; `None` for the configuration itself.
    pub account: Option<AccountName>,
    /// How others can reach it.
    pub exposure: Exposure,
    purpose: Purpose,
}

/// How others can reach a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exposure {
    /// By its own mode.
    Open,
    /// It belongs to another user, with this number, who is not the superuser.
    Owner(u32),
    /// Others can put another file in its place, in this folder.
    Folder(PathBuf),
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Configuration,
    Secret,
    Certificates,
    Program,
}

impl Purpose {
    /// The bits of a mode that are too much.
    fn forbidden(self) -> u32 {
        if self == Self::Secret { 0o077 } else { 0o022 }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, mode) = (self.file.display(), self.mode);
        let account = self.account.as_ref().map_or("", AccountName::as_str);
        match self.purpose {
            Purpose::Configuration => write!(f, "{file} says which commands are run and ")?,
            Purpose::Secret => write!(f, "{file} holds a secret of account `{account}` and ")?,
            Purpose::Certificates => write!(f, "{file} says whom account `{account}` trusts and ")?,
            Purpose::Program => write!(f, "{file} is run for account `{account}` and ")?,
        }
        match &self.exposure {
            Exposure::Open if self.purpose == Purpose::Secret => {
                write!(f, "is open to others (mode {mode:04o}); run: chmod 600 {file}")
            }
            Exposure::Open => write!(f, "can be changed by others (mode {mode:04o}); run: chmod go-w {file}"),
            Exposure::Owner(user) => {
                write!(f, "belongs to another user (number {user}), who can change it; make it your own")
            }
            Exposure::Folder(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "can be replaced by others, since its folder is open (mode {mode:04o}); run: chmod o-w {folder}"
                )
            }
        }
    }
}

/// A file that holds a secret may be neither read nor written by others. The configuration holds none, and may be read;
/// so may certificates and programs.
pub(super) fn warnings(config: &ConfigFile) -> Vec<Warning> {
    let mut files = vec![(config.path.clone(), Purpose::Configuration, None)];
    for account in &config.accounts {
        let mut add = |path: &Path, purpose| files.push((path.to_owned(), purpose, Some(account.name.clone())));
        match &account.source {
            Source::Env(_) => {}
            Source::File(path) => add(path, Purpose::Secret),
            Source::Command { program, .. } => {
                if let Some(program) = found(program) {
                    add(&program, Purpose::Program);
                }
            }
        }
        if let Some(Value::File(path)) = account.value("signing_key_file") {
            add(path, Purpose::Secret);
        }
        if let Some(Value::File(path)) = account.value("root_certificates_file") {
            add(path, Purpose::Certificates);
        }
    }
    let all = move || {
        files.into_iter().flat_map(|(file, purpose, account)| looked_at(&file, purpose, account.as_ref())).collect()
    };
    within(TIME_LIMIT, all).ok().flatten().unwrap_or_default()
}

/// The program that is run: a bare name is looked up as the system does.
fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return Some(program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(unix)]
fn looked_at(file: &Path, purpose: Purpose, account: Option<&AccountName>) -> Vec<Warning> {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o002;
    let Some(metadata) = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file) else { return Vec::new() };
    let warning = |mode: u32, exposure| Warning {
        file: file.to_owned(),
        mode: mode & 0o777,
        account: account.cloned(),
        exposure,
        purpose,
    };
    let mut warnings = Vec::new();
    if metadata.mode() & purpose.forbidden() != 0 {
        warnings.push(warning(metadata.mode(), Exposure::Open));
    }
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        warnings.push(warning(metadata.mode(), Exposure::Owner(owner)));
    }
    // A group of one's own may write in folders on many systems, and in `/usr/local` on some.
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    if let Some((folder, metadata)) = real.parent().and_then(|folder| Some((folder, folder.metadata().ok()?))) {
        if metadata.mode() & (STICKY | OTHERS_WRITE) == OTHERS_WRITE {
            warnings.push(warning(metadata.mode(), Exposure::Folder(folder.to_owned())));
        }
    }
    warnings
}

#[cfg(not(unix))]
fn looked_at(_: &Path, _: Purpose, _: Option<&AccountName>) -> Vec<Warning> {
    Vec::new()
}
