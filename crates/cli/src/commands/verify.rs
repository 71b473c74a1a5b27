//! `keymux verify`: asks whether a plaintext is a valid key.

use keymux::{Verdict, VerifyRequest};

use crate::args::VerifyArgs;
use crate::console::Console;
use crate::dry_run::DryRun;
use crate::exit::{Exit, Failure};
use crate::load::Loader;
use crate::output::{Output, Plan};
use crate::plaintext;
use crate::rows::VerdictRow;

pub(super) async fn run(loader: &Loader<'_>, args: VerifyArgs, console: &Console) -> Result<Exit, Failure> {
    args.surplus.refuse()?;
    let account = args.unit.account();
    let request = VerifyRequest::new(args.unit.scope().clone()).with_permissions(args.permission);
    let plaintext = plaintext::read(&args.secret, console).await?;
    if args.dry_run.dry_run {
        let (mut dry_run, transport) = DryRun::new(Some(plaintext.clone()));
        let keymux = loader.through(transport).of([account]).await?;
        let provider = keymux.account(account)?;
        let call = keymux.verify(account, &plaintext, &request);
        let request = dry_run.request((account, provider.info().id()), call).await;
        let request = request.map_err(|failure| super::told(failure, None, console))?;
        return super::show_request(request, console);
    }
    let keymux = loader.of([account]).await?;
    let verdict = keymux.verify(account, &plaintext, &request).await;
    let verdict = verdict.map_err(|error| super::told(error.into(), None, console))?;
    let exit = match &verdict {
        Verdict::Valid { .. } => Exit::Success,
        Verdict::Inconclusive(error) => {
            console.error(None, error);
            Exit::of(error)
        }
        _ => Exit::Refused,
    };
    let mut output = Output::single(console, Plan::of_one::<VerdictRow>(console));
    output.row(VerdictRow::new(account.clone(), verdict))?;
    output.finish(None)?;
    Ok(exit)
}
