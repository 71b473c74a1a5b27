//! Text that the program did not write, as it may be printed.

use keymux::{SecretString, scrub_text};

/// `text` without what a terminal would take for a command, or would show in another order than it is written.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { clean.extend(c.escape_unicode()) } else { clean.push(c) }
    }
    clean
}

/// The same for JSON, which stays the JSON that it was: what it escapes anyhow is escaped, and line breaks are its own.
pub(crate) fn printable_json(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) && c != '\n' {
            // Of what is hidden nothing has a number of more than four digits.
            clean.extend(format!("\\u{:04x}", u32::from(c)).chars());
        } else {
            clean.push(c);
        }
    }
    clean
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
    fn json_for_a_terminal_is_the_same_json() {
        let text = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{feff}é日\n\"";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = printable_json(&json);
        assert!(shown.contains(r"\u001b[2J\u009b31m\u007f\u202e\ufeffé日\n"), "{shown}");
        assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }
}
