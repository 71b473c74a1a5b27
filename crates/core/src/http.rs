//! The way of a request: call, attempts, transport, answer.

mod answer;
mod attempts;
mod base_url;
mod call;
mod decode;
mod dialect;
mod later;
mod options;
mod permit;
mod pipeline;
mod proxy;
mod refusal;
mod reqwest_transport;
mod shape;
mod transport;

pub use answer::Answer;
pub use base_url::BaseUrl;
pub use call::Call;
pub use decode::objects;
pub use dialect::{Dialect, Rejected, Rejection};
pub use later::LaterRows;
pub use options::ClientOptions;
pub use pipeline::Pipeline;
pub use shape::{Decoded, Envelope, Rows, Shape, UnreadRow};
pub use transport::{Distrust, Exchange, Request, Response, Transport, TransportError, TransportErrorKind};
