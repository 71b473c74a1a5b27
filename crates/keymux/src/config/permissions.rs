//! Files that others on the machine can reach.

use std::fmt;
use std::path::{Path, PathBuf};

use keymux_core::AccountName;

use super::ConfigFile;
use super::credential::Source;
use super::keys::Value;

/// A file that others on the machine can reach and should not. Printed, it says which, how, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The file.
    pub file: PathBuf,
    /// Its Unix mode, the lower nine bits.
    pub mode: u32,
    /// The account whose credential or signing key it holds; `None` for the configuration itself.
    pub account: Option<AccountName>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, mode) = (self.file.display(), self.mode);
        match &self.account {
            Some(account) => write!(
                f,
                "{file} holds a secret of account `{account}` and is open to others (mode {mode:04o}); run: chmod 600 {file}"
            ),
            None => write!(
                f,
                "{file} says which commands are run and can be changed by others (mode {mode:04o}); run: chmod go-w {file}"
            ),
        }
    }
}

/// A file that holds a secret may be neither read nor written by others. The configuration holds none, and may be read.
pub(super) fn warnings(config: &ConfigFile) -> Vec<Warning> {
    let mut files = vec![(config.path.clone(), 0o022, None)];
    for account in &config.accounts {
        if let Source::File(path) = &account.source {
            files.push((path.clone(), 0o077, Some(account.name.clone())));
        }
        if let Some(Value::File(path)) = account.value("signing_key_file") {
            files.push((path.clone(), 0o077, Some(account.name.clone())));
        }
    }
    let open = |(file, forbidden, account): (PathBuf, u32, Option<AccountName>)| {
        let mode = mode(&file)?;
        (mode & forbidden != 0).then_some(Warning { file, mode, account })
    };
    files.into_iter().filter_map(open).collect()
}

#[cfg(unix)]
fn mode(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}
