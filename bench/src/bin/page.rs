//! A page of a thousand keys in memory: `serde_json N`, `typed N` or `normalized N`. No network is in it; what Keymux
//! does for a request is.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use keymux::{
    ApiKeyProvider, Exchange, ClientOptions, Keymux, Request, Response, Scope, Transport, TransportError, mielto,
};
use keymux_bench::{CREDENTIAL, Meter, model, wire};

keymux_bench::counted!();

/// Answers every request with the page.
#[derive(Debug)]
struct Memory(Bytes);

#[async_trait]
impl Transport for Memory {
    async fn execute(&self, _: Request, _: &Exchange) -> Result<Response, TransportError> {
        Ok(Response::new(self.0.clone()))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let n: u64 = arguments[1].parse().unwrap();
    let body = Bytes::from(wire::page(0, 1000));
    let options = ClientOptions::new().with_transport(Arc::new(Memory(body.clone())));
    let client = mielto::Config::new(CREDENTIAL).with_options(options).build().unwrap();
    let keymux = Keymux::builder().with_account("prod", client.clone()).build().unwrap();
    let account = keymux.account(&"prod".parse().unwrap()).unwrap();
    keymux_bench::on_runtime(async {
        let meter = Meter::start();
        for _ in 0..n {
            match arguments[0].as_str() {
                "serde_json" => {
                    let page: model::Page = serde_json::from_slice(&body).unwrap();
                    assert_eq!(black_box(page).data.len(), 1000);
                }
                "typed" => {
                    let list = mielto::ListApiKeys { skip: Some(0), limit: Some(1000) };
                    let page = client.list_api_keys(list).await.unwrap();
                    assert_eq!(black_box(page).data.len(), 1000);
                }
                "normalized" => {
                    let page = account.list_page(&Scope::account(), None).await.unwrap();
                    assert_eq!(black_box(page).items.len(), 1000);
                }
                other => panic!("{other}: serde_json | typed | normalized"),
            }
        }
        meter.report(n);
    });
}
