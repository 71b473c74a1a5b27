//! `keymux rotate`: gives a key a new plaintext, at some vendors as a second key in place of the first.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, ready};

use keymux::rotation::{OldKeyEnd, Stage};
use keymux::{
    Error, ErrorKind, IssuedKey, KeyRef, Keymux, NewKey, Operation, Rotated, RotationCause, RotationError,
    RotationPlan, Scope, Support,
};

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
    let (place, unkept) = (Cell::new(Some(place)), Cell::new(None));
    // The old key is ended only after the plaintext is kept.
    let store = |issued: IssuedKey| {
        let kept = place.take().map_or(Ok(()), |place| place.keep(&issued));
        ready(kept.map_err(|failure| {
            unkept.set(Some(failure));
            "it is told below"
        }))
    };
    let call = rotate(&keymux, &key, store);
    let seen = super::see_through(&patience, call, "whether there is a new plaintext", console).await;
    if let Some(failure) = unkept.take() {
        console.note(&format!("{key} still works"));
        return Err(failure);
    }
    let look = if is_second_key(&keymux, &key)? {
        super::look_in(&keymux, key.account(), &beside(&key)?.scope)
    } else {
        Some(super::look_at(&key))
    };
    let seen = seen.map(|outcome| match outcome {
        Ok(rotated) => Ok((rotated.rotation, None)),
        Err(stopped) => match stopped.into_parts() {
            (RotationCause::Vendor(error), Some(rotation)) if rotation.stage().is_stored() => {
                Ok((rotation, Some(error)))
            }
            (RotationCause::Vendor(error), _) => Err(error),
            // Nothing is saved or proven here, and what is not stored is told above.
            _ => Err(Error::new(ErrorKind::OutcomeUnknown)),
        },
    });
    let (rotation, error) = match patience::made(seen, look.as_deref()) {
        Ok(rotated) => rotated,
        Err(failure) => {
            if let Some(place) = place.take() {
                place.give_up(&failure);
            }
            return Err(failure);
        }
    };
    let new = rotation.new_key().map_or_else(|| "the new key".to_owned(), |new| new.to_string());
    Ok(match (rotation.stage(), error) {
        (_, Some(error)) => {
            let unknown = patience::is_unknown(&error);
            let error = if unknown { patience::hinted(error, Some(&super::look_at(&key))) } else { error };
            let was = if unknown { "may not be" } else { "was not" };
            console.error(Some(&format!("{new} is made, and {key} {was} revoked")), &error);
            console.failed(&format!("Both keys may work; end the old one with `keymux revoke {key}`"));
            Exit::Partial
        }
        (Stage::Done { old: OldKeyEnd::Replaced, .. }, None) => {
            console.note(&format!("{key} has a new plaintext in place of the old one"));
            Exit::Success
        }
        (Stage::Done { old: OldKeyEnd::AlreadyGone, .. }, None) => {
            console.note(&format!("{new} takes the place of {key}, which is gone already"));
            Exit::Success
        }
        _ => {
            console.note(&format!("{new} takes the place of {key}, which is revoked"));
            Exit::Success
        }
    })
}

/// The whole rotation: by the vendor where it has one, else by a second key.
async fn rotate<F>(keymux: &Keymux, key: &KeyRef, store: impl FnOnce(IssuedKey) -> F) -> Result<Rotated, RotationError>
where
    F: Future<Output = Result<(), &'static str>>,
{
    if is_second_key(keymux, key).unwrap_or(true) {
        return keymux.rotate(key, store).await;
    }
    let rotator = keymux.rotator();
    let begun = rotator.plan_native(key).and_then(RotationPlan::begin);
    let rotation = begun.map_err(RotationError::from)?;
    rotator.run(rotation, |_| ready(Ok::<_, Infallible>(())), store).await
}

/// The requests of a rotation. Where the library makes a second key, some of them depend on the answer to the first.
async fn rehearse(loader: &Loader<'_>, key: &KeyRef, console: &Console) -> Result<Exit, Failure> {
    let (mut rehearsal, transport) = Rehearsal::new(None);
    let keymux = loader.through(transport).of([key.account()]).await?;
    let provider = keymux.account(key.account())?;
    let of = (key.account(), provider.info().id());
    let unmade = |_: IssuedKey| ready(Err("a rehearsal makes nothing"));
    let call = async {
        rotate(&keymux, key, unmade).await.map_err(|stopped| match stopped.into_parts() {
            (RotationCause::Vendor(error), _) => error,
            _ => Error::new(ErrorKind::OutcomeUnknown),
        })
    };
    let first = rehearsal.request(of, call).await?;
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
