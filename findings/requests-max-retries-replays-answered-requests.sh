#!/usr/bin/env bash
# requests 2.34.2 with urllib3 2.7.0 (PyPI)
#
# Behaviour: the documentation of HTTPAdapter's `max_retries` promises that it concerns failed look-ups, connections
# and connection time-outs, and never a request whose data reached the server. Yet with `HTTPAdapter(max_retries=3)`
# an answer of 413, 429 or 503 that carries `Retry-After` is waited for and the request is sent again, DELETE and PUT
# too. The same answer without the header is returned at once.
#
# Why it matters: somebody who wants retries of the connection only, because revoking is not to be repeated, gets
# replays whenever the vendor is polite enough to send the header, and a call with `timeout=1` blocks for as long as
# the vendor says: the wait is outside every time-out.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.7.0

cat >"$work/probe.py" <<'PY'
import http.server
import re
import threading
import time

import requests
from requests.adapters import HTTPAdapter

def revoke(headers):
    """Sends one DELETE to a vendor that is unavailable once and then knows no such key."""
    seen = []

    class Vendor(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_DELETE(self):
            seen.append(self.path)
            self.send_response(503 if len(seen) == 1 else 404)
            for name, value in headers.items() if len(seen) == 1 else ():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=3))
    start = time.monotonic()
    response = session.delete("http://127.0.0.1:%d/keys/1" % server.server_port, timeout=1)
    took = time.monotonic() - start
    server.shutdown()
    return response.status_code, len(seen), took


assert re.search(r"max_retries.*never.*server", HTTPAdapter.__doc__, re.DOTALL), "the documentation changed"
plain = revoke({})
told = revoke({"Retry-After": "3"})
print("503 without Retry-After  seen:     status %d, %d DELETE" % plain[:2])
print("                         expected: status 503, 1 DELETE")
print("503 with Retry-After: 3  seen:     status %d, %d DELETE, %.0f s with timeout=1" % told)
print("                         expected: status 503, 1 DELETE, 0 s")
assert plain[:2] == (503, 1), "changed"
assert told[:2] == (404, 2) and told[2] >= 3, "changed"
PY
"$work/venv/bin/python" "$work/probe.py"
