//! What a user would write: reqwest and serde_json.

use keymux_bench::model::Key;
use keymux_bench::{CREDENTIAL, KEY_ID, Peer};

keymux_bench::counted!();

#[derive(Clone)]
struct ByHand {
    client: reqwest::Client,
    base: String,
}

impl Peer for ByHand {
    async fn connect(base: &str) -> Self {
        Self { client: reqwest::Client::new(), base: base.to_owned() }
    }

    async fn another(&self) -> Self {
        self.clone()
    }

    async fn get(&mut self) -> usize {
        let request = self.client.get(format!("{}/api/v1/api-keys/{KEY_ID}", self.base)).bearer_auth(CREDENTIAL);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let key: Key = answer.json().await.unwrap();
        key.label.len()
    }
}

fn main() {
    keymux_bench::work::<ByHand>();
}
