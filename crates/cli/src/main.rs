//! The `keymux` command: API keys at many vendors, from a terminal or a script.
//!
//! Everything that it knows about keys and vendors is the library's. Here are arguments, output and exit statuses.

mod args;
mod ask;
mod child;
mod commands;
mod complete;
mod completions;
mod condition;
mod console;
mod dry_run;
mod environment;
mod exit;
mod filter;
mod help;
mod interrupt;
mod lines;
mod load;
mod locked;
mod masked;
mod output;
mod plaintext;
mod progress;
mod random;
mod rotation_state;
mod rows;
mod secret_args;
mod secret_file;
mod secret_out;
mod shutdown;
mod stamp;
mod state;
mod terminal;
mod text;
mod tidy;
mod trail;
mod trailed;
mod when;
mod words;

use std::process::ExitCode;

use crate::console::Console;

fn main() -> ExitCode {
    without_core_dump();
    completions::answer();
    match help::topic() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(failure) => return failure.exit().into(),
    }
    let cli = help::read();
    let console = Console::new(&cli.global);
    let exit = commands::run(cli, &console).unwrap_or_else(|failure| console.fail(&failure));
    exit.into()
}

/// A crash leaves no file with what was in memory.
fn without_core_dump() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};

        // Lowering a limit is always allowed.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
