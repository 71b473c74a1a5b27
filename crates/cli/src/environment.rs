//! Which variables of the environment name accounts. Their values are not looked at but for being empty.

use keymux::ProviderInfo;

/// The providers whose credential is in the environment, each with the name of the variable.
pub(crate) fn set_credentials() -> impl Iterator<Item = (&'static ProviderInfo, String)> {
    let named = keymux::providers().into_iter().map(|info| (info, variable(info, "API_KEY")));
    named.filter(|(_, name)| is_set(name))
}

/// `BASETEN_API_KEY`.
pub(crate) fn variable(info: &ProviderInfo, what: &str) -> String {
    format!("{}_{what}", info.id().as_str().to_ascii_uppercase())
}

pub(crate) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
