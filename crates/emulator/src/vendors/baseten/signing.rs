//! The signature of a registration, and a key to sign with in tests.

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use serde_json::Value;

use crate::entry::Entry;
use crate::store::Store;

const PUBLIC_KEYS: &str = "public keys";
const ON_FILE: &str = "on file";

/// Everybody can read it here, so that it signs nothing anywhere else.
const EXAMPLE: [u8; 32] = *b"EXAMPLEnotASecretBasetenSigning1";

/// What stands in front of the 32 bytes of an Ed25519 key in PKCS#8.
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// The private key, in PKCS#8 PEM, whose signatures Baseten's stand-in accepts unless
/// [another](crate::Builder::with_baseten_public_key) is on file.
///
/// It is the same in every emulator, and no secret.
#[must_use]
pub fn baseten_signing_key() -> String {
    let label = "PRIVATE KEY";
    let text = Base64::encode_string(&[PKCS8_HEAD.as_slice(), &EXAMPLE].concat());
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The public half of the key above.
pub(crate) fn example_public_key() -> String {
    Base64::encode_string(SigningKey::from_bytes(&EXAMPLE).verifying_key().as_bytes())
}

/// Puts a public key on file, or none. Says whether it is the Base64 of 32 bytes that are an Ed25519 public key.
pub(crate) fn file_public_key(store: &mut Store, text: Option<&str>) -> bool {
    let table = store.table(PUBLIC_KEYS);
    table.remove(&[ON_FILE.to_owned()]);
    text.is_none_or(|text| {
        table.put(Entry::new([ON_FILE], Value::from(text)));
        public_key(text).is_some()
    })
}

/// The public key that is on file.
pub(super) fn on_file(store: &mut Store) -> Option<VerifyingKey> {
    public_key(store.table(PUBLIC_KEYS).get(&[ON_FILE.to_owned()])?.value.as_str()?)
}

/// Whether the text is the Base64 of a signature of exactly these bytes.
pub(super) fn is_signed(bytes: &[u8], text: &[u8], key: &VerifyingKey) -> bool {
    let text = std::str::from_utf8(text).ok();
    let signature = text.and_then(|text| Signature::from_slice(&Base64::decode_vec(text).ok()?).ok());
    signature.is_some_and(|signature| key.verify_strict(bytes, &signature).is_ok())
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&Base64::decode_vec(text).ok()?.try_into().ok()?).ok()
}
