//! The plan: what it says, what it copies, what stops it.

use keymux::rotation::{Method, StampPlace};
use keymux::{ErrorKind, KeyRecord, OldKey, Permission, Rotation, RotationPlan};
use serde_json::json;

use crate::support::{Desk, VENDORS};

#[tokio::test]
async fn a_plan_says_what_it_does_in_80_columns_and_is_stored_without_loss() {
    for names in VENDORS {
        let desk = Desk::of(names).await;
        let plan = desk.plan().await;
        let text = plan.to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(
            text.contains("make a second key") && text.contains("revoked once the new plaintext is stored"),
            "{text}"
        );
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<RotationPlan>(&json).unwrap(), plan);
        let rotation = plan.begin().unwrap();
        assert_eq!(Rotation::from_json(&rotation.to_json()).unwrap(), rotation);
        assert!(rotation.to_string().lines().all(|line| line.chars().count() <= 80), "{rotation}");
    }
}

#[tokio::test]
async fn a_plan_copies_what_the_vendors_own_model_tells_beyond_the_record() {
    let desk = Desk::of(VENDORS[1]).await;
    let record = desk.keymux.get(&desk.old).await.unwrap();
    let collections = record.native::<keymux::mielto::ApiKey>().unwrap().collections.known().unwrap().clone();
    let plan = desk.rotator().plan(&desk.old).await.unwrap();
    assert_eq!(plan.new_key().settings["collections"], json!(collections));
    assert_eq!((&plan.new_key().expires_at, plan.untold().len()), (&record.expires_at.known().copied(), 0));
    // A record that was read from JSON has no model.
    let read: KeyRecord = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
    let error = desk.rotator().plan_like(&desk.old, &read).unwrap().begin().unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("`collections`"), "{error}");
    assert_eq!(desk.keymux.create_like(&read).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_scope_that_no_answer_tells_stops_the_rotation_until_the_caller_says_it() {
    let desk = Desk::of(VENDORS[2]).await;
    let plan = desk.rotator().plan(&desk.old).await.unwrap();
    let words = plan.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("scope: the record does not tell it; say what it is before the rotation begins"), "{plan}");
    let error = plan.clone().begin().unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("`scope`"), "{error}");
    let sent = desk.sent("create_key");
    let error = desk.keymux.rotate(&desk.old, |_| std::future::ready(Ok::<_, keymux::Error>(()))).await.unwrap_err();
    assert_eq!((error.vendor().unwrap().kind(), desk.sent("create_key")), (ErrorKind::Unsupported, sent));
    let rotation = desk.plan().await.begin().unwrap();
    // The stamp names the key that is replaced.
    let metadata = rotation.plan().stamped_key().metadata.unwrap();
    assert_eq!(metadata.get("keymux_replaces").unwrap().as_str().unwrap(), desk.old.address().to_string());
    assert_eq!(metadata.get("keymux_rotation").unwrap().as_str().unwrap(), rotation.plan().stamp().id);
}

#[tokio::test]
async fn nothing_is_widened() {
    let desk = Desk::of(VENDORS[1]).await;
    let plan = desk.plan().await;
    let key = plan.new_key();
    let end = key.expires_at.unwrap();
    let permission = |name: &str| Permission { name: name.to_owned(), actions: None };
    let more = |name: &str| {
        let mut permissions = key.permissions.clone().unwrap();
        permissions.push(permission(name));
        permissions
    };
    let mut endless = key.clone();
    endless.expires_at = None;
    let mut free = key.clone();
    free.permissions = None;
    let mut anywhere = key.clone();
    anywhere.ip_allowlist = None;
    let mut uncollected = key.clone();
    uncollected.settings.clear();
    let later = end.checked_add(std::time::Duration::from_secs(1)).unwrap();
    for (wider, setting) in [
        (key.clone().with_expires_at(later), "expires_at"),
        (endless, "expires_at"),
        (key.clone().with_permissions(more("admin")), "permissions"),
        (free, "permissions"),
        (anywhere, "ip_allowlist"),
        (key.clone().with_ip_allowlist(["0.0.0.0/0"]), "ip_allowlist"),
        (uncollected, "collections"),
        (key.clone().with_setting("collections", json!(["other"])), "collections"),
    ] {
        let error = plan.clone().with_new_key(wider).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(&format!("`{setting}`")), "{error}");
    }
    let sooner = key.clone().with_expires_at(end.checked_sub(std::time::Duration::from_secs(60)).unwrap());
    let narrower = sooner.with_permissions(key.permissions.clone().unwrap().into_iter().take(1)).with_name("other");
    assert_eq!(plan.clone().with_new_key(narrower.clone()).unwrap().new_key(), &narrower);
    let error = plan.with_old_key(OldKey::ExpireAt(later)).unwrap_err();
    assert!(error.to_string().contains("ends at"), "{error}");
}

#[tokio::test]
async fn a_native_plan_says_that_a_lost_answer_leaves_no_working_key() {
    let desk = Desk::of(VENDORS[3]).await;
    let plan = desk.rotator().plan_native(&desk.old).unwrap();
    assert_eq!(plan.method(), Method::Native);
    let words = plan.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("if its answer is lost, no plaintext works until the key is rotated again"), "{plan}");
    for changed in [plan.clone().with_old_key(OldKey::KeepUntilTold), plan.with_new_key(keymux::NewKey::default())] {
        assert_eq!(changed.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn what_oneloop_does_not_tell_is_in_the_plan_and_stops_nothing() {
    let desk = Desk::of(VENDORS[3]).await;
    let plan = desk.plan().await;
    let untold: Vec<&str> = plan.untold().iter().map(|untold| &*untold.setting).collect();
    assert_eq!(untold, ["metadata", "externalMeterId"]);
    assert!(plan.new_key().customer.is_some() && plan.new_key().permissions.is_some());
    let key = plan.new_key().clone().with_setting("externalMeterId", "meter-1");
    let plan = plan.with_new_key(key).unwrap().accepting("metadata");
    assert!(plan.untold().is_empty());
    plan.with_stamp(StampPlace::Nowhere).unwrap().begin().unwrap();
}

#[tokio::test]
async fn a_stored_rotation_of_another_version_is_refused_by_its_number() {
    let desk = Desk::of(VENDORS[0]).await;
    let rotation = desk.begin().await;
    let mut json: serde_json::Value = serde_json::from_str(&rotation.to_json()).unwrap();
    assert_eq!(json["version"], 1);
    json["version"] = 2.into();
    let error = Rotation::from_json(&json.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("version 2"), "{error}");
    assert!(Rotation::from_json("{}").is_err() && Rotation::from_json("").is_err());
}
