//! Settings that hold a credential: printed whole, refused, or read from variables.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keymux::{ApiKeyProvider, ClientOptions, Error, Keymux, baseten, braintrust, datkey, mielto, oneloop};
use keymux_core::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};

use super::{CREDENTIAL, Journal, Walk, facade, options};
use crate::fixtures::{June, Vendor, full, now};

const HIDDEN_IN_URL: &str = "https://user:CANARY@vendor.example/?signature=CANARY";

#[test]
fn no_configuration_and_no_client_shows_its_credential() {
    let mut walk = Walk::default();
    macro_rules! walk {
        ($($vendor:ident),*) => {$(
            let config = $vendor::Config::new(CREDENTIAL).with_options(ClientOptions::new());
            walk.debug(concat!(stringify!($vendor), " config"), &config);
            walk.debug(concat!(stringify!($vendor), " client"), &config.build().unwrap());
            let odd = $vendor::Config::new(CREDENTIAL).with_base_url(HIDDEN_IN_URL);
            walk.debug(concat!(stringify!($vendor), " config with a password in its URL"), &odd);
            walk.error(concat!(stringify!($vendor), " refused URL"), &odd.build().unwrap_err());
            for refused in ["CANARY\n", "CANARY CANARY", "Bearer CANARY", "CANARY\u{e9}", "CANARY\0"] {
                let error = $vendor::Config::new(refused).build().unwrap_err();
                walk.error(concat!(stringify!($vendor), " refused credential"), &error);
            }
        )*};
    }
    walk!(baseten, braintrust, mielto, datkey, oneloop);
    let headers = [mielto::AuthHeader::Bearer, mielto::AuthHeader::XApiKey];
    for header in headers {
        let config = mielto::Config::new(CREDENTIAL).with_auth_header(header).with_workspace_id("wsp_1");
        walk.debug("mielto config", &config);
        walk.debug("mielto client", &config.build().unwrap());
    }
    walk.assert_silent();
}

#[test]
fn no_facade_and_no_builder_shows_a_credential() {
    let mut walk = Walk::default();
    let mut builder = Keymux::builder();
    for vendor in Vendor::ALL {
        let journal = Arc::new(Journal::default());
        let options = options(&full(vendor)).with_observer(journal);
        walk.debug("options", &options);
        builder = builder.with_account(vendor.id(), vendor.client(CREDENTIAL, "https://vendor.example", options));
    }
    walk.debug("builder", &builder);
    let keymux = builder.build().unwrap();
    walk.debug("facade", &keymux);
    for (name, provider) in keymux.accounts() {
        walk.debug(name.as_str(), provider);
        walk.debug("info", provider.info());
    }
    let (keymux, key) = facade(&full(Vendor::Mielto), "https://vendor.example", ClientOptions::new());
    walk.debug("facade", &keymux);
    walk.debug("outcomes", &keymux.get_many([key]));
    walk.assert_silent();
}

/// A transport that prints what it is handed, and the credential on purpose.
#[derive(Debug, Default)]
struct Printer {
    printed: Mutex<Vec<String>>,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Printer {
    async fn execute(&self, request: Request, exchange: &Exchange) -> Result<Response, TransportError> {
        let headers = request.headers.clone();
        let texts = [format!("{request:?}{request:#?}"), format!("{headers:?}{headers:#?}"), format!("{exchange:?}")];
        self.printed.lock().unwrap().extend(texts);
        let values = headers.values().map(|value| value.to_str().unwrap().to_owned());
        self.sent.lock().unwrap().extend(values);
        Err(TransportError::new(TransportErrorKind::Head, None))
    }
}

#[test]
fn a_request_does_not_show_its_credential_to_a_transport_that_prints_it() {
    let mut walk = Walk::default();
    let printer = Arc::new(Printer::default());
    let policy = keymux::RetryPolicy::never();
    let options = ClientOptions::new().with_clock(Arc::new(June)).with_retry(policy).with_transport(printer.clone());
    let mut clients: Vec<(Vendor, Arc<dyn ApiKeyProvider>)> = Vec::new();
    for vendor in Vendor::ALL {
        clients.push((vendor, vendor.client(CREDENTIAL, "https://vendor.example", options.clone())));
    }
    let mielto = mielto::Config::new(CREDENTIAL).with_auth_header(mielto::AuthHeader::XApiKey).with_options(options);
    clients.push((Vendor::Mielto, Arc::new(mielto.build().unwrap())));
    for (vendor, client) in &clients {
        let error = now(client.get(&full(*vendor).address)).unwrap_err();
        walk.error(&format!("{vendor:?}"), &error);
    }
    let sent = printer.sent.lock().unwrap();
    assert_eq!(sent.iter().filter(|value| value.ends_with(CREDENTIAL)).count(), clients.len(), "it is in use");
    for text in printer.printed.lock().unwrap().iter() {
        walk.text("printed", text);
    }
    walk.assert_silent();
}

/// What each way of reading variables makes of them.
fn read(variables: &dyn Fn(&str) -> Option<OsString>) -> Vec<Result<String, Error>> {
    let print = |value: &dyn std::fmt::Debug| format!("{value:?}\n{value:#?}");
    vec![
        Keymux::builder().with_variables(variables, &ClientOptions::new()).map(|builder| print(&builder)),
        baseten::Config::from_variables(variables).map(|config| print(&config)),
        braintrust::Config::from_variables(variables).map(|config| print(&config)),
        mielto::Config::from_variables(variables).map(|config| print(&config)),
        datkey::Config::from_variables(variables).map(|config| print(&config)),
        oneloop::Config::from_variables(variables).map(|config| print(&config)),
    ]
}

#[test]
fn nothing_that_is_read_from_variables_shows_them() {
    let mut walk = Walk::default();
    let mut refused = 0;
    let credentials = [CREDENTIAL, "CANARY\n", " CANARY", "Bearer CANARY", "CANARY\u{e9}"];
    let urls = ["https://vendor.example", "CANARY", "http://vendor.example/CANARY", HIDDEN_IN_URL];
    for credential in credentials {
        for url in urls {
            let variables = |name: &str| match name {
                _ if name.ends_with("_API_KEY") => Some(credential.into()),
                _ if name.ends_with("_BASE_URL") => Some(url.into()),
                _ => None,
            };
            for (way, result) in read(&variables).into_iter().enumerate() {
                let what =
                    format!("way {way}, {:?} at {:?}", credential.replace("CANARY", "@"), url.replace("CANARY", "@"));
                match result {
                    Ok(printed) => walk.text(&what, &printed),
                    Err(error) => {
                        refused += 1;
                        walk.error(&what, &error);
                    }
                }
            }
        }
    }
    assert!(refused > 80, "{refused}");
    walk.assert_silent();
}
