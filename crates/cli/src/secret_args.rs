//! Plaintexts among the arguments, where they do not belong: they are refused and not shown.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, ValueHint};
use keymux::Operation;

use crate::exit::Failure;
use crate::text::shown;

/// What stands in the place of an account, a key or a command may be a plaintext, and clap would show it.
pub(crate) fn without_plaintext(mut error: clap::Error) -> clap::Error {
    for place in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand, ContextKind::InvalidArg] {
        if let Some(ContextValue::String(text)) = error.get(place) {
            let shown = shown(text);
            error.insert(place, ContextValue::String(shown));
        }
    }
    // Who mistypes a word that reads is not led to one that changes or ends keys.
    if let Some(ContextValue::Strings(meant)) = error.get(ContextKind::SuggestedSubcommand) {
        let harmless: Vec<String> = meant.iter().filter(|name| is_harmless(name)).cloned().collect();
        if harmless.is_empty() {
            error.remove(ContextKind::SuggestedSubcommand);
        } else {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(harmless));
        }
    }
    error
}

/// Whether a mistyped word may be told to mean this command: one that changes nothing and uses no key.
fn is_harmless(command: &str) -> bool {
    let changes = [
        Operation::Create,
        Operation::Register,
        Operation::Update,
        Operation::Rotate,
        Operation::Verify,
        Operation::Revoke,
    ];
    !changes.iter().any(|operation| operation.verb() == command)
}

/// Where nothing belongs. A plaintext is put there by mistake, and clap would show it.
#[derive(Debug, Args)]
pub(crate) struct Surplus {
    #[arg(hide = true, value_hint = ValueHint::Other)]
    surplus: Vec<OsString>,
}

impl Surplus {
    /// Refuses what stands there, without a word of it.
    pub(crate) fn refuse(&self) -> Result<(), Failure> {
        if self.surplus.is_empty() {
            return Ok(());
        }
        let (count, plural) = (self.surplus.len(), if self.surplus.len() == 1 { "" } else { "s" });
        Err(Failure::Usage(format!(
            "{count} argument{plural} too many, not shown here: a plaintext is read from standard input or a file, never from \
             an argument. If it was a plaintext, other programs of this machine may have seen it, and so has the shell's history"
        )))
    }
}
