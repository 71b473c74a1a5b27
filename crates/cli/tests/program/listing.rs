//! Filters, sorting, columns and summaries, whatever is listed.

use crate::stage::{Ran, Stage, answering, bare, run, scripted};

fn refs(ran: &Ran) -> Vec<String> {
    ran.of_type("key").iter().map(|key| key["ref"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn filters_keep_and_sorting_orders_in_every_format() {
    let stage = Stage::new();
    let listing = ["list", "mielto", "--filter", "expires!=missing", "--sort=-expires,-name"];
    let ran = stage.run(&listing);
    assert_eq!(refs(&ran), ["mielto:key_000000001", "mielto:key_000000002", "mielto:key_000000003"]);
    let csv = stage.run(&[&listing[..], &["-o", "csv", "--columns", "ref"]].concat());
    assert_eq!(csv.stdout, "ref\r\nmielto:key_000000001\r\nmielto:key_000000002\r\nmielto:key_000000003\r\n");
    let table = stage.run(&[&listing[..], &["-o", "table", "--columns", "ref,expires"]].concat());
    assert!(table.stdout.lines().nth(2).unwrap().ends_with("never"), "{table:?}");
}

#[test]
fn a_vendor_that_cannot_say_is_asked_for_by_that() {
    let stage = Stage::new();
    let cannot = refs(&stage.run(&["list", "--filter", "expires=unsupported"]));
    assert!(!cannot.is_empty() && cannot.iter().all(|key| !key.starts_with("mielto")), "{cannot:?}");
    for operator in ["<", ">"] {
        let dated = refs(&stage.run(&["list", "--filter", &format!("expires{operator}30d")]));
        assert!(dated.iter().all(|key| !cannot.contains(key)));
    }
}

#[test]
fn a_summary_counts_what_was_written_and_tells_what_was_listed() {
    let stage = Stage::new();
    let ran = stage.run(&["list", "mielto", "--filter", "status=disabled"]);
    let summary = &ran.of_type("summary")[0];
    assert_eq!((&summary["count"], &summary["complete"]), (&1.into(), &true.into()));
    assert_eq!(summary["accounts"]["mielto"]["units"][0]["records"], 4);
    assert_eq!(summary["accounts"].as_object().unwrap().len(), 1, "the accounts that were asked for");
}

#[test]
fn the_whole_inventory_is_not_complete_where_a_vendor_cannot_list() {
    let ran = Stage::new().run(&["list"]);
    let summary = ran.lines().pop().unwrap();
    assert_eq!((&summary["type"], &summary["complete"], ran.status), (&"summary".into(), &false.into(), Some(0)));
    assert_eq!(summary["accounts"]["datkey"]["scopes"]["outcome"], "unsupported");
    assert_eq!(ran.of_type("error").len(), 0);
}

#[test]
fn an_account_that_fails_hides_no_other_and_makes_the_inventory_partial() {
    let stage = Stage::new();
    let mut command = stage.command(&["list"]);
    command.env("ONELOOP_BASE_URL", scripted(401, ""));
    let ran = run(&mut command, "");
    assert_eq!(ran.status, Some(3), "{ran:?}");
    let error = &ran.of_type("error")[0];
    assert_eq!((&error["account"], &error["kind"]), (&"oneloop".into(), &"unauthenticated".into()));
    assert!(ran.stderr.starts_with("keymux: oneloop list_"), "the account is named once: {ran:?}");
    assert!(refs(&ran).iter().any(|key| key.starts_with("mielto:")));
}

#[test]
fn accounts_and_scopes_can_be_listed_together() {
    let stage = Stage::new();
    let ran = stage.run(&["list", "mielto", "baseten:g7k2m9qx"]);
    assert_eq!((ran.status, refs(&ran).len()), (Some(0), 7));
    assert_eq!(ran.of_type("summary")[0]["complete"], true);
}

#[test]
fn references_are_read_from_standard_input_a_line_each() {
    let stage = Stage::new();
    let ran = run(&mut stage.command(&["get", "-"]), "mielto:key_000000001\n\n  mielto:key_000000002 \r\n");
    assert_eq!((ran.status, ran.of_type("key").len()), (Some(0), 2), "{ran:?}");
}

#[test]
fn what_list_writes_into_a_pipe_is_read_by_get_and_revoke() {
    let stage = Stage::new();
    let listed = stage.run(&["list", "mielto"]);
    let got = run(&mut stage.command(&["get", "-"]), &listed.stdout);
    assert_eq!(got.status, Some(0), "{got:?}");
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(refs(&got)), sorted(refs(&listed)));
    let ended = run(&mut stage.command(&["revoke", "-", "--yes"]), &listed.stdout);
    assert_eq!((ended.status, ended.of_type("revoked").len()), (Some(0), 4), "{ended:?}");
}

#[test]
fn a_line_of_json_without_a_reference_is_refused_with_the_reason() {
    let stage = Stage::new();
    let array = stage.run(&["list", "mielto", "-o", "json"]).stdout;
    for (input, says) in [
        (
            r#"{"type":"error","ref":null,"account":"CANARY"}"#,
            "line 1 of standard input, 46 characters that are not shown",
        ),
        (r#"{"ref":7}"#, "the JSON object has no `ref` that is text"),
        (r#"{"ref":"CANARY"}"#, "the key reference has no `:`"),
        (r#"{"ref":"mielto:CANARY""#, "is not one whole object; `-o ndjson` writes such lines"),
        (&array, "line 1 of standard input, 1 character that"),
    ] {
        let ran = run(&mut stage.command(&["revoke", "-", "--yes"]), input);
        assert_eq!(ran.status, Some(2), "{input}: {ran:?}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("CANARY"), "{input}: {ran:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_any_length_takes_little_memory_and_is_told_by_its_place() {
    use std::io::Write;
    use std::process::Stdio;

    let stage = Stage::new();
    for (begin, most) in [("x", "65536"), ("{", "8388608")] {
        let mut command = stage.command(&["get", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(begin.as_bytes()).unwrap();
        let piece = vec![b'x'; 1 << 20];
        (0..64).for_each(|_| stdin.write_all(&piece).unwrap());
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        stdin.write_all(b"\nmielto:key_000000001\n").unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains(&format!("line 1 of standard input has more than {most} bytes")), "{told}");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
        assert!(peak.parse::<u64>().unwrap() < 48 * 1024, "{peak} kB");
    }
}

#[test]
fn a_filter_takes_the_words_of_tables_and_a_status_in_any_case() {
    let stage = Stage::new();
    let never = refs(&stage.run(&["list", "--sort", "ref", "--filter", "expires=never"]));
    assert!(!never.is_empty());
    assert_eq!(never, refs(&stage.run(&["list", "--sort", "ref", "--filter", "expires=none"])));
    assert_eq!(refs(&stage.run(&["list", "mielto", "--filter", "status=DISABLED"])), ["mielto:key_000000002"]);
}

#[test]
fn completions_and_manual_pages_are_generated() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&mut bare(&["completions", shell]), "");
        assert!(ran.stdout.contains("keymux") && ran.stdout.contains("COMPLETE"), "{shell}");
    }
    let man = run(&mut bare(&["man"]), "").stdout;
    for page in ["keymux 1", "keymux-get 1", "keymux-revoke 1"] {
        assert!(man.contains(&format!(".TH {page} ")), "{page}");
    }
}

#[test]
fn a_table_counts_twice_only_where_a_filter_left_rows_out() {
    let stage = Stage::new();
    let last = |args: &[&str]| stage.run(args).stderr.lines().last().unwrap().to_owned();
    assert_eq!(last(&["list", "-o", "table"]), "14 keys, not complete");
    assert_eq!(last(&["list", "-o", "table", "--filter", "status=revoked"]), "1 key shown");
}

#[test]
fn a_status_that_no_key_has_is_wrong_usage() {
    let ran = Stage::new().run(&["list", "--filter", "status=actve"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("active, disabled, expired, exhausted, revoked, unknown"), "{ran:?}");
}

#[test]
fn a_field_that_is_like_no_other_is_refused_without_a_guess() {
    let ran = Stage::new().run(&["list", "-o", "csv", "--columns", ""]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(!ran.stderr.contains("did you mean"), "{ran:?}");
}

#[test]
fn a_table_of_named_accounts_tells_why_they_are_not_complete() {
    let stage = Stage::new();
    for format in ["table", "csv"] {
        let ran = stage.run(&["list", "braintrust", "mielto", "-o", format]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let told: Vec<&str> = ran.stderr.lines().collect();
        assert!(told[0].starts_with("braintrust: narrower: Braintrust lists the caller's own keys alone"), "{ran:?}");
        assert!(told[1].starts_with("braintrust: not listed: service tokens"), "{ran:?}");
        assert_eq!(told[2..], ["7 keys; incomplete"], "of what is complete there is nothing to tell");
    }
    assert_eq!(stage.run(&["list", "mielto", "-o", "table"]).stderr, "4 keys\n");
}

/// Keys with these digits in `metadata.n`, at a vendor that is asked for `/keys/0` and so on.
const DIGITS: [&str; 5] =
    ["18446744073709551617", "9", "18446744073709551616", "31.245270191439438", "123456789012345678901234"];

fn digits(args: &[&str]) -> Ran {
    let url = answering(|path| {
        let index: usize = path.rsplit('/').next().unwrap().parse().unwrap();
        format!(r#"{{"key": {{"id": "{index}", "key": "demo_***", "meta": {{"n": {}}}}}}}"#, DIGITS[index])
    });
    let references = ["datkey:0", "datkey:1", "datkey:2", "datkey:3", "datkey:4"];
    let mut command = bare(&[&["get"], &references[..], args].concat());
    run(command.env("DATKEY_API_KEY", "k").env("DATKEY_BASE_URL", url), "")
}

#[test]
fn numbers_of_metadata_are_filtered_sorted_and_shown_by_all_their_digits() {
    let csv = |args: &[&str]| digits(&[args, &["-o", "csv", "--columns", "metadata.n"]].concat()).stdout;
    let sorted = "metadata.n\r\n9\r\n31.245270191439438\r\n18446744073709551616\r\n18446744073709551617\r\n\
        123456789012345678901234\r\n";
    assert_eq!(csv(&["--sort", "metadata.n"]), sorted);
    let above = csv(&["--filter", "metadata.n>18446744073709551616", "--sort=-metadata.n"]);
    assert_eq!(above, "metadata.n\r\n123456789012345678901234\r\n18446744073709551617\r\n");
    let table = digits(&["-o", "table", "--columns", "ref,metadata.n"]).stdout;
    let lines = digits(&["-o", "ndjson"]).stdout;
    let mut again = bare(&["get", "-", "-o", "csv", "--columns", "ref"]);
    let beyond = lines.replace("\"n\":9}", "\"n\":1e400}");
    let read = run(
        again
            .env("DATKEY_API_KEY", "k")
            .env("DATKEY_BASE_URL", answering(|_| r#"{"key": {"key": "demo_***"}}"#.to_owned())),
        &beyond,
    );
    assert_eq!(read.stdout.lines().count(), 1 + DIGITS.len(), "its own lines are read: {read:?}");
    for number in DIGITS {
        assert!(table.contains(number), "{table}");
        assert!(lines.contains(&format!(r#""metadata":{{"n":{number}}},"#)), "{lines}");
    }
}
