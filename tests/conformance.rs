//! The conformance suite over the five vendors, against the emulator: one test for each vendor and rule.

#[path = "conformance/vendors.rs"]
mod vendors;

use std::process::ExitCode;

fn main() -> ExitCode {
    keymux_conformance::main(vendors::subjects())
}
