//! What every vendor's configuration has in common: a credential, a base URL, and where they came from.

use std::ffi::OsString;
use std::fmt;

use http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::http::{BaseUrl, ClientOptions, Dialect, Pipeline};
use crate::secret::{check_credential, trim_secret};

/// Reads a variable of the environment, or of what stands for it.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// A credential, a base URL and the options, each with the name that errors use for it.
///
/// Provider crates build their own `Config` on it. Printing it shows no credential.
#[derive(Clone)]
#[must_use]
pub struct Setup {
    credential_name: String,
    credential: SecretString,
    base_url_name: String,
    base_url: String,
    http: ClientOptions,
}

impl Setup {
    /// A setup from code.
    pub fn new(credential: impl Into<SecretString>, base_url: &str) -> Self {
        Self {
            credential_name: "the credential".to_owned(),
            credential: credential.into(),
            base_url_name: "the base URL".to_owned(),
            base_url: base_url.to_owned(),
            http: ClientOptions::default(),
        }
    }

    /// A setup from `<PREFIX>_API_KEY` and the optional `<PREFIX>_BASE_URL`. `None` if the former is not set.
    ///
    /// A byte-order mark before the credential and a line break after it are taken off. A variable that is set but empty,
    /// or not readable, is an error that names it.
    pub fn from_variables(variables: Variables<'_>, prefix: &str, base_url: &str) -> Result<Option<Self>, Error> {
        let mut setup = Self::new("", base_url);
        setup.credential_name = format!("{prefix}_API_KEY");
        let Some(credential) = variable(variables, &setup.credential_name)? else {
            return Ok(None);
        };
        let bare = trim_secret(credential.as_bytes());
        // What was taken off is whole characters.
        setup.credential = SecretString::from(std::str::from_utf8(bare).unwrap_or_default());
        check_credential(&setup.credential_name, &setup.credential)?;
        let base_url_name = format!("{prefix}_BASE_URL");
        if let Some(text) = variable(variables, &base_url_name)? {
            BaseUrl::parse(&base_url_name, &text)?;
            setup.base_url.clone_from(&text);
            setup.base_url_name = base_url_name;
        }
        Ok(Some(setup))
    }

    /// Like [`from_variables`](Self::from_variables) with the process's environment, where a credential must be set.
    pub fn from_env(prefix: &str, base_url: &str) -> Result<Self, Error> {
        Self::from_variables(&|name| std::env::var_os(name), prefix, base_url)?
            .ok_or_else(|| Error::config(format!("{prefix}_API_KEY is not set")))
    }

    /// Another base URL.
    pub fn with_base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        "the base URL".clone_into(&mut self.base_url_name);
        self
    }

    /// Other options.
    pub fn with_options(mut self, options: ClientOptions) -> Self {
        self.http = options;
        self
    }

    /// Checks everything and sets the client up. `header` and `scheme` are how the vendor takes the credential,
    /// `headers` what else goes with every request, `prefix` a path that users may or may not put at the end of the
    /// base URL, and that the vendor's paths hold already.
    pub fn connect(
        self,
        dialect: Dialect,
        (header, scheme): (HeaderName, &str),
        headers: HeaderMap,
        prefix: &str,
    ) -> Result<Pipeline, Error> {
        let provider = dialect.provider.clone();
        let base_url_name = self.base_url_name.clone();
        let connect = || {
            // One that is empty is had from the source at the first call.
            if self.http.credential_source.is_none() || !self.credential.expose_secret().is_empty() {
                check_credential(&self.credential_name, &self.credential)?;
            }
            let base = BaseUrl::parse(&self.base_url_name, &self.base_url)?.without_suffix(prefix);
            base.check_scheme(&base_url_name, &self.http)?;
            Pipeline::new(dialect, base, (header, scheme, self.credential), headers, self.http)
        };
        connect().map_err(|error: Error| error.with_provider(provider))
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base URL has not been checked yet, and may hold a password.
        f.debug_struct("Setup").field("credential", &self.credential).field("http", &self.http).finish_non_exhaustive()
    }
}

/// The text of a variable that is set; neither empty nor unreadable.
fn variable(variables: Variables<'_>, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
    let Some(value) = variables(name) else {
        return Ok(None);
    };
    let Ok(text) = value.into_string().map(Zeroizing::new) else {
        return Err(Error::config(format!("the environment variable {name} is not UTF-8")));
    };
    if text.trim().is_empty() {
        return Err(Error::config(format!(
            "the environment variable {name} is set but empty; give it a value or unset it"
        )));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::error::ErrorKind;

    fn setup(pairs: &[(&str, &str)]) -> Result<Option<Setup>, Error> {
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value));
        Setup::from_variables(&get, "ACME", "https://api.acme.example")
    }

    #[test]
    fn the_environment_gives_a_setup_or_an_error_that_names_the_variable() {
        assert!(setup(&[]).unwrap().is_none());
        assert!(setup(&[("ACME_BASE_URL", "nonsense")]).unwrap().is_none(), "without a credential nothing is asked");
        assert!(setup(&[("ACME_API_KEY", "k")]).unwrap().is_some());
        for read in ["k\n", "k\r\n", "\u{feff}k"] {
            let setup = setup(&[("ACME_API_KEY", read)]).unwrap().unwrap();
            assert_eq!(setup.credential.expose_secret(), "k", "{read:?}");
        }
        let bad: [(&[(&str, &str)], &str); 6] = [
            (&[("ACME_API_KEY", "")], "ACME_API_KEY"),
            (&[("ACME_API_KEY", " \n")], "ACME_API_KEY"),
            (&[("ACME_API_KEY", "\u{feff}")], "ACME_API_KEY"),
            (&[("ACME_API_KEY", "k\n\n")], "ACME_API_KEY"),
            (&[("ACME_API_KEY", "k"), ("ACME_BASE_URL", "")], "ACME_BASE_URL"),
            (&[("ACME_API_KEY", "k"), ("ACME_BASE_URL", "nonsense")], "ACME_BASE_URL"),
        ];
        for (pairs, names) in bad {
            let error = setup(pairs).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(names), "{error}");
        }
    }
}
