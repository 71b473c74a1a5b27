//! Keymux, typed: Mielto's own client.

use keymux::mielto::{ApiKeyId, Client, Config};
use keymux_bench::{CREDENTIAL, KEY_ID, Peer};

keymux_bench::counted!();

#[derive(Clone)]
struct Typed {
    client: Client,
    id: ApiKeyId,
}

impl Peer for Typed {
    async fn connect(base: &str) -> Self {
        let client = Config::new(CREDENTIAL).with_base_url(base).build().unwrap();
        Self { client, id: ApiKeyId::new(KEY_ID).unwrap() }
    }

    async fn another(&self) -> Self {
        self.clone()
    }

    async fn get(&mut self) -> usize {
        let key = self.client.get_api_key(&self.id).await.unwrap();
        key.label.known().unwrap().len()
    }
}

fn main() {
    keymux_bench::work::<Typed>();
}
