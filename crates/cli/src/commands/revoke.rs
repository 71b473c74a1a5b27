//! `keymux revoke`.

use keymux::Keymux;

use crate::args::RevokeArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) async fn run(
    keymux: impl FnOnce() -> Result<Keymux, Failure>,
    args: RevokeArgs,
    _console: &Console,
) -> Result<Exit, Failure> {
    let _ = (keymux, args);
    Err(Failure::Usage("`revoke` is not there yet".to_owned()))
}
