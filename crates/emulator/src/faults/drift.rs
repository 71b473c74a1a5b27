//! Answers as a later version of an API might give them.

use serde::Deserialize;
use serde_json::{Value, json};

/// A change to the JSON of a vendor's answer.
///
/// It changes the key that the answer holds, or each row of a list; an answer that holds neither is changed itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Drift {
    /// One more member, which the vendor does not document: `"emulator_addition": {"since": 1}`.
    NewMember,
    /// The value `EMULATOR_UNHEARD_OF` in each member that has one of a few values, as far as the vendor has such
    /// members: at Baseten `type` of workspace keys and `limit_enforcement` of groups, at Mielto `status`, and
    /// at Datkey and Oneloop the `status` of a verification. Braintrust has none.
    NewValue,
    /// Null in members without which a key is still a key. At Baseten that is `name`; at Braintrust `name` and
    /// `preview_name`, at Mielto `label` and `status`, at Datkey `name` and `verifications`, and at Oneloop `name`,
    /// `maskedKey` and `enabled`, none of which the vendor documents as null.
    Null,
    /// Any value at one place of the whole answer, such as another type.
    Set {
        /// The place, a JSON pointer (RFC 6901): `/key/expires_at`. An object on the way that is not there leaves the
        /// answer as it is.
        pointer: String,
        /// What stands there then.
        value: Value,
    },
}

/// Where a vendor's answers can drift.
#[derive(Debug)]
pub(crate) struct Drifting {
    /// The members that hold a key, or rows of a list.
    pub(crate) holders: &'static [&'static str],
    /// Pointers to members with one of a few values.
    pub(crate) values: &'static [&'static str],
    /// Members that can be null.
    pub(crate) nulls: &'static [&'static str],
}

impl Drift {
    pub(crate) fn change(&self, answer: &mut Value, drifting: &Drifting) {
        match self {
            Self::NewMember => in_subjects(answer, drifting, &mut |subject| {
                if let Value::Object(members) = subject {
                    members.insert("emulator_addition".to_owned(), json!({"since": 1}));
                }
            }),
            Self::NewValue => {
                let mut change = |subject: &mut Value| {
                    for pointer in drifting.values {
                        if let Some(value) = subject.pointer_mut(pointer).filter(|value| value.is_string()) {
                            *value = json!("EMULATOR_UNHEARD_OF");
                        }
                    }
                };
                // The verdict of a verification stands beside the key.
                change(answer);
                in_subjects(answer, drifting, &mut change);
            }
            Self::Null => in_subjects(answer, drifting, &mut |subject| {
                for name in drifting.nulls {
                    if let Some(value) = subject.get_mut(name) {
                        *value = Value::Null;
                    }
                }
            }),
            Self::Set { pointer, value } => set(answer, pointer, value),
        }
    }
}

/// Changes the key, or each row, or the answer if it holds neither.
fn in_subjects(answer: &mut Value, drifting: &Drifting, change: &mut dyn FnMut(&mut Value)) {
    let holder =
        drifting.holders.iter().find(|name| matches!(answer.get(name), Some(Value::Object(_) | Value::Array(_))));
    match holder.and_then(|name| answer.get_mut(name)) {
        Some(Value::Array(rows)) => rows.iter_mut().for_each(change),
        Some(key) => change(key),
        None => change(answer),
    }
}

fn set(answer: &mut Value, pointer: &str, value: &Value) {
    if let Some(place) = answer.pointer_mut(pointer) {
        *place = value.clone();
    } else if let Some((parent, name)) = pointer.rsplit_once('/') {
        if let Some(Value::Object(members)) = answer.pointer_mut(parent) {
            members.insert(name.replace("~1", "/").replace("~0", "~"), value.clone());
        }
    }
}
