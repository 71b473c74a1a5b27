//! Baseten: federated keys of the group that the emulator begins with.

use std::sync::Arc;

use async_trait::async_trait;
use keymux_baseten::{Config, SigningKey};
use keymux_conformance::{Harness, Seeded, Wiring};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, Scope, SecretString};
use keymux_emulator::{Emulator, baseten_signing_key};
use serde_json::json;

use super::address;

pub(crate) struct Baseten(pub(crate) Emulator);

impl Baseten {
    fn group(&self) -> &str {
        &self.0.baseten().sample_address()[0]
    }
}

#[async_trait]
impl Harness for Baseten {
    fn base_url(&self) -> String {
        self.0.baseten().base_url().to_owned()
    }

    fn credential(&self) -> SecretString {
        self.0.baseten().credential().into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let signing_key = SigningKey::from_pkcs8_pem(&baseten_signing_key().into())?;
        let config = Config::new(wiring.credential).with_base_url(wiring.base_url).with_options(wiring.http);
        Ok(Arc::new(config.with_signing_key(signing_key).build()?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let (prefix, plaintext) = (format!("sky_{number:08}"), format!("sky_{number:08}.CANARYofASeededKey"));
        let key = json!({"prefix": prefix, "name": format!("seeded {number}")});
        self.0.baseten().seed_with_plaintext([self.group(), &prefix], key, &plaintext);
        Seeded::new(address([self.group(), &prefix])).with_plaintext(plaintext)
    }

    fn bare_plaintext(&self, plaintext: &str) -> Option<serde_json::Value> {
        Some(json!({"api_key": plaintext}))
    }

    fn unknown(&self) -> KeyAddress {
        address([self.group(), "sky_unknown"])
    }

    fn scope(&self) -> Scope {
        Scope::new([self.group()]).unwrap()
    }

    fn page_size(&self) -> usize {
        1000
    }
}
