//! The keys of groups.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{invalid, name, not_found, owned, page, read};
use crate::answer::{Outcome, Refusal};
use crate::backend::Shared;
use crate::request::{Ids, Query};
use crate::store::Entry;

/// A registered key's prefix is as long as this.
const PREFIX: usize = 16;

pub(super) async fn list(State(backend): State<Shared>, Ids(ids): Ids, query: Query) -> Outcome {
    backend.with(|store| {
        let group = owned(store, &ids)?;
        page(&query, |start| store.keys.after(start, Some(group))).map(Json)
    })
}

pub(super) async fn look_up(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| {
        owned(store, &ids)?;
        store.keys.get(&ids).map(|entry| Json(entry.value.clone())).ok_or_else(not_found)
    })
}

pub(super) async fn create(State(backend): State<Shared>, Ids(ids): Ids, body: Bytes) -> Outcome {
    backend.with(|store| {
        let group = owned(store, &ids)?;
        let name = name(&read(&body)?)?;
        let serial = store.mint();
        let prefix = format!("sky_EXAMPLE{serial:05}");
        let plaintext = format!("{prefix}.EXAMPLEnotASecretBaseten{serial:010}");
        let value = json!({"prefix": prefix, "name": name});
        let entry = Entry::new([group, prefix.as_str()], value).plaintext(plaintext.as_str());
        let told = entry.with("api_key", plaintext);
        store.keys.put(entry);
        Ok(Json(told))
    })
}

pub(super) async fn register(State(backend): State<Shared>, Ids(ids): Ids, headers: HeaderMap, body: Bytes) -> Outcome {
    backend.with(|store| {
        let group = owned(store, &ids)?;
        if !headers.get("x-baseten-signature").is_some_and(|signature| is_signature(signature.as_bytes())) {
            return Err(invalid("Signature verification failed"));
        }
        let body = read(&body)?;
        let (name, key) = (name(&body)?, body.get("key").and_then(Value::as_str).unwrap_or_default());
        check(key)?;
        let prefix: String = key.chars().take(PREFIX).collect();
        if store.keys.has_last(&prefix) {
            return Err(invalid("key: its first 16 characters are taken"));
        }
        let value = json!({"prefix": prefix, "name": name});
        store.keys.put(Entry::new([group, prefix.as_str()], value).plaintext(key));
        Ok(Json(json!({"ok": true})))
    })
}

pub(super) async fn revoke(State(backend): State<Shared>, Ids(ids): Ids) -> Outcome {
    backend.with(|store| {
        owned(store, &ids)?;
        let revoked = store.keys.remove(&ids).ok_or_else(not_found)?;
        Ok(Json(json!({"prefix": revoked.address.get(1)})))
    })
}

/// Whether this is the Base64 of 64 bytes: 86 characters of six bits, the last with four of them zero, and two signs.
fn is_signature(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 88
        && text.ends_with(b"==")
        && text.iter().take(86).all(is_digit)
        && text.get(85).is_some_and(|last| b"AQgw".contains(last))
}

fn check(key: &str) -> Result<(), Refusal> {
    if !(32..=128).contains(&key.chars().count()) {
        return Err(invalid("key: from 32 to 128 characters"));
    }
    if entropy(key) < 3.0 { Err(invalid("key: at least 3 bits of entropy per character")) } else { Ok(()) }
}

/// Bits per character, after Shannon. Of no more characters than a key may have.
fn entropy(text: &str) -> f64 {
    let characters: Vec<_> = text.chars().collect();
    let count = |wanted: char| characters.iter().filter(|given| **given == wanted).fold(0.0, |sum: f64, _| sum + 1.0);
    let all = characters.iter().fold(0.0, |sum: f64, _| sum + 1.0);
    // Every occurrence of a character adds its share, so that each character counts as often as it stands there.
    characters.iter().map(|character| (all / count(*character)).log2() / all).sum()
}

#[cfg(test)]
mod tests {
    use super::{entropy, is_signature};

    #[test]
    fn entropy_counts_bits() {
        assert!(entropy("aaaaaaaa").abs() < 1e-9);
        assert!((entropy("abababab") - 1.0).abs() < 1e-9);
        assert!((entropy("abcdefgh") - 3.0).abs() < 1e-9);
    }

    #[test]
    fn signatures_are_64_bytes() {
        let zeros = format!("{}==", "A".repeat(86));
        assert!(is_signature(zeros.as_bytes()));
        for wrong in ["", "AA==", &"A".repeat(88), &format!("{}B==", "A".repeat(85)), &format!("-{}==", "A".repeat(85))]
        {
            assert!(!is_signature(wrong.as_bytes()), "{wrong}");
        }
    }
}
