//! A test of your own code, without accounts, network or mocks.
//!
//! ```text
//! cargo run --example testing_your_code
//! ```
//!
//! In a crate of yours the function below would be a `#[tokio::test]` in `tests/`, and `keymux-emulator` a
//! dev-dependency.

use std::error::Error;

use keymux::datkey::{Client, Config, KeyId};
use keymux_emulator::Emulator;

/// The code that is to be tested: who holds a key that can be used up?
async fn is_limited(client: &Client, id: &str) -> Result<bool, Box<dyn Error>> {
    let key = client.get_key(&KeyId::new(id)?).await?;
    Ok(key.verification_limit.known().is_some())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::start().await?;
    let datkey = emulator.datkey();
    datkey.seed(["free"], serde_json::json!({"id": "free", "name": "no limit", "verification_limit": null}));
    let client = Config::new(datkey.credential()).with_base_url(datkey.base_url()).build()?;

    assert!(is_limited(&client, &datkey.sample_address()[0]).await?);
    assert!(!is_limited(&client, "free").await?);
    assert!(is_limited(&client, "nobody's").await.is_err());
    assert_eq!(datkey.requests().len(), 3, "each key was asked for once");
    Ok(())
}
