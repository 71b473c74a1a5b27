//! `keymux rotate`.

use crate::args::RotateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;

pub(super) async fn run(loader: &Loader<'_>, args: RotateArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = (loader.all().await?, args);
    Err(Failure::Usage("`rotate` is not there yet".to_owned()))
}
