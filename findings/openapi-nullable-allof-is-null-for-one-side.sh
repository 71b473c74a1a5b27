#!/usr/bin/env bash
# openapi-typescript 7.13.0 (npm), openapi-schema-validator 0.9.0 and openapi-spec-validator 0.9.0 (PyPI)
#
# Behaviour: OpenAPI 3.0 documents that servers generate (drf-spectacular's, for one) write an optional owner as
# `nullable: true` beside `allOf: [{$ref}]`. The document is valid, and its two readers disagree about null: the type
# generator writes `Owner | null`, the validator refuses null. The validator has the specification on its side:
# `nullable` counts beside a `type` alone, and even then each part of `allOf` must allow null by itself; so null is
# impossible in what its author wrote to allow it. `nullable` beside an `enum` without null is the same, and a `$ref`
# with `nullable` at its side is null for neither.
#
# Why it matters: a response with `"owner": null` is what the server means and sends. A client that validates
# responses rejects a listing because one key has no owner, while the types that were generated from the same document
# promise that null is there; contract tests of the two kinds cannot both pass.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >package.json <<'JSON'
{"private": true, "dependencies": {"openapi-typescript": "7.13.0", "typescript": "5.9.3"}}
JSON
npm install --silent --no-audit --no-fund --ignore-scripts
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-schema-validator==0.9.0 openapi-spec-validator==0.9.0

cat >openapi.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": {"title": "Keys", "version": "1"},
  "paths": {},
  "components": {
    "schemas": {
      "Owner": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
      "Key": {
        "type": "object",
        "properties": {
          "name": {"type": "string", "nullable": true},
          "allof": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Owner"}]},
          "typed": {"type": "object", "nullable": true, "allOf": [{"$ref": "#/components/schemas/Owner"}]},
          "oneof": {"nullable": true, "oneOf": [{"$ref": "#/components/schemas/Owner"}]},
          "status": {"type": "string", "nullable": true, "enum": ["ACTIVE", "REVOKED"]},
          "sibling": {"nullable": true, "$ref": "#/components/schemas/Owner"}
        }
      }
    }
  }
}
JSON
node node_modules/openapi-typescript/bin/cli.js openapi.json --output types.ts >generator.log 2>&1

cat >probe.py <<'PY'
import json
import re

from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

document = json.load(open("openapi.json"))
validate(document)
types = dict(re.findall(r"^ +(\w+)\??: (.*);$", open("types.ts").read(), re.MULTILINE))
recorded = {
    "name": (True, True),
    "allof": (True, False),
    "typed": (True, False),
    "oneof": (True, False),
    "status": (True, False),
    "sibling": (False, False),
}
for name, record in recorded.items():
    # With the components at its side, the references are found.
    schema = {**document["components"]["schemas"]["Key"]["properties"][name], "components": document["components"]}
    seen = (types[name].endswith("| null"), OAS30Validator(schema).is_valid(None))
    print("%-8s seen: null in the type: %-5s null in the validator: %-5s   expected: the same" % (name, *seen))
    assert seen == record, "changed"
PY
venv/bin/python probe.py
