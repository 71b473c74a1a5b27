//! What the tests of this folder share; each of them uses a part.
#![allow(dead_code, reason = "every test crate compiles this module and uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

pub(crate) mod fake;
pub(crate) mod limited;
pub(crate) mod server;

use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use keymux_core::{
    Answer, BaseUrl, Call, ClientOptions, Decoded, Dialect, Envelope, Error, Fact, Pipeline, ProviderId, Rejected,
    Rejection, Shape, WaitForm, WaitHeader,
};
use serde::Deserialize;

/// The operation of every call.
pub(crate) const OPERATION: &str = "get_key";

/// The header that the vendor's id of a request stands in.
pub(crate) const REQUEST_ID: &str = "x-request-id";

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The vendor documents a header of its own for waits.
const WAIT_HEADERS: &[WaitHeader] = &[WaitHeader { name: "retry-after-ms", form: WaitForm::Milliseconds }];

/// A vendor whose errors are JSON with `code`, `message`, `request_id` and `retry_after`.
pub(crate) fn dialect() -> Dialect {
    Dialect {
        provider: ProviderId::new("acme"),
        request_id_header: Some(REQUEST_ID),
        read_rejection,
        rate_limit: None,
        wait_headers: WAIT_HEADERS,
    }
}

pub(crate) fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    Rejection {
        code: rejected.text_at("/code"),
        message: rejected.text_at("/message"),
        request_id: rejected.text_at("/request_id"),
        retry_after: rejected.seconds_at("/retry_after"),
        ..Rejection::default()
    }
}

/// A client with the credential `secret` behind `Bearer`.
pub(crate) fn pipeline(base: &str, options: ClientOptions) -> Pipeline {
    let base = BaseUrl::parse("the base URL", base).unwrap();
    Pipeline::new(dialect(), base, (AUTHORIZATION, "Bearer ", "secret".into()), HeaderMap::new(), options).unwrap()
}

/// Asks for the key `a`.
pub(crate) async fn call(pipeline: &Pipeline) -> Result<Answer, Error> {
    pipeline.send(Call::get(OPERATION, &["keys", "a"])).await
}

/// Asks for the key `a` and decodes the answer.
pub(crate) async fn look_up(pipeline: &Pipeline) -> Result<Decoded<Key>, Error> {
    call(pipeline).await?.decode(&SHAPE)
}

/// The key object of the vendor.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Fact<String>,
}

pub(crate) const SHAPE: Shape = Shape { envelope: Envelope::Bare, secrets: &[] };
