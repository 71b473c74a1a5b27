//! The vendors that this build knows, and their accounts from the environment.

use std::sync::Arc;

use keymux_core::{ApiKeyProvider, Error, HttpOptions, ProviderId, ProviderInfo, Variables};

use crate::accounts::Builder;

/// What the vendors of this build are and can say, in the order of the documentation.
#[must_use]
pub fn providers() -> Vec<&'static ProviderInfo> {
    vec![
        #[cfg(feature = "baseten")]
        keymux_baseten::provider_info(),
        #[cfg(feature = "braintrust")]
        keymux_braintrust::provider_info(),
        #[cfg(feature = "mielto")]
        keymux_mielto::provider_info(),
        #[cfg(feature = "datkey")]
        keymux_datkey::provider_info(),
        #[cfg(feature = "oneloop")]
        keymux_oneloop::provider_info(),
    ]
}

/// The variables that credentials are read from.
pub(crate) fn credential_names() -> Vec<String> {
    providers().iter().map(|info| format!("{}_API_KEY", info.id().as_str().to_ascii_uppercase())).collect()
}

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

fn is_empty(value: &std::ffi::OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Adds an account for each vendor whose credential is set. The first one that cannot be set up is the error.
pub(crate) fn add_accounts(
    mut builder: Builder,
    variables: Variables<'_>,
    options: &HttpOptions,
) -> Result<Builder, Error> {
    for (provider, account) in accounts(variables, options) {
        builder = builder.with_shared_account(provider.as_str(), account?);
    }
    Ok(builder)
}

/// The same, but one that cannot be set up is a broken account, and a variable that is set but empty is none.
pub(crate) fn add_partial_accounts(mut builder: Builder, variables: Variables<'_>, options: &HttpOptions) -> Builder {
    let variables = |name: &str| variables(name).filter(|value| !is_empty(value));
    for (provider, account) in accounts(&variables, options) {
        builder = match account {
            Ok(account) => builder.with_shared_account(provider.as_str(), account),
            Err(error) => builder.with_broken_account(provider.as_str().to_owned(), provider, error),
        };
    }
    builder
}

/// A vendor whose credential is set, and its client.
type Set = (ProviderId, Result<Arc<dyn ApiKeyProvider>, Error>);

#[cfg_attr(
    not(any(
        feature = "baseten",
        feature = "braintrust",
        feature = "mielto",
        feature = "datkey",
        feature = "oneloop"
    )),
    expect(unused_variables, unused_mut, reason = "a build without vendors")
)]
fn accounts(variables: Variables<'_>, options: &HttpOptions) -> Vec<Set> {
    let mut accounts = Vec::new();
    macro_rules! add {
        ($vendor:ident) => {
            let account = $vendor::Config::from_variables(variables).transpose().map(|config| {
                let client = config.and_then(|config| config.with_http(options.clone()).build());
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
