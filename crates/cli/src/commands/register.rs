//! `keymux register`.

use keymux::Keymux;

use crate::args::RegisterArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: RegisterArgs,
    _console: &Console,
) -> Result<Exit, Failure> {
    let _ = (keymux, args);
    Err(Failure::Usage("`register` is not there yet".to_owned()))
}
