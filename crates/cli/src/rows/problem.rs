//! A call that failed, as an object of its own in JSON.

use keymux::{Error, Scope};
use serde::Serialize;

/// What is told of a failed call. Every member is always there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// The reference that was asked for, if it was one.
    r#ref: Option<String>,
    account: Option<String>,
    provider: Option<String>,
    scope: Option<Scope>,
    operation: Option<&'static str>,
    kind: &'static str,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    /// Rounded up, so that nobody comes too early.
    retry_after_seconds: Option<u64>,
    request_id: Option<String>,
    attempts: u32,
    retryable: bool,
    may_have_executed: bool,
}

impl Problem {
    pub(crate) const TYPE: &'static str = "error";

    pub(crate) fn new(error: &Error) -> Self {
        Self {
            r#ref: None,
            account: error.account().map(ToString::to_string),
            provider: error.provider().map(ToString::to_string),
            scope: None,
            operation: error.operation(),
            kind: error.kind().as_str(),
            status: error.status(),
            code: error.code().map(str::to_owned),
            message: error.message().map_or_else(|| error.kind().to_string(), str::to_owned),
            retry_after_seconds: error
                .retry_after()
                .map(|delay| delay.as_secs() + u64::from(delay.subsec_nanos() > 0)),
            request_id: error.request_id().map(str::to_owned),
            attempts: error.attempts(),
            retryable: error.is_retryable(),
            may_have_executed: error.may_have_executed(),
        }
    }

    pub(crate) fn kind(&self) -> &str {
        self.kind
    }

    /// Of a reference, as it was written.
    pub(crate) fn of_ref(reference: impl Into<String>, error: &Error) -> Self {
        Self { r#ref: Some(reference.into()), ..Self::new(error) }
    }

    /// Of a scope of the account that the error names.
    pub(crate) fn of_scope(scope: Option<Scope>, error: &Error) -> Self {
        Self { scope, ..Self::new(error) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keymux::ErrorKind;

    use super::*;

    #[test]
    fn a_wait_is_rounded_up_and_a_message_is_always_there() {
        let error = Error::new(ErrorKind::RateLimited).with_retry_after(Some(Duration::from_millis(4001)));
        let problem = serde_json::to_value(Problem::of_ref("a:b", &error)).unwrap();
        assert_eq!(problem["retry_after_seconds"], 5);
        assert_eq!(problem["message"], "rate limited");
        assert_eq!(problem["ref"], "a:b");
        assert_eq!(problem["status"], serde_json::Value::Null);
    }
}
