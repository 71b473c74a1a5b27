//! Bad configurations of every sort.

use keymux::config::Place;
use keymux::{AccountName, ErrorKind};

use super::{CANARY, GOOD, build, parse};

/// A configuration, and the line that is said of it.
type Row = (&'static str, &'static str);

const NOT_TOML: [Row; 6] = [
    ("accounts", "configuration: keymux.toml:1:9: this is not TOML: key with no value, expected `=`"),
    (
        "[accounts.prod]\ncredential = sk-CANARY\n",
        "prod: configuration: keymux.toml:2:14: this is not TOML: string values must be quoted, expected literal string",
    ),
    (
        "[accounts.prod]\ncredential = \"sk-CANARY\n",
        "prod: configuration: keymux.toml:2:24: this is not TOML: invalid basic string, expected `\"`",
    ),
    (
        "[accounts.prod]\napi_key = 'sk-CANARY\\' sk-CANARY\n",
        "prod: configuration: keymux.toml:2:24: this is not TOML: unexpected key or value, expected newline, `#`",
    ),
    (
        "[accounts.prod]\nprovider = \"baseten\"\nprovider = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: this is not TOML: duplicate key",
    ),
    (
        "[accounts.prod.credential]\nenv = \"A\"\n\n[accounts.'prod']\n\u{1}sk-CANARY",
        "prod: configuration: keymux.toml:5:11: this is not TOML: key with no value, expected `=`",
    ),
];

const TABLES: [Row; 8] = [
    ("", "configuration: keymux.toml:1:1: there is no account; add a table such as `[accounts.prod-baseten]`"),
    (
        "[defaults]\npace = 1\n",
        "configuration: keymux.toml:1:1: there is no account; add a table such as `[accounts.prod-baseten]`",
    ),
    (
        "[accounts]\n",
        "configuration: keymux.toml:1:1: there is no account; add a table such as `[accounts.prod-baseten]`",
    ),
    (
        "accounts = \"sk-CANARY\"\n",
        "configuration: keymux.toml:1:12: `accounts` is a string of 9 characters; write a table",
    ),
    (
        "[[accounts]]\nname = \"prod\"\n",
        "configuration: keymux.toml:1:1: `accounts` is an array of 1 value; write a table",
    ),
    (
        "[account.prod]\nprovider = \"baseten\"\n",
        "configuration: keymux.toml:1:2: unknown key `account`; the nearest known one is `accounts`",
    ),
    (
        "accounts.prod = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:1:17: an account is a string of 9 characters; write a table",
    ),
    (
        "[accounts.'sk-CANARY:1']\n",
        "configuration: keymux.toml:1:11: the account name (of 11 characters) is not 1 to 64 letters, digits, `-`, `_` and `.` that begin with a letter or digit",
    ),
];

const DEFAULTS: [Row; 6] = [
    (
        "[defaults]\ntoken = \"sk-CANARY\"\n",
        "configuration: keymux.toml:2:1: unknown key in `defaults`: `token`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "[defaults]\nprovider = \"baseten\"\n",
        "configuration: keymux.toml:2:1: `provider` belongs to an account and has no default",
    ),
    (
        "[defaults]\ncredential = \"sk-CANARY\"\n",
        "configuration: keymux.toml:2:1: `credential` belongs to an account and has no default",
    ),
    (
        "[defaults]\nregion = \"eu\"\n",
        "configuration: keymux.toml:2:1: `region` belongs to an account and has no default",
    ),
    (
        "[defaults]\ntimeout = \"1s\"\n",
        "configuration: keymux.toml:2:1: unknown key in `defaults`: `timeout`; the nearest known one is `total_timeout`",
    ),
    (
        "[defaults]\npace = \"sk-CANARY\"\n",
        "configuration: keymux.toml:2:8: `pace` is a string of 9 characters; write a number above 0",
    ),
];

/// What stands in `[accounts.prod]`, from line 2.
const ACCOUNT: [Row; 15] = [
    (
        "",
        "prod: configuration: keymux.toml:1:11: `provider` is missing; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`",
    ),
    (
        "provider = \"baseten\"\n",
        "prod: configuration: keymux.toml:1:11: `credential` is missing; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:2:12: `provider` is a string of 9 characters; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`",
    ),
    (
        "provider = 7\n",
        "prod: configuration: keymux.toml:2:12: `provider` is an integer; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`",
    ),
    (
        "provider = \"\"\n",
        "prod: configuration: keymux.toml:2:12: `provider` is an empty string; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`",
    ),
    (
        "provider = \"baseten\"\napi_key = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: unknown key `api_key`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\n\"sk-CANARY-1\" = 1\n",
        "prod: configuration: keymux.toml:3:1: unknown key `[redacted]`; write one of `provider`, `credential`, `base_url`, `attempt_timeout`, `total_timeout`, `connect_timeout`, `max_attempts`, `max_list_mib`, `pace`, `application`, `system_proxy`, `root_certificates_file`, `auth_scheme`, `signing_key_file`, `region`, `impersonated_user`, `auth_header`, `workspace_id`, `expiry_unit`",
    ),
    (
        "provider = \"baseten\"\ncredential = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:14: `credential` is a string of 9 characters, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = [\"sk-CANARY\"]\n",
        "prod: configuration: keymux.toml:3:14: `credential` is an array of 1 value, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = {}\n",
        "prod: configuration: keymux.toml:3:14: `credential` names 0 sources; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = { env = \"A\", file = \"b\" }\n",
        "prod: configuration: keymux.toml:3:14: `credential` names 2 sources; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = { value = \"sk-CANARY\" }\n",
        "prod: configuration: keymux.toml:3:16: unknown key in `credential`: `value`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = { env = \"sk-CANARY\" }\n",
        "prod: configuration: keymux.toml:3:22: `env` of `credential` is a string of 9 characters; write the name of a variable: letters, digits and `_`",
    ),
    (
        "provider = \"baseten\"\ncredential = { file = \"\" }\n",
        "prod: configuration: keymux.toml:3:23: `file` of `credential` is an empty string; write the path of a file that holds the credential alone",
    ),
    (
        "provider = \"baseten\"\ncredential = { command = \"op read sk-CANARY\" }\n",
        "prod: configuration: keymux.toml:3:26: `command` of `credential` is a string of 17 characters; write an array, the program first and then each argument; no shell reads it",
    ),
];

const NAMES: [Row; 11] = [
    (
        "provider = \"baseten\"\ntoken = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: unknown key `token`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\nSecret = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: unknown key `Secret`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\npassword = 1234\n",
        "prod: configuration: keymux.toml:3:1: unknown key `password`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\naccess-token = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: unknown key `access-token`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\nBASETEN_API_KEY = \"sk-CANARY\"\n",
        "prod: configuration: keymux.toml:3:1: unknown key `BASETEN_API_KEY`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ncredential = { token = \"sk-CANARY\" }\n",
        "prod: configuration: keymux.toml:3:16: unknown key in `credential`: `token`, and a secret is never taken from this file; write `credential = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\", \"argument\"] }`",
    ),
    (
        "provider = \"baseten\"\ntoken = { env = \"A\" }\n",
        "prod: configuration: keymux.toml:3:1: unknown key `token`; the nearest known one is `credential`",
    ),
    (
        "provider = \"baseten\"\ncredential = { evn = \"A\" }\n",
        "prod: configuration: keymux.toml:3:16: unknown key in `credential`: `evn`; the nearest known one is `env`",
    ),
    (
        "provider = \"baseten\"\ncredential = { vault = \"A\" }\n",
        "prod: configuration: keymux.toml:3:16: unknown key in `credential`: `vault`; write one of `env`, `file`, `command`",
    ),
    (
        "provider = \"openai\"\n",
        "prod: configuration: keymux.toml:2:12: `provider` is a string of 6 characters; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`",
    ),
    (
        "provider = \"Baseten\"\n",
        "prod: configuration: keymux.toml:2:12: `provider` is a string of 7 characters; write one of `baseten`, `braintrust`, `mielto`, `datkey`, `oneloop`; the nearest is `baseten`",
    ),
];

const COMMANDS: [Row; 3] = [
    (
        "provider = \"baseten\"\ncredential = { command = [] }\n",
        "prod: configuration: keymux.toml:3:26: `command` of `credential` is an array of 0 values; write the program and each of its arguments as a string",
    ),
    (
        "provider = \"baseten\"\ncredential = { command = [\"\"] }\n",
        "prod: configuration: keymux.toml:3:26: `command` of `credential` is an array of 1 value; write the program and each of its arguments as a string",
    ),
    (
        "provider = \"baseten\"\ncredential = { command = [\"op\", 1] }\n",
        "prod: configuration: keymux.toml:3:26: `command` of `credential` is an array of 2 values; write the program and each of its arguments as a string",
    ),
];

/// What stands below a good account of Baseten's, on line 4.
const SETTINGS: [Row; 28] = [
    (
        "base_url = 1\n",
        "prod: configuration: keymux.toml:4:12: `base_url` is an integer; write a string such as \"https://api.example.com\"",
    ),
    (
        "base_url = \"api.baseten.co\"\n",
        "prod: configuration: keymux.toml:4:12: `base_url` is not a URL; it looks like `https://api.example.com`",
    ),
    (
        "base_url = \"http://api.baseten.co\"\n",
        "prod: configuration: keymux.toml:4:12: `base_url` is plain HTTP to another machine, which would show the credential to the network; use `https`",
    ),
    (
        "base_url = \"https://user:sk-CANARY@api.baseten.co\"\n",
        "prod: configuration: keymux.toml:4:12: `base_url` holds a user name or a password, which do not belong into a base URL; it looks like `https://api.example.com`",
    ),
    (
        "attempt_timeout = 10\n",
        "prod: configuration: keymux.toml:4:19: `attempt_timeout` is an integer; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "attempt_timeout = \"10\"\n",
        "prod: configuration: keymux.toml:4:19: `attempt_timeout` is a string of 2 characters; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "attempt_timeout = \"ten seconds\"\n",
        "prod: configuration: keymux.toml:4:19: `attempt_timeout` is a string of 11 characters; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "attempt_timeout = \"0s\"\n",
        "prod: configuration: keymux.toml:4:19: `attempt_timeout` is out of range; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "attempt_timeout = \"-1s\"\n",
        "prod: configuration: keymux.toml:4:19: `attempt_timeout` is out of range; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "total_timeout = \"25h\"\n",
        "prod: configuration: keymux.toml:4:17: `total_timeout` is out of range; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "connect_timeout = \"1 month\"\n",
        "prod: configuration: keymux.toml:4:19: `connect_timeout` is a string of 7 characters; write a string such as \"10s\" or \"1m 30s\", above 0 and at most 24h",
    ),
    (
        "max_attempts = 0\n",
        "prod: configuration: keymux.toml:4:16: `max_attempts` is out of range; write a whole number of 1 to 100",
    ),
    (
        "max_attempts = 101\n",
        "prod: configuration: keymux.toml:4:16: `max_attempts` is out of range; write a whole number of 1 to 100",
    ),
    (
        "max_attempts = 2.0\n",
        "prod: configuration: keymux.toml:4:16: `max_attempts` is a float; write a whole number of 1 to 100",
    ),
    ("pace = 0\n", "prod: configuration: keymux.toml:4:8: `pace` is not above 0; write a number above 0"),
    ("pace = -1\n", "prod: configuration: keymux.toml:4:8: `pace` is not above 0; write a number above 0"),
    ("pace = -1.5\n", "prod: configuration: keymux.toml:4:8: `pace` is not above 0; write a number above 0"),
    ("pace = nan\n", "prod: configuration: keymux.toml:4:8: `pace` is not a finite number; write a number above 0"),
    ("pace = inf\n", "prod: configuration: keymux.toml:4:8: `pace` is not a finite number; write a number above 0"),
    (
        "application = \"my service\"\n",
        "prod: configuration: keymux.toml:4:15: `application` is a string of 10 characters; write a product token such as \"my-service/1.4\"",
    ),
    (
        "system_proxy = \"no\"\n",
        "prod: configuration: keymux.toml:4:16: `system_proxy` is a string of 2 characters; write true or false",
    ),
    (
        "root_certificates_file = \"\"\n",
        "prod: configuration: keymux.toml:4:26: `root_certificates_file` is an empty string; write the path of a file",
    ),
    (
        "auth_scheme = \"barer\"\n",
        "prod: configuration: keymux.toml:4:15: `auth_scheme` is a string of 5 characters; write one of `api-key`, `bearer`; the nearest is `bearer`",
    ),
    (
        "auth_header = \"bearer\"\n",
        "prod: configuration: keymux.toml:4:1: `auth_header` is for provider `mielto`, and this account's is `baseten`",
    ),
    (
        "region = \"eu\"\n",
        "prod: configuration: keymux.toml:4:1: `region` is for provider `braintrust`, and this account's is `baseten`",
    ),
    (
        "expiry_unit = 1979-05-27\n",
        "prod: configuration: keymux.toml:4:1: `expiry_unit` is for provider `oneloop`, and this account's is `baseten`",
    ),
    (
        "workspce_id = \"w\"\n",
        "prod: configuration: keymux.toml:4:1: unknown key `workspce_id`; the nearest known one is `workspace_id`, for provider `mielto` alone",
    ),
    (
        "[accounts.prod.retry]\nmax = 1\n",
        "prod: configuration: keymux.toml:4:16: unknown key `retry`; the nearest known one is `max_attempts`",
    ),
];

const VENDORS: [Row; 3] = [
    (
        "provider = \"braintrust\"\ncredential = { env = \"A\" }\nregion = \"asia\"\n",
        "prod: configuration: keymux.toml:4:10: `region` is a string of 4 characters; write one of `us`, `eu`",
    ),
    (
        "provider = \"braintrust\"\ncredential = { env = \"A\" }\nregion = \"eu\"\nbase_url = \"https://bt.example\"\n",
        "prod: configuration: keymux.toml:4:1: `region` and `base_url` both say where the vendor is; leave one of them out",
    ),
    (
        "provider = \"mielto\"\ncredential = { env = \"A\" }\nworkspace_id = \" \"\n",
        "prod: configuration: keymux.toml:4:16: `workspace_id` is an empty string; write a string that is not empty",
    ),
];

#[track_caller]
fn says(text: &str, line: &str) {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), line, "of:\n{text}");
    let place = error.detail::<Place>().unwrap();
    assert!(line.contains(&format!("{place}: ")), "{place:?}");
    assert!(!format!("{error:?} {error:#?}").contains(CANARY), "{error:?}");
}

#[test]
fn what_is_not_toml_is_told_without_its_text() {
    for (text, line) in NOT_TOML {
        says(text, line);
    }
}

#[test]
fn there_are_two_tables_and_at_least_one_account() {
    for (text, line) in TABLES {
        says(text, line);
    }
}

#[test]
fn a_default_is_of_a_key_that_every_account_may_have() {
    for (text, line) in DEFAULTS {
        says(text, line);
    }
}

#[test]
fn an_account_has_a_vendor_and_a_credential_that_is_somewhere_else() {
    for (text, line) in ACCOUNT.iter().chain(&NAMES).chain(&COMMANDS).chain(&VENDORS) {
        says(&format!("[accounts.prod]\n{text}"), line);
    }
}

#[test]
fn a_setting_that_is_unknown_misplaced_or_malformed_is_told_with_its_mend() {
    for (text, line) in SETTINGS {
        says(&format!("{GOOD}{text}"), line);
    }
}

#[test]
fn an_error_names_the_account() {
    for text in [format!("{GOOD}x = 1\n"), format!("{GOOD}x\n")] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.account().map(AccountName::as_str), Some("prod"), "{error}");
        assert_eq!(error.detail::<Place>().unwrap().line, 4);
    }
}

#[test]
fn what_is_wrong_first_in_the_file_is_told_first() {
    let error = parse("[accounts.b]\nzzz = 1\n[accounts.a]\nyyy = 1\n").unwrap_err();
    assert_eq!(error.detail::<Place>().unwrap().line, 2, "{error}");
}

/// Wherever a text may stand, however wrong, no error repeats it.
#[test]
fn a_secret_in_the_place_of_any_value_is_never_shown() {
    let keys = include_str!("../../docs/keymux.schema.json");
    let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
    let keys = keys["$defs"]["account"]["properties"].as_object().unwrap();
    let mut refused = 0;
    for key in keys.keys().map(String::as_str).chain(["env", "file", "command", "api_key", "token"]) {
        for value in ["\"CANARY\"", "'CANARY", "CANARY", "[\"CANARY\"]", "{ x = \"CANARY\" }", "\"\"\"CANARY\n\"\"\" 1"]
        {
            for vendor in ["baseten", "braintrust", "mielto", "datkey", "oneloop"] {
                let rest = format!("provider = \"{vendor}\"\ncredential = {{ env = \"A\" }}\n");
                for text in [
                    format!("[accounts.prod]\n{key} = {value}\n{rest}"),
                    format!("[accounts.prod]\n{rest}{key} = {value}\n"),
                    format!("[defaults]\n{key} = {value}\n[accounts.prod]\n{rest}"),
                    format!("[accounts.prod]\nprovider = \"{vendor}\"\ncredential = {{ {key} = {value} }}\n"),
                    format!("{key} = {value}\n[accounts.prod]\n{rest}"),
                ] {
                    match parse(&text) {
                        Ok(file) => {
                            assert!(
                                !format!("{file:?}{file:#?}").contains("CANARY")
                                    || ["env", "file", "command"].contains(&key),
                                "{file:?}"
                            );
                        }
                        Err(error) => {
                            refused += 1;
                            let shown = format!("{error} {error:?} {error:#?}");
                            assert!(!shown.contains("CANARY"), "{text}: {shown}");
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_file_or_an_error_with_a_place(text in "(\\[accounts\\.a\\]|[a-z_=\"'{}\\[\\]., \n#0-9é\r]|provider|credential|env){0,30}") {
        if let Err(error) = parse(&text) {
            let place = error.detail::<Place>().unwrap();
            assert!(place.line >= 1 && place.line <= text.matches('\n').count() + 1, "{place}");
        }
    }
}

// ---- What shows when an account is set up ----

#[tokio::test]
async fn a_credential_that_is_not_there_is_told_by_where_it_should_be() {
    let table = [
        ("{ env = \"KEYMUX_TESTS_UNSET\" }", "the environment variable KEYMUX_TESTS_UNSET is not set"),
        ("{ env = \"skCANARY\" }", "the environment variable (a name of 8 characters) is not set"),
        ("{ file = \"/nowhere/CANARY\" }", "the file /nowhere/CANARY cannot be read: "),
        ("{ file = \"/nowhere/sk-CANARY\" }", "the file /nowhere/[redacted] cannot be read: "),
        ("{ command = [\"keymux-no-such-program\"] }", "the command `keymux-no-such-program` cannot be started: "),
        ("{ command = [\"sk-CANARY\"] }", "the command `[redacted]` cannot be started: "),
    ];
    for (source, says) in table {
        let text = format!("# a comment\n[accounts.prod]\nprovider = \"baseten\"\ncredential = {source}\n");
        let error = build(&text).await.unwrap_err();
        let line = format!("prod (baseten): configuration: keymux.toml:4:14: {says}");
        assert!(error.to_string().starts_with(&line), "{error}\n{line}");
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_fails_is_told_without_what_it_printed_to_its_output() {
    let table = [
        ("exit 3", "failed (exit status: 3)"),
        ("echo locked >&2; exit 1", "failed (exit status: 1): locked"),
        (
            "echo PLAIN-CANARY; echo the key is PLAIN-CANARY >&2; exit 1",
            "failed (exit status: 1): the key is [redacted]",
        ),
        ("echo bad token sk-CANARY >&2; exit 1", "failed (exit status: 1): bad token [redacted]"),
        ("kill -9 $$", "failed (signal: 9 (SIGKILL))"),
        ("true", "printed nothing"),
        ("echo", "printed nothing"),
        ("printf '\\377'", "printed what is not UTF-8"),
        ("head -c 70000 /dev/zero", "printed more than 65536 bytes"),
        ("head -c 200000 /dev/zero >&2; exit 1", "failed (exit status: 1): …"),
    ];
    for (script, says) in table {
        let credential = format!("{{ command = [\"sh\", \"-c\", '''{script}'''] }}");
        let error = build(&format!("[accounts.prod]\nprovider = \"datkey\"\ncredential = {credential}\n")).await;
        let error = error.unwrap_err();
        let line = format!("prod (datkey): configuration: keymux.toml:3:14: the command `sh` {says}");
        assert_eq!(error.to_string(), line);
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_credential_that_no_header_carries_and_a_vendors_own_refusal_name_the_account_and_the_keys_line() {
    let table = [
        ("baseten", "two words", "", "4:14", "the credential holds white space"),
        ("baseten", "Bearer k", "", "4:14", "the credential begins with an authentication scheme"),
        ("mielto", "k", "workspace_id = \"a\\nb\"\n", "5:16", "the workspace id is empty or holds a character"),
        ("braintrust", "k", "impersonated_user = \"a\\u0007\"\n", "5:21", "the impersonated user is empty or holds"),
        (
            "baseten",
            "k",
            "signing_key_file = \"Cargo.toml\"\n",
            "5:20",
            "the signing key is not an Ed25519 private key",
        ),
        (
            "baseten",
            "k",
            "signing_key_file = \"/dev/null\"\n",
            "5:20",
            "`signing_key_file`: the file /dev/null cannot be read: it is not a regular file",
        ),
        (
            "baseten",
            "k",
            "signing_key_file = \"/nowhere/x\"\n",
            "5:20",
            "`signing_key_file`: the file /nowhere/x cannot be read",
        ),
        (
            "baseten",
            "k",
            "root_certificates_file = \"/nowhere/x\"\n",
            "5:26",
            "`root_certificates_file`: the file /nowhere/x",
        ),
        ("baseten", "k", "root_certificates_file = \"Cargo.toml\"\n", "5:26", "the root certificates are not PEM"),
    ];
    for (vendor, credential, more, place, says) in table {
        let command = format!("{{ command = [\"echo\", \"{credential}\"] }}");
        let text = format!("\n[accounts.prod]\nprovider = \"{vendor}\"\ncredential = {command}\n{more}");
        let error = build(&text).await.unwrap_err();
        let line = format!("prod ({vendor}): configuration: keymux.toml:{place}: {says}");
        assert!(error.to_string().starts_with(&line), "{error}\n{line}");
        assert_eq!(error.detail::<Place>().unwrap().to_string(), format!("keymux.toml:{place}"));
    }
}

#[tokio::test]
async fn what_a_default_costs_an_account_is_told_at_the_default() {
    let text = format!("[defaults]\nroot_certificates_file = \"/nowhere/x\"\n{}", GOOD.replace("\"X\"", "\"PATH\""));
    let error = build(&text).await.unwrap_err();
    assert_eq!(error.detail::<Place>().unwrap().line, 2, "{error}");
    assert_eq!(error.account().map(AccountName::as_str), Some("prod"));
}
