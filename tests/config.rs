//! Accounts from a file: every mistake is one line that names file, line, account and mend, and no secret.

mod bad;
mod run;

use keymux::config::ConfigFile;
use keymux::{ClientOptions, Error};

/// What stands where a secret must not stand.
const CANARY: &str = "sk-CANARY";

/// An account with nothing wrong in it, on lines 1 to 3.
const GOOD: &str = "[accounts.prod]\nprovider = \"baseten\"\ncredential = { env = \"X\" }\n";

fn parse(text: &str) -> Result<ConfigFile, Error> {
    ConfigFile::parse(text, "keymux.toml")
}

/// Sets the only account of `text` up.
async fn build(text: &str) -> Result<(), Error> {
    let file = parse(text)?;
    let account = file.accounts().next().unwrap();
    account.build(&ClientOptions::new()).await.map(drop)
}
