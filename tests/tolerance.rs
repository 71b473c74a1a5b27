//! A look-up survives its vendor: whatever is odd about an answer that says which key it is about, the answer is read,
//! the oddity is on the record, and nothing else on the record changes.

mod oddities;
mod raw;
mod times;

use keymux::{Drift, DriftKind, ErrorKind, FactState, KeyRecord, KeyState};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::fixtures::{Example, Fills, Form, Member, Null, Presence, Vendor, Wrong, examples, facts, full};

/// One way in which a body differs from its documents.
#[derive(Debug, Clone)]
enum Anomaly {
    Dropped(Member),
    Null(Member),
    WrongType(Member, Value),
    /// A member that no document knows, in the object at this path; `None`: beside the key object, in the wrapper.
    Added(Option<String>, String, Value),
}

impl Anomaly {
    /// The same body with this oddity; `None` if it has no place for it.
    fn apply(&self, example: &Example) -> Option<Example> {
        let mut changed = example.clone();
        match self {
            Self::Dropped(member) => {
                let (parent, name) = place_of(changed.key_mut(), member.path)?;
                parent.as_object_mut()?.remove(name)?;
            }
            Self::Null(member) => set(changed.key_mut(), member.path, Value::Null)?,
            Self::WrongType(member, value) => set(changed.key_mut(), member.path, value.clone())?,
            Self::Added(None, name, value) => {
                example.wrapper()?;
                changed.body[name.as_str()] = value.clone();
            }
            Self::Added(Some(path), name, value) => {
                let pointer = path.split('.').filter(|part| !part.is_empty()).map(|part| format!("/{part}"));
                let object = changed.key_mut().pointer_mut(&pointer.collect::<String>())?;
                object.as_object_mut()?.insert(name.clone(), value.clone());
            }
        }
        Some(changed)
    }

    /// What the record has to say about it.
    fn note(&self) -> Option<Drift> {
        match self {
            Self::Dropped(member) => {
                (member.presence == Presence::Required).then(|| Drift::new(member.path, DriftKind::RequiredMissing))
            }
            Self::Null(member) => {
                (member.null == Null::Never).then(|| Drift::new(member.path, DriftKind::UnexpectedNull))
            }
            Self::WrongType(member, _) => Some(Drift::new(member.path, DriftKind::WrongType)),
            Self::Added(path, name, _) => {
                let dot = if path.as_deref().unwrap_or_default().is_empty() { "" } else { "." };
                let path = format!("{}{dot}{name}", path.as_deref().unwrap_or_default());
                Some(Drift::new(path, DriftKind::UnknownField))
            }
        }
    }

    fn member(&self) -> Option<&Member> {
        match self {
            Self::Dropped(member) | Self::Null(member) | Self::WrongType(member, _) => Some(member),
            Self::Added(..) => None,
        }
    }

    fn state(&self) -> FactState {
        if matches!(self, Self::Null(_)) { FactState::Empty } else { FactState::Missing }
    }
}

/// The object that holds the member at `path`, and the member's name.
fn place_of<'a, 'p>(key: &'a mut Value, path: &'p str) -> Option<(&'a mut Value, &'p str)> {
    match path.rsplit_once('.') {
        Some((parents, name)) => Some((key.pointer_mut(&format!("/{}", parents.replace('.', "/")))?, name)),
        None => Some((key, path)),
    }
}

fn set(key: &mut Value, path: &str, value: Value) -> Option<()> {
    let (parent, name) = place_of(key, path)?;
    parent.as_object_mut()?.insert(name.to_owned(), value);
    Some(())
}

/// Whether the body still says which key it is about.
fn keeps_identity(example: &Example) -> bool {
    let has = |member: &str| example.key()[member].is_string();
    match example.vendor {
        Vendor::Baseten => has("prefix"),
        Vendor::Braintrust | Vendor::Oneloop => has("id"),
        Vendor::Mielto => has("id") || has("key"),
        Vendor::Datkey => {
            example.key().as_object().is_some_and(|members| members.values().any(|value| !value.is_null()))
        }
    }
}

/// A value of every other JSON type than the documented one, and none that another documented form would have.
fn other_types(example: &Example, member: &Member) -> Vec<Value> {
    let all = [json!("text"), json!(7), json!(-1.5), json!(true), json!(["text"]), json!({"a": 1})];
    let fits = |value: &Value| match member.form {
        Form::Text => value.is_string(),
        Form::Time(_) => value.is_string() || value.is_number(),
        Form::Count => value.is_u64(),
        Form::Flag => value.is_boolean(),
        Form::List => value.is_array(),
        // An object in `key` would be the wrapped form.
        Form::Map => value.is_object(),
    };
    let wraps = |value: &Value| {
        value.is_object() && example.vendor.wrapper() == Some(member.path) && example.wrapper().is_none()
    };
    all.into_iter().filter(|value| !fits(value) && !wraps(value)).collect()
}

/// Checks that the record of the body with `oddities` has their notes and their coverage, and is otherwise that of the
/// example.
fn check(wrong: &mut Wrong, example: &Example, oddities: &[Anomaly], record: &KeyRecord) {
    let before = example.read().unwrap();
    let touched: Vec<&Member> = oddities.iter().filter_map(Anomaly::member).collect();
    let what = || format!("{} with {oddities:?}", example.name());

    let stays = |note: &&Drift| !touched.iter().any(|member| note.path.starts_with(member.path));
    let mut expected: Vec<Drift> = before.drift.iter().filter(stays).cloned().collect();
    expected.extend(oddities.iter().filter_map(Anomaly::note));
    let in_order = |notes: &[Drift]| {
        let mut lines: Vec<String> = notes.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    let (seen, expected) = (in_order(&record.drift), in_order(&expected));
    wrong.unless(seen == expected, || format!("{}:\n  notes    {seen:?}\n  expected {expected:?}", what()));

    let (facts_before, facts_now) = (facts(&before), facts(record));
    for (field, fact) in &facts_now {
        let of_field = |oddity: &&Anomaly| oddity.member().is_some_and(|member| member.fills.field() == Some(*field));
        match oddities.iter().find(of_field) {
            Some(oddity) if oddity.member().map(|member| member.fills) == Some(Fills::Whole(*field)) => {
                wrong.unless(fact.0 == oddity.state(), || format!("{}: {field} is {fact:?}", what()));
            }
            Some(_) => {}
            None => {
                let before = &facts_before[field];
                wrong.unless(fact == before, || format!("{}: {field} was {before:?} and is {fact:?}", what()));
            }
        }
    }
    if !touched.iter().any(|member| example.vendor.status_members().contains(&member.path)) {
        wrong.unless(record.status == before.status, || format!("{}: {:?}", what(), record.status));
    }
    wrong.unless(record.address == before.address, || format!("{}: {}", what(), record.address));
}

/// Checks one oddity at every documented member of every example of `vendor` that has a place for it.
fn check_each_member(vendor: Vendor, make: impl Fn(&Example, &Member) -> Vec<Anomaly>) {
    let mut wrong = Wrong::default();
    let mut checked = 0;
    for example in examples().into_iter().filter(|example| example.vendor == vendor) {
        for member in vendor.members() {
            for oddity in make(&example, member) {
                let Some(changed) = oddity.apply(&example).filter(keeps_identity) else { continue };
                checked += 1;
                match changed.read() {
                    Ok(record) => check(&mut wrong, &example, &[oddity], &record),
                    Err(error) => wrong.unless(false, || format!("{} with {oddity:?}: {error}", example.name())),
                }
            }
        }
    }
    assert!(checked > 0, "no example has a place for it");
    wrong.assert_none();
}

/// A rule about every documented member, as one test for each vendor.
macro_rules! at_every_member_of {
    ($rule:ident: $make:expr) => {
        mod $rule {
            use super::*;

            #[test]
            fn baseten() {
                check_each_member(Vendor::Baseten, $make);
            }

            #[test]
            fn braintrust() {
                check_each_member(Vendor::Braintrust, $make);
            }

            #[test]
            fn mielto() {
                check_each_member(Vendor::Mielto, $make);
            }

            #[test]
            fn datkey() {
                check_each_member(Vendor::Datkey, $make);
            }

            #[test]
            fn oneloop() {
                check_each_member(Vendor::Oneloop, $make);
            }
        }
    };
}

at_every_member_of! {
    an_absent_member_is_missing_and_noted_where_it_is_documented_as_required:
        |_, member| vec![Anomaly::Dropped(*member)]
}

at_every_member_of! {
    a_null_is_empty_and_noted_where_it_is_documented_as_never_null:
        |_, member| vec![Anomaly::Null(*member)]
}

at_every_member_of! {
    a_member_of_another_type_is_missing_and_noted:
        |example, member| {
            other_types(example, member).into_iter().map(|value| Anomaly::WrongType(*member, value)).collect()
        }
}

#[test]
fn every_documented_answer_is_read_without_a_note_save_of_a_unit_that_no_document_tells() {
    for example in examples() {
        let record = example.read().unwrap();
        let notes: Vec<String> = record.drift.iter().map(ToString::to_string).collect();
        match (example.vendor, example.title) {
            (Vendor::Oneloop, "full") => assert_eq!(notes, ["expiresAt has no documented unit; read as seconds"]),
            (Vendor::Oneloop, "older server") => {
                assert_eq!(notes, ["billingId is documented as required and is absent"]);
            }
            _ => assert_eq!(notes, [""; 0], "{}", example.name()),
        }
    }
}

#[test]
fn a_missing_identity_is_a_decode_error_that_names_the_member() {
    let table: [(Vendor, &[&str], &[&str]); 4] = [
        (Vendor::Baseten, &["prefix"], &["`prefix`"]),
        (Vendor::Braintrust, &["id"], &["`id`"]),
        (Vendor::Mielto, &["id", "key"], &["`id`", "`key`"]),
        (Vendor::Oneloop, &["id"], &["`id`"]),
    ];
    for (vendor, members, named) in table {
        for odd in [None, Some(Value::Null), Some(json!(7)), Some(json!(["CANARY"])), Some(json!({"CANARY": 1}))] {
            let broken = full(vendor).with_key(|key| {
                for member in members {
                    match &odd {
                        Some(value) => key[*member] = value.clone(),
                        None => drop(key.as_object_mut().unwrap().remove(*member)),
                    }
                }
            });
            let error = broken.read().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{vendor:?}: {error}");
            let text = error.to_string();
            assert!(named.iter().all(|name| text.contains(name)) && !text.contains("CANARY"), "{text}");
        }
    }
}

#[test]
fn an_object_of_other_things_alone_is_no_key() {
    let others = json!({"message": "deprecated", "data": {"name": "x"}});
    let wrappers = [(Vendor::Datkey, "key"), (Vendor::Oneloop, "apiKey")];
    for vendor in Vendor::ALL {
        let wrapped = wrappers.iter().filter(|(of, _)| *of == vendor).map(|(_, wrapper)| json!({*wrapper: others}));
        for body in wrapped.chain([others.clone()]) {
            let error = Example { body, ..full(vendor) }.read().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{vendor:?}: {error}");
        }
    }
}

#[test]
fn another_keys_identity_is_noted_and_the_record_keeps_the_address_that_was_asked() {
    for (vendor, member) in [
        (Vendor::Baseten, "prefix"),
        (Vendor::Braintrust, "id"),
        (Vendor::Mielto, "id"),
        (Vendor::Datkey, "id"),
        (Vendor::Oneloop, "id"),
    ] {
        let example = full(vendor);
        let record = example.with_key(|key| key[member] = json!("another")).read().unwrap();
        assert!(record.drift.contains(&Drift::new(member, DriftKind::IdentityMismatch)), "{vendor:?}");
        assert_eq!(record.address, example.address, "{vendor:?}");
    }
    let upper = full(Vendor::Braintrust).with_key(|key| key["id"] = json!("6F1D2C3B-0A9E-4B57-8C11-2F4D5E6A7B80"));
    assert_eq!(upper.read().unwrap().drift, [], "a UUID is the same in upper case");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let object = btree_map(".{0,6}", inner.clone(), 0..4);
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object.prop_map(|map| json!(map))]
    })
}

fn an_example() -> impl Strategy<Value = Example> {
    select(examples())
}

/// An added member somewhere, or an oddity of one documented member that is not what the key is known by.
fn oddities_of(example: &Example) -> impl Strategy<Value = Vec<Anomaly>> + use<> {
    let example = example.clone();
    let known = |name: &str| {
        let last = |member: &Member| member.path.rsplit('.').next() == Some(name);
        Vendor::ALL.iter().any(|vendor| vendor.members().iter().any(last) || vendor.wrapper() == Some(name))
    };
    let places = select(vec![None, Some(String::new()), Some("scopes.0".to_owned()), Some("scopes.1".to_owned())]);
    let names =
        "[a-zA-Z_ \u{e4}\u{4e00}-][a-zA-Z0-9_ \u{1f511}-]{0,10}".prop_filter("documented", move |name| !known(name));
    let added = (places, names, any_json()).prop_map(|(place, name, value)| Anomaly::Added(place, name, value));
    let plain = |member: &&Member| !["prefix", "id", "key"].contains(&member.path);
    let members: Vec<Member> = example.vendor.members().iter().filter(plain).copied().collect();
    let of_member = (select(members), 0..3_u8, any::<Index>()).prop_map(move |(member, which, index)| {
        let nested = member.path.contains('.');
        match which {
            0 if !nested => Anomaly::Dropped(member),
            1 if !nested && member.null == Null::Nullable => Anomaly::Null(member),
            _ => Anomaly::WrongType(member, index.get(&other_types(&example, &member)).clone()),
        }
    });
    vec(prop_oneof![added, of_member], 0..4)
}

/// The JSON text of `value` with the members of each object in an order that `seed` tells.
fn shuffled(value: &Value, seed: &mut u64) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<(u64, String)> = members
                .iter()
                .map(|(name, member)| {
                    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (*seed >> 32, format!("{}:{}", json!(name), shuffled(member, seed)))
                })
                .collect();
            members.sort();
            format!("{{{}}}", members.into_iter().map(|(_, member)| member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn any_oddities_at_once_and_in_any_order_are_read_and_each_is_on_the_record(
        (example, oddities) in an_example().prop_flat_map(|example| (Just(example.clone()), oddities_of(&example))),
        mut seed in any::<u64>(),
    ) {
        let mut applied: Vec<Anomaly> = Vec::new();
        let mut changed = example.clone();
        for oddity in oddities {
            let path = oddity.member().map(|member| member.path);
            let clash = |other: &Anomaly| match (path, other.member()) {
                (Some(path), Some(member)) => path.starts_with(member.path) || member.path.starts_with(path),
                (None, None) => other.note() == oddity.note(),
                // What is added to a scope must find it.
                (Some(path), None) => path == "scopes" || path == "scopes.0.representation",
                (None, Some(member)) => member.path == "scopes",
            };
            if applied.iter().any(clash) {
                continue;
            }
            if let Some(next) = oddity.apply(&changed).filter(keeps_identity) {
                changed = next;
                applied.push(oddity);
            }
        }
        let body = shuffled(&changed.body, &mut seed);
        let record = crate::fixtures::read(example.vendor, &example.address, body).unwrap();
        let mut wrong = Wrong::default();
        check(&mut wrong, &example, &applied, &record);
        wrong.assert_none();
    }

    #[test]
    fn the_order_of_members_changes_nothing(example in an_example(), mut seed in any::<u64>()) {
        let body = shuffled(&example.body, &mut seed);
        let record = crate::fixtures::read(example.vendor, &example.address, body).unwrap();
        prop_assert_eq!(record, example.read().unwrap());
    }

    #[test]
    fn a_new_status_text_is_unknown_and_noted(text in ".{0,100}") {
        prop_assume!(text != "active" && text != "inactive");
        let example = full(Vendor::Mielto);
        let record = example.with_key(|key| key["status"] = json!(text)).read().unwrap();
        prop_assert_eq!(record.status.state, KeyState::Unknown);
        let cut: String = text.chars().take(64).collect();
        prop_assert_eq!(&record.drift, &[Drift::new("status", DriftKind::UnknownValue(cut))]);
        prop_assert_eq!(facts(&record), facts(&example.read().unwrap()));
    }
}

#[test]
fn a_new_status_text_does_not_become_active_whatever_its_case() {
    for text in ["Active", "ACTIVE", " active", "active ", "enabled", ""] {
        let record = full(Vendor::Mielto).with_key(|key| key["status"] = json!(text)).read().unwrap();
        assert_eq!(record.status.state, KeyState::Unknown, "{text:?}");
    }
}
