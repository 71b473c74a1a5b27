//! `--dry-run`: a call is carried out up to its request, which is shown and not sent.

use std::future::{Future, pending};
use std::sync::Arc;

use async_trait::async_trait;
use keymux::{AccountName, Error, Exchange, ProviderId, Request, Response, SecretString, Transport, TransportError};
use serde_json::value::RawValue;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::exit::Failure;
use crate::masked::{MASKED, masked};
use crate::rows::RequestRow;

/// Headers that say nothing about anybody.
const SHOWN: [&str; 4] = ["accept", "content-length", "content-type", "user-agent"];

/// Catches requests.
#[derive(Debug)]
pub(crate) struct DryRun {
    caught: UnboundedReceiver<Request>,
    secret: Option<SecretString>,
    steps: u64,
}

impl DryRun {
    /// The dry run, and the transport that the accounts have to use. `secret` is masked in what is shown.
    pub(crate) fn new(secret: Option<SecretString>) -> (Self, Arc<dyn Transport>) {
        let (tell, caught) = unbounded_channel();
        (Self { caught, secret, steps: 0 }, Arc::new(Catch(tell)))
    }

    /// The request of a call. The error is that of a call which is refused before it is sent.
    pub(crate) async fn request<T>(
        &mut self,
        (account, provider): (&AccountName, &ProviderId),
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<RequestRow, Failure> {
        tokio::select! {
            biased;
            Some(request) = self.caught.recv() => {
                self.steps += 1;
                Ok(self.row(account, provider, &request))
            }
            result = call => match result {
                Err(error) => Err(error.into()),
                Ok(_) => Err(Failure::Usage(format!("{account}: this sends nothing"))),
            },
        }
    }

    fn row(&self, account: &AccountName, provider: &ProviderId, request: &Request) -> RequestRow {
        let headers = request.headers.iter().map(|(name, value)| {
            let shown = SHOWN.contains(&name.as_str()) && !value.is_sensitive();
            let value = value.to_str().ok().filter(|_| shown).unwrap_or(MASKED);
            (name.as_str().to_owned(), value.to_owned())
        });
        RequestRow {
            step: self.steps,
            account: account.clone(),
            provider: provider.clone(),
            method: request.method.to_string(),
            url: request.url.to_string(),
            headers: headers.collect(),
            body: self.body(&request.body),
            note: None,
        }
    }

    fn body(&self, bytes: &[u8]) -> Option<Box<RawValue>> {
        if bytes.is_empty() {
            return None;
        }
        let body =
            serde_json::from_slice::<&RawValue>(bytes).ok().and_then(|body| masked(body.get(), self.secret.as_ref()));
        // Every vendor takes JSON; of anything else nobody knows where a secret is.
        let body = body.unwrap_or_else(|| format!("\"{} bytes\"", bytes.len()));
        RawValue::from_string(body).ok()
    }
}

/// A network that takes requests and never answers.
#[derive(Debug)]
struct Catch(UnboundedSender<Request>);

#[async_trait]
impl Transport for Catch {
    async fn execute(&self, request: Request, _exchange: &Exchange) -> Result<Response, TransportError> {
        // Where nobody listens the call is dropped.
        let _ = self.0.send(request);
        pending().await
    }
}
