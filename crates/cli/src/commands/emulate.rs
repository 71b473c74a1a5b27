//! `keymux emulate`: the emulator, until Ctrl-C.

use std::io::{self, Write};

use keymux_emulator::{Emulator, RateLimit};

use crate::args::EmulateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(args: EmulateArgs, console: &Console) -> Result<Exit, Failure> {
    let mut builder = Emulator::builder().with_seed(args.seed).with_base_port(args.port.unwrap_or(0));
    if let Some(keys) = args.keys {
        builder = builder.with_keys(keys);
    }
    if let Some(limit) = args.limit {
        builder = builder.with_limit(RateLimit::per_second(limit));
    }
    let notes: Box<dyn Write> = if console.is_quiet() { Box::new(io::sink()) } else { Box::new(io::stderr()) };
    match keymux_emulator::serve(builder, io::stdout(), notes).await {
        Ok(()) => Ok(Exit::Success),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(Failure::Usage(error.to_string())),
        Err(error) => Err(Failure::Io("serving the stand-ins".to_owned(), error)),
    }
}
