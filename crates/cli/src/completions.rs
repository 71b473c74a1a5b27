//! The script with which a shell asks for completions, and the answer to it.

use clap::Command;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{CompleteEnv, Shells};
use keymux::KeyRecord;

use crate::complete::{fields, filters, providers, sorts};
use crate::exit::Failure;
use crate::help;
use crate::rows::{AccountRow, ProviderRow, Row, ScopeRow};

/// The variable by which the shell asks.
const VARIABLE: &str = "KEYMUX_COMPLETE";

/// Answers a shell that asks, and ends the program then.
pub(crate) fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).bin("keymux").completer("keymux").complete();
}

/// The script with which a shell asks.
pub(crate) fn script(shell: &str) -> Result<Vec<u8>, Failure> {
    let shells = Shells::builtins();
    let shell =
        shells.completer(shell).ok_or_else(|| Failure::Usage(format!("there are no completions for `{shell}`")))?;
    let mut text = Vec::new();
    shell.write_registration(VARIABLE, "keymux", "keymux", "keymux", &mut text).map_err(Failure::output)?;
    Ok(text)
}

/// The arguments with the fields that can stand in them.
fn command() -> Command {
    let mut command = with_fields::<KeyRecord>(help::command(), &["get", "list"]);
    command = with_fields::<ScopeRow>(command, &["scopes"]);
    command = with_fields::<ProviderRow>(command, &["providers"]);
    command = with_fields::<AccountRow>(command, &["accounts"]);
    command = command.mut_subcommand("accounts", |command| {
        let command = with_fields::<AccountRow>(command, &["check"]);
        command.mut_subcommand("add", |command| {
            command.mut_arg("provider", |argument| argument.add(ArgValueCompleter::new(providers)))
        })
    });
    command
}

fn with_fields<R: Row + 'static>(mut command: Command, names: &[&str]) -> Command {
    for name in names {
        command = command.mut_subcommand(name, |command| {
            command
                .mut_arg("columns", |argument| argument.add(ArgValueCompleter::new(fields::<R>)))
                .mut_arg("group_by", |argument| argument.add(ArgValueCompleter::new(fields::<R>)))
                .mut_arg("sort", |argument| argument.add(ArgValueCompleter::new(sorts::<R>)))
                .mut_arg("filter", |argument| argument.add(ArgValueCompleter::new(filters::<R>)))
        });
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_with_completions_are_sound() {
        command().debug_assert();
    }
}
