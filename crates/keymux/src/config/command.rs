//! Running a command that prints a credential.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use keymux_core::{AccountName, SecretString, scrub_text};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::files::MAX_FILE_BYTES;

/// How much of what a command says on standard error is kept, in bytes.
const MAX_STDERR_BYTES: usize = 4 * 1024;

/// How long a command may take: long enough for a person to unlock a vault.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How long what it has written may take to come once it has ended: it may have left a program behind (an agent, a
/// cache) that holds its pipes and never closes them.
const GRACE: Duration = Duration::from_millis(250);

/// What a program prints, or why it could not be had. Dropping the future kills the program.
///
/// What it writes to standard error goes on to that of this process as it comes, since it may ask for something; at a
/// terminal each line begins with the name of the account.
pub(super) async fn run(
    program: &Path,
    arguments: &[String],
    account: &AccountName,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("cannot be started: it has no output".to_owned());
    };
    let mut output = Kept::new(MAX_FILE_BYTES + 1);
    let mut complaint = Kept::new(MAX_STDERR_BYTES);
    let mut passed = Passed::to_stderr(account);
    let work = async {
        let read = async {
            let out = read(stdout, |bytes| output.add(bytes));
            let err = read(stderr, |bytes| {
                passed.write(bytes);
                complaint.add(bytes);
            });
            tokio::join!(out, err)
        };
        let mut read = std::pin::pin!(read);
        let status = tokio::select! {
            (out, err) = &mut read => {
                out.and(err).map_err(|error| format!("cannot be read: {error}"))?;
                child.wait().await
            }
            status = child.wait() => {
                // What was written before the end is there already.
                let _ = tokio::time::timeout(GRACE, &mut read).await;
                status
            }
        };
        status.map_err(|error| format!("cannot be waited for: {error}"))
    };
    let status = tokio::time::timeout(TIME_LIMIT, work).await;
    passed.end();
    match status {
        _ if output.is_full() => Err(format!("printed more than {MAX_FILE_BYTES} bytes")),
        Ok(Ok(status)) if status.success() => Ok(output.bytes),
        Ok(Ok(status)) => Err(format!("failed ({status}){}", said(&output, &complaint))),
        Ok(Err(why)) => Err(why),
        Err(_) => {
            let seconds = TIME_LIMIT.as_secs();
            Err(format!("did not end within {seconds} s, and was stopped{}", said(&output, &complaint)))
        }
    }
}

/// What the program said on standard error, without what it printed.
fn said(output: &Kept, complaint: &Kept) -> String {
    let printed = Zeroizing::new(String::from_utf8_lossy(&output.bytes).into_owned());
    let complaint = Zeroizing::new(String::from_utf8_lossy(&complaint.bytes).into_owned());
    let complaint = scrub_text(&complaint, &SecretString::from(printed.trim()));
    if complaint.is_empty() { complaint } else { format!(": {complaint}") }
}

/// The first bytes of an output, in a buffer that does not grow, so that it leaves no copy behind.
struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Kept {
    fn new(limit: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(limit)), limit }
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn is_full(&self) -> bool {
        self.bytes.len() == self.limit
    }
}

/// Reads to the end, and hands on what comes.
async fn read(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8])) -> std::io::Result<()> {
    let mut buffer = Zeroizing::new([0; 4096]);
    loop {
        match from.read(&mut *buffer).await? {
            0 => return Ok(()),
            count => take(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Standard error of this process, as a program below it writes to it.
struct Passed {
    /// Begins each line at a terminal.
    prefix: Option<String>,
    begins: bool,
}

impl Passed {
    fn to_stderr(account: &AccountName) -> Self {
        let prefix = std::io::stderr().is_terminal().then(|| format!("{account}: "));
        Self { prefix, begins: true }
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut all = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if let (true, Some(prefix)) = (self.begins, &self.prefix) {
                all.extend_from_slice(prefix.as_bytes());
            }
            all.extend_from_slice(line);
            self.begins = line.ends_with(b"\n");
        }
        // Where standard error is closed there is nobody to ask.
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(&all).and_then(|()| stderr.flush());
    }

    /// A question without a line break is answered by now, and what comes next begins a line of its own.
    fn end(&mut self) {
        if !self.begins {
            self.begins = true;
            let _ = std::io::stderr().lock().write_all(b"\n");
        }
    }
}
