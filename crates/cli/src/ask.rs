//! Questions to a person at a terminal.

use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::text::printable;

/// Asks before something that cannot be undone. Without a terminal it is refused: `yes` is the argument to give.
pub(crate) fn must_be_able(console: &Console) -> Result<(), Failure> {
    if console.can_ask() {
        return Ok(());
    }
    let why = if console.is_quiet() { "--quiet asks nothing" } else { "there is no terminal to ask on" };
    Err(Failure::Usage(format!("{why}; add --yes to do it without a question")))
}

/// Whether the answer is yes. Everything else, the end of the input too, is no.
pub(crate) async fn confirm(question: &str) -> Result<bool, Failure> {
    prompt(&format!("{question} [y/N] "))?;
    let mut line = line().await?;
    line.make_ascii_lowercase();
    Ok(matches!(line.trim_ascii(), b"y" | b"yes"))
}

/// A line that is not shown while it is typed.
pub(crate) async fn hidden(question: &str, console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if !console.can_ask() {
        return Err(Failure::Usage("a key typed at this terminal would be shown; use --key-file or a pipe".to_owned()));
    }
    let silence = Silence::new().map_err(|error| Failure::Io("hiding what is typed".to_owned(), error))?;
    prompt(question)?;
    let line = line().await;
    drop(silence);
    let _ = writeln!(io::stderr());
    line
}

fn prompt(text: &str) -> Result<(), Failure> {
    let mut stderr = io::stderr().lock();
    let written = write!(stderr, "{}", printable(text)).and_then(|()| stderr.flush());
    written.map_err(|error| Failure::Io("asking on standard error".to_owned(), error))
}

/// Reads a line on a thread of its own, so that Ctrl-C is heard meanwhile.
async fn line() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = tokio::task::spawn_blocking(|| {
        use io::BufRead;
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        io::stdin().lock().read_until(b'\n', &mut line).map(|_| line)
    });
    let Some(read) = Interrupt::listen().or(read).await else {
        let _ = writeln!(io::stderr());
        return Err(Failure::Interrupted(Exit::Interrupted));
    };
    let read = read.map_err(io::Error::from).and_then(|line| line);
    read.map_err(|error| Failure::Io("reading standard input".to_owned(), error))
}

/// While it lives, the terminal does not show what is typed.
#[cfg(unix)]
struct Silence(rustix::termios::Termios);

#[cfg(unix)]
impl Silence {
    fn new() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to set back.
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, &self.0);
    }
}

#[cfg(not(unix))]
struct Silence;

#[cfg(not(unix))]
impl Silence {
    fn new() -> io::Result<Self> {
        Err(io::Error::other("not on this platform; use --key-file or a pipe"))
    }
}
