//! Every step at every vendor: what fails there, what is then known, and that it goes on.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use keymux::rotation::{OldKeyEnd, OldKeyState, ProofLimit, Stage};
use keymux::{Clock, Error, ErrorKind, ExposeSecret as _, IssuedKey, OldKey, Rotation, RotationCause, Sleep};
use keymux_emulator::{DelayForm, Fault, FaultAnswer};

use crate::support::{Desk, VENDORS, is_done, keeping, reread, stage};

fn saved(_: Rotation) -> std::future::Ready<Result<(), Error>> {
    std::future::ready(Ok(()))
}

fn stored(_: IssuedKey) -> std::future::Ready<Result<(), Error>> {
    std::future::ready(Ok(()))
}

#[tokio::test]
async fn a_rotation_goes_from_planned_to_done_and_is_stored_in_between() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let states = Mutex::new(Vec::new());
        let save = |rotation: Rotation| {
            states.lock().unwrap().push((stage(&rotation), desk.sent(names.create), desk.sent(names.revoke)));
            assert!(rotation.to_json().len() < 2048, "{}", rotation.to_json());
            std::future::ready(Ok::<_, Error>(()))
        };
        let plaintext = Mutex::new(String::new());
        let store = |issued: IssuedKey| {
            assert_eq!(desk.sent(names.revoke), 0, "nothing is ended before the plaintext is stored");
            *plaintext.lock().unwrap() = issued.plaintext.expose_secret().to_owned();
            std::future::ready(Ok::<_, Error>(()))
        };
        let rotated = desk.rotator().run(desk.begin().await, save, store).await.unwrap();
        assert_eq!(rotated.old, OldKeyState::Ended(OldKeyEnd::Revoked));
        // Each state is stored before the request that follows it.
        let expected = [("making", 0, 0), ("made", 1, 0), ("stored", 1, 0), ("done", 1, 1)];
        assert_eq!(*states.lock().unwrap(), expected, "{}", names.vendor);
        let plaintext = plaintext.into_inner().unwrap();
        assert!(!plaintext.is_empty());
        for text in [rotated.rotation.to_json(), format!("{:?}", rotated.rotation), rotated.rotation.to_string()] {
            assert!(!text.contains(&plaintext), "{text}");
        }
        let done = desk.goes_on(&rotated.rotation, before).await;
        assert_eq!((desk.sent(names.create), desk.sent(names.revoke)), (1, 1), "a finished one sends nothing");
        assert!(is_done(&done));
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_creation_is_settled_or_the_orphan_is_named() {
    for names in VENDORS {
        for applied in [true, false] {
            let desk = Desk::of(names).await;
            let before = desk.count().await;
            let mut rotation = desk.begin().await;
            desk.rotator().prepare(&mut rotation).await.unwrap();
            desk.fault(names.create, Fault::Reset { applied }, 1);
            let error = desk.rotator().make(&mut rotation).await.unwrap_err();
            assert_eq!((error.kind(), stage(&rotation)), (ErrorKind::OutcomeUnknown, "making"), "{}", names.vendor);
            assert!(desk.works(&desk.old).await);
            // The same state cannot be sent again.
            let error = desk.rotator().make(&mut rotation).await.unwrap_err();
            assert_eq!((error.kind(), desk.sent(names.create)), (ErrorKind::Conflict, 1));

            let done = desk.goes_on(&rotation, before).await;
            assert_eq!(desk.sent(names.create), 2);
            if names.lists {
                assert!(done.orphans().is_empty(), "{done}");
                // What the lost answer was about is revoked with the old key, and nothing else is.
                assert_eq!(desk.sent(names.revoke), if applied { 2 } else { 1 }, "{}", names.vendor);
            } else {
                let orphan = &done.orphans()[0];
                assert_eq!((orphan.scope.to_string().as_str(), orphan.candidates.len()), ("api_example_1", 0));
                assert!(done.to_string().contains("there may be a key"), "{done}");
                assert!(orphan.stamp.is_some() && orphan.name.is_some());
            }
        }
    }
}

#[tokio::test]
async fn a_creation_that_was_not_carried_out_leaves_a_plan() {
    for names in VENDORS {
        let limited = Fault::rate_limited(DelayForm::Seconds, Duration::from_secs(86_400));
        for fault in [Fault::status(403), limited] {
            let desk = Desk::of(names).await;
            let mut rotation = desk.begin().await;
            desk.rotator().prepare(&mut rotation).await.unwrap();
            desk.fault(names.create, fault, 9);
            let error = desk.rotator().make(&mut rotation).await.unwrap_err();
            assert!(!error.may_have_executed(), "{error}");
            assert_eq!((stage(&rotation), desk.sent(names.revoke)), ("planned", 0), "{}", names.vendor);
            assert!(desk.works(&desk.old).await);
        }
    }
}

#[tokio::test]
async fn a_creation_that_fails_with_a_500_may_have_made_a_key() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let mut rotation = desk.begin().await;
        desk.rotator().prepare(&mut rotation).await.unwrap();
        desk.fault(names.create, FaultAnswer::new(500).after_applying(), 1);
        let error = desk.rotator().make(&mut rotation).await.unwrap_err();
        assert_eq!((error.kind(), stage(&rotation)), (ErrorKind::OutcomeUnknown, "making"));
        desk.goes_on(&rotation, before).await;
    }
}

#[tokio::test]
async fn a_dropped_future_leaves_a_state_that_goes_on() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let mut rotation = desk.begin().await;
        desk.rotator().prepare(&mut rotation).await.unwrap();
        desk.fault(names.create, Fault::Hang { applied: true }, 1);
        let short = Duration::from_millis(100);
        assert!(tokio::time::timeout(short, desk.rotator().make(&mut rotation)).await.is_err());
        assert_eq!(stage(&rotation), "making");
        let done = desk.goes_on(&rotation, before).await;
        assert_eq!(done.orphans().len(), usize::from(!names.lists));

        let (mut rotation, _) = desk_made(&desk, &done).await;
        rotation.stored().unwrap();
        desk.fault(names.revoke, Fault::Hang { applied: true }, 1);
        assert!(tokio::time::timeout(short, desk.rotator().finish(&mut rotation)).await.is_err());
        assert_eq!(stage(&rotation), "stored");
        desk.rotator().finish(&mut reread(&rotation)).await.unwrap();
    }
}

/// A rotation of the successor, up to `made`.
async fn desk_made(desk: &Desk, done: &Rotation) -> (Rotation, IssuedKey) {
    let plan = desk.rotator().plan(&done.new_key().unwrap()).await.unwrap();
    let mut key = plan.new_key().clone();
    if !desk.names.lists {
        key.scope = keymux::Scope::new(["api_example_1"]).unwrap();
    }
    let mut rotation = plan.with_new_key(key).unwrap().begin().unwrap();
    desk.rotator().prepare(&mut rotation).await.unwrap();
    let issued = desk.rotator().make(&mut rotation).await.unwrap();
    (rotation, issued)
}

#[tokio::test]
async fn a_process_that_ends_after_the_answer_makes_another_key_and_revokes_the_first_one_when_that_is_stored() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let (mut rotation, issued) = desk.made().await;
        let lost = issued.key_ref().unwrap();
        assert_eq!(rotation.new_key(), Some(lost.clone()));
        // What is not said to be stored ends nothing.
        let error = desk.rotator().finish(&mut rotation).await.unwrap_err();
        assert_eq!((error.kind(), desk.sent(names.revoke)), (ErrorKind::Conflict, 0));

        desk.rotator().prepare(&mut rotation).await.unwrap();
        assert_eq!(rotation.abandoned()[0].address, *lost.address());
        let second = desk.rotator().make(&mut rotation).await.unwrap();
        assert!(desk.works(&lost).await, "somebody may use it");
        rotation.stored().unwrap();
        desk.rotator().finish(&mut rotation).await.unwrap();
        assert!(!desk.works(&lost).await && desk.works(&second.key_ref().unwrap()).await);
        assert_eq!(desk.count().await, before);
    }
}

#[tokio::test]
async fn a_caller_that_knows_that_the_plaintext_is_stored_goes_on_without_another_key() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let (mut rotation, _) = desk.made().await;
        rotation.stored().unwrap();
        desk.goes_on(&rotation, before).await;
        assert_eq!((desk.sent(names.create), desk.sent(names.revoke)), (1, 1));
    }
}

#[tokio::test]
async fn an_old_key_that_is_not_ended_is_ended_by_the_next_run() {
    for names in VENDORS {
        let faults: [Fault; 4] = [
            Fault::status(403),
            Fault::status(500),
            Fault::Reset { applied: false },
            Fault::rate_limited(DelayForm::Seconds, Duration::from_secs(86_400)),
        ];
        for fault in faults {
            let desk = Desk::of(names).await;
            let before = desk.count().await;
            let (mut rotation, issued) = desk.made().await;
            rotation.stored().unwrap();
            desk.fault(names.revoke, fault.clone(), 9);
            let stopped = desk.rotator().run(reread(&rotation), saved, stored).await.unwrap_err();
            assert_eq!(stage(stopped.rotation().unwrap()), "stored", "{fault:?}");
            assert!(desk.works(&desk.old).await && desk.works(&issued.key_ref().unwrap()).await);
            desk.vendor().faults(keymux_emulator::FaultPlan::new()).unwrap();
            desk.goes_on(&rotation, before).await;
            assert_eq!(desk.sent(names.create), 1);
        }
    }
}

#[tokio::test]
async fn an_old_key_that_somebody_else_revoked_is_gone() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let (mut rotation, _) = desk.made().await;
        rotation.stored().unwrap();
        desk.keymux.revoke(&desk.old).await.unwrap();
        let old = desk.rotator().finish(&mut rotation).await.unwrap();
        // Oneloop keeps its deleted keys, and deletes them again.
        let expected = if names.vendor == "oneloop" { OldKeyEnd::Revoked } else { OldKeyEnd::AlreadyGone };
        assert_eq!(old, OldKeyState::Ended(expected));
    }
}

#[tokio::test]
async fn an_old_key_is_kept_until_its_time_or_until_told() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let clock = Arc::new(Moved::default());
        let rotator = desk.rotator().with_clock(Arc::clone(&clock) as _);
        let until = clock.timestamp().checked_add(Duration::from_secs(3600)).unwrap();
        let rotation = keeping(desk.plan().await, OldKey::KeepUntil(until));
        let rotated = rotator.run(rotation, saved, stored).await.unwrap();
        assert_eq!(rotated.old, OldKeyState::Kept(Some(until)));
        assert!(desk.works(&desk.old).await && desk.sent(names.revoke) == 0);
        let mut rotation = reread(&rotated.rotation);
        assert_eq!(rotator.finish(&mut rotation).await.unwrap(), OldKeyState::Kept(Some(until)));
        clock.advance(Duration::from_secs(3600));
        assert_eq!(rotator.finish(&mut rotation).await.unwrap(), OldKeyState::Ended(OldKeyEnd::Revoked));

        let desk = Desk::of(names).await;
        let rotation = keeping(desk.plan().await, OldKey::KeepUntilTold);
        let mut rotation = desk.rotator().run(rotation, saved, stored).await.unwrap().rotation;
        assert_eq!((stage(&rotation), desk.sent(names.revoke)), ("kept", 0));
        rotation.release();
        desk.rotator().finish(&mut reread(&rotation)).await.unwrap();
        assert!(!desk.works(&desk.old).await);
    }
}

#[tokio::test]
async fn an_old_key_is_set_to_expire_where_the_vendor_can() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let end: Timestamp = Timestamp::now().checked_add(Duration::from_secs(7200)).unwrap();
        let end = Timestamp::from_second(end.as_second()).unwrap();
        let plan = desk.plan().await.with_old_key(OldKey::ExpireAt(end));
        if matches!(names.vendor, "baseten" | "oneloop") {
            let error = plan.unwrap_err();
            assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("cannot change"), "{error}");
            continue;
        }
        let rotation = plan.unwrap().begin().unwrap();
        let rotated = desk.rotator().run(rotation, saved, stored).await.unwrap();
        assert_eq!(rotated.old, OldKeyState::Ended(OldKeyEnd::Expires(end)));
        assert_eq!(desk.keymux.get(&desk.old).await.unwrap().expires_at.known(), Some(&end));
        assert_eq!(desk.sent(names.revoke), 0);
    }
}

#[tokio::test]
async fn a_proof_is_repeated_until_it_holds_or_its_limit_and_nothing_is_ended_before() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let clock = Arc::new(Moved::default());
        let rotator = desk.rotator().with_clock(clock);
        let limit = ProofLimit::new(NonZeroU32::new(3).unwrap(), Duration::from_secs(600));
        let checks = AtomicU32::new(0);
        let check = |until: u32| {
            let (desk, checks) = (&desk, &checks);
            move || {
                assert_eq!(desk.sent(names.revoke), 0);
                let done = checks.fetch_add(1, Ordering::SeqCst) + 1;
                std::future::ready(if done >= until { Ok(()) } else { Err("401") })
            }
        };
        let rotation = desk.plan().await.with_proof().begin().unwrap();
        let stopped = rotator.run_with_proof(rotation, saved, stored, (limit, check(u32::MAX))).await.unwrap_err();
        assert!(matches!(stopped.cause(), RotationCause::NotProven { checks: 3, .. }), "{stopped}");
        assert!(stopped.to_string().contains("401") && desk.works(&desk.old).await);
        let mut rotation = reread(stopped.rotation().unwrap());
        assert_eq!(stage(&rotation), "stored");
        assert_eq!(rotator.finish(&mut rotation).await.unwrap_err().kind(), ErrorKind::Conflict);

        let rotated = rotator.run_with_proof(rotation, saved, stored, (limit, check(5))).await.unwrap();
        assert_eq!((checks.load(Ordering::SeqCst), is_done(&rotated.rotation)), (5, true));
        assert_eq!(desk.sent(names.create), 1);
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_saved_sends_nothing_more() {
    for names in VENDORS {
        for (fails_at, created, kept) in [("making", 0, 0), ("stored", 1, 1)] {
            let desk = Desk::of(names).await;
            let save = |rotation: Rotation| {
                std::future::ready(if stage(&rotation) == fails_at { Err("no space") } else { Ok(()) })
            };
            let count = AtomicU32::new(0);
            let store = |_: IssuedKey| {
                count.fetch_add(1, Ordering::SeqCst);
                std::future::ready(Ok::<_, Error>(()))
            };
            let stopped = desk.rotator().run(desk.begin().await, save, store).await.unwrap_err();
            assert!(matches!(stopped.cause(), RotationCause::Save(_)));
            assert_eq!((desk.sent(names.create), desk.sent(names.revoke)), (created, 0), "{fails_at}");
            assert_eq!(count.load(Ordering::SeqCst), kept);
        }
        // A plaintext is stored although its state could not be saved: it is nowhere else.
        let desk = Desk::of(names).await;
        let save =
            |rotation: Rotation| std::future::ready(if stage(&rotation) == "made" { Err("no space") } else { Ok(()) });
        let rotated = desk.rotator().run(desk.begin().await, save, stored).await.unwrap();
        assert!(is_done(&rotated.rotation));
    }
}

#[tokio::test]
async fn a_native_rotation_keeps_the_address_and_is_repeated_after_a_lost_answer() {
    let names = VENDORS[3];
    let desk = Desk::of(names).await;
    let rotator = desk.rotator();
    let mut rotation = rotator.plan_native(&desk.old).unwrap().begin().unwrap();
    rotator.prepare(&mut rotation).await.unwrap();
    desk.fault("rotate_api_key", Fault::Reset { applied: true }, 1);
    assert_eq!(rotator.make(&mut rotation).await.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
    assert!(rotation.to_string().contains("may work no more"), "{rotation}");
    let rotated = rotator.run(reread(&rotation), saved, stored).await.unwrap();
    assert_eq!(rotated.rotation.new_key(), Some(desk.old.clone()));
    assert_eq!((desk.sent("rotate_api_key"), desk.sent(names.revoke)), (2, 0));
    assert!(desk.works(&desk.old).await);
    for names in &VENDORS[..3] {
        let desk = Desk::of(*names).await;
        assert_eq!(desk.rotator().plan_native(&desk.old).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn steps_out_of_order_are_refused_and_send_nothing() {
    let desk = Desk::of(VENDORS[1]).await;
    let rotator = desk.rotator();
    let mut rotation = desk.begin().await;
    let sent = desk.vendor().request_count();
    assert_eq!(rotator.make(&mut rotation).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(rotation.stored().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(rotator.finish(&mut rotation).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(desk.vendor().request_count(), sent);
    rotator.prepare(&mut rotation).await.unwrap();
    // Another process did not prepare it.
    assert_eq!(rotator.make(&mut reread(&rotation)).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(desk.sent("create_api_key"), 0);
    let (mut rotation, _) = desk.made().await;
    rotation.stored().unwrap();
    assert_eq!(rotator.prepare(&mut rotation).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(rotation.give_up().unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_stamp_finds_the_key_and_orphans_are_listed_by_it() {
    use keymux::rotation::StampPlace;
    for names in [VENDORS[0], VENDORS[1], VENDORS[3]] {
        let desk = Desk::of(names).await;
        let before = desk.count().await;
        let plan = desk.plan().await.with_stamp(StampPlace::Name).unwrap();
        let mut rotation = plan.begin().unwrap();
        desk.rotator().prepare(&mut rotation).await.unwrap();
        desk.fault(names.create, Fault::Reset { applied: true }, 1);
        let _ = desk.rotator().make(&mut rotation).await.unwrap_err();

        let account = desk.old.account();
        let scope = rotation.plan().new_key().scope.clone();
        let orphans = desk.rotator().orphans(account, scope.clone(), []).await.unwrap();
        let [(record, stamped)] = orphans.as_slice() else { panic!("{orphans:?}") };
        assert_eq!(stamped.id, rotation.plan().stamp().id);
        assert!(stamped.replaces.starts_with(&desk.old.address().to_string()[..4]));
        desk.rotator().prepare(&mut rotation).await.unwrap();
        assert_eq!(rotation.abandoned()[0].address, record.address);
        let known = desk.rotator().orphans(account, scope, [&rotation]).await.unwrap();
        assert!(known.is_empty(), "a state knows it");
        let done = desk.goes_on(&rotation, before).await;
        let name = desk.keymux.get(&done.new_key().unwrap()).await.unwrap().name.into_known().unwrap();
        assert!(name.contains(&format!("[keymux {} replaces ", stamped.id)), "{name}");
    }
}

#[tokio::test]
async fn a_key_that_could_be_anybodys_is_not_revoked_by_guessing() {
    let desk = Desk::of(VENDORS[1]).await;
    let mut rotation = desk.begin().await;
    desk.rotator().prepare(&mut rotation).await.unwrap();
    desk.fault("create_api_key", Fault::Reset { applied: true }, 1);
    let _ = desk.rotator().make(&mut rotation).await.unwrap_err();
    // Somebody else makes a key of the same name at the same time.
    let theirs = desk.keymux.create(desk.old.account(), rotation.plan().new_key()).await.unwrap();
    desk.rotator().prepare(&mut rotation).await.unwrap();
    assert!(rotation.abandoned().is_empty());
    assert_eq!(rotation.orphans()[0].candidates.len(), 2);
    let done = desk.goes_on(&rotation, None.or(desk.count().await)).await;
    assert!(desk.works(&theirs.key_ref().unwrap()).await);
    assert!(matches!(done.stage(), Stage::Done { .. }));
}

/// A clock that is moved, and whose sleeps take no time.
#[derive(Debug)]
struct Moved(Mutex<Timestamp>);

impl Default for Moved {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::now()))
    }
}

impl Moved {
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

impl Clock for Moved {
    fn instant(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    fn timestamp(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}
