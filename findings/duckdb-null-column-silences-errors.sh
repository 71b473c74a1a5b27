#!/usr/bin/env bash
# duckdb 2.0.1 and polars 2.1.0 (PyPI)
#
# Behaviour: DuckDB takes the columns of a file of JSON lines from its first 20,480 lines, and refuses a later line
# with a member that it does not know. But if any one column is null throughout the sample, that column gets the type
# NULL, all its later values are read as null without a word, and the check for unknown members is off for the whole
# file: they are dropped without a word too. polars, which samples 100 lines, does the contrary in both cases: it
# refuses the value in the null column, and drops the unknown member in silence.
#
# Why it matters: a listing of keys has exactly this form: `expires_at` is null in most, `revoked_at` is in hardly
# any. A count of keys without an end over a long listing includes those that have one, and a revoked key looks live.
# A test with a few lines is always right, and so is a test without the null column.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 polars==2.1.0

cat >"$work/probe.py" <<'PY'
import json
import sys

import duckdb
import polars

path = sys.argv[1] + "/keys.ndjson"
PLAIN = {}
NEVER = {"expires_at": None}
ENDS = {"expires_at": "in 2027"}
REVOKED = {"revoked_at": "in 2026"}


def write(count, ordinary, last):
    """So many ordinary keys, and one more after them."""
    with open(path, "w") as file:
        for number in range(count):
            print(json.dumps({"id": "k%d" % number, **ordinary}), file=file)
        print(json.dumps({"id": "last", **last}), file=file)


def in_duckdb():
    try:
        table = duckdb.sql("select * from '%s' where id = 'last'" % path)
        return dict(zip(table.columns, table.fetchall()[0]))
    except duckdb.InvalidInputException:
        return "error"


def in_polars():
    try:
        return polars.read_ndjson(path).filter(polars.col("id") == "last").to_dicts()[0]
    except polars.exceptions.ComputeError:
        return "error"


recorded = [
    ("duckdb", in_duckdb, 100, NEVER, ENDS, {"id": "last", **ENDS}),
    ("duckdb", in_duckdb, 20_480, PLAIN, REVOKED, "error"),
    ("duckdb", in_duckdb, 20_480, NEVER, ENDS, {"id": "last", **NEVER}),
    ("duckdb", in_duckdb, 20_480, NEVER, REVOKED, {"id": "last", **NEVER}),
    ("polars", in_polars, 100, PLAIN, REVOKED, {"id": "last"}),
    ("polars", in_polars, 100, NEVER, ENDS, "error"),
]
for tool, read, lines, ordinary, last, record in recorded:
    write(lines, ordinary, last)
    seen = read()
    print("%s, after %d lines %s" % (tool, lines, {"id": "…", **ordinary}))
    print("  seen:     %s" % seen)
    print("  expected: %s, or an error" % {"id": "last", **last})
    assert seen == record, "changed"
PY
"$work/venv/bin/python" "$work/probe.py" "$work"
