//! Mielto: keys of the credential's workspace, which tell secrets on reads too.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use keymux_conformance::{Harness, Seeded, Wiring};
use keymux_core::{ApiKeyProvider, Error, KeyAddress, NewKey, Permission, ProviderInfo, Scope, SecretString};
use keymux_emulator::Emulator;
use keymux_mielto::Config;
use serde_json::json;

use super::address;

pub(crate) struct Mielto(pub(crate) Emulator);

#[async_trait]
impl Harness for Mielto {
    fn base_url(&self) -> String {
        self.0.mielto().base_url().to_owned()
    }

    fn credential(&self) -> SecretString {
        self.0.mielto().credential().into()
    }

    fn provider(&self, wiring: Wiring) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        let config = Config::new(wiring.credential).with_base_url(wiring.base_url).with_options(wiring.http);
        Ok(Arc::new(config.build()?))
    }

    /// The same text is the key, its hash and its secret, so that none of the three may be printed.
    async fn seed(&self, number: usize) -> Seeded {
        let (id, plaintext) = (format!("key_1{number:08}"), format!("mk_test_CANARYofASeededKey{number:08}"));
        let key = json!({
            "id": id,
            "created_at": "2025-02-01T09:00:00Z",
            "updated_at": "2025-03-01T09:30:00Z",
            "key": plaintext,
            "hashed_secret": plaintext,
            "label": format!("seeded {number}"),
            "status": "active",
            "last_used_at": "2025-06-30T23:59:59Z",
            "expires_at": "2099-12-31T23:59:59Z",
            "permissions": ["read", "write"],
            "ip_whitelist": ["192.0.2.10"],
            "collections": ["col_000000001"],
            "workspace_id": "wsp_000000001",
            "created_by": "usr_000000001",
            "secret": plaintext,
        });
        self.0.mielto().seed_with_plaintext([&id], key, &plaintext);
        Seeded::new(address([id.as_str()])).with_plaintext(plaintext)
    }

    fn bare_plaintext(&self, plaintext: &str) -> Option<serde_json::Value> {
        Some(json!({"secret": plaintext}))
    }

    fn unknown(&self) -> KeyAddress {
        address(["key_999999999"])
    }

    fn new_key(&self, _info: &ProviderInfo, scope: Scope) -> NewKey {
        NewKey::new(scope)
            .with_name("conformance")
            .with_enabled(true)
            .with_expires_at("2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap())
            .with_permissions([Permission { name: "read".to_owned(), actions: None }])
            .with_ip_allowlist(["192.0.2.1"])
    }

    fn page_size(&self) -> usize {
        1000
    }
}
