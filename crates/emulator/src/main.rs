//! Serves the five vendors on loopback until it is stopped.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use keymux_emulator::{Builder, Emulator, FaultPlan, RateLimit, serve};

/// Stand-ins of Baseten, Braintrust, Mielto, Datkey and Oneloop on loopback.
///
/// Prints the environment variables that point Keymux, or anything else that
/// reads them, at the stand-ins, and serves until Ctrl-C:
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
    /// Answers 429 to more requests than this in a second, for each operation and credential [default: no limit]
    #[arg(long, value_name = "L", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// What goes wrong: a JSON object with a plan for each vendor, such as
    /// {"datkey": {"rules": [{"pick": {"every": 3}, "fault": {"answer": {"status": 503}}}]}}
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    faults: Option<PathBuf>,
}

impl Options {
    fn builder(&self) -> io::Result<Builder> {
        let mut builder = Emulator::builder().with_seed(self.seed).with_base_port(self.port.unwrap_or(0));
        if let Some(keys) = self.keys {
            builder = builder.with_keys(keys);
        }
        if let Some(limit) = self.limit {
            builder = builder.with_limit(RateLimit::per_second(limit));
        }
        if let Some(file) = &self.faults {
            let wrong = |error: &dyn Display| io::Error::other(format!("{}: {error}", file.display()));
            let text = std::fs::read(file).map_err(|error| wrong(&error))?;
            let plans: BTreeMap<String, FaultPlan> = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
            builder = plans.into_iter().fold(builder, |builder, (vendor, plan)| builder.with_faults(vendor, plan));
        }
        Ok(builder)
    }
}

async fn run(options: &Options) -> io::Result<()> {
    serve(options.builder()?, io::stdout(), io::stderr()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, the exit status has to do.
            let _ = writeln!(io::stderr(), "keymux-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}
