//! Files that several processes use at once.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a lock is waited for, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Locks the file for this process alone, until it is closed. Another process holds it for the time of a line; one that
/// holds it for longer than 10 s is an error. A file system without locks is used without one.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while is_held(file) {
        if Instant::now() > end {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds it"));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Whether another process holds the file. If none does, this one does from now on, where there are locks.
#[cfg(unix)]
pub(crate) fn is_held(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};

    flock(file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK)
}

#[cfg(not(unix))]
pub(crate) fn is_held(_file: &File) -> bool {
    false
}

/// Makes a new file that its owner alone can use, and that is appended to.
pub(crate) fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    flush_folder(path);
    Ok(file)
}

/// Opens a file to append to it. A pipe that nobody reads is an error, and is not waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default(),
    );
    options.open(path)
}

/// Lets the name of a file outlast a power cut. Not every file system can do this for a folder.
pub(crate) fn flush_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
