//! Standard output and standard error: what they are, and what may be written to the second.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use keymux::Error;

use crate::args::{Format, Global};
use crate::exit::{Exit, Failure};
use crate::terminal::Terminal;
use crate::text::printable;
use crate::{when, words};

/// What the streams are, and how much the user wants to see.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    /// The format that was asked for.
    asked: Option<Format>,
    format: Format,
    color: bool,
    width: Option<u16>,
    terminal: bool,
    quiet: bool,
    verbose: u8,
}

impl Console {
    pub(crate) fn new(global: &Global) -> Self {
        let stdout = io::stdout();
        let console = Self {
            asked: global.output,
            format: Format::Table,
            color: AutoStream::choice(&stdout) != ColorChoice::Never,
            width: terminal_size::terminal_size_of(&stdout).map(|(width, _)| width.0),
            terminal: stdout.is_terminal(),
            quiet: global.quiet,
            verbose: global.verbose,
        };
        console.settled()
    }

    /// A terminal of this width, without colour.
    #[cfg(test)]
    pub(crate) fn of_width(width: u16) -> Self {
        let (asked, format) = (None, Format::Table);
        Self { asked, format, color: false, width: Some(width), terminal: true, quiet: false, verbose: 0 }
    }

    /// The same for what is written to standard error in place of standard output.
    pub(crate) fn on_stderr(&self) -> Self {
        let stderr = io::stderr();
        let console = Self {
            color: AutoStream::choice(&stderr) != ColorChoice::Never,
            width: terminal_size::terminal_size_of(&stderr).map(|(width, _)| width.0),
            terminal: stderr.is_terminal(),
            ..self.clone()
        };
        console.settled()
    }

    /// The format is the one that was asked for, else the one that suits the stream.
    fn settled(self) -> Self {
        let format = self.asked.unwrap_or(if self.terminal { Format::Table } else { Format::Ndjson });
        Self { format, width: self.width.filter(|_| self.terminal), ..self }
    }

    /// The same with another format.
    pub(crate) fn with_format(&self, format: Format) -> Self {
        Self { format, ..self.clone() }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The format that was asked for, else `other`.
    pub(crate) fn format_or(&self, other: Format) -> Format {
        self.asked.unwrap_or(other)
    }

    /// Whether standard output shows colour.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    /// How many characters a line of standard output has, if it is a terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Whether the stream is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether somebody is there who sees a question and can answer it: on the controlling terminal, where standard input
    /// is none.
    pub(crate) fn can_ask(&self) -> bool {
        !self.quiet && io::stderr().is_terminal() && Terminal::open().is_ok()
    }

    /// Whether standard error takes lines that are drawn anew, while `held` says that nothing goes to standard output.
    pub(crate) fn draws(&self, held: bool) -> bool {
        let alone = held || !self.terminal;
        let able = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        alone && able && !self.quiet && self.verbose == 0
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn shows_requests(&self) -> bool {
        self.verbose > 0
    }

    /// Begins to write what is traced to standard error, if it is wanted.
    pub(crate) fn trace(&self) {
        if self.verbose > 1 {
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
                .with_writer(io::stderr)
                .with_ansi(false)
                .init();
        }
    }

    /// Writes a line to standard error, unless notes are not wanted.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            self.line(line);
        }
    }

    /// Writes what failed to standard error, which is always wanted.
    pub(crate) fn failed(&self, what: &str) {
        self.line(&format!("keymux: {what}"));
    }

    /// The same with what it is about, a line each.
    pub(crate) fn failed_for(&self, what: &str, about: impl IntoIterator<Item = String>) {
        self.failed(what);
        about.into_iter().for_each(|line| self.line(&line));
    }

    #[expect(clippy::unused_self, reason = "what may be written is decided here alone")]
    fn line(&self, line: &str) {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{}", printable(line));
    }

    /// Writes why a call failed, in one line, with the instant at which a vendor may be asked again.
    pub(crate) fn error(&self, about: Option<&str>, error: &Error) {
        let text = words::report(error).to_string();
        let named = |about: &&str| text.strip_prefix(*about).is_some_and(|rest| rest.starts_with([' ', ':']));
        // What the error begins with needs no naming before it.
        let about = about.filter(|about| !named(about)).map(|about| format!("{about}: ")).unwrap_or_default();
        self.failed(&format!("{about}{text}{}", until(error.retry_after(), Timestamp::now())));
    }

    /// Tells why the command ends early. A reader that went away needs no telling.
    pub(crate) fn fail(&self, failure: &Failure) -> Exit {
        match failure {
            Failure::Call(error) | Failure::Change(_, error) => self.error(None, error),
            Failure::Io(_, error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Failure::Usage(_) | Failure::Interrupted(_) | Failure::Lost(_) | Failure::Io(..) => {
                self.failed(&failure.to_string());
            }
        }
        failure.exit()
    }
}

fn until(delay: Option<Duration>, now: Timestamp) -> String {
    let at = delay.and_then(|delay| now.checked_add(delay).ok());
    at.map(|at| format!("; again at {at:.0} ({})", when::relative(at, now))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_wait_is_told_as_an_instant_and_in_words() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(until(Some(Duration::from_secs(90)), now), "; again at 2026-01-31T12:01:30Z (in 1 minute)");
        assert_eq!(until(None, now), "");
    }
}
