//! `keymux revoke`.

use crate::args::RevokeArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;

pub(super) async fn run(loader: &Loader<'_>, args: RevokeArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = (loader.all().await?, args);
    Err(Failure::Usage("`revoke` is not there yet".to_owned()))
}
