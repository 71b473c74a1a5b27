//! How a vendor's refusals read: what a provider crate tells the pipeline of its vendor's wire.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;

use super::call::Quiet;
use crate::error::ErrorKind;
use crate::names::ProviderId;
use crate::rate_limit::RateLimit;
use crate::retry::{WaitHeader, decimal};
use crate::secret::{names_of, scrub_text};

/// What the pipeline has to know of a vendor's wire beside its calls.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// The vendor.
    pub provider: ProviderId,
    /// The response header with the vendor's id of the request, if it has one.
    pub request_id_header: Option<&'static str>,
    /// Reads what the vendor says in an answer that is not a success.
    pub read_rejection: fn(&Rejected<'_>) -> Rejection,
    /// How many requests the vendor says it allows for each credential and endpoint, if it says so.
    pub rate_limit: Option<RateLimit>,
    /// The headers beside `Retry-After` in which the vendor documents that it names a wait, in the order in which they
    /// count. No other one is read: the same name means seconds here and an instant there.
    pub wait_headers: &'static [WaitHeader],
}

impl Dialect {
    /// The headers that may name a wait in an answer with this status. Some vendors send theirs with every answer.
    pub(super) fn wait_headers_of(&self, status: u16) -> &'static [WaitHeader] {
        if matches!(status, 429 | 503) { self.wait_headers } else { &[] }
    }
}

/// An answer that is not a success, as a [`Dialect`] reads it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rejected<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body as text.
    pub text: &'a str,
    /// The body as JSON, whatever its content type says; `Null` if it is not JSON.
    pub json: &'a Value,
    pub(super) credential: &'a SecretString,
    pub(super) quiet: Quiet,
}

impl fmt::Debug for Rejected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("status", &self.status)
            .field("headers", &names_of(self.headers))
            .field("text", &format_args!("{} bytes", self.text.len()))
            .finish_non_exhaustive()
    }
}

impl Rejected<'_> {
    /// The text, or the number as text, at a JSON pointer such as `/error/message`.
    #[must_use]
    pub fn text_at(&self, pointer: &str) -> Option<String> {
        match self.json.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Text of the body made fit to be shown, for a [`Rejection::detail`]: without the credential and without what
    /// looks like a key or an e-mail address, and cut. The other members of a [`Rejection`] are scrubbed anyway. Where a
    /// plaintext is near, only plain words and short numbers are left, or only one.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        match self.quiet {
            Quiet::Not => scrub_text(text, self.credential),
            _ if is_plain_word(text) => text.to_owned(),
            Quiet::PlainWordsOnly if self.is_refusal() => plain_words(&scrub_text(text, self.credential)),
            _ => "[withheld]".to_owned(),
        }
    }

    /// A server that fails may have made the key, and says anything.
    pub(super) fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status)
    }

    /// The number of seconds, or the text of one, at a JSON pointer.
    #[must_use]
    pub fn seconds_at(&self, pointer: &str) -> Option<Duration> {
        decimal(self.text_at(pointer)?.trim(), 1.0)
    }
}

/// What a vendor said in an answer that is not a success.
#[derive(Clone, Default)]
pub struct Rejection {
    /// What it means at this vendor, where that is not what the status means everywhere.
    pub kind: Option<ErrorKind>,
    /// The vendor's error code.
    pub code: Option<String>,
    /// The vendor's message. It is scrubbed and cut before anybody sees it; without one the body itself is.
    pub message: Option<String>,
    /// The delay that the vendor names in the body.
    pub retry_after: Option<Duration>,
    /// The vendor's id of the request, where it stands in the body.
    pub request_id: Option<String>,
    /// What else the vendor said, in a type of its own, for [`Error::detail`](crate::Error::detail).
    pub detail: Option<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts are the vendor's own, and not scrubbed yet.
        f.debug_struct("Rejection")
            .field("kind", &self.kind)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

/// Whether `text` is the name of a member or the like: small letters without digits, or a short number.
fn is_plain_word(text: &str) -> bool {
    let word = text.len() < 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    word || (text.len() < 6 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// The plain words of `text`. In the place of each run of others, which may be a secret, stands `[…]`.
pub(super) fn plain_words(text: &str) -> String {
    let mut shown = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '_');
        if bare.len() <= 32 && bare.split(['.', '/', '-', '\'']).all(is_said) {
            shown.push(word);
        } else if shown.last() != Some(&"[…]") {
            shown.push("[…]");
        }
    }
    shown.join(" ")
}

/// Whether this is a word of a language, the name of a member or a short number: not what a generator of keys writes.
fn is_said(word: &str) -> bool {
    const LONGEST: usize = 16;
    let rest = word.strip_prefix(|c: char| c.is_ascii_uppercase()).unwrap_or(word);
    let cased = |is: fn(&u8) -> bool| word.len() <= LONGEST && rest.bytes().all(|b| is(&b) || b == b'_');
    cased(u8::is_ascii_lowercase) || cased(u8::is_ascii_uppercase) || is_plain_word(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refusal_words_are_left_and_nothing_that_may_be_a_key() {
        for (text, shown) in [
            ("body.label: must be at most 255 characters", "body.label: must be at most 255 characters"),
            (
                "Your plan doesn't allow more than 5 keys (upgrade it).",
                "Your plan doesn't allow more than 5 keys (upgrade it).",
            ),
            ("NAME_TAKEN: 'ci' is there already", "NAME_TAKEN: 'ci' is there already"),
            ("key sk_live_aB3dE5gH7jK9 exists", "key […] exists"),
            ("abcdefghijklmnopqrstuvwxyzabcdef mk_1 x9", "[…]"),
            ("aBcDeFgH/IjKlMn QWERTYUIOPASDFGHJKL", "[…]"),
            ("id 123456", "id […]"),
            ("", ""),
        ] {
            assert_eq!(plain_words(text), shown);
        }
    }
}
