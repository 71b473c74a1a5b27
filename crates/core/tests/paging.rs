//! The one stream over pages: lazy, resumable, and never wrong about where it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use keymux_core::{
    ApiKeyProvider, Cursor, Error, ErrorKind, KeyAddress, KeyKind, KeyRecord, KeyStream, ListPosition, Page,
    ProviderId, ProviderInfo, Scope,
};

static INFO: LazyLock<ProviderInfo> = LazyLock::new(|| ProviderInfo::new(ProviderId::new("acme"), "Acme", ["id"]));

/// A vendor with scripted pages: by cursor, the ids and the next cursor; a page that is not there fails.
#[derive(Debug, Default)]
struct Scripted {
    pages: BTreeMap<&'static str, (Vec<&'static str>, Option<&'static str>)>,
    requests: AtomicUsize,
}

#[async_trait]
impl ApiKeyProvider for Scripted {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        Ok(KeyRecord::new(&INFO, address.clone(), KeyKind::API_KEY))
    }

    async fn list_page(&self, _scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let Some((ids, next)) = self.pages.get(cursor.map_or("", Cursor::as_str)) else {
            return Err(Error::new(ErrorKind::Server));
        };
        let record = |id: &&str| KeyRecord::new(&INFO, KeyAddress::new([*id]).unwrap(), KeyKind::API_KEY);
        Ok(Page::new(ids.iter().map(record).collect(), next.map(Cursor::new), Vec::new()))
    }
}

type Script = &'static [(&'static str, &'static [&'static str], Option<&'static str>)];

fn vendor(pages: Script) -> Arc<Scripted> {
    let pages = pages.iter().map(|(cursor, ids, next)| (*cursor, (ids.to_vec(), *next))).collect();
    Arc::new(Scripted { pages, ..Scripted::default() })
}

fn stream(vendor: &Arc<Scripted>, from: Option<ListPosition>) -> KeyStream {
    KeyStream::new(Arc::clone(vendor) as Arc<dyn ApiKeyProvider>, Scope::account(), from)
}

/// What a stream gives: ids, and an error's kind last.
async fn read(mut stream: KeyStream) -> (Vec<String>, Option<ErrorKind>) {
    let mut ids = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(record) => ids.push(record.address.to_string()),
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing comes after an error");
                return (ids, Some(error.kind()));
            }
        }
    }
    assert!(stream.next().await.is_none(), "the end stays the end");
    (ids, None)
}

#[tokio::test]
async fn every_key_is_given_once_and_the_end_is_found() {
    let table: &[(&str, Script, &[&str], Option<ErrorKind>)] = &[
        ("one page", &[("", &["a", "b"], None)], &["a", "b"], None),
        ("no key", &[("", &[], None)], &[], None),
        (
            "three pages",
            &[("", &["a"], Some("1")), ("1", &["b"], Some("2")), ("2", &["c"], None)],
            &["a", "b", "c"],
            None,
        ),
        (
            "an empty page amid",
            &[("", &["a"], Some("1")), ("1", &[], Some("2")), ("2", &["c"], None)],
            &["a", "c"],
            None,
        ),
        ("an empty page first", &[("", &[], Some("1")), ("1", &["b"], None)], &["b"], None),
        ("an empty page last", &[("", &["a"], Some("1")), ("1", &[], None)], &["a"], None),
        ("a page fails", &[("", &["a"], Some("1"))], &["a"], Some(ErrorKind::Server)),
        ("the first page fails", &[], &[], Some(ErrorKind::Server)),
        (
            "a cursor is its own",
            &[("", &["a"], Some("1")), ("1", &["b"], Some("1"))],
            &["a", "b"],
            Some(ErrorKind::Decode),
        ),
        (
            "cursors go round",
            &[("", &["a"], Some("1")), ("1", &["b"], Some("2")), ("2", &["c"], Some("1"))],
            &["a", "b", "c"],
            Some(ErrorKind::Decode),
        ),
        (
            "a key moved over the boundary",
            &[("", &["a", "b"], Some("1")), ("1", &["b", "c"], None)],
            &["a", "b", "c"],
            None,
        ),
        (
            "a whole page comes again",
            &[("", &["a"], Some("1")), ("1", &["a"], Some("2")), ("2", &["b"], None)],
            &["a", "b"],
            None,
        ),
    ];
    for (name, script, ids, error) in table {
        let (seen, ended) = read(stream(&vendor(script), None)).await;
        assert_eq!(
            (seen.as_slice(), ended),
            (ids.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(), *error),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_page_is_asked_for_when_the_one_before_is_used_up_and_not_sooner() {
    let vendor = vendor(&[("", &["a", "b"], Some("1")), ("1", &["c"], None)]);
    let requests = || vendor.requests.load(Ordering::SeqCst);
    let mut keys = stream(&vendor, None);
    assert_eq!(requests(), 0);
    for (id, sent) in [("a", 1), ("b", 1), ("c", 2)] {
        assert_eq!(keys.next().await.unwrap().unwrap().address.to_string(), id);
        assert_eq!(requests(), sent, "{id}");
    }
    assert!(keys.next().await.is_none());
    assert_eq!(requests(), 2);
}

#[tokio::test]
async fn a_stream_goes_on_from_every_position_without_missing_or_repeating_a_key() {
    let vendor = vendor(&[("", &["a", "b"], Some("1")), ("1", &["c", "d"], Some("2")), ("2", &["e"], None)]);
    let all = ["a", "b", "c", "d", "e"];
    for stop in 0..=all.len() {
        let mut keys = stream(&vendor, None);
        let mut seen = Vec::new();
        for _ in 0..stop {
            seen.push(keys.next().await.unwrap().unwrap().address.to_string());
        }
        let saved = serde_json::to_string(&keys.position()).unwrap();
        let (rest, error) = read(stream(&vendor, serde_json::from_str(&saved).unwrap())).await;
        assert_eq!(error, None);
        seen.extend(rest);
        assert_eq!(seen, all, "stopped after {stop}");
    }
}

#[tokio::test]
async fn a_cursor_from_which_the_list_was_resumed_counts_as_followed() {
    let vendor = vendor(&[("1", &["b"], Some("2")), ("2", &["c"], Some("1"))]);
    let (ids, error) = read(stream(&vendor, Some(Cursor::new("1").into()))).await;
    assert_eq!((ids, error), (vec!["b".to_owned(), "c".to_owned()], Some(ErrorKind::Decode)));
}

#[tokio::test]
async fn a_page_that_changed_since_is_given_again_from_its_beginning() {
    let mut keys = stream(&vendor(&[("", &["a", "b", "c"], None)]), None);
    assert_eq!(keys.next().await.unwrap().unwrap().address.to_string(), "a");
    let changed = vendor(&[("", &["new", "a", "b", "c"], None)]);
    let (ids, error) = read(stream(&changed, Some(keys.position()))).await;
    assert_eq!((ids.join(" "), error), ("new a b c".to_owned(), None));
}

#[tokio::test]
async fn a_cursor_that_is_too_long_to_be_sent_ends_the_list_after_its_page() {
    let long: &'static str = "x".repeat(60_000).leak();
    let vendor = Arc::new(Scripted { pages: [("", (vec!["a"], Some(long)))].into(), ..Scripted::default() });
    let mut keys = stream(&vendor, None);
    assert_eq!(keys.next().await.unwrap().unwrap().address.to_string(), "a");
    let error = keys.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Decode, false));
    assert!(error.to_string().contains("a cursor of 60000 bytes"), "{error}");
    assert_eq!(vendor.requests.load(Ordering::SeqCst), 1);
}

/// A vendor with two pages, of which each has a row that cannot be read, and the last says why it is cut short.
#[derive(Debug)]
struct Odd;

#[async_trait]
impl ApiKeyProvider for Odd {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        Ok(KeyRecord::new(&INFO, address.clone(), KeyKind::API_KEY))
    }

    async fn list_page(&self, _scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let record = |id: &str| KeyRecord::new(&INFO, KeyAddress::new([id]).unwrap(), KeyKind::API_KEY);
        let odd = |place: &str| vec![Error::new(ErrorKind::Decode).with_message(place)];
        Ok(match cursor {
            None => Page::new(vec![record("a"), record("a"), record("b")], Some(Cursor::new("1")), Vec::new())
                .with_unreadable(odd("row 1")),
            Some(_) => Page::new(Vec::new(), None, Vec::new())
                .with_unreadable(odd("row 0"))
                .with_cut_short(Some(Error::new(ErrorKind::Decode).with_message("no cursor"))),
        })
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_item_of_its_own_and_the_list_goes_on() {
    let told = |item: Result<KeyRecord, Error>| match item {
        Ok(record) => record.address.to_string(),
        Err(error) => error.message().unwrap().to_owned(),
    };
    let mut keys = KeyStream::new(Arc::new(Odd), Scope::account(), None);
    let mut seen = Vec::new();
    while let Some(item) = keys.next().await {
        seen.push(told(item));
        // From wherever it is left, no row is lost: what is not given yet is given then.
        let mut rest = KeyStream::new(Arc::new(Odd), Scope::account(), Some(keys.position()));
        let mut all = seen.clone();
        while let Some(item) = rest.next().await {
            all.push(told(item));
        }
        for expected in ["a", "b", "row 1", "row 0", "no cursor"] {
            assert!(all.iter().any(|one| one == expected), "{expected} after {seen:?}: {all:?}");
        }
    }
    assert_eq!(seen, ["a", "b", "row 1", "row 0", "no cursor"], "two rows of one key are one key");
}

/// A vendor that gives these pages in turn for ever, each time with another cursor.
#[derive(Debug)]
struct Endless(&'static [&'static [&'static str]]);

#[async_trait]
impl ApiKeyProvider for Endless {
    fn info(&self) -> &ProviderInfo {
        &INFO
    }

    async fn get(&self, address: &KeyAddress) -> Result<KeyRecord, Error> {
        Ok(KeyRecord::new(&INFO, address.clone(), KeyKind::API_KEY))
    }

    async fn list_page(&self, scope: &Scope, cursor: Option<&Cursor>) -> Result<Page<KeyRecord>, Error> {
        let number: u32 = cursor.map_or(0, |cursor| cursor.as_str().parse().unwrap());
        assert!(number < 1000, "the list of {scope:?} has no end");
        let record = |id: &&str| KeyRecord::new(&INFO, KeyAddress::new([*id]).unwrap(), KeyKind::API_KEY);
        let ids = self.0[number as usize % self.0.len()];
        Ok(Page::new(ids.iter().map(record).collect(), Some(Cursor::new((number + 1).to_string())), Vec::new()))
    }
}

#[tokio::test]
async fn a_list_that_goes_on_without_a_new_key_is_an_error() {
    let table: &[(&[&[&str]], u64, usize)] = &[
        (&[&[]], 100, 0),
        (&[&["a", "b"]], 101, 2),
        // The same page, and empty ones between.
        (&[&["a"], &[], &[]], 101, 1),
        (&[&["a"], &["b"]], 102, 102),
        (&[&["a"], &["b", "c"], &[], &["d"]], 104, 104),
    ];
    for (pages, requests, count) in table {
        let mut keys = KeyStream::new(Arc::new(Endless(pages)), Scope::account(), None);
        let mut given = Vec::new();
        let error = loop {
            match keys.next().await.unwrap() {
                Ok(record) => given.push(record.address.to_string()),
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), keys.pages(), given.len()), (ErrorKind::Decode, *requests, *count), "{pages:?}");
        assert!(error.to_string().contains("brought no new key"), "{error}");
        assert!(keys.next().await.is_none());
    }
}
