//! What the README shows of the command: typed at a terminal, against the emulator, and compared with what is printed
//! there. `[..]` in the README stands for any text.

use std::path::Path;
use std::process::Command;

use rexpect::session::spawn_command;
use snapbox::{Data, assert_data_eq};

use crate::stage::{Stage, bare, folder, run};

const README: &str = include_str!("../../../../README.md");

const STATUSES: &str = include_str!("../../../../docs/exit-statuses.md");

/// Stands between the outputs of two commands.
const END: &str = "\u{1d}";

#[test]
fn the_transcript_is_what_the_commands_print() {
    let mut blocks = README.split("```console\n").skip(1);
    let transcript = blocks.next().and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(blocks.count(), 0, "one transcript is what this test runs");
    let commands: Vec<&str> = transcript.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.iter().any(|command| command.starts_with("keymux ")), "{commands:?}");

    let printed = type_in(&Stage::new(), &commands);
    assert_eq!(printed.len(), commands.len(), "{printed:?}");
    let seen: Vec<String> = commands.iter().zip(&printed).map(|(command, out)| format!("$ {command}\n{out}")).collect();
    assert_data_eq!(seen.concat(), Data::text(transcript));
}

#[test]
fn the_exit_statuses_of_the_document_are_those_of_the_help_and_the_readme_links_to_them() {
    let rows = STATUSES.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let documented: Vec<(&str, &str)> = rows.skip(1).collect();
    let help = run(&mut bare(&["--help"]), "").stdout;
    let lines = help.split("Exit status:\n").nth(1).unwrap().lines();
    let helped: Vec<(&str, &str)> = lines.map(|line| line.trim().split_once(' ').unwrap()).collect();
    let helped: Vec<(&str, &str)> = helped.into_iter().map(|(number, words)| (number, words.trim())).collect();
    assert!(documented.len() > 10, "{documented:?}");
    assert_eq!(documented, helped);
    assert!(README.contains("(docs/exit-statuses.md)"));
}

#[test]
fn every_command_of_the_document_for_a_breach_is_one_with_these_arguments() {
    let document = include_str!("../../../../docs/incident.md");
    let parts = document.lines().map(str::trim).filter(|line| !line.contains('`')).flat_map(|line| line.split('|'));
    let commands: Vec<&str> = parts.map(str::trim).filter(|part| part.starts_with("keymux ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let line = command.split(['<', '>']).next().filter(|_| !command.contains('\'')).unwrap_or(command);
        let words = line.split_whitespace().skip(1).map(|word| word.trim_matches('\''));
        let args: Vec<&str> = words.chain(["--help"]).collect();
        let ran = run(&mut bare(&args), "");
        assert_eq!(ran.status, Some(0), "{command}: {ran:?}");
    }
    assert!(README.contains("(docs/incident.md)"));
}

/// What each command shows at a terminal of 100 columns, one after the other in one shell.
fn type_in(stage: &Stage, commands: &[&str]) -> Vec<String> {
    let programs = Path::new(env!("CARGO_BIN_EXE_keymux")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    // Each command sees the status of the one before, as `echo $?` needs it.
    let lines = commands.iter().map(|line| format!("(exit $last)\n{line}\nlast=$?; printf '{END}'\n"));
    let script = format!("stty rows 40 cols 100\nlast=0\n{}", lines.collect::<String>());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder("readme")).env_clear().envs(stage.variables());
    // A dumb terminal gets no lines that are drawn while a command runs.
    shell.env("PATH", path).env("TERM", "dumb").env("NO_COLOR", "1");
    let shown = spawn_command(shell, Some(60_000)).unwrap().exp_eof().unwrap().replace("\r\n", "\n");
    let (printed, rest) = shown.rsplit_once(END).unwrap();
    assert_eq!(rest, "");
    printed.split(END).map(str::to_owned).collect()
}
