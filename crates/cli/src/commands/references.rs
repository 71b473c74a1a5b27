//! References of keys, from the arguments and from standard input.

use std::io::{self, BufRead};

use keymux::{Error, ErrorKind, KeyRef};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::exit::Failure;
use crate::rows::Summary;
use crate::text::shown;

/// A reference with its text, or what is wrong with it. Only an argument is named by its text, and not by what looks like
/// a key in it: a line of standard input that is no reference may be anything, a plaintext too.
pub(super) type Given = Result<(KeyRef, String), (Option<String>, Error)>;

/// The references; `-` stands for the lines of standard input, of which blank ones mean nothing.
pub(super) fn read(refs: Vec<String>) -> Result<Vec<Given>, Failure> {
    let mut all = Vec::new();
    for text in refs {
        if text != "-" {
            all.push(text.parse().map(|key| (key, text.clone())).map_err(|error| (Some(shown(&text)), error)));
            continue;
        }
        for (index, line) in io::stdin().lock().lines().enumerate() {
            let line = line.map_err(|error| Failure::Io("reading standard input".to_owned(), error))?;
            let line = line.trim();
            if let Some(reference) = of_line(line) {
                all.push(reference.map_err(|reason| (None, no_reference(index + 1, line, &reason))));
            }
        }
    }
    Ok(all)
}

/// The reference that a line holds, or why it holds none; `None` where a line means nothing.
fn of_line(line: &str) -> Option<Result<(KeyRef, String), String>> {
    if line.is_empty() {
        return None;
    }
    let parsed = |text: &str| {
        let reason = |error: Error| error.message().unwrap_or_default().to_owned();
        text.parse().map(|key| (key, text.to_owned())).map_err(reason)
    };
    // No account's name begins like JSON.
    if !line.starts_with(['{', '[', ']']) {
        return Some(parsed(line));
    }
    let object =
        Some(line).filter(|line| line.starts_with('{')).and_then(|line| serde_json::from_str::<Line<'_>>(line).ok());
    let Some(object) = object else {
        return Some(Err("it begins like JSON, and is not one whole object; `-o ndjson` writes such lines".to_owned()));
    };
    let text = |member: Option<&RawValue>| member.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
    match text(object.r#ref) {
        Some(text) => Some(parsed(&text)),
        None if text(object.r#type).is_some_and(|kind| kind == Summary::TYPE) => None,
        None => Some(Err("the JSON object has no `ref` that is text".to_owned())),
    }
}

/// What counts of a line; the rest may hold numbers beyond every float.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    r#ref: Option<&'a RawValue>,
    #[serde(borrow, default)]
    r#type: Option<&'a RawValue>,
}

/// Says where the line is and its shape, and nothing of its text.
fn no_reference(number: usize, line: &str, reason: &str) -> Error {
    let (length, plural) = (line.chars().count(), if line.chars().count() == 1 { "" } else { "s" });
    Error::new(ErrorKind::InvalidRequest).with_message(format!(
        "line {number} of standard input, {length} character{plural} that are not shown, is no reference: {reason}"
    ))
}
