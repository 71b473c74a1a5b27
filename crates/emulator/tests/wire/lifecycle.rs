//! What holds for every vendor: records of requests, seeding, isolation and the end.

use std::collections::BTreeSet;

use keymux_emulator::{Emulator, Vendor};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{emulator, get, host};

fn vendors(emulator: &Emulator) -> [&Vendor; 5] {
    [emulator.baseten(), emulator.braintrust(), emulator.mielto(), emulator.datkey(), emulator.oneloop()]
}

#[tokio::test]
async fn every_vendor_has_a_name_an_address_a_credential_and_a_sample() {
    let emulator = emulator().await;
    let names = vendors(&emulator).map(Vendor::name);
    assert_eq!(names, ["baseten", "braintrust", "mielto", "datkey", "oneloop"]);
    assert_eq!(vendors(&emulator).map(Vendor::base_url).into_iter().collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(vendors(&emulator).map(Vendor::credential).into_iter().collect::<BTreeSet<_>>().len(), 5);
    for vendor in vendors(&emulator) {
        assert!(vendor.base_url().starts_with("http://127.0.0.1:") && !vendor.base_url().ends_with('/'));
        assert!(vendor.credential().bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(vendor.credential().contains("EXAMPLEnotASecret"));
        assert_eq!(vendor.sample_address(), vendor.seeded()[0]);
        assert!(vendor.seeded().iter().all(|address| address.len() == vendor.sample_address().len()));
        assert!(vendor.requests().is_empty());
    }
}

#[tokio::test]
async fn requests_are_recorded_in_order_and_without_credentials() {
    let emulator = emulator().await;
    for vendor in vendors(&emulator) {
        let credential = vendor.credential();
        let bearer = format!("Bearer {credential}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("X-Api-Key", credential),
            ("X-Note", credential),
            ("User-Agent", "raw/1.0"),
        ];
        get(vendor, "/first%2Fpath?page=2", &headers).await;
        get(vendor, &format!("/{credential}?key={credential}"), &[("Authorization", credential)]).await;
        get(vendor, "/third", &[("Authorization", "Bearer another-credential")]).await;

        let requests = vendor.requests();
        let seen: Vec<_> = requests.iter().map(|request| (request.method(), request.path())).collect();
        assert_eq!(
            seen,
            [("GET", "/first%2Fpath?page=2"), ("GET", "/[masked]?key=[masked]"), ("GET", "/third")],
            "{}",
            vendor.name()
        );
        assert_eq!(requests[0].header("user-agent"), Some("raw/1.0"));
        assert_eq!(requests[0].header("AUTHORIZATION"), Some("Bearer [masked]"));
        assert_eq!(requests[0].header("x-api-key"), Some("[masked]"));
        assert_eq!(requests[0].header("nope"), None);
        let printed = format!("{requests:?} {vendor:?} {emulator:?}");
        assert!(!printed.contains(credential) && !printed.contains("another-credential"), "{printed}");
    }
}

#[tokio::test]
async fn a_seeded_key_is_sent_as_it_stands_and_replaces_the_one_before() {
    let emulator = emulator().await;
    let datkey = emulator.datkey();
    for key in [json!({"id": "k"}), json!({"new": [1, null]}), json!(null)] {
        datkey.seed(["k"], key.clone());
        let answer = get(datkey, "/keys/k", &[("x-api-key", datkey.credential())]).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"key": key})));
    }
    assert!(!datkey.seeded().contains(&vec!["k".to_owned()]));
}

#[tokio::test]
async fn two_emulators_share_nothing() {
    let (one, other) = (emulator().await, emulator().await);
    for (one, other) in vendors(&one).into_iter().zip(vendors(&other)) {
        assert_ne!(one.base_url(), other.base_url());
    }
    one.datkey().seed(["only-here"], json!({"id": "only-here"}));
    let headers = [("x-api-key", other.datkey().credential())];
    assert_eq!(get(one.datkey(), "/keys/only-here", &headers).await.status, 200);
    assert!(other.datkey().requests().is_empty());
    assert_eq!(get(other.datkey(), "/keys/only-here", &headers).await.status, 404);
    assert_eq!((one.datkey().requests().len(), other.datkey().requests().len()), (1, 1));

    drop(one);
    assert_eq!(get(other.datkey(), "/keys/only-here", &headers).await.status, 404);
}

#[tokio::test]
async fn a_drop_closes_ports_and_open_connections() {
    let emulator = emulator().await;
    let hosts = vendors(&emulator).map(host);
    // A connection that is kept alive after its answer.
    let mut open = TcpStream::connect(&hosts[0]).await.unwrap();
    open.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut buffer = [0; 1024];
    assert!(open.read(&mut buffer).await.unwrap() > 0);

    drop(emulator);
    for host in hosts {
        assert!(TcpStream::connect(&host).await.is_err(), "{host} is still open");
    }
    // The end of the stream or a reset: either way nothing more comes.
    assert!(matches!(open.read(&mut buffer).await, Ok(0) | Err(_)));
}

#[test]
fn an_emulator_outlives_the_runtime_that_started_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let emulator = runtime().block_on(Emulator::start()).unwrap();
    let answer = runtime().block_on(get(emulator.mielto(), "/", &[]));
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn the_last_requests_are_kept_and_all_are_counted() {
    let emulator = Emulator::builder().with_recorded_requests(3).start().await.unwrap();
    for number in 0..5 {
        get(emulator.mielto(), &format!("/{number}"), &[]).await;
    }
    let requests = emulator.mielto().requests();
    assert_eq!(requests.iter().map(keymux_emulator::RecordedRequest::path).collect::<Vec<_>>(), ["/2", "/3", "/4"]);
    assert_eq!((emulator.mielto().request_count(), emulator.datkey().request_count()), (5, 0));
    let none = Emulator::builder().with_recorded_requests(0).start().await.unwrap();
    get(none.mielto(), "/", &[]).await;
    assert_eq!((none.mielto().requests().len(), none.mielto().request_count()), (0, 1));
}

#[tokio::test]
async fn fixed_ports_are_taken_in_order_or_refused_by_name() {
    // The ports of an emulator that ended are free, unless another program is very quick.
    let base = loop {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        if let Ok(emulator) = Emulator::builder().with_base_port(free).start().await {
            let ports =
                vendors(&emulator).map(|vendor| host(vendor).rsplit_once(':').unwrap().1.parse::<u16>().unwrap());
            assert_eq!(ports, [free, free + 1, free + 2, free + 3, free + 4]);
            let error = Emulator::builder().with_base_port(free).start().await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&free.to_string()) && error.to_string().contains("baseten"), "{error}");
            break free;
        }
    };
    assert!(base > 0);
    let error = Emulator::builder().with_base_port(65_532).start().await.unwrap_err();
    assert!(error.to_string().contains("65532") && error.to_string().contains("65536"), "{error}");
}
