//! `keymux verify`.

use crate::args::VerifyArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;

pub(super) async fn run(loader: &Loader<'_>, args: VerifyArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = (loader.all().await?, args);
    Err(Failure::Usage("`verify` is not there yet".to_owned()))
}
