//! A page taken apart: the text of its rows, one at a time, and the page without them.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::members;

/// Where the rows of a page stand in its body, and which of them is the next.
#[derive(Debug, Clone)]
pub(in crate::http) struct Apart {
    /// The next row, or what is between it and the row before.
    at: usize,
    end: usize,
    place: usize,
}

impl Apart {
    /// The next row of the page in `body`, and which one it is, counted from 0.
    pub(in crate::http) fn next<'a>(&mut self, body: &'a [u8]) -> Option<(usize, &'a [u8])> {
        let rest = body.get(self.at..self.end)?;
        let gap = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',')).count();
        let rest = rest.get(gap..)?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        // The whole list was read as JSON before, so that there is no error but at its end.
        let row = values.next()?.ok()?;
        self.at += gap + values.byte_offset();
        self.place += 1;
        Some((self.place - 1, row.get().as_bytes()))
    }
}

/// The page in `body` without the rows in `member`, and where these are. `None`: the page is odd in itself, and has to be
/// read at once.
pub(in crate::http) fn apart(body: &Bytes, member: &str) -> Option<(Vec<u8>, Apart)> {
    let text = std::str::from_utf8(body).ok()?;
    let members = members(text).ok()?;
    let mut lists = members.iter().filter(|(name, _)| name == member).map(|(_, value)| value.get());
    let list = lists.next().filter(|list| list.starts_with('['))?;
    if lists.next().is_some() {
        return None;
    }
    // Both are parts of one text.
    let start = (list.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start + list.len();
    let rest = [text.get(..start)?, "[]", text.get(end..)?].concat().into_bytes();
    Some((rest, Apart { at: start + 1, end: end - 1, place: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(body: &str) -> Option<(String, Vec<String>)> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let (rest, mut apart) = apart(&body, "items")?;
        let mut rows = Vec::new();
        while let Some((place, row)) = apart.next(&body) {
            assert_eq!(place, rows.len());
            rows.push(String::from_utf8(row.to_vec()).unwrap());
        }
        Some((String::from_utf8(rest).unwrap(), rows))
    }

    #[test]
    fn the_rows_come_one_by_one_and_the_page_is_left_without_them() {
        let table: [(&str, &str, &[&str]); 4] = [
            (r#"{"items":[]}"#, r#"{"items":[]}"#, &[]),
            (
                r#"{"a":1, "items" : [ {"x":"],"} , {"y":[2]} ], "b":[3]}"#,
                r#"{"a":1, "items" : [], "b":[3]}"#,
                &[r#"{"x":"],"}"#, r#"{"y":[2]}"#],
            ),
            ("{\"items\":[1,null,\n\"a\",[],-2.5e3]}", r#"{"items":[]}"#, &["1", "null", "\"a\"", "[]", "-2.5e3"]),
            (
                r#"{"other":{"items":[1]},"items":[{"items":[2]}]}"#,
                r#"{"other":{"items":[1]},"items":[]}"#,
                &[r#"{"items":[2]}"#],
            ),
        ];
        for (body, rest, expected) in table {
            assert_eq!(rows(body), Some((rest.to_owned(), expected.iter().map(|row| (*row).to_owned()).collect())));
        }
    }

    #[test]
    fn a_page_that_is_odd_in_itself_is_not_taken_apart() {
        for odd in [
            r#"{"items":{}}"#,
            r#"{"items":null}"#,
            "{}",
            "[]",
            r#"{"items":[],"items":[]}"#,
            r#"{"items":[1}"#,
            r#"{"items":[]} x"#,
            "\u{feff}{\"items\":[]}",
        ] {
            assert_eq!(rows(odd), None, "{odd}");
        }
    }
}
