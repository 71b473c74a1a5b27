//! A new file for a plaintext or its record. It is written under a temporary name in the same folder, and has its own
//! name only once it is whole, so that nothing that looks like a secret is ever there without being one.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::exit::Failure;
use crate::tidy::{Busy, Undo};

/// No vendor's key has as many bytes.
const ROOM: usize = 4096;

/// How many temporary files of one name there may be.
const MOST: usize = 1000;

/// A file that is not there yet. What stands for it goes again unless it is [filled](Self::fill).
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    undo: Undo,
}

/// Why the content is not in its file.
#[derive(Debug)]
pub(crate) enum Unfilled {
    /// It is whole in this file of another name.
    Elsewhere(PathBuf, io::Error),
    /// It is nowhere.
    Lost(io::Error),
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere(_, error) if error.kind() == io::ErrorKind::AlreadyExists => {
                f.write_str("a file of this name has appeared meanwhile, and no file is overwritten")
            }
            Self::Elsewhere(_, error) | Self::Lost(error) => error.fmt(f),
        }
    }
}

impl NewFile {
    /// Makes the temporary file, readable by its owner alone. Nothing of this name may be there.
    pub(crate) fn make(path: PathBuf, console: &Console) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let ends_in_name = !path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.file_name().is_none() || !ends_in_name {
            return Err(Failure::Usage(format!("{shown} is no name for a file; name one in that folder")));
        }
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Failure::Usage(format!(
                "{shown} is there already, and no file is overwritten; name another one"
            )));
        }
        for left in sweep(&path) {
            console.note(&format!(
                "keymux: {} is left of an earlier run, and may hold the only copy of a plaintext: it is kept. Look at it, \
                 and then move or delete it",
                left.display()
            ));
        }
        Self::reserved(path).map_err(|error| Failure::Io(format!("making {shown}"), error))
    }

    fn reserved(path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        for number in 0..MOST {
            let temporary = temporary(&path, number);
            match options.open(&temporary) {
                // Whoever holds it already takes it for a leftover, and removes it.
                Ok(file) if !is_taken(&file) => {
                    let gone = temporary.clone();
                    // Nothing that is wanted is in it. Where it cannot be removed, the next run does.
                    let undo = Undo::new(move || drop(fs::remove_file(gone)));
                    return Ok(Self { path, temporary, file, undo });
                }
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Err(io::Error::other("there are too many temporary files of this name"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Takes up the room that the content needs, so that a full disk is seen before there is any.
    pub(crate) fn reserve(&mut self) -> io::Result<()> {
        self.file.write_all(&[0; ROOM])?;
        self.file.sync_all()
    }

    /// Once it returns, the content is in its place and outlasts a power cut. Nothing that has appeared there meanwhile is
    /// replaced.
    pub(crate) fn fill(self, content: &[u8]) -> Result<(), Unfilled> {
        let _busy = Busy::new();
        let path = self.path.clone();
        match self.filled(content) {
            // Somebody has removed the temporary file.
            Err(Unfilled::Elsewhere(temporary, _)) if !temporary.exists() => {
                Self::reserved(path).map_err(Unfilled::Lost)?.filled(content)
            }
            filled => filled,
        }
    }

    fn filled(mut self, content: &[u8]) -> Result<(), Unfilled> {
        self.write(content).map_err(Unfilled::Lost)?;
        let Self { path, temporary, file, undo } = self;
        // It holds what nobody has a second time.
        undo.keep();
        put(&temporary, &path).map_err(|error| Unfilled::Elsewhere(temporary, error))?;
        drop(file);
        // The content is in its place; not every file system can do this for a folder.
        let _ = File::open(folder(&path)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(content)?;
        self.file.set_len(content.len() as u64)?;
        self.file.sync_all()
    }
}

/// Whether the file was filled by a run that was killed right after: it is there, and what stood for it is not.
pub(crate) fn is_filled(path: &Path) -> bool {
    let there = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    there && sweep(path).is_empty()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What stands between a file's name and a number, and marks a temporary file.
const MARK: &str = ".keymux-";

/// `.NAME.keymux-0` beside `NAME`.
fn temporary(path: &Path, number: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let number = format!("{MARK}{number}");
    let name: OsString = [OsStr::new("."), name, OsStr::new(&number)].into_iter().collect();
    path.with_file_name(name)
}

/// Moves the file to a name at which nothing is.
fn put(temporary: &Path, path: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;

        match renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE) {
            // Not every file system has it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            moved => return Ok(moved?),
        }
    }
    match fs::hard_link(temporary, path) {
        Ok(()) => {
            // Where it stays, it is the same file under a second name.
            let _ = fs::remove_file(temporary);
            Ok(())
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Err(error),
        // Without links, an empty file of our own is what is replaced.
        Err(_) => OpenOptions::new().write(true).create_new(true).open(path).and_then(|_| fs::rename(temporary, path)),
    }
}

/// Whether another process holds the file, or it is gone from its folder.
#[cfg(unix)]
fn is_taken(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;

    // A file system without locks has nobody who could hold it.
    flock(file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK)
        || file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_taken(_file: &File) -> bool {
    false
}

/// Removes what earlier runs that were killed have left of a file of this name and that holds nothing. What holds
/// something is given back, and stays; what another run is at work with stays too.
#[cfg(unix)]
fn sweep(path: &Path) -> Vec<PathBuf> {
    use rustix::fs::{FlockOperation, flock};

    let mut kept = Vec::new();
    // Where the folder cannot be read, nothing is known.
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let left = path.with_file_name(entry.file_name());
        let number = left.to_str().and_then(|left| left.rsplit_once(MARK)?.1.parse().ok());
        let is_ours = number.is_some_and(|number| temporary(path, number) == left);
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = File::open(&left) else { continue };
        let lock = flock(&file, FlockOperation::NonBlockingLockExclusive);
        if lock == Err(rustix::io::Errno::WOULDBLOCK) {
            continue;
        }
        match (holds_nothing(file.try_clone()), lock) {
            (Ok(true), Ok(())) => drop(fs::remove_file(&left)),
            // Without a lock it may be at work.
            (Ok(true), Err(_)) => {}
            (Ok(false) | Err(_), _) => kept.push(left),
        }
    }
    kept.sort();
    kept
}

#[cfg(not(unix))]
fn sweep(_path: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// Whether there are zeros alone.
#[cfg(unix)]
fn holds_nothing(file: io::Result<File>) -> io::Result<bool> {
    use std::io::Read;

    let mut file = file?;
    let mut piece = zeroize::Zeroizing::new([0; ROOM]);
    loop {
        match file.read(&mut *piece) {
            Ok(0) => return Ok(true),
            Ok(count) if piece[..count].iter().any(|byte| *byte != 0) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    /// A step, what is done up to it, and whether a plaintext is in the file then.
    type Step = (&'static str, fn(&mut NewFile), bool);

    const PLAINTEXT: &[u8] = b"sk_EXAMPLEplaintext0001";

    fn empty(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("keymux-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What a process leaves that is killed.
    fn killed(file: NewFile) {
        let NewFile { file, undo, .. } = file;
        undo.keep();
        drop(file);
    }

    #[test]
    fn killed_at_any_step_it_leaves_nothing_under_the_name_and_what_it_leaves_is_kept_if_it_holds_something() {
        let steps: &[Step] = &[
            ("made", |_| {}, false),
            ("reserved", |file| file.reserve().unwrap(), false),
            (
                "half written",
                |file| {
                    file.reserve().unwrap();
                    file.file.rewind().unwrap();
                    file.file.write_all(&PLAINTEXT[..4]).unwrap();
                },
                true,
            ),
            ("written", |file| file.write(PLAINTEXT).unwrap(), true),
        ];
        for (step, run, holds) in steps {
            let folder = empty("killed");
            let path = folder.join("key");
            let mut file = NewFile::reserved(path.clone()).unwrap();
            run(&mut file);
            killed(file);
            assert_eq!(names(&folder), [".key.keymux-0"], "{step}");
            let kept = sweep(&path);
            assert_eq!(kept.len(), usize::from(*holds), "{step}: {kept:?}");
            NewFile::reserved(path.clone()).unwrap().fill(PLAINTEXT).unwrap();
            assert_eq!(fs::read(&path).unwrap(), PLAINTEXT, "{step}");
            let left: &[&str] = if *holds { &[".key.keymux-0", "key"] } else { &["key"] };
            assert_eq!(names(&folder), left, "{step}");
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn what_another_run_is_at_work_with_stays() {
        let folder = empty("at-work");
        let path = folder.join("key");
        let mut other = NewFile::reserved(path.clone()).unwrap();
        other.reserve().unwrap();
        assert!(sweep(&path).is_empty());
        let own = NewFile::reserved(path.clone()).unwrap();
        other.fill(PLAINTEXT).unwrap();
        assert!(matches!(own.fill(b"other"), Err(Unfilled::Elsewhere(..))));
        assert_eq!(fs::read(&path).unwrap(), PLAINTEXT);
        assert_eq!(fs::read(folder.join(".key.keymux-1")).unwrap(), b"other");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_temporary_file_that_somebody_removed_is_made_again() {
        let folder = empty("removed");
        let path = folder.join("key");
        let file = NewFile::reserved(path.clone()).unwrap();
        fs::remove_file(folder.join(".key.keymux-0")).unwrap();
        file.fill(PLAINTEXT).unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(&folder)), (PLAINTEXT.to_vec(), vec!["key".to_owned()]));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_not_filled_goes() {
        let folder = empty("unfilled");
        drop(NewFile::reserved(folder.join("key")).unwrap());
        assert!(names(&folder).is_empty());
        fs::remove_dir_all(&folder).unwrap();
    }
}
