//! The vendors that this build knows, and their accounts from the environment.

use keymux_core::{Error, HttpOptions, ProviderInfo, Variables};

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

/// Adds an account for each vendor whose credential is set.
#[cfg_attr(
    not(any(
        feature = "baseten",
        feature = "braintrust",
        feature = "mielto",
        feature = "datkey",
        feature = "oneloop"
    )),
    expect(unused_variables, unused_mut, clippy::unnecessary_wraps, reason = "a build without vendors")
)]
pub(crate) fn add_accounts(
    mut builder: Builder,
    variables: Variables<'_>,
    options: &HttpOptions,
) -> Result<Builder, Error> {
    #[cfg(feature = "baseten")]
    if let Some(config) = keymux_baseten::Config::from_variables(variables)? {
        builder = builder.with_provider(config.with_http(options.clone()).build()?);
    }
    #[cfg(feature = "braintrust")]
    if let Some(config) = keymux_braintrust::Config::from_variables(variables)? {
        builder = builder.with_provider(config.with_http(options.clone()).build()?);
    }
    #[cfg(feature = "mielto")]
    if let Some(config) = keymux_mielto::Config::from_variables(variables)? {
        builder = builder.with_provider(config.with_http(options.clone()).build()?);
    }
    #[cfg(feature = "datkey")]
    if let Some(config) = keymux_datkey::Config::from_variables(variables)? {
        builder = builder.with_provider(config.with_http(options.clone()).build()?);
    }
    #[cfg(feature = "oneloop")]
    if let Some(config) = keymux_oneloop::Config::from_variables(variables)? {
        builder = builder.with_provider(config.with_http(options.clone()).build()?);
    }
    Ok(builder)
}
