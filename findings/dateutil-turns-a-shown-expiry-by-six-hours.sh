#!/usr/bin/env bash
# python-dateutil 4.0.0 (PyPI), with the dates of JavaScript's Intl on Node 20 or newer
#
# Behaviour: what a browser prints for a person in Moscow, `11/29/2026, 4:02:03 AM GMT+3`, is read by `dateutil`
# without a warning as 4:02 in the zone three hours WEST of Greenwich: a name with an offset is taken in the sense of
# POSIX's TZ variable ("my time plus 3 is GMT"), contrary to Intl and to `GMT+0300` in the text of a `Date`.
# `UTC+03:00` after an ISO date is turned in the same way, while the same offset without the name is not. `GMT` alone
# is right, so an author in London sees no error, in winter.
#
# Why it matters: the date that a vendor's dashboard shows for a key's end, or its CSV export has, is copied into a
# script. The key is then watched, or rotated, at a time that is wrong by twice the offset: 18 hours too late from
# Tokyo.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-dateutil==4.0.0

cat >"$work/probe.py" <<'PY'
import subprocess
from datetime import datetime, timezone

from dateutil import parser

INSTANT = datetime(2026, 11, 29, 1, 2, 3, tzinfo=timezone.utc)
SHOW = """
const [zone] = process.argv.slice(1);
console.log(new Date(Date.UTC(2026, 10, 29, 1, 2, 3)).toLocaleString("en-US", { timeZone: zone, timeZoneName: "short" }));
"""


def error(text):
    """Hours by which the text is read too late."""
    return (parser.parse(text) - INSTANT).total_seconds() / 3600


def shown(zone):
    printed = subprocess.run(["node", "-e", SHOW, zone], capture_output=True, check=True, text=True).stdout
    return " ".join(printed.split())


recorded = [
    (shown("Europe/Moscow"), 6),
    (shown("Asia/Tokyo"), 18),
    (shown("Europe/London"), 0),
    ("2026-11-29T04:02:03 UTC+03:00", 6),
    ("2026-11-29T04:02:03+03:00", 0),
]
for text, hours in recorded:
    seen = error(text)
    print("%-35s seen: %2d hours off   expected: 0" % (text, seen))
    assert seen == hours, "changed: %r" % seen
PY
"$work/venv/bin/python" "$work/probe.py"
