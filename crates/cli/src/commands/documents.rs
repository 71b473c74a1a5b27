//! `keymux completions` and `keymux man`: generated from the description of the arguments.

use std::io::{self, Write};

use clap_complete::Shell;

use crate::exit::{Exit, Failure};

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    print(&crate::completions::script(&shell.to_string())?)
}

/// The pages of the program and of each command, one after another, as `man` shows them.
pub(super) fn man() -> Result<Exit, Failure> {
    let mut command = crate::help::command();
    command.build();
    let mut text = Vec::new();
    let commands = command.get_subcommands().filter(|command| command.get_name() != "help");
    for page in std::iter::once(&command).chain(commands) {
        // A command is known by its whole name, `keymux-get`.
        let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
        clap_mangen::Man::new(page.clone().name(name)).render(&mut text).map_err(Failure::output)?;
    }
    print(&text)
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(Failure::output)?;
    Ok(Exit::Success)
}
