//! reqwest-middleware with reqwest-retry: by hand, and what fails is sent again.

use keymux_bench::model::Key;
use keymux_bench::{CREDENTIAL, KEY_ID, Peer};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

keymux_bench::counted!();

#[derive(Clone)]
struct Retry {
    client: ClientWithMiddleware,
    base: String,
}

impl Peer for Retry {
    async fn connect(base: &str) -> Self {
        let policy = ExponentialBackoff::builder().build_with_max_retries(3);
        let retry = RetryTransientMiddleware::new_with_policy(policy);
        Self { client: ClientBuilder::new(reqwest::Client::new()).with(retry).build(), base: base.to_owned() }
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
    keymux_bench::work::<Retry>();
}
