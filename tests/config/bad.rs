//! Bad configurations of every sort.

use keymux::config::Place;
use keymux::{AccountName, ErrorKind};

use super::{CANARY, GOOD, build, parse};

/// A configuration, and the line that is said of it.
type Row = (&'static str, &'static str);

const NOT_TOML: [Row; 6] = [
    ("accounts", ""),
    ("[accounts.prod]\ncredential = sk-CANARY\n", ""),
    ("[accounts.prod]\ncredential = \"sk-CANARY\n", ""),
    ("[accounts.prod]\napi_key = 'sk-CANARY\\' sk-CANARY\n", ""),
    ("[accounts.prod]\nprovider = \"baseten\"\nprovider = \"sk-CANARY\"\n", ""),
    ("[accounts.prod.credential]\nenv = \"A\"\n\n[accounts.'prod']\n\u{1}sk-CANARY", ""),
];

const TABLES: [Row; 8] = [
    ("", ""),
    ("[defaults]\npace = 1\n", ""),
    ("[accounts]\n", ""),
    ("accounts = \"sk-CANARY\"\n", ""),
    ("[[accounts]]\nname = \"prod\"\n", ""),
    ("[account.prod]\nprovider = \"baseten\"\n", ""),
    ("accounts.prod = \"sk-CANARY\"\n", ""),
    ("[accounts.'sk-CANARY:1']\n", ""),
];

const DEFAULTS: [Row; 5] = [
    ("[defaults]\nprovider = \"baseten\"\n", ""),
    ("[defaults]\ncredential = \"sk-CANARY\"\n", ""),
    ("[defaults]\nregion = \"eu\"\n", ""),
    ("[defaults]\ntimeout = \"1s\"\n", ""),
    ("[defaults]\npace = \"sk-CANARY\"\n", ""),
];

/// What stands in `[accounts.prod]`, from line 2.
const ACCOUNT: [Row; 15] = [
    ("", ""),
    ("provider = \"baseten\"\n", ""),
    ("provider = \"sk-CANARY\"\n", ""),
    ("provider = 7\n", ""),
    ("provider = \"\"\n", ""),
    ("provider = \"baseten\"\napi_key = \"sk-CANARY\"\n", ""),
    ("provider = \"baseten\"\n\"sk-CANARY-1\" = 1\n", ""),
    ("provider = \"baseten\"\ncredential = \"sk-CANARY\"\n", ""),
    ("provider = \"baseten\"\ncredential = [\"sk-CANARY\"]\n", ""),
    ("provider = \"baseten\"\ncredential = {}\n", ""),
    ("provider = \"baseten\"\ncredential = { env = \"A\", file = \"b\" }\n", ""),
    ("provider = \"baseten\"\ncredential = { value = \"sk-CANARY\" }\n", ""),
    ("provider = \"baseten\"\ncredential = { env = \"sk-CANARY\" }\n", ""),
    ("provider = \"baseten\"\ncredential = { file = \"\" }\n", ""),
    ("provider = \"baseten\"\ncredential = { command = \"op read sk-CANARY\" }\n", ""),
];

const COMMANDS: [Row; 3] = [
    ("provider = \"baseten\"\ncredential = { command = [] }\n", ""),
    ("provider = \"baseten\"\ncredential = { command = [\"\"] }\n", ""),
    ("provider = \"baseten\"\ncredential = { command = [\"op\", 1] }\n", ""),
];

/// What stands below a good account of Baseten's, on line 4.
const SETTINGS: [Row; 27] = [
    ("base_url = 1\n", ""),
    ("base_url = \"api.baseten.co\"\n", ""),
    ("base_url = \"http://api.baseten.co\"\n", ""),
    ("base_url = \"https://user:sk-CANARY@api.baseten.co\"\n", ""),
    ("attempt_timeout = 10\n", ""),
    ("attempt_timeout = \"10\"\n", ""),
    ("attempt_timeout = \"ten seconds\"\n", ""),
    ("attempt_timeout = \"0s\"\n", ""),
    ("attempt_timeout = \"-1s\"\n", ""),
    ("total_timeout = \"25h\"\n", ""),
    ("connect_timeout = \"1 month\"\n", ""),
    ("max_attempts = 0\n", ""),
    ("max_attempts = 101\n", ""),
    ("max_attempts = 2.0\n", ""),
    ("pace = 0\n", ""),
    ("pace = -1.5\n", ""),
    ("pace = nan\n", ""),
    ("pace = inf\n", ""),
    ("application = \"my service\"\n", ""),
    ("system_proxy = \"no\"\n", ""),
    ("root_certificates_file = \"\"\n", ""),
    ("auth_scheme = \"barer\"\n", ""),
    ("auth_header = \"bearer\"\n", ""),
    ("region = \"eu\"\n", ""),
    ("expiry_unit = 1979-05-27\n", ""),
    ("workspce_id = \"w\"\n", ""),
    ("[accounts.prod.retry]\nmax = 1\n", ""),
];

const VENDORS: [Row; 3] = [
    ("provider = \"braintrust\"\ncredential = { env = \"A\" }\nregion = \"asia\"\n", ""),
    (
        "provider = \"braintrust\"\ncredential = { env = \"A\" }\nregion = \"eu\"\nbase_url = \"https://bt.example\"\n",
        "",
    ),
    ("provider = \"mielto\"\ncredential = { env = \"A\" }\nworkspace_id = \" \"\n", ""),
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
fn x() {
    for (n, rows) in [("NOT_TOML", &NOT_TOML[..]), ("TABLES", &TABLES), ("DEFAULTS", &DEFAULTS)] {
        println!("@@{n}");
        for (text, _) in rows { println!("@{}", parse(text).unwrap_err()); }
    }
    for (n, rows) in [("ACCOUNT", &ACCOUNT[..]), ("COMMANDS", &COMMANDS), ("VENDORS", &VENDORS)] {
        println!("@@{n}");
        for (text, _) in rows { println!("@{}", parse(&format!("[accounts.prod]\n{text}")).unwrap_err()); }
    }
    println!("@@SETTINGS");
    for (text, _) in SETTINGS { println!("@{}", parse(&format!("{GOOD}{text}")).unwrap_err()); }
}
