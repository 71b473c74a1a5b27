//! The `keymux` command: API keys at many vendors, from a terminal or a script.
//!
//! Everything that it knows about keys and vendors is the library's. Here are arguments, output and exit statuses.

mod args;
mod ask;
mod child;
mod commands;
mod console;
mod exit;
mod filter;
mod interrupt;
mod lines;
mod load;
mod output;
mod patience;
mod plaintext;
mod progress;
mod rehearsal;
mod rotation_state;
mod rows;
mod secret_args;
mod secret_file;
mod secret_out;
mod terminal;
mod text;
mod tidy;
mod when;

use std::process::ExitCode;

use crate::console::Console;

fn main() -> ExitCode {
    without_core_dump();
    let cli = args::read();
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
