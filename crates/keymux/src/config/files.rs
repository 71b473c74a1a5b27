//! Reading files that may be anything: a pipe that nobody writes to, a disk that does not answer.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

/// The largest file of a credential or of keys, and the longest output of a command, in bytes.
pub(super) const MAX_FILE_BYTES: usize = 64 * 1024;

/// How long reading a file may take, which is a matter of milliseconds on a disk that answers.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long the configuration may take: another program may be writing it, as with `--config <(…)`.
const CONFIG_TIME_LIMIT: Duration = Duration::from_secs(60);

/// How long a look at whether there is such a file may take.
const LOOK: Duration = Duration::from_millis(200);

/// The bytes of a regular file that has at most `limit`; off the executor, and in 10 s.
pub(super) async fn read_regular(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let path = path.to_owned();
    // A thread of its own: one of the runtime's that hangs would keep the program from ending.
    aside(move || drop(tell.send(read(&path, limit, true))))?;
    match tokio::time::timeout(TIME_LIMIT, told).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err("reading it broke off".to_owned()),
        Err(_) => Err(late(TIME_LIMIT)),
    }
}

/// The bytes of a configuration that has at most `limit`, in 60 s. It may be a pipe.
pub(super) fn read_config(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let path = path.to_owned();
    within(CONFIG_TIME_LIMIT, move || read(&path, limit, false))?.unwrap_or_else(|| Err(late(CONFIG_TIME_LIMIT)))
}

/// What `work` gives, or `None` if it takes longer.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, String> {
    let (tell, told) = mpsc::channel();
    aside(move || drop(tell.send(work())))?;
    Ok(told.recv_timeout(limit).ok())
}

/// Whether there is such a file, as far as can be seen at once.
pub(super) fn exists(path: &Path) -> bool {
    let path = path.to_owned();
    within(LOOK, move || path.exists()).ok().flatten().unwrap_or(false)
}

fn aside(work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = std::thread::Builder::new().name("keymux-read".to_owned()).spawn(work);
    thread.map(drop).map_err(|error| format!("no thread to read it: {error}"))
}

fn late(limit: Duration) -> String {
    format!("it was not read within {} s; does its disk answer, and does anybody write to it?", limit.as_secs())
}

fn read(path: &PathBuf, limit: usize, regular: bool) -> Result<Zeroizing<Vec<u8>>, String> {
    let file = if regular { open_regular(path)? } else { File::open(path).map_err(|error| error.to_string())? };
    // Room for all of it at once, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.min(MAX_FILE_BYTES) + 1));
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(bytes)
}

/// A pipe, a socket or a device is refused, even if it takes the file's place meanwhile.
fn open_regular(path: &Path) -> Result<File, String> {
    let check = |metadata: std::io::Result<std::fs::Metadata>| match metadata {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) if metadata.is_dir() => Err("it is a folder".to_owned()),
        Ok(_) => Err("it is not a regular file but a pipe, a socket or a device".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    check(std::fs::metadata(path))?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Opening a pipe would wait for who writes to it.
        options.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default());
    }
    let file = options.open(path).map_err(|error| error.to_string())?;
    check(file.metadata())?;
    Ok(file)
}
