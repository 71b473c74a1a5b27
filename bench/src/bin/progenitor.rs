//! A client that progenitor generates from `openapi.json`.

use keymux_bench::{CREDENTIAL, KEY_ID, Peer};

progenitor::generate_api!("openapi.json");

keymux_bench::counted!();

#[derive(Clone)]
struct Generated {
    client: Client,
}

impl Peer for Generated {
    async fn connect(base: &str) -> Self {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert(reqwest::header::AUTHORIZATION, format!("Bearer {CREDENTIAL}").parse().unwrap());
        let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
        Self { client: Client::new_with_client(base, http) }
    }

    async fn another(&self) -> Self {
        self.clone()
    }

    async fn get(&mut self) -> usize {
        self.client.get_api_key(KEY_ID).await.unwrap().into_inner().label.len()
    }
}

fn main() {
    keymux_bench::work::<Generated>();
}
