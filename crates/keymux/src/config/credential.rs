//! Where a credential comes from, and fetching it.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use keymux_core::{SecretString, scrub_text, trim_secret};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

/// The largest configuration that is read, in bytes.
pub(super) const MAX_CONFIG_BYTES: usize = 1024 * 1024;
/// The largest file of a credential or of keys, and the longest output of a command, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 64 * 1024;
/// How much of what a command says of its failure is kept, in bytes.
const MAX_STDERR_BYTES: usize = 4 * 1024;
/// How long a command may take: long enough for a person to unlock a vault.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a credential comes from. Printed, it shows no argument of a command, and nothing that looks like a key.
#[derive(Clone, PartialEq)]
pub(super) enum Source {
    Env(String),
    File(PathBuf),
    Command { program: PathBuf, arguments: Vec<String> },
}

impl Source {
    /// The credential, or a message that says what is wrong and nothing of a secret.
    pub(super) async fn fetch(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::Env(name) => match std::env::var_os(name).map(std::ffi::OsString::into_string) {
                Some(Ok(text)) => self.line(Zeroizing::new(text).as_bytes())?,
                Some(Err(_)) => return Err(format!("{self} is not UTF-8")),
                None => return Err(format!("{self} is not set")),
            },
            Self::File(path) => {
                let bytes =
                    read_limited(path, MAX_FILE_BYTES).map_err(|why| format!("{self} cannot be read: {why}"))?;
                self.line(&bytes)?
            }
            Self::Command { program, arguments } => {
                let run = run(program, arguments);
                let output = tokio::time::timeout(COMMAND_TIMEOUT, run).await;
                let output = output.unwrap_or_else(|_| {
                    Err(format!("did not end within {} s, and was stopped", COMMAND_TIMEOUT.as_secs()))
                });
                self.line(&output.map_err(|why| format!("{self} {why}"))?)?
            }
        };
        if text.trim().is_empty() {
            return Err(match self {
                Self::Command { .. } => format!("{self} printed nothing"),
                _ => format!("{self} is empty"),
            });
        }
        Ok(SecretString::from(text.as_str()))
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
    if path.exists() {
        return path.display().to_string();
    }
    scrub_text(&path.display().to_string(), &SecretString::default())
}

/// The bytes of a file that has at most `limit`.
pub(super) fn read_limited(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    // Room for all of it at once, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(MAX_FILE_BYTES) + 1));
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(bytes)
}

/// What a program prints, or why it could not be had. Dropping the future kills the program.
async fn run(program: &Path, arguments: &[String]) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("cannot be started: it has no output".to_owned());
    };
    let output = async {
        let output = read_first(stdout, MAX_FILE_BYTES + 1).await?;
        match output.len() {
            0..=MAX_FILE_BYTES => Ok(output),
            _ => Err(format!("printed more than {MAX_FILE_BYTES} bytes")),
        }
    };
    let complaint = async {
        let mut stderr = stderr;
        let kept = read_first(&mut stderr, MAX_STDERR_BYTES).await?;
        // The rest is read and dropped, or the program would wait for a reader.
        tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await.map_err(|error| error.to_string())?;
        Ok(kept)
    };
    let (output, complaint) = tokio::try_join!(output, complaint)?;
    let status = child.wait().await.map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        return Ok(output);
    }
    let printed = Zeroizing::new(String::from_utf8_lossy(&output).into_owned());
    let complaint = Zeroizing::new(String::from_utf8_lossy(&complaint).into_owned());
    let complaint = scrub_text(&complaint, &SecretString::from(printed.trim()));
    let colon = if complaint.is_empty() { "" } else { ": " };
    Err(format!("failed ({status}){colon}{complaint}"))
}

/// The first `limit` bytes.
async fn read_first(from: impl AsyncRead + Unpin, limit: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    from.take(limit as u64).read_to_end(&mut bytes).await.map_err(|error| format!("cannot be read: {error}"))?;
    Ok(bytes)
}
