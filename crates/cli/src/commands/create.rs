//! `keymux create`: makes a key, whose plaintext goes to standard output or into a file of its own.

use keymux::rotation::Stamp;

use crate::args::CreateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::patience::{self, Patience};
use crate::random;
use crate::rehearsal::Rehearsal;
use crate::secret_out::Place;
use crate::state::State;

use super::new_key::new_key;

pub(super) async fn run(loader: &Loader<'_>, args: CreateArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let (account, mut key) = new_key(args.key)?;
    if let Some(place) = args.stamp {
        key = Stamp::new(random::digits(), place.into()).mark(&key);
    }
    if args.dry_run.dry_run {
        let (mut rehearsal, transport) = Rehearsal::new(None);
        let keymux = loader.through(transport).of([&account]).await?;
        let provider = keymux.account(&account)?;
        let request = rehearsal.request((&account, provider.info().id()), keymux.create(&account, &key)).await?;
        return super::show_request(request, console);
    }
    let state = args.stamp.map(|_| State::locate()).transpose()?;
    let keymux = loader.of([&account]).await?;
    let patience = Patience::begin();
    let place = Place::ready(args.secret, console)?;
    let call = keymux.create(&account, &key);
    let made = super::see_through(&patience, call, "whether there is a new key", console).await;
    let look = super::look_in(&keymux, &account, &key.scope);
    match patience::made(made, look.as_deref()) {
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
