//! The five vendors: one module each, with its blueprint, its answers and its first keys.

pub(crate) mod baseten;
pub(crate) mod braintrust;
pub(crate) mod datkey;
pub(crate) mod mielto;
pub(crate) mod oneloop;

use serde_json::{Map, Value};

/// A member of a body, or null if it is not given.
fn or_null(body: &Map<String, Value>, name: &str) -> Value {
    body.get(name).cloned().unwrap_or_default()
}

/// Whether a member of a body is an array whose items all pass.
fn is_list(body: &Map<String, Value>, name: &str, item: impl Fn(&Value) -> bool) -> bool {
    body.get(name).and_then(Value::as_array).is_some_and(|items| items.iter().all(item))
}
