//! An error as data: what it tells, without its source, to be stored, sent and read again.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind};
use crate::capability::{Operation, Parameter};
use crate::names::{AccountName, ProviderId};

/// What an [`Error`] tells, as plain data: the same in JSON wherever an error is shown. It holds no secret.
///
/// What is not known is `null` in JSON. It prints as the error does, without the item of code in [`Error::see`]: its readers may
/// write none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorReport {
    /// What went wrong, to branch on.
    pub kind: ErrorKind,
    /// The account, if the call went through the facade.
    pub account: Option<AccountName>,
    /// The vendor, if the call got as far as one.
    pub provider: Option<ProviderId>,
    /// The operation: the vendor's client's name of it, or [`Operation::verb`].
    pub operation: Option<Cow<'static, str>>,
    /// The HTTP status, if the vendor answered.
    pub status: Option<u16>,
    /// The vendor's error code, if it sent one.
    pub code: Option<String>,
    /// The vendor's message, scrubbed and cut, or what this library has to say.
    pub message: Option<String>,
    /// The parameter of making or changing a key that is wrong, if it is one; absent in JSON where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<Parameter>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
    /// How long the vendor wants to be left alone, in seconds.
    pub retry_after_seconds: Option<f64>,
    /// How many requests were sent, or tried to be.
    pub attempts: u32,
}

impl Error {
    /// What this error tells, as plain data: everything but its source and its detail.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        let inner = &*self.inner;
        ErrorReport {
            kind: inner.kind,
            account: inner.account.clone(),
            provider: inner.provider.clone(),
            operation: inner.operation.map(|name| Cow::Borrowed(verb(name))),
            status: inner.status,
            code: inner.code.clone(),
            message: inner.message.clone(),
            parameter: inner.parameter,
            request_id: inner.request_id.clone(),
            retry_after_seconds: inner.retry_after.map(|delay| delay.as_secs_f64()),
            attempts: inner.attempts,
        }
    }
}

/// What people call an operation.
fn verb(name: &'static str) -> &'static str {
    Operation::ALL.iter().find(|operation| operation.as_str() == name).map_or(name, |operation| operation.verb())
}

/// As its [`report`](Error::report).
impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.report().serialize(serializer)
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.account, &self.provider) {
            (Some(account), Some(provider)) if account.as_str() != provider.as_str() => {
                write!(f, "{account} ({provider})")?;
            }
            (Some(account), _) => write!(f, "{account}")?,
            (None, Some(provider)) => write!(f, "{provider}")?,
            (None, None) => {}
        }
        let named = self.account.is_some() || self.provider.is_some();
        if let Some(operation) = &self.operation {
            write!(f, "{}{operation}", if named { " " } else { "" })?;
        }
        write!(f, "{}{}", if named || self.operation.is_some() { ": " } else { "" }, self.kind)?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status}, {code})")?,
            (Some(status), None) => write!(f, " (HTTP {status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(delay) = self.retry_after_seconds {
            // A date leaves a fraction of a second, which nobody waits for by hand.
            write!(f, "; retry after {} s", (delay * 1000.0).ceil() / 1000.0)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, "; request {id}")?;
        }
        match self.attempts {
            0 => Ok(()),
            1 => f.write_str("; 1 attempt"),
            attempts => write!(f, "; {attempts} attempts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_report_says_what_the_error_says_and_survives_json() {
        let error = Error::new(ErrorKind::RateLimited)
            .with_account(AccountName::new("prod").unwrap())
            .with_provider(ProviderId::new("baseten"))
            .with_operation("list_api_keys")
            .with_status(429)
            .with_code(Some("SLOW".to_owned()))
            .with_message("too fast")
            .with_retry_after(Some(Duration::from_millis(1500)))
            .with_request_id(Some("r-1".to_owned()))
            .with_attempts(3)
            .with_source(std::io::Error::other("a cause"));
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "kind": "rate_limited", "account": "prod", "provider": "baseten", "operation": "list_api_keys",
                "status": 429, "code": "SLOW", "message": "too fast", "request_id": "r-1",
                "retry_after_seconds": 1.5, "attempts": 3,
            })
        );
        let back: ErrorReport = serde_json::from_value(json).unwrap();
        assert_eq!((back.to_string(), &back), (error.to_string(), &error.report()));
    }

    #[test]
    fn each_kind_is_in_json_what_it_is_in_spans() {
        use ErrorKind::*;
        let kinds = [
            NotFound,
            PermissionDenied,
            Unauthenticated,
            InvalidRequest,
            Conflict,
            RateLimited,
            QuotaExhausted,
            Unsupported,
            OutcomeUnknown,
            Timeout,
            Connect,
            Transport,
            Decode,
            TooLarge,
            Redirected,
            Server,
            Config,
        ];
        for kind in kinds {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
