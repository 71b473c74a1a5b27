#!/usr/bin/env bash
# openrouter 1.3.84 (PyPI)
#
# Behaviour: nobody configures retries, and `api_keys.create(...)` is still sent again at each answer of 500 or above,
# for up to one hour: the generator's default policy is written into every operation, reading or not. The call returns
# after that hour, or with the first success. No idempotency key goes with the repetitions. A 429 is not in the list,
# so the answer that says "come back later" is the one that is not repeated.
#
# Why it matters: a 502 or 504 of a proxy says nothing about the vendor behind it. If the vendor made the key each
# time, one call leaves some seventy live keys, of which the caller has the plaintext of one at most, and for an hour
# nothing is logged and nothing returns.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openrouter==1.3.84

cat >"$work/probe.py" <<'PY'
import http.server
import threading
import types

import openrouter.utils.retries as retries
from openrouter import OpenRouter

requests = []
status = None


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.headers.get("Idempotency-Key"))
        body = b"<h1>Bad gateway</h1>"
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Clock:
    """A clock that only sleeping moves."""

    now = 0.0

    def sleep(self, seconds):
        self.now += seconds


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()


def create(answer):
    global status
    status = answer
    requests.clear()
    clock = Clock()
    retries.time = types.SimpleNamespace(time=lambda: clock.now, sleep=clock.sleep)
    client = OpenRouter(api_key="a-key", server_url="http://127.0.0.1:%d" % server.server_port)
    try:
        client.api_keys.create(name="ci")
    except Exception as error:
        outcome = type(error).__name__
    print("every answer %d  seen:     %d POST in %d minutes, then %s" % (answer, len(requests), clock.now / 60, outcome))
    print("                  expected: 1 POST")
    return len(requests), clock.now


limited = create(429)
gateway = create(502)
assert limited == (1, 0), "changed"
assert gateway[0] > 50 and 3600 <= gateway[1] <= 3700 and set(requests) == {None}, "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
