//! Oneloop: keys of a workspace, with scopes of their own.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_conformance::{Harness, Seeded, Wiring};
use keymux_core::{Action, ApiKeyProvider, Error, KeyAddress, NewKey, Permission, ProviderInfo, Scope, SecretString};
use keymux_emulator::Emulator;
use keymux_oneloop::{Config, TimeUnit};
use serde_json::{Map, json};

use super::address;

pub(crate) struct Oneloop(pub(crate) Emulator);

impl Oneloop {
    fn workspace(&self) -> &str {
        &self.0.oneloop().sample_address()[0]
    }
}

#[async_trait]
impl Harness for Oneloop {
    fn base_url(&self) -> String {
        self.0.oneloop().base_url().to_owned()
    }

    fn credential(&self) -> SecretString {
        self.0.oneloop().credential().into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let config = Config::new(wiring.credential).with_base_url(wiring.base_url).with_options(wiring.http);
        Ok(Arc::new(config.with_expiry_unit(TimeUnit::Milliseconds).build()?))
    }

    async fn seed(&self, number: usize) -> Seeded {
        let (id, plaintext) = (format!("ak_{number:08}"), format!("acme_CANARYofASeededKey{number:08}"));
        let key = json!({
            "id": id,
            "name": format!("seeded {number}"),
            "maskedKey": "9c01e",
            "prefix": "acme",
            "expiresAt": 4_102_444_800_000_i64,
            "scopes": [{"representation": "invoices", "create": false, "read": true, "update": false, "del": false}],
            "enabled": true,
            "customerId": "cust-42",
            "deleted": false,
            "createdAt": "2024-11-01T08:00:00.000Z",
            "updatedAt": "2024-11-02T08:00:00.000Z",
            "lastUsedAt": "2024-11-03T08:00:00.000Z",
            "billingId": "bill-42",
        });
        self.0.oneloop().seed_with_plaintext([self.workspace(), &id], key, &plaintext);
        Seeded::new(address([self.workspace(), &id])).with_plaintext(plaintext)
    }

    fn bare_plaintext(&self, plaintext: &str) -> Option<serde_json::Value> {
        Some(json!({"apiKey": {"key": plaintext}}))
    }

    fn unknown(&self) -> KeyAddress {
        address([self.workspace(), "ak_unknown"])
    }

    fn scope(&self) -> Scope {
        Scope::new([self.workspace()]).unwrap()
    }

    fn new_key(&self, _info: &ProviderInfo, scope: Scope) -> NewKey {
        NewKey::new(scope)
            .with_name("conformance")
            .with_permissions([Permission { name: "invoices".to_owned(), actions: Some(vec![Action::Read]) }])
            .with_customer("cust-42")
            .with_enabled(true)
            .with_prefix("conf")
            .with_expires_at("2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap())
            .with_metadata(Map::from_iter([("plan".to_owned(), "pro".into())]))
    }
}
