//! Reads a list of a million keys through the one stream over pages, and prints how much memory that took.
//!
//! ```text
//! cargo bench -p keymux-tests --bench million_keys
//! ```
//!
//! The pages come from a transport in this process, a thousand keys each, so that what is measured is the list and not a
//! server. Peak memory is what the operating system tells of the process; the figure before the list is what client and
//! runtime take.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints what it measured")]

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use keymux_core::{
    ApiKeyProvider, Exchange, HttpOptions, KeyStream, Request, Response, Scope, Transport, TransportError,
};

const KEYS: usize = 1_000_000;
const PAGE: usize = 1000;

/// Baseten's list of one group, made as it is asked for: the cursor is the number of the first key.
#[derive(Debug)]
struct Group;

#[async_trait]
impl Transport for Group {
    async fn execute(&self, request: Request, _: &Exchange) -> Result<Response, TransportError> {
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor");
        let first: usize = cursor.map_or(0, |(_, value)| value.parse().unwrap());
        let rows: Vec<String> = (first..first + PAGE)
            .map(|number| format!(r#"{{"prefix":"sky_{number:012}","name":"key number {number}"}}"#))
            .collect();
        let next = first + PAGE;
        let (more, cursor) = if next < KEYS { ("true", format!("\"{next}\"")) } else { ("false", "null".to_owned()) };
        let rows = rows.join(",");
        let body = format!(r#"{{"items":[{rows}],"pagination":{{"has_more":{more},"cursor":{cursor}}}}}"#);
        Ok(Response::new(body.into()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = HttpOptions::new().with_transport(Arc::new(Group));
    let client = keymux_baseten::Config::new("no-credential").with_http(options).build().unwrap();
    let before = peak_kib();
    let started = Instant::now();
    let mut keys = KeyStream::new(Arc::new(client) as Arc<dyn ApiKeyProvider>, Scope::new(["g"]).unwrap(), None);
    let mut count = 0;
    while let Some(key) = keys.next().await {
        key.unwrap();
        count += 1;
    }
    assert_eq!(count, KEYS);
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} keys in {seconds:.2} s");
    match (before, peak_kib()) {
        (Some(before), Some(after)) => println!("peak memory: {before} KiB before the list, {after} KiB after it"),
        _ => println!("peak memory: this operating system does not tell"),
    }
}

/// The largest resident memory of this process so far, where `/proc` tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
