//! What this machine knows of keys that were made for a while: a file for each lease, made before its key is, and which
//! keys somebody has acknowledged. No secret is in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use keymux::rotation::StampPlace;
use keymux::{AccountName, KeyAddress, KeyRef, ProviderId, Scope, WorkUnit};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::locked;

/// The version of the files.
const VERSION: u32 = 1;

/// What stands around the id in the name of a lease's file.
const LEASE: (&str, &str) = ("lease-", ".json");

/// The file with the keys that were acknowledged.
const ACKNOWLEDGED: &str = "acknowledged.ndjson";

/// A key that is made for as long as a command runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    version: u32,
    /// The id, which is that of the stamp too.
    pub(crate) id: String,
    pub(crate) account: AccountName,
    pub(crate) provider: ProviderId,
    #[serde(default)]
    pub(crate) scope: Scope,
    pub(crate) name: Option<String>,
    pub(crate) stamp: StampPlace,
    /// When its request was about to be sent.
    pub(crate) since: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    /// Where the key is; `None`: no answer has told.
    pub(crate) address: Option<KeyAddress>,
    /// Who made it.
    pub(crate) pid: u32,
    pub(crate) host: Option<String>,
}

impl Lease {
    pub(crate) fn new(
        id: String,
        account: AccountName,
        provider: ProviderId,
        stamp: StampPlace,
        key: &keymux::NewKey,
    ) -> Self {
        Self {
            version: VERSION,
            id,
            account,
            provider,
            scope: key.scope.clone(),
            name: key.name.clone(),
            stamp,
            since: Timestamp::now(),
            expires_at: key.expires_at,
            address: None,
            pid: std::process::id(),
            host: crate::trail::host(),
        }
    }

    pub(crate) fn key(&self) -> Option<KeyRef> {
        self.address.clone().map(|address| KeyRef::new(self.account.clone(), address))
    }

    pub(crate) fn unit(&self) -> WorkUnit {
        WorkUnit::new(self.account.clone(), self.scope.clone())
    }
}

/// The folder: `$XDG_STATE_HOME/keymux`, else `~/.local/state/keymux`, on Windows `%LOCALAPPDATA%\keymux`.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

/// A lease that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// The run that made it goes on.
    pub(crate) runs: bool,
    pub(crate) lease: Lease,
}

impl State {
    pub(crate) fn locate() -> Result<Self, Failure> {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let below_home = || Some(folder("HOME")?.join(".local/state"));
        let found = if cfg!(windows) { folder("LOCALAPPDATA") } else { folder("XDG_STATE_HOME").or_else(below_home) };
        let found = found.map(|folder| Self { folder: folder.join("keymux") });
        found.ok_or_else(|| {
            Failure::Usage(
                "there is no folder for what must outlast a crash; set HOME, or XDG_STATE_HOME to an absolute path"
                    .to_owned(),
            )
        })
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::Io(format!("keeping the state in {}", self.folder.display()), error)
    }

    /// Makes the folder, which its owner alone may enter.
    fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            let mode = fs::metadata(&self.folder)?.permissions().mode();
            if mode & 0o077 != 0 {
                fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?;
            }
        }
        locked::flush_folder(&self.folder);
        Ok(())
    }

    /// Writes a lease before its key is made, and holds its file for as long as this run goes on.
    pub(crate) fn begin(&self, lease: Lease) -> Result<LeaseFile, Failure> {
        let path = self.folder.join(format!("{}{}{}", LEASE.0, lease.id, LEASE.1));
        let begin = || {
            self.make()?;
            let mut file = locked::make(&path)?;
            locked::lock(&file)?;
            if !path.exists() {
                // Whoever looked before it was locked took it for a leftover.
                file = locked::make(&path)?;
                locked::lock(&file)?;
            }
            let mut begun = LeaseFile { file, path: path.clone(), lease };
            match begun.write() {
                Ok(()) => Ok(begun),
                Err(error) => {
                    begun.remove();
                    Err(error)
                }
            }
        };
        begin().map_err(|error| self.failed(error))
    }

    /// Every lease, with those that still run, and the files that cannot be read. An empty one is of a run that sent
    /// nothing.
    pub(crate) fn leases(&self) -> Result<(Vec<Found>, Vec<PathBuf>), Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
            entries => entries.map_err(|error| self.failed(error))?,
        };
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !(name.starts_with(LEASE.0) && name.ends_with(LEASE.1)) {
                continue;
            }
            match read(&path) {
                Ok((runs, Some(lease))) => found.push(Found { path, runs, lease }),
                Ok((false, None)) => drop(fs::remove_file(&path)),
                // It is about to be written, or is gone meanwhile.
                Ok((true, None)) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => unreadable.push(path),
            }
        }
        found.sort_by_key(|found| found.lease.since);
        unreadable.sort();
        Ok((found, unreadable))
    }

    /// Forgets the leases of a key that is ended or acknowledged, unless their runs go on.
    pub(crate) fn settle(&self, key: &KeyRef) -> Result<usize, Failure> {
        let settled =
            self.leases()?.0.into_iter().filter(|found| !found.runs && found.lease.key().as_ref() == Some(key));
        let settled: Vec<Found> = settled.collect();
        for found in &settled {
            fs::remove_file(&found.path).map_err(|error| self.failed(error))?;
        }
        Ok(settled.len())
    }

    /// What was acknowledged: references of keys, and ids of leases.
    pub(crate) fn acknowledged(&self) -> Result<BTreeSet<String>, Failure> {
        let file = match File::open(self.folder.join(ACKNOWLEDGED)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            file => file.map_err(|error| self.failed(error))?,
        };
        let lines: Vec<String> =
            BufReader::new(file).lines().collect::<Result<_, _>>().map_err(|error| self.failed(error))?;
        let of = |line: &String| serde_json::from_str::<Acknowledged>(line).ok().map(|line| line.what);
        Ok(lines.iter().filter_map(of).collect())
    }

    /// Keeps that a key is known to somebody: by its reference, or by the id of its lease.
    pub(crate) fn acknowledge(&self, what: &str, reason: Option<&str>) -> Result<(), Failure> {
        let line = Acknowledged { what: what.to_owned(), at: Timestamp::now(), reason: reason.map(str::to_owned) };
        let append = || {
            self.make()?;
            let path = self.folder.join(ACKNOWLEDGED);
            let mut file = if path.exists() {
                locked::open(&path)?
            } else {
                locked::make(&path).or_else(|_| locked::open(&path))?
            };
            locked::lock(&file)?;
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_all()
        };
        append().map_err(|error| self.failed(error))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Acknowledged {
    what: String,
    at: Timestamp,
    reason: Option<String>,
}

/// Whether the run of a lease goes on, and the newest whole line of its file.
fn read(path: &Path) -> io::Result<(bool, Option<Lease>)> {
    let file = File::open(path)?;
    let runs = locked::is_held(&file);
    let mut newest = None;
    let mut text = Vec::new();
    let mut reader = BufReader::new(file);
    while reader.read_until(b'\n', &mut text)? > 0 {
        // Half a line is the end of a run that was killed; what stands before it counts.
        if text.ends_with(b"\n") {
            let lease: Lease = serde_json::from_slice(&text)?;
            if lease.version != VERSION {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "another version"));
            }
            newest = Some(lease);
        }
        text.clear();
    }
    Ok((runs, newest))
}

/// The file of a lease: a line for each thing that became known, the newest last.
#[derive(Debug)]
pub(crate) struct LeaseFile {
    file: File,
    path: PathBuf,
    lease: Lease,
}

impl LeaseFile {
    /// Writes where the key is.
    pub(crate) fn made(&mut self, address: KeyAddress) -> io::Result<()> {
        self.lease.address = Some(address);
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut line = serde_json::to_vec(&self.lease)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_all()
    }

    /// There is nothing left to find.
    pub(crate) fn remove(self) {
        // Where it cannot be removed, `keymux orphans` finds that the key is gone.
        let _ = fs::remove_file(&self.path);
        locked::flush_folder(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(name: &str) -> State {
        let folder = std::env::temp_dir().join(format!("keymux-state-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        State { folder }
    }

    fn lease(id: &str) -> Lease {
        let key = keymux::NewKey::default().with_name("nightly");
        let (account, provider) = (AccountName::new("a").unwrap(), ProviderId::new("acme"));
        Lease::new(id.to_owned(), account, provider, StampPlace::Name, &key)
    }

    #[test]
    fn a_lease_is_found_with_its_address_and_is_an_orphan_once_its_run_is_over() {
        let state = state("found");
        let mut file = state.begin(lease("1")).unwrap();
        let address = KeyAddress::new(["k1"]).unwrap();
        file.made(address.clone()).unwrap();
        let (found, _) = state.leases().unwrap();
        assert_eq!((found[0].runs, &found[0].lease.address), (cfg!(unix), &Some(address)));
        drop(file);
        let (found, _) = state.leases().unwrap();
        assert!(!found[0].runs);
        let key = found[0].lease.key().unwrap();
        assert_eq!((state.settle(&key).unwrap(), state.leases().unwrap().0.len()), (1, 0));
        fs::remove_dir_all(&state.folder).unwrap();
    }

    #[test]
    fn a_run_that_was_killed_while_it_wrote_leaves_what_stood_before_and_nothing_if_nothing_did() {
        let state = state("killed");
        drop(state.begin(lease("1")).unwrap());
        let path = state.folder.join("lease-1.json");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], &whole[..20]].concat()).unwrap();
        assert_eq!(state.leases().unwrap().0[0].lease.address, None);
        for nothing in [&b""[..], &whole[..20]] {
            fs::write(&path, nothing).unwrap();
            let (found, unreadable) = state.leases().unwrap();
            assert!(found.is_empty() && unreadable.is_empty() && !path.exists());
        }
        fs::write(&path, "{}\n").unwrap();
        assert_eq!(state.leases().unwrap().1, [path]);
        fs::remove_dir_all(&state.folder).unwrap();
    }

    #[test]
    fn what_was_acknowledged_is_remembered() {
        let state = state("acknowledged");
        assert!(state.acknowledged().unwrap().is_empty());
        for key in ["a:1", "a:2"] {
            state.acknowledge(key, Some("mine")).unwrap();
        }
        assert_eq!(state.acknowledged().unwrap().into_iter().collect::<Vec<_>>(), ["a:1", "a:2"]);
        fs::remove_dir_all(&state.folder).unwrap();
    }
}
