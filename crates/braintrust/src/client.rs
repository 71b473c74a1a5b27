//! The client: one method for each operation that Braintrust documents.

use keymux_core::{Call, Decoded, Dialect, ErrorKind, Pipeline, Rejected, Rejection};
use serde_json::Value;

use crate::error::Error;
use crate::provider::ID;
use crate::wire::{ApiKey, ApiKeyId, SHAPE};

/// A client of one Braintrust credential. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    pipeline: Pipeline,
}

impl Client {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }

    /// Looks up one key: `GET /v1/api_key/{api_key_id}` (documented).
    ///
    /// Fails with [`Error::MissingOrNoAccess`] where the key does not exist or may not be seen, which Braintrust does
    /// not tell apart; changes nothing, and is repeated as the retry policy says.
    pub async fn get_api_key(&self, id: &ApiKeyId) -> Result<ApiKey, Error> {
        Ok(self.fetch_api_key(id).await?.value)
    }

    /// The key with what was odd about the answer.
    pub(crate) async fn fetch_api_key(&self, id: &ApiKeyId) -> Result<Decoded<ApiKey>, Error> {
        let answer = self.pipeline.send(Call::get("get_api_key", &["v1", "api_key", id.as_str()])).await?;
        Ok(answer.decode(&SHAPE)?)
    }
}

/// How Braintrust's wire differs: errors are text or JSON whatever the content type says, members of JSON errors are
/// capitalised, and messages end in bracketed context that holds a person's e-mail address.
pub(crate) fn dialect() -> Dialect {
    Dialect { provider: ID, request_id_header: Some("x-bt-internal-trace-id"), read_rejection }
}

fn read_rejection(rejected: &Rejected<'_>) -> Rejection {
    let text = match rejected.json {
        Value::Object(_) => ["/Message", "/message", "/error"].iter().find_map(|pointer| rejected.text_at(pointer)),
        Value::String(text) => Some(text.clone()),
        Value::Null if rejected.text.trim() == "null" => None,
        // Text, or a list of issues that the context behind it keeps from being JSON.
        _ => Some(rejected.text.to_owned()),
    };
    let (message, request_id) = text.map(|text| strip_context(&text)).unzip();
    let issues = message.as_deref().and_then(read_issues);
    let missing = message.as_deref().is_some_and(is_missing_or_no_access);
    Rejection {
        kind: (missing && matches!(rejected.status, 400 | 403)).then_some(ErrorKind::NotFound),
        code: rejected.text_at("/Code"),
        message: issues.or(message),
        request_id: rejected.text_at("/InternalTraceId").or(request_id.flatten()),
        ..Rejection::default()
    }
}

/// Whether `message` is the sentence by which Braintrust says that a thing is missing or may not be seen. It comes with
/// 400 or 403.
fn is_missing_or_no_access(message: &str) -> bool {
    message.contains("Missing ") && message.contains(" access to ") && message.contains("does not exist")
}

/// Takes the bracketed context out of `message`, and returns the request's id if it was there.
fn strip_context(message: &str) -> (String, Option<String>) {
    const MEMBERS: [&str; 4] = ["user_email=", "user_org=", "timestamp=", "request_id="];
    let mut kept = String::with_capacity(message.len());
    let mut request_id = None;
    let mut rest = message;
    while let Some((before, bracket)) = rest.split_once('[') {
        kept.push_str(before);
        if !MEMBERS.iter().any(|member| bracket.starts_with(member)) {
            kept.push('[');
            rest = bracket;
            continue;
        }
        // Context that does not end is cut off whole.
        let (context, after) = bracket.split_once(']').unwrap_or((bracket, ""));
        if let Some(id) = context.strip_prefix("request_id=") {
            request_id = Some(id.to_owned());
        }
        kept.truncate(kept.trim_end().len());
        rest = after;
    }
    kept.push_str(rest);
    (kept.trim().to_owned(), request_id)
}

/// What the validator complains about, if `message` is its list of issues.
fn read_issues(message: &str) -> Option<String> {
    let issues: Vec<Value> = serde_json::from_str(message).ok()?;
    let told: Vec<String> = issues
        .iter()
        .map(|issue| {
            let path = issue.pointer("/path").and_then(Value::as_array).into_iter().flatten();
            let path: Vec<String> =
                path.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
            let text = issue.pointer("/message").and_then(Value::as_str).unwrap_or("invalid");
            if path.is_empty() { text.to_owned() } else { format!("{}: {text}", path.join(".")) }
        })
        .collect();
    Some(told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracketed_context_is_taken_out_wherever_it_stands() {
        let table = [
            (
                "no key [user_email=dev@example.com] [user_org=acme] [timestamp=1.5] [request_id=r-1]",
                "no key",
                Some("r-1"),
            ),
            ("no key [timestamp=1.5]", "no key", None),
            ("a [1] b [user_email=dev@example.com] c", "a [1] b c", None),
            ("cut [user_email=dev@example.c", "cut", None),
            ("[user_email=x]", "", None),
            ("plain", "plain", None),
            ("caf\u{e9} [[user_org=x]", "caf\u{e9} [", None),
        ];
        for (message, kept, id) in table {
            assert_eq!(strip_context(message), (kept.to_owned(), id.map(str::to_owned)), "{message}");
        }
    }

    #[test]
    fn validator_issues_become_a_sentence() {
        let issues = r#"[{"validation":"uuid","code":"invalid_string","message":"Invalid uuid","path":["api_key_id"]},{"path":["a",0]}]"#;
        assert_eq!(read_issues(issues).unwrap(), "api_key_id: Invalid uuid; a.0: invalid");
        assert_eq!(read_issues("no list"), None);
    }
}
