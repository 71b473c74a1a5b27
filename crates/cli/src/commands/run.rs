//! `keymux run`: a key for one command. It is made before, in the command's environment alone, and revoked after.

use std::ffi::OsStr;
use std::io;
use std::process::ExitStatus;
use std::time::Instant;

use keymux::rotation::{Stamp, StampPlace};
use keymux::{Error, ErrorKind, ExposeSecret, IssuedKey, KeyRef, Keymux, NewKey, Operation, Parameter};
use tokio::process::{Child, Command};

use crate::args::RunArgs;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure};
use crate::interrupt::{Handed, TOGETHER};
use crate::load::Loader;
use crate::random;
use crate::shutdown::{self, ShutdownGuard};
use crate::stamp::{self, StampArg};
use crate::state::{Lease, LeaseFile, State};

use super::new_key::key_in;

/// The name of a key that is given none, where the vendor takes one.
const NAME: &str = "keymux run";

/// What a shell ends with that cannot run a command, or does not find it.
const CANNOT_RUN: Exit = Exit::Of(126);
const NOT_FOUND: Exit = Exit::Of(127);

pub(super) async fn run(loader: &Loader<'_>, args: RunArgs, console: &Console) -> Result<Exit, Failure> {
    let (account, mut key) = key_in(&args.create, args.key)?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::Usage("name the command after `--`".to_owned()));
    };
    if key.enabled == Some(false) {
        return Err(Failure::Usage("--disabled makes a key that the command could not use; leave it out".to_owned()));
    }
    let id = random::digits();
    if args.dry_run.dry_run {
        let (mut dry_run, transport) = DryRun::new(None);
        let keymux = loader.through(transport).of([&account]).await?;
        let provider = keymux.account(&account)?.info();
        stamped(&mut key, provider, args.stamp, &id);
        let request = dry_run.request((&account, provider.id()), keymux.create(&account, &key)).await?;
        return super::show_request(request, console);
    }
    if !is_there(program) {
        console.failed(&format!("{}: there is no such command; no key is made", program.to_string_lossy()));
        return Ok(NOT_FOUND);
    }
    let keymux = loader.of([&account]).await?;
    let provider = keymux.account(&account)?.info();
    for operation in [Operation::Create, Operation::Revoke] {
        if !provider.capabilities().is_native(operation) {
            return Err(provider.unsupported(operation).with_account(account).into());
        }
    }
    let place = stamped(&mut key, provider, args.stamp, &id);
    let lease = Lease::new(id, account.clone(), provider.id().clone(), place, &key);
    // Nothing but these ends this process before the key is given back, save what nobody can hear.
    let mut others = Others::hear();
    let guard = ShutdownGuard::begin();
    let mut lease = State::locate()?.begin(lease)?;

    let call = keymux.create(&account, &key);
    let made = super::see_through(&guard, call, "whether there is a new key", console).await;
    let look = super::look_in(&keymux, &account, &key.scope);
    let issued = match shutdown::made(made, look.as_deref()) {
        Ok(issued) => issued,
        Err(failure) => {
            if may_be_made(&failure) {
                console.failed(&format!("if a key was made, `keymux orphans {account}` shows it"));
            } else {
                lease.remove();
            }
            return Err(failure);
        }
    };
    let mut handed = Handed::begin();
    let Some(key) = issued.key_ref() else {
        // Its plaintext is dropped here, and the state stays.
        let find_out = issued.find_out.as_deref().unwrap_or_default();
        console.failed(&format!(
            "a key is made that could not be revoked, since the vendor did not tell its address; the command is not run. Find \
             it: {find_out}, or `keymux orphans {account}`"
        ));
        return Ok(Exit::OutcomeUnknown);
    };
    if let Err(error) = lease.made(key.address().clone()) {
        give_back(&keymux, &key, lease, &mut handed, console).await;
        return Err(Failure::Io(format!("keeping that {key} is made; the command is not run"), error));
    }
    if guard.was_heard() {
        console.note("keymux: interrupted; the command is not run");
        give_back(&keymux, &key, lease, &mut handed, console).await;
        return Ok(guard.exit());
    }
    console.note(&format!("keymux: {key} is made for this command"));
    let started = start(program, arguments, &args.env, &issued);
    // It is the command's alone.
    drop(issued);
    let ran = match started {
        Ok(mut child) => Ok(see(&mut child, &mut handed, &mut others).await),
        Err(error) => Err(error),
    };
    let given_back = give_back(&keymux, &key, lease, &mut handed, console).await;
    let exit = match ran {
        Ok(Ok(status)) => status_of(status),
        Ok(Err(error)) => return Err(Failure::Io("waiting for the command".to_owned(), error)),
        Err(error) => {
            console.failed(&format!("{}: {error}", program.to_string_lossy()));
            if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN }
        }
    };
    Ok(if exit == Exit::Success && !given_back { Exit::Partial } else { exit })
}

/// Sets the stamp, and a name where the vendor takes one and none is given.
fn stamped(key: &mut NewKey, info: &keymux::ProviderInfo, asked: Option<StampArg>, id: &str) -> StampPlace {
    if key.name.is_none() && info.capabilities().takes(Operation::Create, Parameter::Name).is_some() {
        key.name = Some(NAME.to_owned());
    }
    let place = asked.map_or_else(|| stamp::place(info), StampPlace::from);
    *key = Stamp::new(id, place).mark(key);
    place
}

/// Whether a key may have been made by a call that failed.
fn may_be_made(failure: &Failure) -> bool {
    match failure {
        Failure::Call(error) | Failure::Change(_, error) => {
            error.kind() == ErrorKind::OutcomeUnknown || shutdown::is_unknown(error)
        }
        _ => false,
    }
}

/// Starts the command with the plaintext in its environment.
fn start(program: &OsStr, arguments: &[std::ffi::OsString], variable: &str, issued: &IssuedKey) -> io::Result<Child> {
    Command::new(program).args(arguments).env(variable, issued.plaintext.expose_secret()).spawn()
}

/// Waits for the command, and passes signals on to it.
async fn see(child: &mut Child, handed: &mut Handed, others: &mut Others) -> io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            biased;
            status = child.wait() => return status,
            exit = handed.next() => Signal::of(exit),
            signal = others.next() => Some(signal),
        };
        if let (Some(signal), Some(id)) = (signal, child.id()) {
            signal.pass_on(id);
        }
    }
}

/// Revokes the key, and tells whether that is done. A second signal gives it up.
async fn give_back(keymux: &Keymux, key: &KeyRef, lease: LeaseFile, handed: &mut Handed, console: &Console) -> bool {
    let mut call = std::pin::pin!(keymux.revoke(key));
    handed.drain();
    // What comes right after the end of the command was meant for it.
    let (mut last, mut heard) = (Instant::now(), false);
    let result = loop {
        tokio::select! {
            biased;
            result = &mut call => break Some(result),
            _ = handed.next() => {
                let now = Instant::now();
                if now.duration_since(last) < TOGETHER {
                    continue;
                }
                if std::mem::replace(&mut heard, true) {
                    break None;
                }
                last = now;
                console.note("keymux: the key is being revoked; another signal leaves it as it is");
            }
        }
    };
    let failed = match result {
        Some(Ok(_)) => None,
        Some(Err(error)) if is_gone(&error) => None,
        Some(Err(error)) => {
            console.error(Some(&key.to_string()), &error);
            Some("was not revoked")
        }
        None => Some("may not be revoked: the answer was not waited for"),
    };
    let Some(what) = failed else {
        lease.remove();
        return true;
    };
    console.failed(&format!(
        "{key} {what}, and may still work; end it with `keymux revoke {key}`. `keymux orphans` shows it until then"
    ));
    false
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.attempts() > 0
}

#[cfg(unix)]
fn status_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;

    let number = status.code().or_else(|| Some(128 + status.signal()?));
    match number.and_then(|number| u8::try_from(number).ok()) {
        Some(0) => Exit::Success,
        Some(number) => Exit::Of(number),
        None => Exit::Failure,
    }
}

#[cfg(not(unix))]
fn status_of(status: ExitStatus) -> Exit {
    match status.code() {
        Some(0) => Exit::Success,
        // What does not fit is a failure too.
        code => Exit::Of(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
    }
}

/// Whether there is a file of this name where commands are looked for. Whether it can be run shows when it is.
fn is_there(program: &OsStr) -> bool {
    let path = std::path::Path::new(program);
    if cfg!(windows) || path.components().count() > 1 || path.is_absolute() {
        return cfg!(windows) || path.exists();
    }
    let folders = std::env::var_os("PATH");
    // Without the variable the system has folders of its own.
    folders.is_none_or(|folders| std::env::split_paths(&folders).any(|folder| folder.join(path).is_file()))
}

#[cfg(unix)]
use unix::{Others, Signal};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::future::pending;

    use rustix::process::{Pid, Signal as Number, getpgrp, kill_process};
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use crate::exit::Exit;
    use crate::interrupt::is_ignored;

    /// A signal that is passed on.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Signal(Number);

    impl Signal {
        /// The signal that is heard with this status, if the command has not had it already.
        pub(super) fn of(exit: Exit) -> Option<Self> {
            let number = match exit {
                Exit::Interrupted => Number::INT,
                Exit::Quit => Number::QUIT,
                Exit::HungUp => Number::HUP,
                _ => Number::TERM,
            };
            let by_keyboard = matches!(exit, Exit::Interrupted | Exit::Quit);
            (!by_keyboard || !is_in_front()).then_some(Self(number))
        }

        /// Where the process is gone, there is nobody to have it.
        pub(super) fn pass_on(self, id: u32) {
            if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, self.0);
            }
        }
    }

    /// Whether what is typed at the terminal reaches this process and the command alike.
    fn is_in_front() -> bool {
        let front = File::open("/dev/tty").ok().and_then(|terminal| rustix::termios::tcgetpgrp(&terminal).ok());
        front == Some(getpgrp())
    }

    /// Signals that would end this process, and that mean nothing to it.
    #[derive(Debug)]
    pub(super) struct Others(Vec<(Number, Stream)>);

    impl Others {
        pub(super) fn hear() -> Self {
            let all = [(Number::USR1, SignalKind::user_defined1()), (Number::USR2, SignalKind::user_defined2())];
            let heard = all.into_iter().filter(|(_, kind)| !is_ignored(kind.as_raw_value()));
            Self(heard.filter_map(|(number, kind)| Some((number, signal(kind).ok()?))).collect())
        }

        pub(super) async fn next(&mut self) -> Signal {
            let (mut one, mut two) = {
                let mut all = self.0.iter_mut();
                (all.next(), all.next())
            };
            let hear = async |heard: &mut Option<&mut (Number, Stream)>| match heard {
                Some((number, stream)) => {
                    stream.recv().await;
                    Signal(*number)
                }
                None => pending().await,
            };
            tokio::select! {
                signal = hear(&mut one) => signal,
                signal = hear(&mut two) => signal,
            }
        }
    }
}

#[cfg(not(unix))]
use elsewhere::{Others, Signal};

#[cfg(not(unix))]
mod elsewhere {
    use crate::exit::Exit;

    /// The console has sent it to the command already.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Signal;

    impl Signal {
        pub(super) fn of(_exit: Exit) -> Option<Self> {
            None
        }

        pub(super) fn pass_on(self, _id: u32) {}
    }

    #[derive(Debug)]
    pub(super) struct Others;

    impl Others {
        pub(super) fn hear() -> Self {
            Self
        }

        pub(super) async fn next(&mut self) -> Signal {
            std::future::pending().await
        }
    }
}
