//! What must stay small: `list BASE` reads a million keys, `huge BASE` and `huge_by_hand BASE` meet a body of 1 GiB.

use keymux::mielto::{ApiKeyId, Config};
use keymux::{ErrorKind, Keymux, Scope};
use keymux_bench::{CREDENTIAL, Meter, model, wire};

keymux_bench::counted!();

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let base = &arguments[1];
    let meter = Meter::start();
    let n = keymux_bench::on_runtime(async {
        match arguments[0].as_str() {
            "list" => {
                let client = Config::new(CREDENTIAL).with_base_url(base).build().unwrap();
                let keymux = Keymux::builder().with_account("prod", client).build().unwrap();
                let mut keys = keymux.list(&"prod".parse().unwrap(), Scope::account(), None).unwrap();
                let mut count = 0;
                while let Some(key) = keys.next().await {
                    key.unwrap();
                    count += 1;
                }
                assert_eq!(count, wire::LIST_LENGTH);
                count as u64
            }
            "huge" => {
                let client = Config::new(CREDENTIAL).with_base_url(base).build().unwrap();
                let error = client.get_api_key(&ApiKeyId::new("huge").unwrap()).await.unwrap_err();
                assert_eq!(error.details().kind(), ErrorKind::TooLarge);
                1
            }
            "huge_by_hand" => {
                let answer = reqwest::get(format!("{base}/api/v1/api-keys/huge")).await.unwrap();
                assert!(answer.json::<model::Key>().await.is_err(), "the key has no id");
                1
            }
            other => panic!("{other}: list | huge | huge_by_hand"),
        }
    });
    meter.report(n);
}
