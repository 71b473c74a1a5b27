//! `keymux rotate`.

use keymux::Keymux;

use crate::args::RotateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: RotateArgs,
    _console: &Console,
) -> Result<Exit, Failure> {
    let _ = (keymux, args);
    Err(Failure::Usage("`rotate` is not there yet".to_owned()))
}
