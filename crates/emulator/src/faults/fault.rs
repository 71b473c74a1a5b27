//! What may go wrong with a request.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Drift;
use crate::delay::DelayForm;

/// What goes wrong with a request.
///
/// A fault either stands in the vendor's way, so that the request is not carried out, or it spoils the answer to a
/// request that was: each variant says which. All of them happen on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Another answer than the vendor's.
    Answer(FaultAnswer),
    /// The vendor's own 429. The request is not carried out, and a [limit](crate::Vendor::limit) does not count it.
    RateLimited {
        /// How the answer tells the wait.
        #[serde(default)]
        form: DelayForm,
        /// The wait that is told, in JSON `wait_millis`. Nothing keeps it: the next request is answered as usual.
        #[serde(rename = "wait_millis", deserialize_with = "millis")]
        wait: Duration,
    },
    /// The request is held back for this long, in real time, and then goes on: to the rules after this one, and to the
    /// vendor. The emulator's clock has no part in it.
    Latency {
        /// The time, in JSON `millis`.
        #[serde(rename = "millis", deserialize_with = "millis")]
        by: Duration,
    },
    /// No answer for as long as the emulator lives.
    Hang {
        /// Whether the request is carried out first.
        #[serde(default)]
        applied: bool,
    },
    /// The connection is reset (TCP RST) in place of an answer.
    Reset {
        /// Whether the request is carried out first: what it made is there, and the answer is lost.
        #[serde(default)]
        applied: bool,
    },
    /// The vendor's answer breaks off: the connection is closed after half of the body. The request is carried out.
    TruncatedBody,
    /// The vendor's answer with a `Content-Length` that is wrong by this many bytes, and then the end of the connection.
    /// The request is carried out.
    ///
    /// With more than there is, the answer looks broken off; with less (a negative number), the reader stops too early.
    WrongContentLength {
        /// What is added to the true length, which sinks no lower than 0.
        by: i64,
    },
    /// The vendor's status with a page of HTML in place of the body. The request is carried out.
    NotJson,
    /// The vendor's answer, changed as an API changes over time. The request is carried out. An answer that is not
    /// JSON stays as it is.
    Drift(Drift),
    /// A redirect. The request is not carried out.
    Redirect {
        /// The status, from 300 to 399. In JSON 307 if it is not given.
        #[serde(default = "temporary")]
        status: u16,
        /// The `Location`: for another origin, take the base URL of another vendor, which records what arrives.
        location: String,
    },
    /// The vendor's answer, whose body goes on with white space for as long as somebody reads. The request is carried
    /// out.
    EndlessBody,
}

impl Fault {
    /// An answer with this status and no body, in the vendor's stead.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(FaultAnswer::new(status))
    }

    /// The vendor's own 429, which tells this wait in this form.
    #[must_use]
    pub fn rate_limited(form: DelayForm, wait: Duration) -> Self {
        Self::RateLimited { form, wait }
    }

    /// The request is held back for this long, in real time.
    #[must_use]
    pub fn latency(by: Duration) -> Self {
        Self::Latency { by }
    }

    /// A redirect with 307.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::Redirect { status: temporary(), location: location.into() }
    }
}

/// An answer in the vendor's stead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultAnswer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) body: FaultBody,
    #[serde(default)]
    pub(crate) applied: bool,
}

impl FaultAnswer {
    /// An answer with this status, from 200 to 599, and no body. The request is not carried out.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: FaultBody::Empty, applied: false }
    }

    /// Sets the body.
    pub fn with_body(mut self, body: impl Into<FaultBody>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a header. A `Content-Type` takes the place of the body's own. Headers that frame the message
    /// (`Content-Length`, `Transfer-Encoding`, `Connection`) are refused: other faults are there for that.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Lets the vendor carry the request out first. Its own answer is lost.
    #[must_use]
    pub fn after_applying(mut self) -> Self {
        self.applied = true;
        self
    }
}

impl From<FaultAnswer> for Fault {
    fn from(answer: FaultAnswer) -> Self {
        Self::Answer(answer)
    }
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// None.
    #[default]
    Empty,
    /// `application/json`.
    Json(Value),
    /// `text/plain; charset=utf-8`.
    Text(String),
    /// Without a `Content-Type`.
    Bytes(Vec<u8>),
}

impl From<Value> for FaultBody {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<&str> for FaultBody {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for FaultBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

fn temporary() -> u16 {
    307
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
