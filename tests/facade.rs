//! The facade: accounts at any number of vendors, asked in one way.

mod clock;
mod endless;
mod environment;
mod inventory;
mod limits;
mod many;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::StreamExt as _;
use keymux::{
    AccountName, ApiKeyProvider, Error, ErrorKind, Fact, Field, KeyAddress, KeyKind, KeyRecord, KeyRef, Keymux,
    Outcome, ProviderId, ProviderInfo,
};

use crate::fixtures::{Vendor, examples, full, now};

/// A vendor of somebody else's: it knows the keys that are not named after a failure.
#[derive(Debug)]
struct Acme {
    info: ProviderInfo,
}

impl Acme {
    fn new() -> Self {
        let info = ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]);
        Self { info: info.with_fields([Field::Name, Field::OwnerUser]) }
    }
}

#[async_trait]
impl ApiKeyProvider for Acme {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        let id = address.segments().next().unwrap();
        match id {
            "gone" => Err(Error::new(ErrorKind::NotFound).with_message("no such key")),
            "elsewhere" => Err(Error::new(ErrorKind::Server).with_provider(ProviderId::new("upstream"))),
            _ => {
                let mut record = KeyRecord::new(&self.info, address.clone(), KeyKind::API_KEY);
                record.name = Fact::Known(format!("the key {id}"));
                Ok(record.with_native(id.to_owned()))
            }
        }
    }
}

fn key(text: &str) -> KeyRef {
    text.parse().unwrap()
}

fn acme_as(names: &[&str]) -> Keymux {
    let add = |builder: keymux::Builder, name: &&str| builder.with_account(*name, Acme::new());
    names.iter().fold(Keymux::builder(), add).build().unwrap()
}

/// Waits for the outcomes that come without anything else happening.
fn ready(outcomes: &mut keymux::Outcomes) -> Vec<Outcome> {
    let mut seen = Vec::new();
    // One poll may end early, so that other tasks have their turn.
    for _ in 0..8 {
        while let Some(Some(outcome)) = futures_util::FutureExt::now_or_never(outcomes.next()) {
            seen.push(outcome);
        }
    }
    seen
}

#[test]
fn an_outsiders_provider_plugs_in_and_its_record_names_the_account() {
    let keymux = acme_as(&["prod", "dev"]);
    for account in ["prod", "dev"] {
        let record = now(keymux.get(&key(&format!("{account}:a%2Fb")))).unwrap();
        assert_eq!(record.account.as_str(), account);
        assert_eq!(record.provider.as_str(), "acme");
        assert_eq!(record.key_ref().to_string(), format!("{account}:a%2Fb"));
        assert_eq!(record.name, Fact::Known("the key a/b".to_owned()));
        assert_eq!((record.owner.user, record.metadata), (Fact::Missing, Fact::Unsupported));
    }
    let record = now(keymux.get(&key("dev:a"))).unwrap();
    assert_eq!(record.native::<String>().map(String::as_str), Some("a"));
}

#[test]
fn an_error_names_the_account_and_the_vendor() {
    let keymux = acme_as(&["prod"]);
    let error = now(keymux.get(&key("prod:gone"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "prod (acme): not found: no such key");
    let error = now(keymux.get(&key("prod:elsewhere"))).unwrap_err();
    assert_eq!(error.account().map(AccountName::as_str), Some("prod"));
    assert_eq!(error.provider().map(ProviderId::as_str), Some("upstream"), "what the provider said of itself stays");
}

#[test]
fn an_unknown_account_is_a_configuration_error_that_lists_the_known() {
    let error = now(acme_as(&["prod", "dev", "x.1"]).get(&key("prd:a"))).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0));
    assert_eq!(error.account().map(AccountName::as_str), Some("prd"));
    let text = error.to_string();
    assert!(["`prd`", "dev", "prod", "x.1"].iter().all(|name| text.contains(name)), "{text}");
}

#[test]
fn without_any_account_the_error_lists_the_variables_that_make_one() {
    let error = now(acme_as(&[]).get(&key("baseten:a/b"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for vendor in Vendor::ALL {
        let name = format!("{}_API_KEY", vendor.id().to_uppercase());
        assert!(error.to_string().contains(&name), "{error}");
    }
}

#[test]
fn an_account_is_named_after_its_vendor_where_the_user_gives_no_name() {
    let keymux = Keymux::builder().with_provider(Acme::new()).with_provider(Arc::new(Acme::new())).build();
    assert!(keymux.unwrap_err().to_string().contains("`acme`"), "two accounts at one vendor need names");
    let keymux = Keymux::builder().with_provider(Acme::new()).with_account("acme-2", Acme::new()).build().unwrap();
    let names: Vec<&str> = keymux.accounts().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["acme", "acme-2"]);
    assert_eq!(keymux.account(&AccountName::new("acme-2").unwrap()).unwrap().info().name(), "Acme");
    assert!(keymux.account(&AccountName::new("acme-3").unwrap()).is_err());
}

#[test]
fn a_name_that_is_taken_or_is_no_account_name_is_an_error_of_build() {
    let build = |names: &[&str]| {
        let add = |builder: keymux::Builder, name: &&str| builder.with_account(*name, Acme::new());
        names.iter().fold(Keymux::builder(), add).build()
    };
    let long = "x".repeat(65);
    for bad in
        [&["a", "b", "a"][..], &[""], &[" "], &["-a"], &[".a"], &["a b"], &["a:b"], &["a/b"], &["\u{e9}"], &[&long]]
    {
        let error = build(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{bad:?}");
    }
    assert!(build(&["a", "b", "a"]).unwrap_err().to_string().contains("`a`"));
    assert!(build(&["a", "A", "a-1", "a_1", "a.1", "1", &"x".repeat(64)]).is_ok());
}

#[test]
fn a_facade_goes_to_other_threads_and_so_do_its_futures() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    fn is_sent<T: Send>(_: &T) {}
    is_shared::<Keymux>();
    is_shared::<KeyRecord>();
    is_shared::<Error>();
    is_shared::<Outcome>();
    is_shared::<Arc<dyn ApiKeyProvider>>();
    let keymux = acme_as(&["a"]);
    let reference = key("a:1");
    is_sent(&keymux.get(&reference));
    let mut outcomes = keymux.get_many([reference.clone()]);
    is_sent(&outcomes);
    is_sent(&outcomes.next());
    drop(keymux.clone());
}

#[tokio::test]
async fn clones_share_their_accounts_across_threads() {
    let keymux = acme_as(&["a"]);
    let clone = keymux.clone();
    let record = tokio::spawn(async move { clone.get(&key("a:1")).await }).await.unwrap();
    assert_eq!(record.unwrap(), keymux.get(&key("a:1")).await.unwrap());
}

/// The five vendors at one server, each under the name `my-<vendor>`.
fn five_at(url: &str) -> Keymux {
    let mut builder = Keymux::builder();
    for vendor in Vendor::ALL {
        let client = vendor.client("credential", url, keymux::ClientOptions::new());
        builder = builder.with_account(format!("my-{}", vendor.id()), client);
    }
    builder.build().unwrap()
}

#[tokio::test]
async fn the_five_vendors_are_asked_in_one_way() {
    let mut server = mockito::Server::new_async().await;
    let mut keys = Vec::new();
    for example in Vendor::ALL.map(full) {
        let path = example.vendor.path(&example.address);
        let found = server.mock("GET", path.as_str()).with_body(example.body.to_string()).expect(1);
        found.create_async().await;
        let account = AccountName::new(format!("my-{}", example.vendor.id())).unwrap();
        keys.push(KeyRef::new(account, example.address));
    }
    let keymux = five_at(&server.url());
    let outcomes: Vec<Outcome> = keymux.get_many(keys.clone()).collect().await;
    assert_eq!(outcomes.len(), 5);
    for example in Vendor::ALL.map(full) {
        let account = format!("my-{}", example.vendor.id());
        let outcome = outcomes.iter().find(|outcome| outcome.key.account().as_str() == account).unwrap();
        let record = outcome.result.as_ref().unwrap();
        assert_eq!((record.account.as_str(), record.provider.as_str()), (account.as_str(), example.vendor.id()));
        assert_eq!(record.key_ref(), outcome.key);
        let known = |key: &KeyRecord| key.name.known().cloned();
        assert_eq!(known(record), known(&example.read().unwrap()));
    }
}

#[tokio::test]
async fn an_error_of_each_vendor_names_the_account_and_keeps_the_vendors_own_as_its_source() {
    let mut server = mockito::Server::new_async().await;
    server
        .mock("GET", mockito::Matcher::Any)
        .with_status(404)
        .with_body(r#"{"message":"no such key"}"#)
        .create_async()
        .await;
    let keymux = five_at(&server.url());
    for example in Vendor::ALL.map(full) {
        let vendor = example.vendor;
        let account = format!("my-{}", vendor.id());
        let reference = KeyRef::new(AccountName::new(&account).unwrap(), example.address);
        let error = keymux.get(&reference).await.unwrap_err();
        assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::NotFound, Some(404), 1), "{error}");
        let operation = if vendor == Vendor::Datkey { "get_key" } else { "get_api_key" };
        let line = format!("{account} ({}) {operation}: not found (HTTP 404)", vendor.id());
        assert!(error.to_string().starts_with(&line), "{error}");
        let source = std::error::Error::source(&error).unwrap();
        let typed = match vendor {
            Vendor::Baseten => matches!(source.downcast_ref(), Some(keymux::baseten::Error::NotFound(_))),
            Vendor::Braintrust => {
                matches!(source.downcast_ref(), Some(keymux::braintrust::Error::MissingOrNoAccess(_)))
            }
            Vendor::Mielto => matches!(source.downcast_ref(), Some(keymux::mielto::Error::NotFound(_))),
            Vendor::Datkey => matches!(source.downcast_ref(), Some(keymux::datkey::Error::NotFound(_))),
            Vendor::Oneloop => matches!(source.downcast_ref(), Some(keymux::oneloop::Error::NotFound(_))),
        };
        assert!(typed, "{vendor:?}: {source:?}");
    }
}

/// What a printer of whole chains makes of an error: each source after its effect, with a colon between.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn a_printer_of_whole_chains_shows_the_message_once() {
    for status in [400, 401, 403, 404, 422] {
        let mut server = mockito::Server::new_async().await;
        let body = r#"{"message":"so it is","detail":"so it is","error":"so it is"}"#;
        server.mock("GET", mockito::Matcher::Any).with_status(status).with_body(body).create_async().await;
        let keymux = five_at(&server.url());
        for example in Vendor::ALL.map(full) {
            let account = AccountName::new(format!("my-{}", example.vendor.id())).unwrap();
            let error = keymux.get(&KeyRef::new(account, example.address)).await.unwrap_err();
            let told = chain(&error);
            assert_eq!(told.matches("so it is").count(), 1, "{told}");
            assert_eq!(told.matches(&format!("HTTP {status}")).count(), 1, "{told}");
            assert!(told.len() > error.to_string().len(), "the vendor's own error is there: {told}");
        }
    }
}

#[tokio::test]
async fn an_address_of_another_shape_is_refused_before_anything_is_sent() {
    let mut server = mockito::Server::new_async().await;
    let nothing = server.mock("GET", mockito::Matcher::Any).expect(0).create_async().await;
    let keymux = five_at(&server.url());
    for example in examples() {
        let vendor = example.vendor;
        let parts = example.address.segments().len();
        for odd in (1..=3).filter(|count| *count != parts) {
            let address = KeyAddress::new((0..odd).map(|part| part.to_string())).unwrap();
            let account = AccountName::new(format!("my-{}", vendor.id())).unwrap();
            let error = keymux.get(&KeyRef::new(account, address)).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
            assert!(vendor.info().address().all(|part| error.to_string().contains(part)), "{error}");
        }
    }
    nothing.assert_async().await;
}
