//! Accounts from the environment, or from what stands for it: every mistake is an error that names its variable.

use std::ffi::OsString;
use std::process::Command;

use keymux::{ClientOptions, Error, ErrorKind, Keymux};

use crate::fixtures::{Vendor, Wrong};

/// A value for a variable: text, or bytes that are none.
#[derive(Debug, Clone, Copy)]
enum Value {
    Text(&'static str),
    NoText,
}

impl Value {
    fn os_string(self) -> OsString {
        match self {
            Self::Text(text) => text.into(),
            #[cfg(unix)]
            Self::NoText => std::os::unix::ffi::OsStringExt::from_vec(b"CANARY\xff".to_vec()),
            #[cfg(windows)]
            Self::NoText => std::os::windows::ffi::OsStringExt::from_wide(&[0xd800]),
        }
    }
}

fn credential_of(vendor: Vendor) -> String {
    format!("{}_API_KEY", vendor.id().to_uppercase())
}

fn base_url_of(vendor: Vendor) -> String {
    format!("{}_BASE_URL", vendor.id().to_uppercase())
}

fn from(variables: &[(String, Value)]) -> Result<Keymux, Error> {
    let get = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.os_string());
    Keymux::builder().with_variables(&get, &ClientOptions::new())?.build()
}

fn names(keymux: &Keymux) -> Vec<&str> {
    keymux.accounts().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn each_credential_that_is_set_makes_an_account_named_after_its_vendor() {
    assert_eq!(names(&from(&[]).unwrap()), [""; 0]);
    for vendor in Vendor::ALL {
        let keymux = from(&[(credential_of(vendor), Value::Text("k-1"))]).unwrap();
        assert_eq!(names(&keymux), [vendor.id()]);
        let (_, provider) = keymux.accounts().next().unwrap();
        assert_eq!(provider.info(), vendor.info());
    }
    let all = from(&Vendor::ALL.map(|vendor| (credential_of(vendor), Value::Text("k-1")))).unwrap();
    assert_eq!(names(&all), ["baseten", "braintrust", "datkey", "mielto", "oneloop"]);
}

#[test]
fn a_base_url_without_a_credential_makes_no_account() {
    let alone = Vendor::ALL.map(|vendor| (base_url_of(vendor), Value::Text("nonsense")));
    assert_eq!(names(&from(&alone).unwrap()), [""; 0]);
}

#[test]
fn a_credential_that_cannot_be_one_is_an_error_that_names_its_variable_and_does_not_show_it() {
    let bad = [
        Value::Text(""),
        Value::Text(" "),
        Value::Text("\t\r\n"),
        Value::NoText,
        Value::Text("CANARY\n\n"),
        Value::Text("CANARY\r"),
        Value::Text("CANARY\u{200b}"),
        Value::Text("CAN ARY"),
        Value::Text(" CANARY"),
        Value::Text("CANARY\u{e9}"),
        Value::Text("CANARY\u{7f}"),
        Value::Text("Bearer CANARY"),
        Value::Text("bearer CANARY"),
        Value::Text("Api-Key CANARY"),
        Value::Text("Basic CANARY"),
    ];
    let mut wrong = Wrong::default();
    for vendor in Vendor::ALL {
        for value in bad {
            let name = credential_of(vendor);
            match from(&[(name.clone(), value)]) {
                Ok(_) => wrong.unless(false, || format!("{name}={value:?} is taken")),
                Err(error) => {
                    let text = format!("{error}\n{error:?}");
                    let told = error.kind() == ErrorKind::Config && error.to_string().contains(&name);
                    wrong.unless(told && !text.contains("CANARY"), || format!("{name}={value:?}: {text}"));
                }
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn a_credential_pasted_with_its_scheme_is_told_so() {
    for vendor in Vendor::ALL {
        for pasted in ["Bearer CANARY", "BEARER CANARY", "Api-Key CANARY", "api-key CANARY"] {
            let error = from(&[(credential_of(vendor), Value::Text(pasted))]).unwrap_err();
            assert!(error.to_string().contains("scheme"), "{error}");
        }
    }
}

#[test]
fn a_bad_base_url_is_an_error_that_names_its_variable_and_does_not_show_it() {
    let bad = [
        Value::Text(""),
        Value::Text("  "),
        Value::NoText,
        Value::Text("CANARY"),
        Value::Text("CANARY.example"),
        Value::Text("ftp://CANARY.example"),
        Value::Text("https://"),
        Value::Text("https://user:CANARY@vendor.example"),
        Value::Text("https://vendor.example?key=CANARY"),
        Value::Text("https://vendor.example#CANARY"),
        Value::Text("http://vendor.example/CANARY"),
        Value::Text("http://10.0.0.1"),
        Value::Text("http://127.0.0.1.example"),
        Value::Text("http://localhost.example"),
    ];
    let mut wrong = Wrong::default();
    for vendor in Vendor::ALL {
        for value in bad {
            let name = base_url_of(vendor);
            match from(&[(credential_of(vendor), Value::Text("k-1")), (name.clone(), value)]) {
                Ok(_) => wrong.unless(false, || format!("{name}={value:?} is taken")),
                Err(error) => {
                    let text = format!("{error}\n{error:?}");
                    let told = error.kind() == ErrorKind::Config && error.to_string().contains(&name);
                    wrong.unless(told && !text.contains("CANARY"), || format!("{name}={value:?}: {text}"));
                }
            }
        }
    }
    wrong.assert_none();
}

#[test]
fn a_base_url_may_carry_a_path_and_be_plain_http_on_this_machine() {
    for vendor in Vendor::ALL {
        for good in [
            "https://vendor.example",
            "https://vendor.example/a/b/",
            "http://localhost:8080",
            "http://127.0.0.1:1/x",
            "http://[::1]:9",
        ] {
            let keymux = from(&[(credential_of(vendor), Value::Text("k-1")), (base_url_of(vendor), Value::Text(good))]);
            assert_eq!(names(&keymux.unwrap()), [vendor.id()], "{good}");
        }
    }
}

#[test]
fn plain_http_to_another_machine_is_taken_where_the_options_say_so() {
    for vendor in Vendor::ALL {
        let variables = [
            (credential_of(vendor), OsString::from("k-1")),
            (base_url_of(vendor), OsString::from("http://vendor.example")),
        ];
        let get = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let options = ClientOptions::new().dangerously_send_credentials_over_plain_http(true);
        assert!(Keymux::builder().with_variables(&get, &options).is_ok(), "{vendor:?}");
    }
}

#[test]
fn one_bad_variable_among_good_ones_is_an_error() {
    for broken in Vendor::ALL {
        let value = |vendor| Value::Text(if vendor == broken { "" } else { "k-1" });
        let error = from(&Vendor::ALL.map(|vendor| (credential_of(vendor), value(vendor)))).unwrap_err();
        assert!(error.to_string().contains(&credential_of(broken)), "{error}");
    }
}

#[test]
fn an_account_from_the_environment_does_not_replace_one_that_has_its_name() {
    let client = Vendor::Baseten.client("k-2", "https://vendor.example", ClientOptions::new());
    let get = |name: &str| (name == "BASETEN_API_KEY").then(|| OsString::from("k-1"));
    let named = |name: &str| Keymux::builder().with_account(name, client.clone());
    let taken = named("baseten").with_variables(&get, &ClientOptions::new()).unwrap().build();
    assert!(taken.unwrap_err().to_string().contains("`baseten`"));
    let both = named("baseten-2").with_variables(&get, &ClientOptions::new()).unwrap().build().unwrap();
    assert_eq!(names(&both), ["baseten", "baseten-2"]);
}

/// What this process makes of its own environment, which the test below gives it.
fn report() -> String {
    let facade = match Keymux::from_env() {
        Ok(keymux) => names(&keymux).join(","),
        Err(error) => error.to_string(),
    };
    let clients = [
        keymux::baseten::Config::from_env().and_then(keymux::baseten::Config::build).err(),
        keymux::braintrust::Config::from_env().and_then(keymux::braintrust::Config::build).err(),
        keymux::mielto::Config::from_env().and_then(keymux::mielto::Config::build).err(),
        keymux::datkey::Config::from_env().and_then(keymux::datkey::Config::build).err(),
        keymux::oneloop::Config::from_env().and_then(keymux::oneloop::Config::build).err(),
    ];
    let clients = clients.map(|error| error.map_or("built".to_owned(), |error| error.to_string()));
    format!("facade: {facade}; clients: {}", clients.join(" | "))
}

const CHILD: &str = "KEYMUX_TESTS_REPORT_TO";

#[test]
fn the_processs_own_environment_is_read() {
    if let Some(file) = std::env::var_os(CHILD) {
        return std::fs::write(file, report()).unwrap();
    }
    let child = |variables: &[(String, &str)]| {
        let file = std::env::temp_dir().join(format!("keymux-tests-{}-{}", std::process::id(), variables.len()));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "facade::environment::the_processs_own_environment_is_read"]).env(CHILD, &file);
        for vendor in Vendor::ALL {
            command.env_remove(credential_of(vendor)).env_remove(base_url_of(vendor));
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        assert!(command.output().unwrap().status.success());
        let report = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        report
    };

    let none = child(&[]);
    assert!(none.starts_with("facade: ; clients: "), "{none}");
    for vendor in Vendor::ALL {
        assert!(none.contains(&format!("configuration: {} is not set", credential_of(vendor))), "{none}");
    }
    let all = child(&Vendor::ALL.map(|vendor| (credential_of(vendor), "k-1")));
    assert_eq!(all, "facade: baseten,braintrust,datkey,mielto,oneloop; clients: built | built | built | built | built");
    let empty = child(&[(credential_of(Vendor::Mielto), "")]);
    assert_eq!(empty.matches("MIELTO_API_KEY is set but empty").count(), 2, "{empty}");
}

#[test]
fn in_parts_one_bad_variable_costs_its_account_and_an_empty_one_is_none() {
    let partial = |variables: &[(String, Value)]| {
        let get = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.os_string());
        let keymux = Keymux::builder().with_variables_partial(&get, &ClientOptions::new()).build().unwrap();
        (keymux, keymux::empty_variables(&get))
    };
    for vendor in Vendor::ALL {
        let good = Vendor::ALL.map(|vendor| (credential_of(vendor), Value::Text("k-1")));
        let with = |name: String, value| {
            let rest = good.iter().filter(|(other, _)| *other != name).cloned();
            rest.chain([(name.clone(), value)]).collect::<Vec<_>>()
        };
        let bad = [
            (credential_of(vendor), Value::NoText),
            (credential_of(vendor), Value::Text("CAN ARY")),
            (credential_of(vendor), Value::Text("'CANARY'")),
            (base_url_of(vendor), Value::Text("CANARY")),
        ];
        for (name, value) in bad {
            assert!(from(&with(name.clone(), value)).is_err(), "all or nothing");
            let (keymux, empty) = partial(&with(name.clone(), value));
            assert_eq!((keymux.accounts().len(), empty.len()), (5, 0));
            let broken: Vec<_> = keymux.unavailable_accounts().collect();
            let [(account, error)] = broken[..] else { panic!("{broken:?}") };
            assert_eq!((account.as_str(), error.kind()), (vendor.id(), ErrorKind::Config));
            let told = error.to_string();
            assert!(told.contains(&name) && !told.contains("CANARY"), "{told}");
        }
        for value in ["", " "] {
            let (keymux, empty) = partial(&with(credential_of(vendor), Value::Text(value)));
            assert_eq!((keymux.accounts().len(), keymux.unavailable_accounts().len()), (4, 0));
            assert_eq!(empty, [credential_of(vendor)]);
            let (keymux, empty) = partial(&with(base_url_of(vendor), Value::Text(value)));
            assert_eq!((keymux.accounts().len(), keymux.unavailable_accounts().len()), (5, 0));
            assert_eq!(empty, [base_url_of(vendor)]);
        }
    }
}
