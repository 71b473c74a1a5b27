//! The terminal of the person who is asked: what is typed there, and whether it is shown.

use std::fs::File;
use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

/// The longest line that is read from a terminal, in bytes; a terminal gives shorter ones.
const MAX_LINE: usize = 16 * 1024 + 1;

/// Standard input if it is a terminal, else the controlling terminal of the process.
#[derive(Debug)]
pub(crate) struct Terminal(File);

impl Terminal {
    #[cfg(unix)]
    pub(crate) fn open() -> io::Result<Self> {
        use std::os::fd::AsFd;

        let stdin = io::stdin();
        if stdin.is_terminal() {
            return stdin.as_fd().try_clone_to_owned().map(|fd| Self(fd.into()));
        }
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        if terminal.is_terminal() { Ok(Self(terminal)) } else { Err(io::Error::other("/dev/tty is no terminal")) }
    }

    #[cfg(not(unix))]
    pub(crate) fn open() -> io::Result<Self> {
        if !io::stdin().is_terminal() {
            return Err(io::Error::other("standard input is no terminal"));
        }
        File::open("CONIN$").map(Self)
    }

    /// Reads a line, past every buffer that nobody wipes.
    pub(crate) fn line(mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        use io::Read;

        let mut line = Zeroizing::new(vec![0; MAX_LINE]);
        let mut filled = 0;
        while filled < line.len() {
            match self.0.read(&mut line[filled..]) {
                Ok(0) => break,
                Ok(count) => {
                    let end = line[filled..filled + count].iter().position(|byte| *byte == b'\n');
                    filled += end.map_or(count, |end| end + 1);
                    if end.is_some() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        line.truncate(filled);
        Ok(line)
    }
}

#[cfg(unix)]
pub(crate) use hidden::hide;

#[cfg(unix)]
mod hidden {
    use std::fs::File;
    use std::io::{self, Write};
    use std::sync::{Mutex, Once, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{SignalKind, signal};

    use super::Terminal;
    use crate::interrupt::is_ignored;
    use crate::tidy::Undo;

    /// A terminal that does not show what is typed.
    struct Hidden {
        terminal: File,
        before: Termios,
        silent: Termios,
        /// What is asked, without what a terminal obeys.
        question: String,
    }

    /// One question is asked at a time.
    static HIDDEN: Mutex<Option<Hidden>> = Mutex::new(None);

    fn with(act: impl FnOnce(&mut Option<Hidden>)) {
        act(&mut HIDDEN.lock().unwrap_or_else(PoisonError::into_inner));
    }

    impl Hidden {
        fn set(&self, modes: &Termios) -> io::Result<()> {
            // What was typed so far is dropped: half a key is for nobody, a shell least of all.
            Ok(tcsetattr(&self.terminal, OptionalActions::Flush, modes)?)
        }
    }

    /// Asks, and shows nothing of what is typed until what is returned is dropped or the program ends. While the program
    /// is stopped, the terminal is as it was before.
    pub(crate) fn hide(terminal: &Terminal, question: &str) -> io::Result<Undo> {
        watch_stops();
        let before = tcgetattr(&terminal.0)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let hidden = Hidden { terminal: terminal.0.try_clone()?, before, silent, question: question.to_owned() };
        with(|slot| *slot = Some(hidden));
        // There before anything is changed, so that no signal comes between.
        let undo = Undo::new(show);
        let mut done = Ok(());
        with(|slot| done = slot.as_ref().map_or(Ok(()), ask));
        done.map(|()| undo)
    }

    fn ask(hidden: &Hidden) -> io::Result<()> {
        hidden.set(&hidden.silent)?;
        let mut stderr = io::stderr().lock();
        stderr.write_all(hidden.question.as_bytes())?;
        stderr.flush()
    }

    fn show() {
        with(|slot| {
            if let Some(hidden) = slot.take() {
                // Where the terminal is gone there is nothing to set back.
                let _ = hidden.set(&hidden.before);
            }
        });
    }

    /// Stops the program when the terminal asks for it, with the terminal as it was; asks anew when it goes on.
    fn watch_stops() {
        static WATCHED: Once = Once::new();
        let (stop, go_on) = (Signal::TSTP.as_raw(), SignalKind::from_raw(Signal::CONT.as_raw()));
        WATCHED.call_once(|| {
            if is_ignored(stop) {
                return;
            }
            let Ok(mut stops) = signal(SignalKind::from_raw(stop)) else { return };
            tokio::spawn(async move {
                while stops.recv().await.is_some() {
                    let Ok(mut goes_on) = signal(go_on) else { continue };
                    with(|slot| drop(slot.as_ref().map(|hidden| hidden.set(&hidden.before))));
                    if kill_process(getpid(), Signal::STOP).is_ok() {
                        // The stop reaches this thread at some time after the call.
                        goes_on.recv().await;
                    }
                    with(|slot| drop(slot.as_ref().map(ask)));
                }
            });
        });
    }
}

#[cfg(not(unix))]
pub(crate) fn hide(_terminal: &Terminal, _question: &str) -> io::Result<crate::tidy::Undo> {
    Err(io::Error::other("not on this platform; use --key-file or a pipe"))
}
