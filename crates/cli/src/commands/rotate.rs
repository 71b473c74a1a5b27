//! `keymux rotate`: gives a key a new plaintext, at some vendors as a second key in place of the first.

use keymux::{KeyRef, Keymux, NewKey, Operation, Scope, Support};

use crate::args::RotateArgs;
use crate::ask;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::patience::{self, Patience};
use crate::rehearsal::Rehearsal;
use crate::rows::RequestRow;
use crate::secret_out::Place;

pub(super) async fn run(loader: &Loader<'_>, args: RotateArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let key = args.key;
    if args.dry_run.dry_run {
        return rehearse(loader, &key, console).await;
    }
    if !args.yes.yes {
        ask::must_be_able(console)?;
    }
    let keymux = loader.of([key.account()]).await?;
    if !args.yes.yes && !super::consent(&keymux, std::slice::from_ref(&key), "Rotate", console).await? {
        return Ok(Exit::Failure);
    }
    let patience = Patience::begin();
    let place = Place::ready(args.secret, console)?;
    let call = keymux.rotate(&key);
    let rotated = super::see_through(&patience, call, "whether there is a new plaintext", console).await;
    let look = if is_second_key(&keymux, &key)? {
        super::look_in(&keymux, key.account(), &beside(&key)?.scope)
    } else {
        Some(super::look_at(&key))
    };
    let rotated = match patience::made(rotated, look.as_deref()) {
        Ok(rotated) => rotated,
        Err(failure) => {
            place.give_up(&failure);
            return Err(failure);
        }
    };
    let new = rotated.issued.record.key_ref();
    let kept = place.keep(&rotated.issued);
    // What became of the old key is told whatever became of the plaintext.
    let exit = match rotated.old {
        None => {
            console.note(&format!("{key} has a new plaintext in place of the old one"));
            Exit::Success
        }
        Some(Ok(revoked)) => {
            let lost = if revoked.after_lost_answer { " (the answer was lost, and the key is gone)" } else { "" };
            console.note(&format!("{new} takes the place of {key}, which is revoked{lost}"));
            Exit::Success
        }
        Some(Err(error)) => {
            let unknown = patience::is_unknown(&error);
            let error = if unknown { patience::hinted(error, Some(&super::look_at(&key))) } else { error };
            let was = if unknown { "may not be" } else { "was not" };
            console.error(Some(&format!("{new} is made, and {key} {was} revoked")), &error);
            console.failed(&format!("Both keys may work; end the old one with `keymux revoke {key}`"));
            Exit::Partial
        }
    };
    kept.map(|()| exit)
}

/// The requests of a rotation. Where the library makes a second key, some of them depend on the answer to the first.
async fn rehearse(loader: &Loader<'_>, key: &KeyRef, console: &Console) -> Result<Exit, Failure> {
    let (mut rehearsal, transport) = Rehearsal::new(None);
    let keymux = loader.through(transport).of([key.account()]).await?;
    let provider = keymux.account(key.account())?;
    let of = (key.account(), provider.info().id());
    let first = rehearsal.request(of, keymux.rotate(key)).await?;
    if !is_second_key(&keymux, key)? {
        return super::show_request(first, console);
    }
    let mut output = Output::new(console, Plan::of_many::<RequestRow>(console, super::REQUEST));
    output.row(first)?;
    let mut second = rehearsal.request(of, keymux.create(key.account(), &beside(key)?)).await?;
    second.body = None;
    second.note = Some("its body is that of a key like the one that the first answer tells".to_owned());
    output.row(second)?;
    let mut third = rehearsal.request(of, keymux.revoke(key)).await?;
    third.note = Some("once the new key is there".to_owned());
    output.row(third)?;
    output.finish(None)?;
    Ok(Exit::Success)
}

/// Whether the library makes a second key in place of this one.
fn is_second_key(keymux: &Keymux, key: &KeyRef) -> Result<bool, Failure> {
    let capabilities = keymux.account(key.account())?.info().capabilities();
    Ok(matches!(capabilities.support(Operation::Rotate), Support::Emulated { .. }))
}

/// A key where this one is.
pub(super) fn beside(key: &KeyRef) -> Result<NewKey, Failure> {
    let segments: Vec<&str> = key.address().segments().collect();
    let parents = segments.split_last().map(|(_, parents)| parents).unwrap_or_default();
    let scope = if parents.is_empty() { Scope::account() } else { Scope::new(parents.iter().copied())? };
    Ok(NewKey::new(scope))
}
