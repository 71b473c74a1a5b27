#!/usr/bin/env bash
# tracing 0.1 with tracing-subscriber 0.3.23 (crates.io)
#
# Behaviour: `span.record(field, value)` on a field that already has a value replaces it in the JSON format and adds
# to it in the text formats: the line of a log then has the field twice, the old value first. So the meaning of a log
# line depends on the formatter that a deployment chose, and tests that parse JSON never see it.
#
# Why it matters: a span that opens with an account's credential or address and records a mask over it, once it is
# known that it must not be shown, still prints the first value in the default format. A status that is recorded for
# each attempt reads `status=429 status=200`, and a parser that takes the first one alarms on a call that succeeded.
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
tracing = { version = "=0.1.41", default-features = false, features = ["std"] }
tracing-subscriber = { version = "=0.3.23", default-features = false, features = ["fmt", "json"] }
[workspace]
TOML
cat >"$work/src/main.rs" <<'RS'
use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn call() {
    let span = tracing::info_span!("call", account = "ann@example.org", status = 429);
    span.record("account", "***");
    span.record("status", 200);
    span.in_scope(|| tracing::info!("done"));
}

fn main() {
    let log = Log::default();
    let line = || String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
    let writer = log.clone();
    let format = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone());
    tracing::subscriber::with_default(format.finish(), call);
    let text = line();
    let writer = log.clone();
    let format = tracing_subscriber::fmt().without_time().with_writer(move || writer.clone());
    tracing::subscriber::with_default(format.json().finish(), call);
    let json = line();
    println!("text  seen:     {}", text.trim());
    println!("      expected: no ann@example.org and no 429, as in");
    println!("JSON  seen:     {}", json.trim());
    assert!(text.contains(r#"account="ann@example.org" status=429 account="***" status=200"#), "changed");
    assert!(json.contains(r#""account":"***","status":200"#) && !json.contains("ann"), "changed");
}
RS
cargo run --quiet --manifest-path "$work/Cargo.toml"
