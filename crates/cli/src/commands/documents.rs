//! `keymux completions` and `keymux man`: generated from the description of the arguments.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::{Exit, Failure};

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keymux", &mut text);
    print(&text)
}

/// One page with every command, since one file is what `keymux man` can print.
pub(super) fn man() -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let mut text = Vec::new();
    let mut render = |command: clap::Command| clap_mangen::Man::new(command).render(&mut text);
    let rendered = render(command).map_err(Failure::output);
    rendered?;
    print(&text)
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(Failure::output)?;
    Ok(Exit::Success)
}
