//! The conformance suite over Acme's provider: one test for each rule that concerns a provider of look-ups.
//!
//! ```text
//! cargo test -p keymux-examples --test custom_provider_conformance
//! ```
#![allow(clippy::unwrap_used, reason = "a harness that cannot be set up has failed")]

mod acme;
mod stand_in;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use keymux_conformance::{Harness, Seeded, Subject, Wiring};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, SecretString};

struct OnStandIn(stand_in::StandIn);

#[async_trait]
impl Harness for OnStandIn {
    fn base_url(&self) -> String {
        self.0.url().to_owned()
    }

    fn credential(&self) -> SecretString {
        stand_in::CREDENTIAL.into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        Ok(Arc::new(acme::Acme::new(wiring.credential, &wiring.base_url, wiring.http)?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let id = format!("t-{number}");
        self.0.put(&id, "seeded");
        Seeded::new(KeyAddress::new([id]).unwrap())
    }

    fn unknown(&self) -> KeyAddress {
        KeyAddress::new(["t-unknown"]).unwrap()
    }
}

fn main() -> ExitCode {
    let start = || async { OnStandIn(stand_in::StandIn::start().await.unwrap()) };
    keymux_conformance::main([Subject::new(&acme::INFO, start)])
}
