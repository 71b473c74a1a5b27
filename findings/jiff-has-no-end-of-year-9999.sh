#!/usr/bin/env bash
# jiff 1.0.2 (crates.io)
#
# Behaviour: the last instant of `jiff::Timestamp` is 9999-12-30T22:00:00Z, so that each one has a civil date in every
# time zone. `9999-12-31T23:59:59Z`, a valid RFC 3339 time and the usual stand-in for "never" (it is the largest date
# of SQL Server, .NET and Python programs), is a parse error, although `civil::DateTime` holds the same digits. Its
# number of Unix seconds is refused as well.
#
# Why it matters: an expiry that means "never" is the one date that a listing of keys must not stumble over. One such
# key makes a whole page fail where the type of a field is `Timestamp`.
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
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }
[workspace]
TOML
cat >"$work/src/main.rs" <<'RS'
use jiff::{civil::DateTime, Timestamp};

fn main() {
    let never = "9999-12-31T23:59:59Z".parse::<Timestamp>();
    let civil = "9999-12-31T23:59:59".parse::<DateTime>();
    let unix = Timestamp::from_second(253_402_300_799);
    println!("9999-12-31T23:59:59Z as Timestamp  seen:     {never:?}");
    println!("                                   expected: Ok(9999-12-31T23:59:59Z)");
    println!("253402300799 as Unix seconds       seen:     {unix:?}");
    println!("the same digits as civil DateTime  seen:     {civil:?}");
    println!("Timestamp::MAX                     seen:     {}", Timestamp::MAX);
    assert!(never.is_err() && unix.is_err() && civil.is_ok(), "changed");
    assert!("9999-12-30T22:00:00Z".parse::<Timestamp>().is_ok(), "changed");
    assert!("9999-12-30T22:00:01Z".parse::<Timestamp>().is_err(), "changed");
}
RS
cargo run --quiet --manifest-path "$work/Cargo.toml"
