//! `keymux create`: makes a key, whose plaintext goes to standard output or into a file of its own.

use keymux::rotation::Stamp;
use keymux::{KeyRef, Keymux, NewKey, Scope, WorkUnit};

use crate::args::CreateArgs;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::load::Loader;
use crate::random;
use crate::secret_out::Place;
use crate::shutdown::{self, ShutdownGuard};
use crate::state::State;

use super::new_key::key_in;
use super::rotate::assign;

pub(super) async fn run(loader: &Loader<'_>, args: CreateArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let unit = match (&args.unit, &args.like) {
        (Some(unit), _) => unit.clone(),
        (None, Some(key)) => WorkUnit::new(key.account().clone(), Scope::account()),
        (None, None) => return Err(Failure::Usage("name an account, or a key with --like".to_owned())),
    };
    let (account, mut key) = key_in(&unit, args.key)?;
    let mut keymux = None;
    if let Some(first) = &args.like {
        let real = loader.of([&account]).await?;
        key = like(&real, first, key, &args.set, console).await?;
        keymux = Some(real);
    }
    if let Some(place) = args.stamp {
        key = Stamp::new(random::digits(), place.into()).mark(&key);
    }
    if args.dry_run.dry_run {
        let (mut dry_run, transport) = DryRun::new(None);
        let keymux = loader.through(transport).of([&account]).await?;
        let provider = keymux.account(&account)?;
        let request = dry_run.request((&account, provider.info().id()), keymux.create(&account, &key)).await?;
        return super::show_request(request, console);
    }
    let state = args.stamp.map(|_| State::locate()).transpose()?;
    let keymux = match keymux {
        Some(keymux) => keymux,
        None => loader.of([&account]).await?,
    };
    let guard = ShutdownGuard::begin();
    let place = Place::ready(args.secret, console)?;
    let call = keymux.create(&account, &key);
    let made = super::see_through(&guard, call, "whether there is a new key", console).await;
    let look = super::look_in(&keymux, &account, &key.scope);
    match shutdown::made(made, look.as_deref()) {
        Ok(issued) => {
            place.keep(&issued)?;
            if let (Some(state), Some(key)) = (state, issued.key_ref()) {
                state.acknowledge(&key.to_string(), loader.reason())?;
            }
            Ok(Exit::Success)
        }
        Err(failure) => {
            place.give_up(&failure);
            Err(failure)
        }
    }
}

/// A key like `first`, with what the arguments say in place of it. What the record does not tell and might widen what the
/// key is allowed has to be said.
async fn like(
    keymux: &Keymux,
    first: &KeyRef,
    said: NewKey,
    set: &[(String, String)],
    console: &Console,
) -> Result<NewKey, Failure> {
    let mut interrupt = Interrupt::listen();
    let Some(record) = interrupt.or(keymux.get(first)).await else {
        return Err(Failure::Interrupted(interrupt.exit()));
    };
    let like = keymux.new_key_like(&record?)?;
    let mut key = like.key;
    let mut named: Vec<&str> = Vec::new();
    let mut taken = |name: &'static str, there: bool| {
        if there {
            named.push(name);
        }
        there
    };
    if taken("name", said.name.is_some()) {
        key.name = said.name;
    }
    if taken("expires_at", said.expires_at.is_some()) {
        key.expires_at = said.expires_at;
    }
    if taken("permissions", said.permissions.is_some()) {
        key.permissions = said.permissions;
    }
    if taken("ip_allowlist", said.ip_allowlist.is_some()) {
        key.ip_allowlist = said.ip_allowlist;
    }
    if taken("max_uses", said.max_uses.is_some()) {
        key.max_uses = said.max_uses;
    }
    if taken("metadata", said.metadata.is_some()) {
        key.metadata = said.metadata;
    }
    if taken("customer", said.customer.is_some()) {
        key.customer = said.customer;
    }
    if taken("prefix", said.prefix.is_some()) {
        key.prefix = said.prefix;
    }
    if taken("enabled", said.enabled.is_some()) {
        key.enabled = said.enabled;
    }
    for (name, value) in set {
        if value != "none" {
            assign(&mut key, name, value)?;
        }
        named.push(name);
    }
    for untold in like.untold.iter().filter(|untold| !named.contains(&&*untold.setting)) {
        if untold.may_widen {
            return Err(Failure::Usage(format!(
                "{first}: its record does not tell `{0}`, so that the new key might be allowed more ({1}); say what it is \
                 with --set {0}=VALUE, or leave it out with --set {0}=none",
                untold.setting, untold.reason
            )));
        }
        console.note(&format!("keymux: `{}` of {first} is not told, and the new key has none", untold.setting));
    }
    Ok(key)
}
