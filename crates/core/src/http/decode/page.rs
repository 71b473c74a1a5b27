//! From bytes to the rows of a page: in one pass first, row by row where that fails.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::watch::{self, Name};
use super::{as_text, into, members, note, object, raw, settle, type_of, unlike};
use crate::http::shape::{Decoded, Envelope, Rows, Shape, UnreadRow};

/// Decodes a page. A row's notes are its own.
pub(in crate::http) fn rows<R, T>(
    body: &[u8],
    member: &'static str,
    raw_of: Option<&Shape>,
) -> Result<Rows<R, T>, String>
where
    R: DeserializeOwned,
    T: DeserializeOwned,
{
    match raw_of.is_none().then(|| page_strictly(body, member)).flatten() {
        Some(page) => Ok(page),
        None => row_by_row(body, member, raw_of),
    }
}

/// The way of nearly all pages: one pass over the whole.
fn page_strictly<R: DeserializeOwned, T: DeserializeOwned>(body: &[u8], member: &'static str) -> Option<Rows<R, T>> {
    let mut json = serde_json::Deserializer::from_str(std::str::from_utf8(body).ok()?);
    let page = json.deserialize_map(Page { member, models: PhantomData }).ok()?;
    json.end().ok()?;
    Some(page)
}

/// The rows are in `member`; the other members are what is told about the page.
struct Page<R, T> {
    member: &'static str,
    models: PhantomData<(R, T)>,
}

impl<'de, R: DeserializeOwned, T: DeserializeOwned> Visitor<'de> for Page<R, T> {
    type Value = Rows<R, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut drift) = (None, Vec::new());
        let others = Others { map, member: self.member, rows: &mut rows };
        let rest = watch::members(others, &mut |oddity, path| note(&mut drift, oddity, path))?;
        let rows = rows.ok_or_else(|| A::Error::missing_field(self.member))?;
        Ok(Rows { rows, unread: Vec::new(), rest, drift })
    }
}

/// The members of a page without the one that holds the rows, which are put aside.
struct Others<'a, A, R> {
    map: A,
    member: &'static str,
    rows: &'a mut Option<Vec<Decoded<R>>>,
}

impl<'de, A: MapAccess<'de>, R: DeserializeOwned> MapAccess<'de> for Others<'_, A, R> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Name(name)) = self.map.next_key()? {
            if name != self.member {
                return seed.deserialize(CowStrDeserializer::new(name)).map(Some);
            }
            if self.rows.replace(self.map.next_value_seed(List(PhantomData))?).is_some() {
                return Err(A::Error::duplicate_field(self.member));
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The rows of a page.
struct List<R>(PhantomData<R>);

impl<'de, R: DeserializeOwned> DeserializeSeed<'de> for List<R> {
    type Value = Vec<Decoded<R>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: DeserializeOwned> Visitor<'de> for List<R> {
    type Value = Vec<Decoded<R>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        loop {
            let mut drift = Vec::new();
            let found: watch::Found<'_> = &mut |oddity, path| note(&mut drift, oddity, path);
            match elements.next_element_seed(watch::Object { found, model: PhantomData })? {
                Some(value) => rows.push(Decoded { value, drift, raw: None }),
                None => return Ok(rows),
            }
        }
    }
}

/// The way of odd pages: one odd row costs no second look at the others.
fn row_by_row<R, T>(body: &[u8], member: &'static str, raw_of: Option<&Shape>) -> Result<Rows<R, T>, String>
where
    R: DeserializeOwned,
    T: DeserializeOwned,
{
    let mut drift = Vec::new();
    let text = as_text(body, &mut drift);
    let (list, rest) = split(&text, member)?;
    let mut rows = Vec::with_capacity(list.len());
    let mut unread = Vec::new();
    for (place, row) in list.into_iter().enumerate() {
        let text = row.get();
        let read = if text.starts_with('{') {
            object(text.as_bytes(), Envelope::Bare)
        } else {
            Err(format!("it is {} and not an object", type_of(text)))
        };
        match read {
            Ok((value, drift)) => {
                let row_shape = |shape: &Shape| Shape { envelope: Envelope::Bare, ..*shape };
                let raw = raw_of.and_then(|shape| raw::<R>(text.as_bytes(), &row_shape(shape)));
                rows.push(Decoded { value, drift, raw });
            }
            Err(reason) => unread.push(UnreadRow { place, reason }),
        }
    }
    let mut model = None;
    settle(rest, &mut into(&mut model), &mut drift)?;
    Ok(Rows { rows, unread, rest: model.ok_or_else(unlike)?, drift })
}

/// Members by their names.
type Unread<'a> = Vec<(String, &'a RawValue)>;

/// The rows in `member`, and the page's other members, all unread.
fn split<'a>(text: &'a str, member: &'static str) -> Result<(Vec<&'a RawValue>, Unread<'a>), String> {
    let (lists, others): (Unread<'a>, Unread<'a>) = members(text)?.into_iter().partition(|(name, _)| name == member);
    let list = match &*lists {
        [(_, list)] => list.get(),
        [] => return Err(format!("the member `{member}`, which holds the rows, is not there")),
        _ => return Err(format!("the member `{member}`, which holds the rows, is there twice")),
    };
    if !list.starts_with('[') {
        return Err(format!("the member `{member}`, which holds the rows, is {} and not a list", type_of(list)));
    }
    let list = serde_json::from_str(list).map_err(|_| unlike())?;
    Ok((list, others))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::drift::{Drift, DriftKind};
    use crate::fact::Fact;
    use crate::metadata::Metadata;

    #[derive(Debug, Deserialize)]
    struct Row {
        id: String,
        #[serde(default)]
        name: Fact<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Rest {
        #[serde(default)]
        more: Fact<bool>,
    }

    fn page(body: &str) -> Result<Rows<Row, Rest>, String> {
        rows(body.as_bytes(), "items", None)
    }

    #[test]
    fn the_notes_of_a_page_stand_at_their_rows() {
        let body = r#"{"x":1,"items":[{"id":"a","new":1},{"id":"b"},{"id":"c","name":3}],"more":"yes"}"#;
        let page = page(body).unwrap();
        let notes = |drift: &[Drift]| drift.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(notes(&page.rows[0].drift), ["new is not documented"]);
        assert_eq!(notes(&page.rows[1].drift), [""; 0]);
        assert_eq!(notes(&page.rows[2].drift), ["name has another type than documented"]);
        assert_eq!(notes(&page.drift), ["more has another type than documented", "x is not documented"]);
        assert_eq!(page.rest.more, Fact::Missing);
    }

    #[test]
    fn metadata_keeps_every_digit_whichever_way_a_page_is_read() {
        #[derive(Deserialize)]
        struct Row {
            meta: Fact<Metadata>,
        }
        let meta = r#"{"a":123456789012345678901234,"b":31.245270191439438,"c":[18446744073709551616],"d":1e400}"#;
        let body = |odd: &str| format!(r#"{{"items":[{{"meta":{meta}{odd}}}],"big":18446744073709551616}}"#);
        assert!(page_strictly::<Row, Rest>(body("").as_bytes(), "items").is_some());
        let twice = format!(r#","x":1,"meta":{meta}"#);
        for odd in ["", &twice] {
            let body = body(odd);
            let page: Rows<Row, Rest> = rows(body.as_bytes(), "items", None).unwrap();
            assert_eq!(page.rows[0].value.meta.known().unwrap().to_string(), meta);
            let by_row: Rows<Row, Rest> = row_by_row(body.as_bytes(), "items", None).unwrap();
            assert_eq!(by_row.rows[0].value.meta.known().unwrap().to_string(), meta);
        }
    }

    #[test]
    fn a_page_whose_rows_are_not_there_is_an_error() {
        let table = [
            (r#"{"items":{}}"#, "the member `items`, which holds the rows, is an object and not a list"),
            (r#"{"items":null}"#, "the member `items`, which holds the rows, is null and not a list"),
            ("{}", "the member `items`, which holds the rows, is not there"),
            ("[]", "the body is JSON, but an array and not an object"),
            (
                r#"{"items":[{"id":"a"},{"id":"b"}],"items":[{"id":"c"}]}"#,
                "the member `items`, which holds the rows, is there twice",
            ),
            (r#"{"items":[{"id":"a"}"#, "the JSON of the body ends too early (line 1, column 20)"),
        ];
        for (body, expected) in table {
            assert_eq!(page(body).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_itself_and_is_told_with_its_place() {
        const ANOTHER_TYPE: &str = "the member `id`, which is needed, has another type than documented";
        type Case = (&'static str, &'static [&'static str], &'static [(usize, &'static str)]);
        let table: [Case; 6] = [
            (r#"[{"id":"a"},{"name":"b"}]"#, &["a"], &[(1, "the member `id`, which is needed, is not there")]),
            (r#"[7,{"id":"b"}]"#, &["b"], &[(0, "it is a number and not an object")]),
            (r#"[{"id":2},{"id":"b"},{"id":null},{"id":"d"}]"#, &["b", "d"], &[(0, ANOTHER_TYPE), (2, ANOTHER_TYPE)]),
            (r#"[["a"],null]"#, &[], &[(0, "it is an array and not an object"), (1, "it is null and not an object")]),
            (
                r#"[{"id":"a","id":"b"},{"id":"c"}]"#,
                &["c"],
                &[(0, "the member `id`, which is needed, stands twice, with different values")],
            ),
            ("[]", &[], &[]),
        ];
        for (rows, read, unread) in table {
            let page = page(&format!(r#"{{"items":{rows},"more":false}}"#)).unwrap();
            let ids: Vec<_> = page.rows.iter().map(|row| row.value.id.as_str()).collect();
            let told: Vec<_> = page.unread.iter().map(|row| (row.place, row.reason.as_str())).collect();
            assert_eq!((ids.as_slice(), told.as_slice()), (read, unread), "{rows}");
        }
    }

    #[test]
    fn what_a_page_says_twice_it_does_not_say() {
        let page = page(r#"{"items":[],"more":true,"more":false}"#).unwrap();
        assert_eq!(page.rest.more, Fact::Missing);
        assert_eq!(page.drift, [Drift::new("more", DriftKind::Repeated)]);
    }

    #[test]
    fn both_ways_read_a_page_alike() {
        let told = |page: Rows<Row, Rest>| {
            let rows = page.rows.into_iter().map(|row| (row.value.id, row.value.name, row.drift));
            (rows.collect::<Vec<_>>(), page.rest.more, page.drift)
        };
        let rows = ["", r#"{"id":"a"}"#, r#"{"id":"a","name":null,"new":[{}]},{"name":"é","id":"b"}"#];
        for rows in rows {
            for page in [
                format!(r#"{{"items":[{rows}]}}"#),
                format!(r#" {{ "x" : {{"y":1}}, "more" : true, "items" : [ {rows} ], "z": null }} "#),
                format!(r#"{{"items":[{rows}],"more":null}}"#),
            ] {
                let at_once = page_strictly(page.as_bytes(), "items").expect("nothing is odd but new members");
                let by_row = row_by_row(page.as_bytes(), "items", None).unwrap();
                assert_eq!(told(at_once), told(by_row), "{page}");
            }
        }
    }

    #[test]
    fn one_pass_reads_nothing_that_is_odd() {
        for odd in [
            r#"{"items":[["a"]]}"#,
            r#"{"items":[{"id":"a","name":1}]}"#,
            r#"{"items":[],"more":1}"#,
            r#"{"items":[],"items":[]}"#,
            r#"{"items":[]} x"#,
            r#"{"more":true}"#,
        ] {
            assert!(page_strictly::<Row, Rest>(odd.as_bytes(), "items").is_none(), "{odd}");
        }
    }

    /// A page as a vendor sends it, with everything that the models know and some that they do not.
    const PAGE: &str = r#"{"x":{"y":[1,2]},"items":[{"id":"a","name":"n\u00e9","new":[{"z":1}]},{"name":null,"id":"b\\n"}],
        "more":false,"x2":-1.5e3,"more_still":"\ud83d\ude00"}"#;

    /// What is put into a page in the place of something else.
    const PIECES: [&str; 24] = [
        "",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "null",
        "true",
        "7",
        "1e999",
        "-0",
        "\"id\":\"c\",",
        "\"name\":1,",
        "\"items\":[],",
        "\"more\":true,",
        "\"more\":1,",
        "\"\\ud800\"",
        "\"\\u0069d\"",
        "[[[[[[[[]]]]]]]]",
        "\u{feff}",
        "\u{0}",
    ];

    /// Ids and names of rows, what the page says of itself, and notes in no order: the members of a page have none.
    type Told = (Vec<(String, Fact<String>, Vec<Drift>)>, Fact<bool>, Vec<String>);

    fn told(page: Rows<Row, Rest>) -> Told {
        assert!(page.unread.is_empty(), "one pass reads all rows or none");
        let rows = page.rows.into_iter().map(|row| (row.value.id, row.value.name, row.drift)).collect();
        let mut notes: Vec<_> = page.drift.iter().map(ToString::to_string).collect();
        notes.sort();
        // A member that is there twice is noted twice by the one, once by the other.
        notes.dedup();
        (rows, page.rest.more, notes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_one_pass_reads_of_a_damaged_page_is_what_is_read_row_by_row(
            damage in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0..PIECES.len()), 1..4),
        ) {
            let mut page: Vec<char> = PAGE.chars().collect();
            for (at, length, piece) in damage {
                let at = at.index(page.len() + 1);
                let end = page.len().min(at + length);
                page.splice(at..end, PIECES[piece].chars());
            }
            let page: String = page.into_iter().collect();
            if let Some(at_once) = page_strictly(page.as_bytes(), "items") {
                let by_row = row_by_row(page.as_bytes(), "items", None).map(told);
                prop_assert_eq!(Ok(told(at_once)), by_row, "{}", page);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail_and_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = rows::<Row, Row>(&body, "items", None);
        }
    }
}
