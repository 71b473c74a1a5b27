//! Looking a key up at each of the five vendors, from the documents' request to the record, and the rules that hold at
//! all of them. Bodies are the documents' own examples, or made of their schemas.

mod baseten;
mod braintrust;
mod datkey;
mod mielto;
mod oneloop;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use keymux_core::{
    ApiKeyProvider, ClientOptions, Error, ErrorKind, Exchange, KeyAddress, Request, Response, Transport, TransportError,
};

use crate::support::{ACCEPT, CREDENTIAL, Reply, USER_AGENT, Vendor, json, once, printed, quickly, text};

type Connect = fn(Option<&str>, ClientOptions) -> Result<Arc<dyn ApiKeyProvider>, Error>;

/// One vendor, as its documents draw a look-up.
pub(crate) struct Documented {
    pub(crate) name: &'static str,
    /// Its client at a base URL, or at its own.
    pub(crate) connect: Connect,
    /// Its own base URL.
    host: &'static str,
    /// The header with the credential.
    auth: &'static str,
    /// An address that its documents show, or that has the documented form.
    pub(crate) ids: &'static [&'static str],
    /// The path, with `{}` for each id.
    path: &'static str,
    /// A body of the documented form, with that id and the name `NAME`.
    pub(crate) body: &'static str,
}

macro_rules! connect {
    ($vendor:ident) => {
        |base, options| {
            let config = $vendor::Config::new(CREDENTIAL).with_options(options);
            let config = if let Some(base) = base { config.with_base_url(base) } else { config };
            Ok(Arc::new(config.build()?))
        }
    };
}

/// All vendors.
pub(crate) const VENDORS: [Documented; 5] = [
    Documented {
        name: "baseten",
        connect: connect!(keymux_baseten),
        host: "https://api.baseten.co",
        auth: "authorization: Api-Key",
        ids: &["abc123hash", "aBcDeFg"],
        path: "/v1/gateway/groups/{}/api_keys/{}",
        body: r#"{"prefix":"aBcDeFg","name":"NAME"}"#,
    },
    Documented {
        name: "braintrust",
        connect: connect!(keymux_braintrust),
        host: "https://api.braintrust.dev",
        auth: "authorization: Bearer",
        ids: &["6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80"],
        path: "/v1/api_key/{}",
        body: r#"{"id":"6f1d2c3b-0a9e-4b57-8c11-2f4d5e6a7b80","name":"NAME","preview_name":"sk-****k3Zq9"}"#,
    },
    Documented {
        name: "mielto",
        connect: connect!(keymux_mielto),
        host: "https://api.mielto.com",
        auth: "authorization: Bearer",
        ids: &["key_000000001"],
        path: "/api/v1/api-keys/{}",
        body: r#"{"id":"key_000000001","key":"mk_example_0000","label":"NAME","workspace_id":"wsp_000000001"}"#,
    },
    Documented {
        name: "datkey",
        connect: connect!(keymux_datkey),
        host: "https://api.datkey.dev",
        auth: "x-api-key:",
        ids: &["00000000-0000-4000-8000-000000000001"],
        path: "/keys/{}",
        body: r#"{"key":{"id":"00000000-0000-4000-8000-000000000001","name":"NAME"}}"#,
    },
    Documented {
        name: "oneloop",
        connect: connect!(keymux_oneloop),
        host: "https://prod.oneloop.ai",
        auth: "authorization: Bearer",
        ids: &["ws_1", "ak_example_1"],
        path: "/api/v1/workspace/{}/api-key/{}",
        body: r#"{"apiKey":{"id":"ak_example_1","name":"NAME","maskedKey":"9c01e","prefix":null,"expiresAt":null,
            "scopes":[],"enabled":true,"customerId":null,"deleted":false,"createdAt":"2024-11-01T08:00:00.000Z",
            "updatedAt":"2024-11-02T08:00:00.000Z","lastUsedAt":null,"billingId":null}}"#,
    },
];

impl Documented {
    pub(crate) fn at(&self, base: &str, options: ClientOptions) -> Arc<dyn ApiKeyProvider> {
        (self.connect)(Some(base), options).unwrap()
    }

    /// The path of a look-up with `ids`, which are percent-encoded already.
    pub(crate) fn path_of(&self, ids: &[&str]) -> String {
        ids.iter().fold(self.path.to_owned(), |path, id| path.replacen("{}", id, 1))
    }

    /// The path of a look-up of [`ids`](Self::ids).
    pub(crate) fn own_path(&self) -> String {
        self.path_of(self.ids)
    }
}

/// The address of these segments.
pub(crate) fn address(segments: &[&str]) -> KeyAddress {
    KeyAddress::new(segments.iter().copied()).unwrap()
}

#[tokio::test]
async fn a_base_url_keeps_its_path_and_its_last_slash_makes_no_difference() {
    for vendor in &VENDORS {
        for (end, kept) in
            [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b"), ("/data%20plane/v2", "/data%20plane/v2")]
        {
            let mock = Vendor::answering([json(200, vendor.body)]).await;
            let client = vendor.at(&format!("{}{end}", mock.url()), once());
            client.get(&address(vendor.ids)).await.unwrap();
            assert_eq!(mock.lines(), [format!("GET {kept}{}", vendor.own_path())], "{} {end:?}", vendor.name);
        }
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_when_the_client_is_built() {
    for vendor in &VENDORS {
        for base in ["http://api.example.com", "http://10.0.0.1:8080/a", "http://localhost.example.com"] {
            let error = (vendor.connect)(Some(base), once()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{} {base}", vendor.name);
            assert_eq!(error.provider().unwrap().as_str(), vendor.name);
            assert!(error.message().unwrap().contains("plain HTTP"), "{error}");
        }
        for base in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "https://api.example.com"] {
            let options = once().with_transport(Arc::new(Recorder::default()));
            assert!((vendor.connect)(Some(base), options).is_ok(), "{} {base}", vendor.name);
        }
    }
}

/// A transport to nowhere that keeps the URLs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    body: &'static str,
    urls: Mutex<Vec<String>>,
}

impl Recorder {
    pub(crate) fn answering(body: &'static str) -> Arc<Self> {
        Arc::new(Self { body, urls: Mutex::default() })
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn execute(&self, request: Request, _exchange: &Exchange) -> Result<Response, TransportError> {
        self.urls.lock().unwrap().push(request.url.into());
        Ok(Response::new(Bytes::from_static(self.body.as_bytes())))
    }
}

#[tokio::test]
async fn without_a_base_url_the_documented_host_is_asked() {
    for vendor in &VENDORS {
        let recorder = Recorder::answering(vendor.body);
        let client = (vendor.connect)(None, once().with_transport(Arc::clone(&recorder) as _)).unwrap();
        client.get(&address(vendor.ids)).await.unwrap();
        assert_eq!(recorder.urls(), [format!("{}{}", vendor.host, vendor.own_path())]);
    }
}

#[tokio::test]
async fn an_application_names_itself_before_the_library() {
    for vendor in &VENDORS {
        let mock = Vendor::answering([json(200, vendor.body)]).await;
        let client = vendor.at(&mock.url(), once().with_application("my-service/1.4").unwrap());
        client.get(&address(vendor.ids)).await.unwrap();
        let agent = USER_AGENT.replace("user-agent: ", "user-agent: my-service/1.4 ");
        let mut headers = [ACCEPT.to_owned(), format!("{} {CREDENTIAL}", vendor.auth), agent];
        headers.sort();
        assert_eq!(mock.asked(), [format!("GET {}\n{}", vendor.own_path(), headers.join("\n"))]);
    }
}

#[tokio::test]
async fn an_address_of_another_shape_is_refused_before_anything_is_sent() {
    for vendor in &VENDORS {
        let mock = Vendor::answering([json(200, vendor.body)]).await;
        let client = vendor.at(&mock.url(), quickly());
        let (one_more, one_less) = ([vendor.ids, &["x"]].concat(), &vendor.ids[1..]);
        for ids in [one_more.as_slice(), one_less] {
            let Ok(address) = KeyAddress::new(ids.iter().copied()) else { continue };
            let error = client.get(&address).await.unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::InvalidRequest, 0), "{error}");
            assert_eq!(error.provider().unwrap().as_str(), vendor.name);
            assert_eq!(error.status(), None);
        }
        assert!(mock.asked().is_empty(), "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_look_up_is_repeated_until_the_vendor_answers() {
    let outages: [&[Reply]; 4] = [
        &[text(500, "oops"), text(502, "oops"), text(503, "oops")],
        &[text(504, "oops"), text(408, "oops")],
        &[text(429, "slow down")],
        &[text(429, "slow down").with("retry-after", "0"), text(503, "oops").with("retry-after", "0.005")],
    ];
    for vendor in &VENDORS {
        for outage in outages {
            let mock = Vendor::answering([outage, &[json(200, vendor.body)]].concat()).await;
            let record = vendor.at(&mock.url(), quickly()).get(&address(vendor.ids)).await.unwrap();
            assert_eq!(record.name.known().unwrap(), "NAME");
            assert_eq!(mock.asked().len(), outage.len() + 1, "{} {outage:?}", vendor.name);
        }
    }
}

#[tokio::test]
async fn a_refusal_that_time_does_not_heal_is_not_repeated() {
    for vendor in &VENDORS {
        for status in [400, 401, 402, 403, 404, 409, 422, 501] {
            let mock = Vendor::answering([text(status, "no")]).await;
            let error = vendor.at(&mock.url(), quickly()).get(&address(vendor.ids)).await.unwrap_err();
            assert_eq!((mock.asked().len(), error.attempts()), (1, 1), "{} {status}: {error}", vendor.name);
            assert!(!error.is_retryable() || status == 501, "{error}");
        }
    }
}

#[tokio::test]
async fn a_vendor_that_repeats_the_credential_does_not_spread_it() {
    let shapes = [
        r#"{"message":"bad credential SECRET","code":"SECRET"}"#,
        r#"{"Message":"bad credential SECRET","Code":"SECRET","InternalTraceId":"SECRET"}"#,
        r#"{"detail":"bad credential SECRET","error_code":"SECRET"}"#,
        r#"{"error":{"code":"SECRET","message":"bad credential SECRET"}}"#,
        r#"{"detail":[{"loc":["header","SECRET"],"msg":"bad credential SECRET","type":"SECRET"}]}"#,
        "bad credential SECRET [request_id=SECRET]",
    ];
    let mut leaks = Vec::new();
    for vendor in &VENDORS {
        for (shape, status) in shapes.iter().flat_map(|shape| [401, 403, 422].map(|status| (shape, status))) {
            let reply = text(status, &shape.replace("SECRET", CREDENTIAL));
            let mock = Vendor::answering([reply.with("x-bt-internal-trace-id", CREDENTIAL)]).await;
            let error = vendor.at(&mock.url(), once()).get(&address(vendor.ids)).await.unwrap_err();
            if printed(&error).contains(CREDENTIAL) {
                leaks.push(format!("{} {status} {shape}", vendor.name));
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}
