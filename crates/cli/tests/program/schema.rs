//! Every object that is printed is one of `docs/cli-output.schema.json`.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use crate::stage::{Stage, run};

struct Validator {
    schemas: Schemas,
    schema: SchemaIndex,
}

fn validator() -> Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli-output.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("cli-output.json", schema).unwrap();
    let schema = compiler.compile("cli-output.json", &mut schemas).unwrap();
    Validator { schemas, schema }
}

impl Validator {
    fn errors(&self, object: &Value) -> String {
        self.schemas.validate(object, self.schema).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    fn is_valid(&self, object: &Value) -> bool {
        self.errors(object).is_empty()
    }
}

#[test]
fn every_object_is_as_its_schema_says() {
    let (stage, validator) = (Stage::new(), validator());
    let of_oneloop = crate::stage::sample(stage.emulator.oneloop());
    let of_baseten = crate::stage::sample(stage.emulator.baseten());
    let datkey = stage.emulator.datkey();
    let file = crate::stage::folder("schema").join("key");
    let stamped = ["create", "mielto", "--name", "n [keymux 0123456789abcdef]"];
    assert_eq!(stage.run(&stamped).status, Some(0));
    std::fs::write(&file, datkey.plaintext(datkey.sample_address()).unwrap()).unwrap();
    let sample = file.to_str().unwrap();
    let plan = crate::stage::folder("schema-plan");
    let (plan, secrets) = (plan.join("plan.json"), plan.join("secrets"));
    let entry = format!("{{\"ref\": \"{of_baseten}\", \"action\": \"rotate\"}}");
    std::fs::write(&plan, format!("{{\"keymux_rotation_plan\": 1, \"rotations\": [{entry}]}}")).unwrap();
    let (plan, secrets) = (plan.to_str().unwrap(), secrets.to_str().unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for args in [
        &["list"] as &[&str],
        &["list", "datkey"],
        &["list", "baseten:nowhere"],
        &["get", "datkey:nope", "x", "mielto:key_000000001"],
        &["list", "--group-by", "expires"],
        &["scopes"],
        &["accounts"],
        &["accounts", "check"],
        &["providers"],
        &["create", "mielto", "--name", "n", "--dry-run"],
        &["rotate", &of_baseten, "--dry-run"],
        &["rotate", "--apply", plan, "--yes", "--secret-dir", secrets],
        &["verify", "datkey:api_example_1"],
        &["verify", "datkey:api_example_1", "--key-file", sample],
        &["update", "mielto:nope", "--name", "q"],
        &["update", "mielto:key_000000001", "--max-uses", "3"],
        &["verify", "mielto"],
        &["verify", "mielto", "--dry-run"],
        &["update", "mielto:key_000000001", "mielto:nope", "--disable", "--yes"],
        &["orphans"],
        &["revoke", "mielto:key_000000001", &of_oneloop, "mielto:nope", "--yes"],
    ] {
        let mut command = stage.command(args);
        command.env("XDG_STATE_HOME", file.parent().unwrap());
        let lines = run(&mut command, "nobodyhasthis").lines();
        assert!(!lines.is_empty());
        for object in lines {
            assert_eq!(validator.errors(&object), "", "{object}");
            seen.insert(object["type"].as_str().unwrap().to_owned());
        }
    }
    let all = [
        "account", "error", "group", "key", "orphan", "provider", "request", "revoked", "rotation", "scope", "summary",
        "updated", "verdict",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn the_schema_takes_no_object_with_a_field_missing_or_added() {
    let (stage, validator) = (Stage::new(), validator());
    for key in stage.run(&["list", "mielto"]).of_type("key") {
        for field in key.as_object().unwrap().keys() {
            let mut less = key.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(!validator.is_valid(&less), "without {field}");
        }
        let mut more = key.clone();
        more["secret"] = "x".into();
        assert!(!validator.is_valid(&more));
    }
}
