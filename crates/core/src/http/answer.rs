//! From the bytes of an answer to a typed model: strictly first, tolerantly where that fails.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use super::pipeline::Pipeline;
use super::transport::Response;
use crate::drift::{Drift, DriftKind};
use crate::error::{Error, ErrorKind};
use crate::retry::Idempotency;
use crate::secret::{compression, names_of, scrub_json};

/// Whether a vendor puts the key object into a member of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Envelope {
    /// The body is the object.
    Bare,
    /// The documents put the object into this member; a bare object is read too, and noted.
    Wrapped(&'static str),
    /// The documents show both: in this member if it is an object, else bare.
    Either(&'static str),
}

/// How a vendor's key object is laid out in the body of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Where the object is.
    pub envelope: Envelope,
    /// The members that hold secrets, wherever they stand: the raw JSON does not show them.
    pub secrets: &'static [&'static str],
}

/// A decoded answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decoded<T> {
    /// The model.
    pub value: T,
    /// What was odd about the answer.
    pub drift: Vec<Drift>,
    /// The scrubbed JSON of the object, if the options ask for it.
    pub raw: Option<Value>,
}

/// The answer of a success, and what is known about the call, for errors about it. Printing it shows no body.
pub struct Answer {
    pipeline: Pipeline,
    operation: &'static str,
    idempotency: Idempotency,
    response: Response,
    request_id: Option<String>,
    attempts: u32,
}

impl Answer {
    pub(super) fn new(
        pipeline: Pipeline,
        operation: &'static str,
        idempotency: Idempotency,
        response: Response,
        request_id: Option<String>,
        attempts: u32,
    ) -> Self {
        Self { pipeline, operation, idempotency, response, request_id, attempts }
    }

    /// Decodes the body. A member of the wrong type is dropped and noted, and so are unknown members; what cannot be
    /// done without is an error that names it, and never shows a value.
    pub fn decode<T: DeserializeOwned>(&self, shape: &Shape) -> Result<Decoded<T>, Error> {
        let body = &**self.response.body();
        let (value, drift) = match decode_strictly(body, shape.envelope) {
            Some(decoded) => decoded,
            None => decode_tolerantly(body, shape.envelope).map_err(|reason| self.undecodable(&reason))?,
        };
        if let Some(first) = drift.first() {
            let count = drift.len();
            tracing::debug!(keymux.operation = self.operation, count, %first, "the answer is not as documented");
        }
        let raw = if self.pipeline.keeps_raw() { raw_object(body, shape, &drift) } else { None };
        Ok(Decoded { value, drift, raw })
    }

    /// The error of an answer that is no readable answer. `reason` must hold no secret.
    #[must_use]
    pub fn undecodable(&self, reason: &str) -> Error {
        let makes_key = self.idempotency == Idempotency::MakesKey;
        let kind = if makes_key { ErrorKind::OutcomeUnknown } else { ErrorKind::Decode };
        let message = match compression(self.response.headers()) {
            Some(encoding) => format!("{reason}; the body is compressed ({encoding}), which was not asked for"),
            None => reason.to_owned(),
        };
        self.pipeline
            .error(kind, self.operation)
            .with_status(self.response.status().as_u16())
            .with_message(message)
            .with_request_id(self.request_id.clone())
            .with_attempts(self.attempts)
            .with_repeatable(self.idempotency == Idempotency::Idempotent)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.operation)
            .field("status", &self.response.status())
            .field("headers", &names_of(self.response.headers()))
            .field("body", &format_args!("{} bytes", self.response.body().len()))
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// The way of nearly all answers: one pass, and nothing is kept but what the model keeps. `None`: something is odd
/// that this way does not read.
fn decode_strictly<T: DeserializeOwned>(body: &[u8], envelope: Envelope) -> Option<(T, Vec<Drift>)> {
    let mut drift = Vec::new();
    let object = match envelope {
        Envelope::Bare => body,
        Envelope::Wrapped(member) | Envelope::Either(member) => {
            let mut peel = serde_json::Deserializer::from_slice(body);
            let peeled = peel.deserialize_map(Peel { member }).ok()?;
            peel.end().ok()?;
            if let Some(object) = peeled.object {
                drift.extend(peeled.others.into_iter().map(|name| Drift::new(name, DriftKind::UnknownField)));
                object.get().as_bytes()
            } else {
                if matches!(envelope, Envelope::Wrapped(_)) {
                    drift.push(Drift::new("", DriftKind::Envelope));
                }
                body
            }
        }
    };
    // serde reads an array as a struct, too, member by member in their order.
    if object.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let mut decoder = serde_json::Deserializer::from_slice(object);
    let value = serde_ignored::deserialize(&mut decoder, |path| note_unknown(&mut drift, &path)).ok()?;
    decoder.end().ok()?;
    Some((value, drift))
}

/// The object in a wrapper's member, unread, and the names of the wrapper's other members.
struct Peeled<'a> {
    object: Option<&'a RawValue>,
    others: Vec<String>,
}

struct Peel {
    member: &'static str,
}

impl<'de> Visitor<'de> for Peel {
    type Value = Peeled<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut peeled = Peeled { object: None, others: Vec::new() };
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if name == self.member {
                let value: &RawValue = map.next_value()?;
                peeled.object = value.get().starts_with('{').then_some(value);
            } else {
                map.next_value::<IgnoredAny>()?;
                if peeled.others.len() < MAX_UNKNOWN {
                    peeled.others.push(name.into_owned());
                }
            }
        }
        Ok(peeled)
    }
}

/// The way of odd answers: members that do not decode are taken out, one after the other, until the rest does. The
/// error is a reason without any value.
fn decode_tolerantly<T: DeserializeOwned>(body: &[u8], envelope: Envelope) -> Result<(T, Vec<Drift>), String> {
    let mut drift = Vec::new();
    let text = String::from_utf8_lossy(body);
    let without_mark = text.trim_start_matches('\u{feff}');
    if matches!(text, std::borrow::Cow::Owned(_)) || without_mark.len() < text.len() {
        drift.push(Drift::new("", DriftKind::Encoding));
    }
    let mut value: Value = serde_json::from_str(without_mark).map_err(|error| not_json(without_mark, &error))?;
    if !value.is_object() {
        return Err(format!("the body is JSON, but {} and not an object", type_of(&value)));
    }
    if let Envelope::Wrapped(member) | Envelope::Either(member) = envelope {
        match value.get_mut(member) {
            Some(object @ Value::Object(_)) => {
                let object = object.take();
                let names = value.as_object().into_iter().flat_map(serde_json::Map::keys);
                let others = names.filter(|name| *name != member).take(MAX_UNKNOWN);
                drift.extend(others.map(|name| Drift::new(name.clone(), DriftKind::UnknownField)));
                value = object;
            }
            _ if matches!(envelope, Envelope::Wrapped(_)) => drift.push(Drift::new("", DriftKind::Envelope)),
            _ => {}
        }
    }
    let (decoded, repairs, removed) = repair(&mut value)?;
    // What is ignored is told by a second pass over what is left, which is known to decode.
    let mut unknown = Vec::new();
    let _: Result<T, _> = serde_ignored::deserialize(&value, |path| note_unknown(&mut unknown, &path));
    drift.extend(repairs);
    drift.extend(unknown.into_iter().map(|note| Drift::new(removed.trace(&note.path), note.kind)));
    Ok((decoded, drift))
}

/// How many members are taken out one by one. Each costs a pass over the whole object, which may have megabytes; an
/// object that is odd in more places loses the members of its top level in which these are.
const MAX_REPAIRS: usize = 32;

/// Takes out of `value` what does not decode, until the rest does.
fn repair<T: DeserializeOwned>(value: &mut Value) -> Result<(T, Vec<Drift>, Removed), String> {
    let mut drift: Vec<Drift> = Vec::new();
    let mut removed = Removed::default();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&*value) {
            Ok(decoded) => return Ok((decoded, drift, removed)),
            Err(error) => error,
        };
        let mut path: Vec<String> = error.path().iter().map(step).collect();
        if drift.len() >= MAX_REPAIRS {
            path.truncate(1);
        }
        let Some(original) = removed.remove(value, &path) else {
            // The text of the error may show a value, unless it names a member that is not there.
            let text = error.inner().to_string();
            let missing = text.strip_prefix("missing field ").unwrap_or_default();
            let name = missing.trim_matches('`');
            return Err(match (missing.is_empty(), drift.iter().any(|note| note.path == name)) {
                (true, _) => "the object is not what the vendor documents".to_owned(),
                (false, true) => format!("the member {missing} identifies the key and is not readable"),
                (false, false) => format!("the member {missing} identifies the key and is not there"),
            });
        };
        drift.push(Drift::new(original, DriftKind::WrongType));
    }
}

fn step(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => key.clone(),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "?".to_owned(),
    }
}

/// The elements that were taken out of lists: later ones have moved up, and notes tell where they stood at first.
#[derive(Default)]
struct Removed {
    /// The original indices that were taken out, in order, by the list's original path.
    elements: BTreeMap<String, Vec<usize>>,
}

impl Removed {
    /// Takes the member or element at `path` out of `value`, and returns the dotted path that it had at first. `None`:
    /// `path` is the root, or leads nowhere.
    fn remove(&mut self, value: &mut Value, path: &[String]) -> Option<String> {
        let (last, parents) = path.split_last()?;
        let mut parent = value;
        let mut original = String::new();
        for step in parents {
            let (child, name) = match parent {
                Value::Array(items) => {
                    let index = step.parse::<usize>().ok()?;
                    (items.get_mut(index)?, self.original(&original, index).to_string())
                }
                Value::Object(members) => (members.get_mut(step)?, step.clone()),
                _ => return None,
            };
            push_step(&mut original, &name);
            parent = child;
        }
        match parent {
            Value::Array(items) => {
                let index = last.parse().ok().filter(|index| *index < items.len())?;
                items.remove(index);
                let first = self.original(&original, index);
                let elements = self.elements.entry(original.clone()).or_default();
                let at = elements.partition_point(|element| *element < first);
                elements.insert(at, first);
                push_step(&mut original, &first.to_string());
            }
            Value::Object(members) => {
                members.remove(last)?;
                push_step(&mut original, last);
            }
            _ => return None,
        }
        Some(original)
    }

    /// The path at first of what is at `path` now.
    fn trace(&self, path: &str) -> String {
        let mut original = String::new();
        for step in path.split('.') {
            let step = step.parse().map_or(step.to_owned(), |index| self.original(&original, index).to_string());
            push_step(&mut original, &step);
        }
        original
    }

    /// Where the element that is at `index` now stood at first.
    fn original(&self, list: &str, index: usize) -> usize {
        let elements = self.elements.get(list).map_or(&[][..], Vec::as_slice);
        elements.iter().fold(index, |index, element| if *element <= index { index + 1 } else { index })
    }
}

fn push_step(path: &mut String, step: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(step);
}

/// How many undocumented members are noted; what comes after them is dropped unseen, as all of them were.
const MAX_UNKNOWN: usize = 100;

/// Notes an undocumented member.
fn note_unknown(drift: &mut Vec<Drift>, path: &serde_ignored::Path<'_>) {
    if drift.len() < MAX_UNKNOWN {
        // serde_ignored writes `?` for an option or a newtype on the way; users know neither.
        let path = path.to_string().split('.').filter(|part| *part != "?").collect::<Vec<_>>().join(".");
        drift.push(Drift::new(path, DriftKind::UnknownField));
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> String {
    let at = format!("line {}, column {}", error.line(), error.column());
    match text.trim_start().get(..1) {
        None => "the body is empty".to_owned(),
        Some("<") => "the body is an HTML or XML page, not JSON; is the base URL right?".to_owned(),
        _ if error.is_eof() => format!("the JSON of the body ends too early ({at})"),
        _ => format!("the body is not JSON ({at})"),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The body's JSON without its secrets.
fn raw_object(body: &[u8], shape: &Shape, drift: &[Drift]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    let mut value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let object = match shape.envelope {
        Envelope::Wrapped(member) | Envelope::Either(member) if value.get(member).is_some_and(Value::is_object) => {
            // The wrapper's other members are undocumented, and noted under their own names.
            scrub_siblings(&mut value, member, shape, drift);
            value.get_mut(member)?
        }
        _ => &mut value,
    };
    scrub_json(object, shape.secrets, drift);
    Some(value)
}

fn scrub_siblings(value: &mut Value, member: &str, shape: &Shape, drift: &[Drift]) {
    let Some(object) = value.as_object_mut() else { return };
    let wrapped = object.remove(member);
    scrub_json(value, shape.secrets, drift);
    if let (Some(object), Some(wrapped)) = (value.as_object_mut(), wrapped) {
        object.insert(member.to_owned(), wrapped);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fact::Fact;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Model {
        id: String,
        #[serde(default)]
        name: Fact<String>,
        #[serde(default)]
        scopes: Fact<Vec<Scope>>,
    }

    #[derive(Debug, Deserialize)]
    struct Scope {
        #[serde(default)]
        read: Fact<bool>,
    }

    fn decode(body: &str, envelope: Envelope) -> Result<(Model, Vec<Drift>), String> {
        decode_strictly(body.as_bytes(), envelope).map_or_else(|| decode_tolerantly(body.as_bytes(), envelope), Ok)
    }

    fn notes(body: &str, envelope: Envelope) -> Vec<String> {
        decode(body, envelope).unwrap().1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_oddity_is_read_and_noted() {
        let bare: &[(&str, &[&str])] = &[
            (r#"{"id":"a","name":null,"scopes":[]}"#, &[]),
            (r#"{"id":"a","new":{"x":1}}"#, &["new is not documented"]),
            (r#"{"id":"a","scopes":[{"read":true,"new":1}]}"#, &["scopes.0.new is not documented"]),
            (r#"{"id":"a","name":5}"#, &["name has another type than documented"]),
            (
                r#"{"id":"a","scopes":[{"read":"x"},7,{"read":true}]}"#,
                &["scopes.0.read has another type than documented", "scopes.1 has another type than documented"],
            ),
            (
                r#"{"id":"a","scopes":{},"new":1}"#,
                &["scopes has another type than documented", "new is not documented"],
            ),
            ("\u{feff}{\"id\":\"a\"}", &["the body is not plain UTF-8"]),
            (r#"{"id":"a","id":"a"}"#, &[]),
        ];
        for (body, expected) in bare {
            assert_eq!(notes(body, Envelope::Bare), *expected, "{body}");
        }
        let (model, _) = decode(r#"{"id":"a","scopes":[{"read":"x"},7,{"read":true}]}"#, Envelope::Bare).unwrap();
        let scopes = model.scopes.known().unwrap().iter().map(|scope| scope.read);
        assert!(scopes.eq([Fact::Missing, Fact::Known(true)]), "the rest of the list is kept");
        let wrapped = Envelope::Wrapped("key");
        assert_eq!(notes(r#"{"key":{"id":"a"}}"#, wrapped), [""; 0]);
        assert_eq!(notes(r#"{"id":"a"}"#, wrapped), ["the body is wrapped in another way than documented"]);
        assert_eq!(notes(r#"{"key":{"id":"a"},"n":1}"#, wrapped), ["n is not documented"]);
        assert_eq!(
            notes(r#"{"key":{"id":"a","name":1},"n":1}"#, wrapped),
            ["n is not documented", "name has another type than documented"]
        );
        assert_eq!(notes(r#"{"id":"a","key":"k"}"#, Envelope::Either("key")), ["key is not documented"]);
    }

    #[test]
    fn an_object_that_is_odd_in_a_thousand_places_is_read_in_a_few_passes() {
        let body = format!(r#"{{"id":"a","name":"n","scopes":[{}]}}"#, vec!["1"; 1000].join(","));
        let (model, drift) = decode(&body, Envelope::Bare).unwrap();
        assert_eq!((model.name, model.scopes.known().is_none()), (Fact::Known("n".to_owned()), true));
        assert_eq!(drift.len(), MAX_REPAIRS + 1);
        assert_eq!(drift.last().unwrap().path, "scopes");
        let members: Vec<String> = (0..1000).map(|n| format!(r#""x{n}":1"#)).collect();
        let (_, drift) = decode(&format!(r#"{{"id":"a",{}}}"#, members.join(",")), Envelope::Bare).unwrap();
        assert_eq!(drift.len(), MAX_UNKNOWN);
    }

    #[test]
    fn a_body_with_bytes_that_are_no_text_is_read_and_noted() {
        let (model, drift) =
            decode_tolerantly::<Model>(b"{\"id\":\"a\",\"name\":\"caf\xe9\"}", Envelope::Bare).unwrap();
        assert_eq!(model.name, Fact::Known("caf\u{fffd}".to_owned()));
        assert_eq!(drift, [Drift::new("", DriftKind::Encoding)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_without_any_value() {
        let table = [
            ("", "the body is empty"),
            ("  ", "the body is empty"),
            ("<html>", "the body is an HTML or XML page, not JSON; is the base URL right?"),
            (r#"{"id":"CANARY"#, "the JSON of the body ends too early (line 1, column 13)"),
            ("CANARY", "the body is not JSON (line 1, column 1)"),
            (r#"["CANARY"]"#, "the body is JSON, but an array and not an object"),
            ("null", "the body is JSON, but null and not an object"),
            (r#"{"name":"CANARY"}"#, "the member `id` identifies the key and is not there"),
            (r#"{"id":["CANARY"]}"#, "the member `id` identifies the key and is not readable"),
            (r#"{"id":null}"#, "the member `id` identifies the key and is not readable"),
        ];
        for (body, expected) in table {
            assert_eq!(decode(body, Envelope::Bare).unwrap_err(), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_and_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for envelope in [Envelope::Bare, Envelope::Wrapped("key"), Envelope::Either("key")] {
                let _ = decode_strictly::<Model>(&body, envelope);
                let _ = decode_tolerantly::<Model>(&body, envelope);
            }
        }

        #[test]
        fn an_object_with_its_identity_always_decodes(name in "[a-z]{1,8}", junk in "\"[a-z]{0,5}\"|[1-9][0-9]{0,8}|null|true|\\[\\]|\\{\\}|\\[\\{\"read\":3\\}\\]") {
            prop_assume!(name != "id");
            for member in [name.as_str(), "name", "scopes"] {
                let body = format!(r#"{{"{member}":{junk},"id":"a"}}"#);
                prop_assert_eq!(decode(&body, Envelope::Bare).unwrap().0.id, "a");
            }
        }
    }
}
