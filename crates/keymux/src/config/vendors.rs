//! From the settings of an account to its vendor's client.

use std::sync::Arc;
use std::time::Duration;

use keymux_core::{ApiKeyProvider, ClientOptions, Error, ErrorKind, RateLimit, SecretString};

use super::AccountConfig;
use super::keys::Value;

impl AccountConfig {
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.settings.get(key).map(|setting| &setting.value)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        match self.value(key)? {
            Value::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    /// The content of the file that `key` names, which was read before.
    fn content(&self, key: &str) -> Option<&[u8]> {
        self.contents.get(key).map(|content| content.as_slice())
    }

    /// `options` with what the file says in their place.
    pub(super) fn http(&self, mut options: ClientOptions) -> Result<ClientOptions, Error> {
        if let Some(timeout) = self.duration("attempt_timeout") {
            options = options.with_attempt_timeout(timeout);
        }
        if let Some(timeout) = self.duration("total_timeout") {
            options = options.with_total_timeout(timeout);
        }
        if let Some(timeout) = self.duration("connect_timeout") {
            options = options.with_connect_timeout(timeout);
        }
        if let Some(Value::Count(attempts)) = self.value("max_attempts") {
            let policy = options.retry().with_max_attempts(*attempts);
            options = options.with_retry(policy);
        }
        if let Some(Value::Count(mebibytes)) = self.value("max_list_mib") {
            let bytes = usize::try_from(u64::from(*mebibytes) << 20).unwrap_or(usize::MAX);
            options = options.with_max_list_body_bytes(bytes);
        }
        if let Some(Value::Rate(pace)) = self.value("pace") {
            options = options.with_rate_limit(rate_limit(*pace));
        }
        if let Some(Value::Flag(system_proxy)) = self.value("system_proxy") {
            options = options.with_system_proxy(*system_proxy);
        }
        if let Some(pem) = self.content("root_certificates_file") {
            options = options.with_root_certificates_pem(pem);
        }
        match self.text("application") {
            Some(application) => options.with_application(application),
            None => Ok(options),
        }
    }

    /// The vendor's client. Nothing is sent.
    pub(super) fn client(
        &self,
        credential: SecretString,
        options: ClientOptions,
    ) -> Result<Arc<dyn ApiKeyProvider>, Error> {
        match self.vendor {
            #[cfg(feature = "baseten")]
            "baseten" => {
                use keymux_baseten::{AuthScheme, Config};
                let mut config = Config::new(credential).with_options(options);
                if let Some(url) = self.text("base_url") {
                    config = config.with_base_url(url);
                }
                if self.text("auth_scheme") == Some("bearer") {
                    config = config.with_auth_scheme(AuthScheme::Bearer);
                }
                #[cfg(feature = "signing")]
                if let Some(pem) = self.content("signing_key_file") {
                    // What is not UTF-8 is no PEM either, and refused as such.
                    let pem = SecretString::from(std::str::from_utf8(pem).unwrap_or_default());
                    config = config.with_signing_key(keymux_baseten::SigningKey::from_pkcs8_pem(&pem)?);
                }
                #[cfg(not(feature = "signing"))]
                if self.settings.contains_key("signing_key_file") {
                    let message = "this build cannot sign, so that `signing_key_file` has no use; \
                                   turn the Cargo feature `signing` of `keymux` on";
                    return Err(Error::new(ErrorKind::Config).with_message(message));
                }
                Ok(Arc::new(config.build()?))
            }
            #[cfg(feature = "braintrust")]
            "braintrust" => {
                use keymux_braintrust::{Config, Region};
                let mut config = Config::new(credential).with_options(options);
                if self.text("region") == Some("eu") {
                    config = config.with_region(Region::Eu);
                }
                if let Some(url) = self.text("base_url") {
                    config = config.with_base_url(url);
                }
                if let Some(user) = self.text("impersonated_user") {
                    config = config.with_impersonated_user(user);
                }
                Ok(Arc::new(config.build()?))
            }
            #[cfg(feature = "mielto")]
            "mielto" => {
                use keymux_mielto::{AuthHeader, Config};
                let mut config = Config::new(credential).with_options(options);
                if let Some(url) = self.text("base_url") {
                    config = config.with_base_url(url);
                }
                if self.text("auth_header") == Some("x-api-key") {
                    config = config.with_auth_header(AuthHeader::XApiKey);
                }
                if let Some(id) = self.text("workspace_id") {
                    config = config.with_workspace_id(id);
                }
                Ok(Arc::new(config.build()?))
            }
            #[cfg(feature = "datkey")]
            "datkey" => {
                let mut config = keymux_datkey::Config::new(credential).with_options(options);
                if let Some(url) = self.text("base_url") {
                    config = config.with_base_url(url);
                }
                Ok(Arc::new(config.build()?))
            }
            #[cfg(feature = "oneloop")]
            "oneloop" => {
                use keymux_core::TimeUnit;
                let mut config = keymux_oneloop::Config::new(credential).with_options(options);
                if let Some(url) = self.text("base_url") {
                    config = config.with_base_url(url);
                }
                match self.text("expiry_unit") {
                    Some("seconds") => config = config.with_expiry_unit(TimeUnit::Seconds),
                    Some("milliseconds") => config = config.with_expiry_unit(TimeUnit::Milliseconds),
                    _ => {}
                }
                Ok(Arc::new(config.build()?))
            }
            vendor => {
                // Without any vendor nothing takes these.
                drop((credential, options));
                let message = format!("this build has no `{vendor}`; turn the Cargo feature `{vendor}` of `keymux` on");
                Err(Error::new(ErrorKind::Config).with_message(message))
            }
        }
    }
}

/// A limit of so many requests a second, to a tenth.
fn rate_limit(pace: f64) -> RateLimit {
    if pace < 1.0 {
        return RateLimit::new(1, Duration::try_from_secs_f64(1.0 / pace).unwrap_or(Duration::MAX));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0; a cast keeps to the largest")]
    let in_ten_seconds = (pace * 10.0).round() as u32;
    RateLimit::new(in_ten_seconds, Duration::from_secs(10))
}
