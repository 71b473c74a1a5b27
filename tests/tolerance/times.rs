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

proptest! {
    #[test]
    fn a_time_in_any_form_is_the_same_instant_and_noted_where_the_form_is_another(
        (example, member, documented) in select(documented_times()),
        writing in select(WRITINGS.as_slice()),
        // From 2001 to 2100.
        seconds in 1_000_000_000_i64..4_102_444_800,
    ) {
        let instant = Timestamp::from_second(seconds).unwrap();
        let (seen, fact) = read(&example, &member, write(writing, instant));
        prop_assert_eq!(fact, (FactState::Known, json!(instant)));
        prop_assert_eq!(seen, notes(writing, documented));
    }
}

#[test]
fn a_time_that_cannot_be_read_is_missing_and_noted() {
    let unreadable = ["soon", "", "never", "2025-13-01T00:00:00Z", "2025-02-30", "NaN", "inf", "1e300"];
    let mut wrong = Wrong::default();
    for (example, member, _) in documented_times() {
        let texts = unreadable.iter().map(|text| json!(text));
        for value in texts.chain([json!(i64::MAX), json!(i64::MIN + 1), json!(1e300)]) {
            let (kinds, fact) = read(&example, &member, value.clone());
            // Oneloop documents numbers above 0 alone.
            let below = example.vendor == Vendor::Oneloop && value.as_i64().is_some_and(|number| number <= 0);
            let told = match kinds.as_slice() {
                [DriftKind::UnreadableTime] => true,
                [DriftKind::UnknownValue(_)] => below,
                _ => false,
            };
            wrong.unless(told && fact.0 == FactState::Missing, || {
                format!("{} {}: {value} is {fact:?}, noted as {kinds:?}", example.name(), member.path)
            });
        }
    }
    wrong.assert_none();
}

#[test]
fn an_expiry_that_is_no_number_above_0_is_missing_and_noted_where_only_such_are_documented() {
    for value in [json!(0), json!(-1), json!(-1_767_225_600), json!(0.0), json!(-1.5), json!("0")] {
        let example = full(Vendor::Oneloop);
        let (notes, fact) = read(&example, &example.vendor.member("expiresAt"), value.clone());
        assert_eq!(fact.0, FactState::Missing, "{value} is {fact:?}");
        assert!(matches!(notes.as_slice(), [DriftKind::UnknownValue(_)]), "{value}: {notes:?}");
    }
}

#[test]
fn a_count_in_another_form_is_never_another_number() {
    let mut wrong = Wrong::default();
    for vendor in Vendor::ALL {
        for member in vendor.members().iter().filter(|member| member.form == Form::Count) {
            for value in [json!("100"), json!("1e2"), json!(-100), json!(100.5), json!(1e30), json!(true)] {
                let signed = vendor == Vendor::Oneloop && value.is_i64();
                let record = full(vendor).with_key(|key| key[member.path] = value.clone()).read().unwrap();
                let note = Drift::new(member.path, DriftKind::WrongType);
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
