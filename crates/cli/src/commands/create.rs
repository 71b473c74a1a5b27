//! `keymux create`.

use keymux::Keymux;

use crate::args::CreateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: CreateArgs,
    _console: &Console,
) -> Result<Exit, Failure> {
    let _ = (keymux, args);
    Err(Failure::Usage("`create` is not there yet".to_owned()))
}
