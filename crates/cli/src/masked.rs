//! JSON with a secret taken out of its texts, and nothing else changed: a value of `serde_json` would round numbers and sort members.

use std::fmt;

use keymux::{ExposeSecret, SecretString};
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// What stands in place of a secret.
pub(crate) const MASKED: &str = "[masked]";

/// `json` with the secret masked in every text of it, but for the names of members; `None` if it is no JSON.
pub(crate) fn masked(json: &str, secret: Option<&SecretString>) -> Option<String> {
    match json.trim_start().as_bytes().first()? {
        b'"' => {
            let text: String = serde_json::from_str(json).ok()?;
            let clean =
                secret.map(|secret| text.replace(secret.expose_secret(), MASKED)).filter(|clean| *clean != text);
            clean.map_or_else(|| Some(json.to_owned()), |clean| serde_json::to_string(&clean).ok())
        }
        b'[' => {
            let all: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let all: Option<Vec<String>> = all.into_iter().map(|one| masked(one.get(), secret)).collect();
            Some(format!("[{}]", all?.join(",")))
        }
        b'{' => {
            let members = serde_json::Deserializer::from_str(json).deserialize_map(Members).ok()?;
            let member = |(name, value): (String, &RawValue)| {
                Some(format!("{}:{}", serde_json::to_string(&name).ok()?, masked(value.get(), secret)?))
            };
            let all: Option<Vec<String>> = members.into_iter().map(member).collect();
            Some(format!("{{{}}}", all?.join(",")))
        }
        _ => Some(json.to_owned()),
    }
}

/// The members of an object in their order.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_order_and_repeated_members_stay_and_the_secret_goes() {
        let secret = SecretString::from("se\"cret".to_owned());
        let json = r#"{"z":123456789012345678901234,"a":[1e400,1.50,"x se\"cret y"],"a":{"key":"se\"cret"},"t":true,"n":null}"#;
        let clean = r#"{"z":123456789012345678901234,"a":[1e400,1.50,"x [masked] y"],"a":{"key":"[masked]"},"t":true,"n":null}"#;
        assert_eq!(masked(json, Some(&secret)).as_deref(), Some(clean));
        assert_eq!(masked(json, None).as_deref(), Some(json));
        assert_eq!(masked("{nope}", None), None);
    }
}
