//! The key that signs registrations (Cargo feature `signing`).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64ct::{Base64, Encoding};
use http::HeaderValue;
use keymux_core::{Error, ErrorKind, ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::client::ID;
use crate::config::Config;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test key of RFC 8032, in PKCS#8.
    const RFC_8032: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    /// The key of RFC 8410 as PKCS#8 version 1, and as version 2 with an attribute and its public half.
    const V1: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    const V2: &str = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                      oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
                      Z9w7lshQhqowtrbLDFw4rXAxZuE=";
    const P_256: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwlrUZTgnzjuJHurR\n\
                         CmZMFn5eursD+g6EYkDdQXUybP+hRANCAATbUY/HacecmLAgDaAWbhZai8M654Pj\n\
                         EE1PnMQfVguTYsg1rd5nv67CCyGU44PGJl578f2nAoPcwbNnBiLnC6Mg";
    const X25519: &str = "MC4CAQAwBQYDK2VuBCIEILi1VNUp8HVzjaQLRHQBf3AISEVA8OQqbBi/5bnkjIJL";
    const ENCRYPTED: &str = "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi8K1CAK7kBawICCAAw\n\
                             DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHoBnvv34rebEkM8if1skLsEQJik\n\
                             pcJ+gOSu1Aw9uIMR2Y32i6xBIZmRHESeBHpJ1IK7J9DYKZP2+LvNLZBh+wvwCjIX\n\
                             3FW6jL+gjcB18xkFlzg=";

    fn pem(label: &str, text: &str) -> String {
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    fn private(text: &str) -> String {
        pem("PRIVATE KEY", text)
    }

    fn from_pem(text: impl Into<String>) -> Result<SigningKey, Error> {
        SigningKey::from_pkcs8_pem(&SecretString::from(text.into()))
    }

    #[test]
    fn the_signature_is_that_of_rfc_8032() {
        let key = from_pem(private(RFC_8032)).unwrap();
        assert_eq!(key.public_key(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let signature = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";
        assert_eq!(key.sign(b"").unwrap(), signature);
        assert_ne!(key.sign(b"\0").unwrap(), signature);
    }

    #[test]
    fn both_versions_of_pkcs8_are_read_with_any_line_ends_and_with_text_around() {
        let public = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let v1 = private(V1);
        let table = [
            private(V2),
            v1.replace('\n', "\r\n"),
            v1.trim().to_owned(),
            format!(" \n\t{v1}\n \r\n"),
            format!("a line in front\n{v1}"),
            v1,
        ];
        for text in table {
            assert_eq!(from_pem(&text).unwrap().public_key(), public, "{text}");
        }
    }

    #[test]
    fn what_is_no_such_key_is_refused_by_what_it_is_and_none_of_it_is_shown() {
        let whole = "it is not whole PEM, from its BEGIN line to its END line";
        let other = "it holds a key of another algorithm";
        let unread = "what it holds cannot be read";
        let v1 = private(V1);
        let table = [
            (String::new(), whole),
            (V1.to_owned(), whole),
            (v1[..v1.len() / 2].to_owned(), whole),
            (v1.trim()[..v1.len() - 2].to_owned(), whole),
            (v1.replace("END PRIVATE", "END PUBLIC"), whole),
            (v1.replace("MC4C", "M*4C"), whole),
            (format!("{v1}{v1}"), whole),
            (private(P_256), other),
            (private(X25519), other),
            // Cut within the text; the public half of another key; no key at all.
            (private(&V1[..60]), unread),
            (private(&V2.replace("gSEAGb9E", "gSEAGb8E")), unread),
            (private("AAAA"), unread),
            (pem("ENCRYPTED PRIVATE KEY", ENCRYPTED), "it is encrypted; decrypt it with `openssl pkey`"),
            (pem("RSA PRIVATE KEY", V1), "it is labelled `RSA PRIVATE KEY`"),
            (pem("EC PRIVATE KEY", V1), "it is labelled `EC PRIVATE KEY`"),
            (pem("OPENSSH PRIVATE KEY", V1), "it is labelled `OPENSSH PRIVATE KEY`"),
            (pem("PUBLIC KEY", V1), "it is labelled `PUBLIC KEY`"),
            (pem("CANARY", V1), "it is labelled as something else"),
        ];
        for (text, why) in table {
            let error = from_pem(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let said = "the signing key is not an Ed25519 private key in PKCS#8 PEM, which begins \
                        `-----BEGIN PRIVATE KEY-----`: ";
            assert_eq!(error.message().unwrap(), format!("{said}{why}"), "{text}");
            let shown = format!("{error:?}");
            assert!(!shown.contains("CANARY"), "{shown}");
            for line in text.lines().filter(|line| !line.starts_with('-')) {
                assert!(!shown.contains(line), "{shown}");
            }
        }
    }

    #[test]
    fn a_key_prints_nothing() {
        let key = from_pem(private(RFC_8032)).unwrap();
        let config = Config::new("c").with_signing_key(key.clone());
        for shown in [format!("{key:?}"), format!("{config:?}"), format!("{:?}", config.clone().build().unwrap())] {
            assert!(shown.contains("SigningKey([redacted])") && !shown.contains("11qYA"), "{shown}");
            assert!(!shown.contains("d75a98"), "{shown}");
        }
    }
}
