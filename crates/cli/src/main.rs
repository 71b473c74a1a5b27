//! The `keymux` command: API keys at many vendors, from a terminal or a script.
//!
//! Everything that it knows about keys and vendors is the library's. Here are arguments, output and exit statuses.

mod args;
mod ask;
mod commands;
mod console;
mod exit;
mod filter;
mod interrupt;
mod load;
mod output;
mod patience;
mod plaintext;
mod progress;
mod rehearsal;
mod rows;
mod secret_args;
mod secret_out;
mod text;
mod when;

use std::process::ExitCode;

use crate::console::Console;

fn main() -> ExitCode {
    let cli = args::read();
    let console = Console::new(&cli.global);
    let exit = commands::run(cli, &console).unwrap_or_else(|failure| console.fail(&failure));
    exit.into()
}
