//! The vendors that this build knows.

use keymux_core::ProviderInfo;

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
