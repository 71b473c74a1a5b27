//! A canary in every place of a secret, and a walk over everything that the public types print, write and log, in which
//! it must not be found.

mod errors;
mod log;
mod settings;

use std::error::Error as StdError;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use keymux::{
    AccountName, AttemptEvent, ClientOptions, Error, GiveUpEvent, KeyRecord, KeyRef, Keymux, Observer, Outcome,
    RetryEvent,
};
use serde_json::{Value, json};

use crate::fixtures::{Example, Reply, Vendor, full, now};

/// What is looked for.
const CANARY: &str = "CANARY";

/// A credential: only letters, so that it is hidden because it is known and not because of its look.
const CREDENTIAL: &str = "CANARY-of-the-credential";

/// Everything that was printed, and where the canary was found.
#[derive(Debug, Default)]
struct Walk {
    texts: usize,
    found: Vec<String>,
}

impl Walk {
    fn text(&mut self, what: &str, text: &str) {
        self.texts += 1;
        if let Some(at) = text.find(CANARY) {
            let start = text[..at].char_indices().rev().nth(60).map_or(0, |(start, _)| start);
            let excerpt: String = text[start..].chars().take(140).collect();
            self.found.push(format!("{what}: …{}…", excerpt.replace('\n', " ")));
        }
    }

    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.text(&format!("{what} {{:?}}"), &format!("{value:?}"));
        self.text(&format!("{what} {{:#?}}"), &format!("{value:#?}"));
    }

    /// The unified error, everything it tells, and its whole chain of sources, the vendor's typed error among them.
    fn error(&mut self, what: &str, error: &Error) {
        for part in [error.message(), error.code(), error.request_id()].into_iter().flatten() {
            self.text(&format!("{what}, a part"), part);
        }
        if let Some(violations) = error.detail::<Vec<keymux::mielto::Violation>>() {
            self.debug(&format!("{what}, violations"), violations);
            for violation in violations {
                self.text(&format!("{what}, a violation"), &violation.to_string());
            }
        }
        let mut depth = 0;
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = next {
            self.text(&format!("{what}, cause {depth}"), &cause.to_string());
            self.debug(&format!("{what}, cause {depth}"), &cause);
            next = cause.source();
            depth += 1;
        }
    }

    /// The record, its JSON, each of its parts, and the vendor's own model.
    fn record(&mut self, what: &str, record: &KeyRecord) {
        self.debug(&format!("{what}, record"), record);
        self.text(&format!("{what}, JSON"), &serde_json::to_string(record).unwrap());
        self.text(&format!("{what}, raw"), &record.raw.as_ref().map(Value::to_string).unwrap_or_default());
        for note in &record.drift {
            self.text(&format!("{what}, a note"), &note.to_string());
            self.debug(&format!("{what}, a note"), note);
        }
        let what = format!("{what}, native");
        match record.provider.as_str() {
            "baseten" => self.debug(&what, record.native::<keymux::baseten::ApiKey>().unwrap()),
            "braintrust" => self.debug(&what, record.native::<keymux::braintrust::ApiKey>().unwrap()),
            "mielto" => self.debug(&what, record.native::<keymux::mielto::ApiKey>().unwrap()),
            "datkey" => self.debug(&what, record.native::<keymux::datkey::Key>().unwrap()),
            "oneloop" => self.debug(&what, record.native::<keymux::oneloop::ApiKey>().unwrap()),
            other => panic!("{other} has a model of its own"),
        }
    }

    fn outcome(&mut self, what: &str, outcome: &Outcome) {
        self.debug(&format!("{what}, outcome"), outcome);
        match &outcome.result {
            Ok(record) => self.record(what, record),
            Err(error) => self.error(what, error),
        }
    }

    #[track_caller]
    fn assert_silent(self) {
        assert!(self.texts > 0, "nothing was looked at");
        let shown: Vec<&str> = self.found.iter().take(30).map(String::as_str).collect();
        assert!(self.found.is_empty(), "found in {} of {} texts:\n{}", self.found.len(), self.texts, shown.join("\n"));
    }
}

/// Keeps what its events print.
#[derive(Debug, Default)]
struct Journal(Mutex<Vec<String>>);

impl Journal {
    fn keep(&self, event: &dyn Debug) {
        self.0.lock().unwrap().push(format!("{event:?}\n{event:#?}"));
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl Observer for Journal {
    fn on_attempt(&self, event: &AttemptEvent<'_>) {
        self.keep(event);
    }

    fn on_retry(&self, event: &RetryEvent<'_>) {
        self.keep(event);
    }

    fn on_give_up(&self, event: &GiveUpEvent<'_>) {
        self.keep(event);
    }
}

/// A facade with one account, whose credential is the canary, and the reference of the example.
fn facade(example: &Example, base_url: &str, options: ClientOptions) -> (Keymux, KeyRef) {
    let client = example.vendor.client(CREDENTIAL, base_url, options);
    let account = AccountName::new("account").unwrap();
    let keymux = Keymux::builder().with_account(account.as_str(), client).build().unwrap();
    (keymux, KeyRef::new(account, example.address.clone()))
}

fn options(example: &Example) -> ClientOptions {
    Reply { status: 200, headers: Vec::new(), body: example.body.to_string().into() }.options().with_raw(true)
}

/// The same body with the canary in every place of a secret, in undocumented members, and beside the key object.
fn with_secrets(example: &Example) -> Vec<(String, Example)> {
    let mut bodies = Vec::new();
    let plaintext = "sk-CANARY-plaintext";
    for (what, secret) in [
        ("a text", json!(plaintext)),
        ("a list", json!([plaintext, [plaintext]])),
        ("an object", json!({"value": plaintext, "deep": {"value": [plaintext]}})),
    ] {
        for member in example.vendor.secrets() {
            // In its flat form Datkey's key object has no other object in `key`.
            if secret.is_object() && example.vendor.wrapper() == Some(member) && example.wrapper().is_none() {
                continue;
            }
            bodies.push((format!("{what} in {member}"), example.with_key(|key| key[*member] = secret.clone())));
        }
        let everywhere = example.with_key(|key| {
            for member in ["plaintext", "newSecret", "hash", "nested"] {
                key[member] = secret.clone();
            }
            key["keys"] = json!([{"key": secret, "new": secret}]);
            if key["scopes"].is_array() {
                key["scopes"][0]["token"] = secret.clone();
            }
        });
        bodies.push((format!("{what} in undocumented members"), everywhere));
        if example.wrapper().is_some() {
            let mut beside = example.clone();
            for member in ["plaintext", "secret", "api_key"] {
                beside.body[member] = secret.clone();
            }
            bodies.push((format!("{what} beside the key object"), beside));
        }
    }
    bodies
}

/// The examples to plant secrets in: of each vendor the full one, and what is wrapped elsewhere too.
fn nests() -> Vec<Example> {
    let flat = full(Vendor::Datkey);
    let wrapped = Example { body: json!({"key": flat.body}), ..flat.clone() };
    let bare = Example { body: full(Vendor::Oneloop).key().clone(), ..full(Vendor::Oneloop) };
    Vendor::ALL.map(full).into_iter().chain([wrapped, bare]).collect()
}

#[test]
fn no_record_model_or_outcome_shows_a_secret_of_the_answer() {
    let mut walk = Walk::default();
    for nest in nests() {
        for (what, example) in with_secrets(&nest) {
            let what = format!("{}, {what}", nest.name());
            let (keymux, key) = facade(&example, "https://vendor.example", options(&example));
            walk.record(&what, &now(keymux.get(&key)).unwrap());
            let outcome = now(keymux.get_many([key]).next()).unwrap();
            walk.outcome(&what, &outcome);
        }
    }
    walk.assert_silent();
}

#[test]
fn the_typed_clients_show_no_secret_either() {
    let mut walk = Walk::default();
    for (what, example) in with_secrets(&full(Vendor::Mielto)) {
        let client = keymux::mielto::Config::new(CREDENTIAL).with_options(options(&example)).build().unwrap();
        let id = keymux::mielto::ApiKeyId::new("key_000000001").unwrap();
        let key = now(client.get_api_key(&id)).unwrap();
        walk.debug(&format!("mielto, {what}"), &key);
        for (member, secret) in [("key", &key.key), ("secret", &key.secret), ("hashed_secret", &key.hashed_secret)] {
            walk.debug(&format!("mielto, {what}, {member}"), secret);
        }
        walk.debug("mielto, client", &client);
    }
    for nest in nests().into_iter().filter(|example| example.vendor == Vendor::Datkey) {
        for (what, example) in with_secrets(&nest) {
            let client = keymux::datkey::Config::new(CREDENTIAL).with_options(options(&example)).build().unwrap();
            let id = keymux::datkey::KeyId::new(example.address.segments().next().unwrap()).unwrap();
            let key = now(client.get_key(&id)).unwrap();
            walk.debug(&format!("datkey, {what}"), &key);
            walk.debug(&format!("datkey, {what}, text"), &key.key);
        }
    }
    walk.assert_silent();
}

#[test]
fn a_secret_of_the_answer_can_be_read_on_purpose() {
    use keymux::ExposeSecret as _;
    let example = full(Vendor::Mielto).with_key(|key| key["secret"] = json!("sk-CANARY"));
    let record = example.read().unwrap();
    let key = record.native::<keymux::mielto::ApiKey>().unwrap();
    assert_eq!(key.secret.known().unwrap().expose_secret(), "sk-CANARY");
    let example = full(Vendor::Datkey).with_key(|key| key["key"] = json!("demo_CANARY"));
    let record = example.read().unwrap();
    let key = record.native::<keymux::datkey::Key>().unwrap();
    let keymux::datkey::KeyText::Unmasked(text) = key.key.known().unwrap() else { panic!("not masked") };
    assert_eq!(text.expose_secret(), "demo_CANARY");
}

// ---- The walk can find a canary ----

#[test]
fn the_walk_finds_a_canary_that_is_planted_in_a_name() {
    for vendor in Vendor::ALL {
        let member = if vendor == Vendor::Mielto { "label" } else { "name" };
        let example = full(vendor).with_key(|key| key[member] = json!("my CANARY"));
        let (keymux, key) = facade(&example, "https://vendor.example", options(&example));
        let mut walk = Walk::default();
        walk.outcome("planted", &now(keymux.get_many([key]).next()).unwrap());
        for place in ["outcome {:?}", "outcome {:#?}", "record {:?}", "record {:#?}", "JSON", "raw", "native {:?}"] {
            let at = format!("planted, {place}:");
            assert!(walk.found.iter().any(|found| found.starts_with(&at)), "{vendor:?}: {place}: {:?}", walk.found);
        }
    }
}

#[test]
fn the_walk_finds_a_canary_that_is_planted_in_an_error() {
    for vendor in Vendor::ALL {
        let example = full(vendor);
        let body = json!({"message": "no CANARY here", "detail": "no CANARY here", "error": {"message": "no CANARY"}});
        let reply = Reply { status: 404, headers: Vec::new(), body: body.to_string().into() };
        let client = vendor.client("another", "https://vendor.example", reply.options());
        let error = now(client.get(&example.address)).unwrap_err();
        let mut walk = Walk::default();
        walk.error("planted", &error);
        for place in ["a part", "cause 0", "cause 0 {:?}", "cause 1 {:?}", "cause 1 {:#?}"] {
            let at = format!("planted, {place}:");
            assert!(walk.found.iter().any(|found| found.starts_with(&at)), "{vendor:?}: {place}: {:?}", walk.found);
        }
    }
}

#[test]
fn the_walk_finds_a_canary_that_is_planted_in_a_path() {
    let example = Example {
        address: keymux::KeyAddress::new(["CANARY"]).unwrap(),
        ..full(Vendor::Mielto).with_key(|key| key["id"] = json!("CANARY"))
    };
    let journal = Arc::new(Journal::default());
    let (keymux, key) = facade(&example, "https://vendor.example", options(&example).with_observer(journal.clone()));
    now(keymux.get(&key)).unwrap();
    let mut walk = Walk::default();
    walk.text("planted", &journal.text());
    assert_eq!(walk.found.len(), 1, "{}", journal.text());
}
