//! Odd answers: a plaintext in hand is kept, what is not confirmed is told, and a lost answer is not explained away.

use std::time::Duration;

use keymux::{
    Action, ApiKeyProvider, Change, ClientOptions, Error, ErrorKind, ExposeSecret as _, KeyAddress, KeyPatch, NewKey,
    Parameter, Permission, RetryPolicy, Scope, TimeUnit, Verdict, VerifyRequest,
};
use keymux::{baseten, braintrust, datkey, mielto, oneloop};
use mockito::{Matcher, Server, ServerGuard};

const PLAINTEXT: &str = "pre_CANARYplaintext0001";

fn options() -> ClientOptions {
    let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
    ClientOptions::new().without_rate_limiter().with_credential_recheck(Duration::ZERO).with_retry(retry)
}

fn client(vendor: &str, url: &str) -> Box<dyn ApiKeyProvider> {
    match vendor {
        "baseten" => Box::new(baseten::Config::new("c").with_base_url(url).with_options(options()).build().unwrap()),
        "braintrust" => {
            Box::new(braintrust::Config::new("c").with_base_url(url).with_options(options()).build().unwrap())
        }
        "mielto" => Box::new(mielto::Config::new("c").with_base_url(url).with_options(options()).build().unwrap()),
        "datkey" => Box::new(datkey::Config::new("c").with_base_url(url).with_options(options()).build().unwrap()),
        _ => {
            let config = oneloop::Config::new("c").with_base_url(url).with_options(options());
            Box::new(config.with_expiry_unit(TimeUnit::Seconds).build().unwrap())
        }
    }
}

async fn answering(replies: &[(usize, &str)]) -> ServerGuard {
    let mut server = Server::new_async().await;
    for (status, body) in replies {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            server.mock(method, Matcher::Any).with_status(*status).with_body(body).create_async().await;
        }
    }
    server
}

fn new_key(vendor: &str) -> NewKey {
    let key = NewKey::new(if vendor == "mielto" { Scope::account() } else { Scope::new(["s"]).unwrap() });
    let key = key.with_name("bot");
    if vendor != "oneloop" {
        return key;
    }
    let read = Permission { name: "invoices".to_owned(), actions: Some(vec![Action::Read]) };
    key.with_permissions([read]).with_customer("c1")
}

#[tokio::test]
async fn a_plaintext_in_hand_is_kept_whatever_else_the_answer_lacks() {
    // The vendor, the answer, and the address if it can be known.
    let table = [
        ("baseten", r#"{"api_key":"KEY"}"#, None),
        ("baseten", r#"{"api_key":"KEY","prefix":7,"name":["x"]}"#, None),
        ("baseten", r#"{"api_key":"pre.KEY"}"#, Some("s/pre")),
        ("mielto", r#"{"secret":"KEY"}"#, None),
        ("mielto", r#"{"id":"","key":"KEY","label":"bot"}"#, None),
        ("mielto", r#"{"id":2,"key":"KEY"}"#, None),
        ("datkey", r#"{"api_id":"a1","name":"x","key":"KEY"}"#, None),
        ("datkey", r#"{"key":{"key":"KEY","id":".."}}"#, None),
        ("datkey", r#"{"id":"k1","key":"KEY"}"#, Some("k1")),
        ("oneloop", r#"{"apiKey":{"name":"bot","maskedKey":"abcde","key":"KEY"}}"#, None),
        ("oneloop", r#"{"key":"KEY"}"#, None),
        ("oneloop", r#"{"apiKey":{"id":9},"key":"KEY"}"#, None),
        ("oneloop", r#"{"apiKey":{"id":"k1"},"key":"KEY"}"#, Some("s/k1")),
        ("oneloop", r#"{"id":"k1","key":"KEY","scopes":3}"#, Some("s/k1")),
    ];
    for (vendor, body, address) in table {
        let server = answering(&[(200, &body.replace("KEY", PLAINTEXT))]).await;
        let issued = client(vendor, &server.url()).create(&new_key(vendor)).await.unwrap();
        assert!(issued.plaintext.expose_secret().ends_with(PLAINTEXT), "{vendor} {body}");
        assert_eq!(issued.address().map(ToString::to_string).as_deref(), address, "{vendor} {body}");
        assert_eq!(issued.find_out.is_some(), address.is_none());
        assert!(!format!("{issued:?}").contains("CANARY"));
    }
}

#[tokio::test]
async fn a_rotated_key_keeps_the_address_that_was_asked() {
    let address = KeyAddress::new(["w", "k"]).unwrap();
    for body in [
        r#"{"apiKey":{"name":"bot","maskedKey":"abcde","key":"KEY"}}"#,
        r#"{"apiKey":{"id":"other","key":"KEY"}}"#,
        r#"{"key":"KEY"}"#,
        r#"{"apiKey":{},"key":"KEY"}"#,
    ] {
        let server = answering(&[(200, &body.replace("KEY", PLAINTEXT))]).await;
        let issued = client("oneloop", &server.url()).rotate(&address).await.unwrap();
        assert_eq!((issued.address(), issued.plaintext.expose_secret()), (Some(&address), PLAINTEXT), "{body}");
    }
}

#[tokio::test]
async fn a_typed_client_gives_the_plaintext_with_the_error_where_its_model_needs_an_id() {
    let server = answering(&[(200, &format!(r#"{{"apiKey":{{"name":"n"}},"key":"{PLAINTEXT}"}}"#))]).await;
    let client = oneloop::Config::new("c").with_base_url(server.url()).with_options(options()).build().unwrap();
    let key = oneloop::NewApiKey {
        name: "n".to_owned(),
        workspace_id: oneloop::WorkspaceId::new("w").unwrap(),
        scopes: Vec::new(),
        enabled: true,
        customer_id: "c".to_owned(),
        prefix: None,
        expires_at: None,
        external_meter_id: None,
        metadata: None,
    };
    let of_oneloop = Error::from(client.create_api_key(&key).await.unwrap_err());

    let server = answering(&[(200, &format!(r#"{{"api_key":"{PLAINTEXT}","name":null}}"#))]).await;
    let client = baseten::Config::new("c").with_base_url(server.url()).with_options(options()).build().unwrap();
    let group = baseten::GroupId::new("g").unwrap();
    let of_baseten = Error::from(client.create_api_key(&group, &baseten::NewApiKey::default()).await.unwrap_err());

    let server = answering(&[(200, &format!(r#"{{"name":"t","key":"{PLAINTEXT}"}}"#))]).await;
    let client = braintrust::Config::new("c").with_base_url(server.url()).with_options(options()).build().unwrap();
    let token =
        braintrust::NewServiceToken { name: "t".to_owned(), service_account_id: "a".to_owned(), org_name: None };
    let of_braintrust = Error::from(client.create_service_token(&token).await.unwrap_err());
    for error in [of_oneloop, of_baseten, of_braintrust] {
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        assert_eq!(error.plaintext().unwrap().expose_secret(), PLAINTEXT);
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
    }
}

#[tokio::test]
async fn what_was_asked_and_is_not_confirmed_is_told_at_every_vendor() {
    let expiry = "2100-01-01T00:00:00Z".parse().unwrap();
    let read = Permission { name: "read".to_owned(), actions: None };
    let table = [
        ("baseten", r#"{"api_key":"pre.KEY","name":null}"#, new_key("baseten"), vec![Parameter::Name]),
        (
            "mielto",
            r#"{"id":"k1","secret":"KEY","label":"bot","status":"active"}"#,
            new_key("mielto").with_expires_at(expiry).with_permissions([read]).with_enabled(false),
            vec![Parameter::ExpiresAt, Parameter::Permissions, Parameter::Enabled],
        ),
        (
            "datkey",
            r#"{"key":{"id":"k1","name":"bot","key":"KEY","expires_at":null,"verification_limit":9}}"#,
            new_key("datkey").with_expires_at(expiry).with_max_uses(5).with_prefix("pre"),
            vec![Parameter::ExpiresAt, Parameter::MaxUses],
        ),
        (
            "oneloop",
            r#"{"apiKey":{"id":"k1","name":"bot","enabled":true,"deleted":false,"expiresAt":null,"scopes":[],"key":"KEY"}}"#,
            new_key("oneloop").with_expires_at(expiry),
            vec![Parameter::ExpiresAt, Parameter::Permissions, Parameter::Customer],
        ),
    ];
    for (vendor, body, key, expected) in table {
        let server = answering(&[(200, &body.replace("KEY", PLAINTEXT))]).await;
        let issued = client(vendor, &server.url()).create(&key).await.unwrap();
        assert_eq!(issued.unconfirmed, expected, "{vendor}");
    }
    let server = answering(&[(200, r#"{"id":"k1","secret":"s","label":"bot"}"#)]).await;
    let key = new_key("mielto").with_setting("collections", vec!["c1"]);
    let issued = client("mielto", &server.url()).create(&key).await.unwrap();
    assert_eq!(issued.unconfirmed_settings, ["collections"]);
}

#[tokio::test]
async fn a_plaintext_says_which_member_it_is_where_two_could_be_it() {
    for (body, member) in [
        (r#"{"id":"k","key":"one","secret":"two"}"#, "secret"),
        (r#"{"id":"k","key":"one","secret":null}"#, "key"),
        (r#"{"id":"k","key":"one","secret":""}"#, "key"),
    ] {
        let server = answering(&[(200, body)]).await;
        let issued = client("mielto", &server.url()).create(&new_key("mielto")).await.unwrap();
        assert_eq!(issued.member.as_deref(), Some(member), "{body}");
    }
}

#[tokio::test]
async fn a_lost_answer_and_a_refused_repeat_leave_a_change_unknown() {
    let addresses = [
        ("baseten", vec!["g", "p"]),
        ("braintrust", vec!["00000000-0000-4000-8000-000000000001"]),
        ("mielto", vec!["k"]),
        ("datkey", vec!["k"]),
        ("oneloop", vec!["w", "k"]),
    ];
    for (vendor, address) in addresses {
        let address = KeyAddress::new(address).unwrap();
        for status in [400, 401, 403, 409, 422] {
            let body = r#"{"message":"Missing delete access to api_key id x, or the api_key does not exist"}"#;
            let server = answering(&[(500, ""), (status, body)]).await;
            let error = client(vendor, &server.url()).revoke(&address).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::OutcomeUnknown, u16::try_from(status).ok()));
            assert!(error.may_have_executed() && error.to_string().contains("look the key up"), "{vendor}: {error}");
            // A limiter refused the first one, which did nothing.
            let server = answering(&[(429, ""), (status, "{}")]).await;
            let error = client(vendor, &server.url()).revoke(&address).await.unwrap_err();
            assert!(error.kind() != ErrorKind::OutcomeUnknown && !error.may_have_executed(), "{vendor}: {error}");
            if matches!(vendor, "mielto" | "oneloop") {
                let server = answering(&[(502, ""), (status, body)]).await;
                let patch = KeyPatch::new().with_name(Change::Set("n".to_owned()));
                let error = client(vendor, &server.url()).update(&address, &patch).await.unwrap_err();
                assert!(error.kind() == ErrorKind::OutcomeUnknown && error.may_have_executed(), "{error}");
            }
        }
        for status in [404, 410] {
            let server = answering(&[(500, ""), (status, "")]).await;
            assert!(client(vendor, &server.url()).revoke(&address).await.unwrap().after_lost_answer, "{vendor}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_gone_after_a_lost_answer_leaves_a_removal_unknown() {
    // It takes one request, and is then not there any more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt as _;
        let (mut socket, _) = listener.accept().await.unwrap();
        drop(listener);
        let _ = socket.read(&mut [0; 1024]).await;
    });
    let error = client("mielto", &url).revoke(&KeyAddress::new(["k"]).unwrap()).await.unwrap_err();
    assert!(error.may_have_executed(), "{error}");
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    assert!(error.to_string().contains("look the key up"), "{error}");
}

#[tokio::test]
async fn a_contradicting_verdict_is_not_valid() {
    let request = VerifyRequest::new(Scope::new(["a1"]).unwrap());
    for status in ["EXPIRED", "USAGE_EXCEEDED"] {
        let server = answering(&[(200, &format!(r#"{{"valid":true,"status":"{status}"}}"#))]).await;
        let verdict = client("datkey", &server.url()).verify(&"k".into(), &request).await.unwrap();
        assert!(matches!(&verdict, Verdict::Inconclusive(error) if error.kind() == ErrorKind::Decode), "{verdict:?}");
    }
    let server = answering(&[(200, r#"{"valid":true,"status":"SOMETHING"}"#)]).await;
    assert!(client("datkey", &server.url()).verify(&"k".into(), &request).await.unwrap().is_valid());
}
