//! References of keys, from the arguments and from standard input.

use std::io;

use keymux::{Error, ErrorKind, KeyRef};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::exit::Failure;
use crate::lines::{self, Line};
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
        for (index, line) in lines::of(io::stdin().lock()).enumerate() {
            let line = line.map_err(|error| Failure::Io("reading standard input".to_owned(), error))?;
            let number = index + 1;
            match line {
                Line::Text(line) => {
                    let line = line.trim();
                    let reference = of_line(line);
                    all.extend(reference.map(|read| read.map_err(|why| (None, no_reference(number, line, &why)))));
                }
                Line::TooLong(most) => all.push(Err((None, unread(number, &format!("has more than {most} bytes"))))),
                Line::NotUtf8 => all.push(Err((None, unread(number, "is not UTF-8")))),
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
    let object = serde_json::from_str::<Object<'_>>(line).ok().filter(|_| line.starts_with('{'));
    let Some(object) = object else {
        return Some(Err("it begins like JSON, and is not one whole object; `-o ndjson` writes such lines".to_owned()));
    };
    match (text(object.reference), text(object.kind)) {
        (Some(text), _) => Some(parsed(&text)),
        (None, Some(kind)) if kind == Summary::TYPE => None,
        _ => Some(Err("the JSON object has no `ref` that is text".to_owned())),
    }
}

/// What is read of a JSON object. The rest, which may be large, is passed over.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "ref", borrow)]
    reference: Option<&'a RawValue>,
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
}

fn text(json: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(json?.get()).ok()
}

/// Says where the line is, and why it was not read.
fn unread(number: usize, why: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest)
        .with_message(format!("line {number} of standard input {why}, and is no reference"))
}

/// Says where the line is and its shape, and nothing of its text.
fn no_reference(number: usize, line: &str, reason: &str) -> Error {
    let (length, plural) = (line.chars().count(), if line.chars().count() == 1 { "" } else { "s" });
    Error::new(ErrorKind::InvalidRequest).with_message(format!(
        "line {number} of standard input, {length} character{plural} that are not shown, is no reference: {reason}"
    ))
}
