//! The inventory over real sockets: the vendors' own lists, with faults, and the connections when it is dropped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keymux::{
    AccountState, ErrorKind, Finding, HttpOptions, Keymux, Standing, baseten, braintrust, datkey, mielto, oneloop,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{name, rest, state};
use crate::support::{CREDENTIAL, once, quickly};

/// What the server does with one request.
enum Do {
    Answer(u16, Value),
    /// Answers in plain text, with one more header.
    Say(u16, &'static str, String),
    /// Closes the connection, without an answer or in the middle of one.
    Close,
    Cut(Value),
    /// Never answers, and notes when the client has gone.
    Hang,
}

/// A server of all vendors at once: their paths do not meet.
struct Stand {
    url: String,
    /// How many requests are open that are never answered.
    hanging: Arc<AtomicUsize>,
}

impl Stand {
    /// `act` gets the number of the request, from 0, and its path with the query.
    async fn with(act: impl Fn(usize, &str) -> Do + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hanging = Arc::<AtomicUsize>::default();
        let (act, hung, asked) = (Arc::new(act), Arc::clone(&hanging), Arc::<AtomicUsize>::default());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (act, hung, asked) = (Arc::clone(&act), Arc::clone(&hung), Arc::clone(&asked));
                tokio::spawn(async move { serve(connection, &*act, &asked, &hung).await });
            }
        });
        Self { url, hanging }
    }
}

async fn serve(
    mut connection: TcpStream,
    act: &(dyn Fn(usize, &str) -> Do + Send + Sync),
    asked: &AtomicUsize,
    hung: &AtomicUsize,
) {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            match connection.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let line = String::from_utf8_lossy(&head);
        let path = line.split(' ').nth(1).unwrap();
        let (status, kind, more, body) = match act(asked.fetch_add(1, Ordering::SeqCst), path) {
            Do::Answer(status, body) => (status, "application/json", "x: y", body.to_string()),
            Do::Say(status, header, body) => (status, "text/plain", header, body),
            Do::Close => return,
            Do::Cut(body) => {
                let body = body.to_string();
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
                // A client that has gone is no matter here.
                let _ = connection.write_all(format!("{head}{}", &body[..length / 2]).as_bytes()).await;
                return;
            }
            Do::Hang => {
                hung.fetch_add(1, Ordering::SeqCst);
                // Ends when the client closes.
                let _ = connection.read_u8().await;
                hung.fetch_sub(1, Ordering::SeqCst);
                return;
            }
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} S\r\ncontent-type: {kind}\r\n{more}\r\ncontent-length: {length}\r\n\r\n");
        if connection.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A member of the query.
fn asked_for<'a>(path: &'a str, member: &str) -> Option<&'a str> {
    let query = path.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(member)?.strip_prefix('='))
}

fn number(path: &str, member: &str) -> usize {
    asked_for(path, member).map_or(0, |text| text.rsplit('-').next().unwrap().parse().unwrap())
}

/// How many scopes there are at a vendor that has some, and how many keys in each.
const SCOPES: usize = 25;
const IN_SCOPE: usize = 1000;
const KEYS: usize = SCOPES * IN_SCOPE;
const PAGE: usize = 100;

fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// What the vendors list, as their documents have it.
fn list(path: &str) -> Value {
    let place = path.split('?').next().unwrap();
    let parts: Vec<&str> = place.trim_start_matches('/').split('/').collect();
    let cursor = |next: usize, all: usize| {
        let more = next < all;
        json!({"has_more": more, "cursor": more.then(|| next.to_string())})
    };
    match parts.as_slice() {
        ["v1", "gateway", "groups"] => {
            let first = number(path, "cursor");
            let group = |group: usize| {
                json!({"id": format!("g{group}"), "metadata": {"name": null, "external_entity_id": format!("e{group}")},
                    "hierarchy": {"limit_enforcement": "INDEPENDENT", "parent_group_id": null},
                    "models": [], "effective_models": [], "created_at": "2026-01-01T00:00:00Z"})
            };
            let next = (first + 10).min(SCOPES);
            json!({"items": (first..next).map(group).collect::<Vec<_>>(), "pagination": cursor(next, SCOPES)})
        }
        ["v1", "gateway", "groups", _, "api_keys"] => {
            let first = number(path, "cursor");
            let key = |key: usize| json!({"prefix": format!("p{key}"), "name": null});
            let next = first + PAGE;
            json!({"items": (first..next).map(key).collect::<Vec<_>>(), "pagination": cursor(next, IN_SCOPE)})
        }
        ["v1", "api_key"] => {
            let first =
                if asked_for(path, "starting_after").is_some() { number(path, "starting_after") + 1 } else { 0 };
            let key = |key: usize| json!({"id": uuid(key), "name": "n", "preview_name": "sk-***"});
            json!({"objects": (first..(first + PAGE).min(KEYS)).map(key).collect::<Vec<_>>()})
        }
        ["api", "v1", "api-keys"] => {
            let first = number(path, "skip");
            let key = |key: usize| json!({"id": format!("key_{key}"), "key": "k", "label": "l", "workspace_id": "w"});
            let next = (first + PAGE).min(KEYS);
            json!({"data": (first..next).map(key).collect::<Vec<_>>(), "total_count": KEYS, "has_more": next < KEYS})
        }
        ["api", "v1", "workspace"] => {
            let workspace = |workspace: usize| json!({"id": format!("w{workspace}"), "name": "n"});
            json!({"workspaces": (0..SCOPES).map(workspace).collect::<Vec<_>>()})
        }
        ["api", "v1", "workspace", _, "api-key"] => {
            let key = |key: usize| json!({"id": format!("k{key}"), "name": "n"});
            json!({"apiKeys": (0..IN_SCOPE).map(key).collect::<Vec<_>>()})
        }
        _ => panic!("{path}"),
    }
}

fn everything() -> BTreeSet<String> {
    let scoped = |prefix: &'static str, middle: &'static str| {
        (0..SCOPES).flat_map(move |scope| (0..IN_SCOPE).map(move |key| format!("{prefix}{scope}/{middle}{key}")))
    };
    let flat = (0..KEYS).flat_map(|key| [format!("braintrust:{}", uuid(key)), format!("mielto:key_{key}")]);
    scoped("baseten:g", "p").chain(scoped("oneloop:w", "k")).chain(flat).collect()
}

fn five_at(url: &str, options: &HttpOptions) -> Keymux {
    let builder = Keymux::builder()
        .with_provider(baseten::Config::new(CREDENTIAL).with_base_url(url).with_http(options.clone()).build().unwrap())
        .with_provider(
            braintrust::Config::new(CREDENTIAL).with_base_url(url).with_http(options.clone()).build().unwrap(),
        )
        .with_provider(mielto::Config::new(CREDENTIAL).with_base_url(url).with_http(options.clone()).build().unwrap())
        .with_provider(datkey::Config::new(CREDENTIAL).with_base_url(url).with_http(options.clone()).build().unwrap())
        .with_provider(oneloop::Config::new(CREDENTIAL).with_base_url(url).with_http(options.clone()).build().unwrap());
    builder.build().unwrap()
}

#[tokio::test]
async fn one_well_one_refused_and_one_throttled_in_the_middle_are_each_told() {
    let well = Stand::with(|_, path| Do::Answer(200, list(path))).await;
    let refused = Stand::with(|_, _| Do::Answer(401, json!({"detail": "who are you?"}))).await;
    let throttled = Stand::with(|_, path| match path.contains("/g1/") && number(path, "cursor") == 300 {
        true => Do::Say(429, "retry-after: 90", r#"{"error": "rate limited", "retry_after": 90}"#.to_owned()),
        false => Do::Answer(200, list(path)),
    })
    .await;
    let keymux = Keymux::builder()
        .with_account(
            "well",
            oneloop::Config::new(CREDENTIAL).with_base_url(&well.url).with_http(once()).build().unwrap(),
        )
        .with_account(
            "refused",
            mielto::Config::new(CREDENTIAL).with_base_url(&refused.url).with_http(once()).build().unwrap(),
        )
        .with_account(
            "throttled",
            baseten::Config::new(CREDENTIAL).with_base_url(&throttled.url).with_http(quickly()).build().unwrap(),
        );
    let mut stream = keymux.build().unwrap().inventory().stream().unwrap();
    let (keys, end) = rest(&mut stream).await;
    let of = |account: &str| keys.iter().filter(|key| key.starts_with(account)).count();
    assert_eq!((of("well:"), of("refused:"), of("throttled:")), (KEYS, 0, KEYS - 700));
    assert_eq!(of("throttled:g1/"), 300, "what came before the refusal");

    let completeness = end.unwrap().completeness;
    assert!(!completeness.is_complete());
    let states = ["well", "refused", "throttled"].map(|account| state(&completeness, account));
    assert_eq!(states, [AccountState::Done, AccountState::Failed, AccountState::Failed]);
    let failures: Vec<_> = completeness.failures().collect();
    let told: Vec<_> = failures
        .iter()
        .map(|(unit, failure)| {
            (unit.to_string(), failure.report().kind, failure.report().status, failure.report().retry_after_seconds)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("refused".to_owned(), ErrorKind::Unauthenticated, Some(401), None),
            ("throttled:g1".to_owned(), ErrorKind::RateLimited, Some(429), Some(90.0)),
        ]
    );
    let typed = std::error::Error::source(failures[1].1.error().unwrap()).unwrap();
    assert!(matches!(typed.downcast_ref(), Some(baseten::Error::RateLimited(_))), "{typed:?}");
}

#[tokio::test]
async fn a_hundred_thousand_keys_at_five_vendors_with_faults_are_exact_or_honestly_not() {
    let stand = Stand::with(|request, path| match request % 35 {
        6 => Do::Say(503, "x: y", "busy".to_owned()),
        13 => Do::Close,
        20 => Do::Cut(list(path)),
        27 => Do::Say(500, "content-language: en", "<html>".to_owned()),
        34 => Do::Say(429, "retry-after-ms: 1", "slow down".to_owned()),
        // Now and then one that no repeat mends.
        _ if request % 211 == 210 => Do::Answer(403, json!({"message": "not now"})),
        _ => Do::Answer(200, list(path)),
    })
    .await;
    let keymux = five_at(&stand.url, &quickly());
    let mut given = BTreeSet::new();
    let mut from = None;
    let limits = [("braintrust", AccountState::Narrower), ("datkey", AccountState::Unsupported)];
    for round in 0..20 {
        let mut stream =
            from.take().into_iter().fold(keymux.inventory(), keymux::InventoryBuilder::resume).stream().unwrap();
        let (keys, end) = rest(&mut stream).await;
        let count = keys.len();
        let before = given.len();
        given.extend(keys);
        assert_eq!(given.len(), before + count, "no key comes twice");
        let completeness = end.expect("a vendor that cannot list, and one that lists less").completeness;
        assert!(!completeness.is_complete());
        assert_eq!(completeness.records(), given.len() as u64, "what is told is what was given");
        for (account, expected) in limits {
            let state = state(&completeness, account);
            assert!(state == expected || state == AccountState::Failed, "{account}: {state}");
        }
        if completeness.failures().next().is_none() {
            assert_eq!(given, everything());
            for account in ["baseten", "mielto", "oneloop"] {
                assert_eq!(state(&completeness, account), AccountState::Done, "{account}");
            }
            assert!(round > 0, "the faults bite");
            return;
        }
        assert!(given.len() < 4 * KEYS, "a failure, and yet nothing is missing");
        from = Some(serde_json::from_str(&serde_json::to_string(&stream.checkpoint()).unwrap()).unwrap());
    }
    panic!("not done after twenty rounds");
}

#[tokio::test]
async fn a_dropped_inventory_leaves_no_open_request() {
    let stand = Stand::with(|_, path| match path.contains("/g3/") || path.starts_with("/api/") {
        true => Do::Hang,
        false => Do::Answer(200, list(path)),
    })
    .await;
    let keymux = five_at(&stand.url, &once());
    let mut stream = keymux.inventory().stream().unwrap();
    for _ in 0..500 {
        stream.next().await.unwrap().unwrap();
    }
    // The group that hangs, Mielto's list, and Oneloop's list of workspaces.
    while stand.hanging.load(Ordering::SeqCst) < 3 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);
    while stand.hanging.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(keymux);
}

#[tokio::test]
async fn neither_completeness_nor_checkpoint_nor_progress_holds_the_credential() {
    let stand = Stand::with(|_, path| match path.contains("/g1/") {
        true => Do::Answer(400, json!({"code": "BAD", "message": format!("you sent Api-Key {CREDENTIAL}")})),
        false => Do::Say(403, "x: y", format!("no {CREDENTIAL} here")),
    })
    .await;
    let keymux = five_at(&stand.url, &once());
    let mut stream = keymux.inventory().stream().unwrap();
    let (_, end) = rest(&mut stream).await;
    let incomplete = end.unwrap();
    assert!(incomplete.completeness.failures().count() >= 4);
    for text in [
        serde_json::to_string(&stream.checkpoint()).unwrap(),
        serde_json::to_string(&stream.completeness()).unwrap(),
        format!("{:?} {:?} {:?} {incomplete:?} {incomplete}", stream, stream.checkpoint(), stream.progress()),
        stream.completeness().to_string(),
    ] {
        assert!(!text.contains(CREDENTIAL), "{text}");
    }
}

#[tokio::test]
async fn each_vendors_account_is_told_as_its_documents_have_it() {
    let emulator = keymux_emulator::Emulator::start().await.unwrap();
    let at = |vendor: &keymux_emulator::Vendor| (vendor.credential().to_owned(), vendor.base_url().to_owned());
    let [one, two, three, four, five] =
        [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()].map(at);
    let keymux = Keymux::builder()
        .with_provider(baseten::Config::new(one.0).with_base_url(one.1).build().unwrap())
        .with_provider(braintrust::Config::new(two.0).with_base_url(two.1).build().unwrap())
        .with_provider(mielto::Config::new(three.0).with_base_url(three.1).build().unwrap())
        .with_provider(datkey::Config::new(four.0).with_base_url(four.1).build().unwrap())
        .with_provider(oneloop::Config::new(five.0).with_base_url(five.1).build().unwrap())
        .build()
        .unwrap();
    let mut stream = keymux.inventory().stream().unwrap();
    let (keys, end) = rest(&mut stream).await;
    let mut seeded = Vec::new();
    for vendor in [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.oneloop()] {
        let address = |path: &Vec<String>| keymux::KeyAddress::new(path.iter().cloned()).unwrap();
        seeded.extend(vendor.seeded().iter().map(|path| format!("{}:{}", vendor.name(), address(path))));
    }
    seeded.sort();
    assert_eq!(keys, seeded);
    let completeness = end.unwrap().completeness;
    #[rustfmt::skip]
    let table = [
        ("baseten",    AccountState::Done,        Some("workspace's own keys")),
        ("braintrust", AccountState::Narrower,    Some("service tokens")),
        ("mielto",     AccountState::Done,        Some("other workspaces")),
        ("datkey",     AccountState::Unsupported, None),
        ("oneloop",    AccountState::Done,        None),
    ];
    for (account, expected, beside) in table {
        let outcome = completeness.account(&name(account)).unwrap();
        assert_eq!(outcome.state(), expected, "{account}");
        assert_eq!(outcome.not_listed().is_some(), beside.is_some(), "{account}");
        assert!(beside.is_none_or(|text| outcome.not_listed().unwrap().contains(text)), "{account}");
    }
    let of = |account: &str| completeness.account(&name(account)).unwrap();
    assert!(of("braintrust").narrower().unwrap().contains("the caller's own keys alone"));
    assert!(matches!(of("datkey").scopes(), Finding::Unsupported { .. }));
    let done = |unit: &keymux::UnitOutcome| unit.standing == Standing::Done;
    assert!(of("oneloop").units().all(|(found, unit)| !found.is_account() && done(unit)));
}
