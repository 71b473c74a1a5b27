//! What is asked of a rotation, as the library is told of it.

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;
use keymux::rotation::{OldKey, RotationPlan, Rotator, StampPlace};
use keymux::{KeyRef, NewKey, Permission, Scope};
use serde_json::Value;

use crate::args::{RotateArgs, RotationArgs, StampIn};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::shutdown::ShutdownGuard;

/// The commands of the user's, with their limits.
#[derive(Debug, Clone, Default)]
pub(super) struct Commands {
    pub(super) store: Option<(Vec<OsString>, Duration)>,
    pub(super) prove: Option<(Vec<OsString>, Duration)>,
}

impl Commands {
    /// With both, that of --store stands first, and `--` between them.
    pub(super) fn of(args: &RotateArgs) -> Result<Self, Failure> {
        let all = &args.command;
        if !all.is_empty() && !args.store && !args.prove {
            return Err(Failure::Usage(
                "a command after `--` is one of --store or --prove; add one of them".to_owned(),
            ));
        }
        let (store, prove) = match (args.store, args.prove) {
            (true, true) => {
                let Some(at) = all.iter().position(|word| word == "--") else {
                    return Err(Failure::Usage(
                        "with --store and --prove give both commands: -- STORE ARG… -- PROVE ARG…".to_owned(),
                    ));
                };
                (Some(&all[..at]), Some(&all[at + 1..]))
            }
            (store, prove) => (store.then_some(&all[..]), prove.then_some(&all[..])),
        };
        if store.is_some_and(<[_]>::is_empty) || prove.is_some_and(<[_]>::is_empty) {
            return Err(Failure::Usage("name the command after `--`".to_owned()));
        }
        let of = |command: Option<&[OsString]>, limit| command.map(|command| (command.to_vec(), limit));
        Ok(Self { store: of(store, args.store_within), prove: of(prove, args.prove_within) })
    }
}

impl From<StampIn> for StampPlace {
    fn from(place: StampIn) -> Self {
        match place {
            StampIn::Nowhere => Self::Nowhere,
            StampIn::Metadata => Self::Metadata,
            StampIn::Name => Self::Name,
        }
    }
}

/// The plan for a key, which is looked up for it.
pub(super) async fn planned(
    rotator: &Rotator,
    key: &KeyRef,
    args: &RotationArgs,
    proof: bool,
    guard: &ShutdownGuard,
) -> Result<RotationPlan, Failure> {
    if args.native {
        return set(rotator.plan_native(key)?, args, proof);
    }
    let Some(plan) = Interrupt::listen().or(rotator.plan(key)).await else {
        return Err(Failure::Interrupted(guard.exit()));
    };
    set(plan?, args, proof)
}

fn set(mut plan: RotationPlan, args: &RotationArgs, proof: bool) -> Result<RotationPlan, Failure> {
    let mut key = plan.new_key().clone();
    let mut left_out = Vec::new();
    for (name, value) in &args.set {
        if value == "none" {
            left_out.push(name);
        } else {
            assign(&mut key, name, value)?;
        }
    }
    if key != *plan.new_key() {
        plan = plan.with_new_key(key)?;
    }
    for name in left_out {
        if !plan.untold().iter().any(|untold| untold.setting == **name) {
            return Err(Failure::Usage(format!(
                "--set {name}=none: `{name}` is told by the old key's record, and is copied"
            )));
        }
        plan = plan.accepting(name);
    }
    if let Some(place) = args.stamp {
        plan = plan.with_stamp(place.into())?;
    }
    let now = Timestamp::now();
    let at = |name: &str, when: crate::when::When| {
        when.ahead_of(now).map_err(|error| Failure::Usage(format!("{name}: {error}")))
    };
    if args.keep_old {
        plan = plan.with_old_key(OldKey::KeepUntilTold)?;
    } else if let Some(when) = args.revoke_old_after {
        plan = plan.with_old_key(OldKey::KeepUntil(at("--revoke-old-after", when)?))?;
    } else if let Some(when) = args.expire_old_after {
        plan = plan.with_old_key(OldKey::ExpireAt(at("--expire-old-after", when)?))?;
    }
    Ok(if proof { plan.with_proof() } else { plan })
}

/// Sets one setting of a key by its name.
pub(crate) fn assign(key: &mut NewKey, name: &str, value: &str) -> Result<(), Failure> {
    let wrong = |what: &str| Failure::Usage(format!("--set {name}: {what}"));
    let list = || value.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned);
    match name {
        "name" => key.name = Some(value.to_owned()),
        "customer" => key.customer = Some(value.to_owned()),
        "prefix" => key.prefix = Some(value.to_owned()),
        "expires_at" => {
            let when = crate::when::parse_ahead(value).map_err(|error| wrong(&error))?;
            key.expires_at = Some(when.ahead_of(Timestamp::now()).map_err(|error| wrong(&error))?);
        }
        "max_uses" => key.max_uses = Some(value.parse().map_err(|_| wrong("it is a number"))?),
        "enabled" => key.enabled = Some(value.parse().map_err(|_| wrong("it is true or false"))?),
        "ip_allowlist" => key.ip_allowlist = Some(list().collect()),
        "permissions" => {
            key.permissions = Some(list().map(|name| Permission { name, actions: None }).collect());
        }
        "scope" => key.scope = Scope::new(value.split('/')).map_err(|error| wrong(&error.to_string()))?,
        "metadata" => return Err(wrong("it is copied, and cannot be set here")),
        _ => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            key.settings.insert(name.to_owned(), value);
        }
    }
    Ok(())
}
