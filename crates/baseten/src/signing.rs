//! The key that signs registrations (Cargo feature `signing`).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64ct::{Base64, Encoding};
use http::HeaderValue;
use keymux_core::{Error, ErrorKind, ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::provider::ID;
use crate::registration::Sign;

/// The Ed25519 key that signs registrations. Baseten must have its public half before; there is no operation for that.
/// Needs the Cargo feature `signing`, which is on by default.
///
/// [`Config::with_signing_key`] hands it to the client. Printing it shows nothing. It is wiped when the last clone is
/// dropped.
#[derive(Clone)]
pub struct SigningKey(Arc<Ed25519KeyPair>);

impl SigningKey {
    /// Reads a private key in PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it; white space around it is
    /// passed over. An error is [`ErrorKind::Config`] and holds nothing of the text.
    pub fn from_pkcs8_pem(pem: &SecretString) -> Result<Self, Error> {
        read(pem.expose_secret().trim()).map(|key| Self(Arc::new(key))).map_err(|why| {
            Error::new(ErrorKind::Config).with_provider(ID).with_message(format!(
                "the signing key is not an Ed25519 private key in PKCS#8 PEM, which begins `{BEGIN}`: {why}"
            ))
        })
    }

    /// The public half as Baseten wants it: its 32 bytes in base64.
    #[must_use]
    pub fn public_key(&self) -> String {
        Base64::encode_string(self.0.public_key().as_ref())
    }
}

impl Config {
    /// The key that signs registrations. Without it no key of one's own can be registered; nothing else needs it.
    /// Needs the Cargo feature `signing`, which is on by default.
    pub fn with_signing_key(mut self, key: SigningKey) -> Self {
        self.signer = Some(Arc::new(key));
        self
    }
}

impl Sign for SigningKey {
    fn sign(&self, bytes: &[u8]) -> Option<HeaderValue> {
        let signature = self.0.try_sign(bytes).ok()?;
        HeaderValue::try_from(Base64::encode_string(signature.as_ref())).ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
/// Labels of other keys, which may be said: any other label is text that is not ours to judge.
const OTHER_LABELS: [&str; 5] =
    ["RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PUBLIC KEY"];

/// The key, or why there is none.
fn read(pem: &str) -> Result<Ed25519KeyPair, String> {
    // Decoded bytes are fewer than their text, so that the buffer never grows, which would leave a copy behind.
    let mut buffer = Zeroizing::new(vec![0; pem.len()]);
    let Ok((label, der)) = pem_rfc7468::decode(pem.as_bytes(), &mut buffer) else {
        return Err("it is not whole PEM, from its BEGIN line to its END line".to_owned());
    };
    match label {
        "PRIVATE KEY" => Ed25519KeyPair::from_pkcs8(der).map_err(|rejected| {
            let is_other = rejected.to_string() == "WrongAlgorithm";
            if is_other { "it holds a key of another algorithm" } else { "what it holds cannot be read" }.to_owned()
        }),
        "ENCRYPTED PRIVATE KEY" => Err("it is encrypted; decrypt it with `openssl pkey`".to_owned()),
        label if OTHER_LABELS.contains(&label) => Err(format!("it is labelled `{label}`")),
        _ => Err("it is labelled as something else".to_owned()),
    }
}
