//! What the help has beyond the arguments: examples of every command, the environment and the files; and topics.

use clap::{Command, CommandFactory, FromArgMatches};

use crate::args::Cli;
use crate::exit::Failure;
use crate::output;
use crate::secret_args::without_plaintext;

/// An annotated configuration file, as `docs` has it.
pub(crate) const EXAMPLE: &str = include_str!("keymux.example.toml");

const CONFIG: &str = "\
keymux.toml names your accounts. It holds no secret: each account says where
its credential is, in a variable, in a file, or in what a command prints.

  keymux init          writes the file, from what is set in the environment
  keymux accounts add  adds an account to it
  keymux accounts      lists the accounts; `check` asks whether they work

The file is the one of --config, else of KEYMUX_CONFIG, else
keymux/keymux.toml in the platform's folder of configurations. Without any
file there is an account for each credential in the environment.

Every key of the file:

";

const ENVIRONMENT: &str = "\
Environment:
  KEYMUX_CONFIG       the file with the accounts
  NAME_API_KEY        without a file: the credential of a vendor, such as
                      BASETEN_API_KEY; NAME_BASE_URL is where it is
  NO_COLOR            no colour

Files:
  keymux/keymux.toml  the accounts; `keymux help config` explains it";

/// Each command with its examples.
const EXAMPLES: [(&str, &str); 18] = [
    ("get", "  keymux get mielto:key_000000001\n  keymux list mielto | keymux get - -o csv"),
    (
        "list",
        "  keymux list\n  keymux list prod-baseten:abc123hash -o csv\n  keymux list --filter 'expires<30d or last_used>90d' --sort expires\n  keymux list --group-by status",
    ),
    ("scopes", "  keymux scopes\n  keymux scopes prod-baseten -o ndjson"),
    (
        "create",
        "  keymux create mielto --name ci --expires 90d --secret-file ci.key\n  keymux create prod-baseten:abc123hash --name ci --dry-run",
    ),
    (
        "register",
        "  keymux register oneloop:WORKSPACE --name ci --permission invoices=read \\\n    --customer c_1 --key-file own.key",
    ),
    (
        "update",
        "  keymux update mielto:key_000000001 --name ci-2 --expires 30d\n  keymux update mielto:key_000000001 --clear expires",
    ),
    (
        "rotate",
        "  keymux rotate oneloop:WORKSPACE/KEY --secret-file new.key\n  keymux rotate mielto:key_000000001 --store -- vault kv put secret/ci key=-\n  keymux rotate mielto:key_000000001 --resume",
    ),
    ("run", "  keymux run --create prod-baseten:abc123hash --name job --env API_KEY -- ./job.sh"),
    ("orphans", "  keymux orphans\n  keymux orphans --acknowledge mielto:key_000000001"),
    ("verify", "  keymux verify datkey:api_example_1 --key-file some.key"),
    ("revoke", "  keymux revoke mielto:key_000000001\n  keymux list mielto --filter 'last_used>1y' | keymux revoke -"),
    ("providers", "  keymux providers\n  keymux providers oneloop"),
    (
        "accounts",
        "  keymux accounts check\n  keymux accounts add staging --provider mielto --credential-env STAGING_KEY",
    ),
    ("emulate", "  keymux emulate --keys 1000 --limit 50"),
    (
        "completions",
        "  keymux completions bash > ~/.local/share/bash-completion/completions/keymux\n  keymux completions fish > ~/.config/fish/completions/keymux.fish",
    ),
    ("man", "  keymux man | man -l -"),
    ("init", "  keymux init\n  keymux --config ./keymux.toml init"),
    ("", "  keymux accounts check\n  keymux list --filter 'expires<30d'\n  keymux get mielto:key_000000001"),
];

/// The arguments, with all that the help has.
pub(crate) fn command() -> Command {
    let mut command = Cli::command();
    for (name, examples) in EXAMPLES.into_iter().filter(|(name, _)| !name.is_empty()) {
        command = command.mut_subcommand(name, |command| with_examples(command, examples));
    }
    command
}

/// Reads the arguments, or ends the program with clap's word on what is wrong.
pub(crate) fn read() -> Cli {
    let mut command = command();
    let read = command.try_get_matches_from_mut(std::env::args_os());
    let read = read.and_then(|matches| Cli::from_arg_matches(&matches));
    read.unwrap_or_else(|error| without_plaintext(error.format(&mut command)).exit())
}

fn with_examples(command: Command, examples: &str) -> Command {
    let asks = !matches!(command.get_name(), "providers" | "emulate" | "completions" | "man");
    let before = command.get_after_long_help().or(command.get_after_help()).map(|text| format!("\n\n{text}"));
    let environment = if asks { format!("\n\n{ENVIRONMENT}") } else { String::new() };
    let text = format!("Examples:\n{examples}{}{environment}", before.unwrap_or_default());
    command.after_long_help(text)
}

/// Prints a topic, if `keymux help TOPIC` asks for one; whether it did.
pub(crate) fn topic() -> Result<bool, Failure> {
    let words: Vec<_> = std::env::args_os().skip(1).take(3).collect();
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    if words != ["help", "config"] {
        return Ok(false);
    }
    output::print(&format!("{CONFIG}{EXAMPLE}"))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_examples_that_it_takes() {
        let command = command();
        for known in command.get_subcommands() {
            let name = known.get_name();
            let (_, examples) = EXAMPLES.iter().find(|(of, _)| *of == name).unwrap_or_else(|| panic!("{name}"));
            assert!(examples.contains(&format!("keymux {name}")) || examples.contains(&format!(" {name}")), "{name}");
        }
        for (_, examples) in EXAMPLES {
            // A line that ends with a backslash goes on.
            assert!(examples.lines().all(|line| line.len() <= 100), "{examples}");
            for line in examples.replace("\\\n", " ").lines() {
                for part in line.split('|').filter(|part| part.contains("keymux")) {
                    let words = words(part.split('>').next().filter(|_| !part.contains('\'')).unwrap_or(part));
                    if words.first().is_some_and(|word| word == "keymux") {
                        Cli::command()
                            .try_get_matches_from(&words)
                            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
                    }
                }
            }
        }
    }

    /// As a shell splits a line.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let parts = parts.flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.collect()
    }

    #[test]
    fn the_file_that_is_explained_is_that_of_the_documents() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/keymux.example.toml");
        assert_eq!(std::fs::read_to_string(path).unwrap(), EXAMPLE, "copy docs/keymux.example.toml here");
    }

    #[test]
    fn what_is_written_here_fits_80_columns() {
        for line in CONFIG.lines().chain(ENVIRONMENT.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
