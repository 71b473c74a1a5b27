//! The way of a request: call, attempts, transport, answer.

mod answer;
mod base_url;
mod decode;
mod options;
mod pipeline;
mod reqwest_transport;
mod transport;

pub use answer::{Answer, Decoded, Envelope, Rows, Shape};
pub use base_url::BaseUrl;
pub use decode::objects;
pub use options::HttpOptions;
pub use pipeline::{Call, Dialect, Pipeline, Rejected, Rejection};
pub use transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
