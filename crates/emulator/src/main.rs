//! Serves the five vendors on loopback until it is stopped.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use keymux_emulator::{Builder, Emulator, serve};

/// Stand-ins of Baseten, Braintrust, Mielto, Datkey and Oneloop on loopback.
///
/// Prints the environment variables that point Keymux, or anything else that reads them, at the stand-ins, and serves
/// until Ctrl-C:
///
///   keymux-emulator > vendors.env &
///   . ./vendors.env
#[derive(Debug, Parser)]
#[command(name = "keymux-emulator", version, verbatim_doc_comment)]
struct Options {
    /// How many keys to generate for each vendor, up to a million [default: a few that are made by hand]
    #[arg(long, value_name = "N")]
    keys: Option<usize>,
    /// Generates other keys with each number
    #[arg(long, value_name = "S", default_value_t = 0, requires = "keys")]
    seed: u64,
    /// The first of five ports that follow each other [default: any that are free]
    #[arg(long, value_name = "BASE", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

impl Options {
    fn builder(&self) -> Builder {
        let mut builder = Emulator::builder().with_seed(self.seed).with_base_port(self.port.unwrap_or(0));
        if let Some(keys) = self.keys {
            builder = builder.with_keys(keys);
        }
        builder
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(Options::parse().builder(), io::stdout(), io::stderr()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, the exit status has to do.
            let _ = writeln!(io::stderr(), "keymux-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}
