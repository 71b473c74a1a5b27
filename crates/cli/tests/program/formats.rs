//! What each format looks like, held against files in `golden`. `SNAPSHOTS=overwrite` writes them anew.

use snapbox::{Data, assert_data_eq};

use crate::stage::{Ran, Stage, run};

fn golden(name: &str, ran: &Ran) {
    let text = format!("{}-- standard error, status {}\n{}", ran.stdout, ran.status.unwrap(), ran.stderr);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    assert_data_eq!(text, Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw());
}

#[test]
fn a_listing_in_every_format() {
    let stage = Stage::new();
    golden(
        "list.table.txt",
        &stage.run(&["list", "-o", "table", "--columns", "ref,name,status,ip_allowlist,limits.max_uses"]),
    );
    golden("list.json.txt", &stage.run(&["list", "mielto", "-o", "json"]));
    golden("list.ndjson.txt", &stage.run(&["list", "mielto"]));
    golden("list.csv.txt", &stage.run(&["list", "mielto", "-o", "csv"]));
}

#[test]
fn one_record_in_every_format() {
    let stage = Stage::new();
    let args = |format| ["get", "mielto:key_000000002", "-o", format];
    golden("get.json.txt", &stage.run(&args("json")));
    golden("get.ndjson.txt", &stage.run(&args("ndjson")));
    golden("get.csv.txt", &stage.run(&args("csv")));
    let columns = ["--columns", "ref,name,status,expires,last_used,permissions,display,drift"];
    golden("get.table.txt", &stage.run(&[&args("table")[..], &columns].concat()));
}

#[test]
fn scopes_accounts_and_vendors_as_tables() {
    let stage = Stage::new();
    golden("scopes.table.txt", &stage.run(&["scopes", "-o", "table"]));
    golden("accounts.table.txt", &stage.run(&["accounts", "-o", "table"]));
    golden("accounts-check.table.txt", &stage.run(&["accounts", "check", "-o", "table"]));
    golden("providers.table.txt", &stage.run(&["providers", "-o", "table"]));
    golden("provider.table.txt", &stage.run(&["providers", "oneloop", "-o", "table"]));
}

#[test]
fn a_table_of_one_key_tells_no_coverage_beside_its_cells_and_csv_does() {
    let stage = Stage::new();
    let table = stage.run(&["get", "mielto:key_000000001", "-o", "table"]).stdout;
    assert!(!table.contains("coverage") && table.contains("display             cannot say"), "{table}");
    let asked = stage.run(&["get", "mielto:key_000000001", "-o", "table", "--columns", "coverage"]).stdout;
    assert!(asked.contains("unsupported"), "{asked}");
    assert!(stage.run(&["get", "mielto:key_000000001", "-o", "csv"]).stdout.contains(",coverage\r\n"));
}

#[test]
fn elements_with_commas_are_set_apart_by_semicolons() {
    let stage = Stage::new();
    let key = "oneloop:ws_0123456789abcdef0123456789abcdef/ak_example_1";
    let ran = stage.run(&["get", key, "-o", "table", "--columns", "permissions"]);
    assert_eq!(ran.stdout, "permissions  invoices=create,read,update; customers=read\n");
}

#[test]
fn columns_without_a_format_are_those_of_a_plain_table_in_a_pipe_too() {
    let stage = Stage::new();
    let one = stage.run(&["get", "mielto:key_000000001", "--columns", "ref,name"]);
    assert_eq!((one.status, &*one.stdout), (Some(0), "ref   mielto:key_000000001\nname  nightly import\n"), "{one:?}");
    let many = stage.run(&["list", "mielto", "--columns", "ref", "--filter", "status=disabled"]);
    assert_eq!((many.status, &*many.stdout), (Some(0), "REF\nmielto:key_000000002\n"), "{many:?}");
    assert_eq!(stage.run(&["list", "mielto", "--columns", "ref", "-o", "ndjson"]).status, Some(2));
}

#[test]
fn json_is_a_document_where_there_is_nothing_to_print() {
    let stage = Stage::new();
    let filtered = ["get", "mielto:key_000000002", "--filter", "status=active", "-o"];
    for (args, input) in [(&filtered[..], ""), (&["get", "-", "-o"], "\n"), (&["revoke", "-", "--yes", "-o"], "\n")] {
        let of = |format| run(&mut stage.command(&[args, &[format]].concat()), input);
        let (json, ndjson) = (of("json"), of("ndjson"));
        assert_eq!((json.status, &*json.stdout), (Some(0), "[]\n"), "{args:?}: {json:?}");
        assert_eq!((ndjson.status, &*ndjson.stdout), (Some(0), ""), "{args:?}: {ndjson:?}");
    }
    let kept = stage.run(&["get", "mielto:key_000000001", "--filter", "status=active", "-o", "json"]);
    assert!(kept.stdout.starts_with("{\n") && kept.stdout.ends_with("\n}\n"), "{kept:?}");
}
