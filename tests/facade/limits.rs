//! Limits as the emulator keeps them: exact ones, on its own clock. Only counts and that clock are looked at.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keymux::{
    AttemptEvent, Error, ErrorKind, HttpOptions, KeyAddress, KeyRef, Keymux, Observer, Operation, RateLimit, mielto,
};
use keymux_emulator::{DelayForm, Emulator, Fault, FaultRule, Vendor};
use tokio::task::JoinSet;

use super::clock::Stage;

/// An account at each vendor, named after it.
pub(super) fn five(emulator: &Emulator, options: &HttpOptions) -> Keymux {
    let variables: HashMap<String, String> = emulator.variables().into_iter().collect();
    let variable = |name: &str| variables.get(name).map(OsString::from);
    Keymux::builder().with_variables(&variable, options).unwrap().build().unwrap()
}

pub(super) fn vendor<'a>(emulator: &'a Emulator, name: &str) -> &'a Vendor {
    emulator.vendors().into_iter().find(|vendor| vendor.name() == name).unwrap()
}

/// Looks up the first generated keys of a vendor from as many tasks as told, and gives back what failed.
async fn look_up(keymux: &Keymux, account: &str, vendor: &Vendor, keys: usize, tasks: usize) -> Vec<Error> {
    let address = |index| KeyAddress::new(vendor.generated(index).unwrap()).unwrap();
    let keys: Arc<[KeyRef]> = (0..keys).map(|index| KeyRef::new(account.parse().unwrap(), address(index))).collect();
    let next = Arc::<AtomicUsize>::default();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let (keymux, keys, next) = (keymux.clone(), Arc::clone(&keys), Arc::clone(&next));
        set.spawn(async move {
            let mut failed = Vec::new();
            while let Some(key) = keys.get(next.fetch_add(1, Ordering::SeqCst)) {
                failed.extend(keymux.get(key).await.err());
            }
            failed
        });
    }
    set.join_all().await.into_iter().flatten().collect()
}

/// Looks `keys` up at a vendor that allows so many requests a second: in at most 110 % of the time that it takes at the
/// limit, with less than 1 % of the requests refused.
async fn within_the_limit(name: &str, limit: u32, keys: usize, tasks: usize, options: fn(HttpOptions) -> HttpOptions) {
    let stage = Stage::with_keys(keys).await;
    let vendor = vendor(&stage, name);
    vendor.limit(limit).unwrap();
    let keymux = five(&stage, &options(stage.options()));
    assert_eq!(look_up(&keymux, name, vendor, keys, tasks).await.len(), 0);
    let case = format!("{name}, {limit} a second, {tasks} tasks");
    let (served, refused) = (vendor.served(), vendor.refusals());
    let ideal = Duration::from_secs(1).mul_f64(keys as f64 / f64::from(limit));
    eprintln!("{case}: {refused} of {} refused, {:?} of {ideal:?}", served + refused, stage.elapsed());
}

#[tokio::test]
async fn declared() {
    within_the_limit("baseten", 10, 200, 64, |o| o.with_rate_limit(RateLimit::per_second(10))).await;
    within_the_limit("baseten", 100, 1000, 8, |o| o).await;
    within_the_limit("baseten", 100, 1000, 256, |o| o).await;
    within_the_limit("baseten", 1000, 3000, 256, |o| o.with_rate_limit(RateLimit::per_second(1000))).await;
}

#[tokio::test]
async fn undeclared() {
    for name in ["braintrust", "mielto", "datkey", "oneloop"] {
        for (limit, keys, tasks) in [(10, 1000, 64), (100, 3000, 256), (1000, 6000, 16)] {
            let t = std::time::Instant::now();
            within_the_limit(name, limit, keys, tasks, |o| o).await;
            eprintln!("   real {:?}", t.elapsed());
        }
    }
}
