//! Accounts from the environment.

use std::sync::Arc;

use keymux_core::{ApiKeyProvider, Error, HttpOptions, Variables};

/// A client for each vendor whose credential is set.
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
pub(crate) fn accounts(variables: Variables<'_>, options: &HttpOptions) -> Result<Vec<Arc<dyn ApiKeyProvider>>, Error> {
    let mut accounts: Vec<Arc<dyn ApiKeyProvider>> = Vec::new();
    #[cfg(feature = "baseten")]
    if let Some(config) = keymux_baseten::Config::from_variables(variables)? {
        accounts.push(Arc::new(config.with_http(options.clone()).build()?));
    }
    #[cfg(feature = "braintrust")]
    if let Some(config) = keymux_braintrust::Config::from_variables(variables)? {
        accounts.push(Arc::new(config.with_http(options.clone()).build()?));
    }
    #[cfg(feature = "mielto")]
    if let Some(config) = keymux_mielto::Config::from_variables(variables)? {
        accounts.push(Arc::new(config.with_http(options.clone()).build()?));
    }
    #[cfg(feature = "datkey")]
    if let Some(config) = keymux_datkey::Config::from_variables(variables)? {
        accounts.push(Arc::new(config.with_http(options.clone()).build()?));
    }
    #[cfg(feature = "oneloop")]
    if let Some(config) = keymux_oneloop::Config::from_variables(variables)? {
        accounts.push(Arc::new(config.with_http(options.clone()).build()?));
    }
    Ok(accounts)
}
