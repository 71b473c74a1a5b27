//! Braintrust: keys of users, addressed by a UUID.

use std::sync::Arc;

use async_trait::async_trait;
use keymux_braintrust::Config;
use keymux_conformance::{Harness, Seeded, Wiring};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, SecretString};
use keymux_emulator::Emulator;
use serde_json::json;

use super::address;

pub(crate) struct Braintrust(pub(crate) Emulator);

#[async_trait]
impl Harness for Braintrust {
    fn base_url(&self) -> String {
        self.0.braintrust().base_url().to_owned()
    }

    fn credential(&self) -> SecretString {
        self.0.braintrust().credential().into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let config = Config::new(wiring.credential).with_base_url(wiring.base_url).with_options(wiring.http);
        Ok(Arc::new(config.build()?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let id = format!("6f1d2c3b-0a9e-4b57-8c11-{number:012x}");
        let key = json!({
            "id": id,
            "created": "2026-02-03T10:20:30.123Z",
            "name": format!("seeded {number}"),
            "preview_name": "sk-****k3Zq9",
            "user_id": "0d9c8b7a-1122-4334-8556-77889900aabb",
            "user_email": "dev@example.com",
            "user_given_name": "Dev",
            "user_family_name": "Example",
            "org_id": "11111111-2222-4333-8444-555555555555",
        });
        self.0.braintrust().seed([&id], key);
        Seeded::new(address([id.as_str()]))
    }

    fn unknown(&self) -> KeyAddress {
        address(["ffffffff-0a9e-4b57-8c11-2f4d5e6a7b80"])
    }

    fn page_size(&self) -> usize {
        100
    }
}
