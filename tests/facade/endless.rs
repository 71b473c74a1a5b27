//! Lists that would never end: of scopes, of keys, and of both in an inventory. Each ends with an error that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use keymux::{
    AccountName, ApiKeyProvider, Capabilities, Cursor, Error, ErrorKind, KeyAddress, KeyKind, KeyRecord, Keymux,
    Operation, Page, PartResult, ProviderId, ProviderInfo, Scope, ScopeInfo,
};

use crate::fixtures::now;

/// What is on page number *n*, and the cursor on it.
type Rows = fn(u64) -> Vec<String>;
type Next = fn(u64) -> Option<String>;

/// A vendor whose pages follow these rules.
#[derive(Debug, Clone)]
struct Winding {
    info: ProviderInfo,
    scopes: (Rows, Next),
    keys: (Rows, Next),
    /// How many pages of scopes and of keys were asked for.
    requests: Arc<[AtomicU64; 2]>,
}

impl Winding {
    fn new(scopes: (Rows, Next), keys: (Rows, Next)) -> Self {
        let info = ProviderInfo::new(ProviderId::new("winding"), "Winding", ["scope", "id"]);
        let can = Capabilities::default().with_native([Operation::ListPage, Operation::ScopesPage]);
        Self { info: info.with_capabilities(can), scopes, keys, requests: Arc::default() }
    }

    fn page(
        (rows, next): (Rows, Next),
        cursor: Option<&Cursor>,
        requests: &AtomicU64,
    ) -> (Vec<String>, Option<Cursor>) {
        let number = requests.fetch_add(1, Ordering::SeqCst);
        assert!(number < 10_000, "the list has no end");
        assert!(cursor.is_none_or(|cursor| cursor.as_str().len() <= 4096), "a cursor too long to be sent");
        (rows(number), next(number).map(Cursor::new))
    }
}

#[async_trait]
impl ApiKeyProvider for Winding {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn get(&self, _: &KeyAddress) -> Result<KeyRecord, Error> {
        Err(Error::new(ErrorKind::NotFound))
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let (ids, next) = Self::page(self.keys, cursor, &self.requests[1]);
        let record = |id: String| {
            let path = scope.segments().map(str::to_owned).chain([id]);
            KeyRecord::new(&self.info, KeyAddress::new(path).unwrap(), KeyKind::API_KEY)
        };
        Ok(Page::new(ids.into_iter().map(record).collect(), next, Vec::new()))
    }

    async fn scopes_page(&self, cursor: Option<&Cursor>) -> Result<Page<ScopeInfo>, Error> {
        let (names, next) = Self::page(self.scopes, cursor, &self.requests[0]);
        let scopes = names.into_iter().map(|name| ScopeInfo::new(Scope::new([name]).unwrap(), None));
        Ok(Page::new(scopes.collect(), next, Vec::new()))
    }
}

const FRESH: Next = |number| Some(format!("c{number}"));
const LAST: Next = |_| None;
const NOTHING: Rows = |_| Vec::new();

/// What is odd, the pages, how many of them are asked for, and what the error says.
const ENDLESS: [(&str, Rows, Next, u64, &str); 8] = [
    ("empty pages", NOTHING, FRESH, 100, "the last 100 pages brought no new"),
    ("the same page", |_| vec!["a".into(), "b".into()], FRESH, 101, "the last 100 pages brought no new"),
    ("two pages in turn", |number| vec![format!("x{}", number % 2)], FRESH, 102, "the last 100 pages brought no new"),
    (
        "the same page and empty ones",
        |number| if number % 2 == 0 { vec!["a".into()] } else { Vec::new() },
        FRESH,
        101,
        "the last 100 pages brought no new",
    ),
    (
        "a long cycle",
        |number| (0..10).map(|row| format!("x{}-{row}", number % 150)).collect(),
        FRESH,
        0,
        "pages brought no new",
    ),
    ("one cursor", |number| vec![format!("x{number}")], |_| Some("c".into()), 2, "gave a cursor again"),
    (
        "a cycle of cursors",
        |number| vec![format!("x{number}")],
        |number| Some(format!("c{}", number % 3)),
        4,
        "gave a cursor again",
    ),
    ("a huge cursor", |number| vec![format!("x{number}")], |_| Some("x".repeat(60_000)), 1, "a cursor of 60000 bytes"),
];

fn prod() -> AccountName {
    AccountName::new("prod").unwrap()
}

fn keymux(vendor: &Winding) -> Keymux {
    Keymux::builder().with_account("prod", vendor.clone()).build().unwrap()
}

fn check(what: &str, vendor: &Winding, error: &Error, requests: u64, says: &str) {
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Decode, false), "{what}: {error}");
    assert_eq!((error.account(), error.provider().map(ProviderId::as_str)), (Some(&prod()), Some("winding")), "{what}");
    assert!(error.to_string().contains(says), "{what}: {error}");
    if requests > 0 {
        let asked: u64 = vendor.requests.iter().map(|number| number.load(Ordering::SeqCst)).sum();
        assert_eq!(asked, requests, "{what}");
    }
}

#[test]
fn scopes_without_an_end_are_an_error() {
    for (what, rows, next, requests, says) in ENDLESS {
        let vendor = Winding::new((rows, next), (NOTHING, LAST));
        let error = now(keymux(&vendor).scopes(&prod())).unwrap_err();
        check(what, &vendor, &error, requests, says);
        assert_eq!(error.operation(), Some("scopes_page"), "{what}");
    }
}

#[test]
fn keys_without_an_end_are_an_error_after_those_that_were_given() {
    for (what, rows, next, requests, says) in ENDLESS {
        let vendor = Winding::new((NOTHING, LAST), (rows, next));
        let mut stream = keymux(&vendor).list(&prod(), Scope::new(["g"]).unwrap(), None).unwrap();
        let error = loop {
            match now(stream.next()).unwrap() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        check(what, &vendor, &error, requests, says);
        assert_eq!(error.operation(), Some("list_page"), "{what}");
        assert!(now(stream.next()).is_none(), "{what}");
    }
}

#[test]
fn an_inventory_of_scopes_without_an_end_ends_and_is_not_complete() {
    for (what, rows, next, _, says) in ENDLESS {
        let vendor = Winding::new((rows, next), (NOTHING, LAST));
        let incomplete = now(keymux(&vendor).inventory().stream().unwrap().collect()).unwrap_err();
        let PartResult::Failed { error } = incomplete.completeness.account(&prod()).unwrap().scopes() else {
            panic!("{what}: {:?}", incomplete.completeness)
        };
        assert!(error.to_string().contains(says), "{what}: {error}");
    }
}

#[test]
fn an_inventory_of_keys_without_an_end_ends_and_is_not_complete() {
    for (what, rows, next, _, says) in ENDLESS {
        let vendor = Winding::new((|_| vec!["g".into()], LAST), (rows, next));
        let incomplete = now(keymux(&vendor).inventory().stream().unwrap().collect()).unwrap_err();
        assert!(incomplete.to_string().contains(says), "{what}: {incomplete}");
    }
}

#[test]
fn new_scopes_without_an_end_are_an_error_at_a_number_that_no_account_has() {
    let rows: Rows = |number| (0..10_000).map(|row| format!("g{number}-{row}")).collect();
    let vendor = Winding::new((rows, FRESH), (NOTHING, LAST));
    let error = now(keymux(&vendor).scopes(&prod())).unwrap_err();
    check("new scopes", &vendor, &error, 11, "more than 100000 scopes in one account");
    let vendor = Winding::new((rows, FRESH), (NOTHING, LAST));
    let found = now(keymux(&vendor).inventory().units()).unwrap().completeness;
    let PartResult::Failed { error } = found.account(&prod()).unwrap().scopes() else { panic!("{found:?}") };
    assert!(error.to_string().contains("more than 100000 scopes"), "{error}");
}

#[test]
fn empty_pages_between_are_no_end_and_no_error() {
    let rows: Rows = |number| if number % 3 == 0 { vec![format!("x{number}")] } else { Vec::new() };
    let next: Next = |number| (number < 300).then(|| format!("c{number}"));
    let vendor = Winding::new((rows, next), (NOTHING, LAST));
    assert_eq!(now(keymux(&vendor).scopes(&prod())).unwrap().len(), 101);
    let vendor = Winding::new((NOTHING, LAST), (rows, next));
    let mut stream = keymux(&vendor).list(&prod(), Scope::account(), None).unwrap();
    let mut count = 0;
    while let Some(key) = now(stream.next()) {
        key.unwrap();
        count += 1;
    }
    assert_eq!(count, 101);
}
