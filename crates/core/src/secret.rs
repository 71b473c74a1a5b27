//! Credentials, and what keeps them and other secrets out of text.

use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::names::ProviderId;

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Schemes of `Authorization` that a user may have pasted together with a key.
const SCHEMES: [&str; 3] = ["bearer ", "api-key ", "basic "];

/// Refuses a credential that no header can carry or that was pasted with its scheme. `name` names it in the error,
/// which tells the shape and nothing of the text.
pub(crate) fn check_credential(name: &str, credential: &SecretString) -> Result<(), Error> {
    let text = credential.expose_secret();
    let lower = Zeroizing::new(text.chars().take(8).collect::<String>().to_ascii_lowercase());
    if SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        return Err(Error::config(format!("{name} begins with an authentication scheme; give the key alone")));
    }
    if let Some((shape, _)) = SHAPES.iter().find(|(_, is)| is(text)) {
        return Err(Error::config(format!("{name} {shape}")));
    }
    flaw(text).map_or(Ok(()), |flaw| Err(Error::config(format!("{name} {flaw}"))))
}

/// What was read from a file, a pipe, a variable or a terminal, without what belongs to the reading and not to the
/// secret: a byte-order mark at the start, and a line break at the end. One of each is taken off.
#[must_use]
pub fn trim_secret(bytes: &[u8]) -> &[u8] {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    text.strip_suffix(b"\n").map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The secret in what was [read](trim_secret), or why no key can be in it.
pub fn read_secret(bytes: &[u8]) -> Result<SecretString, SecretFlaw> {
    let secret = trim_secret(bytes);
    let text = std::str::from_utf8(secret).map_err(|_| SecretFlaw::NotText {
        bytes: secret.len(),
        utf16: secret.starts_with(&[0xff, 0xfe]) || secret.starts_with(&[0xfe, 0xff]),
    })?;
    flaw(text).map_or_else(|| Ok(SecretString::from(text)), Err)
}

/// Why a text is no key. Printed, it tells the shape, and nothing of the text but one character that is not visible ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretFlaw {
    /// There is no text.
    Empty,
    /// It is not UTF-8.
    NotText {
        /// How many bytes it has.
        bytes: usize,
        /// It begins as UTF-16 does.
        utf16: bool,
    },
    /// A character is not visible ASCII.
    Character {
        /// The first such character.
        found: char,
        /// At which byte it begins, counted from 1. All characters before it have one byte.
        at: usize,
        /// How many bytes the text has.
        of: usize,
    },
}

impl fmt::Display for SecretFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("is empty"),
            Self::NotText { bytes, utf16 } => {
                let encoding = if utf16 { "; it looks like UTF-16: save it as UTF-8" } else { "" };
                write!(f, "is not text: {bytes} bytes that are not UTF-8{encoding}")
            }
            Self::Character { found, at, of } => {
                let what = if found.is_whitespace() {
                    "white space"
                } else if found.is_control() {
                    "a control character"
                } else {
                    "an invisible or non-ASCII character"
                };
                let code = u32::from(found);
                write!(f, "holds {what} (U+{code:04X}) at byte {at} of {of}, which no key holds; copy the key again")
            }
        }
    }
}

impl std::error::Error for SecretFlaw {}

/// The one rule of what a key's text may be: visible ASCII.
pub(crate) fn flaw(text: &str) -> Option<SecretFlaw> {
    if text.is_empty() {
        return Some(SecretFlaw::Empty);
    }
    let (at, found) = text.char_indices().find(|(_, c)| !c.is_ascii_graphic())?;
    Some(SecretFlaw::Character { found, at: at + 1, of: text.len() })
}

/// What people put in the place of a key, as far as it is certain: how it is told, and what it looks like.
type Shape = (&'static str, fn(&str) -> bool);

const SHAPES: [Shape; 6] = [
    ("is in quotation marks, which are no part of a key; give the key alone", |text| {
        let quotes = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
        text.trim().starts_with(quotes) || text.trim().ends_with(quotes)
    }),
    ("is JSON; give the key alone, which is one of its members", |text| {
        let text = text.trim();
        (text.starts_with('{') && text.ends_with('}') && text.contains('"')) || text.starts_with("[\"")
    }),
    ("names a variable, which nothing here replaces; give what is in it", |text| {
        let text = text.trim();
        let braces = [("${", "}"), ("$(", ")"), ("{{", "}}"), ("%(", ")s"), ("<%", "%>")];
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        braces.iter().any(|(front, back)| text.starts_with(front) && text.ends_with(back))
            || text.strip_prefix('$').is_some_and(is_name)
            || text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(is_name)
    }),
    (
        "is a reference or a URL (it holds `://`), which nothing here resolves; give the key that it stands for",
        |text| text.contains("://"),
    ),
    ("has the form `NAME=value`; give the value alone", |text| {
        let text = text.trim();
        let text = text.strip_prefix("export ").unwrap_or(text);
        text.split_once('=').is_some_and(|(name, value)| {
            let is_name =
                name.len() >= 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            let says_so = ["key", "token", "secret", "password", "credential", "api_key", "apikey", "api-key"];
            let is_assigned = value.bytes().any(|b| b != b'=');
            is_assigned && ((is_name && name.contains('_')) || says_so.contains(&name.to_ascii_lowercase().as_str()))
        })
    }),
    ("is a placeholder between `<` and `>`; give the key", |text| text.starts_with('<') && text.ends_with('>')),
];

/// What may be wrong with a credential that a vendor refused: a hint at its shape, and nothing of its text.
pub(crate) fn suspicion(credential: &SecretString) -> Option<&'static str> {
    let text = credential.expose_secret();
    let has = |odd: &[char]| text.contains(odd);
    Some(if has(&['"', '\'', '`']) {
        "the credential holds a quotation mark, which keys rarely do; was it copied with what stands around it?"
    } else if has(&['$', '{', '}', '%', '<', '>']) {
        "the credential holds a sign of templates (`$ { } % < >`), which keys rarely do; was a variable not replaced?"
    } else if text.trim_end_matches('=').contains('=') {
        "the credential holds `=` in the middle; is it of the form `NAME=value`? Give the value alone"
    } else if has(&['*', '\u{2026}']) || text.contains("...") {
        "the credential looks shortened (it holds `*` or `...`); give the whole key"
    } else if has(&[',', ';', '\\']) {
        "the credential holds a comma, a semicolon or a backslash, which keys rarely do; was it copied with what follows it?"
    } else {
        return None;
    })
}

/// A header value of `scheme` and the credential: sensitive, shared by its clones, wiped when the last one is dropped.
pub(crate) fn credential_header(scheme: &str, credential: &SecretString) -> Result<HeaderValue, Error> {
    let text = credential.expose_secret();
    let mut buffer = Zeroizing::new(Vec::with_capacity(scheme.len() + text.len()));
    buffer.extend_from_slice(scheme.as_bytes());
    buffer.extend_from_slice(text.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(buffer))
        .map_err(|_| Error::config("the credential holds a character that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Prints headers by allow-list: names always, values only where they say nothing about anybody.
pub(crate) fn print_headers(headers: &HeaderMap) -> impl fmt::Debug + '_ {
    const SHOWN: [&str; 9] = [
        "accept",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "retry-after",
        "retry-after-ms",
        "server",
        "user-agent",
    ];

    struct Print<'a>(&'a HeaderMap);

    impl fmt::Debug for Print<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut map = f.debug_map();
            for (name, value) in self.0 {
                let shown = SHOWN.contains(&name.as_str()) && !value.is_sensitive();
                map.entry(&name.as_str(), &if shown { value.to_str().unwrap_or(REDACTED) } else { REDACTED });
            }
            map.finish()
        }
    }

    Print(headers)
}

/// The names of an answer's headers. The server wrote the values, and may have repeated anything in any of them.
pub(crate) fn names_of(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(http::HeaderName::as_str).collect()
}

/// How an answer says its body is compressed, in words of this crate.
pub(crate) fn compression(headers: &HeaderMap) -> Option<&'static str> {
    const KNOWN: [&str; 6] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress"];
    let text = headers.get(http::header::CONTENT_ENCODING)?.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.eq_ignore_ascii_case("identity") {
        return None;
    }
    Some(KNOWN.into_iter().find(|known| text.eq_ignore_ascii_case(known)).unwrap_or("in an unknown way"))
}

/// Makes a vendor's id of a request fit to be shown. Unlike in a message, a long word of letters and digits is what is
/// expected here; a key with a known prefix or an e-mail address is not.
pub(crate) fn scrub_id(id: &str, credential: &SecretString) -> String {
    let shown: String = id.chars().filter(char::is_ascii_graphic).take(128).collect();
    let repeats = |text: &str| secrets_of(credential).any(|secret| text.contains(secret));
    if repeats(id) || repeats(&shown) || shown.contains('@') || has_key_prefix(&shown) {
        return REDACTED.to_owned();
    }
    shown
}

/// The secrets in `credential`, which may be several, each on a line of its own: no key holds a line break.
fn secrets_of(credential: &SecretString) -> impl Iterator<Item = &str> {
    credential.expose_secret().lines().filter(|secret| !secret.is_empty())
}

/// The longest piece of a vendor's text in an error, in characters.
const MAX_TEXT: usize = 300;

/// Makes a text of others (a vendor's, a program's) fit to be shown: without the credential, without anything that
/// looks like a key or an e-mail address, without control characters, and cut at 300 characters.
#[must_use]
pub fn scrub_text(text: &str, credential: &SecretString) -> String {
    let mut without = Zeroizing::new(text.to_owned());
    for secret in secrets_of(credential).filter(|secret| secret.len() >= 4) {
        without = Zeroizing::new(without.replace(secret, REDACTED));
    }
    let mut shown = String::with_capacity(without.len().min(4 * MAX_TEXT));
    let mut word_start = None;
    // What follows a scheme is a credential, up to the next white space.
    let mut after_scheme = false;
    let mut in_credential = false;
    let mut written = 0;
    let mut cut = false;
    let separates =
        |c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || "\"'`,;()[]{}<>=:/\\".contains(c);
    // A space at the end closes the last word.
    for (at, c) in without.char_indices().chain([(without.len(), ' ')]) {
        if !separates(c) {
            word_start.get_or_insert(at);
            continue;
        }
        if let Some(word) = word_start.take().and_then(|start| without.get(start..at)) {
            let shown_word = if after_scheme { REDACTED } else { looks_secret(word).unwrap_or(word) };
            in_credential = after_scheme;
            after_scheme |= SCHEMES.iter().any(|scheme| scheme.trim_end().eq_ignore_ascii_case(word));
            written += shown_word.chars().count();
            shown.push_str(shown_word);
        }
        if c.is_whitespace() && in_credential {
            (after_scheme, in_credential) = (false, false);
        }
        if written >= MAX_TEXT && at < without.len() {
            cut = true;
            break;
        }
        if at < without.len() {
            shown.push(if c.is_control() || c.is_whitespace() || is_invisible(c) { ' ' } else { c });
            written += 1;
        }
    }
    let shown = shown.trim();
    let end = shown.char_indices().nth(MAX_TEXT).map_or(shown.len(), |(end, _)| end);
    let ellipsis = if cut || end < shown.len() { "…" } else { "" };
    format!("{}{ellipsis}", shown.get(..end).unwrap_or_default().trim_end())
}

/// Characters that take no room and can turn the direction of the text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What stands in place of `word`, if it may be a key or an e-mail address.
fn looks_secret(word: &str) -> Option<&'static str> {
    if word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
        return Some("[e-mail]");
    }
    let mixed =
        word.len() >= 20 && word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic());
    ((has_key_prefix(word) || mixed || word.len() > 64) && !is_uuid(word)).then_some(REDACTED)
}

/// Whether `word` begins like the keys of the vendors, or of others that people mistake for them.
fn has_key_prefix(word: &str) -> bool {
    const PREFIXES: [&str; 9] = ["sk-", "sk_", "bt-st-", "mk_", "ok_", "pk_", "rk_", "datkey_", "key_live"];
    word.len() >= 8 && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

/// Whether `text` has the form of a UUID: 8-4-4-4-12 hexadecimal digits.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Scrubs the vendor's key object: members named in `secrets` are replaced wherever they stand, and what is at a path in
/// `hidden` by its shape. Numbers, booleans and nulls stay.
pub(crate) fn scrub_json(object: &mut Value, secrets: &[&str], hidden: &HashSet<Vec<String>>) {
    scrub_member(object, &mut Vec::new(), secrets, hidden);
}

fn scrub_member(value: &mut Value, path: &mut Vec<String>, secrets: &[&str], hidden: &HashSet<Vec<String>>) {
    if hidden.contains(path) {
        let shape = match value {
            Value::String(text) => format!("[text of {} characters]", text.chars().count()),
            Value::Array(items) => format!("[list of {}]", items.len()),
            Value::Object(members) => format!("[object of {} members]", members.len()),
            Value::Null | Value::Bool(_) | Value::Number(_) => return,
        };
        *value = Value::String(shape);
        return;
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                scrub_member(item, path, secrets, hidden);
                path.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if secrets.contains(&name.as_str()) && !member.is_null() {
                    *member = Value::String(REDACTED.to_owned());
                    continue;
                }
                path.push(name.clone());
                scrub_member(member, path, secrets, hidden);
                path.pop();
            }
        }
        _ => {}
    }
}

impl ProviderId {
    /// Refuses a plaintext that no key can be, before anything is sent: one that is empty, or holds anything but visible
    /// ASCII. The error gives the position and the code point of the first such character, and nothing else of the text.
    pub fn refuse_plaintext(&self, plaintext: &SecretString, operation: &'static str) -> Result<(), Error> {
        let flaw = flaw(plaintext.expose_secret());
        let reason = flaw.map(|flaw| format!("the plaintext {flaw}"));
        self.refuse(reason.is_some(), operation, reason.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;
    use crate::names::ProviderId;

    const CREDENTIAL: &str = "CANARYcredential";

    #[test]
    fn a_credential_that_no_header_carries_is_refused_by_shape() {
        for (bad, says) in [
            ("", "is empty"),
            ("abc\n", "byte 4 of 4"),
            ("a b", "byte 2 of 3"),
            ("Bearer abc", "scheme"),
            ("API-KEY abc", "scheme"),
            ("caf\u{e9}", "(U+00E9) at byte 4 of 5"),
            ("\u{feff}abc", "(U+FEFF) at byte 1 of 6"),
            ("\"mk_EXAMPLE\"", "quotation marks"),
            ("'mk_EXAMPLE'", "quotation marks"),
            ("mk_EXAMPLE\"", "quotation marks"),
            ("\u{201c}mk_EXAMPLE\u{201d}", "quotation marks"),
            ("{\"key\":\"mk_EXAMPLE\"}", "JSON"),
            ("{ \"key\": \"mk_EXAMPLE\" }", "JSON"),
            ("${MIELTO_API_KEY}", "names a variable"),
            ("$MIELTO_API_KEY", "names a variable"),
            ("%MIELTO_API_KEY%", "names a variable"),
            ("{{secrets.KEY}}", "names a variable"),
            ("op://vault/item/field", "reference"),
            ("https://api.acme.example", "reference"),
            ("MIELTO_API_KEY=mk_EXAMPLE", "NAME=value"),
            ("export MIELTO_API_KEY=mk_EXAMPLE", "NAME=value"),
            ("token=mk_EXAMPLE", "NAME=value"),
            ("<your-api-key>", "placeholder"),
        ] {
            let error = check_credential("ACME_API_KEY", &bad.into()).unwrap_err().to_string();
            assert!(error.contains("ACME_API_KEY") && error.contains(says), "{error}");
        }
        for good in ["sk-1_2.3~/+=", "QUJDREVGR0g==", "AB=cd", "a{b}c", "$2y$10$abc", "100%sure", "x'y"] {
            assert!(check_credential("x", &good.into()).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_refused_credential_with_an_odd_sign_gets_a_hint_and_a_plain_one_none() {
        for (odd, says) in [
            ("ab\"cd", "quotation mark"),
            ("a${b}c", "templates"),
            ("KEY1=abc", "NAME=value"),
            ("sk-…", "shortened"),
            ("sk-...abc", "shortened"),
            ("sk-***", "shortened"),
            ("abc,", "comma"),
            ("abc\\n", "backslash"),
        ] {
            assert!(suspicion(&odd.into()).is_some_and(|hint| hint.contains(says)), "{odd}");
        }
        for plain in ["EXAMPLE0000000001", "sk-ab_cd.ef~gh", "QUJDRA==", "bt-st-x/y+z="] {
            assert_eq!(suspicion(&plain.into()), None, "{plain}");
        }
    }

    #[test]
    fn what_was_read_loses_one_mark_at_its_start_and_one_line_break_at_its_end() {
        for text in ["sk-1", "sk-1\n", "sk-1\r\n", "\u{feff}sk-1", "\u{feff}sk-1\r\n"] {
            assert_eq!(read_secret(text.as_bytes()).unwrap().expose_secret(), "sk-1", "{text:?}");
        }
    }

    #[test]
    fn every_character_that_is_not_visible_ascii_is_refused_by_its_place_and_code_point() {
        let table: &[(&[u8], &str)] = &[
            (b"", "is empty"),
            (b"\r\n", "is empty"),
            ("\u{feff}\n".as_bytes(), "is empty"),
            (b"CANARY \n", "white space (U+0020) at byte 7 of 7"),
            (b"CANARY\n\n", "white space (U+000A) at byte 7 of 7"),
            (b"CANARY\r", "white space (U+000D) at byte 7 of 7"),
            (b"CAN\0ARY", "a control character (U+0000) at byte 4 of 7"),
            (b"CANARY\x7f", "a control character (U+007F) at byte 7 of 7"),
            ("CANARY\u{200b}".as_bytes(), "an invisible or non-ASCII character (U+200B) at byte 7 of 9"),
            ("CAN\u{2010}ARY".as_bytes(), "an invisible or non-ASCII character (U+2010) at byte 4 of 9"),
            ("CANARY\u{ad}".as_bytes(), "(U+00AD) at byte 7 of 8"),
            ("CANARY\u{e0041}".as_bytes(), "(U+E0041) at byte 7 of 10"),
            ("\u{feff}\u{feff}CANARY".as_bytes(), "(U+FEFF) at byte 1 of 9"),
            (b"CANARY\xff", "is not text: 7 bytes that are not UTF-8"),
            (b"\xff\xfeC\0", "4 bytes that are not UTF-8; it looks like UTF-16"),
        ];
        for (bytes, says) in table {
            let flaw = read_secret(bytes).unwrap_err();
            assert!(flaw.to_string().contains(says), "{bytes:?}: {flaw}");
            assert!(!format!("{flaw} {flaw:?}").contains("CANARY"), "{flaw:?}");
            let Ok(text) = std::str::from_utf8(trim_secret(bytes)) else { continue };
            let error = ProviderId::new("acme").refuse_plaintext(&text.into(), "verify_key").unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0));
            assert!(error.to_string().contains(says), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn the_header_is_sensitive_and_whole() {
        let value = credential_header("Api-Key ", &"abc".into()).unwrap();
        assert_eq!(value.as_bytes(), b"Api-Key abc");
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn text_keeps_what_helps_and_loses_what_harms() {
        let scrub = |text: &str| scrub_text(text, &CREDENTIAL.into());
        let table = [
            ("no such key", "no such key"),
            ("key CANARYcredential is bad", "key [redacted] is bad"),
            ("xCANARYcredentialx", "x[redacted]x"),
            ("bad token sk-abcdef", "bad token [redacted]"),
            ("Authorization: Bearer abcd", "Authorization: Bearer [redacted]"),
            ("Basic a/b/c=, then more", "Basic [redacted]/[redacted]/[redacted]=, then more"),
            ("turn \u{202e}around", "turn  around"),
            ("got \"0123456789abcdefghij\"", "got \"[redacted]\""),
            ("mail dev@example.com now", "mail [e-mail] now"),
            ("id 6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80 gone", "id 6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80 gone"),
            ("a\r\nb\u{1b}[31m", "a  b [31m"),
            ("  ", ""),
        ];
        for (text, expected) in table {
            assert_eq!(scrub(text), expected);
        }
        let long = scrub(&"word ".repeat(1000));
        assert!(long.chars().count() <= MAX_TEXT + 1 && long.ends_with("word…"), "{long}");
    }

    #[test]
    fn raw_json_loses_secrets_anywhere_and_what_is_hidden() {
        let mut json = serde_json::json!({
            "name": "n", "secret": "CANARY", "secret2": null,
            "nested": [{"secret": "CANARY", "new": "CANARY", "list": ["CANARY"], "object": {"CANARY": 1}, "n": 1}],
        });
        let path = |name: &str| ["nested", "0", name].map(str::to_owned).to_vec();
        let hidden = ["new", "list", "object", "n"].map(path).into();
        scrub_json(&mut json, &["secret", "secret2"], &hidden);
        let nested = serde_json::json!([{
            "secret": "[redacted]", "new": "[text of 6 characters]", "list": "[list of 1]",
            "object": "[object of 1 members]", "n": 1,
        }]);
        assert_eq!(json, serde_json::json!({"name": "n", "secret": "[redacted]", "secret2": null, "nested": nested}));
    }

    proptest! {
        #[test]
        fn the_credential_never_survives_scrubbing(before in ".{0,40}", after in ".{0,400}") {
            let shown = scrub_text(&format!("{before}{CREDENTIAL}{after}"), &CREDENTIAL.into());
            prop_assert!(!shown.contains(CREDENTIAL));
        }
    }
}
