//! Datkey: keys of one API, which is known from the dashboard alone.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_conformance::{Harness, Seeded, Wiring};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, NewKey, ProviderInfo, Scope, SecretString};
use keymux_datkey::Config;
use keymux_emulator::Emulator;
use serde_json::{Map, json};

use super::address;

pub(crate) struct Datkey(pub(crate) Emulator);

#[async_trait]
impl Harness for Datkey {
    fn base_url(&self) -> String {
        self.0.datkey().base_url().to_owned()
    }

    fn credential(&self) -> SecretString {
        self.0.datkey().credential().into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let config = Config::new(wiring.credential).with_base_url(wiring.base_url).with_options(wiring.http);
        Ok(Arc::new(config.build()?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let id = format!("00000000-0000-4000-9000-{number:012}");
        let plaintext = format!("demo_CANARYofASeededKey{number:08}");
        let key = json!({
            "id": id,
            "name": format!("seeded {number}"),
            "key": "demo_ab12*********",
            "prefix": "demo",
            "length": 16,
            "verifications": 3,
            "verification_limit": 100,
            "expires_at": 4_102_444_800_i64,
            "meta": {"plan": "pro"},
            "created_at": "2025-01-01T00:00:00.000000Z",
            "updated_at": "2025-01-02T00:00:00.000000Z",
        });
        self.0.datkey().seed_with_plaintext([&id], key, &plaintext);
        Seeded::new(address([id.as_str()])).with_plaintext(plaintext)
    }

    fn bare_plaintext(&self, plaintext: &str) -> Option<serde_json::Value> {
        Some(json!({"key": {"key": plaintext}}))
    }

    fn unknown(&self) -> KeyAddress {
        address(["ffffffff-0000-4000-8000-000000000001"])
    }

    fn scope(&self) -> Scope {
        Scope::new(["api_example_1"]).unwrap()
    }

    fn new_key(&self, _info: &ProviderInfo, scope: Scope) -> NewKey {
        NewKey::new(scope)
            .with_name("conformance")
            .with_prefix("conf")
            .with_expires_at("2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap())
            .with_max_uses(1000)
            .with_metadata(Map::from_iter([("plan".to_owned(), "pro".into())]))
    }
}
