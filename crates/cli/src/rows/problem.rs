//! A call that failed, as an object of its own in JSON.

use keymux::{Error, ErrorReport, Scope};
use serde::Serialize;

use crate::words;

/// What is told of a failed call: the library's report of the error, and what it is about.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// The reference that was asked for, if it was one.
    r#ref: Option<String>,
    scope: Option<Scope>,
    #[serde(flatten)]
    report: ErrorReport,
}

impl Problem {
    pub(crate) const TYPE: &'static str = "error";

    pub(crate) fn new(error: &Error) -> Self {
        Self::of_report(words::report(error))
    }

    /// There is always a message: that of the kind, if there is no other.
    fn of_report(mut report: ErrorReport) -> Self {
        report.message.get_or_insert_with(|| report.kind.to_string());
        Self { r#ref: None, scope: None, report }
    }

    /// Of a reference, as it was written.
    pub(crate) fn of_ref(reference: impl Into<String>, error: &Error) -> Self {
        Self { r#ref: Some(reference.into()), ..Self::new(error) }
    }

    /// Of a scope of the account that the error names.
    pub(crate) fn of_scope(scope: Scope, report: ErrorReport) -> Self {
        Self { scope: Some(scope).filter(|scope| !scope.is_account()), ..Self::of_report(report) }
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.report.kind.as_str()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keymux::ErrorKind;

    use super::*;

    #[test]
    fn a_failure_always_has_its_reference_kind_and_message() {
        let error = Error::new(ErrorKind::RateLimited).with_retry_after(Some(Duration::from_millis(4500)));
        let problem = serde_json::to_value(Problem::of_ref("a:b", &error)).unwrap();
        assert_eq!(problem["ref"], "a:b");
        assert_eq!(problem["kind"], "rate_limited");
        assert_eq!(problem["message"], "rate limited");
        assert_eq!(problem["retry_after_seconds"], 4.5);
        assert_eq!(problem["status"], serde_json::Value::Null);
    }
}
