//! The commands, a module for each, and which one is run.

mod accounts;
mod add_account;
mod consent;
mod create;
mod documents;
mod emulate;
mod get;
mod init;
mod list;
mod many;
mod new_key;
mod orphans;
mod providers;
mod references;
mod register;
mod revoke;
mod rotate;
mod run;
mod scopes;
mod update;
mod verify;

use std::future::Future;

use keymux::Keymux;
use tokio::runtime::Builder;

use crate::args::{AccountsAction, AccountsArgs, Cli, Command};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::trail;

use consent::{REQUEST, consent, look_at, look_in, see_through, show_request, told, waits};

/// Runs the command. Accounts are loaded, and threads started, for those commands alone that ask vendors.
pub(crate) fn run(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    console.trace();
    let loader = Loader::new(&cli.global, console);
    let result = match cli.command {
        Command::Get(args) => wait(get::run(&loader, args, console)),
        Command::List(args) => wait(list::run(&loader, args, console)),
        Command::Scopes(args) => wait(scopes::run(&loader, args, console)),
        Command::Create(args) => wait(create::run(&loader, args, console)),
        Command::Register(args) => wait(register::run(&loader, args, console)),
        Command::Run(args) => wait(run::run(&loader, args, console)),
        Command::Orphans(args) => wait(orphans::run(&loader, args, console)),
        Command::Update(args) => wait(update::run(&loader, args, console)),
        Command::Rotate(args) => wait(rotate::run(&loader, args, console)),
        Command::Verify(args) => wait(verify::run(&loader, args, console)),
        Command::Revoke(args) => wait(revoke::run(&loader, args, console)),
        Command::Init => init::run(cli.global.config.as_deref(), console),
        Command::Accounts(AccountsArgs { action: Some(AccountsAction::Add(args)), .. }) => {
            add_account::run(cli.global.config.as_deref(), &args, console)
        }
        Command::Accounts(args) => wait(accounts::run(&loader, args, console)),
        Command::Emulate(args) => wait(emulate::run(args, console)),
        Command::Providers(args) => providers::run(args, console),
        Command::Completions { shell } => documents::completions(shell),
        Command::Man => documents::man(),
    };
    // What was changed is told; that nobody can read of it later is a failure of its own.
    result.map(|exit| if exit == Exit::Success && trail::lacks_an_end() { Exit::Partial } else { exit })
}

/// Two threads: one may wait for the reader of the output while the other hears Ctrl-C.
fn wait(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Io("starting threads".to_owned(), error))?;
    let result = runtime.block_on(command);
    // A thread that waits for standard input must not hold the end up.
    runtime.shutdown_background();
    result
}

/// Without any account there is nothing to ask, which is wrong configuration.
fn any_account(keymux: &Keymux) -> Result<(), Failure> {
    if keymux.accounts().len() > 0 { Ok(()) } else { Err(Failure::Usage(no_account())) }
}

/// How to have an account.
fn no_account() -> String {
    let providers = keymux::providers();
    let variables = providers.iter().map(|info| format!("{}_API_KEY", info.id().as_str().to_ascii_uppercase()));
    let variables: Vec<String> = variables.collect();
    format!("there are no accounts; write a keymux.toml with `keymux init`, or set one of {}", variables.join(", "))
}
