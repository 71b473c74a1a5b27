//! Accounts from the environment.

use std::ffi::OsStr;
use std::sync::Arc;

use keymux_core::{ApiKeyProvider, ClientOptions, Error, ProviderId, Variables};

use crate::vendors::providers;

/// The variables of the vendors of this build that are set and empty. [`Keymux::from_env`](crate::Keymux::from_env)
/// refuses them, [`Keymux::from_env_partial`](crate::Keymux::from_env_partial) takes them for unset: so a secret arrives
/// that a build server does not have.
#[must_use]
pub fn empty_variables(variables: Variables<'_>) -> Vec<String> {
    let names = providers().into_iter().flat_map(|info| {
        let prefix = info.id().as_str().to_ascii_uppercase();
        [format!("{prefix}_API_KEY"), format!("{prefix}_BASE_URL")]
    });
    names.filter(|name| variables(name).is_some_and(|value| is_empty(&value))).collect()
}

/// Whether a variable that is set holds nothing.
pub(crate) fn is_empty(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// A vendor whose credential is set, and its client.
pub(crate) type Set = (ProviderId, Result<Arc<dyn ApiKeyProvider>, Error>);

#[cfg_attr(
    not(any(
        feature = "baseten",
        feature = "braintrust",
        feature = "mielto",
        feature = "datkey",
        feature = "oneloop"
    )),
    expect(unused_variables, unused_mut, unused_macros, reason = "a build without vendors")
)]
pub(crate) fn accounts(variables: Variables<'_>, options: &ClientOptions) -> Vec<Set> {
    let mut accounts = Vec::new();
    macro_rules! add {
        ($vendor:ident) => {
            let account = $vendor::Config::from_variables(variables).transpose().map(|config| {
                let client = config.and_then(|config| config.with_options(options.clone()).build());
                client.map(|client| Arc::new(client) as Arc<dyn ApiKeyProvider>)
            });
            accounts.extend(account.map(|account| ($vendor::provider_info().id().clone(), account)));
        };
    }
    #[cfg(feature = "baseten")]
    add!(keymux_baseten);
    #[cfg(feature = "braintrust")]
    add!(keymux_braintrust);
    #[cfg(feature = "mielto")]
    add!(keymux_mielto);
    #[cfg(feature = "datkey")]
    add!(keymux_datkey);
    #[cfg(feature = "oneloop")]
    add!(keymux_oneloop);
    accounts
}
