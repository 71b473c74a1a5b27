//! How far a rotation is, in a file: a line of JSON for each step, the newest last. Each is on the disk before the request
//! that it announces. The file is locked while a run is at work with it, and holds no secret.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use keymux::{KeyRef, Rotation};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// What stands around the name of a key in the name of its file.
const NAMED: (&str, &str) = ("rotation-", ".ndjson");

/// How much of a reference is kept readable in the name of a file.
const READABLE: usize = 80;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Step {
    /// Who wrote it.
    pid: u32,
    /// Where the plaintext is to be stored, if that is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
    rotation: Rotation,
}

/// The file of one rotation, held by this run alone until it is dropped.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    file: File,
    /// How many bytes of whole lines are in it.
    length: u64,
    /// Where the plaintext is to be stored.
    pub(crate) secret_file: Option<PathBuf>,
}

impl StateFile {
    /// Opens the file, or makes it, and gives what its newest whole line says. One that another run holds is refused.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, Option<Rotation>), Failure> {
        let failed = |error| Failure::Io(format!("keeping the state of the rotation in {}", path.display()), error);
        let file = loop {
            let file = make(&path).map_err(failed)?;
            if is_held(&file) {
                let by = newest(&file).ok().and_then(|(_, step)| step).map(|step| format!(" (process {})", step.pid));
                return Err(Failure::Usage(format!(
                    "another keymux{} is at work with this rotation, whose state is {}; wait for its end",
                    by.unwrap_or_default(),
                    path.display()
                )));
            }
            if !is_gone(&file) {
                break file;
            }
        };
        flush_folder(&path);
        let (length, step) = newest(&file).map_err(|error| {
            Failure::Usage(format!("{} is no state of a rotation that can be read: {error}", path.display()))
        })?;
        // Half a line is the end of a run that was killed; what stands before it counts.
        file.set_len(length).map_err(failed)?;
        let (secret_file, rotation) = step.map_or((None, None), |step| (step.secret_file, Some(step.rotation)));
        Ok((Self { path, file, length, secret_file }, rotation))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Once it returns, the step outlasts a power cut. After an error the file is as before.
    pub(crate) fn save(&mut self, rotation: &Rotation) -> io::Result<()> {
        let step = Step { pid: std::process::id(), secret_file: self.secret_file.clone(), rotation: rotation.clone() };
        let mut line = serde_json::to_vec(&step)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_all());
        match written {
            Ok(()) => self.length += line.len() as u64,
            // Where that fails too, half a line is passed over.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        written
    }

    /// There is nothing left to do.
    pub(crate) fn remove(mut self) {
        self.length = 0;
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // What says nothing is of no use to anybody.
        if self.length == 0 {
            let _ = fs::remove_file(&self.path);
            flush_folder(&self.path);
        }
    }
}

/// Whether there is a state of a rotation at this path.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// The file of a key's rotation: in `$XDG_STATE_HOME/keymux`, else in `~/.local/state/keymux`, on Windows in
/// `%LOCALAPPDATA%\keymux`.
pub(crate) fn path_of(key: &KeyRef) -> Result<PathBuf, Failure> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let below_home = || Some(folder("HOME")?.join(".local/state"));
    let found = if cfg!(windows) { folder("LOCALAPPDATA") } else { folder("XDG_STATE_HOME").or_else(below_home) };
    let folder = found.map(|folder| folder.join("keymux")).ok_or_else(|| {
        Failure::Usage(
            "there is no folder for the state of a rotation, which must outlast a crash; set HOME, or XDG_STATE_HOME to an \
             absolute path, or give --state FILE"
                .to_owned(),
        )
    })?;
    Ok(folder.join(format!("{}{}{}", NAMED.0, file_name(key), NAMED.1)))
}

/// A name for a file that is of this key alone: its reference where that has only plain characters, and else with a number
/// made of it.
pub(crate) fn file_name(key: &KeyRef) -> String {
    let text = key.to_string();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let readable: String = text.chars().map(plain).take(READABLE).collect();
    // FNV-1a: the same on every machine and in every build.
    let number = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |number, byte| (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{readable}-{number:016x}")
}

fn make(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// How many bytes of whole lines there are, and what the newest says.
fn newest(mut file: &File) -> io::Result<(u64, Option<Step>)> {
    file.rewind()?;
    let mut reader = BufReader::new(file);
    let (mut length, mut step, mut line) = (0, None, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line.ends_with(b"\n") {
            step = Some(serde_json::from_slice(&line)?);
            length += line.len() as u64;
        } else if length == 0 && !b"{\"pid\":".starts_with(&line[..line.len().min(7)]) {
            // Not the beginning of a first line: the file is somebody else's, and is left alone.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is another file"));
        }
        line.clear();
    }
    Ok((length, step))
}

#[cfg(unix)]
fn is_held(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};

    // A file system without locks has nobody who could hold it.
    flock(file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// Whether somebody has removed it since it was opened.
#[cfg(unix)]
fn is_gone(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_held(_file: &File) -> bool {
    false
}

#[cfg(not(unix))]
fn is_gone(_file: &File) -> bool {
    false
}

/// Lets the name of a file outlast a power cut. Not every file system can do this for a folder.
fn flush_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_never_have_one_file_and_a_name_is_no_path() {
        let name = |text: &str| file_name(&text.parse().unwrap());
        assert_ne!(name("a:b/c"), name("a:b_c"));
        assert!(!name("a:b/c").contains('/'));
        assert!(name(&format!("a:{}", "k".repeat(300))).len() < 120);
    }

    #[test]
    fn what_is_no_state_is_left_as_it_is() {
        let path = std::env::temp_dir().join(format!("keymux-no-state-{}", std::process::id()));
        for text in ["my notes\n", "my notes", "{}\n"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(StateFile::open(path.clone()), Err(Failure::Usage(_))), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        // A run that was killed while it wrote its first line.
        fs::write(&path, "{\"pid\":12,\"rot").unwrap();
        drop(StateFile::open(path.clone()).unwrap());
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_second_run_on_one_state_is_refused() {
        let path = std::env::temp_dir().join(format!("keymux-held-state-{}", std::process::id()));
        let held = StateFile::open(path.clone()).unwrap();
        let refused = StateFile::open(path.clone()).unwrap_err();
        assert!(refused.to_string().contains("another keymux"), "{refused}");
        drop(held);
        assert!(!path.exists());
    }
}
