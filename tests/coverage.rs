//! What a vendor can say: the table in its crate's documentation, its `provider_info`, and the records it gives are one.

use keymux::{FactState, Field, KeyRecord, Operation, ProviderInfo, providers};

use crate::fixtures::{Vendor, Wrong, examples, facts};

fn crate_docs(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Baseten => include_str!("../crates/baseten/src/lib.rs"),
        Vendor::Braintrust => include_str!("../crates/braintrust/src/lib.rs"),
        Vendor::Mielto => include_str!("../crates/mielto/src/lib.rs"),
        Vendor::Datkey => include_str!("../crates/datkey/src/lib.rs"),
        Vendor::Oneloop => include_str!("../crates/oneloop/src/lib.rs"),
    }
}

/// The rows of the table that begins with `| field | <vendor> |`.
fn table_of_fields(docs: &str, vendor: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let cells: Vec<String> = line.strip_prefix("//! |")?.split('|').map(|cell| cell.trim().to_owned()).collect();
        match cells.as_slice() {
            [field, says, _] => Some((field.clone(), says.clone())),
            _ => None,
        }
    };
    let mut rows = docs.lines().skip_while(|line| *line != format!("//! | field | {vendor} |")).skip(1);
    assert_eq!(rows.next(), Some("//! |---|---|"), "a table with the fields of {vendor}");
    rows.map_while(row).collect()
}

fn expected_table(info: &ProviderInfo) -> Vec<(String, String)> {
    let says = |field| if info.supports_field(field) { "yes" } else { "no" };
    Field::ALL.iter().map(|&field| (format!("`{field}`"), says(field).to_owned())).collect()
}

#[test]
fn the_table_in_the_docs_is_what_the_provider_says_of_itself_field_by_field() {
    for vendor in Vendor::ALL {
        let info = vendor.info();
        assert_eq!(table_of_fields(crate_docs(vendor), info.name()), expected_table(info), "{vendor:?}");
    }
}

#[test]
fn what_a_vendor_lacks_comes_with_an_alternative() {
    for info in providers() {
        for &operation in Operation::ALL {
            if !info.capabilities().is_native(operation) {
                let told = info.unsupported(operation).to_string();
                assert!(!told.ends_with("the vendor documents nothing in its place"), "{told}");
            }
        }
    }
}

#[test]
fn a_table_in_the_docs_that_is_wrong_in_one_row_is_seen() {
    let vendor = Vendor::Mielto;
    let (docs, info) = (crate_docs(vendor), vendor.info());
    for (from, to) in [
        ("| `expires_at` | yes |", "| `expires_at` | no |"),
        ("//! | `display` | no |\n", ""),
        ("| `metadata` |", "| `meta` |"),
        ("//! | `name` | yes |\n", "//! | `name` | yes |\n//! | `name` | yes |\n"),
    ] {
        let changed = docs.replace(from, to);
        assert_ne!(changed, docs, "{from}");
        assert_ne!(table_of_fields(&changed, info.name()), expected_table(info), "{from}");
    }
}

#[test]
fn every_record_has_unsupported_exactly_where_its_vendor_has_no_such_field() {
    let mut wrong = Wrong::default();
    for example in examples() {
        let record = example.read().unwrap();
        for &field in Field::ALL {
            let unsupported = record.coverage(field) == FactState::Unsupported;
            wrong.unless(unsupported != example.vendor.info().supports_field(field), || {
                format!("{}: {field} is {}", example.name(), record.coverage(field))
            });
        }
    }
    wrong.assert_none();
}

#[test]
fn every_field_that_a_vendor_lists_has_a_value_in_one_of_its_documented_answers() {
    let records: Vec<KeyRecord> = examples().iter().map(|example| example.read().unwrap()).collect();
    for vendor in Vendor::ALL {
        for &field in vendor.info().fields() {
            let mut of_vendor = records.iter().filter(|record| record.provider.as_str() == vendor.id());
            assert!(of_vendor.any(|record| record.coverage(field) == FactState::Known), "{vendor:?}: {field}");
        }
    }
}

#[test]
fn the_json_of_a_record_tells_the_coverage_of_every_field_as_the_record_does() {
    for example in examples() {
        let record = example.read().unwrap();
        let json = serde_json::to_value(&record).unwrap();
        for (field, (state, value)) in facts(&record) {
            assert_eq!(json["coverage"][field.as_str()], state.as_str(), "{}: {field}", example.name());
            assert_eq!(value.is_null(), state != FactState::Known, "{}: {field}", example.name());
        }
        assert_eq!(serde_json::from_value::<KeyRecord>(json).unwrap(), record, "{}", example.name());
    }
}

#[test]
fn what_a_provider_says_of_itself_survives_json() {
    for info in providers() {
        let json = serde_json::to_string(info).unwrap();
        assert_eq!(&serde_json::from_str::<ProviderInfo>(&json).unwrap(), info, "{json}");
    }
}

#[test]
fn the_facade_knows_the_five_vendors_by_the_names_that_their_own_crates_use() {
    let facade: Vec<_> =
        providers().into_iter().map(|info| (info.id().as_str(), info.default_account().as_str())).collect();
    assert_eq!(facade, Vendor::ALL.map(|vendor| (vendor.id(), vendor.id())));
    for (facade, vendor) in providers().into_iter().zip(Vendor::ALL) {
        assert_eq!(facade, vendor.info());
    }
}

#[test]
fn a_provider_names_as_many_segments_as_its_documented_addresses_have() {
    for example in examples() {
        let info = example.vendor.info();
        assert_eq!(info.address().len(), example.address.segments().len(), "{}", example.name());
        assert!(
            example.vendor.path(&example.address).ends_with(example.address.to_string().rsplit('/').next().unwrap())
        );
    }
}
