//! A command of the user's that is handed a plaintext on its standard input. No shell is between.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use keymux::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// The variables of one command; a value that is not known is not there.
pub(crate) type Variables = Vec<(&'static str, Option<String>)>;

/// Runs the command with the plaintext on its standard input, without a line break. It succeeded if it ended with 0 within
/// the time; what else became of it is the error, in words. What it prints goes to standard error, since standard output is
/// for records and plaintexts. One that takes longer is killed.
pub(crate) async fn feed(
    command: &[OsString],
    plaintext: &SecretString,
    variables: &Variables,
    limit: Duration,
) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Err("no command was given".to_owned()) };
    let shown = program.to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(to_stderr()).kill_on_drop(true);
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.spawn().map_err(|error| format!("`{shown}` cannot be run: {error}"))?;
    let input = child.stdin.take();
    let run = async {
        let mut written = Ok(());
        if let Some(mut input) = input {
            written = input.write_all(plaintext.expose_secret().as_bytes()).await;
        }
        (written, child.wait().await)
    };
    let Ok((written, ended)) = timeout(limit, run).await else {
        return Err(format!("`{shown}` did not end within {} s, and was killed", limit.as_secs()));
    };
    match ended {
        Ok(status) if !status.success() => Err(format!("`{shown}` failed ({status})")),
        Ok(_) => written.map_err(|error| format!("`{shown}` did not read the plaintext: {error}")),
        Err(error) => Err(format!("`{shown}` could not be waited for: {error}")),
    }
}

#[cfg(unix)]
fn to_stderr() -> Stdio {
    use std::os::fd::AsFd;

    io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from)
}

#[cfg(not(unix))]
fn to_stderr() -> Stdio {
    Stdio::null()
}
