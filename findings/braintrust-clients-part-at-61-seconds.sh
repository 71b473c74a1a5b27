#!/usr/bin/env bash
# braintrust 0.48.1 and braintrust-api 0.6.0 (PyPI), two published clients of one vendor
#
# Behaviour: at a 429 with `Retry-After: 61` neither client waits 61 seconds. `braintrust-api` takes a wait of more
# than a minute for no statement at all, and repeats after half a second, as if the header were missing. `braintrust`
# takes it at its word, finds that it exceeds the minute it may spend in all, and fails at once with
# `BraintrustRetryExhaustedError`, "exhausted" after one attempt. At `Retry-After: 59` both wait 59 seconds.
#
# Why it matters: a program uses both, since the older one covers routes that the newer one has only lately. One
# second more in the vendor's header turns well-behaved waiting into hammering in the one and into no retry in the
# other, so neither a test with a short wait nor a look at the other client shows what will happen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check braintrust==0.48.1 braintrust-api==0.6.0

cat >"$work/probe.py" <<'PY'
import http.server
import threading
import time

import braintrust_api
import braintrust_api._base_client
from braintrust.api import BraintrustOpenApiClient

wait = None
count = 0


class Vendor(http.server.BaseHTTPRequestHandler):
    """Refuses the first request of each client."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global count
        count += 1
        body = b'{"objects": []}'
        self.send_response(429 if count == 1 else 200)
        self.send_header("Retry-After", wait)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d" % server.server_port
slept = []


class NoSleep:
    """The module `time`, without the waiting."""

    def __getattr__(self, name):
        return slept.append if name == "sleep" else getattr(time, name)


braintrust_api._base_client.time = NoSleep()


def with_older():
    braintrust_api.Braintrust(api_key="a-key", base_url=base).api_keys.list()


def with_newer():
    client = BraintrustOpenApiClient(api_key="a-key", api_url=base)
    client.transport._sleep = slept.append
    client.api_keys.get_api_key()


def outcome(call):
    global count
    count = 0
    slept.clear()
    try:
        call()
        return "answer after waiting %s s" % ("about 0.5" if slept[0] < 1 else round(slept[0]))
    except Exception as error:
        return "%s after %d attempt, no wait" % (type(error).__name__, error.attempts)


seen = []
for wait in ("59", "61"):
    for name, call in (("braintrust-api", with_older), ("braintrust", with_newer)):
        seen.append(outcome(call))
        print("Retry-After: %s  %-14s  seen:     %s" % (wait, name, seen[-1]))
        print("                                 expected: answer after waiting %s s" % wait)
assert seen == [
    "answer after waiting 59 s",
    "answer after waiting 59 s",
    "answer after waiting about 0.5 s",
    "BraintrustRetryExhaustedError after 1 attempt, no wait",
], "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
