//! The inventory over real sockets, at the emulator: the vendors' own lists, with faults, and the connections when it is
//! dropped.

use std::collections::BTreeSet;
use std::time::Duration;

use keymux::{
    AccountState, Checkpoint, ErrorKind, InventoryBuilder, Keymux, PartResult, UnitStatus, baseten, mielto, oneloop,
};
use keymux_emulator::{DelayForm, Drift, Emulator, Fault, FaultAnswer, FaultPlan, FaultRule, Vendor};
use tokio::runtime::Handle;

use super::super::clock::Stage;
use super::super::limits::{five, generated};
use super::{at_most, name, rest, state};
use crate::support::once;

/// The vendors that can list.
fn listing(emulator: &Emulator) -> [&Vendor; 4] {
    [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.oneloop()]
}

/// Every key of the vendors, as text.
fn everything(vendors: &[&Vendor], keys: usize) -> BTreeSet<String> {
    let of_one = |vendor: &&Vendor| generated(vendor.name(), vendor, keys);
    vendors.iter().flat_map(of_one).map(|key| key.to_string()).collect()
}

/// What befalls one request in four or so.
fn troubles(seed: u64) -> FaultPlan {
    let told = Fault::rate_limited(DelayForm::Fraction, Duration::from_millis(1500));
    let untold = Fault::rate_limited(DelayForm::None, Duration::from_secs(1));
    let page = FaultAnswer::new(500).with_body("<html>").with_header("content-type", "text/html");
    let shares: [(f64, Fault); 11] = [
        (0.03, Fault::status(503)),
        (0.02, page.into()),
        (0.02, told),
        (0.02, untold),
        (0.03, Fault::Reset { applied: false }),
        (0.03, Fault::Reset { applied: true }),
        (0.03, Fault::TruncatedBody),
        (0.03, Fault::Drift(Drift::NewMember)),
        (0.03, Fault::Drift(Drift::NewValue)),
        (0.03, Fault::Drift(Drift::Null)),
        // Now and then one that no repeat mends.
        (0.02, Fault::status(403)),
    ];
    let rule = |plan: FaultPlan, (share, fault)| plan.with_rule(FaultRule::new(fault).share(share));
    shares.into_iter().fold(FaultPlan::new().with_seed(seed), rule)
}

fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

#[tokio::test]
async fn one_well_one_refused_and_one_throttled_in_the_middle_are_each_told() {
    let stage = Stage::with_keys(10_000).await;
    // The second page of the second of four groups, each of 2,500 keys on three pages.
    let throttled = Fault::rate_limited(DelayForm::Own, Duration::from_secs(90));
    stage.baseten().faults(FaultRule::new(throttled).on("list_api_keys").nth(5)).unwrap();
    let (well, refused, throttled) = (stage.oneloop(), stage.mielto(), stage.baseten());
    let config = mielto::Config::new("not-the-credential").with_base_url(refused.base_url());
    let builder = Keymux::builder().with_account("refused", config.with_options(stage.options()).build().unwrap());
    let config = oneloop::Config::new(well.credential()).with_base_url(well.base_url());
    let builder = builder.with_account("well", config.with_options(stage.options()).build().unwrap());
    let config = baseten::Config::new(throttled.credential()).with_base_url(throttled.base_url());
    let builder = builder.with_account("throttled", config.with_options(stage.options()).build().unwrap());
    let inventory = builder.build().unwrap().inventory().with_concurrency(at_most(1));
    let mut stream = inventory.stream().unwrap();
    let (keys, end) = rest(&mut stream).await;
    let of = |account: &str| keys.iter().filter(|key| key.starts_with(account)).count();
    assert_eq!((of("well:"), of("refused:"), of("throttled:")), (10_000, 0, 8500));
    assert_eq!(stage.baseten().request_count(), 12, "with the list of groups; the others are not limited");

    let completeness = end.unwrap().completeness;
    assert!(!completeness.is_complete());
    let states = ["well", "refused", "throttled"].map(|account| state(&completeness, account));
    assert_eq!(states, [AccountState::Done, AccountState::Failed, AccountState::Failed]);
    let failures: Vec<_> = completeness.failures().collect();
    let told = |failure: usize| {
        let report = failures[failure].1.report();
        (failures[failure].0.account().as_str(), report.kind, report.status, report.retry_after_seconds)
    };
    // Of the groups the one that was refused.
    assert_eq!(failures.len(), 2);
    assert_eq!(told(0), ("refused", ErrorKind::Unauthenticated, Some(401), None));
    let partial = |unit: &&keymux::UnitOutcome| unit.records == 1000;
    assert_eq!(completeness.account(&name("throttled")).unwrap().units().map(|unit| unit.1).filter(partial).count(), 1);
    assert_eq!(told(1), ("throttled", ErrorKind::RateLimited, Some(429), Some(90.0)));
    let typed = failures[1..].iter().map(|(_, failure)| std::error::Error::source(failure.error().unwrap()).unwrap());
    for typed in typed {
        assert!(matches!(typed.downcast_ref(), Some(baseten::Error::RateLimited(_))), "{typed:?}");
    }
    assert!(stage.elapsed() < Duration::from_secs(60), "nobody waits for what the vendor asks: {:?}", stage.elapsed());
}

#[tokio::test]
async fn a_hundred_thousand_keys_at_five_vendors_with_faults_are_exact_or_honestly_not() {
    const KEYS: usize = 20_000;
    let stage = Stage::with_keys(KEYS).await;
    for vendor in stage.vendors() {
        vendor.faults(troubles(7)).unwrap();
    }
    let everything = everything(&listing(&stage), KEYS);
    let keymux = five(&stage, &stage.options());
    let mut given = BTreeSet::new();
    let mut from = None;
    for round in 0..20 {
        let resumed = from.take().into_iter().fold(keymux.inventory(), InventoryBuilder::resume);
        let mut stream = resumed.stream().unwrap();
        let (keys, end) = rest(&mut stream).await;
        let known = given.len() + keys.len();
        given.extend(keys);
        assert_eq!(given.len(), known, "no key comes twice");
        let completeness = end.expect("a vendor that cannot list, and one that lists less").completeness;
        assert!(!completeness.is_complete());
        assert_eq!(completeness.records(), given.len() as u64, "what is told is what was given");
        assert_eq!(state(&completeness, "datkey"), AccountState::Unsupported);
        for (vendor, whole) in listing(&stage).into_iter().zip([
            AccountState::Done,
            AccountState::Narrower,
            AccountState::Done,
            AccountState::Done,
        ]) {
            let prefix = format!("{}:", vendor.name());
            let is_all = given.iter().filter(|key| key.starts_with(&prefix)).count() == KEYS;
            let told = state(&completeness, vendor.name());
            // The end of a list may be what failed.
            assert!(told == AccountState::Failed || (told == whole && is_all), "{}: {told}", vendor.name());
        }
        if completeness.failures().next().is_none() {
            assert_eq!(given, everything);
            assert!(round > 0, "the faults bite");
            let struck =
                |vendor: &Vendor| vendor.requests().iter().filter(|request| request.faults().count() > 0).count();
            assert!(listing(&stage).into_iter().map(struck).sum::<usize>() > 50);
            return;
        }
        from = Some(stored(&stream.checkpoint()));
    }
    panic!("not done after twenty rounds");
}

#[tokio::test]
async fn a_run_that_is_killed_in_the_midst_of_faults_and_resumed_by_another_process_gives_each_key_once() {
    const KEYS: usize = 4000;
    let stage = Stage::with_keys(KEYS).await;
    let vendors = [stage.baseten(), stage.mielto(), stage.oneloop()];
    for vendor in vendors {
        vendor.faults(troubles(11)).unwrap();
    }
    let (mut given, mut from, mut runs) = (BTreeSet::new(), None::<Checkpoint>, 0);
    loop {
        runs += 1;
        // Clients of its own, which know nothing of the runs before.
        let keymux = five(&stage, &stage.options());
        let inventory = match from.take() {
            Some(checkpoint) => keymux.inventory().resume(checkpoint),
            None => keymux.inventory().skip(name("braintrust")).skip(name("datkey")),
        };
        let mut stream = inventory.stream().unwrap();
        // Killed after so many keys, unless it ends before.
        for _ in 0..777 {
            match stream.next().await {
                Some(Ok(record)) => assert!(given.insert(record.key_ref().to_string()), "a key came twice"),
                Some(Err(_)) | None => break,
            }
        }
        let completeness = stream.completeness();
        assert_eq!(completeness.records(), given.len() as u64);
        let is_done = vendors.iter().all(|vendor| state(&completeness, vendor.name()) == AccountState::Done);
        assert!(!is_done || given.len() == 3 * KEYS, "after {runs} runs");
        if is_done {
            break;
        }
        from = Some(stored(&stream.checkpoint()));
    }
    assert_eq!(given, everything(&vendors, KEYS));
    assert!(runs > 3 * KEYS / 777);
}

#[tokio::test]
async fn a_dropped_inventory_leaves_no_task_and_no_open_request() {
    let emulator = Emulator::builder().with_keys(10_000).start().await.unwrap();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let hang = || Fault::Hang { applied: false };
    emulator.baseten().faults(FaultRule::new(hang()).on("list_api_keys").nth(7)).unwrap();
    emulator.mielto().faults(hang()).unwrap();
    emulator.oneloop().faults(hang()).unwrap();
    let open = || emulator.vendors().into_iter().map(Vendor::open_requests).sum::<u64>();
    let arrived = || emulator.vendors().into_iter().map(Vendor::request_count).sum::<u64>();

    let keymux = five(&emulator, &once());
    let mut stream = keymux.inventory().stream().unwrap();
    // A group of Baseten's, Mielto's list, and Oneloop's list of workspaces.
    while open() < 3 || emulator.baseten().request_count() < 9 {
        stream.next().await.unwrap().unwrap();
    }
    let during = tasks();
    drop(stream);
    // The vendors see the connections go, and no more than those of idle connections are left.
    while open() > 0 || tasks() + 3 > during {
        tokio::task::yield_now().await;
    }
    let sent = arrived();
    drop(keymux);
    while tasks() > before {
        tokio::task::yield_now().await;
    }
    assert_eq!((tasks(), arrived(), open()), (before, sent, 0));
}

#[tokio::test]
async fn neither_completeness_nor_checkpoint_nor_progress_holds_the_credential() {
    let emulator = Emulator::start().await.unwrap();
    for vendor in emulator.vendors() {
        let said = format!("you sent {}", vendor.credential());
        let body = serde_json::json!({"code": "BAD", "message": said, "error": said, "detail": said});
        let (of_list, all) = (FaultAnswer::new(400).with_body(body), FaultAnswer::new(403).with_body(said.as_str()));
        let of_list = vendor.operations().into_iter().find(|name| *name == "list_api_keys").map(|_| of_list);
        // At Baseten the groups are told, and their keys are not.
        let plan = match of_list {
            Some(answer) if vendor.name() == "baseten" => FaultPlan::from(FaultRule::new(answer).on("list_api_keys")),
            _ => FaultPlan::from(Fault::from(all)),
        };
        vendor.faults(plan).unwrap();
    }
    let mut stream = five(&emulator, &once()).inventory().stream().unwrap();
    let (_, end) = rest(&mut stream).await;
    let incomplete = end.unwrap();
    assert!(incomplete.completeness.failures().count() >= 4);
    let texts = [
        serde_json::to_string(&stream.checkpoint()).unwrap(),
        serde_json::to_string(&stream.completeness()).unwrap(),
        format!("{:?} {:?} {:?} {incomplete:?} {incomplete}", stream, stream.checkpoint(), stream.progress()),
        stream.completeness().to_string(),
    ];
    for text in &texts {
        for vendor in emulator.vendors() {
            assert!(!text.contains(vendor.credential()), "{text}");
        }
    }
    assert!(texts[0].contains("you sent"), "the rest of the message is told: {}", texts[0]);
}

#[tokio::test]
async fn each_vendors_account_is_told_as_its_documents_have_it() {
    let emulator = Emulator::start().await.unwrap();
    let keymux = five(&emulator, &keymux::ClientOptions::new());
    let mut stream = keymux.inventory().stream().unwrap();
    let (keys, end) = rest(&mut stream).await;
    let mut seeded = Vec::new();
    for vendor in [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.oneloop()] {
        let address = |path: &Vec<String>| keymux::KeyAddress::new(path.iter().cloned()).unwrap();
        seeded.extend(vendor.seeded().iter().map(|path| format!("{}:{}", vendor.name(), address(path))));
    }
    seeded.sort();
    assert_eq!(keys, seeded);
    let completeness = end.unwrap().completeness;
    #[rustfmt::skip]
    let table = [
        ("baseten",    AccountState::Done,        Some("workspace's own keys")),
        ("braintrust", AccountState::Narrower,    Some("service tokens")),
        ("mielto",     AccountState::Done,        Some("other workspaces")),
        ("datkey",     AccountState::Unsupported, None),
        ("oneloop",    AccountState::Done,        None),
    ];
    for (account, expected, beside) in table {
        let outcome = completeness.account(&name(account)).unwrap();
        assert_eq!(outcome.state(), expected, "{account}");
        assert_eq!(outcome.not_listed().is_some(), beside.is_some(), "{account}");
        assert!(beside.is_none_or(|text| outcome.not_listed().unwrap().contains(text)), "{account}");
    }
    let of = |account: &str| completeness.account(&name(account)).unwrap();
    assert!(of("braintrust").narrower().unwrap().contains("the caller's own keys alone"));
    assert!(matches!(of("datkey").scopes(), PartResult::Unsupported { .. }));
    let done = |unit: &keymux::UnitOutcome| unit.standing == UnitStatus::Done;
    assert!(of("oneloop").units().all(|(found, unit)| !found.is_account() && done(unit)));
}
