//! `keymux register`: brings a key of one's own.

use keymux::KeyRecord;

use crate::args::RegisterArgs;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::plaintext;
use crate::shutdown::{self, ShutdownGuard};

pub(super) async fn run(loader: &Loader<'_>, args: RegisterArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let (account, key) = super::new_key::new_key(args.key)?;
    let plaintext = plaintext::read(&args.secret, console).await?;
    if args.dry_run.dry_run {
        let (mut dry_run, transport) = DryRun::new(Some(plaintext.clone()));
        let keymux = loader.through(transport).of([&account]).await?;
        let provider = keymux.account(&account)?;
        let call = keymux.register(&account, &key, &plaintext);
        let request = dry_run.request((&account, provider.info().id()), call).await?;
        return super::show_request(request, console);
    }
    let keymux = loader.of([&account]).await?;
    let call = keymux.register(&account, &key, &plaintext);
    let registered = super::see_through(&ShutdownGuard::begin(), call, "whether the key is registered", console).await;
    let look = super::look_in(&keymux, &account, &key.scope);
    let record = shutdown::made(registered, look.as_deref())?;
    let mut output = Output::single(console, Plan::of_one::<KeyRecord>(console));
    output.row(record)?;
    output.finish(None)?;
    Ok(Exit::Success)
}
