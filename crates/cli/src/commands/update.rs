//! `keymux update`.

use keymux::Keymux;

use crate::args::UpdateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: UpdateArgs,
    _console: &Console,
) -> Result<Exit, Failure> {
    let _ = (keymux, args);
    Err(Failure::Usage("`update` is not there yet".to_owned()))
}
