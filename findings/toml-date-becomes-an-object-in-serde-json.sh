#!/usr/bin/env bash
# toml 1.2.2 with serde_json 1.0.154 (crates.io)
#
# Behaviour: a date of a TOML file, read into any type of another crate that can hold "whatever is there", is no text
# but an object with one member of a private name, `$__toml_private_datetime`. `serde_json::Value`, an untagged enum,
# a flattened map and `toml::Value` written as JSON all get it. Text, numbers and tables of the same file arrive as
# themselves, and `String` for the same date is an error that speaks of a map.
#
# Why it matters: a configuration whose unknown members are kept, or passed on as JSON to a vendor, sends
# `{"$__toml_private_datetime": "2026-12-29T00:00:00Z"}` where an expiry should be. A server that ignores what it does
# not understand then makes a key without an end.
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
serde_json = "=1.0.154"
toml = "=1.2.2"
[workspace]
TOML
cat >"$work/src/main.rs" <<'RS'
use std::collections::BTreeMap;

fn main() {
    let file = "name = 'ci'\nexpires_at = 2026-12-29T00:00:00Z\n";
    let read: serde_json::Value = toml::from_str(file).unwrap();
    let written = serde_json::to_string(&file.parse::<toml::Table>().unwrap()).unwrap();
    let text = toml::from_str::<BTreeMap<String, String>>(file).unwrap_err();
    println!("read as serde_json::Value  seen:     {}", read["expires_at"]);
    println!("                           expected: \"2026-12-29T00:00:00Z\"");
    println!("toml::Table written as JSON  seen: {written}");
    println!("read as String               seen: {}", text.message());
    let object = serde_json::json!({ "$__toml_private_datetime": "2026-12-29T00:00:00Z" });
    assert_eq!(read["name"], "ci");
    assert_eq!(read["expires_at"], object, "changed");
    assert_eq!(written.parse::<serde_json::Value>().unwrap()["expires_at"], object, "changed");
    assert!(text.message().contains("map"), "changed");
}
RS
cargo run --quiet --manifest-path "$work/Cargo.toml"
