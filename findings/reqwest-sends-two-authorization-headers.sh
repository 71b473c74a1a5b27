#!/usr/bin/env bash
# reqwest 0.13.5 (crates.io)
#
# Behaviour: a user and a password in the URL become an `Authorization: Basic` header before the builder's own methods
# run, and `bearer_auth`, `basic_auth` and `header` add to what is there. So
# `get("http://team:pw@host/").bearer_auth(key)` sends two Authorization headers, a field that may occur once. A
# default header of the client is the contrary case: it gives way without a word to what the URL holds, and the API
# key is not sent at all.
#
# Why it matters: a base URL with credentials is how one reaches a vendor's stand-in, a company's gateway or a
# self-hosted server behind a password. Servers differ in which of two headers they read, or answer 400, and the error
# is looked for in the key. A second `bearer_auth`, as a refresh of the token would call it, adds a third in the same
# way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
edition = "2021"
[dependencies]
reqwest = { version = "=0.13.5", default-features = false }
tokio = { version = "1", default-features = false, features = ["rt"] }
[workspace]
TOML
cat >"$work/src/main.rs" <<'RS'
use reqwest::header::{HeaderMap, HeaderValue, AUTHORIZATION};
use reqwest::{Client, RequestBuilder};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Sends the request to a server that answers once, and gives back the Authorization headers that arrived.
async fn arriving(server: &TcpListener, request: RequestBuilder) -> Vec<String> {
    let server = server.try_clone().unwrap();
    let vendor = std::thread::spawn(move || {
        let (stream, _) = server.accept().unwrap();
        let head = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        let values = head.filter_map(|line| line.strip_prefix("authorization: ").map(str::to_owned)).collect();
        (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        values
    });
    request.send().await.unwrap();
    vendor.join().unwrap()
}

async fn look() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = server.local_addr().unwrap();
    let plain = Client::new();
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer KEY"))]);
    let with_default = Client::builder().default_headers(headers).build().unwrap();

    let both = arriving(&server, plain.get(format!("http://team:pw@{host}/")).bearer_auth("KEY")).await;
    let twice = arriving(&server, plain.get(format!("http://{host}/")).bearer_auth("OLD").bearer_auth("KEY")).await;
    let default = arriving(&server, with_default.get(format!("http://team:pw@{host}/"))).await;
    println!("credentials in the URL, bearer_auth     seen: {both:?}");
    println!("bearer_auth twice                       seen: {twice:?}");
    println!("credentials in the URL, default header  seen: {default:?}");
    println!("each                                    expected: [\"Bearer KEY\"]");
    assert_eq!(both, ["Basic dGVhbTpwdw==", "Bearer KEY"], "changed");
    assert_eq!(twice, ["Bearer OLD", "Bearer KEY"], "changed");
    assert_eq!(default, ["Basic dGVhbTpwdw=="], "changed");
}

fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(look());
}
RS
cargo run --quiet --manifest-path "$work/Cargo.toml"
