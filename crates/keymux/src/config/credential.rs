//! Where a credential comes from, and fetching it.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use keymux_core::{AccountName, Credential, SecretString, scrub_text, trim_secret};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::command;
use super::files::{MAX_FILE_BYTES, exists, read_regular};

/// The largest configuration that is read, in bytes.
pub(super) const MAX_CONFIG_BYTES: usize = 1024 * 1024;
/// Where a credential comes from. Printed, it shows no argument of a command, and nothing that looks like a key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Env(String),
    File(PathBuf),
    Command { program: PathBuf, arguments: Vec<String> },
}

/// What a command may print in the place of the key alone.
#[derive(Deserialize)]
struct Printed {
    secret: Option<SecretString>,
    expires_at: Option<String>,
}

impl Source {
    /// The credential, for `account`, or a message that says what is wrong and nothing of a secret.
    pub(super) async fn fetch(&self, account: &AccountName) -> Result<Credential, String> {
        let text = match self {
            Self::Env(name) => match std::env::var_os(name).map(std::ffi::OsString::into_string) {
                Some(Ok(text)) => self.line(Zeroizing::new(text).as_bytes())?,
                Some(Err(_)) => return Err(format!("{self} is not UTF-8")),
                None => return Err(format!("{self} is not set")),
            },
            Self::File(path) => {
                let bytes = read_regular(path, MAX_FILE_BYTES).await;
                self.line(&bytes.map_err(|why| format!("{self} cannot be read: {why}"))?)?
            }
            Self::Command { program, arguments } => {
                let output = command::run(program, arguments, account).await;
                let text = self.line(&output.map_err(|why| format!("{self} {why}"))?)?;
                if let Ok(printed) = serde_json::from_str::<Printed>(&text) {
                    return self.printed(printed);
                }
                text
            }
        };
        if text.trim().is_empty() {
            return Err(match self {
                Self::Command { .. } => format!("{self} printed nothing"),
                _ => format!("{self} is empty"),
            });
        }
        Ok(Credential::new(text.as_str()))
    }

    fn printed(&self, Printed { secret, expires_at }: Printed) -> Result<Credential, String> {
        let Some(secret) = secret else {
            return Err(format!(
                "{self} printed JSON without the member `secret`; print the key alone, or \
                 `{{\"secret\": \"…\", \"expires_at\": \"2030-01-31T12:00:00Z\"}}`"
            ));
        };
        let credential = Credential::new(secret);
        match expires_at.map(|text| text.parse::<Timestamp>()) {
            None => Ok(credential),
            Some(Ok(ends)) => Ok(credential.with_end(ends)),
            Some(Err(_)) => Err(format!(
                "{self} printed JSON whose member `expires_at` is not an instant such as `2030-01-31T12:00:00Z`"
            )),
        }
    }

    /// Whether it may have another credential another time.
    pub(super) fn can_renew(&self) -> bool {
        !matches!(self, Self::Env(_))
    }

    /// The text without a byte-order mark at its start and a line break at its end.
    fn line(&self, bytes: &[u8]) -> Result<Zeroizing<String>, String> {
        let Ok(text) = std::str::from_utf8(trim_secret(bytes)) else {
            return Err(match self {
                Self::Command { .. } => format!("{self} printed what is not UTF-8"),
                _ => format!("{self} is not UTF-8"),
            });
        };
        Ok(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) if is_plain_variable(name) => write!(f, "the environment variable {name}"),
            // It may be a secret that was put in the wrong place.
            Self::Env(name) => write!(f, "the environment variable (a name of {} characters)", name.chars().count()),
            Self::File(path) => write!(f, "the file {}", shown_path(path)),
            Self::Command { program, .. } => write!(f, "the command `{}`", shown_path(program)),
        }
    }
}

/// Whether `name` looks like the name of a variable and not like a key: capitals, digits, `_`, in words.
fn is_plain_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && name.split('_').all(|word| word.len() < 20)
}

/// A path. If there is no such file, what looks like a key is taken out: a secret may stand in the place of a path.
pub(super) fn shown_path(path: &Path) -> String {
    if exists(path) {
        return path.display().to_string();
    }
    scrub_text(&path.display().to_string(), &SecretString::default())
}
