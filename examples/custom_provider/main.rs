//! A sixth vendor: Acme, which Keymux does not know, beside a vendor that it knows.
//!
//! ```text
//! cargo run --example custom_provider
//! cargo test -p keymux-examples --test custom_provider_conformance
//! ```
//!
//! `acme.rs` is the provider, and all that an application needs. `stand_in.rs` is a stand-in of Acme's server, on loopback.
//! `conformance.rs` runs the conformance suite over the two: it says how to make the provider and how to put a token into
//! the stand-in, and the suite tries every promise of `ApiKeyProvider` that concerns a provider of look-ups.
#![allow(clippy::print_stdout, reason = "this program prints its result")]

mod acme;
mod stand_in;

use keymux::{ClientOptions, Fact, KeyAddress, Keymux, baseten};
use keymux_emulator::Emulator;

use crate::acme::Acme;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let baseten = emulator.baseten();
    let acme = stand_in::StandIn::start().await?;
    acme.put("t-1", "importer");
    let keymux = Keymux::builder()
        .with_provider(Acme::new(stand_in::CREDENTIAL.into(), acme.url(), ClientOptions::new())?)
        .with_provider(baseten::Config::new(baseten.credential()).with_base_url(baseten.base_url()).build()?)
        .build()?;

    let known = format!("baseten:{}", KeyAddress::new(baseten.sample_address().iter().cloned())?);
    for reference in ["acme:t-1", "acme:t-2", known.as_str()] {
        match keymux.get(&reference.parse()?).await {
            Ok(record) => {
                let last_used = match record.last_used_at {
                    Fact::Known(at) => at.to_string(),
                    Fact::Empty => "never".to_owned(),
                    Fact::Missing => "not sent".to_owned(),
                    Fact::Unsupported => format!("{} cannot say", record.provider),
                };
                println!("{reference}: {}, last used: {last_used}", record.status.state);
            }
            Err(error) => println!("{reference}: {error}"),
        }
    }
    Ok(())
}
