//! A vendor on the emulator with one key to be rotated, and the state as the caller would store it.

use std::time::Duration;

use keymux::rotation::Stage;
use keymux::{
    AccountName, ClientOptions, Error, ExposeSecret as _, IssuedKey, KeyRef, KeyState, Keymux, OldKey, RetryPolicy,
    Rotation, RotationPlan, Rotator, Scope, TimeUnit,
};
use keymux::{baseten, datkey, mielto, oneloop};
use keymux_emulator::{Emulator, Fault, FaultRule, Vendor};

/// The vendors whose keys get a second key, with their names for what a rotation sends.
pub(crate) const VENDORS: [Names; 4] = [
    Names { vendor: "baseten", create: "create_api_key", revoke: "revoke_api_key", lists: true },
    Names { vendor: "mielto", create: "create_api_key", revoke: "delete_api_key", lists: true },
    Names { vendor: "datkey", create: "create_key", revoke: "revoke_key", lists: false },
    Names { vendor: "oneloop", create: "create_api_key", revoke: "delete_api_key", lists: true },
];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) vendor: &'static str,
    pub(crate) create: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) lists: bool,
}

/// One vendor, and the key that is rotated.
pub(crate) struct Desk {
    emulator: Emulator,
    pub(crate) names: Names,
    pub(crate) keymux: Keymux,
    pub(crate) old: KeyRef,
}

impl Desk {
    pub(crate) async fn of(names: Names) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let options = ClientOptions::new()
            .without_rate_limiter()
            .with_attempt_timeout(Duration::from_millis(400))
            .with_retry(RetryPolicy::default().with_base_delay(Duration::from_millis(1)));
        let vendor = vendor(&emulator, names.vendor);
        let (url, credential) = (vendor.base_url().to_owned(), vendor.credential().to_owned());
        let builder = Keymux::builder();
        let keymux = match names.vendor {
            "baseten" => {
                let config = baseten::Config::new(credential).with_base_url(url).with_options(options);
                builder.with_provider(config.build().unwrap())
            }
            "mielto" => {
                let config = mielto::Config::new(credential).with_base_url(url).with_options(options);
                builder.with_provider(config.build().unwrap())
            }
            "datkey" => {
                let config = datkey::Config::new(credential).with_base_url(url).with_options(options);
                builder.with_provider(config.build().unwrap())
            }
            _ => {
                let config = oneloop::Config::new(credential).with_base_url(url).with_options(options);
                builder.with_provider(config.with_expiry_unit(TimeUnit::Milliseconds).build().unwrap())
            }
        };
        let old = format!("{}:{}", names.vendor, vendor.sample_address().join("/")).parse().unwrap();
        Self { keymux: keymux.build().unwrap(), names, old, emulator }
    }

    pub(crate) fn vendor(&self) -> &Vendor {
        vendor(&self.emulator, self.names.vendor)
    }

    pub(crate) fn rotator(&self) -> Rotator {
        self.keymux.rotator()
    }

    /// The plan, with what a record does not tell said by the caller.
    pub(crate) async fn plan(&self) -> RotationPlan {
        let plan = self.rotator().plan(&self.old).await.unwrap();
        if self.names.vendor != "datkey" {
            return plan;
        }
        let mut key = plan.new_key().clone();
        key.scope = Scope::new(["api_example_1"]).unwrap();
        plan.with_new_key(key).unwrap()
    }

    pub(crate) async fn begin(&self) -> Rotation {
        self.plan().await.begin().unwrap()
    }

    /// The stage `made`, as another process reads it, and the plaintext that was handed out.
    pub(crate) async fn made(&self) -> (Rotation, IssuedKey) {
        let mut rotation = self.begin().await;
        self.rotator().prepare(&mut rotation).await.unwrap();
        let issued = self.rotator().make(&mut rotation).await.unwrap();
        (reread(&rotation), issued)
    }

    pub(crate) fn fault(&self, operation: &str, fault: impl Into<Fault>, times: u64) {
        self.vendor().faults(FaultRule::new(fault).on(operation).times(times)).unwrap();
    }

    /// How many requests of an operation arrived.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.vendor().requests().iter().filter(|request| request.operation() == Some(operation)).count()
    }

    pub(crate) async fn works(&self, key: &KeyRef) -> bool {
        self.keymux.get(key).await.is_ok_and(|record| record.status.state == KeyState::Active)
    }

    /// The keys of the scope that work; `None`: the vendor lists none.
    pub(crate) async fn count(&self) -> Option<usize> {
        if !self.names.lists {
            return None;
        }
        let segments: Vec<&str> = self.old.address().segments().collect();
        let (_, parents) = segments.split_last().unwrap();
        let scope = if parents.is_empty() { Scope::account() } else { Scope::new(parents.iter().copied()).unwrap() };
        let mut keys = self.keymux.list(&AccountName::new(self.names.vendor).unwrap(), scope, None).unwrap();
        let mut count = 0;
        while let Some(record) = keys.next().await {
            count += usize::from(record.unwrap().status.state != KeyState::Revoked);
        }
        Some(count)
    }

    /// Goes on from a stored state to the end, and sees that one key took the place of the other.
    pub(crate) async fn goes_on(&self, rotation: &Rotation, before: Option<usize>) -> Rotation {
        let stored = std::sync::Mutex::new(Vec::new());
        let store = |issued: IssuedKey| {
            stored.lock().unwrap().push(issued.plaintext.expose_secret().to_owned());
            std::future::ready(Ok::<_, Error>(()))
        };
        let saved = |_| std::future::ready(Ok::<_, Error>(()));
        let rotated = self.rotator().run(reread(rotation), saved, store).await.unwrap();
        let new = rotated.rotation.new_key().unwrap();
        assert!(self.works(&new).await, "{}: the new key works", self.names.vendor);
        assert!(!self.works(&self.old).await, "{}: the old key is ended", self.names.vendor);
        if rotated.rotation.orphans().is_empty() {
            assert_eq!(self.count().await, before, "{}: no key is left behind", self.names.vendor);
        }
        rotated.rotation
    }
}

/// What another process reads.
pub(crate) fn reread(rotation: &Rotation) -> Rotation {
    Rotation::from_json(&rotation.to_json()).unwrap()
}

pub(crate) fn stage(rotation: &Rotation) -> &'static str {
    rotation.stage().as_str()
}

pub(crate) fn is_done(rotation: &Rotation) -> bool {
    matches!(rotation.stage(), Stage::Done { .. })
}

/// A plan with another end for the old key.
pub(crate) fn keeping(plan: RotationPlan, old_key: OldKey) -> Rotation {
    plan.with_old_key(old_key).unwrap().begin().unwrap()
}

fn vendor<'a>(emulator: &'a Emulator, name: &str) -> &'a Vendor {
    emulator.vendors().into_iter().find(|vendor| vendor.name() == name).unwrap()
}
