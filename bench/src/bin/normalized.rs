//! Keymux, normalized: the facade.

use keymux::{KeyRef, Keymux, mielto};
use keymux_bench::{CREDENTIAL, KEY_ID, Peer};

keymux_bench::counted!();

#[derive(Clone)]
struct Normalized {
    keymux: Keymux,
    key: KeyRef,
}

impl Peer for Normalized {
    async fn connect(base: &str) -> Self {
        let client = mielto::Config::new(CREDENTIAL).with_base_url(base).build().unwrap();
        let keymux = Keymux::builder().with_account("prod", client).build().unwrap();
        Self { keymux, key: format!("prod:{KEY_ID}").parse().unwrap() }
    }

    async fn another(&self) -> Self {
        self.clone()
    }

    async fn get(&mut self) -> usize {
        let record = self.keymux.get(&self.key).await.unwrap();
        assert!(record.drift.is_empty());
        record.name.known().unwrap().len()
    }
}

fn main() {
    keymux_bench::work::<Normalized>();
}
