//! Odd bodies: other wrapping, odd names, odd bytes, odd elements.

use keymux::{Drift, DriftKind, Fact, FactState, Field, KeyRecord};
use serde_json::{Value, json};

use crate::fixtures::{Example, Vendor, Wrong, examples, facts, full, read};

fn lines(record: &KeyRecord) -> Vec<String> {
    record.drift.iter().map(ToString::to_string).collect()
}

#[test]
fn a_key_without_its_documented_wrapper_is_read_and_noted() {
    for example in examples().into_iter().filter(|example| example.vendor == Vendor::Oneloop) {
        let bare = Example { body: example.key().clone(), ..example.clone() }.read().unwrap();
        let mut expected = vec![Drift::new("", DriftKind::Envelope)];
        expected.extend(example.read().unwrap().drift);
        assert_eq!(bare.drift, expected, "{}", example.name());
        assert_eq!(facts(&bare), facts(&example.read().unwrap()), "{}", example.name());
    }
}

#[test]
fn a_key_is_read_without_a_note_in_each_of_two_documented_wrappings() {
    for example in examples().into_iter().filter(|example| example.vendor == Vendor::Datkey) {
        let record = example.read().unwrap();
        for body in [json!({"key": example.key()}), example.key().clone()] {
            let other = Example { body, ..example.clone() }.read().unwrap();
            assert_eq!((facts(&other), &other.status), (facts(&record), &record.status), "{}", example.name());
            assert_eq!(other.drift, [], "{}", example.name());
        }
    }
}

#[test]
fn a_member_beside_the_key_object_does_not_speak_for_the_keys_own() {
    let example = full(Vendor::Oneloop);
    let mut beside = example.with_key(|key| drop(key.as_object_mut().unwrap().remove("name")));
    beside.body["name"] = json!("another thing's");
    let record = beside.read().unwrap();
    assert_eq!(record.name, Fact::Missing);
    let missing = Drift::new("name", DriftKind::RequiredMissing);
    assert!(record.drift.contains(&missing), "a required member is absent: {:?}", lines(&record));
}

#[test]
fn an_added_member_is_noted_under_its_own_name_however_odd() {
    let mut wrong = Wrong::default();
    for example in examples() {
        for name in [
            "a.b",
            "?",
            "a.?",
            "?.a",
            "0",
            "007",
            ".a",
            "__proto__",
            "constructor",
            "\u{0}",
            "\u{1f511}",
            "a b",
            "Name",
        ] {
            let record = example.with_key(|key| key[name] = json!("x")).read().unwrap();
            let note = Drift::new(name, DriftKind::UnknownField);
            wrong.unless(record.drift.contains(&note), || {
                format!("{} with {name:?}: {:?}", example.name(), lines(&record))
            });
        }
    }
    wrong.assert_none();
}

#[test]
fn a_note_about_an_element_names_its_place_in_the_answer() {
    let good = json!({"representation": "users", "create": true, "read": true, "update": true, "del": true});
    let mut odd = good.clone();
    odd["read"] = json!("yes");
    let mut new = good.clone();
    new["new"] = json!(1);
    let mut unnamed = good.clone();
    unnamed.as_object_mut().unwrap().remove("representation");
    let table: [(Value, &[&str]); 5] = [
        (json!([good, odd]), &["scopes.1.read has another type than documented"]),
        (json!([7, good]), &["scopes.0 has another type than documented"]),
        (
            json!([7, odd]),
            &["scopes.0 has another type than documented", "scopes.1.read has another type than documented"],
        ),
        (json!([7, new]), &["scopes.0 has another type than documented", "scopes.1.new is not documented"]),
        (
            json!([7, unnamed]),
            &[
                "scopes.0 has another type than documented",
                "scopes.1.representation is documented as required and is absent",
            ],
        ),
    ];
    let mut wrong = Wrong::default();
    for (scopes, expected) in table {
        let record = full(Vendor::Oneloop).with_key(|key| key["scopes"] = scopes.clone()).read().unwrap();
        let seen: Vec<String> = lines(&record).into_iter().filter(|line| line.starts_with("scopes")).collect();
        wrong.unless(seen == expected, || format!("{scopes}: {seen:?}"));
    }
    wrong.assert_none();
}

#[test]
fn one_element_of_another_type_does_not_cost_the_list() {
    for (member, of) in [("permissions", "permissions"), ("ip_whitelist", "ip_allowlist")] {
        let list = json!(["a", 7, "b", null, ["c"]]);
        let record = full(Vendor::Mielto).with_key(|key| key[member] = list.clone()).read().unwrap();
        let kept = serde_json::to_value(&record).unwrap()[of].clone();
        let names: Vec<&str> = kept
            .as_array()
            .unwrap()
            .iter()
            .map(|element| element.as_str().unwrap_or_else(|| element["name"].as_str().unwrap()))
            .collect();
        assert_eq!(names, ["a", "b"], "{member}");
        assert_eq!(record.drift.len(), 3, "each element has its note: {:?}", lines(&record));
    }
}

#[test]
fn an_array_in_place_of_a_scope_is_another_type_and_grants_nothing() {
    for scope in [json!([]), json!(["s1", "users", true, true, true, true])] {
        let record = full(Vendor::Oneloop).with_key(|key| key["scopes"] = json!([scope])).read().unwrap();
        assert_eq!(record.permissions, Fact::Known(Vec::new()), "{scope}");
        assert!(record.drift.contains(&Drift::new("scopes.0", DriftKind::WrongType)), "{scope}: {:?}", lines(&record));
    }
}

#[test]
fn a_byte_order_mark_is_read_over_and_noted() {
    for example in examples() {
        let record = read(example.vendor, &example.address, format!("\u{feff}{}", example.body)).unwrap();
        assert_eq!(record.drift[0], Drift::new("", DriftKind::Encoding), "{}", example.name());
        assert_eq!(facts(&record), facts(&example.read().unwrap()), "{}", example.name());
    }
}

/// The member that the name of a key is in.
fn name_member(vendor: Vendor) -> &'static str {
    if vendor == Vendor::Mielto { "label" } else { "name" }
}

/// The body of `example` with `member` as this JSON text.
fn with_text(example: &Example, member: &str, text: &[u8]) -> Vec<u8> {
    let body = example.with_key(|key| key[member] = json!("HERE")).body.to_string();
    let (before, after) = body.split_once("\"HERE\"").unwrap();
    [before.as_bytes(), text, after.as_bytes()].concat()
}

#[test]
fn a_name_with_bytes_that_are_no_text_is_read_as_far_as_it_goes_and_noted() {
    for example in Vendor::ALL.map(full) {
        let body = with_text(&example, name_member(example.vendor), b"\"caf\xe9\"");
        let record = read(example.vendor, &example.address, body).unwrap();
        assert_eq!(record.name, Fact::Known("caf\u{fffd}".to_owned()), "{}", example.name());
        assert_eq!(record.drift[0], Drift::new("", DriftKind::Encoding), "{}", example.name());
    }
}

/// Text that ends within a surrogate pair, as JavaScript writes a name that was cut within an emoji; a number that no
/// float holds; nesting deeper than a recursive reader goes. All three are JSON.
fn extremes() -> [(&'static str, String); 3] {
    [
        ("half a surrogate pair", r#""cut \ud83d""#.to_owned()),
        ("a number beyond every float", "1e999".to_owned()),
        ("deep nesting", format!("{}{}", "[".repeat(500), "]".repeat(500))),
    ]
}

#[test]
fn an_added_member_with_an_extreme_value_costs_nothing_even_beside_another_oddity() {
    let mut wrong = Wrong::default();
    for example in examples() {
        let odd = example.with_key(|key| key[name_member(example.vendor)] = json!(7));
        for (what, value) in extremes() {
            for second in [None, Some(&odd)] {
                let key = second.unwrap_or(&example).key().to_string();
                let key = format!("{{\"new\":{value},{}", &key[1..]);
                let body = example.wrapper().map_or(key.clone(), |wrapper| format!("{{\"{wrapper}\":{key}}}"));
                let read = read(example.vendor, &example.address, body);
                let noted = read.map(|record| record.drift.contains(&Drift::new("new", DriftKind::UnknownField)));
                let beside = if second.is_some() { "beside another oddity" } else { "alone" };
                wrong.unless(matches!(noted, Ok(true)), || format!("{}, {what}, {beside}: {noted:?}", example.name()));
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn a_documented_member_with_an_extreme_value_costs_that_member_at_most() {
    let mut wrong = Wrong::default();
    let names = Vendor::ALL.map(|vendor| (vendor, name_member(vendor)));
    for (vendor, member) in names.into_iter().chain([(Vendor::Datkey, "meta")]) {
        for (what, value) in extremes() {
            let example = full(vendor);
            let body = with_text(&example, member, value.as_bytes());
            match read(vendor, &example.address, body) {
                Ok(record) => {
                    wrong.unless(!record.drift.is_empty(), || format!("{vendor:?} {member}, {what}: no note"));
                    let cost = facts(&record).into_iter().zip(facts(&example.read().unwrap())).filter(|(a, b)| a != b);
                    let cost: Vec<_> = cost.map(|((field, _), _)| field.as_str()).collect();
                    wrong.unless(cost.len() <= 1, || format!("{vendor:?} {member}, {what}: cost {cost:?}"));
                }
                Err(error) => wrong.unless(false, || format!("{vendor:?} {member}, {what}: {error}")),
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn an_object_that_says_nothing_of_a_key_is_none() {
    for vendor in Vendor::ALL {
        for body in [json!({}), json!({"x": 1}), json!({"message": "no"}), json!({"id": "", "prefix": ""})] {
            let key = match full(vendor).wrapper() {
                Some(wrapper) => json!({ wrapper: body }),
                None => body.clone(),
            };
            for body in [key, body] {
                if vendor == Vendor::Datkey && body.get("prefix").is_some() {
                    continue;
                }
                let read = Example { body: body.clone(), ..full(vendor) }.read();
                assert!(read.is_err(), "{vendor:?} {body}");
            }
        }
    }
}

#[test]
fn an_empty_id_is_none_and_noted_where_no_id_is_promised() {
    for (vendor, member) in [
        (Vendor::Baseten, "prefix"),
        (Vendor::Braintrust, "id"),
        (Vendor::Mielto, "id"),
        (Vendor::Datkey, "id"),
        (Vendor::Oneloop, "id"),
    ] {
        let read = full(vendor).with_key(|key| key[member] = json!("")).read();
        if matches!(vendor, Vendor::Mielto | Vendor::Datkey) {
            let record = read.unwrap();
            assert!(record.drift.contains(&Drift::unknown_value("id", "")), "{vendor:?}: {:?}", lines(&record));
            assert_eq!(record.address, full(vendor).address);
        } else {
            let error = read.unwrap_err().to_string();
            assert!(error.contains(&format!("the member `{member}`, which is needed, is empty")), "{error}");
        }
    }
}

/// The body of `example` with `member` twice, first as `value`, then as it is.
fn twice(example: &Example, member: &str, value: &Value) -> String {
    let text = example.body.to_string();
    let name = format!("\"{member}\":");
    assert!(text.contains(&name), "{member}");
    text.replacen(&name, &format!("{name}{value},{name}"), 1)
}

#[test]
fn a_member_that_stands_twice_is_noted_and_neither_of_two_values_is_taken() {
    let mut wrong = Wrong::default();
    for (vendor, member, value) in [
        (Vendor::Oneloop, "deleted", json!(true)),
        (Vendor::Oneloop, "enabled", json!(false)),
        (Vendor::Oneloop, "expiresAt", json!(1)),
        (Vendor::Mielto, "status", json!("paused")),
        (Vendor::Mielto, "expires_at", json!("2001-01-01T00:00:00Z")),
        (Vendor::Datkey, "expires_at", json!(1)),
        (Vendor::Datkey, "verification_limit", json!(1)),
    ] {
        let example = match member {
            "expires_at" if vendor == Vendor::Mielto => full(vendor).with_key(|key| key["status"] = json!("active")),
            _ => full(vendor),
        };
        let record = read(vendor, &example.address, twice(&example, member, &value)).unwrap();
        wrong.unless(record.drift.contains(&Drift::new(member, DriftKind::Repeated)), || {
            format!("{vendor:?} {member}: {:?}", lines(&record))
        });
        wrong.unless(record.status.state == keymux::KeyState::Unknown, || {
            format!("{vendor:?} {member}: {:?}", record.status)
        });
    }
    wrong.assert_none();
}

#[tokio::test]
async fn over_a_real_socket_a_record_is_the_same() {
    for example in examples() {
        let mut server = mockito::Server::new_async().await;
        let odd = example.with_key(|key| key["new"] = json!({"x": 1}));
        let path = example.vendor.path(&example.address);
        let mock = server.mock("GET", path.as_str()).with_body(odd.body.to_string()).create_async().await;
        let options =
            keymux::ClientOptions::new().with_raw(true).with_clock(std::sync::Arc::new(crate::fixtures::June));
        let client = example.vendor.client("credential", &server.url(), options);
        assert_eq!(client.get(&example.address).await.unwrap(), odd.read().unwrap(), "{}", example.name());
        mock.assert_async().await;
    }
}

#[test]
fn half_a_name_is_never_told_as_none() {
    let (known, none) = (Some(json!("Dev")), Some(Value::Null));
    let table = [
        (known.clone(), Some(json!("Eloper")), FactState::Known, json!("Dev Eloper")),
        (known.clone(), none.clone(), FactState::Known, json!("Dev")),
        (none.clone(), known.clone(), FactState::Known, json!("Dev")),
        (None, known, FactState::Known, json!("Dev")),
        (none.clone(), none.clone(), FactState::Empty, Value::Null),
        (none.clone(), None, FactState::Missing, Value::Null),
        (None, none, FactState::Missing, Value::Null),
        (None, None, FactState::Missing, Value::Null),
    ];
    for (given, family, state, shown) in table {
        let example = full(Vendor::Braintrust).with_key(|key| {
            for (member, value) in [("user_given_name", &given), ("user_family_name", &family)] {
                match value {
                    Some(value) => key[member] = value.clone(),
                    None => drop(key.as_object_mut().unwrap().remove(member)),
                }
            }
        });
        let fact = facts(&example.read().unwrap())[&Field::OwnerUserName].clone();
        assert_eq!(fact, (state, shown), "given {given:?}, family {family:?}");
    }
}
