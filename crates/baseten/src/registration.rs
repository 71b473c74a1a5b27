//! Keys of one's own: the rules that Baseten has for them, and that a registration is signed.

use std::fmt;

use http::HeaderValue;
use keymux_core::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What signs a registration: a `SigningKey`, which is there with the Cargo feature `signing` alone.
pub(crate) trait Sign: fmt::Debug + Send + Sync {
    /// The signature of exactly these bytes, in base64. `None` if they could not be signed.
    fn sign(&self, bytes: &[u8]) -> Option<HeaderValue>;
}

/// How many characters a registered key may have.
const LENGTH: std::ops::RangeInclusive<usize> = 32..=128;
/// How many bits of Shannon entropy each of its characters must hold on average.
const MIN_BITS: f64 = 3.0;
/// How many of its characters are its prefix.
const PREFIX: usize = 16;

/// Says which of Baseten's rules a key of one's own breaks, and how the key is shaped: nothing of its text.
pub(crate) fn broken_rule(plaintext: &SecretString) -> Option<String> {
    let text = plaintext.expose_secret();
    let length = text.chars().count();
    if !LENGTH.contains(&length) {
        return Some(format!(
            "`key` has {length} characters, and Baseten registers keys of {} to {}",
            LENGTH.start(),
            LENGTH.end()
        ));
    }
    let bits = bits_per_character(text);
    // Cut, not rounded, so that it never reads as if it were enough.
    (bits < MIN_BITS).then(|| {
        let shown = (bits * 100.0).floor() / 100.0;
        format!("`key` has {shown:.2} bits of Shannon entropy per character, and Baseten wants {MIN_BITS:.1}")
    })
}

/// The prefix that Baseten gives a registered key: its first 16 characters.
pub(crate) fn prefix_of(plaintext: &SecretString) -> String {
    plaintext.expose_secret().chars().take(PREFIX).collect()
}

fn bits_per_character(text: &str) -> f64 {
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(text.chars());
    characters.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "at most 128 characters get here")]
    let share = |count: usize| count as f64 / characters.len() as f64;
    characters.chunk_by(|a, b| a == b).map(|same| share(same.len())).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Option<String> {
        broken_rule(&SecretString::from(text))
    }

    #[test]
    fn a_key_has_32_to_128_characters_however_many_bytes_these_are() {
        let of = |characters: usize, alphabet: &str| alphabet.chars().cycle().take(characters).collect::<String>();
        for alphabet in ["0123456789abcdef", "äöüßéèêàâçñõøåæœ"] {
            for fits in [32, 33, 127, 128] {
                assert_eq!(broken(&of(fits, alphabet)), None);
            }
            for wrong in [0, 1, 31, 129] {
                let reason = broken(&of(wrong, alphabet)).unwrap();
                assert!(
                    reason.contains(&format!("has {wrong} characters")) && reason.contains("32 to 128"),
                    "{reason}"
                );
            }
        }
    }

    #[test]
    fn a_key_has_at_least_3_bits_per_character() {
        // Eight characters, equally often: 3 bits exactly.
        assert_eq!(broken(&"abcdefgh".repeat(4)), None);
        let table = [("a".repeat(32), "0.00"), ("ab".repeat(16), "1.00"), ("abcdefg".repeat(5), "2.80")];
        for (text, bits) in table {
            let reason = broken(&text).unwrap();
            assert!(reason.contains(&format!("{bits} bits")) && reason.contains("3.0"), "{reason}");
            assert!(!reason.contains(&text));
        }
        // One character more often than the others: just below.
        let nearly = format!("{}a", "abcdefgh".repeat(15));
        assert!(broken(&nearly).unwrap().contains("2.99 bits"));
    }

    #[test]
    fn a_prefix_counts_characters() {
        assert_eq!(prefix_of(&SecretString::from("äöüß-partner/eu+1 key of ours, the")), "äöüß-partner/eu+");
    }
}
