//! Questions to a person at a terminal.

use std::io::{self, Write};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::console::Console;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::{Terminal, hide};
use crate::text::printable;

/// How long an end of the input waits for the signal that explains it: a terminal that hangs up sends both.
const EXPLAINED: Duration = Duration::from_millis(100);

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
    let interrupt = Interrupt::listen();
    let terminal = terminal()?;
    let mut stderr = io::stderr();
    let asked = write!(stderr, "{} [y/N] ", printable(question)).and_then(|()| stderr.flush());
    asked.map_err(|error| Failure::Io("asking on standard error".to_owned(), error))?;
    let mut line = line(terminal, interrupt).await?;
    line.make_ascii_lowercase();
    Ok(matches!(line.trim_ascii(), b"y" | b"yes"))
}

/// A line that is not shown while it is typed.
pub(crate) async fn hidden(question: &str, console: &Console) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if !console.can_ask() {
        return Err(Failure::Usage("a key typed at this terminal would be shown; use --key-file or a pipe".to_owned()));
    }
    // Heard before anything is hidden.
    let interrupt = Interrupt::listen();
    let terminal = terminal()?;
    let hidden =
        hide(&terminal, &printable(question)).map_err(|error| Failure::Io("hiding what is typed".to_owned(), error))?;
    let line = line(terminal, interrupt).await;
    drop(hidden);
    if line.is_ok() {
        let _ = writeln!(io::stderr());
    }
    line
}

fn terminal() -> Result<Terminal, Failure> {
    Terminal::open().map_err(|error| Failure::Io("opening the terminal".to_owned(), error))
}

/// Reads a line on a thread of its own, so that signals are heard meanwhile.
async fn line(terminal: Terminal, mut interrupt: Interrupt) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = interrupt.or(tokio::task::spawn_blocking(move || terminal.line())).await;
    let line = read.map(|read| read.map_err(io::Error::from).and_then(|line| line));
    if !matches!(&line, Some(Ok(line)) if !line.is_empty()) {
        let _ = tokio::time::timeout(EXPLAINED, interrupt.once()).await;
    }
    if interrupt.was_heard() {
        let _ = writeln!(io::stderr());
        return Err(Failure::Interrupted(interrupt.exit()));
    }
    match line {
        Some(line) => line.map_err(|error| Failure::Io("reading from the terminal".to_owned(), error)),
        None => Err(Failure::Interrupted(interrupt.exit())),
    }
}
