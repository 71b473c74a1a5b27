//! Hostile ids, redirects and bodies: what holds at every vendor, seen byte by byte on the socket.

use keymux_core::{DriftKind, Error, ErrorKind, Fact, KeyAddress, KeyRecord};

use crate::support::{CREDENTIAL, Listener, once, printed, quickly};
use crate::vendors::{Documented, VENDORS, address};

/// What no error may show.
const CANARY: &str = "CANARY";

/// An answer with these headers and this body, which ends the connection.
fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes();
    for header in headers {
        answer.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(body);
    answer
}

/// A success whose length is announced.
fn success(body: impl AsRef<[u8]>) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.as_ref().len());
    answer("200 OK", &["Content-Type: application/json", &length], body.as_ref())
}

/// A success in pieces, so that its length is not announced. `end` is what follows the last piece.
fn in_pieces(body: &[u8], end: &str) -> Vec<u8> {
    let mut pieces = Vec::new();
    for piece in body.chunks(100) {
        pieces.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        pieces.extend_from_slice(piece);
        pieces.extend_from_slice(b"\r\n");
    }
    pieces.extend_from_slice(end.as_bytes());
    answer("200 OK", &["Content-Type: application/json", "Transfer-Encoding: chunked"], &pieces)
}

async fn look_up(vendor: &Documented, answer: Vec<u8>) -> Result<KeyRecord, Error> {
    let listener = Listener::answering(answer).await;
    vendor.at(listener.url(), once().with_max_body_bytes(4096)).get(&address(vendor.ids)).await
}

#[tokio::test]
async fn an_id_is_one_encoded_segment_or_is_refused_before_anything_is_sent() {
    let (longest, longer, long) = ("a".repeat(1024), "a".repeat(1025), "a".repeat(10_000));
    let table = [
        // the id               the segment on the wire; `None`: refused
        ("", None),
        (".", None),
        ("..", None),
        (longest.as_str(), Some(longest.as_str())),
        (longer.as_str(), None),
        (long.as_str(), None),
        ("...", Some("...")),
        ("%2e%2e", Some("%252e%252e")),
        ("%2E", Some("%252E")),
        ("a/b", Some("a%2Fb")),
        ("../x", Some("..%2Fx")),
        ("//evil.example", Some("%2F%2Fevil.example")),
        ("https://evil.example/", Some("https%3A%2F%2Fevil.example%2F")),
        ("a\\b", Some("a%5Cb")),
        ("..\\x", Some("..%5Cx")),
        ("?x=1", Some("%3Fx%3D1")),
        ("#f", Some("%23f")),
        ("a;b=c", Some("a%3Bb%3Dc")),
        ("user@evil.example", Some("user%40evil.example")),
        ("\r\nX: y", Some("%0D%0AX%3A%20y")),
        ("a HTTP/1.1\r\nHost: evil.example\r\n\r\n", Some("a%20HTTP%2F1.1%0D%0AHost%3A%20evil.example%0D%0A%0D%0A")),
        ("\0", Some("%00")),
        ("\t", Some("%09")),
        ("\u{7f}", Some("%7F")),
        (" ", Some("%20")),
        (" a b ", Some("%20a%20b%20")),
        ("+", Some("%2B")),
        ("%", Some("%25")),
        ("%zz", Some("%25zz")),
        ("gr\u{fc}n", Some("gr%C3%BCn")),
        ("\u{2025}", Some("%E2%80%A5")),
        ("\u{ff0e}\u{ff0e}", Some("%EF%BC%8E%EF%BC%8E")),
        ("\u{1f511}", Some("%F0%9F%94%91")),
        ("-._~", Some("-._~")),
        ("!$&'()*,:[]{}|^`\"<>", Some("%21%24%26%27%28%29%2A%2C%3A%5B%5D%7B%7D%7C%5E%60%22%3C%3E")),
    ];
    for vendor in &VENDORS {
        for (id, segment) in table {
            // Braintrust's ids are UUIDs, which none of these is.
            let segment = segment.filter(|_| vendor.name != "braintrust");
            for position in 0..vendor.ids.len() {
                let given = format!("{} {position} {id:?}", vendor.name);
                let listener = Listener::answering(success(vendor.body)).await;
                let client = vendor.at(listener.url(), quickly());
                let mut ids = vendor.ids.to_vec();
                ids[position] = id;
                let result = match KeyAddress::new(ids.clone()) {
                    Ok(address) => client.get(&address).await,
                    Err(error) => Err(error),
                };
                let Some(segment) = segment else {
                    let error = result.unwrap_err();
                    assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{given}");
                    assert!(listener.came().is_empty(), "{given}");
                    continue;
                };
                ids[position] = segment;
                let [request] = &*listener.came() else { panic!("{given}: {:?}", listener.came()) };
                let line = format!("GET {} HTTP/1.1", vendor.path_of(&ids));
                assert_eq!(request.lines().next(), Some(&*line), "{given}");
                let host = listener.url().strip_prefix("http://").unwrap();
                assert!(request.contains(&format!("host: {host}\r\n")), "{given}: {request}");
                assert_eq!(request.matches("\r\n\r\n").count(), 1, "{given}: {request}");
                result.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed_and_the_other_origin_hears_nothing() {
    for vendor in &VENDORS {
        for status in [301, 302, 303, 307, 308] {
            let other = Listener::answering(success(vendor.body)).await;
            let location = format!("Location: {}/{CANARY}?signature={CANARY}", other.url());
            let redirect = answer(&format!("{status} Elsewhere"), &[&location, "Content-Length: 0"], b"");
            let first = Listener::answering(redirect).await;
            let error = vendor.at(first.url(), quickly()).get(&address(vendor.ids)).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Redirected, Some(status)), "{}", vendor.name);
            assert_eq!((first.came().len(), error.attempts()), (1, 1), "{} {status}", vendor.name);
            assert!(other.came().is_empty(), "{} {status}: {:?}", vendor.name, other.came());
            // Where to is worth knowing; the rest of a location may be a signature.
            assert!(error.to_string().contains(other.url()), "{error}");
            assert!(!printed(&error).contains(CANARY), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_within_the_origin_or_to_nowhere_is_not_followed_either() {
    let locations = ["Location: /elsewhere", "Location: //evil.example/", "Location: \u{e9}", "X: y", "Location: "];
    for vendor in &VENDORS {
        for location in locations {
            let redirect = answer("302 Found", &[location, "Content-Length: 0"], b"");
            let listener = Listener::answering(redirect).await;
            let error = vendor.at(listener.url(), quickly()).get(&address(vendor.ids)).await.unwrap_err();
            assert_eq!(listener.came().len(), 1, "{} {location:?}", vendor.name);
            assert_eq!(
                (error.kind(), error.status()),
                (ErrorKind::Redirected, Some(302)),
                "{} {location:?}",
                vendor.name
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_no_key_is_an_error_of_its_kind_that_shows_nothing_of_it() {
    use ErrorKind::{Decode, TooLarge, Transport};
    let huge = format!(r#"{{"{CANARY}":"{}"}}"#, "x".repeat(10_000));
    let deep = format!(r#"{{"{CANARY}":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    let utf16: Vec<u8> = format!(r#"{{"name":"{CANARY}"}}"#).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let json = "Content-Type: application/json";
    let html = format!("<!doctype html><title>{CANARY}</title>");
    let table = [
        // Cut short: before the end of the head, of the announced length, of a piece, and of the last piece.
        ("nothing", vec![], Transport),
        ("no HTTP", format!("{CANARY}\r\n\r\n").into_bytes(), Transport),
        ("half a head", format!("HTTP/1.1 200 OK\r\nX: {CANARY}").into_bytes(), Transport),
        (
            "less than announced",
            answer("200 OK", &[json, "Content-Length: 500"], format!(r#"{{"{CANARY}":"#).as_bytes()),
            Transport,
        ),
        ("no last piece", in_pieces(br#"{"CANARY":1}"#, ""), Transport),
        ("a bad piece", in_pieces(br#"{"CANARY":1}"#, "zz\r\nCANARY\r\n"), Transport),
        // Larger than allowed, announced or not.
        ("huge", success(&huge), TooLarge),
        ("huge in pieces", in_pieces(huge.as_bytes(), "0\r\n\r\n"), TooLarge),
        ("huge, announced only", answer("200 OK", &[json, "Content-Length: 99999999999"], b"{"), TooLarge),
        // Whole, and no JSON.
        ("text", success("CANARY is no JSON"), Decode),
        ("half an object", success(r#"{"id":"CANARY","name":"CAN"#), Decode),
        ("two objects", success(r#"{"id":"CANARY"}{"id":"CANARY"}"#), Decode),
        ("a comma too many", success(r#"{"id":"CANARY",}"#), Decode),
        ("too deep", success(&deep), Decode),
        ("HTML", success(&html), Decode),
        ("HTML that says so", answer("200 OK", &["Content-Type: text/html"], html.as_bytes()), Decode),
        ("UTF-16", success(&utf16), Decode),
        (
            "compressed unasked",
            answer("200 OK", &[json, "Content-Encoding: gzip", "Content-Length: 8"], b"\x1f\x8bCANARY"),
            Decode,
        ),
        // Nothing at all.
        ("empty", success(""), Decode),
        ("white space", success(" \r\n"), Decode),
        ("no content", answer("204 No Content", &[], b""), Decode),
        // JSON of another type.
        ("an array", success(r#"["CANARY"]"#), Decode),
        ("an array of objects", success(r#"[{"id":"CANARY","prefix":"CANARY"}]"#), Decode),
        ("text in JSON", success(r#""CANARY""#), Decode),
        ("null", success("null"), Decode),
        ("a number", success("7"), Decode),
        ("true", success("true"), Decode),
        ("another object", success(r#"{"CANARY":{"CANARY":["CANARY"]}}"#), Decode),
    ];
    for vendor in &VENDORS {
        for (name, answer, kind) in &table {
            let error = look_up(vendor, answer.clone()).await.unwrap_err();
            let given = format!("{} {name}: {error}", vendor.name);
            assert_eq!((error.kind(), error.attempts()), (*kind, 1), "{given}");
            let status = if *name == "no content" { 204 } else { 200 };
            assert!(*kind != Decode || error.status() == Some(status), "{given}");
            assert!(error.message().is_some_and(|message| !message.is_empty()), "{given}");
            let printed = printed(&error);
            assert!(!printed.contains(CANARY) && !printed.contains(CREDENTIAL), "{given}: {printed}");
        }
    }
}

#[tokio::test]
async fn an_error_page_is_described_and_not_shown() {
    let pages = [
        "<!doctype html><title>CANARY</title>",
        "\r\n  <html>CANARY</html>",
        "\u{feff}<html>CANARY</html>",
        "<?xml version='1.0'?><Error>CANARY</Error>",
        r#"{"CANARY":"CANARY"}"#,
        r#"[{"CANARY":"CANARY"}]"#,
    ];
    let mut shown = Vec::new();
    for vendor in &VENDORS {
        for (page, status) in pages.iter().flat_map(|page| [404, 502].map(|status| (page, status))) {
            let length = format!("Content-Length: {}", page.len());
            let reply = answer(&format!("{status} No"), &[&length], page.as_bytes());
            let error = look_up(vendor, reply).await.unwrap_err();
            assert_eq!(error.status(), Some(status), "{} {page:?}: {error}", vendor.name);
            if printed(&error).contains(CANARY) {
                shown.push(format!("{} {status} {page:?}", vendor.name));
            }
        }
    }
    assert!(shown.is_empty(), "{shown:#?}");
}

#[tokio::test]
async fn a_status_that_is_none_is_an_unreadable_answer() {
    for vendor in &VENDORS {
        for status in [600, 999] {
            let listener = Listener::answering(answer(&format!("{status} Odd"), &["Content-Length: 0"], b"")).await;
            let error = vendor.at(listener.url(), quickly()).get(&address(vendor.ids)).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(status)), "{error}");
            assert_eq!(listener.came().len(), 1, "{} {status}", vendor.name);
        }
    }
}

#[tokio::test]
async fn a_body_full_of_oddities_is_read_and_its_notes_are_bounded() {
    let list = |member: &str, fine: &str, odd: &str, many: usize| {
        format!(r#""{member}":[{}{}]"#, format!("{fine},").repeat(many), vec![odd; many].join(","))
    };
    let unknown = (0..40_000).map(|n| format!(r#""x{n}":{n}"#)).collect::<Vec<_>>().join(",");
    let (mielto, oneloop) = (r#""key":"k","label":"l","workspace_id":"w""#, r#""id":"ak_example_1""#);
    for (vendor, body) in [
        (2, format!("{{{mielto},{unknown}}}")),
        (2, format!("{{{mielto},{}}}", list("permissions", r#""p""#, "1", 8000))),
        (4, format!("{{{oneloop},{}}}", list("scopes", "{}", "1", 8000))),
        (4, format!("{{{oneloop},{}}}", list("scopes", "{}", r#"{"read":1}"#, 8000))),
        (4, format!("{{{oneloop},{}}}", list("scopes", "{}", "{}", 40_000))),
    ] {
        let vendor = &VENDORS[vendor];
        let listener = Listener::answering(success(&body)).await;
        let client = vendor.at(listener.url(), once().with_raw(true));
        // Where each oddity cost a reading of the whole, this would take minutes.
        let record = client.get(&address(vendor.ids)).await.unwrap();
        assert!((30..=400).contains(&record.drift.len()), "{}: {} notes", vendor.name, record.drift.len());
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_and_an_unreadable_answer_is_not() {
    for vendor in &VENDORS {
        for (answer, kind, attempts) in [
            (vec![], ErrorKind::Transport, 4),
            (in_pieces(b"{", ""), ErrorKind::Transport, 4),
            (success("[]"), ErrorKind::Decode, 1),
            (success("x".repeat(5000)), ErrorKind::TooLarge, 1),
        ] {
            let listener = Listener::answering(answer).await;
            let client = vendor.at(listener.url(), quickly().with_max_body_bytes(4096));
            let error = client.get(&address(vendor.ids)).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (kind, attempts), "{}", vendor.name);
            assert_eq!(listener.came().len(), usize::try_from(attempts).unwrap(), "{} {kind}", vendor.name);
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_told_as_such() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for vendor in &VENDORS {
        let error = vendor.at(&base, quickly()).get(&address(vendor.ids)).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.status()), (ErrorKind::Connect, 4, None), "{error}");
        assert!(error.is_retryable() && !error.may_have_executed());
    }
}

#[tokio::test]
async fn a_body_of_just_the_allowed_size_is_read() {
    for vendor in &VENDORS {
        let fits = format!("{}{}", vendor.body, " ".repeat(4096 - vendor.body.len()));
        assert!(look_up(vendor, success(&fits)).await.is_ok(), "{}", vendor.name);
        assert!(look_up(vendor, in_pieces(fits.as_bytes(), "0\r\n\r\n")).await.is_ok(), "{}", vendor.name);
        let larger = look_up(vendor, success(format!("{fits} "))).await.unwrap_err();
        assert_eq!(larger.kind(), ErrorKind::TooLarge, "{}", vendor.name);
    }
}

#[tokio::test]
async fn json_is_utf_8_whatever_its_content_type_claims() {
    for vendor in &VENDORS {
        let body = vendor.body.replace("NAME", "caf\u{e9}");
        let length = format!("Content-Length: {}", body.len());
        for content_type in [
            "X: y",
            "Content-Type: application/json",
            "Content-Type: application/json; charset=iso-8859-1",
            "Content-Type: application/json; charset=utf-16",
            "Content-Type: text/html",
        ] {
            let record = look_up(vendor, answer("200 OK", &[content_type, &length], body.as_bytes())).await.unwrap();
            let given = format!("{} {content_type}", vendor.name);
            assert_eq!(record.name, Fact::Known("caf\u{e9}".to_owned()), "{given}");
            assert_eq!(record.drift, [], "{given}");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_marked_in_the_text_and_noted() {
    for vendor in &VENDORS {
        let (before, after) = vendor.body.split_once("NAME").unwrap();
        let latin_1 = [before.as_bytes(), b"caf\xe9", after.as_bytes()].concat();
        for content_type in ["Content-Type: application/json", "Content-Type: application/json; charset=iso-8859-1"] {
            let length = format!("Content-Length: {}", latin_1.len());
            let record = look_up(vendor, answer("200 OK", &[content_type, &length], &latin_1)).await.unwrap();
            assert_eq!(record.name, Fact::Known("caf\u{fffd}".to_owned()), "{}", vendor.name);
            assert!(record.drift.iter().any(|drift| drift.kind == DriftKind::Encoding), "{:?}", record.drift);
        }
        let marked = format!("\u{feff}{}", vendor.body);
        let record = look_up(vendor, success(&marked)).await.unwrap();
        assert_eq!(record.name, Fact::Known("NAME".to_owned()), "{}", vendor.name);
        assert_eq!(record.drift.iter().map(|drift| &drift.kind).collect::<Vec<_>>(), [&DriftKind::Encoding]);
    }
}
