//! Reads a million keys of one account, as a list and as an inventory, and prints how much memory that took.
//!
//! ```text
//! cargo bench -p keymux-tests --bench million_keys
//! ```
//!
//! The pages come from a transport in this process, a thousand keys each, so that what is measured is the list and not a
//! server. Peak memory is what the operating system tells of a process, so that each way of reading has a process of its
//! own; the figure before it is what client and runtime take. It fails if a peak is 64 MiB or more.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints what it measured")]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keymux::{
    ApiKeyProvider, ClientOptions, Exchange, KeyStream, Keymux, Request, Response, Scope, Transport, TransportError,
    baseten,
};

const KEYS: usize = 1_000_000;
const PAGE: usize = 1000;
const BAR_KIB: u64 = 64 * 1024;

/// How the keys lie, how they are read, and how fast.
const WAYS: &[(&str, usize, Reader)] = &[
    ("a list of one group", 1, Reader::List),
    ("an inventory of one group", 1, Reader::Inventory { slowly: false }),
    ("an inventory of one group, consumed slowly", 1, Reader::Inventory { slowly: true }),
    ("an inventory of a thousand groups", 1000, Reader::Inventory { slowly: false }),
    ("an inventory of a thousand groups, consumed slowly", 1000, Reader::Inventory { slowly: true }),
];

#[derive(Clone, Copy)]
enum Reader {
    List,
    /// Slowly: with a pause of a millisecond after every five hundred keys.
    Inventory {
        slowly: bool,
    },
}

/// Baseten's groups and their lists, made as they are asked for: the cursor is the number of the first item.
#[derive(Debug)]
struct Groups(usize);

#[async_trait]
impl Transport for Groups {
    async fn execute(&self, request: Request, _: &Exchange) -> Result<Response, TransportError> {
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor");
        let first: usize = cursor.map_or(0, |(_, value)| value.parse().unwrap());
        // An answer takes its time, so that others can be under way.
        tokio::task::yield_now().await;
        let (all, row): (usize, fn(usize) -> String) = if request.url.path().ends_with("/api_keys") {
            (KEYS / self.0, |number| format!(r#"{{"prefix":"sky_{number:012}","name":"key number {number}"}}"#))
        } else {
            (self.0, |number| {
                format!(r#"{{"id":"g{number}","metadata":{{"name":null,"external_entity_id":"e"}},"hierarchy":null}}"#)
            })
        };
        let next = (first + PAGE).min(all);
        let rows: Vec<String> = (first..next).map(row).collect();
        let (more, cursor) = if next < all { ("true", format!("\"{next}\"")) } else { ("false", "null".to_owned()) };
        let rows = rows.join(",");
        let body = format!(r#"{{"items":[{rows}],"pagination":{{"has_more":{more},"cursor":{cursor}}}}}"#);
        Ok(Response::new(body.into()))
    }
}

fn main() {
    let way = std::env::args().nth(1).and_then(|word| word.parse::<usize>().ok());
    if let Some((what, groups, reader)) = way.and_then(|way| WAYS.get(way)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        return runtime.block_on(read(what, *groups, *reader));
    }
    for (way, (what, ..)) in WAYS.iter().enumerate() {
        let ended = Command::new(std::env::current_exe().unwrap()).arg(way.to_string()).status().unwrap();
        assert!(ended.success(), "{what}");
    }
}

async fn read(what: &str, groups: usize, reader: Reader) {
    let options = ClientOptions::new().with_transport(Arc::new(Groups(groups)));
    let client = baseten::Config::new("no-credential").with_options(options).build().unwrap();
    let before = peak_kib();
    let started = Instant::now();
    let mut count = 0;
    match reader {
        Reader::List => {
            let client = Arc::new(client) as Arc<dyn ApiKeyProvider>;
            let mut keys = KeyStream::new(client, Scope::new(["g"]).unwrap(), None);
            while let Some(key) = keys.next().await {
                key.unwrap();
                count += 1;
            }
        }
        Reader::Inventory { slowly } => {
            let mut keys = Keymux::builder().with_provider(client).build().unwrap().inventory().stream().unwrap();
            while let Some(key) = keys.next().await {
                key.unwrap();
                count += 1;
                if slowly && count % 500 == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            assert!(keys.completeness().is_complete());
        }
    }
    assert_eq!(count, KEYS);
    let seconds = started.elapsed().as_secs_f64();
    println!("{what}: {count} keys in {seconds:.2} s");
    match (before, peak_kib()) {
        (Some(before), Some(after)) => {
            println!("  peak memory: {before} KiB before, {after} KiB after");
            assert!(after < BAR_KIB, "the bar is {BAR_KIB} KiB");
        }
        _ => println!("  peak memory: this operating system does not tell"),
    }
}

/// The largest resident memory of this process so far, where `/proc` tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
