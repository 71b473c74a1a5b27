//! Reads every key of every account, shows how far each is, and ends with the table of what is known of completeness.
//!
//! ```text
//! cargo run --example inventory                     # stand-ins on loopback: no account, no network
//! BASETEN_API_KEY=… cargo run --example inventory
//! ```
//!
//! With at least one credential in the environment the real vendors are asked. How far each account is goes to standard
//! error: on a terminal as lines that are kept up to date, else once at the end; the table goes to standard output. The
//! exit status is 0 if everything was read that the vendors list, 1 if something failed, and 2 if nothing was asked.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program prints its result")]

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use keymux::{AccountProgress, ClientOptions, Keymux, baseten, braintrust, datkey, mielto, oneloop};
use keymux_emulator::Emulator;

#[tokio::main]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let options = ClientOptions::new().with_application("keymux-inventory")?;
    let real = Keymux::builder().with_env(&options)?.build()?;
    if real.accounts().len() > 0 {
        return read_everything(&real).await;
    }
    println!("No credential is set: asking stand-ins of the vendors on loopback.\n");
    let emulator = Emulator::start().await?;
    read_everything(&stand_ins(&emulator)?).await
}

async fn read_everything(keymux: &Keymux) -> Result<ExitCode, Box<dyn Error>> {
    let mut keys = keymux.inventory().stream()?;
    let mut lines = Lines::default();
    loop {
        // The lines move on even while no key comes; a `next` that is dropped loses nothing.
        match tokio::time::timeout(Duration::from_millis(200), keys.next()).await {
            Ok(Some(Ok(_record))) => {}
            // What is missing is told below, with everything else.
            Ok(Some(Err(_)) | None) => break,
            Err(_elapsed) => {}
        }
        lines.show(&keys.progress());
    }
    lines.end(&keys.progress());
    let completeness = keys.completeness();
    println!("{completeness}");
    Ok(if completeness.failures().next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A line for each account on standard error. On a terminal they are written over, ten times a second at most.
#[derive(Default)]
struct Lines {
    written: usize,
    last: Option<std::time::Instant>,
}

impl Lines {
    fn show(&mut self, accounts: &[AccountProgress]) {
        let due = self.last.is_none_or(|last| last.elapsed() >= Duration::from_millis(100));
        if due && std::io::stderr().is_terminal() {
            self.write(accounts);
            self.last = Some(std::time::Instant::now());
        }
    }

    fn end(&mut self, accounts: &[AccountProgress]) {
        self.write(accounts);
        eprintln!();
    }

    fn write(&mut self, accounts: &[AccountProgress]) {
        if self.written > 0 {
            // Up to the first of the lines.
            eprint!("\x1b[{}A", self.written);
        }
        for account in accounts {
            // The rest of a longer line goes.
            eprintln!("{account}{}", if self.last.is_some() { "\x1b[K" } else { "" });
        }
        self.written = accounts.len();
    }
}

/// An account at each stand-in.
fn stand_ins(emulator: &Emulator) -> Result<Keymux, keymux::Error> {
    let [baseten, braintrust, mielto, datkey, oneloop] =
        [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()];
    Keymux::builder()
        .with_provider(baseten::Config::new(baseten.credential()).with_base_url(baseten.base_url()).build()?)
        .with_provider(braintrust::Config::new(braintrust.credential()).with_base_url(braintrust.base_url()).build()?)
        .with_provider(mielto::Config::new(mielto.credential()).with_base_url(mielto.base_url()).build()?)
        .with_provider(datkey::Config::new(datkey.credential()).with_base_url(datkey.base_url()).build()?)
        .with_provider(oneloop::Config::new(oneloop.credential()).with_base_url(oneloop.base_url()).build()?)
        .build()
}
