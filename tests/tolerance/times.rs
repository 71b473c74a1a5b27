//! A time or a number in another form than the documented one.

use jiff::Timestamp;
use keymux::{Drift, DriftKind, FactState, KeyRecord, TimeUnit};
use keymux_core::TimeForm;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::fixtures::{Example, Fills, Form, Member, Vendor, Wrong, facts, full};

/// Every documented time, in the example of its vendor that has one.
fn documented_times() -> Vec<(Example, Member, TimeForm)> {
    let times = Vendor::ALL.into_iter().flat_map(|vendor| {
        vendor.members().iter().filter_map(move |member| match member.form {
            Form::Time(form) => Some((full(vendor), *member, form)),
            _ => None,
        })
    });
    times.collect()
}

/// The notes about the member, and the instant that the record has.
fn read(example: &Example, member: &Member, value: Value) -> (Vec<DriftKind>, (FactState, Value)) {
    let record: KeyRecord = example.with_key(|key| key[member.path] = value).read().unwrap();
    let Fills::Whole(field) = member.fills else { panic!("{} fills a field", member.path) };
    let about = record.drift.iter().filter(|note| note.path == member.path);
    (about.map(|note| note.kind.clone()).collect(), facts(&record)[&field].clone())
}

/// How a time may be written, and whether it tells its zone.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Writing {
    Zulu,
    SixDigits,
    Offset,
    NoZone,
    Space,
    Seconds,
    Milliseconds,
    Fraction,
    Digits,
}

const WRITINGS: [Writing; 9] = [
    Writing::Zulu,
    Writing::SixDigits,
    Writing::Offset,
    Writing::NoZone,
    Writing::Space,
    Writing::Seconds,
    Writing::Milliseconds,
    Writing::Fraction,
    Writing::Digits,
];

fn write(writing: Writing, instant: Timestamp) -> Value {
    let seconds = instant.as_second();
    let zulu = instant.to_string();
    let bare = zulu.trim_end_matches('Z').to_owned();
    match writing {
        Writing::Zulu => json!(zulu),
        Writing::SixDigits => json!(format!("{bare}.000000Z")),
        Writing::Offset => {
            let later = Timestamp::from_second(seconds + 5400).unwrap().to_string();
            json!(later.replace('Z', "+01:30"))
        }
        Writing::NoZone => json!(format!("{bare}.000000")),
        Writing::Space => json!(bare.replace('T', " ")),
        Writing::Seconds => json!(seconds),
        Writing::Milliseconds => json!(seconds * 1000),
        Writing::Fraction => serde_json::from_str(&format!("{seconds}.0")).unwrap(),
        Writing::Digits => json!(seconds.to_string()),
    }
}

fn notes(writing: Writing, documented: TimeForm) -> Vec<DriftKind> {
    use DriftKind::{TimeForm as OtherForm, UnitAssumed, ZoneAssumed};
    let zone = matches!(writing, Writing::NoZone | Writing::Space).then_some(ZoneAssumed);
    let text = matches!(writing, Writing::Zulu | Writing::SixDigits | Writing::Offset) || zone.is_some();
    let form = match (documented, writing) {
        (TimeForm::Text, _) if text => None,
        (TimeForm::UnixSeconds, Writing::Seconds) => None,
        (TimeForm::UnitlessInteger, Writing::Seconds | Writing::Fraction) => Some(UnitAssumed(TimeUnit::Seconds)),
        (TimeForm::UnitlessInteger, Writing::Milliseconds) => Some(UnitAssumed(TimeUnit::Milliseconds)),
        _ => Some(OtherForm),
    };
    zone.into_iter().chain(form).collect()
}

/// Whether a time that is documented so can be written so: digits are no text of a time, and a documented unit is the unit.
fn is_told(writing: Writing, documented: TimeForm) -> bool {
    match documented {
        TimeForm::Text => writing != Writing::Digits,
        TimeForm::UnixSeconds => writing != Writing::Milliseconds,
        _ => true,
    }
}

proptest! {
    #[test]
    fn a_time_in_any_form_is_the_same_instant_and_noted_where_the_form_is_another(
        (example, member, documented) in select(documented_times()),
        writing in select(WRITINGS.as_slice()),
        // From 2001 to 2100.
        seconds in 1_000_000_000_i64..4_102_444_800,
    ) {
        prop_assume!(is_told(writing, documented));
        let instant = Timestamp::from_second(seconds).unwrap();
        let (seen, fact) = read(&example, &member, write(writing, instant));
        prop_assert_eq!(fact, (FactState::Known, json!(instant)));
        prop_assert_eq!(seen, notes(writing, documented));
    }
}

#[test]
fn a_time_that_cannot_be_read_is_missing_and_noted() {
    let unreadable = ["soon", "", "never", "2025-13-01T00:00:00Z", "2025-02-30", "NaN", "inf", "1e300", "2024", "8"];
    let mut wrong = Wrong::default();
    for (example, member, _) in documented_times() {
        for value in unreadable.map(|text| json!(text)) {
            let (kinds, fact) = read(&example, &member, value.clone());
            wrong.unless(kinds == [DriftKind::UnreadableTime] && fact.0 == FactState::Missing, || {
                format!("{} {}: {value} is {fact:?}, noted as {kinds:?}", example.name(), member.path)
            });
        }
    }
    wrong.assert_none();
}

#[test]
fn a_value_that_stands_for_never_is_noted_as_odd_in_every_time_field() {
    let mut wrong = Wrong::default();
    let before = [
        json!(0),
        json!(-1),
        json!(-62_135_596_800_i64),
        json!(0.0),
        json!(-1.5),
        json!(i64::MIN),
        json!("0"),
        json!("-1"),
        json!("0001-01-01T00:00:00Z"),
        json!("1970-01-01T00:00:00Z"),
        json!("1970-01-01"),
        json!("0000-00-00 00:00:00"),
    ];
    let beyond = [
        json!("9999-12-31T23:59:59Z"),
        json!("9999-12-31T23:59:59.9999999"),
        json!("9999-12-31"),
        json!("99991231"),
        json!("9999-12-30T23:30:00Z"),
        json!(253_402_300_799_i64),
        json!(253_402_300_799_000_i64),
        json!(8_640_000_000_000_000_i64),
        json!(i64::MAX),
        json!(1e300),
    ];
    for (example, member, _) in documented_times() {
        let last = (FactState::Known, json!(Timestamp::MAX));
        let none = (FactState::Missing, Value::Null);
        let before = before.iter().map(|value| (value, &none));
        for (value, expected) in before.chain(beyond.iter().map(|value| (value, &last))) {
            let (kinds, fact) = read(&example, &member, value.clone());
            wrong.unless(matches!(&*kinds, [DriftKind::UnknownValue(_)]) && fact == *expected, || {
                format!("{} {}: {value} is {fact:?}, noted as {kinds:?}", example.name(), member.path)
            });
        }
    }
    wrong.assert_none();
}

#[test]
fn an_odd_expiry_overrules_no_stated_status_and_says_nothing_where_none_is_stated() {
    use keymux::KeyState::{Active, Disabled, Unknown};
    let state = |vendor: Vendor, changes: &[(&str, Value)]| {
        let example =
            full(vendor).with_key(|key| changes.iter().for_each(|(member, value)| key[*member] = value.clone()));
        example.read().unwrap().status.state
    };
    for odd in [json!(0), json!(-1), json!("0001-01-01T00:00:00Z")] {
        assert_eq!(state(Vendor::Mielto, &[("status", json!("active")), ("expires_at", odd.clone())]), Active, "{odd}");
        assert_eq!(
            state(Vendor::Mielto, &[("status", json!("inactive")), ("expires_at", odd.clone())]),
            Disabled,
            "{odd}"
        );
        assert_eq!(state(Vendor::Datkey, &[("expires_at", odd.clone())]), Unknown, "{odd}");
        assert_eq!(
            state(Vendor::Oneloop, &[("expiresAt", odd.clone()), ("deleted", json!(false)), ("enabled", json!(true))]),
            Unknown
        );
    }
    // What cannot be read leaves it open, at every vendor.
    for unreadable in [json!("soon"), json!(true), json!("")] {
        assert_eq!(state(Vendor::Mielto, &[("status", json!("active")), ("expires_at", unreadable.clone())]), Unknown);
        assert_eq!(state(Vendor::Datkey, &[("expires_at", unreadable.clone())]), Unknown);
        assert_eq!(
            state(
                Vendor::Oneloop,
                &[("expiresAt", unreadable.clone()), ("deleted", json!(false)), ("enabled", json!(true))]
            ),
            Unknown
        );
    }
    // The last day is not over.
    for last in [json!("9999-12-31T23:59:59Z"), json!("9999-12-31")] {
        assert_eq!(state(Vendor::Mielto, &[("status", json!("active")), ("expires_at", last.clone())]), Active);
        assert_eq!(
            state(Vendor::Oneloop, &[("expiresAt", last.clone()), ("deleted", json!(false)), ("enabled", json!(true))]),
            Active
        );
    }
    assert_eq!(state(Vendor::Datkey, &[("expires_at", json!(253_402_300_799_i64))]), Active);
}

#[test]
fn a_count_in_another_form_is_never_another_number() {
    let mut wrong = Wrong::default();
    for vendor in Vendor::ALL {
        for member in vendor.members().iter().filter(|member| member.form == Form::Count) {
            for value in [json!("100"), json!("1e2"), json!(-100), json!(100.5), json!(1e30), json!(true)] {
                let signed = vendor == Vendor::Oneloop && value.is_i64();
                let record = full(vendor).with_key(|key| key[member.path] = value.clone()).read().unwrap();
                let kind = match value.as_i64() {
                    Some(number) => DriftKind::UnknownValue(number.to_string()),
                    None => DriftKind::WrongType,
                };
                let note = Drift::new(member.path, kind);
                wrong.unless(signed || record.drift.contains(&note), || format!("{vendor:?} {} {value}", member.path));
                if let Fills::Whole(field) = member.fills {
                    let fact = &facts(&record)[&field];
                    wrong.unless(fact.0 == FactState::Missing, || format!("{vendor:?} {field}: {value} is {fact:?}"));
                }
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn a_count_beyond_64_bits_is_never_cut() {
    let body = full(Vendor::Datkey).body.to_string();
    let body = body.replace("\"verification_limit\":100", "\"verification_limit\":18446744073709551616");
    let record = crate::fixtures::read(Vendor::Datkey, &full(Vendor::Datkey).address, body).unwrap();
    assert_eq!(record.limits.max_uses.state(), FactState::Missing);
    assert_eq!(record.drift, [Drift::new("verification_limit", DriftKind::WrongType)]);
    let most = full(Vendor::Datkey).with_key(|key| key["verification_limit"] = json!(u64::MAX)).read().unwrap();
    assert_eq!(most.limits.max_uses.known(), Some(&u64::MAX));
}
