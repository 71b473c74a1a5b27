//! The exit statuses, and which of them a failure has.

use std::fmt;
use std::io;
use std::process::ExitCode;

use keymux::{Error, ErrorKind};

use crate::words;

/// What a run of the program came to. The numbers are promised in `docs/exit-statuses.md`, whose words the help has too.
/// 9 and 10 are kept for audits and comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success,
    Failure,
    Usage,
    Partial,
    NotFound,
    Denied,
    RateLimited,
    OutcomeUnknown,
    Refused,
    HungUp,
    Interrupted,
    Quit,
    Terminated,
    /// The status of the command that was run.
    Of(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::NotFound => 4,
            Self::Denied => 5,
            Self::RateLimited => 6,
            Self::OutcomeUnknown => 7,
            Self::Refused => 8,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Quit => 131,
            Self::Terminated => 143,
            Self::Of(number) => number,
        }
    }

    /// Whether a signal ended the run.
    pub(crate) fn is_signal(self) -> bool {
        matches!(self, Self::HungUp | Self::Interrupted | Self::Quit | Self::Terminated)
    }

    /// This one, or partial if all seemed well and something is lacking.
    pub(crate) fn or_partial(self, lacks: bool) -> Self {
        if lacks && self == Self::Success { Self::Partial } else { self }
    }

    /// The status of one call that failed. A call that was refused before anything was sent is wrong usage.
    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage,
            ErrorKind::InvalidRequest if error.attempts() == 0 => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::OutcomeUnknown => Self::OutcomeUnknown,
            _ => Self::Failure,
        }
    }
}

/// The status of many calls: that of all failures if they are alike and nothing came, else partial or a plain failure.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    came: bool,
    failed: Option<Exit>,
}

impl Tally {
    pub(crate) fn success(&mut self) {
        self.came = true;
    }

    pub(crate) fn failure(&mut self, error: &Error) {
        self.failed(Exit::of(error));
    }

    /// A call that ended with this status of its own.
    pub(crate) fn failed(&mut self, exit: Exit) {
        self.failed = Some(match self.failed {
            Some(before) if before != exit => Exit::Failure,
            _ => exit,
        });
    }

    pub(crate) fn exit(&self) -> Exit {
        match (self.came, self.failed) {
            (_, None) => Exit::Success,
            (true, Some(_)) => Exit::Partial,
            (false, Some(exit)) => exit,
        }
    }
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for cannot be meant; the text says how to mend it.
    Usage(String),
    /// A call failed.
    Call(Error),
    /// A call failed that changes something, with a status of its own.
    Change(Exit, Error),
    /// A signal, with its status.
    Interrupted(Exit),
    /// A plaintext that no vendor shows again is not where it should be; the text says what to do.
    Lost(String),
    /// Reading or writing failed; the text says of what.
    Io(String, io::Error),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Call(error) => Exit::of(error),
            // Whoever read the output has seen enough.
            Self::Io(_, error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
            Self::Change(exit, _) | Self::Interrupted(exit) => *exit,
            Self::Lost(_) | Self::Io(..) => Exit::Failure,
        }
    }

    /// An error of writing to standard output.
    pub(crate) fn output(error: io::Error) -> Self {
        Self::Io("writing to standard output".to_owned(), error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Lost(text) => f.write_str(text),
            Self::Interrupted(_) => f.write_str("interrupted"),
            Self::Call(error) | Self::Change(_, error) => words::report(error).fmt(f),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: ErrorKind) -> Error {
        Error::new(kind).with_attempts(1)
    }

    #[test]
    fn every_kind_of_error_has_its_exit_status() {
        let table = [
            (ErrorKind::NotFound, 4),
            (ErrorKind::PermissionDenied, 5),
            (ErrorKind::Unauthenticated, 5),
            (ErrorKind::InvalidRequest, 1),
            (ErrorKind::Conflict, 1),
            (ErrorKind::RateLimited, 6),
            (ErrorKind::QuotaExhausted, 1),
            (ErrorKind::Unsupported, 1),
            (ErrorKind::OutcomeUnknown, 7),
            (ErrorKind::Timeout, 1),
            (ErrorKind::Connect, 1),
            (ErrorKind::Transport, 1),
            (ErrorKind::Decode, 1),
            (ErrorKind::TooLarge, 1),
            (ErrorKind::Redirected, 1),
            (ErrorKind::Server, 1),
            (ErrorKind::Config, 2),
        ];
        for (kind, status) in table {
            assert_eq!(Exit::of(&sent(kind)).number(), status, "{kind:?}");
        }
        assert_eq!(Exit::of(&Error::new(ErrorKind::InvalidRequest)), Exit::Usage, "refused before anything was sent");
    }

    #[test]
    fn many_calls_have_the_status_of_alike_failures_and_are_partial_once_something_came() {
        use ErrorKind::{NotFound, PermissionDenied, Unauthenticated};
        let table: &[(bool, &[ErrorKind], Exit)] = &[
            (true, &[], Exit::Success),
            (false, &[], Exit::Success),
            (true, &[NotFound], Exit::Partial),
            (false, &[NotFound, NotFound], Exit::NotFound),
            (false, &[Unauthenticated, PermissionDenied], Exit::Denied),
            (false, &[NotFound, Unauthenticated], Exit::Failure),
            (false, &[NotFound, Unauthenticated, NotFound], Exit::Failure),
        ];
        for (came, kinds, exit) in table {
            let mut tally = Tally { came: *came, failed: None };
            kinds.iter().for_each(|&kind| tally.failure(&sent(kind)));
            assert_eq!(tally.exit(), *exit, "{came} {kinds:?}");
        }
    }
}
