//! The keys of groups.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{invalid, name, not_found, owned, page, read, signing};
use crate::answer::{Outcome, Refusal};
use crate::backend::Shared;
use crate::entry::Entry;
use crate::request::{Ids, Query};

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
        let public_key = signing::on_file(store);
        let public_key =
            public_key.ok_or_else(|| invalid("Must configure a public key before registering API keys"))?;
        let signature = headers.get("x-baseten-signature");
        if !signature.is_some_and(|signature| signing::is_signed(&body, signature.as_bytes(), &public_key)) {
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
    use super::entropy;

    #[test]
    fn entropy_counts_bits() {
        assert!(entropy("aaaaaaaa").abs() < 1e-9);
        assert!((entropy("abababab") - 1.0).abs() < 1e-9);
        assert!((entropy("abcdefgh") - 3.0).abs() < 1e-9);
    }
}
