#!/usr/bin/env bash
# humantime 2.4.0 and jiff 1.0.2 (crates.io), ms 2.1.3 and jose 6.2.18 (npm)
#
# Behaviour: `1M` as a duration is 30.44 days in humantime, where only the lower case is a minute, and one minute in
# ms and jose, which ignore case: 43,834 times less. jiff refuses it. Nor does the detour over humantime's own output
# help: 90 days, exactly 7,776,000 seconds, is printed as `2months 29days 2h 52m 48s`, which ms and jose refuse and
# which jiff reads as months of the calendar: from 1 December 2026 it is 91 days and three hours long.
#
# Why it matters: the lifetime of a key is such a text in configurations, `--expires` options and tokens
# (`setExpirationTime("1M")`). Moved from one tool to another it is still valid: a month becomes a minute, or a policy
# of at most 90 days is exceeded by a text that a tool wrote for 90 days.
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
humantime = "=2.4.0"
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }
[workspace]
TOML
cat >"$work/src/main.rs" <<'RS'
use jiff::{civil::DateTime, Span};
use std::time::Duration;

fn main() {
    let month = humantime::parse_duration("1M").unwrap();
    let days = Duration::from_secs(90 * 24 * 3600);
    let text = humantime::format_duration(days).to_string();
    let span: Span = text.parse().unwrap();
    let start: DateTime = "2026-12-01T00:00:00".parse().unwrap();
    let end = start.checked_add(span).unwrap();
    println!("1M in humantime       seen: {} s", month.as_secs());
    println!("1M in jiff            seen: {}", "1M".parse::<Span>().map_or("error".into(), |span| span.to_string()));
    println!("90 days in humantime  seen: {text}   expected: 90days");
    println!("{start} and that text in jiff   seen: {end}   expected: 2027-03-01T00:00:00");
    assert_eq!(month.as_secs(), 2_630_016, "changed");
    assert!("1M".parse::<Span>().is_err(), "changed");
    assert_eq!(text, "2months 29days 2h 52m 48s", "changed");
    assert_eq!(end.to_string(), "2027-03-02T02:52:48", "changed");
}
RS
cargo run --quiet --manifest-path "$work/Cargo.toml"

cd "$work"
cat >package.json <<'JSON'
{"private": true, "type": "module", "dependencies": {"jose": "6.2.18", "ms": "2.1.3"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts
cat >probe.mjs <<'JS'
import assert from "node:assert";
import { UnsecuredJWT, decodeJwt } from "jose";
import ms from "ms";

const claims = decodeJwt(new UnsecuredJWT().setIssuedAt().setExpirationTime("1M").encode());
const lifetime = claims.exp - claims.iat;
console.log(`1M in ms              seen: ${ms("1M") / 1000} s   expected: 2630016 s, or an error`);
console.log(`1M in jose            seen: ${lifetime} s   expected: 2630016 s, or an error`);
assert.strictEqual(ms("1M"), 60_000);
assert.ok(lifetime === 60 || lifetime === 61);
JS
node probe.mjs
