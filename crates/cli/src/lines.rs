//! Lines of standard input, of which none takes more memory than a line may have.

use std::io::{self, BufRead};

/// The longest line that holds a reference, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// The longest line of JSON, in bytes: records and summaries of large accounts are long.
const MAX_JSON: usize = 8 * 1024 * 1024;

/// A line without its end; the first one without a byte-order mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    /// It has more bytes than this, and was passed over.
    TooLong(usize),
    NotUtf8,
}

/// The lines of `input`. One that cannot be used is in its place.
pub(crate) fn of(mut input: impl BufRead) -> impl Iterator<Item = io::Result<Line>> {
    let mut first = true;
    std::iter::from_fn(move || {
        let line = next(&mut input, std::mem::take(&mut first));
        line.transpose()
    })
}

fn next(input: &mut impl BufRead, first: bool) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = None;
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if too_long.is_none() {
            let begin = if line.is_empty() { part } else { &*line };
            let most = if unmarked(begin).trim_ascii_start().starts_with(b"{") { MAX_JSON } else { MAX_TEXT };
            if line.len() + part.len() > most {
                (line, too_long) = (Vec::new(), Some(most));
            } else {
                line.extend_from_slice(part);
            }
        }
        let taken = end.map_or(chunk.len(), |end| end + 1);
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if !any {
        return Ok(None);
    }
    if let Some(most) = too_long {
        return Ok(Some(Line::TooLong(most)));
    }
    let line = if first { unmarked(&line) } else { &line };
    Ok(Some(std::str::from_utf8(line).map_or(Line::NotUtf8, |text| Line::Text(text.to_owned()))))
}

fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Vec<Line> {
        // A small buffer, so that lines come in pieces.
        of(io::BufReader::with_capacity(7, input)).map(Result::unwrap).collect()
    }

    fn text(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[test]
    fn lines_lose_their_ends_and_the_first_one_a_byte_order_mark() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"a:1\n\nbcdefghijkl:2"), [text("a:1"), text(""), text("bcdefghijkl:2")]);
        assert_eq!(read("\u{feff}a:1\r\n\u{feff}b:2\n".as_bytes()), [text("a:1\r"), text("\u{feff}b:2")]);
        assert_eq!(read(b"a\xff\nb:2\n"), [Line::NotUtf8, text("b:2")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let long = "x".repeat(MAX_TEXT + 1);
        let json = format!("{{\"accounts\": \"{long}\"}}");
        let input = format!("{long}\n{json}\n{}\nend:1\n", "y".repeat(MAX_TEXT));
        let lines = read(input.as_bytes());
        assert_eq!(lines.len(), 4);
        assert_eq!((&lines[0], &lines[1]), (&Line::TooLong(MAX_TEXT), &text(&json)));
        assert_eq!((&lines[2], &lines[3]), (&text(&"y".repeat(MAX_TEXT)), &text("end:1")));
        assert_eq!(read(format!("{{{}", "z".repeat(MAX_JSON)).as_bytes()), [Line::TooLong(MAX_JSON)]);
    }
}
