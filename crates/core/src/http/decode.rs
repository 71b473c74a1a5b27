//! From bytes to a model: strictly first, tolerantly where that fails. Pure functions; no text that they return shows a
//! value.

mod apart;
mod page;
mod tree;
mod watch;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) use self::apart::{Apart, apart};
pub(super) use self::page::rows;
use self::tree::{Repeated, Tree};
use self::watch::{Anomaly, Found, Name, Path, Steps};
use super::shape::{Envelope, Shape};
use crate::drift::{Drift, DriftKind};
use crate::fact::Fact;
use crate::secret::scrub_json;

/// How many members are taken out one by one. Each costs a pass over the whole object, which may have megabytes; an
/// object that is odd in more places loses the members of its top level in which these are.
const MAX_REPAIRS: usize = 32;

/// How many undocumented or repeated members are noted; what comes after them is dropped unseen, as all of them were.
const MAX_UNKNOWN: usize = 100;

/// Decodes an object. A member of the wrong type is dropped and noted, and so are unknown members; the error is why the
/// rest is not enough.
pub(super) fn object<T: DeserializeOwned>(body: &[u8], envelope: Envelope) -> Result<(T, Vec<Drift>), String> {
    if let Some(decoded) = strictly(body, envelope) {
        return Ok(decoded);
    }
    let mut model = None;
    let read = tolerantly(body, envelope, &mut into(&mut model))?;
    Ok((model.ok_or_else(unlike)?, read.drift))
}

/// The JSON of an object, without its secrets and without what is not documented.
pub(super) fn raw<T: DeserializeOwned>(body: &[u8], shape: &Shape) -> Option<Value> {
    let mut model: Option<T> = None;
    scrubbed(body, shape, &mut into(&mut model))
}

fn scrubbed(body: &[u8], shape: &Shape, decode: Decode<'_>) -> Option<Value> {
    let Read { mut shown, hidden, wrapper, .. } = tolerantly(body, shape.envelope, decode).ok()?;
    scrub_json(&mut shown, shape.secrets, &hidden);
    let Some((member, mut others)) = wrapper else { return Some(shown) };
    let hidden = others.keys().map(|name| vec![name.clone()]).collect();
    let mut body = Value::Object(std::mem::take(&mut others));
    scrub_json(&mut body, shape.secrets, &hidden);
    body.as_object_mut()?.insert(member.to_owned(), shown);
    Some(body)
}

/// The way of nearly all answers: one pass, and nothing is kept but what the model keeps. `None`: something is odd
/// that this way does not read.
fn strictly<T: DeserializeOwned>(body: &[u8], envelope: Envelope) -> Option<(T, Vec<Drift>)> {
    let mut drift = Vec::new();
    let mut json = serde_json::Deserializer::from_str(unwrapped(body, envelope, &mut drift)?);
    let value = watch::object(&mut json, &mut |oddity, path| note(&mut drift, oddity, path)).ok()?;
    json.end().ok()?;
    Some((value, drift))
}

/// The text of the object, out of its wrapper.
fn unwrapped<'a>(body: &'a [u8], envelope: Envelope, drift: &mut Vec<Drift>) -> Option<&'a str> {
    let body = std::str::from_utf8(body).ok()?;
    let (Envelope::Wrapped(member) | Envelope::Either(member)) = envelope else { return Some(body) };
    let mut json = serde_json::Deserializer::from_str(body);
    let peeled = json.deserialize_map(Peel { member }).ok()?;
    json.end().ok()?;
    if let Some(object) = peeled.object {
        peeled.others.into_iter().for_each(|name| note_unknown(drift, &[name]));
        return Some(object.get());
    }
    if matches!(envelope, Envelope::Wrapped(_)) {
        drift.push(Drift::new("", DriftKind::Envelope));
    }
    Some(body)
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

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut peeled = Peeled { object: None, others: Vec::new() };
        let mut found = false;
        while let Some(Name(name)) = map.next_key()? {
            if name == self.member {
                let value: &RawValue = map.next_value()?;
                if std::mem::replace(&mut found, true) {
                    return Err(A::Error::duplicate_field(self.member));
                }
                peeled.object = value.get().starts_with('{').then_some(value);
            } else {
                map.next_value::<IgnoredAny>()?;
                if peeled.others.len() <= MAX_UNKNOWN {
                    peeled.others.push(name.into_owned());
                }
            }
        }
        Ok(peeled)
    }
}

/// Decodes a model out of an object, tells the oddities, and keeps the first model that it can make.
type Decode<'a> = &'a mut dyn FnMut(&Tree<'_>, Found<'_>) -> serde_json::Result<()>;

/// The [`Decode`] of a model. It goes through text, as the strict way does: the code that reads a model, which is most of
/// what a vendor's crate compiles to, is there once, and not once more for values.
fn into<T: DeserializeOwned>(model: &mut Option<T>) -> impl FnMut(&Tree<'_>, Found<'_>) -> serde_json::Result<()> {
    |value: &Tree<'_>, found: Found<'_>| {
        let decoded = watch::object(&mut serde_json::Deserializer::from_str(&value.to_string()), found)?;
        model.get_or_insert(decoded);
        Ok(())
    }
}

/// What the tolerant way reads, beside the model.
struct Read {
    drift: Vec<Drift>,
    /// The object as it came; a member that is not even JSON is told by its length.
    shown: Value,
    /// What of it is not documented, or not of the documented type.
    hidden: HashSet<Steps>,
    /// The name of the member that held the object, and the members beside it.
    wrapper: Option<(&'static str, Map<String, Value>)>,
}

/// The way of odd answers: members that do not decode are taken out, one after the other, until the rest does.
fn tolerantly(body: &[u8], envelope: Envelope, decode: Decode<'_>) -> Result<Read, String> {
    let mut drift = Vec::new();
    let text = as_text(body, &mut drift);
    let mut object = members(&text)?;
    let mut wrapper = None;
    if let Envelope::Wrapped(member) | Envelope::Either(member) = envelope {
        let mut inners = object.iter().filter(|(name, _)| name == member).map(|(_, value)| value.get());
        let inner = inners.next();
        if let Some(other) = inners.next() {
            if inners.chain([other]).any(|other| Some(other) != inner) {
                return Err(format!("the member `{member}` stands twice, with different values"));
            }
            drift.push(Drift::new(member, DriftKind::Repeated));
        }
        match inner.filter(|inner| inner.starts_with('{')) {
            Some(inner) => {
                let others = object.iter().filter(|(name, _)| name != member);
                let others: Map<String, Value> = others.map(|(name, value)| (name.clone(), read(value))).collect();
                others.keys().for_each(|name| note_unknown(&mut drift, std::slice::from_ref(name)));
                wrapper = Some((member, others));
                object = members(inner)?;
            }
            None if matches!(envelope, Envelope::Wrapped(_)) => drift.push(Drift::new("", DriftKind::Envelope)),
            None => {}
        }
    }
    let shown = object.iter().map(|(name, value)| (name.clone(), read(value))).collect();
    let hidden = settle(object, decode, &mut drift)?;
    Ok(Read { drift, shown: Value::Object(shown), hidden, wrapper })
}

/// Decodes an object of these members without those that do not decode or that stand twice with different values. DriftNotes
/// what is odd, and returns the paths of what is not documented, or not as documented.
fn settle(
    object: Vec<(String, &RawValue)>,
    decode: Decode<'_>,
    drift: &mut Vec<Drift>,
) -> Result<HashSet<Steps>, String> {
    let mut repeated = Vec::new();
    let mut tree = Tree::of(object, &mut repeated);
    let removed = repair(&mut tree, decode, &repeated)?;
    drift.extend(removed.notes());
    let mut hidden: HashSet<Steps> = removed.members.iter().map(|(path, _)| path.clone()).collect();
    let mut unknown = |oddity: Anomaly, path: &Path<'_>| {
        if oddity == Anomaly::Unknown {
            let path = removed.trace(&path.steps());
            if hidden.insert(path.clone()) {
                note_unknown(drift, &path);
            }
        }
    };
    // What is ignored is told by one more pass over what is left.
    let _ = decode(&tree, &mut unknown);
    if repeated.iter().any(|member| !member.alike) {
        tree.put_nulls();
        let _ = decode(&tree, &mut unknown);
    }
    // A member that no one reads may be there as often as it likes.
    repeated.retain(|member| !(1..=member.path.len()).any(|steps| hidden.contains(&member.path[..steps])));
    for member in repeated {
        note_odd(drift, &member.path, DriftKind::Repeated);
        if !member.alike {
            hidden.insert(member.path);
        }
    }
    Ok(hidden)
}

/// The body as text; what is not text is replaced, a mark at its beginning taken off, and both noted.
fn as_text<'a>(body: &'a [u8], drift: &mut Vec<Drift>) -> Cow<'a, str> {
    let unmarked = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let text = String::from_utf8_lossy(unmarked);
    if matches!(text, Cow::Owned(_)) || unmarked.len() < body.len() {
        drift.push(Drift::new("", DriftKind::Encoding));
    }
    text
}

/// The members of the object that `text` is, their values unread.
fn members(text: &str) -> Result<Vec<(String, &RawValue)>, String> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members).and_then(|members| json.end().map(|()| members));
    // The text of the error may show a value; its place does not.
    members.map_err(|error| match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => format!("the body is JSON, but {} and not an object", type_of(text)),
        Err(_) => not_json(text, &error),
    })
}

/// A value, or how long it is if it cannot be read.
fn read(value: &RawValue) -> Value {
    let length = || Value::String(format!("[unreadable, {} characters]", value.get().chars().count()));
    serde_json::from_str(value.get()).unwrap_or_else(|_| length())
}

/// Takes out of `value` what does not decode, until the rest does. `repeated` tells what is not in it to begin with.
fn repair(value: &mut Tree<'_>, decode: Decode<'_>, repeated: &[Repeated]) -> Result<Removed, String> {
    let mut removed = Removed::default();
    loop {
        // The innermost is told first.
        let mut path: Option<Steps> = None;
        let decoded = decode(value, &mut |oddity, at| {
            if oddity == Anomaly::Undecodable {
                path.get_or_insert_with(|| at.steps());
            }
        });
        let Err(error) = decoded else { return Ok(removed) };
        let mut path = path.unwrap_or_default();
        if removed.members.len() >= MAX_REPAIRS {
            path.truncate(1);
        }
        // The text of the error may show a value, unless it names a member that is not there.
        let text = error.to_string();
        if removed.remove(value, &path, text.starts_with("invalid type")).is_none() {
            let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let Some(missing) = missing else { return Err(unlike()) };
            return Err(format!("the member `{missing}`, which is needed, {}", removed.why(missing, repeated)));
        }
    }
}

fn unlike() -> String {
    "the object is not what the vendor documents".to_owned()
}

/// What was taken out. Later elements of a list have moved up, and notes tell where they stood at first.
#[derive(Default)]
struct Removed {
    /// The original paths of what was taken out, and what was odd there.
    members: Vec<(Steps, DriftKind)>,
    /// The original indices of the elements among them, in order, by the list's original path.
    elements: BTreeMap<Steps, Vec<usize>>,
}

impl Removed {
    fn notes(&self) -> impl Iterator<Item = Drift> {
        self.members.iter().map(|(path, kind)| Drift::new(path.join("."), kind.clone()))
    }

    /// Why the object has no member of this name.
    fn why(&self, name: &str, repeated: &[Repeated]) -> &'static str {
        let is_it = |path: &Steps| matches!(path.as_slice(), [one] if one == name);
        if repeated.iter().any(|member| is_it(&member.path)) {
            return "stands twice, with different values";
        }
        match self.members.iter().find(|(path, _)| is_it(path)) {
            None => "is not there",
            Some((_, DriftKind::UnknownValue(value))) if value.is_empty() => "is empty",
            Some((_, DriftKind::UnknownValue(_))) => "has a value that is not documented",
            Some(_) => "has another type than documented",
        }
    }

    /// Takes the member or element at `path` out of `value`, or the one that holds it where that is not taken apart;
    /// `of_type` says that its type is what is wrong with it. `None`: `path` is the root, or leads nowhere.
    fn remove(&mut self, value: &mut Tree<'_>, path: &[String], of_type: bool) -> Option<()> {
        let (steps, taken) = value.remove(path)?;
        let path = &path[..steps];
        let original = self.trace(path);
        let (_, parent) = path.split_last()?;
        if value.at(parent)?.is_list() {
            let (place, list) = original.split_last()?;
            let place: usize = place.parse().ok()?;
            let elements = self.elements.entry(list.to_vec()).or_default();
            elements.insert(elements.partition_point(|element| *element < place), place);
        }
        let odd_value = if of_type { None } else { taken.brief() };
        let kind = odd_value.map_or(DriftKind::WrongType, DriftKind::UnknownValue);
        self.members.push((original, kind));
        Some(())
    }

    /// The path at first of what is at `path` now.
    fn trace(&self, path: &[String]) -> Steps {
        let mut original = Steps::with_capacity(path.len());
        for step in path {
            let moved = self.elements.get(&original).zip(step.parse::<usize>().ok());
            original.push(match moved {
                Some((elements, index)) => {
                    elements.iter().fold(index, |index, element| index + usize::from(*element <= index)).to_string()
                }
                None => step.clone(),
            });
        }
        original
    }
}

/// Notes an oddity of what decodes all the same.
fn note(drift: &mut Vec<Drift>, oddity: Anomaly, path: &Path<'_>) {
    if oddity == Anomaly::Unknown {
        note_unknown(drift, &path.steps());
    }
}

/// Notes an undocumented member.
fn note_unknown(drift: &mut Vec<Drift>, steps: &[String]) {
    note_odd(drift, steps, DriftKind::UnknownField);
}

fn note_odd(drift: &mut Vec<Drift>, steps: &[String], kind: DriftKind) {
    match drift.len() {
        ..MAX_UNKNOWN => drift.push(Drift::new(steps.join("."), kind)),
        MAX_UNKNOWN => drift.push(Drift::new("", DriftKind::Omitted)),
        _ => {}
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

/// What sort of JSON `text` is, which is known to be JSON.
fn type_of(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    }
}

/// Decodes a list of objects, for a model's `deserialize_with`: serde alone would read a list in place of an object,
/// too, member by member in their order.
pub fn objects<'de, D, T>(deserializer: D) -> Result<Fact<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Object<T>(T);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct MapOnly<T>(std::marker::PhantomData<T>);

            impl<'de, T: Deserialize<'de>> Visitor<'de> for MapOnly<T> {
                type Value = T;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                    T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                }
            }

            deserializer.deserialize_map(MapOnly(std::marker::PhantomData)).map(Object)
        }
    }

    let list = Fact::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(|items| items.into_iter().map(|item| item.0).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
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
        object(body.as_bytes(), envelope)
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
            (r#"{"id":"a","id":"a"}"#, &["id stands twice"]),
            (r#"{"id":"a","name":"b","name":"c"}"#, &["name stands twice"]),
            (r#"{"id":"a","scopes":[{"read":true,"read":false},{"read":true}]}"#, &["scopes.0.read stands twice"]),
            (
                r#"{"id":"a","new":1,"new":2,"x":{"y":1,"y":2},"name":1}"#,
                &["name has another type than documented", "x is not documented", "new is not documented"],
            ),
        ];
        for (body, expected) in bare {
            assert_eq!(notes(body, Envelope::Bare), *expected, "{body}");
        }
        let (model, _) = decode(r#"{"id":"a","scopes":[{"read":"x"},7,{"read":true}]}"#, Envelope::Bare).unwrap();
        let scopes = model.scopes.known().unwrap().iter().map(|scope| scope.read);
        assert!(scopes.eq([Fact::Missing, Fact::Known(true)]), "the rest of the list is kept");
        let twice = r#"{"id":"a","name":"b","name":"c","scopes":[{"read":true,"read":false},{"read":true}]}"#;
        let (model, _) = decode(twice, Envelope::Bare).unwrap();
        let scopes = model.scopes.known().unwrap().iter().map(|scope| scope.read);
        assert!(scopes.eq([Fact::Missing, Fact::Known(true)]), "neither of two values is taken");
        assert_eq!(model.name, Fact::Missing);
        let wrapped = Envelope::Wrapped("key");
        assert_eq!(notes(r#"{"key":{"id":"a"},"key":{"id":"a"}}"#, wrapped), ["key stands twice"]);
        let two = decode(r#"{"key":{"id":"a"},"key":{"id":"b"}}"#, wrapped).unwrap_err();
        assert_eq!(two, "the member `key` stands twice, with different values");
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
        assert_eq!(drift.len(), MAX_UNKNOWN + 1);
        assert_eq!(drift.last().unwrap().kind, DriftKind::Omitted);
    }

    #[test]
    fn a_body_with_bytes_that_are_no_text_is_read_and_noted() {
        let (model, drift) = object::<Model>(b"{\"id\":\"a\",\"name\":\"caf\xe9\"}", Envelope::Bare).unwrap();
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
            (r#"{"name":"CANARY"}"#, "the member `id`, which is needed, is not there"),
            (r#"{"id":["CANARY"]}"#, "the member `id`, which is needed, has another type than documented"),
            (r#"{"id":null}"#, "the member `id`, which is needed, has another type than documented"),
            (
                r#"{"id":"CANARY1","id":"CANARY2"}"#,
                "the member `id`, which is needed, stands twice, with different values",
            ),
        ];
        for (body, expected) in table {
            assert_eq!(decode(body, Envelope::Bare).unwrap_err(), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_and_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for envelope in [Envelope::Bare, Envelope::Wrapped("key"), Envelope::Either("key")] {
                let _ = object::<Model>(&body, envelope);
                let _ = tolerantly(&body, envelope, &mut into(&mut None::<Model>));
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
