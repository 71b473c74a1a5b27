//! What vendors send and people type, as the command takes it: times, lists, odd values.

use std::process::Command;

use serde_json::{Value, json};

use crate::stage::{Ran, bare, run, serving};

/// The command with an account `mielto` at a server with these answers.
fn mielto(bodies: &[&str], args: &[&str]) -> Command {
    let mut command = bare(args);
    command.env("MIELTO_API_KEY", "EXAMPLE1").env("MIELTO_BASE_URL", serving(bodies));
    command
}

fn ran(bodies: &[&str], args: &[&str]) -> Ran {
    run(&mut mielto(bodies, args), "")
}

fn key(id: &str, more: &Value) -> Value {
    let mut key = json!({"id": id, "label": id, "key": "mk", "workspace_id": "w", "status": "active"});
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    key
}

fn page(rows: &[Value]) -> String {
    json!({"data": rows, "total_count": rows.len(), "has_more": false}).to_string()
}

fn ids(ran: &Ran) -> Vec<String> {
    ran.of_type("key").iter().map(|key| key["address"][0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rows_that_can_be_read_are_given_and_each_other_one_is_an_error_of_its_own() {
    let list = page(&[key("a", &json!({})), json!({"id": 2, "key": "k"}), json!(7), key("d", &json!({}))]);
    for args in [&["list"][..], &["list", "mielto"]] {
        let ran = ran(&[&list], args);
        assert_eq!((ids(&ran), ran.status), (vec!["a".to_owned(), "d".to_owned()], Some(3)), "{ran:?}");
        let errors = ran.of_type("error");
        assert_eq!(errors.len(), 2, "{ran:?}");
        let message = errors[0]["message"].as_str().unwrap();
        assert!(message.contains("row 1 of `data`") && message.contains("has another type"), "{message}");
        assert!(errors[1]["message"].as_str().unwrap().contains("row 2 of `data`"), "{ran:?}");
        assert_eq!(ran.of_type("summary")[0]["complete"], false);
        assert!(ran.stderr.contains("row 1 of `data`") && ran.stderr.contains("row 2 of `data`"), "{ran:?}");
    }
}

#[test]
fn an_odd_cursor_costs_no_row_of_its_page() {
    let list = json!({"items": [{"prefix": "p1", "name": "good"}], "pagination": {"has_more": true, "cursor": ""}});
    let mut command = bare(&["list", "baseten:g"]);
    command.env("BASETEN_API_KEY", "EXAMPLE1").env("BASETEN_BASE_URL", serving(&[&list.to_string()]));
    let ran = run(&mut command, "");
    assert_eq!((ran.of_type("key").len(), ran.status), (1, Some(3)), "{ran:?}");
    assert_eq!(ran.of_type("summary")[0]["complete"], false);
}

#[test]
fn a_group_without_an_id_costs_itself_alone() {
    let groups = json!({"items": [{"id": "g1"}, {"metadata": {}}], "pagination": {"has_more": false}}).to_string();
    let keys = json!({"items": [{"prefix": "p1"}], "pagination": {"has_more": false}}).to_string();
    let command = |bodies: &[&str], args: &[&str]| {
        let mut command = bare(args);
        command.env("BASETEN_API_KEY", "EXAMPLE1").env("BASETEN_BASE_URL", serving(bodies));
        run(&mut command, "")
    };
    let scopes = command(&[&groups], &["scopes"]);
    assert_eq!((scopes.of_type("scope").len(), scopes.status), (1, Some(3)), "{scopes:?}");
    assert_eq!(scopes.of_type("summary")[0]["complete"], false);
    let list = command(&[&groups, &keys], &["list"]);
    assert_eq!((list.of_type("key").len(), list.status), (1, Some(3)), "{list:?}");
    assert_eq!(list.of_type("summary")[0]["complete"], false);
    assert!(list.of_type("error")[0]["message"].as_str().unwrap().contains("row 1 of `items`"), "{list:?}");
}

#[test]
fn a_list_that_contradicts_itself_is_never_told_as_complete() {
    for (total, more) in [(1, true), (250, false), (3, false)] {
        let list = json!({"data": [key("a", &json!({}))], "total_count": total, "has_more": more}).to_string();
        let ran = ran(&[&list], &["list", "mielto"]);
        assert_eq!((ids(&ran), ran.status), (vec!["a".to_owned()], Some(3)), "{ran:?}");
        assert_eq!(ran.of_type("summary")[0]["complete"], false, "{total} {more}");
    }
}

#[test]
fn a_value_that_stands_for_never_is_told_as_odd_and_overrules_no_stated_status() {
    let odd =
        key("a", &json!({"expires_at": 0, "last_used_at": "0001-01-01T00:00:00Z", "created_at": "soon"})).to_string();
    let record = ran(&[&odd], &["get", "mielto:a"]);
    let record = &record.of_type("key")[0];
    assert_eq!(record["status"]["state"], "active");
    assert_eq!(record["expires_at"], Value::Null);
    let kinds: Vec<_> = record["drift"].as_array().unwrap().iter().map(|note| note["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unreadable_time", "unknown_value", "unknown_value"], "{record}");
    let columns = "status,expires,last_used,created,updated";
    let table = ran(&[&odd], &["get", "mielto:a", "-o", "table", "--columns", columns]).stdout;
    assert_eq!(table.matches("unreadable").count(), 3, "{table}");
    assert_eq!(table.matches("not sent").count(), 1, "{table}");

    let last = page(&[key("a", &json!({"expires_at": "9999-12-31T23:59:59Z"}))]);
    for filter in ["expires>30d", "expires=known", "status=active"] {
        assert_eq!(ids(&ran(&[&last], &["list", "mielto", "--filter", filter])), ["a"], "{filter}");
    }
}

#[test]
fn a_time_that_is_typed_is_read_whole() {
    let list = page(&[key("a", &json!({"expires_at": "2027-01-31T06:30:00Z"}))]);
    for filter in
        ["expires<2027-01-31T12:00", "expires<2027-01-31T12:00Z", "expires<=2027-01-31", "expires>20270131T063000"]
    {
        let given = ids(&ran(&[&list], &["list", "mielto", "--filter", filter]));
        assert_eq!(given.len(), usize::from(!filter.contains('>')), "{filter}");
    }
    for (typed, sent) in [
        ("2099-01-31", "2099-01-31T23:59:59Z"),
        ("20990131", "2099-01-31T23:59:59Z"),
        ("2099-01-31T12:00", "2099-01-31T12:00:00Z"),
        ("20990131T235959", "2099-01-31T23:59:59Z"),
        ("2099-01-31 12:00:30", "2099-01-31T12:00:30Z"),
        ("2099-01-31T12:00:00+01:00", "2099-01-31T11:00:00Z"),
    ] {
        let dry = ran(&["{}"], &["create", "mielto", "--name", "n", "--dry-run", "--expires", typed]);
        assert_eq!(dry.of_type("request")[0]["body"]["expires_at"], sent, "{typed}: {dry:?}");
        let dry = ran(&["{}"], &["update", "mielto:a", "--dry-run", "--expires", typed]);
        assert_eq!(dry.of_type("request")[0]["body"]["expires_at"], sent, "{typed}: {dry:?}");
    }
    for (typed, says) in [
        ("6m", "6min or 6mo"),
        ("1y6m", "6min or 6mo"),
        ("9999-12-31", "what never ends is written without an end"),
        ("2099-01-31T12:00[Nowhere/Atlantis]", "write its offset"),
    ] {
        let refused = ran(&["{}"], &["create", "mielto", "--name", "n", "--expires", typed]);
        assert!(refused.status == Some(2) && refused.stderr.contains(says), "{typed}: {refused:?}");
        assert!(!refused.stderr.contains("parameter"), "no word of a library: {refused:?}");
    }
}

#[test]
fn a_filter_by_what_is_left_keeps_no_key_that_has_ended_and_tells_what_it_cannot_judge() {
    let now = jiff::Timestamp::now().as_second();
    let at = |days: i64| json!({"expires_at": jiff::Timestamp::from_second(now + days * 86_400).unwrap().to_string()});
    let list = page(&[
        key("over", &at(-5)),
        key("soon", &at(5)),
        key("late", &at(90)),
        key("never", &json!({"expires_at": null})),
        key("unsaid", &json!({})),
        key("odd", &json!({"expires_at": "soon"})),
    ]);
    for (filter, kept) in [
        ("expires<30d", &["soon"][..]),
        ("expires<now", &["over"]),
        ("status=expired", &["over"]),
        ("expires>30d", &["late"]),
    ] {
        let ran = ran(&[&list], &["list", "mielto", "--filter", filter]);
        assert_eq!(ids(&ran), kept, "{filter}");
        let unjudged = if filter.starts_with("expires") { 2 } else { 0 };
        assert_eq!(ran.of_type("summary")[0]["unjudged"], unjudged, "{filter}");
        let line = "2 keys not shown, since --filter cannot judge what does not say expires_at";
        assert_eq!(ran.stderr.contains(line), unjudged == 2, "{filter}: {ran:?}");
    }
    // A key that another filter leaves out is judged by that one.
    let both = ran(&[&list], &["list", "mielto", "--filter", "expires<30d", "--filter", "name=soon"]);
    assert_eq!((ids(&both), &both.of_type("summary")[0]["unjudged"]), (vec!["soon".to_owned()], &json!(0)));
}

#[test]
fn a_check_says_that_a_credential_does_not_work_only_where_it_is_refused() {
    let mut command = bare(&["accounts", "check"]);
    let url = serving(&[r#"{"message": "The key does not exist"}"#]);
    command.env("DATKEY_API_KEY", "EXAMPLE1").env("DATKEY_BASE_URL", url);
    let ran = run(&mut command, "");
    let check = &ran.of_type("account")[0]["check"];
    assert_eq!((&check["works"], &check["error"]["kind"]), (&Value::Null, &json!("decode")), "{ran:?}");
}

#[test]
fn help_says_which_instant_of_a_day_is_meant() {
    for command in ["create", "update"] {
        let help = run(&mut bare(&[command, "--help"]), "").stdout;
        let help: Vec<&str> = help.split_whitespace().collect();
        assert!(
            help.join(" ").contains("A date is the last day on which it works: it ends at 23:59:59 of that day"),
            "{command}"
        );
    }
    let help = run(&mut bare(&["list", "--help"]), "").stdout;
    assert!(help.contains("all of that day in UTC") && help.contains("has not ended"), "{help}");
}
