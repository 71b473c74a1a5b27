//! `keymux orphans`: keys that were made for a while, and whose end nobody has seen to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use keymux::rotation::{StampPlace, Stamped};
use keymux::{AccountName, Error, ErrorKind, Field, KeyRecord, KeyRef, KeyState, Keymux, Operation, Scope, WorkUnit};

use crate::args::OrphansArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure, Tally};
use crate::interrupt::{Interrupt, Taken};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::progress::{Progress, Waits};
use crate::rows::{OrphanRow, Problem, Summary};
use crate::state::{Found, Lease, State};

/// No request takes as long, and no list is behind by as much.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

const SHOWN: &[&str] = &["ref", "scope", "name", "made_at", "found_by", "id"];

pub(super) async fn run(loader: &Loader<'_>, args: OrphansArgs, console: &Console) -> Result<Exit, Failure> {
    let state = State::locate()?;
    if !args.acknowledge.is_empty() {
        return acknowledge(&state, &args.acknowledge, loader.reason(), console);
    }
    let plan = Plan::read::<OrphanRow>(&args.listing, console, SHOWN)?;
    let waits = Arc::<Waits>::default();
    let loader = loader.told(&waits);
    let accounts: BTreeSet<AccountName> = args.accounts.into_iter().collect();
    let keymux = if accounts.is_empty() { loader.all().await? } else { loader.any_of(&accounts).await? };
    super::any_account(&keymux)?;
    let asked = |name: &AccountName| accounts.is_empty() || accounts.contains(name);

    let (found, unreadable) = state.leases()?;
    for path in unreadable {
        console.failed(&format!("{} is no state of a lease that this program reads; look at it", path.display()));
    }
    let (run, over): (Vec<Found>, Vec<Found>) =
        found.into_iter().filter(|found| asked(&found.lease.account)).partition(|found| found.runs);
    let known: BTreeSet<String> = run.into_iter().map(|found| found.lease.id).collect();
    let acknowledged = state.acknowledged()?;

    let mut output = Output::new(console, plan);
    let mut tally = Tally::default();
    let (mut interrupt, _taken) = (Interrupt::listen(), Taken::for_output());
    let mut seen = Seen::default();
    let mut progress = Progress::new(console.draws(output.holds()), &waits);
    let mut interrupted = false;
    let names: Vec<AccountName> = keymux.accounts().map(|(name, _)| name.clone()).filter(|name| asked(name)).collect();
    let lists = |name: &AccountName| {
        keymux.account(name).is_ok_and(|account| account.info().capabilities().is_native(Operation::ListPage))
    };
    let broken: BTreeSet<&AccountName> = keymux.unavailable_accounts().map(|(name, _)| name).collect();
    let listed: Vec<AccountName> = names.iter().filter(|name| lists(name) || broken.contains(name)).cloned().collect();
    if !listed.is_empty() {
        let mut keys = keymux.inventory().accounts(listed).stream()?;
        loop {
            let Some(next) = interrupt.or(progress.next(&mut keys)).await else {
                interrupted = true;
                break;
            };
            let Some(Ok(record)) = next else { break };
            seen.take(record);
        }
        for (unit, failure) in keys.completeness().failures() {
            if let Some(error) = failure.error() {
                console.error(Some(&unit.to_string()), error);
                tally.failure(error);
            }
            output.problem(&Problem::of_scope(unit.scope().clone(), failure.report().clone()))?;
            seen.failed.insert(unit.account().clone());
        }
    }
    drop(progress);
    tally_names(&names, &seen, &mut tally);

    for found in over {
        let lease = &found.lease;
        let looked = if interrupted { None } else { interrupt.or(look(&keymux, &found, &seen)).await };
        let looked = looked.unwrap_or_else(|| {
            interrupted = true;
            Looked::There(lease.key())
        });
        match looked {
            Looked::Gone => {
                console.note(&format!("keymux: the lease {} is over: its key is gone, or was never made", lease.id));
                let _ = std::fs::remove_file(&found.path);
            }
            Looked::There(key) => {
                if !key.as_ref().is_some_and(|key| acknowledged.contains(&key.to_string())) {
                    output.row(OrphanRow::of_lease(lease, key.as_ref()))?;
                }
            }
            Looked::Failed(error) => {
                console.error(None, &error);
                tally.failure(&error);
                output.problem(&Problem::new(&error))?;
                output.row(OrphanRow::of_lease(lease, lease.key().as_ref()))?;
            }
        }
        seen.stamped.remove(&lease.id);
    }
    for (id, records) in seen.stamped.iter().filter(|(id, _)| !known.contains(*id) && !acknowledged.contains(*id)) {
        for record in records {
            if !acknowledged.contains(&record.key_ref().to_string()) {
                output.row(OrphanRow::of_stamp(record, &unit_of(record)?, id.clone()))?;
            }
        }
    }
    // Where a vendor lists nothing, what bears a stamp is not found.
    let blind: Vec<&AccountName> = names.iter().filter(|name| !lists(name)).collect();
    for name in &blind {
        console.note(&format!("keymux: {name}: the vendor lists no keys; only leases of this machine are known"));
    }
    output.finish(Some(Summary::new(blind.is_empty() && seen.failed.is_empty(), interrupted)))?;
    Ok(if interrupted { interrupt.exit() } else { tally.exit() })
}

/// An account that was read is a success, whatever it has.
fn tally_names(names: &[AccountName], seen: &Seen, tally: &mut Tally) {
    if names.iter().any(|name| !seen.failed.contains(name)) {
        tally.success();
    }
}

/// The keys that bear a stamp and may work, by its id.
#[derive(Default)]
struct Seen {
    stamped: BTreeMap<String, Vec<KeyRecord>>,
    failed: BTreeSet<AccountName>,
}

impl Seen {
    fn take(&mut self, record: KeyRecord) {
        if is_over(&record) {
            return;
        }
        if let Some(stamped) = Stamped::of(&record) {
            self.stamped.entry(stamped.id).or_default().push(record);
        }
    }
}

fn is_over(record: &KeyRecord) -> bool {
    matches!(record.status.state, KeyState::Revoked | KeyState::Expired)
}

/// What became of the key of a lease.
enum Looked {
    Gone,
    /// It is there, or nobody knows.
    There(Option<KeyRef>),
    Failed(Error),
}

async fn look(keymux: &Keymux, found: &Found, seen: &Seen) -> Looked {
    let lease = &found.lease;
    let Some(key) = lease.key() else {
        let stamped = seen.stamped.get(&lease.id).and_then(|records| records.first());
        return match stamped {
            Some(record) => Looked::There(Some(record.key_ref())),
            None if shows(keymux, found) && is_settled(lease) && !seen.failed.contains(&lease.account) => Looked::Gone,
            None => Looked::There(None),
        };
    };
    match keymux.get(&key).await {
        Ok(record) if is_over(&record) => Looked::Gone,
        Ok(_) => Looked::There(Some(key)),
        Err(error) if error.kind() == ErrorKind::NotFound && error.attempts() > 0 => Looked::Gone,
        Err(error) => Looked::Failed(error),
    }
}

/// Whether the vendor's list would show the key's stamp.
fn shows(keymux: &Keymux, found: &Found) -> bool {
    let Ok(account) = keymux.account(&found.lease.account) else { return false };
    let info = account.info();
    let says = match found.lease.stamp {
        StampPlace::Metadata => info.supports_field(Field::Metadata),
        StampPlace::Name => info.supports_field(Field::Name),
        _ => false,
    };
    says && info.capabilities().is_native(Operation::ListPage) && info.capabilities().narrower_list().is_none()
}

/// Whether a request of then can no longer be under way, and every list of the vendor has what it made.
fn is_settled(lease: &Lease) -> bool {
    Timestamp::now().duration_since(lease.since) > SETTLED
}

/// Where a key is, as `keymux list` takes it.
fn unit_of(record: &KeyRecord) -> Result<WorkUnit, Failure> {
    let scope = around(&record.key_ref())?;
    Ok(WorkUnit::new(record.account.clone(), scope))
}

/// Settles leases, and remembers keys that somebody knows of.
fn acknowledge(state: &State, what: &[String], reason: Option<&str>, console: &Console) -> Result<Exit, Failure> {
    for text in what {
        let (leases, _) = state.leases()?;
        if let Some(found) = leases.iter().find(|found| found.lease.id == *text) {
            if found.runs {
                return Err(Failure::Usage(format!("the run of the lease {text} goes on; its key is no orphan")));
            }
            // Its key may come to light by its stamp.
            state.acknowledge(text, reason)?;
            let removed = std::fs::remove_file(&found.path);
            removed.map_err(|error| Failure::Io(format!("removing {}", found.path.display()), error))?;
            console.note(&format!("keymux: {text} is acknowledged"));
            continue;
        }
        let key: KeyRef = text.parse().map_err(|error| {
            Failure::Usage(format!("{}: no lease has this id, and {error}", crate::text::shown(text)))
        })?;
        state.acknowledge(&key.to_string(), reason)?;
        state.settle(&key)?;
        console.note(&format!("keymux: {key} is acknowledged"));
    }
    Ok(Exit::Success)
}

/// The scope that a key is in.
fn around(key: &KeyRef) -> Result<Scope, Failure> {
    let segments: Vec<&str> = key.address().segments().collect();
    let parents = segments.split_last().map(|(_, parents)| parents).unwrap_or_default();
    Ok(if parents.is_empty() { Scope::account() } else { Scope::new(parents.iter().copied())? })
}
