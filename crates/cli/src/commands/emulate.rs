//! `keymux emulate`.

use crate::args::EmulateArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

pub(super) fn run(args: &EmulateArgs, _console: &Console) -> Result<Exit, Failure> {
    let _ = args;
    Err(Failure::Usage("`emulate` is not there yet".to_owned()))
}
