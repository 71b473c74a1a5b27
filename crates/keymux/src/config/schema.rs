//! The JSON Schema and the example file, held to the keys that are read.

use serde_json::{Map, Value, json};

use super::ConfigFile;
use super::keys::{KEYS, Key, MAX_COUNT, MAX_MEBIBYTES, Of, TRAIL_PATH, VENDORS, ValueKind};

const SCHEMA: &str = include_str!("../../../../docs/keymux.schema.json");
const EXAMPLE: &str = include_str!("../../../../docs/keymux.example.toml");

fn describe(key: &str) -> &'static str {
    match key {
        "provider" => "The vendor.",
        "credential" => "Where the credential is to be had; never the secret itself.",
        "base_url" => {
            "Where the vendor's API is: HTTPS, or HTTP to this machine. A path in it is kept. Default: the vendor's own."
        }
        "attempt_timeout" => "The longest that one request may take, from connecting to the last byte. Default 30s.",
        "total_timeout" => "The longest that one call may take, with retries and waits. Default 2m.",
        "connect_timeout" => "The longest that connecting may take, TLS included. Default 10s.",
        "max_attempts" => "How many attempts a call has at most, the first one included. Default 4.",
        "max_list_mib" => "The largest answer that is read of a list, in MiB. Default 64.",
        "pace" => {
            "How many requests are sent in a second at most. Default: the limit that the vendor declares, else one that is learned."
        }
        "application" => "The application's product token, put first into User-Agent: my-service/1.4.",
        "system_proxy" => "Whether HTTPS_PROXY and its kind are used. Default true.",
        "root_certificates_file" => "Certificates (PEM) that are trusted in place of the system's store.",
        "auth_scheme" => "The scheme of Authorization. Default api-key.",
        "signing_key_file" => "The Ed25519 key (PKCS#8 PEM) that signs registrations; nothing else needs it.",
        "region" => "Where Braintrust keeps the organization, in place of base_url. Default us.",
        "impersonated_user" => "Acts as this user, an id or an e-mail address.",
        "auth_header" => "The header of the credential. Default bearer.",
        "workspace_id" => "The workspace that is meant, sent as X-Workspace-Id. Default: the credential's.",
        "expiry_unit" => {
            "The unit in which an expiry is sent. No document states it; without it keys with an expiry are refused."
        }
        other => panic!("`{other}` has no description"),
    }
}

fn schema_of(key: &Key) -> Value {
    let mut schema = match key.takes {
        ValueKind::Provider => json!({"enum": VENDORS}),
        ValueKind::Credential => json!({"$ref": "#/$defs/credential"}),
        ValueKind::Url => json!({"type": "string", "format": "uri", "pattern": "^https?://"}),
        ValueKind::Text | ValueKind::Duration | ValueKind::Product | ValueKind::File => {
            json!({"type": "string", "minLength": 1})
        }
        ValueKind::Choice(words) => json!({"enum": words}),
        ValueKind::Count => json!({"type": "integer", "minimum": 1, "maximum": MAX_COUNT}),
        ValueKind::Mebibytes => json!({"type": "integer", "minimum": 1, "maximum": MAX_MEBIBYTES}),
        ValueKind::Rate => json!({"type": "number", "exclusiveMinimum": 0}),
        ValueKind::Flag => json!({"type": "boolean"}),
    };
    schema["description"] = json!(describe(key.name));
    if key.takes == ValueKind::Duration {
        schema["examples"] = json!(["10s", "1m 30s"]);
    }
    schema
}

fn properties(include: impl Fn(Of) -> bool) -> Value {
    KEYS.iter()
        .filter(|key| include(key.of))
        .map(|key| (key.name.to_owned(), schema_of(key)))
        .collect::<Map<_, _>>()
        .into()
}

/// The schema that the keys of the parser make.
fn generated() -> Value {
    let foreign = VENDORS.iter().filter_map(|vendor| {
        let of_vendor = KEYS.iter().filter(|key| key.of == Of::Vendor(vendor));
        let refused: Map<_, _> = of_vendor.map(|key| (key.name.to_owned(), json!(false))).collect();
        let is_vendor = json!({"properties": {"provider": {"const": vendor}}});
        (!refused.is_empty()).then(|| json!({"if": is_vendor, "else": {"properties": refused}}))
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "keymux.toml",
        "description": "The accounts of Keymux: each one credential at one vendor.",
        "type": "object",
        "properties": {
            "defaults": {
                "description": "What holds for every account that does not say otherwise.",
                "type": "object",
                "properties": properties(|of| of == Of::Shared),
                "additionalProperties": false,
            },
            "accounts": {
                "description": "The accounts, by name.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
                "additionalProperties": {"$ref": "#/$defs/account"},
            },
            "trail": {
                "description": "Where the command writes a line before and after every change that it sends.",
                "type": "object",
                "properties": {
                    TRAIL_PATH.name: {
                        "description": "The file; lines are appended. A relative path starts at this file's folder.",
                        "type": "string",
                        "minLength": 1,
                    },
                },
                "required": [TRAIL_PATH.name],
                "additionalProperties": false,
            },
        },
        "required": ["accounts"],
        "additionalProperties": false,
        "$defs": {
            "account": {
                "type": "object",
                "properties": properties(|_| true),
                "required": ["provider", "credential"],
                "additionalProperties": false,
                "not": {"required": ["region", "base_url"]},
                "allOf": foreign.collect::<Vec<_>>(),
            },
            "credential": {
                "type": "object",
                "properties": {
                    "env": {
                        "description": "The name of an environment variable.",
                        "type": "string",
                        "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                    },
                    "file": {
                        "description": "The path of a file that holds the credential alone.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "command": {
                        "description": "A program that prints the credential, and its arguments. No shell reads it.",
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 1,
                    },
                },
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false,
            },
        },
    })
}

#[test]
fn the_schema_is_the_one_that_the_parsers_keys_make() {
    let generated = generated();
    let written: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(written == generated, "docs/keymux.schema.json should be:\n{generated:#}");
}

#[test]
fn the_example_shows_every_key_and_is_read() {
    let file = ConfigFile::parse(EXAMPLE, "docs/keymux.example.toml").unwrap();
    assert_eq!(file.accounts().len(), VENDORS.len());
    assert!(EXAMPLE.contains("\n# [trail]\n# path = "));
    let uncommented: Vec<&str> = EXAMPLE.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    for key in &KEYS {
        let line = format!("{} = ", key.name);
        assert!(uncommented.iter().any(|shown| shown.starts_with(&line)), "{line}");
    }
}

#[test]
fn what_the_example_has_in_comments_is_read_too() {
    // `region` and `base_url` exclude each other, but stand in different accounts.
    let is_setting = |line: &str| {
        let mut keys = KEYS.iter().chain([&TRAIL_PATH]);
        line == "# [trail]" || keys.any(|key| line.starts_with(&format!("# {} = ", key.name)))
    };
    let on = |line: &'static str| if is_setting(line) { &line[2..] } else { line };
    let text: Vec<&str> = EXAMPLE.lines().map(on).collect();
    let file = ConfigFile::parse(&text.join("\n"), "keymux.toml").unwrap();
    let set: std::collections::BTreeSet<_> = file.accounts().flat_map(|account| account.settings.keys()).collect();
    assert_eq!(set.len() + 2, KEYS.len(), "all but `provider` and `credential`: {set:?}");
    assert_eq!(file.trail(), Some(std::path::Path::new("trail.ndjson")));
}
