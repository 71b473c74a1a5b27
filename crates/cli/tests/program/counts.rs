//! What is said of many rows at once: conditions joined in a filter, counts, groups, and whether anything is lacking; and the cells of
//! CSV and TSV.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn one_filter_joins_conditions_and_several_must_all_hold() {
    let stage = Stage::new();
    let names = |filters: &[&str]| {
        let mut args = vec!["list", "mielto", "-o", "csv", "--columns", "name", "--quiet", "--sort", "name"];
        for filter in filters {
            args.extend(["--filter", filter]);
        }
        let ran = stage.run(&args);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        ran.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["name=no limits or status=disabled"]), ["no limits", "switched off"]);
    assert_eq!(names(&["name=no limits or status=disabled", "status=active"]), ["no limits"]);
    assert_eq!(names(&["(name=no limits or status=disabled) and expires=never"]), ["no limits", "switched off"]);
    let wrong = stage.run(&["list", "mielto", "--filter", "(name=a"]);
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("--filter: `(name=a` lacks a `)`"), "{wrong:?}");
}

#[test]
fn a_count_is_the_number_alone_in_every_format() {
    let stage = Stage::new();
    for format in ["table", "csv", "tsv", "json", "ndjson"] {
        let ran = stage.run(&["list", "mielto", "--count", "--filter", "status=active", "-o", format]);
        assert_eq!((ran.status, &*ran.stdout, &*ran.stderr), (Some(0), "3\n", ""), "{format}: {ran:?}");
    }
    let lacking = stage.run(&["list", "--count", "-o", "json"]);
    assert_eq!(lacking.stdout, "14\n");
    assert!(lacking.stderr.contains("braintrust: narrower"), "{lacking:?}");
}

#[test]
fn groups_are_counted_in_every_format() {
    let stage = Stage::new();
    let of = |format| stage.run(&["list", "mielto", "--group-by", "expires", "-o", format]);
    let rows = of("ndjson").of_type("group");
    assert_eq!(rows.iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>(), 4);
    assert_eq!(
        (&rows[0]["field"], &rows[0]["value"], &rows[0]["state"]),
        (&json!("expires_at"), &json!("2099-12-31T23:59:59Z"), &json!("known"))
    );
    assert_eq!(rows[1]["value"], json!(null));
    assert_eq!(of("csv").stdout, "expires_at,count\r\n2099-12-31T23:59:59Z,1\r\nnever,2\r\nnot sent,1\r\n");
    let table = stage.run(&["list", "mielto", "--group-by", "status", "--count", "-o", "table"]);
    assert_eq!(table.stdout, "STATUS    COUNT\nactive    3\ndisabled  1\n", "{table:?}");
    assert!(table.stderr.contains("4 keys"), "{table:?}");
    let json: serde_json::Value = serde_json::from_str(&of("json").stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4, "three groups and the summary");
    assert_eq!(stage.run(&["list", "mielto", "--group-by", "stats"]).status, Some(2));
}

#[test]
fn what_is_lacking_is_a_status_for_who_requires_all() {
    let stage = Stage::new();
    for (args, status) in [
        (&["list"] as &[&str], 0),
        (&["list", "--require-complete"], 3),
        (&["list", "braintrust", "--require-complete"], 3),
        (&["list", "mielto", "--require-complete"], 0),
        (&["list", "datkey", "--require-complete"], 1),
        (&["scopes", "--require-complete"], 0),
    ] {
        assert_eq!(stage.run(args).status, Some(status), "{args:?}");
    }
}

#[test]
fn cells_are_for_people_unless_they_are_asked_for_as_they_are() {
    let stage = Stage::new();
    let name = "=HYPERLINK(\"http://x\")\ty";
    assert_eq!(stage.run(&["create", "mielto", "--name", name]).status, Some(0));
    let of = |args: &[&str]| {
        let base =
            ["list", "mielto", "--quiet", "--columns", "name,expires,display,limits.uses", "--filter", "name~HYPER"];
        stage.run(&[&base[..], args].concat()).stdout
    };
    let header = "name,expires_at,display,limits.uses\r\n";
    let csv = of(&["-o", "csv"]);
    assert!(csv.starts_with(&format!("{header}\"'=HYPERLINK(\"\"http://x\"\")\ty\",")), "{csv:?}");
    assert!(csv.ends_with(",cannot say,cannot say\r\n"), "{csv:?}");
    let raw = of(&["-o", "csv", "--raw-cells"]);
    assert!(
        raw.starts_with(&format!("{header}\"=HYPERLINK(\"\"http://x\"\")\ty\",")) && raw.ends_with(",,\r\n"),
        "{raw:?}"
    );
    let tsv = of(&["-o", "tsv"]);
    assert!(tsv.starts_with("name\texpires_at\tdisplay\tlimits.uses\n'=HYPERLINK(\"http://x\")\\ty\t"), "{tsv:?}");
}
