//! The trail: a line before and after every change that is sent, without secrets. `docs/trail.schema.json` describes it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use keymux::{AccountName, Error, ErrorKind, ProviderId};
use serde::Serialize;

use crate::console::Console;
use crate::locked;
use crate::random;
use crate::shutdown;
use crate::text::shown;
use crate::tidy::Busy;

/// The version of the lines.
const VERSION: u32 = 1;

/// Whether the end of a change is missing from the trail.
static LACKS: AtomicBool = AtomicBool::new(false);

/// Whether the end of a change could not be written, though the change was made.
pub(crate) fn lacks_an_end() -> bool {
    LACKS.load(Ordering::SeqCst)
}

/// A file to which lines are appended, each flushed to the disk before anything goes on.
#[derive(Debug)]
pub(crate) struct Trail {
    path: PathBuf,
    console: Console,
    reason: Option<String>,
    user: Option<String>,
    host: Option<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    pub(crate) account: AccountName,
    pub(crate) provider: ProviderId,
    pub(crate) operation: &'static str,
    /// The key: the one that is changed, or, in the second line, the one that was made.
    pub(crate) r#ref: Option<String>,
    /// Where a key is made.
    pub(crate) scope: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    version: u32,
    time: String,
    id: &'a str,
    phase: &'static str,
    #[serde(flatten)]
    change: &'a Change,
    outcome: Option<&'static str>,
    error: Option<&'static str>,
    status: Option<u16>,
    attempts: Option<u32>,
    may_have_executed: Option<bool>,
    reason: Option<&'a str>,
    user: Option<&'a str>,
    host: Option<&'a str>,
    program: &'static str,
}

/// How a change ended.
#[derive(Debug, Clone, Copy)]
struct End {
    outcome: &'static str,
    error: Option<&'static str>,
    status: Option<u16>,
    attempts: Option<u32>,
    may_have_executed: bool,
}

impl End {
    const DONE: Self = Self { outcome: "done", error: None, status: None, attempts: None, may_have_executed: true };
    /// The program no longer waits for the answer.
    const ABANDONED: Self = Self { outcome: "abandoned", ..Self::DONE };

    fn of(error: &Error) -> Self {
        let unknown = error.kind() == ErrorKind::OutcomeUnknown || shutdown::is_unknown(error);
        let outcome = match error.attempts() {
            0 if !unknown => "not_sent",
            _ if unknown => "unknown",
            _ => "failed",
        };
        Self {
            outcome,
            error: Some(error.kind().as_str()),
            status: error.status(),
            attempts: Some(error.attempts()),
            may_have_executed: unknown,
        }
    }
}

impl Trail {
    pub(crate) fn new(path: PathBuf, reason: Option<&str>, console: &Console) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            path,
            console: console.clone(),
            reason: reason.map(shown),
            user: ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable).map(|user| shown(&user)),
            host: host(),
        }
    }

    /// Writes that a change is about to be sent. Without that line nothing is sent.
    pub(crate) fn begin(&self, change: Change) -> Result<Begun<'_>, Error> {
        let change =
            Change { r#ref: change.r#ref.as_deref().map(shown), scope: change.scope.as_deref().map(shown), ..change };
        let begun = Begun { trail: self, id: random::digits() + &random::digits(), change, ended: false };
        match begun.write("sent", None) {
            Ok(()) => Ok(begun),
            Err(error) => {
                let change = begun.silently();
                Err(Error::new(ErrorKind::Config)
                    .with_account(change.account)
                    .with_provider(change.provider)
                    .with_operation(change.operation)
                    .with_message(format!(
                        "the trail {} cannot be written ({}), and no change is sent without it; mend the file, or name \
                         another one with --trail",
                        self.path.display(),
                        why(&error)
                    )))
            }
        }
    }

    /// Appends one line with one write, and flushes it. Half a line is taken away again, or ended by the next one.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let _busy = Busy::new();
        let mut file = match locked::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match locked::make(&self.path) {
                // Another process was first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => locked::open(&self.path)?,
                made => made?,
            },
            opened => opened?,
        };
        locked::lock(&file)?;
        let before = file.metadata()?;
        let mut text = Vec::with_capacity(line.len() + 2);
        if before.is_file() && before.len() > 0 && !ends_with_a_line(&self.path) {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
        text.push(b'\n');
        let written = loop {
            match file.write(&text) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written?,
            }
        };
        if written < text.len() {
            // No other process has written meanwhile.
            let _ = file.set_len(before.len());
            return Err(io::Error::new(io::ErrorKind::WriteZero, "there is no room for a line"));
        }
        file.sync_all()
    }
}

/// A change whose first line is written. Dropped without an end, it is one that the program no longer waited for.
#[derive(Debug)]
pub(crate) struct Begun<'a> {
    trail: &'a Trail,
    id: String,
    change: Change,
    ended: bool,
}

impl Begun<'_> {
    /// Writes how the change ended. `made` is the key that was made.
    pub(crate) fn end(mut self, result: Result<(), &Error>, made: Option<String>) {
        if let Some(made) = made {
            self.change.r#ref = Some(shown(&made));
        }
        self.close(result.err().map_or(End::DONE, End::of));
    }

    fn close(&mut self, end: End) {
        self.ended = true;
        let Err(error) = self.write("ended", Some(end)) else { return };
        LACKS.store(true, Ordering::SeqCst);
        let about = self.change.r#ref.as_deref().unwrap_or(self.change.account.as_str());
        self.trail.console.failed(&format!(
            "the trail {} cannot be written ({}): it lacks how this change ended: {} of {about}: {}; id {}",
            self.trail.path.display(),
            why(&error),
            self.change.operation,
            end.outcome,
            self.id
        ));
    }

    fn write(&self, phase: &'static str, end: Option<End>) -> io::Result<()> {
        let line = Line {
            version: VERSION,
            time: Timestamp::now().to_string(),
            id: &self.id,
            phase,
            change: &self.change,
            outcome: end.map(|end| end.outcome),
            error: end.and_then(|end| end.error),
            status: end.and_then(|end| end.status),
            attempts: end.and_then(|end| end.attempts),
            may_have_executed: end.map(|end| end.may_have_executed),
            reason: self.trail.reason.as_deref(),
            user: self.trail.user.as_deref(),
            host: self.trail.host.as_deref(),
            program: concat!("keymux-cli/", env!("CARGO_PKG_VERSION")),
        };
        self.trail.append(&serde_json::to_vec(&line)?)
    }

    /// The change, of which no line is to be written any more.
    fn silently(mut self) -> Change {
        self.ended = true;
        self.change.clone()
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.close(End::ABANDONED);
        }
    }
}

/// What kept a line from the disk. What is no file cannot be flushed.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidInput => "it is no file that a disk keeps".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether the file ends with a line break. One that cannot be read is taken for whole.
fn ends_with_a_line(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        io::Result::Ok(last[0])
    };
    last().map_or(true, |last| last == b'\n')
}

#[cfg(unix)]
pub(crate) fn host() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
pub(crate) fn host() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
