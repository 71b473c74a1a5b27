//! The vendor's JSON on a record: what is documented stays, secrets and what nobody documented do not.

use keymux::ClientOptions;
use serde_json::{Value, json};

use crate::fixtures::{Example, Reply, Vendor, Wrong, examples, full, now};

/// The body with every secret member that has a value replaced.
fn redacted(body: &Value, secrets: &[&str], wrapper: Option<&str>) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let hidden = secrets.contains(&name.as_str()) && !value.is_null() && wrapper != Some(name);
                (name.clone(), if hidden { json!("[redacted]") } else { redacted(value, secrets, None) })
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| redacted(item, secrets, None)).collect(),
        other => other.clone(),
    }
}

#[test]
fn raw_is_the_documented_json_without_its_secrets() {
    for example in examples() {
        let raw = example.read().unwrap().raw.unwrap();
        assert_eq!(raw, redacted(&example.body, example.vendor.secrets(), example.wrapper()), "{}", example.name());
    }
}

#[test]
fn raw_shows_no_member_that_holds_a_key_whatever_is_in_it() {
    for vendor in Vendor::ALL {
        for member in vendor.secrets() {
            for value in [json!(424_242), json!([424_242]), json!("424242")] {
                let raw = full(vendor).with_key(|key| key[*member] = value.clone()).read().unwrap().raw.unwrap();
                let key = vendor
                    .wrapper()
                    .map_or(&raw, |wrapper| raw.get(wrapper).filter(|key| key.is_object()).unwrap_or(&raw));
                assert_eq!(key[*member], "[redacted]", "{vendor:?}: {member} of {value}");
            }
        }
    }
}

#[test]
fn raw_is_kept_only_where_it_is_asked_for() {
    for example in examples() {
        for asked in [false, true] {
            let reply = Reply { status: 200, headers: Vec::new(), body: example.body.to_string().into() };
            let options: ClientOptions = if asked { reply.options().with_raw(true) } else { reply.options() };
            let client = example.vendor.client("credential", "https://vendor.example", options);
            let record = now(client.get(&example.address)).unwrap();
            assert_eq!(record.raw.is_some(), asked, "{}", example.name());
            assert_eq!(serde_json::to_value(&record).unwrap().get("raw").is_some(), asked, "{}", example.name());
        }
    }
}

/// Checks that the raw JSON is there and does not show the canary.
fn check(wrong: &mut Wrong, what: &str, example: &Example) {
    let raw = example.read().unwrap().raw;
    let text = raw.as_ref().map(Value::to_string).unwrap_or_default();
    wrong.unless(raw.is_some() && !text.contains("CANARY"), || format!("{}, {what}: {text}", example.name()));
}

#[test]
fn raw_shows_no_text_of_a_member_that_nobody_documented() {
    let mut wrong = Wrong::default();
    let values = [json!("CANARY"), json!(["CANARY"]), json!({"a": {"b": ["CANARY"]}}), json!([[{"a": "CANARY"}]])];
    for example in examples() {
        for value in &values {
            check(&mut wrong, &value.to_string(), &example.with_key(|key| key["new"] = value.clone()));
            if example.wrapper().is_some() {
                let mut beside = example.clone();
                beside.body["new"] = value.clone();
                check(&mut wrong, &format!("beside: {value}"), &beside);
            }
        }
    }
    let scope = full(Vendor::Oneloop).with_key(|key| key["scopes"][1]["new"] = json!("CANARY"));
    check(&mut wrong, "in a scope", &scope);
    wrong.assert_none();
}

#[test]
fn raw_shows_no_text_of_an_undocumented_member_with_an_odd_name() {
    let mut wrong = Wrong::default();
    for plain in Vendor::ALL.map(full) {
        let name_of_key = if plain.vendor == Vendor::Mielto { "label" } else { "name" };
        let odd = plain.with_key(|key| key[name_of_key] = json!(7));
        for name in ["a.b", "?", "a.?", "?.a", "", ".a", "a.", "..", "0", "007", "+5", "scopes.0", "\u{1f511}"] {
            for (beside, example) in [("alone", &plain), ("beside another oddity", &odd)] {
                check(&mut wrong, &format!("{name:?} {beside}"), &example.with_key(|key| key[name] = json!("CANARY")));
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn raw_shows_no_text_of_undocumented_members_however_many_there_are() {
    let mut wrong = Wrong::default();
    for example in Vendor::ALL.map(full) {
        let many = example.with_key(|key| (0..300).for_each(|number| key[format!("new{number}")] = json!("CANARY")));
        check(&mut wrong, "300 members", &many);
        if example.wrapper().is_some() {
            let mut beside = example.clone();
            (0..300).for_each(|number| beside.body[format!("new{number}")] = json!("CANARY"));
            check(&mut wrong, "300 members beside", &beside);
        }
    }
    wrong.assert_none();
}

#[test]
fn raw_shows_no_text_of_a_member_behind_an_element_that_was_taken_out() {
    let mut wrong = Wrong::default();
    let after = |first: Value| {
        full(Vendor::Oneloop).with_key(|key| {
            key["scopes"][0] = first;
            key["scopes"][1]["new"] = json!("CANARY");
        })
    };
    check(&mut wrong, "behind a good element", &after(full(Vendor::Oneloop).key()["scopes"][0].clone()));
    check(&mut wrong, "behind a number", &after(json!(7)));
    let list = full(Vendor::Mielto).with_key(|key| key["permissions"] = json!([7, {"a": "CANARY"}, 8, ["CANARY"]]));
    check(&mut wrong, "in a list with two numbers", &list);
    wrong.assert_none();
}

#[test]
fn raw_shows_no_text_of_a_member_of_another_type() {
    let mut wrong = Wrong::default();
    for vendor in Vendor::ALL {
        for member in vendor.members().iter().filter(|member| !["prefix", "id"].contains(&member.path)) {
            for value in [json!({"a": "CANARY"}), json!(["CANARY", ["CANARY"]])] {
                // A list or an object where text is documented; the documented lists and maps are read otherwise.
                let documented = value.is_array() && member.form == crate::fixtures::Form::List
                    || value.is_object() && member.form == crate::fixtures::Form::Map
                    || value.is_object() && vendor.wrapper() == Some(member.path);
                if documented || member.path.contains('.') {
                    continue;
                }
                let example = full(vendor).with_key(|key| key[member.path] = value.clone());
                check(&mut wrong, &format!("{}: {value}", member.path), &example);
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn raw_shows_no_names_inside_a_member_that_nobody_documented() {
    let mut wrong = Wrong::default();
    for example in examples() {
        check(&mut wrong, "a name", &example.with_key(|key| key["new"] = json!({"CANARY": true})));
    }
    wrong.assert_none();
}

#[test]
fn raw_keeps_what_is_documented_beside_what_is_not() {
    let mut wrong = Wrong::default();
    for example in examples() {
        let documented = redacted(&example.body, example.vendor.secrets(), example.wrapper());
        for name in ["new", "?", ""] {
            let mut added = example.with_key(|key| key[name] = json!("CANARY")).read().unwrap().raw.unwrap();
            let key = example.wrapper().map_or("", |wrapper| wrapper);
            let object = if key.is_empty() { &mut added } else { &mut added[key] };
            let removed = object.as_object_mut().unwrap().remove(name);
            wrong.unless(removed.is_some(), || format!("{}: {name:?} has no place in raw", example.name()));
            wrong.unless(added == documented, || format!("{} beside {name:?}: {added}", example.name()));
        }
        if example.wrapper().is_some() {
            let mut beside = example.clone();
            beside.body["name"] = json!("CANARY");
            let mut added = beside.read().unwrap().raw.unwrap();
            added.as_object_mut().unwrap().remove("name");
            wrong.unless(added == documented, || format!("{} beside another `name`: {added}", example.name()));
        }
    }
    wrong.assert_none();
}
