//! Looks keys up at five vendors and prints what each says, and what it cannot say.
//!
//! ```text
//! cargo run --example quickstart                     # stand-ins on loopback: no account, no network
//! BASETEN_API_KEY=… cargo run --example quickstart -- baseten:GROUP_ID/KEY_PREFIX
//! ```
//!
//! With at least one credential in the environment the real vendors are asked, and the arguments say which keys;
//! `--json` prints the records as JSON, a line each. The exit status is 0 if every key was found, 1 if
//! one was not, and 2 if nothing was asked.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program prints its result")]

use std::error::Error;
use std::process::ExitCode;

use keymux::{
    ClientOptions, Fact, FactState, Field, KeyAddress, KeyRecord, KeyRef, Keymux, baseten, braintrust, datkey, mielto,
    oneloop,
};
use keymux_emulator::{Emulator, Vendor};

#[tokio::main]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let (options, references): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let json = match options.as_slice() {
        [] => false,
        [only] if only == "--json" => true,
        _ => return Err("usage: quickstart [--json] [ACCOUNT:ADDRESS]...".into()),
    };
    let options = ClientOptions::new().with_application("keymux-quickstart")?;
    let real = Keymux::builder().with_env(&options)?.build()?;
    if real.accounts().len() > 0 {
        return real_vendors(&real, &references, json).await;
    }
    if !references.is_empty() {
        return Err("these keys are at real vendors, and no credential is set; set BASETEN_API_KEY or its like".into());
    }
    let emulator = Emulator::start().await?;
    let (keymux, keys) = stand_ins(&emulator)?;
    if !json {
        println!("No credential is set: asking stand-ins of the vendors on loopback.\n");
    }
    look_up(&keymux, keys, json).await
}

/// The real vendors, asked for the keys that the arguments name.
async fn real_vendors(keymux: &Keymux, references: &[String], json: bool) -> Result<ExitCode, Box<dyn Error>> {
    if references.is_empty() {
        eprintln!("There are credentials in the environment. Which keys? Give references as arguments:");
        for (account, provider) in keymux.accounts() {
            let address: Vec<&str> = provider.info().address().collect();
            eprintln!("  {account}:{}", address.join("/").to_uppercase());
        }
        return Ok(ExitCode::from(2));
    }
    let keys = references.iter().map(|text| text.parse()).collect::<Result<Vec<KeyRef>, _>>()?;
    look_up(keymux, keys, json).await
}

/// An account at each stand-in, and one key of each to look up.
fn stand_ins(emulator: &Emulator) -> Result<(Keymux, Vec<KeyRef>), keymux::Error> {
    let [baseten, braintrust, mielto, datkey, oneloop] =
        [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()];
    let keymux = Keymux::builder()
        .with_provider(baseten::Config::new(baseten.credential()).with_base_url(baseten.base_url()).build()?)
        .with_provider(braintrust::Config::new(braintrust.credential()).with_base_url(braintrust.base_url()).build()?)
        .with_provider(mielto::Config::new(mielto.credential()).with_base_url(mielto.base_url()).build()?)
        .with_provider(datkey::Config::new(datkey.credential()).with_base_url(datkey.base_url()).build()?)
        .with_provider(oneloop::Config::new(oneloop.credential()).with_base_url(oneloop.base_url()).build()?)
        .build()?;
    let key = |account: &str, vendor: &Vendor| -> Result<KeyRef, keymux::Error> {
        Ok(KeyRef::new(account.parse()?, KeyAddress::new(vendor.sample_address().iter().cloned())?))
    };
    let keys = vec![
        key("baseten", baseten)?,
        key("braintrust", braintrust)?,
        key("mielto", mielto)?,
        key("datkey", datkey)?,
        key("oneloop", oneloop)?,
    ];
    Ok((keymux, keys))
}

/// Looks all keys up at once and prints the outcomes in the order of `keys`.
async fn look_up(keymux: &Keymux, keys: Vec<KeyRef>, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let mut outcomes = keymux.get_many(keys.iter().cloned());
    let (mut records, mut failed) = (Vec::new(), false);
    while let Some(outcome) = outcomes.next().await {
        match outcome.result {
            Ok(record) => records.push(record),
            Err(error) => {
                failed = true;
                // The vendor's own error says what the failure means there.
                match std::error::Error::source(&error) {
                    Some(meaning) => eprintln!("{}: {meaning}", outcome.key),
                    None => eprintln!("{}: {error}", outcome.key),
                }
            }
        }
    }
    records.sort_by_key(|record| keys.iter().position(|key| *key == record.key_ref()));
    if json {
        for record in &records {
            println!("{}", serde_json::to_string(record)?);
        }
    } else {
        records.iter().for_each(print_record);
        records.chunks(5).for_each(print_coverage);
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the vendor says, a line for each field that has a value.
fn print_record(record: &KeyRecord) {
    println!("{}", record.key_ref());
    println!("  {:<18} {}", "status", record.status);
    for &field in Field::ALL {
        if let Fact::Known(value) = record.field(field) {
            println!("  {:<18} {value}", field.as_str());
        }
    }
    for drift in &record.drift {
        println!("  {:<18} {drift}", "odd");
    }
    println!();
}

/// Which fields have a value, which the vendor says are none, which it left out, and which it cannot say.
fn print_coverage(records: &[KeyRecord]) {
    print!("{:<20}", "");
    for record in records {
        print!("{:<13}", record.account.as_str());
    }
    for &field in Field::ALL {
        print!("\n{:<20}", field.as_str());
        for record in records {
            let cell = match record.coverage(field) {
                FactState::Known => "known",
                FactState::Empty => "none",
                FactState::Missing => "not sent",
                FactState::Unsupported => "cannot say",
            };
            print!("{cell:<13}");
        }
    }
    println!("\n");
}
