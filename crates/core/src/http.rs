//! The way of a request: call, attempts, transport, answer.

mod answer;
mod base_url;
mod call;
mod decode;
mod dialect;
mod options;
mod pipeline;
mod reqwest_transport;
mod transport;

pub use answer::{Answer, Decoded, Envelope, Rows, Shape, UnreadRow};
pub use base_url::BaseUrl;
pub use call::Call;
pub use decode::objects;
pub use dialect::{Dialect, Rejected, Rejection};
pub use options::HttpOptions;
pub use pipeline::Pipeline;
pub use transport::{Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
