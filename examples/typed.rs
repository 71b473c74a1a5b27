//! One vendor's own client: its typed model, and errors that say what went wrong *there*.
//!
//! ```text
//! cargo run --example typed
//! ```
#![allow(clippy::print_stdout, reason = "this program prints its result")]

use std::time::Duration;

use keymux::RetryPolicy;
use keymux_baseten::{Client, ClientOptions, Config, Error, Fact, GroupId, KeyPrefix};
use keymux_emulator::Emulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A stand-in of Baseten. With a real workspace key it would be `Config::from_env()?.build()?`.
    let emulator = Emulator::start().await?;
    let baseten = emulator.baseten();
    let options = ClientOptions::new()
        .with_attempt_timeout(Duration::from_secs(5))
        .with_retry(RetryPolicy::default().with_max_attempts(3));
    let client = Config::new(baseten.credential()).with_base_url(baseten.base_url()).with_options(options).build()?;

    for address in baseten.seeded() {
        let [group, prefix] = address.as_slice() else { continue };
        look_up(&client, group, prefix).await?;
    }
    let [group, _] = baseten.sample_address() else { return Err("a Baseten address has two parts".into()) };
    look_up(&client, group, "noSuchKey").await?;

    // A wrong credential.
    let stranger = Config::new("not-the-credential").with_base_url(baseten.base_url()).build()?;
    look_up(&stranger, group, "noSuchKey").await?;

    // An id that can be no id is refused before anything is sent.
    if let Err(error) = KeyPrefix::new("..") {
        println!("..: {error}");
    }
    Ok(())
}

async fn look_up(client: &Client, group: &str, prefix: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (group, prefix) = (GroupId::new(group)?, KeyPrefix::new(prefix)?);
    match client.get_api_key(&group, &prefix).await {
        Ok(key) => match key.name {
            Fact::Known(name) => println!("{prefix}: named {name:?}"),
            _ => println!("{prefix}: without a name"),
        },
        Err(Error::NotFound(_)) => println!("{prefix}: unknown, revoked, or its group is deleted"),
        Err(Error::Forbidden(_)) => println!("{prefix}: another workspace's, or no management scope"),
        Err(Error::Unauthenticated(details)) => println!("{prefix}: the credential is refused: {details}"),
        Err(Error::RateLimited(details)) => println!("{prefix}: too fast, wait {:?}", details.retry_after()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
