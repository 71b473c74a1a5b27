//! The accounts: which vendor is asked, with which credential, under which name.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use keymux_core::{AccountName, ApiKeyProvider, Error, ErrorKind, SecretString, scrub_text};

use crate::vendors;

/// The accounts by name, each a provider whose records and errors carry the name of the account.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) by_name: BTreeMap<AccountName, Arc<dyn ApiKeyProvider>>,
    /// Those of them that could not be set up, and why.
    pub(crate) broken: BTreeMap<AccountName, Error>,
    /// How many calls of one account run at once in one stream of outcomes.
    pub(crate) concurrency: NonZeroUsize,
}

impl Accounts {
    /// One account. One that does not exist is [`ErrorKind::Config`].
    pub(crate) fn get(&self, name: &AccountName) -> Result<&Arc<dyn ApiKeyProvider>, Error> {
        self.by_name.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(AccountName::as_str).collect();
            let mend = if known.is_empty() {
                format!("there are none; set one of {}", vendors::credential_names().join(", "))
            } else {
                format!("there are: {}", known.join(", "))
            };
            // A plaintext may have been put in the place of the name.
            let shown = scrub_text(name.as_str(), &SecretString::default());
            let error = Error::new(ErrorKind::Config).with_message(format!("there is no account `{shown}`; {mend}"));
            if shown == name.as_str() { error.with_account(name.clone()) } else { error }
        })
    }
}
