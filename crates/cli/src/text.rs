//! Text that the program did not write, as it may be printed.

use std::fmt::Write;

use keymux::{SecretString, scrub_text};
use unicode_width::UnicodeWidthChar;

/// `text` without what a terminal would take for a command, would show in another order than it is written, or would not show.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for (c, hidden) in marked(text) {
        if hidden { clean.extend(c.escape_unicode()) } else { clean.push(c) }
    }
    clean
}

/// The same for JSON, which stays the JSON that it was: what is hidden is within strings, and is escaped as JSON escapes it. Line
/// breaks are its own.
pub(crate) fn printable_json(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    for (c, hidden) in marked(json) {
        if hidden && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Text takes all that is written to it.
                let _ = write!(clean, "\\u{unit:04x}");
            }
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Whether nothing in JSON is hidden: text of visible ASCII, as nearly all is.
pub(crate) fn is_plain(json: &[u8]) -> bool {
    json.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
}

/// Each character, and whether it is hidden where it is.
fn marked(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = text.chars();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let joins =
            is_joiner(c) && before.is_some_and(takes_joiner) && rest.clone().next().is_some_and(char::is_alphabetic);
        before = Some(c);
        Some((c, is_hidden(c) && !joins))
    })
}

/// What a terminal obeys or does not show: controls, `Bidi_Control` and `Default_Ignorable_Code_Point` of Unicode, the separators of
/// lines and paragraphs, and the marks of annotations between lines.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The zero-width non-joiner and joiner, without which Persian and the scripts of India are misspelled.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// A letter of a script that joins, or a mark on one. Between Latin letters a joiner says nothing, and hides a difference.
fn takes_joiner(c: char) -> bool {
    let joins = matches!(c, '\u{590}'..='\u{10ff}' | '\u{1700}'..='\u{1cff}' | '\u{a800}'..='\u{abff}');
    joins && !is_hidden(c) && (c.is_alphabetic() || c.width() == Some(0))
}

/// What was typed and is not what it should be, without what looks like a key.
pub(crate) fn shown(typed: &str) -> String {
    scrub_text(typed, &SecretString::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd\u{9b}é日"), r"a\u{1b}[2Jb\u{202e}c\u{a}d\u{9b}é日");
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{202a}',
            '\u{2060}',
            '\u{2066}',
            '\u{206a}',
            '\u{206f}',
            '\u{2028}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{fffb}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{200c}',
            '\u{200d}',
            '\u{80}',
            '\u{9f}',
            '\u{7f}',
        ] {
            let text = format!("a{hidden}b");
            let code = u32::from(hidden);
            assert_eq!(printable(&text), format!("a\\u{{{code:x}}}b"), "{code:x}");
            let json = serde_json::to_string(&text).unwrap();
            let shown = printable_json(&json);
            assert!(shown.is_ascii() && !is_plain(json.as_bytes()) && is_plain(shown.as_bytes()), "{code:x}: {shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text, "{code:x}");
        }
    }

    #[test]
    fn joiners_that_a_script_needs_stay_and_elsewhere_they_are_written_out() {
        // "I want" in Persian, and a half form in Hindi.
        for word in ["می\u{200c}خواهم", "क्\u{200d}ष"] {
            assert_eq!(printable(word), word);
            assert_eq!(printable_json(word), word);
        }
        for odd in ["ad\u{200d}min", "می\u{200c}", "\u{200c}می", "می\u{200c}\u{200c}خ", "1\u{200d}2", "👩\u{200d}💻"]
        {
            assert!(printable(odd).contains("\\u{200"), "{odd:?}");
        }
    }

    #[test]
    fn json_for_a_terminal_is_the_same_json() {
        let text = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{feff}é日\n\"\u{e0041}";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = printable_json(&json);
        assert!(shown.contains(r"\u001b[2J\u009b31m\u007f\u202e\ufeffé日\n"), "{shown}");
        assert!(shown.contains(r"\udb40\udc41"), "{shown}");
        assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }
}
