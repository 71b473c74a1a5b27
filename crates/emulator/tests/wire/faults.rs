//! Each fault, as it stands on the wire.

use std::io::ErrorKind;
use std::time::Duration;

use keymux_emulator::{Drift, Emulator, Fault, FaultAnswer, FaultBody, FaultPlan, FaultRule, Vendor};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{Answer, Caller, emulator, host};

const KEYS: &str = "/api/v1/api-keys";

fn mielto(emulator: &Emulator) -> Caller<'_> {
    Caller::new(emulator.mielto(), "Authorization", "Bearer ")
}

/// The sample key of Mielto.
async fn look_up(emulator: &Emulator) -> Answer {
    let path = format!("{KEYS}/{}", emulator.mielto().sample_address()[0]);
    mielto(emulator).ask("GET", &path, json!(null)).await
}

/// Opens a connection and asks, on a connection that may be kept alive.
async fn ask_open(vendor: &Vendor, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host(vendor)).await.unwrap();
    let (credential, length) = (vendor.credential(), body.len());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {credential}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the vendor hangs up, head and body.
async fn rest(mut stream: TcpStream) -> (String, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

async fn count(emulator: &Emulator) -> Value {
    mielto(emulator).done("GET", KEYS, json!(null)).await["total_count"].clone()
}

/// Asks for something else until a fault befell so many requests, and those are done with.
async fn until_struck(emulator: &Emulator, requests: usize) {
    let struck = || emulator.mielto().requests().iter().filter(|request| request.faults().count() > 0).count();
    for _ in 0..10_000 {
        let done = struck() == requests;
        // One answer more, so that what was recorded has also been acted on.
        count(emulator).await;
        if done {
            break;
        }
    }
    assert_eq!(struck(), requests, "they never arrived");
}

#[tokio::test]
async fn an_answer_in_the_vendors_stead_has_any_status_headers_and_body() {
    let emulator = emulator().await;
    let before = count(&emulator).await;
    let answer = |body: FaultBody| FaultAnswer::new(503).with_header("X-Shield", "on").with_body(body);
    for (body, content_type, expected) in [
        (FaultBody::Empty, None, ""),
        (json!({"any": [1, null]}).into(), Some("application/json"), r#"{"any":[1,null]}"#),
        ("down, <sorry>".into(), Some("text/plain; charset=utf-8"), "down, <sorry>"),
        (b"bytes".to_vec().into(), None, "bytes"),
    ] {
        emulator.mielto().faults(Fault::from(answer(body.clone()))).unwrap();
        let seen = mielto(&emulator).ask("POST", KEYS, json!({"label": "x"})).await;
        assert_eq!((seen.status, seen.body.as_str()), (503, expected), "{body:?}");
        assert_eq!((seen.header("content-type"), seen.header("x-shield")), (content_type, Some("on")), "{body:?}");
    }
    let typed = answer("<a/>".into()).with_header("Content-Type", "text/xml");
    emulator.mielto().faults(Fault::from(typed)).unwrap();
    assert_eq!(look_up(&emulator).await.header("content-type"), Some("text/xml"));

    emulator.mielto().faults(FaultPlan::new()).unwrap();
    assert_eq!(count(&emulator).await, before, "nothing was carried out");

    emulator.mielto().faults(Fault::from(FaultAnswer::new(504).after_applying())).unwrap();
    assert_eq!(mielto(&emulator).status("POST", KEYS, json!({"label": "lost"})).await, 504);
    emulator.mielto().faults(FaultPlan::new()).unwrap();
    assert_eq!(count(&emulator).await, json!(before.as_u64().unwrap() + 1));
}

#[tokio::test]
async fn a_reset_is_a_reset_and_after_the_request_was_applied_its_key_exists() {
    let emulator = emulator().await;
    let before = count(&emulator).await.as_u64().unwrap();
    for (applied, made) in [(false, 0), (true, 1)] {
        let rule = FaultRule::new(Fault::Reset { applied }).on("create_api_key");
        emulator.mielto().faults(rule).unwrap();
        let mut stream = ask_open(emulator.mielto(), "POST", KEYS, r#"{"label":"lost"}"#).await;
        let mut buffer = Vec::new();
        let error = stream.read_to_end(&mut buffer).await.unwrap_err();
        assert_eq!((error.kind(), buffer.len()), (ErrorKind::ConnectionReset, 0), "applied: {applied}");
        assert_eq!(count(&emulator).await, json!(before + made), "applied: {applied}");
    }
    let last = mielto(&emulator).done("GET", &format!("{KEYS}?skip={before}"), json!(null)).await;
    assert_eq!(last["data"][0]["label"], "lost");
}

#[tokio::test]
async fn a_hang_gives_no_answer_before_the_emulator_ends() {
    let emulator = emulator().await;
    let before = count(&emulator).await.as_u64().unwrap();
    let mut open = Vec::new();
    for (applied, made) in [(false, 0), (true, 1)] {
        emulator.mielto().faults(FaultRule::new(Fault::Hang { applied }).on("create_api_key")).unwrap();
        open.push(ask_open(emulator.mielto(), "POST", KEYS, r#"{"label":"lost"}"#).await);
        // Other connections are answered meanwhile.
        until_struck(&emulator, open.len()).await;
        assert_eq!(count(&emulator).await, json!(before + made), "applied: {applied}");
    }
    drop(emulator);
    for mut stream in open {
        let mut buffer = Vec::new();
        // The end of the stream or a reset, and nothing before.
        let _ = stream.read_to_end(&mut buffer).await;
        assert!(buffer.is_empty(), "{buffer:?}");
    }
}

#[tokio::test]
async fn a_body_breaks_off_in_the_middle() {
    let emulator = emulator().await;
    let whole = look_up(&emulator).await;
    emulator.mielto().faults(Fault::TruncatedBody).unwrap();
    let broken = look_up(&emulator).await;
    assert_eq!((broken.status, broken.header("content-type")), (200, Some("application/json")));
    assert_eq!(broken.header("content-length"), Some(whole.body.len().to_string().as_str()));
    assert_eq!(broken.body, whole.body[..whole.body.len() / 2]);
}

#[tokio::test]
async fn a_content_length_is_wrong_in_either_direction() {
    let emulator = emulator().await;
    let whole = look_up(&emulator).await;
    for by in [7, -7] {
        emulator.mielto().faults(Fault::WrongContentLength { by }).unwrap();
        let path = format!("{KEYS}/{}", emulator.mielto().sample_address()[0]);
        let (head, body) = rest(ask_open(emulator.mielto(), "GET", &path, "").await).await;
        let told = whole.body.len().checked_add_signed(by.try_into().unwrap()).unwrap();
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert_eq!(head.matches(&format!("\r\ncontent-length: {told}\r\n")).count(), 1, "{by}: {head}");
        assert_eq!(body, whole.body, "{by}");
    }
    emulator.mielto().faults(Fault::WrongContentLength { by: i64::MIN }).unwrap();
    assert_eq!(look_up(&emulator).await.header("content-length"), Some("0"));
}

#[tokio::test]
async fn a_page_stands_in_place_of_json() {
    let emulator = emulator().await;
    emulator.mielto().faults(Fault::NotJson).unwrap();
    let answer = look_up(&emulator).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(answer.body.starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_redirect_leads_to_another_origin() {
    let emulator = emulator().await;
    let elsewhere = emulator.datkey().base_url();
    for (fault, status) in
        [(Fault::redirect(elsewhere), 307), (Fault::Redirect { status: 302, location: elsewhere.to_owned() }, 302)]
    {
        emulator.mielto().faults(fault).unwrap();
        let answer = look_up(&emulator).await;
        assert_eq!((answer.status, answer.header("location")), (status, Some(elsewhere)));
    }
    assert_eq!(emulator.mielto().served(), 0);
}

#[tokio::test]
async fn an_endless_body_goes_on_until_the_reader_goes() {
    let emulator = emulator().await;
    let whole = look_up(&emulator).await;
    emulator.mielto().faults(FaultRule::new(Fault::EndlessBody).times(1)).unwrap();
    let path = format!("{KEYS}/{}", emulator.mielto().sample_address()[0]);
    let mut stream = ask_open(emulator.mielto(), "GET", &path, "").await;
    let mut seen = vec![0; 20_000_000];
    stream.read_exact(&mut seen).await.unwrap();
    let head = String::from_utf8(seen[..1000].to_vec()).unwrap().to_lowercase();
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n") && !head.contains("content-length"), "{head}");
    let begun = &whole.body[..whole.body.len() - 1];
    assert!(String::from_utf8(seen).unwrap().contains(&format!("\r\n\r\n{:x}\r\n{begun}\r\n4000\r\n   ", begun.len())));
    // Others are served while nobody reads on.
    assert_eq!(look_up(&emulator).await.status, 200);
    drop(emulator);
    // The end of the stream or a reset: either way no more than what was on its way.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_connection_that_was_used_before_is_struck_in_the_middle() {
    let emulator = emulator().await;
    emulator.mielto().faults(FaultRule::new(Fault::Reset { applied: true }).nth(2)).unwrap();
    let mut stream = ask_open(emulator.mielto(), "GET", KEYS, "").await;
    let mut buffer = vec![0; 12];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(buffer, b"HTTP/1.1 200");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let error = stream.read_to_end(&mut buffer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_latency_holds_the_request_back_and_lets_later_rules_decide() {
    let emulator = emulator().await;
    let long = Fault::latency(Duration::from_secs(3600));
    emulator.mielto().faults(FaultRule::new(long.clone()).on("get_api_key")).unwrap();
    let held = ask_open(emulator.mielto(), "GET", &format!("{KEYS}/any"), "").await;
    until_struck(&emulator, 1).await;
    // It waits for real, so that the emulator's clock does not help.
    emulator.advance(Duration::from_secs(7200));
    count(&emulator).await;
    let others = u64::try_from(emulator.mielto().requests().len()).unwrap() - 1;
    assert_eq!(emulator.mielto().served(), others);
    drop(held);

    let short = Fault::latency(Duration::from_millis(1));
    let plan = FaultPlan::new().with_rule(short.clone()).with_rule(short.clone()).with_rule(Fault::status(503));
    emulator.mielto().faults(plan).unwrap();
    assert_eq!(look_up(&emulator).await.status, 503);
    let requests = emulator.mielto().requests();
    let struck: Vec<Vec<_>> =
        requests.iter().map(|r| r.faults().collect()).filter(|all: &Vec<_>| !all.is_empty()).collect();
    assert_eq!(struck, [vec![&long], vec![&short, &short, &Fault::status(503)]]);
}

#[tokio::test]
async fn json_drifts_in_the_key_and_in_the_rows_of_a_list() {
    let emulator = emulator().await;
    let one = format!("{KEYS}/{}", emulator.mielto().sample_address()[0]);
    let caller = mielto(&emulator);
    let whole = caller.done("GET", &one, json!(null)).await;
    for (drift, changes) in [
        (Drift::NewMember, json!({"emulator_addition": {"since": 1}})),
        (Drift::NewValue, json!({"status": "EMULATOR_UNHEARD_OF"})),
        (Drift::Null, json!({"label": null, "status": null})),
        (Drift::Set { pointer: "/label".to_owned(), value: json!(7) }, json!({"label": 7})),
        (Drift::Set { pointer: "/new~1one".to_owned(), value: json!([]) }, json!({"new/one": []})),
        (Drift::Set { pointer: "/no/such/place".to_owned(), value: json!(1) }, json!({})),
    ] {
        emulator.mielto().faults(Fault::Drift(drift.clone())).unwrap();
        let mut expected = whole.clone();
        expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(caller.done("GET", &one, json!(null)).await, expected, "{drift:?}");
        if !matches!(drift, Drift::Set { .. }) {
            let list = caller.done("GET", KEYS, json!(null)).await;
            assert_eq!(list["data"][0], expected, "{drift:?}");
            assert_eq!(list.get("emulator_addition"), None);
        }
    }
}

#[tokio::test]
async fn json_drifts_where_each_vendor_has_its_key() {
    let emulator = emulator().await;
    let (baseten, datkey, oneloop) = (emulator.baseten(), emulator.datkey(), emulator.oneloop());
    let [key] = datkey.sample_address() else { panic!("one id") };
    let verification = json!({"api_id": "api_example_1", "key": datkey.plaintext(datkey.sample_address())});
    let [workspace, id] = oneloop.sample_address() else { panic!("two ids") };
    let sample = oneloop.plaintext(oneloop.sample_address());
    for (vendor, (header, scheme), drift, (method, path, body), pointer, expected) in [
        (
            baseten,
            ("Authorization", "Api-Key "),
            Drift::NewValue,
            ("GET", "/v1/api_keys".to_owned(), json!(null)),
            "/keys/0/type",
            json!("EMULATOR_UNHEARD_OF"),
        ),
        (
            baseten,
            ("Authorization", "Api-Key "),
            Drift::NewValue,
            ("GET", "/v1/gateway/groups".to_owned(), json!(null)),
            "/items/0/hierarchy/limit_enforcement",
            json!("EMULATOR_UNHEARD_OF"),
        ),
        (
            datkey,
            ("x-api-key", ""),
            Drift::Null,
            ("GET", format!("/keys/{key}"), json!(null)),
            "/key/verifications",
            json!(null),
        ),
        (
            datkey,
            ("x-api-key", ""),
            Drift::NewMember,
            ("POST", "/keys/verify".to_owned(), verification),
            "/key/emulator_addition",
            json!({"since": 1}),
        ),
        (
            oneloop,
            ("Authorization", "Bearer "),
            Drift::Null,
            ("GET", format!("/api/v1/workspace/{workspace}/api-key/{id}"), json!(null)),
            "/apiKey/enabled",
            json!(null),
        ),
        (
            oneloop,
            ("Authorization", "Bearer "),
            Drift::NewValue,
            ("POST", "/api/v1/api-key/verify".to_owned(), json!({"key": sample, "requestedScopes": []})),
            "/status",
            json!("EMULATOR_UNHEARD_OF"),
        ),
        (
            emulator.braintrust(),
            ("Authorization", "Bearer "),
            Drift::Null,
            ("GET", "/v1/api_key".to_owned(), json!(null)),
            "/objects/0/preview_name",
            json!(null),
        ),
    ] {
        vendor.faults(Fault::Drift(drift.clone())).unwrap();
        let answer = Caller::new(vendor, header, scheme).done(method, &path, body).await;
        assert_eq!(answer.pointer(pointer), Some(&expected), "{} {path} {drift:?}: {answer}", vendor.name());
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_does_not_drift() {
    let emulator = emulator().await;
    emulator.braintrust().faults(Fault::Drift(Drift::NewMember)).unwrap();
    let caller = Caller::new(emulator.braintrust(), "Authorization", "Bearer ");
    let answer = caller.ask("GET", "/v1/api_key/nope", json!(null)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("Invalid uuid"), "{answer:?}");
}
