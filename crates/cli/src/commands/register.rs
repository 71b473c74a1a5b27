//! `keymux register`.

use crate::args::RegisterArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;

pub(super) async fn run(loader: &Loader<'_>, args: RegisterArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = (loader.all().await?, args);
    Err(Failure::Usage("`register` is not there yet".to_owned()))
}
