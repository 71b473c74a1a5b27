//! The tables of the documents are generated from a run of the conformance suite over the five vendors, and are those of
//! this run. To write them anew: `KEYMUX_WRITE_TABLES=1 cargo test -p keymux-tests --test tables`.

#![allow(clippy::expect_used, reason = "a document without its markers has failed")]

#[path = "conformance/vendors.rs"]
mod vendors;

use std::fs;
use std::path::{Path, PathBuf};

use keymux_conformance::{Report, run};

const README: &str = "README.md";
const PAGE: &str = "docs/conformance.md";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The text with `content` between the markers of `name`.
fn between_markers(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- conformance:{name} begin -->\n"), format!("<!-- conformance:{name} end -->\n"));
    let (before, rest) = text.split_once(&begin).expect("the marker of the beginning");
    let (_, after) = rest.split_once(&end).expect("the marker of the end");
    format!("{before}{begin}{content}{end}{after}")
}

fn readme(report: &Report, committed: &str) -> String {
    let text = between_markers(committed, "fields", &report.fields_table());
    between_markers(&text, "operations", &report.operations_table())
}

fn page(report: &Report) -> String {
    format!(
        "# Conformance of the five vendors\n\n\
         Written by a run of the conformance suite, `keymux-conformance`, over the five vendors against the emulator; not by \
         hand. The gate fails when a run says something else.\n\n\
         A cell is the grade of its source: *documented* by the vendor, only in the vendor's published *client code*, or \
         *inferred* from other facts. An operation has one only if the provider kept every rule about it, and a field only \
         if a record of the run had a value in it; else the cell is `FAILED` or `NOT SEEN`.\n\n\
         ## Operations\n\n{}\n## Fields\n\n\
         The status is *stated* in a field of the vendor's, *derived* from other facts, or *unknown*.\n\n{}\n\
         ## Parameters\n\n{}\n## Rules\n\nA `-` is a rule that does not concern the vendor.\n\n{}",
        report.operations_table(),
        report.fields_table(),
        report.parameters_table(),
        report.rules_table(),
    )
}

#[test]
fn the_tables_in_the_documents_are_those_of_a_run() {
    let report = run(vendors::subjects());
    let failures: Vec<_> = report.failures().map(|(of, rule)| (of.info.name(), rule, of.outcome(rule))).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let committed = fs::read_to_string(path(README)).unwrap();
    let generated = [(README, readme(&report, &committed)), (PAGE, page(&report))];
    if std::env::var_os("KEYMUX_WRITE_TABLES").is_some() {
        fs::create_dir_all(path("docs")).unwrap();
        for (name, text) in &generated {
            fs::write(path(name), text).unwrap();
        }
    }
    for (name, text) in generated {
        let committed = fs::read_to_string(path(name)).unwrap_or_default();
        let line = committed.lines().zip(text.lines()).find(|(committed, generated)| committed != generated);
        assert!(committed == text, "{name} is not what a run says; the first line that differs: {line:#?}");
    }
}
