//! An inventory in parts: stopped and resumed, or walked on several machines and merged.

use std::collections::BTreeSet;

use keymux::{AccountState, Capabilities, Checkpoint, Completeness, ErrorKind, Keymux, Operation, ProviderInfo};

use super::{Shelf, all, keymux, name, now, rest, scope, state, unit};

/// Through its stored form, as another process sees it.
fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

/// The first keys, and where the inventory stands then.
async fn first(keymux: &Keymux, from: Option<Checkpoint>, keys: usize) -> (Vec<String>, Checkpoint) {
    let builder = keymux.inventory();
    let mut stream = from.into_iter().fold(builder, keymux::InventoryBuilder::resume).stream().unwrap();
    let mut given = Vec::new();
    while given.len() < keys {
        match stream.next().await {
            Some(Ok(record)) => given.push(record.key_ref().to_string()),
            _ => break,
        }
    }
    (given, stored(&stream.checkpoint()))
}

#[test]
fn a_run_that_is_killed_anywhere_and_resumed_gives_each_key_once() {
    let (a, b) = (Shelf::new(&[("g1", 7), ("g2", 0), ("g3", 3), ("g4", 5), ("g5", 1)]), Shelf::flat(8));
    let accounts = [("a", &a), ("b", &b)];
    let keymux = keymux(&accounts);
    for killed_after in 0..=24 {
        let (mut keys, checkpoint) = now(first(&keymux, None, killed_after));
        assert!(!checkpoint.completeness().is_complete() || killed_after == 24, "{killed_after}");
        let mut stream = keymux.inventory().resume(checkpoint).stream().unwrap();
        let (more, end) = now(rest(&mut stream));
        keys.extend(more);
        keys.sort();
        assert_eq!(keys, all(&accounts), "killed after {killed_after}");
        assert!(end.is_none() && stream.completeness().is_complete());
        assert_eq!(stream.completeness().records(), 24, "the outcome is that of both runs");
        assert_eq!(stream.progress().iter().map(|account| account.records).sum::<u64>(), 24);
    }
}

#[test]
fn a_run_that_is_killed_after_every_key_gives_each_key_once() {
    let (a, b) = (Shelf::new(&[("g1", 7), ("g2", 4), ("g3", 3)]), Shelf::flat(8));
    let accounts = [("a", &a), ("b", &b)];
    let keymux = keymux(&accounts);
    let (mut keys, mut from) = (Vec::new(), None);
    loop {
        let (given, checkpoint) = now(first(&keymux, from, 1));
        from = Some(checkpoint);
        if given.is_empty() {
            break;
        }
        keys.extend(given);
    }
    keys.sort();
    assert_eq!(keys, all(&accounts));
    assert!(from.unwrap().completeness().is_complete());
}

#[test]
fn what_failed_is_tried_again_from_where_it_failed() {
    let scopes = [("g1", 8), ("g2", 2), ("g3", 2), ("g4", 2)];
    let shelf = Shelf::new(&scopes).failing("g1@1", ErrorKind::RateLimited).failing("scopes@1", ErrorKind::Server);
    let accounts = [("a", &shelf)];
    let keymux = keymux(&accounts);
    let mut stream = keymux.inventory().stream().unwrap();
    let (mut keys, end) = now(rest(&mut stream));
    assert_eq!((keys.len(), state(&end.unwrap().completeness, "a")), (7, AccountState::Failed));
    let asked = shelf.asked().len();
    shelf.mended();
    let mut stream = keymux.inventory().resume(stored(&stream.checkpoint())).stream().unwrap();
    let (more, end) = now(rest(&mut stream));
    keys.extend(more);
    keys.sort();
    assert_eq!((keys, end.is_none()), (all(&accounts), true));
    let again: BTreeSet<String> = shelf.asked().split_off(asked).into_iter().collect();
    assert_eq!(again, ["g1@1", "g1@2", "g4@0", "scopes@1"].map(str::to_owned).into());
}

#[test]
fn a_checkpoint_keeps_the_choice_of_accounts_and_units() {
    let (a, b) = (Shelf::new(&[("g1", 4), ("g2", 4), ("g3", 4)]), Shelf::flat(2));
    let keymux = keymux(&[("a", &a), ("b", &b)]);
    let mut stream = keymux.inventory().skip(name("b")).except([unit("a:g2")]).stream().unwrap();
    now(stream.next()).unwrap().unwrap();
    let (more, end) = now(rest(&mut keymux.inventory().resume(stored(&stream.checkpoint())).stream().unwrap()));
    assert_eq!(more.len(), 7);
    let completeness = end.unwrap().completeness;
    assert_eq!(
        (state(&completeness, "a"), state(&completeness, "b")),
        (AccountState::Unfinished, AccountState::Skipped)
    );
    let resumed = keymux.inventory().resume(stream.checkpoint()).skip(name("a")).stream().unwrap_err();
    assert_eq!(resumed.kind(), ErrorKind::Config);
}

#[test]
fn a_page_that_has_changed_is_given_again_rather_than_a_key_missed() {
    let mut shelf = Shelf::flat(5);
    let (keys, checkpoint) = now(first(&keymux(&[("a", &shelf)]), None, 2));
    assert_eq!(keys, ["a:k-0", "a:k-1"]);
    shelf.keys.values_mut().next().unwrap().remove(0);
    let (more, _) = now(rest(&mut keymux(&[("a", &shelf)]).inventory().resume(checkpoint).stream().unwrap()));
    assert_eq!(more, ["a:k-1", "a:k-2", "a:k-3", "a:k-4"], "all that there is, one of them again");
}

#[test]
fn a_checkpoint_is_refused_where_the_accounts_are_not_those_that_it_is_of() {
    let shelf = Shelf::flat(5);
    let (_, checkpoint) = now(first(&keymux(&[("a", &shelf), ("b", &shelf)]), None, 2));
    let mut other = shelf.clone();
    other.info = ProviderInfo::new(keymux::ProviderId::new("other"), "Other", ["id"])
        .with_capabilities(Capabilities::default().with_native([Operation::ListPage]));
    for others in [
        &[("a", &shelf)][..],
        &[("a", &shelf), ("c", &shelf)],
        &[("a", &shelf), ("b", &shelf), ("c", &shelf)],
        &[("a", &shelf), ("b", &other)],
    ] {
        let error = keymux(others).inventory().resume(checkpoint.clone()).stream().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("of the accounts a (shelf), b (shelf), and here are a (shelf)"), "{error}");
    }
}

#[test]
fn a_checkpoint_of_another_form_is_refused_by_its_version() {
    let (_, checkpoint) = now(first(&keymux(&[("a", &Shelf::flat(5))]), None, 2));
    let mut json = serde_json::to_value(&checkpoint).unwrap();
    assert_eq!(serde_json::from_value::<Checkpoint>(json.clone()).unwrap(), checkpoint);
    json["version"] = 7.into();
    let error = serde_json::from_value::<Checkpoint>(json).unwrap_err().to_string();
    assert!(error.contains("version 7") && error.contains("version 1"), "{error}");
}

#[test]
fn a_checkpoint_grows_with_the_scopes_and_not_with_the_keys() {
    let size = |keys| {
        let shelf = Shelf::new(&[("g1", keys), ("g2", keys)]);
        let (_, checkpoint) = now(first(&keymux(&[("a", &shelf)]), None, keys));
        serde_json::to_string(&checkpoint).unwrap().len()
    };
    assert!(size(2000) < size(20) + 32, "{} {}", size(20), size(2000));
}

#[test]
fn units_can_be_listed_walked_anywhere_and_merged_into_the_whole() {
    let (a, b, c) = (Shelf::new(&[("g1", 4), ("g2", 0), ("g3", 7), ("g4", 1)]), Shelf::flat(5), Shelf::new(&[]));
    let accounts = [("a", &a), ("b", &b), ("c", &c)];
    let keymux = keymux(&accounts);
    let plan = now(keymux.inventory().units()).unwrap();
    let text: Vec<String> = plan.units.iter().map(ToString::to_string).collect();
    assert_eq!(text, ["a:g1", "a:g2", "a:g3", "a:g4", "b"]);
    assert_eq!(a.asked(), ["scopes@0", "scopes@1"], "no key was listed");
    assert!(!plan.completeness.is_complete());
    for size in 1..=5 {
        let (mut keys, mut whole) = (Vec::new(), plan.completeness.clone());
        for units in plan.units.chunks(size) {
            let mut stream = keymux.inventory().only(units.iter().cloned()).stream().unwrap();
            let (given, end) = now(rest(&mut stream));
            keys.extend(given);
            assert!(end.is_some(), "a part is never the whole");
            let part: Completeness =
                serde_json::from_value(serde_json::to_value(stream.completeness()).unwrap()).unwrap();
            assert_eq!(part.clone().merge(whole.clone()).unwrap(), whole.clone().merge(part.clone()).unwrap());
            whole = whole.merge(part).unwrap();
        }
        keys.sort();
        assert_eq!((keys, whole.is_complete()), (all(&accounts), true), "{size} at a time");
    }
}

#[test]
fn parts_without_a_plan_are_not_known_to_be_the_whole() {
    let shelf = Shelf::new(&[("g1", 1), ("g2", 1)]);
    let keymux = keymux(&[("a", &shelf)]);
    let part = |text| now(keymux.inventory().only([unit(text)]).stream().unwrap().collect()).unwrap_err().completeness;
    let both = part("a:g1").merge(part("a:g2")).unwrap();
    assert_eq!((state(&both, "a"), both.is_complete()), (AccountState::Unfinished, false));
}

#[test]
fn a_plan_whose_scopes_cannot_be_listed_says_so() {
    let (a, b) = (Shelf::new(&[("g1", 1)]).failing("scopes@0", ErrorKind::Unauthenticated), Shelf::flat(1));
    let plan = now(keymux(&[("a", &a), ("b", &b)]).inventory().units()).unwrap();
    assert_eq!(plan.units, [unit("b")]);
    assert_eq!(state(&plan.completeness, "a"), AccountState::Failed);
}

#[test]
fn of_a_scope_in_both_parts_the_better_outcome_counts() {
    let ill = Shelf::new(&[("g1", 8)]).failing("g1@1", ErrorKind::Server);
    let worse = Shelf::new(&[("g1", 8)]).failing("g1@0", ErrorKind::Timeout);
    let well = Shelf::new(&[("g1", 8)]);
    let outcome = |shelf: &Shelf| {
        let mut stream = keymux(&[("a", shelf)]).inventory().stream().unwrap();
        now(rest(&mut stream));
        stream.completeness()
    };
    let unfinished = keymux(&[("a", &well)]).inventory().stream().unwrap().completeness();
    let skipped = keymux(&[("a", &well)]).inventory().skip(name("a")).stream().unwrap().completeness();
    let ranks = [skipped, unfinished, outcome(&worse), outcome(&ill), outcome(&well)];
    for (lower, worse) in ranks.iter().enumerate() {
        for better in &ranks[lower..] {
            for merged in [worse.clone().merge(better.clone()), better.clone().merge(worse.clone())] {
                assert_eq!(merged.unwrap(), *better);
            }
        }
    }
}

#[test]
fn parts_of_another_inventory_are_not_merged() {
    let shelf = Shelf::flat(1);
    let mut other = shelf.clone();
    other.info = ProviderInfo::new(keymux::ProviderId::new("other"), "Other", ["id"]);
    let of = |shelf: &Shelf| keymux(&[("a", shelf)]).inventory().stream().unwrap();
    let error = of(&shelf).completeness().merge(of(&other).completeness()).unwrap_err();
    assert!(error.to_string().contains("shelf") && error.to_string().contains("other"), "{error}");
    assert!(of(&shelf).checkpoint().merge(of(&other).checkpoint()).is_err());
}

#[test]
fn checkpoints_of_parts_are_merged_and_resumed_as_one() {
    let (a, b) = (Shelf::new(&[("g1", 7), ("g2", 7), ("g3", 4), ("g4", 2)]), Shelf::flat(8));
    let accounts = [("a", &a), ("b", &b)];
    let keymux = keymux(&accounts);
    let mut keys = Vec::new();
    let mut parts = Vec::new();
    for units in [vec![unit("a:g1"), unit("b")], vec![unit("a:g2"), unit("a:g3")]] {
        let mut stream = keymux.inventory().only(units).stream().unwrap();
        for _ in 0..5 {
            keys.push(now(stream.next()).unwrap().unwrap().key_ref().to_string());
        }
        parts.push(stored(&stream.checkpoint()));
    }
    // A run of everything that has only found the first scopes.
    let whole = keymux.inventory().stream().unwrap().checkpoint();
    let merged = parts.into_iter().fold(whole, |whole, part| whole.merge(part).unwrap());
    let mut stream = keymux.inventory().resume(merged).stream().unwrap();
    let (more, end) = now(rest(&mut stream));
    keys.extend(more);
    keys.sort();
    assert_eq!((keys, end.is_none()), (all(&accounts), true));
    assert!(stream.completeness().account(&name("a")).unwrap().units().any(|(found, _)| *found == scope("g4")));
}
