//! `keymux update`.

use crate::args::UpdateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load::Loader;

pub(super) async fn run(loader: &Loader<'_>, args: UpdateArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = (loader.all().await?, args);
    Err(Failure::Usage("`update` is not there yet".to_owned()))
}
