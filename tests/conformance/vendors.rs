//! The five vendors' harnesses, each on an emulator of its own.
#![allow(clippy::unwrap_used, reason = "a harness that cannot be set up has failed")]

mod baseten;
mod braintrust;
mod datkey;
mod mielto;
mod oneloop;

use keymux_conformance::Subject;
use keymux_core::KeyAddress;
use keymux_emulator::Emulator;

/// All of them, in the order of the documents.
pub(crate) fn subjects() -> [Subject; 5] {
    [
        Subject::new(keymux_baseten::provider_info(), || async { baseten::Baseten(emulator().await) }),
        Subject::new(keymux_braintrust::provider_info(), || async { braintrust::Braintrust(emulator().await) }),
        Subject::new(keymux_mielto::provider_info(), || async { mielto::Mielto(emulator().await) }),
        Subject::new(keymux_datkey::provider_info(), || async { datkey::Datkey(emulator().await) }),
        Subject::new(keymux_oneloop::provider_info(), || async { oneloop::Oneloop(emulator().await) }),
    ]
}

async fn emulator() -> Emulator {
    Emulator::start().await.unwrap()
}

fn address<'a>(segments: impl IntoIterator<Item = &'a str>) -> KeyAddress {
    KeyAddress::new(segments).unwrap()
}
