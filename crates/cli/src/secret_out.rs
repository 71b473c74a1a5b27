//! Where a plaintext goes that no vendor shows again. The place is made sure of before anything is sent, so that a key is created
//! only if its plaintext can be stored.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use keymux::{ErrorKind, ExposeSecret, IssuedKey};
use zeroize::Zeroizing;

use crate::args::SecretOut;
use crate::console::Console;
use crate::exit::Failure;
use crate::output::{Output, Plan};
use crate::rows::{MadeRow, Row, Typed};
use crate::secret_file::{NewFile, Unfilled};
use crate::tidy::Busy;

/// What became of a plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is where it survives this process: in a file on the disk, or before somebody's eyes.
    Stored,
    /// Whoever reads the pipe has it, and nobody knows here whether it is stored.
    Handed,
}

/// A place that is ready for one plaintext and its record.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    console: &'a Console,
    /// For the plaintext and for the record. `None`: standard output and standard error.
    files: Option<(NewFile, NewFile)>,
}

impl<'a> Place<'a> {
    /// Makes room for the files, or sees that standard output keeps what is written.
    pub(crate) fn ready(args: SecretOut, console: &'a Console) -> Result<Self, Failure> {
        let Some(path) = args.secret_file else {
            if is_nowhere(&io::stdout()) {
                return Err(Failure::Usage(
                    "standard output is closed, the null device or open for reading alone, where the plaintext would be \
                     lost; add --secret-file"
                        .to_owned(),
                ));
            }
            return Ok(Self { console, files: None });
        };
        let beside = PathBuf::from([path.as_os_str(), ".json".as_ref()].into_iter().collect::<OsString>());
        let mut files = (NewFile::make(path, console)?, NewFile::make(beside, console)?);
        for file in [&mut files.0, &mut files.1] {
            file.reserve().map_err(|error| Failure::Io(format!("making room for {}", file.shown()), error))?;
        }
        Ok(Self { console, files: Some(files) })
    }

    /// The file of the plaintext, if there is one.
    pub(crate) fn path(&self) -> Option<&std::path::Path> {
        self.files.as_ref().map(|(secret, _)| secret.path())
    }

    /// Writes the plaintext, and then the record. The plaintext alone is on standard output with a line break after it,
    /// and in a file without.
    pub(crate) fn keep(mut self, issued: &IssuedKey) -> Result<Kept, Failure> {
        warn(issued, self.console);
        let address = issued.key_ref().map(|key| key.to_string());
        let find_out = issued.find_out.as_deref().unwrap_or_default();
        let key = address.clone().unwrap_or_else(|| "The new key".to_owned());
        let lost = |place: String, error: io::Error| {
            let end = match &address {
                Some(key) => format!("End the key with `keymux revoke {key}`, and make another"),
                None => format!("The vendor did not tell the key's address: {find_out}"),
            };
            Failure::Lost(format!(
                "{key} has a plaintext that could not be written to {place} ({error}), and it is shown once: it is lost. {end}"
            ))
        };
        let plaintext = issued.plaintext.expose_secret();
        let Some((secret, record)) = self.files.take() else {
            let kept = to_stdout(plaintext).map_err(|error| lost("standard output".to_owned(), error))?;
            if self.console.is_terminal() {
                self.console.note("This is the key's plaintext, shown this once.");
            }
            match MadeRow::of(issued) {
                Some(row) => self.record(row)?,
                None => self.console.note(&format!("The vendor did not tell the key's address: {find_out}")),
            }
            return Ok(kept);
        };
        let (secret_path, record_path) = (secret.shown(), record.shown());
        let stored = match secret.fill(plaintext.as_bytes()) {
            Ok(()) => Ok(Kept::Stored),
            Err(Unfilled::Lost(error)) => return Err(lost(secret_path, error)),
            Err(ref elsewhere @ Unfilled::Elsewhere(ref path, _)) => Err(Failure::Lost(format!(
                "{key} has a plaintext that is not in {secret_path} ({elsewhere}); it is whole in {}: move it from there",
                path.display()
            ))),
        };
        let Some(told) = MadeRow::of(issued) else {
            self.console.note(&format!(
                "{key}: the plaintext is in {secret_path}; the vendor did not tell the key's address: {find_out}"
            ));
            return stored;
        };
        let mut text = serde_json::to_vec_pretty(&Typed::new(MadeRow::TYPE, &told)).unwrap_or_default();
        text.push(b'\n');
        match record.fill(&text) {
            Ok(()) if stored.is_ok() => {
                self.console.note(&format!("{key}: the plaintext is in {secret_path}, the record in {record_path}"));
            }
            Ok(()) => {}
            Err(error) => {
                if let Unfilled::Elsewhere(path, _) = &error {
                    // It is shown below.
                    let _ = fs::remove_file(path);
                }
                self.console.failed(&format!("{record_path}: {error}; the record of {key} follows"));
                self.record(told)?;
            }
        }
        stored
    }

    /// Says what becomes of the files where the call failed: they go, since they are empty.
    pub(crate) fn give_up(self, failure: &Failure) {
        let (Failure::Call(error) | Failure::Change(_, error)) = failure else { return };
        if let (Some((secret, _)), ErrorKind::OutcomeUnknown) = (&self.files, error.kind()) {
            let path = secret.shown();
            self.console.failed(&format!(
                "{path} is not made, since no plaintext came; if there is a new key, nobody has its plaintext: revoke it"
            ));
        }
    }

    fn record(&self, record: MadeRow) -> Result<(), Failure> {
        if self.console.is_quiet() {
            return Ok(());
        }
        let console = self.console.on_stderr();
        let mut output = Output::onto(Box::new(io::stderr()), &console, Plan::of_one::<MadeRow>(&console)).alone();
        output.row(record)?;
        output.finish(None)
    }
}

/// Tells of everything that the vendor's answer leaves open.
pub(crate) fn warn(issued: &IssuedKey, console: &Console) {
    let parameters = issued.unconfirmed.iter().map(|parameter| parameter.as_str());
    let key = issued.key_ref().map_or_else(|| "the new key".to_owned(), |key| key.to_string());
    for setting in parameters.chain(issued.unconfirmed_settings.iter().map(String::as_str)) {
        console.note(&format!(
            "keymux: `{setting}` was asked for, and the vendor's answer does not confirm it; look {key} up before you rely on it"
        ));
    }
    // JSON has it in any case.
    if let Some(member) = issued.member.as_ref().filter(|_| console.is_terminal()) {
        console.note(&format!(
            "keymux: the plaintext was taken from `{member}` of the answer, where another member could be it too; see that it works"
        ));
    }
}

fn to_stdout(plaintext: &str) -> io::Result<Kept> {
    let _busy = Busy::new();
    // One piece, so that it goes past the buffer of standard output, which nobody wipes.
    let mut line = Zeroizing::new(Vec::with_capacity(plaintext.len() + 1));
    line.extend_from_slice(plaintext.as_bytes());
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    if io::stdout().is_terminal() {
        return Ok(Kept::Stored);
    }
    stored(&io::stdout())
}

/// Flushes a regular file to the disk. A pipe that took bytes has stored nothing.
#[cfg(unix)]
fn stored(stream: &impl std::os::fd::AsFd) -> io::Result<Kept> {
    let file = File::from(stream.as_fd().try_clone_to_owned()?);
    if !file.metadata()?.is_file() {
        return Ok(Kept::Handed);
    }
    file.sync_all()?;
    Ok(Kept::Stored)
}

#[cfg(not(unix))]
fn stored<S>(_stream: &S) -> io::Result<Kept> {
    Ok(Kept::Handed)
}

/// Whether what is written there is gone. Rust opens the null device in place of a closed standard output, and takes a
/// write to one that is open for reading alone for done.
#[cfg(unix)]
fn is_nowhere(stream: &impl std::os::fd::AsFd) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use rustix::fs::{OFlags, fcntl_getfl};

    let stream = stream.as_fd();
    if fcntl_getfl(stream).is_ok_and(|flags| flags & OFlags::ACCMODE == OFlags::RDONLY) {
        return true;
    }
    let stream = stream.try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    match (stream, fs::metadata("/dev/null")) {
        (Ok(stream), Ok(null)) => stream.file_type().is_char_device() && stream.rdev() == null.rdev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_nowhere<S>(_stream: &S) -> bool {
    false
}
