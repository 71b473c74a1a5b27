//! Starts stand-ins of the five vendors in this process, and prints the variables that point a program at them.
//!
//! ```text
//! cargo run --example emulator                # looks one key up at each, and ends
//! cargo run --example emulator -- --serve     # serves a thousand keys at each until Ctrl-C
//! ```
//!
//! `cargo run -p keymux-emulator` is the same as a program, with options.
#![allow(clippy::print_stdout, reason = "this program prints its result")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{stderr, stdout};

use keymux::{ClientOptions, KeyAddress, KeyRef, Keymux};
use keymux_emulator::{Emulator, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let builder = Emulator::builder().with_keys(1000).with_seed(7);
    if std::env::args().any(|word| word == "--serve") {
        return Ok(serve(builder, stdout(), stderr()).await?);
    }
    let emulator = builder.start().await?;
    print!("{}", emulator.exports());

    // The same variables, without the environment.
    let variables: HashMap<_, _> = emulator.variables().into_iter().collect();
    let keymux = Keymux::builder()
        .with_variables(&|name| variables.get(name).map(Into::into), &ClientOptions::new())?
        .build()?;
    for vendor in emulator.vendors() {
        let address = vendor.generated(999).ok_or("a thousand keys were asked for")?;
        let record = keymux.get(&KeyRef::new(vendor.name().parse()?, KeyAddress::new(address)?)).await?;
        println!("# {} is {}", record.key_ref(), record.status.state);
    }
    Ok(())
}
