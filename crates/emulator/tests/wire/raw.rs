//! A client that knows HTTP and nothing of the vendors.

use keymux_emulator::{Emulator, Vendor};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body, which has to be declared as JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The body, which has to be declared as plain text.
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.header("content-type"), Some("text/plain; charset=utf-8"), "{self:?}");
        &self.body
    }
}

pub(crate) async fn emulator() -> Emulator {
    Emulator::start().await.unwrap()
}

/// Sends `GET path` with these headers, byte for byte, and reads until the vendor hangs up.
pub(crate) async fn get(vendor: &Vendor, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(vendor, "GET", path, headers, "").await
}

/// Sends a request with these headers and this body, byte for byte, and reads until the vendor hangs up.
pub(crate) async fn send(vendor: &Vendor, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    send_to(&host(vendor), method, path, headers, body).await
}

/// Like [`send`], to a host and port.
pub(crate) async fn send_to(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        let length = body.len().to_string();
        request.extend(["Content-Type: application/json\r\nContent-Length: ", &length, "\r\n"]);
    }
    request.push_str("\r\n");
    request.push_str(body);
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A caller with the vendor's credential, who sends and gets JSON.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    vendor: &'a Vendor,
    header: (&'static str, String),
}

impl<'a> Caller<'a> {
    /// `header` names the place of the credential; `scheme` stands in front of it, with its space.
    pub(crate) fn new(vendor: &'a Vendor, header: &'static str, scheme: &str) -> Self {
        Self { vendor, header: (header, format!("{scheme}{}", vendor.credential())) }
    }

    /// Sends a request; a null is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(self.vendor, method, path, &[(self.header.0, &self.header.1)], &body).await
    }

    /// Sends a request that succeeds.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        answer.json()
    }

    /// The status of the answer.
    pub(crate) async fn status(&self, method: &str, path: &str, body: Value) -> u16 {
        self.ask(method, path, body).await.status
    }
}

/// Host and port.
pub(crate) fn host(vendor: &Vendor) -> String {
    vendor.base_url().strip_prefix("http://").unwrap().to_owned()
}

/// One id as one segment of a path: everything but letters and digits is encoded.
pub(crate) fn segment(id: &str) -> String {
    id.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Ids that are not what they seem when a path is put together or taken apart carelessly.
pub(crate) const HOSTILE_IDS: [&str; 9] =
    ["..", ".", "a/b", "../../v1", "100%", "%2F", "a?b=c#d", "k\u{e9}y \u{1f511}", "a+b c;d"];

/// Puts a key at each hostile id that `address` and `path` make an address and a path of, and looks all of them up.
pub(crate) async fn look_up_hostile_ids(
    vendor: &Vendor,
    headers: &[(&str, &str)],
    address: impl Fn(&str) -> Vec<String>,
    path: impl Fn(&str) -> String,
) {
    for id in HOSTILE_IDS {
        vendor.seed(address(id), Value::from(format!("the key at {id}")));
    }
    for id in HOSTILE_IDS {
        let answer = get(vendor, &path(&segment(id)), headers).await;
        assert_eq!(answer.status, 200, "{id}: {answer:?}");
        assert!(answer.body.contains(&format!("the key at {id}")), "{id}: {answer:?}");
        let encoded_twice = get(vendor, &path(&segment(&segment(id))), headers).await;
        assert_ne!(encoded_twice.status, 200, "{id} was decoded twice: {encoded_twice:?}");
    }
    let not_utf8 = get(vendor, &path("%FF"), headers).await;
    assert!((400..500).contains(&not_utf8.status) && !not_utf8.body.contains("%FF"), "{not_utf8:?}");
}
